/**
 * Messages and their handlers. The protocol of an actor is a union of `Request.TaggedClass`es, so
 * that each message carries the types of its answer and its error.
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

/** A request, named by its `_tag`. */
export type Message = Request.Request<unknown, unknown, unknown> & { readonly _tag: string }

/**
 * One function for each message of a protocol. A typed failure is the answer; a defect crashes the
 * actor.
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

/** Stands for the error of any message: the kernel passes it on and never inspects it. */
export interface SomeError {
  readonly "~tracehound/actor/SomeError": never
}
