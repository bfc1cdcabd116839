/**
 * What becomes of an actor's messages: taken in or refused, then handled, answered, or buried, each
 * of them once.
 *
 * Keeps the account `accepted = handled + buried + pending` at every moment. All of it is
 * synchronous and O(1).
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import type * as Tracer from "effect/Tracer"
import type { ActorMetrics } from "./ActorMetrics.ts"
import type { RefusalReason } from "./ActorRef.ts"
import type { Kernel } from "./Kernel.ts"
import type { DeadLetterReason } from "./DeadLetters.ts"
import { ActorCrashed, ActorStopped, MailboxFull } from "./Errors.ts"
import type { ActorInspection } from "./Inspection.ts"
import { type Lane, laneOrder, Mailbox, type MailboxSpec } from "./Mailbox.ts"
import type { Message } from "./Message.ts"

/** Who waits for an answer. */
export type Reply = Deferred.Deferred<unknown, unknown>

/** A message with somebody who waits for the answer, or with the span that it was told in. */
export class Envelope<out M extends Message> {
  readonly message: M
  readonly reply: Reply | undefined
  readonly span: Tracer.AnySpan | undefined
  constructor(message: M, reply: Reply | undefined, span: Tracer.AnySpan | undefined) {
    this.message = message
    this.reply = reply
    this.span = span
  }
}

/** What waits in a mailbox: a message is alone where there is nothing to say of it. */
export type Item<M extends Message> = M | Envelope<M>

/** The message of it. */
export const messageOf = <M extends Message>(item: Item<M>): M => item instanceof Envelope ? item.message : item

/** What an inbox has to know of its actor. */
export interface InboxOptions<M extends Message> {
  readonly mailbox: MailboxSpec
  readonly metrics: ActorMetrics
  readonly weigh: ((message: M) => number) | undefined
  readonly onDeadLetter: ((message: M, reason: DeadLetterReason) => void) | undefined
}

/** The messages of one actor. */
export class Inbox<M extends Message> {
  readonly #options: InboxOptions<M>
  readonly #path: string
  readonly #kernel: Kernel
  readonly #mailbox: Mailbox<Item<M>>
  /** What is being handled. */
  #taken: Item<M> | undefined
  #idle: Latch.Latch | undefined
  #open = true
  #makingRoom = false
  #accepted = 0
  #handled = 0
  #buried = 0
  /** Of the handled ones, those that the metrics know of. */
  #reported = 0

  constructor(options: InboxOptions<M>, path: string, kernel: Kernel) {
    this.#options = options
    this.#path = path
    this.#kernel = kernel
    this.#mailbox = new Mailbox(options.mailbox)
  }

  get isOpen(): boolean {
    return this.#open
  }
  /** What waits, without the one that is being handled. */
  get waiting(): number {
    return this.#mailbox.length
  }
  get pending(): number {
    return this.#accepted - this.#handled - this.#buried
  }
  get weight(): number {
    return this.#mailbox.weight
  }

  /** Takes no more. */
  close(): void {
    this.#open = false
  }

  refusal(weight: number, lane: Lane | undefined): RefusalReason | null {
    if (!this.#open) return "closed"
    // While room is being made, whoever is told of what was dropped may tell again: that could go
    // on for ever.
    if (Number.isNaN(weight) || this.#makingRoom) return "full"
    return this.#mailbox.refusal(weight, lane, this.#taken === undefined ? 0 : this.#weigh(messageOf(this.#taken)))
  }

  /** Takes a message in, or buries it and says why. */
  offer(item: Item<M>, message: M, lane: Lane | undefined): RefusalReason | null {
    const weight = this.#weigh(message)
    const mailbox = this.#mailbox
    if (!this.#open || this.#makingRoom || Number.isNaN(weight) || mailbox.isFull(weight, lane)) {
      const refusal = this.refusal(weight, lane) ?? this.#makeCapacity(weight, lane)
      if (refusal !== null) {
        this.#bury(message, refusal)
        return refusal
      }
    }
    mailbox.append(item, weight, lane)
    this.#accepted += 1
    return null
  }
  /** The oldest go, as long as it takes: only a sliding mailbox comes here. */
  #makeCapacity(weight: number, lane: Lane | undefined): RefusalReason | null {
    this.#makingRoom = true
    let oldest: Item<M> | undefined
    while (this.#mailbox.isFull(weight, lane)) {
      oldest = this.#mailbox.take()
      if (oldest === undefined) break
      this.letGo(oldest, "dropped")
    }
    this.#makingRoom = false
    return this.#mailbox.isFull(weight, lane) ? "full" : null
  }
  /** NaN where the definition's `weigh` gives no weight: what has none finds no room. */
  #weigh(message: M): number {
    const { weigh } = this.#options
    if (weigh === undefined) return 0
    try {
      const weight = weigh(message)
      return weight >= 0 && weight < Number.POSITIVE_INFINITY ? weight : Number.NaN
    } catch {
      return Number.NaN
    }
  }

  /** The next message; it is pending until `conclude` or `letGo`. */
  take(): Item<M> | undefined {
    this.#taken = this.#mailbox.take()
    return this.#taken
  }

  /** A message was handled: this exit is the answer, if anybody waits. */
  conclude(item: Item<M>, exit: Exit.Exit<unknown, unknown>): void {
    const reply = item instanceof Envelope ? item.reply : undefined
    if (reply === undefined && Exit.isFailure(exit)) return this.letGo(item, "failed")
    this.#handled += 1
    this.#release(item)
    if (reply !== undefined) Deferred.doneUnsafe(reply, exit)
    this.#rest()
  }

  /** Gives up a message that was accepted; whoever waits for an answer learns why. */
  letGo(item: Item<M>, reason: DeadLetterReason, crash?: Cause.Cause<unknown>): void {
    this.#buried += 1
    this.#release(item)
    this.#bury(messageOf(item), reason)
    if (item instanceof Envelope && item.reply !== undefined) this.#disappoint(item.reply, reason, crash)
    this.#rest()
  }
  #disappoint(reply: Reply, reason: DeadLetterReason, crash: Cause.Cause<unknown> | undefined): void {
    const actor = this.#path
    const error = reason === "crashed"
      ? new ActorCrashed({ actor, cause: crash === undefined ? undefined : Cause.squash(crash) })
      : reason === "dropped"
      ? new MailboxFull({ actor })
      : new ActorStopped({ actor })
    // Later: who learns it goes on at once, and may ask again while this one is still making room.
    this.#kernel.dispatcher.scheduleTask(() => void Deferred.doneUnsafe(reply, Exit.fail(error)), 0)
  }

  /** Gives up all that waits. */
  abandon(): void {
    for (let item = this.take(); item !== undefined; item = this.take()) this.letGo(item, "stopped")
  }

  #release(item: Item<M>): void {
    if (this.#taken === item) this.#taken = undefined
    this.#mailbox.release(this.#weigh(messageOf(item)))
  }
  /**
   * Wakes whoever waits for the last message to be settled; last of all, since they go on at once.
   */
  #rest(): void {
    const idle = this.#idle
    if (this.pending > 0 || idle === undefined) return
    this.#idle = undefined
    idle.openUnsafe()
  }

  #bury(message: M, reason: DeadLetterReason): void {
    const { clock, context, deadLetters } = this.#kernel
    deadLetters.bury(this.#path, message, reason, clock.currentTimeMillisUnsafe())
    this.#options.metrics.deadLetterUnsafe(reason, context)
    try {
      this.#options.onDeadLetter?.(message, reason)
    } catch {
      // The owner's mistake: the letter is counted, and nothing here depends on what becomes of it.
    }
  }

  /** Waits until nothing is pending. */
  get settled(): Effect.Effect<void> {
    const wait: Effect.Effect<void> = Effect.suspend(() => {
      if (this.pending === 0) return Effect.void
      const idle = this.#idle ??= Latch.makeUnsafe(false)
      return Effect.andThen(idle.await, wait)
    })
    return wait
  }

  /** Brings the metrics up to date. */
  report(): void {
    const { context } = this.#kernel
    const { metrics } = this.#options
    metrics.pendingUnsafe(this.pending, context)
    if (this.#handled > this.#reported) metrics.handledUnsafe(this.#handled - this.#reported, context)
    this.#reported = this.#handled
  }

  inspect(): Pick<ActorInspection, "mailbox" | "accepted" | "handled" | "buried"> {
    const { capacity, kind } = this.#options.mailbox
    const box = { kind, capacity, pending: this.pending, weight: this.weight }
    return {
      mailbox: kind === "lanes"
        ? {
          ...box,
          lanes: Object.fromEntries(laneOrder.map((lane) => [lane, this.#mailbox.heldIn(lane)])) as Record<Lane, number>
        }
        : box,
      accepted: this.#accepted,
      handled: this.#handled,
      buried: this.#buried
    }
  }
}
