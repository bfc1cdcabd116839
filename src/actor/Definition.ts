/**
 * What an actor is, before there is one: a name, a mailbox, a behaviour. One definition makes any
 * number of actors.
 *
 * The behaviour is an Effect that builds the handlers, once for each incarnation, in a Scope of
 * that incarnation: state and resources start afresh after a crash, and whatever the behaviour
 * acquired is released before.
 *
 * **Example** (A counter that keeps its sum)
 *
 * ```ts
 * import { Effect, Ref, Request } from "effect"
 * import * as Actor from "tracehound/actor"
 *
 * class Add extends Request.TaggedClass("Add")<{ readonly n: number }, number, "negative"> {}
 *
 * export const Counter = Actor.define<Add>()("counter", {
 *   mailbox: Actor.fifo({ capacity: 64 }),
 *   behaviour: () =>
 *     Effect.map(Ref.make(0), (sum) => ({
 *       Add: ({ n }) => n < 0 ? Effect.fail("negative" as const) : Ref.updateAndGet(sum, (old) => old + n)
 *     }))
 * })
 * ```
 */
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import { type ActorMetrics, make as makeMetrics } from "./ActorMetrics.ts"
import type { ActorRef, Down } from "./ActorRef.ts"
import type { DeadLetterReason } from "./DeadLetters.ts"
import type { RestartKind } from "./Inspection.ts"
import { fifo, type MailboxSpec } from "./Mailbox.ts"
import type { Handlers, Message } from "./Message.ts"

/** What a behaviour knows of the actor that it is the behaviour of. */
export interface Self<M extends Message> {
  readonly ref: ActorRef<M>
  /** Ends the actor after the message at hand, normally: a permanent one is started anew. */
  readonly stop: Effect.Effect<void>
  /**
   * Tells itself a message when the other's incarnation ends; once, and only as long as its own
   * lasts.
   */
  readonly monitor: (other: ActorRef<never>, message: (down: Down) => M) => Effect.Effect<void>
  /**
   * Ties the two incarnations together: when one crashes, or is stopped, the other crashes. A
   * normal end breaks nothing.
   */
  readonly link: (other: ActorRef<never>) => Effect.Effect<void>
}

/** The behaviour and its bounds. */
export interface DefinitionOptions<M extends Message, R, E, RB> {
  /** `fifo` with a capacity of 1024 when left out. */
  readonly mailbox?: MailboxSpec
  /**
   * What a message weighs, for the mailbox's `maxWeight`. Must always say the same of the same
   * message.
   */
  readonly weigh?: (message: M) => number
  /** How long an end may take until it is forced: 5 seconds when left out. */
  readonly drain?: Duration.Input
  /** `permanent` when left out. */
  readonly restart?: RestartKind
  /** Whether it holds its mail until `resume`. */
  readonly suspended?: boolean
  /**
   * Called with each of its messages that becomes a dead letter, on the turn on which it does. What
   * a refused message owns is still its teller's; what another owns is the actor's to let go. Must
   * not throw: what it throws is ignored.
   */
  readonly onDeadLetter?: (message: M, reason: DeadLetterReason) => void
  /** Builds the handlers of one incarnation. */
  readonly behaviour: (self: Self<M>) => Effect.Effect<Handlers<M, R>, E, RB>
}

/** A kind of actor. */
export interface Definition<in out M extends Message, out R, out E, out RB> {
  readonly name: string
  readonly mailbox: MailboxSpec
  readonly weigh: ((message: M) => number) | undefined
  /** Milliseconds. */
  readonly drain: number
  readonly restart: RestartKind
  readonly suspended: boolean
  readonly onDeadLetter: ((message: M, reason: DeadLetterReason) => void) | undefined
  readonly metrics: ActorMetrics
  readonly behaviour: (self: Self<M>) => Effect.Effect<Handlers<M, R>, E, RB>
}

/** Defines a kind of actor: `define<Protocol>()("name", { behaviour })`. */
export const define = <M extends Message>() =>
<R, E, RB>(
  name: string,
  options: DefinitionOptions<M, R, E, RB>
): Definition<M, R, E, RB> => ({
  name,
  mailbox: options.mailbox ?? fifo({ capacity: 1024 }),
  weigh: options.weigh,
  drain: Duration.toMillis(options.drain ?? "5 seconds"),
  restart: options.restart ?? "permanent",
  suspended: options.suspended ?? false,
  onDeadLetter: options.onDeadLetter,
  metrics: makeMetrics(name),
  behaviour: options.behaviour
})
