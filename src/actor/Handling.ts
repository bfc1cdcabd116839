/**
 * Small parts of handling a message: finding its handler, its span, what it has forked, reports of
 * crashes, and waiting with a deadline.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"
import { classOf, escapedCause } from "../telemetry/Causes.ts"
import * as RootSpans from "../telemetry/RootSpans.ts"
import type { Kernel } from "./Kernel.ts"
import { Become, type Message, type SomeError, Stashed } from "./Message.ts"

/** The handlers of any behaviour, by tag. */
export type AnyHandlers<M, R> = Readonly<Record<string, (message: M) => Effect.Effect<unknown, SomeError, R>>>

/** The handler of a tag. Throws a TypeError if there is none; inherited properties do not count. */
export const handlerOf = <M, R>(handlers: AnyHandlers<M, R> | undefined, tag: string, path: string) => {
  const handler = handlers !== undefined && Object.hasOwn(handlers, tag) ? handlers[tag] : undefined
  if (handler === undefined) throw new TypeError(`${path} has no handler for ${tag}`)
  return handler
}

/**
 * The failure by which a handler has changed the behaviour, or put its message aside. An
 * interruption that came when it had done so changes nothing.
 */
export const nextOf = (cause: Cause.Cause<unknown>): Become<Message, unknown, unknown> | Stashed | undefined => {
  if (Cause.hasDies(cause)) return undefined
  for (const reason of cause.reasons) {
    if (reason._tag === "Fail" && (reason.error instanceof Become || reason.error instanceof Stashed))
      return reason.error
  }
  return undefined
}

/**
 * Runs a handler's effect in a root span of its own, linked to the sender's. For the span, to
 * change the behaviour is no failure.
 */
export const inSpan = <A, E, R>(effect: Effect.Effect<A, E, R>, name: string, actor: string, span: Tracer.AnySpan) => {
  const kept = Effect.matchCauseEffect(effect, {
    onSuccess: (value) => Effect.succeed<Exit.Exit<A, E>>(Exit.succeed(value)),
    onFailure: (cause) => nextOf(cause) === undefined ? Effect.failCause(cause) : Effect.succeed(Exit.failCause(cause))
  })
  return Effect.flatten(RootSpans.within(kept, name, { kind: "consumer", origin: span, attributes: { actor } }))
}

/**
 * What a fiber has forked as children, if some of them have not ended. Effect's types do not name
 * it.
 */
export const childrenOf = (
  fiber: Fiber.Fiber<unknown, unknown> | undefined
): ReadonlySet<Fiber.Fiber<unknown, unknown>> | undefined => {
  const children = (fiber as { readonly _children?: ReadonlySet<Fiber.Fiber<unknown, unknown>> } | undefined)?._children
  return children === undefined || children.size === 0 ? undefined : children
}

/** The fiber whose child this one is, by `forkChild`, while it has not ended. */
export const parentOf = (fiber: Fiber.Fiber<unknown, unknown>): Fiber.Fiber<unknown, unknown> | undefined =>
  (fiber as { readonly _parent?: Fiber.Fiber<unknown, unknown> })._parent

/**
 * Logs, as an error, what nobody else would hear of, in the span of the message that it came about
 * over. OTP's processes and supervisors report the same. The text of the cause may be an
 * attacker's: it is escaped and cut, and what is left of its stack are frames.
 */
export const reportUnsafe = (
  kernel: Kernel,
  { incarnation, path }: Reported,
  text: string,
  cause: Cause.Cause<unknown>
): void => {
  const span = RootSpans.spanOf(cause)
  const log = Effect.annotateLogs(Effect.logError(`${path} ${text}`, escapedCause(cause)), {
    actor: path,
    incarnation,
    reason: classOf(Cause.squash(cause)),
    ...(span === undefined ? undefined : RootSpans.traceOf(span))
  })
  Effect.runForkWith(kernel.context)(span === undefined ? log : Effect.provideService(log, Tracer.ParentSpan, span))
}

/** The actor or supervisor that a report is about. */
interface Reported {
  readonly path: string
  readonly incarnation: number
}

/** How long the end of a fiber is waited for. */
export interface Patience {
  /** Milliseconds until `force`: 0 forces at once, Infinity never. */
  readonly drain: number
  readonly force: () => void
  /** Milliseconds from then on until `abandon`. */
  readonly abandonAfter: number
  /** Returns what is left to wait for. */
  readonly abandon: () => Effect.Effect<void>
}

/** Waits for a fiber as long as patience lasts. */
export const awaitWithin = (
  fiber: Fiber.Fiber<unknown, unknown>,
  { abandon, abandonAfter, drain, force }: Patience
): Effect.Effect<void> => {
  const awaitFor = (ms: number, orElse: () => Effect.Effect<void>): Effect.Effect<void> =>
    ms === Number.POSITIVE_INFINITY
      ? Effect.asVoid(Fiber.await(fiber))
      : Effect.suspend(() => {
        if (fiber.pollUnsafe() !== undefined) return Effect.void
        return ms === 0
          ? orElse()
          : Effect.asVoid(Effect.timeoutOrElse(Effect.asVoid(Fiber.await(fiber)), { duration: ms, orElse }))
      })
  return awaitFor(drain, () => {
    force()
    return awaitFor(abandonAfter, abandon)
  })
}
