/**
 * How a message finds its handler, and what surrounds it while it runs.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Tracer from "effect/Tracer"
import type { SomeError } from "./Message.ts"

/** The handlers of a behaviour, whatever its protocol. */
export type AnyHandlers<M, R> = Readonly<Record<string, (message: M) => Effect.Effect<unknown, SomeError, R>>>

/** The handler of a tag. Throws where there is none: an inherited one is none. */
export const handlerOf = <M, R>(handlers: AnyHandlers<M, R> | undefined, tag: string, path: string) => {
  const handler = handlers !== undefined && Object.hasOwn(handlers, tag) ? handlers[tag] : undefined
  if (handler === undefined) throw new TypeError(`${path} has no handler for ${tag}`)
  return handler
}

/**
 * A span of its own, with a link to the one that the message was told in: that may have ended long
 * ago.
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
 * Waits for a fiber, and after so many ms has it forced and waits again. 0 forces it at once,
 * Infinity never.
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
