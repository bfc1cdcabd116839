/**
 * The inbox of an actor: accepts or refuses each message, and settles each accepted message exactly
 * once, as handled or as a dead letter ("buried").
 *
 * Keeps the account `accepted = handled + buried + pending` at every moment. Every method is
 * synchronous and O(1), but for `buryAll`, which is O(messages), and `settled`, which waits.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import type { Busy, Tally } from "./ActorMetrics.ts"
import type { RefusalReason } from "./ActorRef.ts"
import type { DeadLetterReason } from "./DeadLetters.ts"
import { ActorCrashed, ActorRestarting, ActorStopped, MailboxFull } from "./Errors.ts"
import type { ActorInspection } from "./Inspection.ts"
import type { Kernel } from "./Kernel.ts"
import { type Item, Letter, messageOf, Signal } from "./Letter.ts"
import { type Lane, laneOrder, Mailbox, type MailboxSpec } from "./Mailbox.ts"
import { Marks } from "./Marks.ts"
import type { Message } from "./Message.ts"
import type { AnyReply } from "./Reply.ts"
import { Signals } from "./Signals.ts"
import { Aside, Stash } from "./Stash.ts"

/** Whether somebody still waits for the answer. */
const isAwaited = <M extends Message>(item: Item<M>): boolean =>
  item instanceof Letter && item.reply !== undefined && !item.reply.isDone
  && item.asker?.pollUnsafe() === undefined

/** Whether it occupies no room of the mailbox. */
const isOutside = <M extends Message>(item: Item<M>): item is Signal<M> | Aside<M> =>
  item instanceof Signal || item instanceof Aside

/** Of so many bursts that do not wait one is measured, and stands for all. */
const sampled = 16

/** The part of a definition that the inbox needs. */
export interface InboxOptions<M extends Message> {
  readonly name: string
  readonly mailbox: MailboxSpec
  /** The most messages that are put aside. */
  readonly stash: number
  readonly weigh: ((message: M) => number) | undefined
  readonly onDeadLetter: ((message: M, reason: DeadLetterReason) => void) | undefined
}

/** The messages of one actor, from the offer to the settlement. */
export class Inbox<M extends Message> implements Busy {
  /** Called when the number of pending messages has changed. Must not throw. */
  onLoad: ((pending: number) => void) | undefined
  readonly #options: InboxOptions<M>
  readonly #path: string
  readonly #kernel: Kernel
  readonly #tally: Tally
  readonly #mailbox: Mailbox<Item<M>>
  /** Exists only while there are signals. */
  #signals: Signals<Signal<M>> | undefined
  /** Exists only while something is put aside. */
  #stash: Stash<M> | undefined
  /** The item that is being handled. */
  #taken: Item<M> | undefined
  /** Opens when nothing is pending. Exists only while somebody waits for that. */
  #idle: Latch.Latch | undefined
  #isOpen = true
  #isMakingRoom = false
  #accepted = 0
  #handled = 0
  #buried = 0
  /** The part of `#handled` that the tally has already counted. */
  #reported = 0
  /** What the tally holds as this actor's pending messages. */
  #reportedPending = 0
  /** Exists only while messages have waited for longer than a turn. */
  #marks: Marks | undefined
  /** When the burst began, in ns of `Kernel.nanos`; -1 if there is none that is measured. */
  #burstBegan = -1

  constructor(options: InboxOptions<M>, path: string, kernel: Kernel) {
    this.#options = options
    this.#path = path
    this.#kernel = kernel
    this.#tally = kernel.tallyOf(options.name)
    this.#mailbox = new Mailbox(options.mailbox)
  }

  get isOpen(): boolean {
    return this.#isOpen
  }
  /** How many messages wait, without the one in hand and those that are put aside. */
  get waiting(): number {
    return this.#mailbox.length + (this.#signals?.length ?? 0) + (this.#stash?.waiting ?? 0)
  }
  get pending(): number {
    return this.#accepted - this.#handled - this.#buried
  }
  get weight(): number {
    return this.#mailbox.weight
  }

  /** From now on every message is refused. */
  close(): void {
    this.#isOpen = false
  }

  /** Why a message of this weight would be refused now, or null. */
  refusal(weight: number, lane: Lane | undefined): RefusalReason | null {
    if (!this.#isOpen) return "closed"
    // `onDeadLetter` may send a message while its mailbox is making room. If that made room in
    // turn, it could go on for ever.
    if (Number.isNaN(weight) || this.#isMakingRoom) return "full"
    return this.#mailbox.refusal(weight, lane, this.#weighTaken())
  }

  /** Accepts a message and returns null, or makes it a dead letter and returns the reason. */
  offer(item: Item<M>, message: M, lane: Lane | undefined): RefusalReason | null {
    const weight = this.#weigh(message)
    const mailbox = this.#mailbox
    if (!this.#isOpen || this.#isMakingRoom || Number.isNaN(weight) || mailbox.isFull(weight, lane)) {
      const refusal = this.refusal(weight, lane) ?? this.#makeRoom(weight, lane)
      if (refusal !== null) {
        this.#recordDeadLetter(message, refusal)
        return refusal
      }
    }
    mailbox.append(item, weight, lane)
    this.#accepted += 1
    this.onLoad?.(this.pending)
    return null
  }
  /**
   * Accepts a signal, whatever the bounds are. If the actor has begun to end, its message is a dead
   * letter.
   */
  offerSignal(signal: Signal<M>): boolean {
    if (!this.#isOpen) {
      this.#recordDeadLetter(signal.message, "closed")
      return false
    }
    const { lengths } = this.#mailbox
    this.#signals ??= new Signals(lengths.length)
    this.#signals.add(signal, lengths)
    this.#accepted += 1
    this.onLoad?.(this.pending)
    return true
  }
  /** Takes a signal back that waits: as if it had never been sent. */
  retract(signal: Signal<M>): void {
    if (this.#signals?.remove(signal) !== true) return
    this.#dropIfEmpty()
    this.#unaccept()
  }
  #unaccept(): void {
    this.#accepted -= 1
    if (this.#marks !== undefined) this.#marks.retracted += 1
    this.#noteSettled()
    this.#wakeIfIdle()
  }
  /**
   * Ends what was meant for the incarnation that has ended: outcomes of its effects are dead
   * letters, messages of its timers that it has put aside were never sent. All else that it has put
   * aside comes back, for the next one. O(signals + stashed).
   */
  endIncarnation(): void {
    this.unstash()
    for (const signal of this.#signals?.all ?? [])
      if (signal.kind === "outcome" && this.#signals?.remove(signal) === true) this.bury(signal, "stopped")
    this.#dropIfEmpty()
    for (const item of this.#stash?.all ?? []) {
      if (!(item instanceof Signal) || item.kind === "down") continue
      this.#stash?.remove(item)
      if (item.kind === "outcome") this.bury(item, "stopped")
      else {
        this.#release(item)
        this.#unaccept()
      }
    }
  }
  #dropIfEmpty(): void {
    if (this.#signals?.length === 0) this.#signals = undefined
  }
  /** Drops the oldest messages until the new one fits. Called for sliding mailboxes only. */
  #makeRoom(weight: number, lane: Lane | undefined): RefusalReason | null {
    this.#isMakingRoom = true
    let oldest: Item<M> | undefined
    while (this.#mailbox.isFull(weight, lane)) {
      oldest = this.#takeOldest()
      if (oldest === undefined) break
      this.bury(oldest, "dropped")
    }
    this.#isMakingRoom = false
    return this.#mailbox.isFull(weight, lane) ? "full" : null
  }
  /** NaN if the definition's `weigh` throws or returns no valid weight. No room fits NaN. */
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

  #weighTaken(): number {
    const taken = this.#taken
    return taken === undefined || isOutside(taken) ? 0 : this.#weigh(messageOf(taken))
  }

  /** The next item, or undefined. It stays pending until `conclude` or `bury`. */
  take(): Item<M> | undefined {
    for (;;) {
      const isPlain = this.#signals === undefined && this.#stash === undefined
      const item = this.#taken = isPlain ? this.#mailbox.take() : this.#stash?.take() ?? this.#takeSignal()
      if (!(item instanceof Letter && item.isWithdrawn)) return item
      this.bury(item, "stopped")
    }
  }
  #takeSignal(): Item<M> | undefined {
    const signal = this.#signals?.take()
    const item = signal ?? this.#takeOldest()
    this.#dropIfEmpty()
    signal?.onTaken?.()
    return item
  }
  #takeOldest(): Item<M> | undefined {
    const item = this.#mailbox.take()
    if (item !== undefined) this.#signals?.countTaken(this.#mailbox.servedLane)
    return item
  }

  /**
   * Tells the askers who will get no answer that there will be none. Their messages become dead
   * letters when their turn comes. O(messages).
   */
  withdraw(isHopeless: (asker: Fiber.Fiber<unknown, unknown>) => boolean): void {
    for (const item of [...this.#mailbox.waiting, ...this.#stash?.all ?? []]) {
      if (!(item instanceof Letter) || item.isWithdrawn || item.asker === undefined) continue
      if (item.reply === undefined || !isAwaited(item) || !isHopeless(item.asker)) continue
      item.isWithdrawn = true
      this.#fail(item, item.reply, "stopped", undefined)
    }
  }

  /**
   * Settles an item that was handled. The exit is the answer; a failure that nobody waits for makes
   * the message a dead letter.
   */
  conclude(item: Item<M>, exit: Exit.Exit<unknown, unknown>): void {
    if (Exit.isFailure(exit) && !isAwaited(item)) return this.bury(item, "failed")
    const reply = item instanceof Letter ? item.reply : undefined
    this.#handled += 1
    this.#release(item)
    if (item instanceof Letter) item.deadline?.cancel()
    reply?.done(exit)
    this.#wakeIfIdle()
  }

  /**
   * Settles an accepted item as a dead letter. If somebody waits for the answer, they get an error.
   */
  bury(item: Item<M>, why: DeadLetterReason, crash?: Cause.Cause<unknown>): void {
    this.#buried += 1
    this.#release(item)
    this.#tellOfDead(item, why, crash)
  }
  #tellOfDead(item: Item<M>, why: DeadLetterReason, crash?: Cause.Cause<unknown>): void {
    const reason = item instanceof Letter && item.isWithdrawn ? "stopped" : why
    this.#recordDeadLetter(messageOf(item), reason)
    if (item instanceof Letter && item.reply !== undefined) this.#fail(item, item.reply, reason, crash)
    this.#wakeIfIdle()
  }
  #fail(letter: Letter<M>, reply: AnyReply, reason: DeadLetterReason, crash: Cause.Cause<unknown> | undefined): void {
    letter.deadline?.cancel()
    const actor = this.#path
    const error = reason === "crashed" || crash !== undefined
      ? new ActorCrashed({ actor, cause: crash === undefined ? undefined : Cause.squash(crash) })
      : reason === "dropped" || reason === "full"
      ? new MailboxFull({ actor })
      : this.#isOpen
      ? new ActorRestarting({ actor })
      : new ActorStopped({ actor })
    // Later: the waiter resumes synchronously and might send again while this mailbox is making
    // room.
    this.#kernel.turns.schedule(() => reply.done(Exit.fail(error)))
  }

  /**
   * Puts the item in hand aside, from where it comes back with `unstash`. If there is no room for
   * it, it is a dead letter.
   */
  stash(item: Item<M>): void {
    const weight = item instanceof Aside ? item.weight : isOutside(item) ? 0 : this.#weigh(messageOf(item))
    const { mailbox, stash } = this.#options
    this.#release(item)
    const aside = isOutside(item) ? item : new Aside(item, weight)
    if (this.#stash?.isFull(weight, stash, mailbox.maxWeight) ?? stash < 1) {
      this.#buried += 1
      this.#noteSettled()
      return this.#tellOfDead(aside, "full")
    }
    if (aside instanceof Signal) aside.isAside = true
    this.#stash ??= new Stash()
    this.#stash.add(aside)
  }
  /** Puts all that was put aside back in front of the mailbox, in order. */
  unstash(): void {
    this.#stash?.putBack()
  }
  /** Settles all waiting items as dead letters, and those that are put aside. */
  buryAll(): void {
    this.unstash()
    for (let item = this.take(); item !== undefined; item = this.take()) this.bury(item, "stopped")
  }

  #release(item: Item<M>): void {
    if (this.#taken === item) this.#taken = undefined
    if (isOutside(item)) this.#releaseAside(item)
    else this.#mailbox.release(this.#weigh(messageOf(item)))
    this.#noteSettled()
  }
  #noteSettled(): void {
    this.#settleMarks()
    this.onLoad?.(this.pending)
  }
  #releaseAside(item: Signal<M> | Aside<M>): void {
    const stash = this.#stash
    // A signal that was never put aside was never counted there.
    if (stash === undefined || !(item instanceof Aside || item.isAside)) return
    stash.release(item)
    if (stash.isEmpty) this.#stash = undefined
  }
  /**
   * Wakes those who wait for `settled`. Comes last in a settlement, because they resume at once.
   */
  #wakeIfIdle(): void {
    const idle = this.#idle
    if (this.pending > 0 || idle === undefined) return
    this.#idle = undefined
    idle.openUnsafe()
  }

  #recordDeadLetter(message: M, reason: DeadLetterReason): void {
    const { clock, deadLetters } = this.#kernel
    deadLetters.bury(this.#path, message, reason, clock.currentTimeMillisUnsafe())
    this.#tally.deadLetters[reason] += 1
    try {
      this.#options.onDeadLetter?.(message, reason)
    } catch {
      // A bug of the owner. The dead letter is already counted, and nothing here depends on the
      // callback.
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

  /**
   * Brings the tally up to date, and marks the moment if messages wait: once a burst, or once a
   * turn, rather than once a message.
   */
  report(): void {
    const { pending } = this
    const tally = this.#tally
    tally.pending += pending - this.#reportedPending
    this.#reportedPending = pending
    tally.handled += this.#handled - this.#reported
    this.#reported = this.#handled
    if (pending === 0) return
    if (this.#marks === undefined) {
      this.#marks = new Marks()
      tally.busy.add(this)
    }
    this.#marks.add(this.#come, this.#kernel.nanos())
  }
  /** Only some bursts look at the clock, so that a message to an idle actor stays cheap. */
  beginBurst(): void {
    if (this.#tally.bursts++ % sampled === 0) this.#burstBegan = this.#kernel.nanos()
  }
  /** A burst that waits is measured in any case, at least from here on. */
  waitInBurst(): void {
    if (this.#burstBegan < 0) this.#burstBegan = this.#kernel.nanos()
    this.report()
  }
  endBurst(hasWaited: boolean): void {
    if (this.#burstBegan < 0) return
    const nanos = this.#kernel.nanos() - this.#burstBegan
    this.#tally.handlingNanos += hasWaited ? nanos : nanos * sampled
    this.#burstBegan = -1
  }
  /** Messages that have come, also those that were taken back meanwhile. Only grows. */
  get #come(): number {
    return this.#accepted + (this.#marks?.retracted ?? 0)
  }
  ageUnsafe(now: number): number {
    return this.#marks?.age(this.#come - this.pending, now) ?? 0
  }
  handlingUnsafe(now: number): number {
    return this.#burstBegan < 0 ? 0 : now - this.#burstBegan
  }
  #settleMarks(): void {
    if (this.#marks === undefined) return
    if (this.pending > 0) return this.#marks.settle(this.#come - this.pending)
    this.#marks = undefined
    this.#tally.busy.delete(this)
  }

  inspect(): Pick<ActorInspection, "mailbox" | "accepted" | "handled" | "buried"> {
    const { capacity, kind } = this.#options.mailbox
    const box = { kind, capacity, pending: this.pending, stashed: this.#stash?.stashed ?? 0, weight: this.weight }
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
