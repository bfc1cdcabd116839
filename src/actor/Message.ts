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
import * as Effect from "effect/Effect"
import type * as Request from "effect/Request"

/** A request, named by its `_tag`. */
export type Message = Request.Request<unknown, unknown, unknown> & { readonly _tag: string }

/**
 * One function for each message of a protocol. A typed failure is the answer; a defect crashes the
 * actor. Two failures are none: with `become` a handler answers and changes the behaviour, with
 * `self.stash` it puts its message aside.
 */
export type Handlers<M extends Message, R = never> = {
  readonly [Tag in M["_tag"]]: (
    message: Extract<M, { readonly _tag: Tag }>
  ) => Effect.Effect<
    Request.Success<Extract<M, { readonly _tag: Tag }>>,
    | Request.Error<Extract<M, { readonly _tag: Tag }>>
    | Become<M, R, Request.Success<Extract<M, { readonly _tag: Tag }>>>
    | Stashed,
    R
  >
}

/** An answer, and the handlers of the messages that come after it. */
export class Become<M extends Message, R, A> {
  readonly _tag = "Become"
  readonly handlers: Handlers<M, R>
  readonly answer: A
  constructor(handlers: Handlers<M, R>, answer: A) {
    this.handlers = handlers
    this.answer = answer
  }
}

/**
 * Ends the handler with this answer, and changes the actor's behaviour: from the next message on
 * these handlers are used, until another change or the end of the incarnation.
 *
 * **Example** (A door that is open or closed)
 *
 * ```ts
 * import { Effect, Request } from "effect"
 * import * as Actor from "tracehound/actor"
 *
 * class Turn extends Request.TaggedClass("Turn")<{}, "open" | "closed"> {}
 *
 * const open: Actor.Handlers<Turn> = { Turn: () => Actor.become(closed, "closed") }
 * const closed: Actor.Handlers<Turn> = { Turn: () => Actor.become(open, "open") }
 *
 * export const Door = Actor.define<Turn>()("door", { behaviour: () => Effect.succeed(closed) })
 * ```
 */
export const become: {
  <M extends Message, R>(handlers: Handlers<M, R>): Effect.Effect<never, Become<M, R, void>>
  <M extends Message, R, const A>(handlers: Handlers<M, R>, answer: A): Effect.Effect<never, Become<M, R, A>>
} = <M extends Message, R, A>(handlers: Handlers<M, R>, answer?: A) => Effect.fail(new Become(handlers, answer as A))

/** Ends the handler without an answer: its message was put aside. */
export class Stashed {
  readonly _tag = "Stashed"
}
export const stashed = new Stashed()

/** Stands for the error of any message: the kernel passes it on and never inspects it. */
export interface SomeError {
  readonly "~tracehound/actor/SomeError": never
}
