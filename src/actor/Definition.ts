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
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { ActorRef, Down, Watched } from "./ActorRef.ts"
import type { DeadLetterReason } from "./DeadLetters.ts"
import type { RestartKind } from "./Inspection.ts"
import { fifo, type MailboxSpec } from "./Mailbox.ts"
import type { Handlers, Message, Stashed } from "./Message.ts"
import type { Timers } from "./Timers.ts"

/**
 * An actor, as its own behaviour sees it: one for each incarnation. What it begins ends with that
 * incarnation; called after that, it does nothing.
 */
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
   * Sends this actor a message whenever the other is restarted, and one when it has ended for good,
   * as long as this actor's own incarnation lasts. None is lost, whatever the mailbox's bounds are.
   * Restarts that come while this actor has not handled the last one are told as one: the latest.
   */
  readonly watch: (other: ActorRef<never>, message: (event: Watched) => M) => Effect.Effect<void>
  /**
   * Links the two current incarnations: if one crashes or is stopped, the other crashes. A normal
   * end removes the link.
   */
  readonly link: (other: ActorRef<never>) => Effect.Effect<void>
  /**
   * Forks a fiber that lives as long as the incarnation and is linked to it: if the effect fails,
   * by a defect or a typed failure, the actor crashes with that cause. A fiber that succeeds, or
   * that somebody interrupts, takes nobody along.
   */
  readonly fork: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<Fiber.Fiber<A, E>, never, R>
  /**
   * Runs the effect beside the actor, and sends its outcome as a message: a success, a typed
   * failure or a defect, which crashes nobody. The message comes whatever the bounds of the mailbox
   * are. If `message` throws, the actor crashes. At the incarnation's end the effect is
   * interrupted; an outcome that waits then is a dead letter.
   */
  readonly pipe: <A, E, R>(
    effect: Effect.Effect<A, E, R>,
    message: (outcome: Exit.Exit<A, E>) => M
  ) => Effect.Effect<void, never, R>
  /**
   * Ends the handler and puts its message aside, until `unstash`: `Get: () => self.stash`. Who
   * asked goes on waiting. The message leaves its room in the mailbox; past the definition's
   * `stash`, it is a dead letter (`full`). If the incarnation ends, what it has put aside is
   * handled by the next one, before all else.
   */
  readonly stash: Effect.Effect<never, Stashed>
  /** Puts all that was put aside back in front of the mailbox, in the order in which it came. */
  readonly unstash: Effect.Effect<void>
  /** Messages to itself that come later. */
  readonly timers: Timers<M>
  /**
   * From now on, whenever the actor has had nothing to do for so long, it gets this message:
   * counted from the end of the last message, of whatever origin. Replaces an earlier one. Dies
   * with a RangeError if the time is less than 1 ms.
   */
  readonly receiveTimeout: (after: Duration.Input, message: M) => Effect.Effect<void>
  /** Ends the receive timeout. A message of it that waits is not handled. */
  readonly cancelReceiveTimeout: Effect.Effect<void>
}

export interface DefinitionOptions<M extends Message, R, E, RB> {
  /** `fifo` with a capacity of 1024 when left out. */
  readonly mailbox?: MailboxSpec
  /**
   * The weight of a message, for the mailbox's `maxWeight`. Must always return the same number for
   * the same message.
   */
  readonly weigh?: (message: M) => number
  /**
   * The most messages that are put aside at a time, of no more weight than the mailbox may hold: as
   * many as its capacity when left out.
   */
  readonly stash?: number
  /** After this time the end of an actor is forced: 5 seconds when left out. */
  readonly drain?: Duration.Input
  /**
   * So long after its end was forced, an actor that has not ended is no longer waited for: 10
   * seconds when left out. With "Infinity" its end waits for ever.
   */
  readonly abandonAfter?: Duration.Input
  /** The timeout of asks that name none: the system's when left out. */
  readonly askTimeout?: Duration.Input
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
  readonly stash: number
  /** Milliseconds. */
  readonly drain: number
  /** Milliseconds. */
  readonly abandonAfter: number
  /** Milliseconds. */
  readonly askTimeout: number | undefined
  readonly restart: RestartKind
  readonly suspended: boolean
  readonly onDeadLetter: ((message: M, reason: DeadLetterReason) => void) | undefined
  readonly behaviour: (self: Self<M>) => Effect.Effect<Handlers<M, R>, E, RB>
}

/**
 * Defines a kind of actor: `define<Protocol>()("name", { behaviour })`. `name` is the default name
 * of its actors, and the label of their metrics. Throws a RangeError for an invalid bound.
 */
export const define = <M extends Message>() =>
<R, E, RB>(
  name: string,
  options: DefinitionOptions<M, R, E, RB>
): Definition<M, R, E, RB> => {
  const mailbox = options.mailbox ?? fifo({ capacity: 1024 })
  const { stash = mailbox.capacity } = options
  if (!(Number.isSafeInteger(stash) && stash >= 0))
    throw new RangeError(`stash is a whole number from 0, not ${stash}`)
  return {
    name,
    mailbox,
    stash,
    weigh: options.weigh,
    drain: Duration.toMillis(options.drain ?? "5 seconds"),
    abandonAfter: Duration.toMillis(options.abandonAfter ?? "10 seconds"),
    askTimeout: options.askTimeout === undefined ? undefined : Duration.toMillis(options.askTimeout),
    restart: options.restart ?? "permanent",
    suspended: options.suspended ?? false,
    onDeadLetter: options.onDeadLetter,
    behaviour: options.behaviour
  }
}
