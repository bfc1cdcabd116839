/**
 * Sending messages to an actor: the base class of `ActorCell` puts them into the inbox, and answers
 * those who ask.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Request from "effect/Request"
import * as Tracer from "effect/Tracer"
import type { AskOptions, RefusalReason } from "./ActorRef.ts"
import { ActorStopped, type AskError, AskTimeout, MailboxFull, WaitsForItself } from "./Errors.ts"
import type { Inbox } from "./Inbox.ts"
import { type Item, Letter, type Reply } from "./Letter.ts"
import type { Lane } from "./Mailbox.ts"
import type { Message } from "./Message.ts"

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
    return this.#offer(message, message, lane) === null
  }
  tell(message: M, lane?: Lane): Effect.Effect<void, MailboxFull | ActorStopped> {
    return Effect.withFiber<void, MailboxFull | ActorStopped>((fiber) => {
      const refusal = this.#send(fiber, message, undefined, lane)
      return refusal === null || refusal === "dropped" ? Effect.void : Effect.fail(this.#refused(refusal))
    })
  }
  ask<A extends M>(message: A, options?: AskOptions): Effect.Effect<Request.Success<A>, Request.Error<A> | AskError> {
    type Answer = Request.Success<A>
    type Failure = Request.Error<A> | AskError
    return Effect.withFiber<Answer, Failure>((fiber) => {
      if (this.isOwn(fiber)) return Effect.fail<Failure>(new WaitsForItself({ actor: this.path }))
      if (this.isLostFor(fiber))
        return Effect.fail<Failure>(new ActorStopped({ actor: this.path, isRestarting: true }))
      // The cast is safe: `define` requires the message's handler to return the message's own
      // answer and error types.
      const reply = Deferred.makeUnsafe<Answer, Failure>()
      const refusal = this.#send(fiber, message, reply as unknown as Reply, options?.lane)
      if (refusal !== null) return Effect.fail<Failure>(this.#refused(refusal))
      if (options?.timeout === undefined) return Deferred.await(reply)
      // A timer beside the wait costs a quarter of a race of two fibers.
      const overdue = () => Exit.fail<Failure>(new AskTimeout({ actor: this.path, tag: message._tag }))
      const late = Effect.map(Effect.sleep(options.timeout), () => Deferred.doneUnsafe(reply, overdue()))
      let timer: Fiber.Fiber<boolean> | undefined
      // The timer is started inside the effect that `onExit` guards: an interruption between two
      // steps would otherwise leave it running.
      const waiting = Effect.suspend(() => {
        timer = Effect.runForkWith(fiber.context)(late)
        return Deferred.await(reply)
      })
      return Effect.onExit(waiting, () => Effect.sync(() => timer?.interruptUnsafe()))
    })
  }

  #send(fiber: Fiber.Fiber<unknown, unknown>, message: M, reply: Reply | undefined, lane: Lane | undefined) {
    const span = Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
    const plain = span === undefined && reply === undefined
    return this.#offer(plain ? message : new Letter(message, reply, span, fiber), message, lane)
  }
  #refused(reason: RefusalReason): MailboxFull | ActorStopped {
    const actor = this.path
    return reason === "closed" ? new ActorStopped({ actor, isRestarting: false }) : new MailboxFull({ actor })
  }
  #offer(item: Item<M>, message: M, lane: Lane | undefined): RefusalReason | null {
    const refusal = this.inbox.offer(item, message, lane)
    if (refusal === null) this.schedule()
    return refusal
  }
}
