/**
 * Sending messages to an actor: the base class of `ActorCell` puts them into the inbox, and answers
 * those who ask.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Request from "effect/Request"
import * as Tracer from "effect/Tracer"
import type { Caller } from "../telemetry/Caller.ts"
import type { AskOptions, RefusalReason } from "./ActorRef.ts"
import type { Deadlines } from "./Deadlines.ts"
import { ActorRestarting, ActorStopped, type AskError, MailboxFull, WaitsForItself } from "./Errors.ts"
import type { Inbox } from "./Inbox.ts"
import { type Item, Letter, Told } from "./Letter.ts"
import type { Lane } from "./Mailbox.ts"
import type { Message } from "./Message.ts"
import { type AnyReply, Reply } from "./Reply.ts"

/** The sending side of an actor. The subclass handles the messages. */
export abstract class Address<in out M extends Message> {
  readonly name: string
  readonly path: string
  protected readonly inbox: Inbox<M>

  constructor(name: string, path: string, inbox: Inbox<M>) {
    this.name = name
    this.path = path
    this.inbox = inbox
  }

  /** Called after each accepted message. Must not handle it on this turn. */
  protected abstract schedule(): void
  /** Whether the fiber is one that this actor waits for before it handles another message. */
  protected abstract isOwn(fiber: Fiber.Fiber<unknown, unknown>): boolean
  /**
   * Whether no answer can come: this actor is started again only when that of the fiber has ended.
   */
  protected abstract isLostFor(asker: Fiber.Fiber<unknown, unknown>): boolean
  /** The timeout of asks that name none, in ms. */
  protected abstract get askTimeout(): number
  protected abstract get deadlines(): Deadlines
  /** Knows the span of who calls `tellUnsafe`. */
  protected abstract get caller(): Pick<Caller, "current">

  get isOpen(): boolean {
    return this.inbox.isOpen
  }
  refusalUnsafe(weight = 0, lane?: Lane): RefusalReason | null {
    return this.inbox.refusal(weight, lane)
  }
  pendingUnsafe(): number {
    return this.inbox.pending
  }
  weightUnsafe(): number {
    return this.inbox.weight
  }
  get settled(): Effect.Effect<void> {
    return this.unlessOwn(this.inbox.settled)
  }
  /** The effect, but for this actor's own fibers: those would wait for ever. */
  protected unlessOwn<A>(waiting: Effect.Effect<A>): Effect.Effect<A> {
    return Effect.withFiber((fiber) =>
      this.isOwn(fiber) ? Effect.die(new WaitsForItself({ actor: this.path })) : waiting
    )
  }

  tellUnsafe(message: M, lane?: Lane): boolean {
    const span = this.caller.current()
    return this.#offer(span === undefined ? message : new Told(message, span), message, lane) === null
  }
  tell(message: M, lane?: Lane): Effect.Effect<void, MailboxFull | ActorStopped> {
    return Effect.withFiber<void, MailboxFull | ActorStopped>((fiber) => {
      const span = spanOf(fiber)
      const item = span === undefined ? message : new Letter(message, undefined, span)
      const refusal = this.#offer(item, message, lane)
      return refusal === null || refusal === "dropped" ? Effect.void : Effect.fail(this.#refused(refusal))
    })
  }
  ask<A extends M>(message: A, options?: AskOptions): Effect.Effect<Request.Success<A>, Request.Error<A> | AskError> {
    type Answer = Request.Success<A>
    type Failure = Request.Error<A> | AskError
    return Effect.withFiber<Answer, Failure>((fiber) => {
      if (this.isOwn(fiber)) return Effect.fail<Failure>(new WaitsForItself({ actor: this.path }))
      if (this.isLostFor(fiber)) return Effect.fail<Failure>(new ActorRestarting({ actor: this.path }))
      const reply = new Reply<Answer, Failure>()
      // The cast is safe: `define` requires the message's handler to return the message's own
      // answer and error types.
      const anyReply = reply as unknown as AnyReply
      const letter = new Letter<M>(message, anyReply, spanOf(fiber), fiber)
      const refusal = this.#offer(letter, message, options?.lane)
      if (refusal !== null) return Effect.fail<Failure>(this.#refused(refusal))
      const timeout = options?.timeout === undefined ? this.askTimeout : Duration.toMillis(options.timeout)
      if (timeout < Number.POSITIVE_INFINITY) {
        letter.deadline = this.deadlines.begin(anyReply, this.path, message._tag, timeout)
      }
      return reply.wait
    })
  }

  #refused(reason: RefusalReason): MailboxFull | ActorStopped {
    const actor = this.path
    return reason === "closed" ? new ActorStopped({ actor }) : new MailboxFull({ actor })
  }
  #offer(item: Item<M>, message: M, lane: Lane | undefined): RefusalReason | null {
    const refusal = this.inbox.offer(item, message, lane)
    if (refusal === null) this.schedule()
    return refusal
  }
}

const spanOf = (fiber: Fiber.Fiber<unknown, unknown>): Tracer.AnySpan | undefined =>
  Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
