/**
 * Small parts of handling a message: finding its handler, its span, and waiting with a deadline.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Tracer from "effect/Tracer"
import type { SomeError } from "./Message.ts"

/** The handlers of any behaviour, by tag. */
export type AnyHandlers<M, R> = Readonly<Record<string, (message: M) => Effect.Effect<unknown, SomeError, R>>>

/** The handler of a tag. Throws a TypeError if there is none; inherited properties do not count. */
export const handlerOf = <M, R>(handlers: AnyHandlers<M, R> | undefined, tag: string, path: string) => {
  const handler = handlers !== undefined && Object.hasOwn(handlers, tag) ? handlers[tag] : undefined
  if (handler === undefined) throw new TypeError(`${path} has no handler for ${tag}`)
  return handler
}

/**
 * Runs the effect in a root span that links to the sender's span. A child span would be wrong: the
 * sender's may have ended long ago.
 */
export const inSpan = <A, E, R>(effect: Effect.Effect<A, E, R>, name: string, actor: string, span: Tracer.AnySpan) =>
  Effect.withSpan(effect, name, {
    root: true,
    kind: "consumer",
    links: [{ span, attributes: {} }],
    attributes: { actor },
    captureStackTrace: false
  })

/**
 * Waits for a fiber; after `ms` calls `force` and goes on waiting. 0 forces at once, Infinity
 * never.
 */
export const awaitWithin = (
  fiber: Fiber.Fiber<unknown, unknown>,
  ms: number,
  force: () => void
): Effect.Effect<void> => {
  const forced = Effect.suspend(() => {
    force()
    return Fiber.await(fiber)
  })
  if (ms === 0) return Effect.asVoid(forced)
  if (ms === Number.POSITIVE_INFINITY) return Effect.asVoid(Fiber.await(fiber))
  return Effect.asVoid(Effect.timeoutOrElse(Fiber.await(fiber), { duration: ms, orElse: () => forced }))
}
