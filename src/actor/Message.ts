/**
 * What actors say to each other: a protocol is a union of `Request.TaggedClass`es, so that a
 * message carries the types of its own answer and error.
 *
 * **Example** (A protocol of two messages)
 *
 * ```ts
 * import { Request } from "effect"
 *
 * class Put extends Request.TaggedClass("Put")<{ readonly n: number }, number, "negative"> {}
 * class Sum extends Request.TaggedClass("Sum")<{}, number> {}
 *
 * export type Protocol = Put | Sum
 * ```
 */
import type * as Effect from "effect/Effect"
import type * as Request from "effect/Request"

/** One message of a protocol. */
export type Message = Request.Request<unknown, unknown, unknown> & { readonly _tag: string }

/**
 * One function for each message of a protocol. Its typed failure is an answer; its defect crashes
 * the actor.
 */
export type Handlers<M extends Message, R = never> = {
  readonly [Tag in M["_tag"]]: (
    message: Extract<M, { readonly _tag: Tag }>
  ) => Effect.Effect<
    Request.Success<Extract<M, { readonly _tag: Tag }>>,
    Request.Error<Extract<M, { readonly _tag: Tag }>>,
    R
  >
}

/** The error of some message: the kernel hands it on, and never looks into it. */
export interface SomeError {
  readonly "~tracehound/actor/SomeError": never
}
