/**
 * Definitions: a kind of actor, with its name, mailbox and behaviour. One definition can start any
 * number of actors.
 *
 * The behaviour is an Effect that builds the handlers, once for each incarnation, in a Scope of
 * that incarnation. So after a crash the behaviour's resources are released first, and then a new
 * incarnation begins with fresh state.
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

/** An actor, as its own behaviour sees it. */
export interface Self<M extends Message> {
  readonly ref: ActorRef<M>
  /** Ends the actor normally after the current message. A permanent actor is then restarted. */
  readonly stop: Effect.Effect<void>
  /**
   * Sends this actor one message when the other's incarnation ends, unless this actor's own
   * incarnation ends first.
   */
  readonly monitor: (other: ActorRef<never>, message: (down: Down) => M) => Effect.Effect<void>
  /**
   * Links the two current incarnations: if one crashes or is stopped, the other crashes. A normal
   * end removes the link.
   */
  readonly link: (other: ActorRef<never>) => Effect.Effect<void>
}

export interface DefinitionOptions<M extends Message, R, E, RB> {
  /** `fifo` with a capacity of 1024 when left out. */
  readonly mailbox?: MailboxSpec
  /**
   * The weight of a message, for the mailbox's `maxWeight`. Must always return the same number for
   * the same message.
   */
  readonly weigh?: (message: M) => number
  /** After this time the end of an actor is forced: 5 seconds when left out. */
  readonly drain?: Duration.Input
  /** `permanent` when left out. */
  readonly restart?: RestartKind
  /** Whether the actor starts suspended, and handles nothing until `resume`. */
  readonly suspended?: boolean
  /**
   * Called with each message that becomes a dead letter, synchronously. What an accepted message
   * owns is the actor's, and can be released here. What a refused message owns (`full`, `closed`,
   * or `dropped` by a dropping mailbox) still belongs to its sender. Exceptions are ignored.
   */
  readonly onDeadLetter?: (message: M, reason: DeadLetterReason) => void
  /** Builds the handlers of one incarnation. */
  readonly behaviour: (self: Self<M>) => Effect.Effect<Handlers<M, R>, E, RB>
}

/** A kind of actor: the options with their defaults filled in. */
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

/**
 * Defines a kind of actor: `define<Protocol>()("name", { behaviour })`. `name` is the default name
 * of its actors, and the label of their metrics.
 */
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
