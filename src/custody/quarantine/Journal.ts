/**
 * Has evidence in custody on disk as well (CONFORMANCE E9): after the turn in which it came, what
 * is still held of it goes to the store's journal, and leaves it in the commit of the record that
 * ends it.
 *
 * Promises that taking evidence in never waits for the disk and is never refused for it. What waits
 * for the journal is bounded, in pieces and bytes; past that, evidence is held in memory alone,
 * counted, and one alert says so until the wait is over.
 *
 * **Details**
 *
 * A piece has a key, which no other ever had, and a place in the order of eviction, which is a
 * number of the same row: larger is newer. A duplicate that moves evidence in that order, or raises
 * its severity, amends what the journal says, once a turn.
 *
 * Cost: holding writes four numbers. After the turn, the text of the facts and a copy into the
 * store's ring: some 3 µs and the content's length.
 *
 * **Gotchas**
 *
 * - Evidence whose bytes were given out and changed before the turn ended is not journalled.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { DigestBuffer, hexOf } from "../../domain/Digest.ts"
import { EvidenceNotDurable } from "../../domain/EvidenceNotDurable.ts"
import type { Hash } from "../../host/port/Hash.ts"
import { grown } from "../../memory/Grown.ts"
import type { Alerts } from "../../safety/alert/Alerts.ts"
import type { LedgerStore } from "../ledger/LedgerStore.ts"
import type { StoreTurns } from "../ledger/StoreTurns.ts"
import { factsText } from "./JournalFacts.ts"
import * as Notices from "./Notices.ts"
import { SlotQueue } from "./SlotQueue.ts"
import type { Vault } from "./Vault.ts"

/** What of a store the journal uses. */
export type JournalStore = Pick<LedgerStore["Service"], "checkpoint" | "journal">

/** How much may wait for the journal. */
export interface JournalWindow {
  readonly pieces: number
  readonly bytes: number
}

const usualWindow: JournalWindow = { pieces: 4_096, bytes: 16 * 2 ** 20 }

/** Bytes of facts and framing, at most, beside a content. */
const besideContent = 2 ** 16

const State = {
  none: 0,
  /** In the list. */
  waiting: 1,
  /** With the store. */
  pushed: 2,
  durable: 3,
  /** In memory alone. */
  refused: 4
} as const

export interface JournalOptions {
  readonly vault: Vault
  readonly hash: Pick<Hash["Service"], "sha256Into">
  readonly clock: Pick<Clock.Clock, "currentTimeMillisUnsafe">
  readonly alerts: Pick<Alerts["Service"], "alertUnsafe">
  readonly window?: JournalWindow
}

/** How much of what is held is on disk, and how much came that will not be. */
export interface JournalStats {
  readonly durable: number
  readonly notDurable: number
}

export class Journal {
  readonly #vault: Vault
  readonly #hash: JournalOptions["hash"]
  readonly #clock: JournalOptions["clock"]
  readonly #alerts: JournalOptions["alerts"]
  readonly #window: JournalWindow
  // By slot.
  #capacity = 0
  #states = new Uint8Array(0)
  #keys = new Float64Array(0)
  #orders = new Float64Array(0)
  /** Of those with the store: which of the pieces put. */
  #ordinals = new Float64Array(0)
  #isDirty = new Uint8Array(0)
  /** Evidence that waits for the journal; that it has and the disk may not; that it has amiss. */
  readonly #waiting = new SlotQueue()
  readonly #pushed = new SlotQueue()
  readonly #dirty = new SlotQueue()
  #waitingBytes = 0
  #store: JournalStore | null = null
  #turns: StoreTurns | null = null
  /** Keys and places: the next one. */
  #next = 1
  /** Pieces pushed so far, and those of them that left `#pushed`. */
  #puts = 0
  #settled = 0
  #durable = 0
  #notDurable = 0
  #isFull = false
  /** Called after each turn in which something was pushed. */
  #whenPushed: Array<() => void> = []

  constructor({ alerts, clock, hash, vault, window = usualWindow }: JournalOptions) {
    this.#alerts = alerts
    this.#clock = clock
    this.#hash = hash
    this.#vault = vault
    this.#window = window
  }

  /** Takes note of new evidence. */
  hold(slot: number): void {
    if (slot >= this.#capacity) this.#grow(slot)
    const size = this.#vault.sizeOf(slot)
    this.#orders[slot] = this.#next++
    const { bytes, pieces } = this.#window
    if (this.#waiting.length >= pieces || this.#waitingBytes + size + besideContent > bytes) {
      this.#refuse(slot)
      return
    }
    this.#wait(slot)
    this.#turns?.pushed()
  }

  /** Forgets evidence that has left. Its bytes leave the journal with the record that ends it. */
  forget(slot: number): void {
    if (this.#states[slot] === State.durable) this.#durable -= 1
    this.#states[slot] = State.none
    this.#isDirty[slot] = 0
  }

  /** The key of evidence that the journal has; undefined where it has not. */
  pieceOf(slot: number): number | undefined {
    const state = this.#states[slot]
    return state === State.pushed || state === State.durable ? this.#keys[slot] : undefined
  }

  /** Takes note that evidence has a new place in the order of eviction, or another severity. */
  changed(slot: number): void {
    this.#orders[slot] = this.#next++
    if (this.pieceOf(slot) === undefined || this.#isDirty[slot] === 1) return
    this.#isDirty[slot] = 1
    this.#dirty.push(slot, this.#vault.generationOf(slot), 0)
    this.#turns?.pushed()
  }

  /** Whether evidence that is held is on disk. */
  isDurable(slot: number): boolean {
    this.#settle()
    return this.#states[slot] === State.durable
  }

  /** Waits until evidence is on disk. */
  whenDurable(slot: number, generation: number): Effect.Effect<void, EvidenceNotDurable> {
    return Effect.suspend(() => {
      if (!this.#vault.holds(slot, generation)) return Effect.fail(left)
      if (this.isDurable(slot)) return Effect.void
      const store = this.#store
      const state = this.#states[slot]
      if (state === State.refused) return Effect.fail(past)
      const again = Effect.suspend(() => this.whenDurable(slot, generation))
      if (state === State.waiting || store === null) return Effect.andThen(this.#pushing, again)
      return Effect.matchEffect(store.journal.durable(this.#ordinals[slot] ?? 0), {
        onFailure: ({ message }) => Effect.fail(new EvidenceNotDurable({ reason: "disk", message })),
        onSuccess: () => again
      })
    })
  }

  stats(): JournalStats {
    this.#settle()
    return { durable: this.#durable, notDurable: this.#notDurable }
  }

  /** Takes evidence that the journal had from before: its key, and its place. */
  adopt(slot: number, key: number, order: number): void {
    if (slot >= this.#capacity) this.#grow(slot)
    this.#states[slot] = State.durable
    this.#keys[slot] = key
    this.#orders[slot] = order
    this.#durable += 1
  }

  orderOf(slot: number): number {
    return this.#orders[slot] ?? 0
  }

  /** Goes on behind a key: from then on no key is smaller than the time either. */
  begin(lastKey: number): void {
    this.#next = Math.max(this.#next, lastKey + 1, this.#clock.currentTimeMillisUnsafe() * 1_024)
  }

  /** Begins to push: what waits, and what comes. */
  attach(store: JournalStore, turns: StoreTurns): void {
    this.#store = store
    this.#turns = turns
    turns.onTurn(() => this.#push())
    turns.pushed()
  }

  /**
   * Brings all that is held to the disk, past the bounds too, as far as the disk takes it: for the
   * end, when nothing comes any more.
   */
  get drained(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const store = this.#store
      const turns = this.#turns
      if (store === null || turns === null) return Effect.void
      for (const slot of this.#vault.all())
        if (this.#states[slot] === State.refused && this.#fits(slot)) this.#wait(slot)
      return this.#drain(store, turns)
    })
  }

  #drain(store: JournalStore, turns: StoreTurns): Effect.Effect<void> {
    return Effect.suspend(() => {
      const before = this.#left
      turns.run()
      // There is room for anything once all that was pushed is on disk. A store that fails says so.
      return Effect.matchEffect(store.checkpoint, {
        onFailure: () => Effect.sync(() => this.#settle()),
        onSuccess: () => {
          this.#settle()
          return this.#left === 0 || this.#left === before ? Effect.void : this.#drain(store, turns)
        }
      })
    })
  }

  /** Waits for the next turn that pushes. */
  get #pushing(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const call = (): void => resume(Effect.void)
      this.#whenPushed.push(call)
      return Effect.sync(() => {
        this.#whenPushed = this.#whenPushed.filter((other) => other !== call)
      })
    })
  }

  /** What is still to be pushed. */
  get #left(): number {
    return this.#waiting.length + this.#dirty.length
  }

  /** Whether the window has ever room for this piece. */
  #fits(slot: number): boolean {
    return this.#vault.sizeOf(slot) + besideContent <= this.#window.bytes
  }

  #wait(slot: number): void {
    const size = this.#vault.sizeOf(slot)
    this.#states[slot] = State.waiting
    this.#waiting.push(slot, this.#vault.generationOf(slot), size)
    this.#waitingBytes += size
  }

  #refuse(slot: number): void {
    this.#states[slot] = State.refused
    this.#notDurable += 1
    if (this.#isFull) return
    this.#isFull = true
    this.#alerts.alertUnsafe(Notices.notDurable)
  }

  /** Pushes what waits, and what is amiss; whether some of it is left. */
  #push(): boolean {
    const store = this.#store
    if (store === null) return false
    const isLeft = this.#pushWaiting(store) || this.#pushDirty(store)
    this.#settle()
    const called = this.#whenPushed
    this.#whenPushed = []
    for (const call of called) call()
    return isLeft
  }

  #pushWaiting({ journal }: JournalStore): boolean {
    const vault = this.#vault
    const waiting = this.#waiting
    while (waiting.length > 0) {
      const slot = waiting.slot
      const { generation } = waiting
      if (vault.holds(slot, generation) && this.#states[slot] === State.waiting) {
        const content = vault.contentOf(slot)
        const key = this.#next
        if (!this.#isWhole(slot, content)) this.#states[slot] = State.refused
        else if (journal.putUnsafe({ key, facts: factsText(vault, slot, this.#orders[slot] ?? key), content })) {
          this.#next += 1
          this.#puts += 1
          this.#states[slot] = State.pushed
          this.#keys[slot] = key
          this.#pushed.push(slot, generation, 0)
          this.#ordinals[slot] = this.#puts
        } else return true
      }
      this.#waitingBytes -= waiting.weight
      waiting.shift()
    }
    this.#isFull = false
    return false
  }

  #pushDirty({ journal }: JournalStore): boolean {
    const vault = this.#vault
    const dirty = this.#dirty
    while (dirty.length > 0) {
      const { generation, slot } = dirty
      if (vault.holds(slot, generation) && this.#isDirty[slot] === 1) {
        const key = this.#keys[slot] ?? 0
        if (!journal.amendUnsafe(key, factsText(vault, slot, this.#orders[slot] ?? key))) return true
        this.#isDirty[slot] = 0
      }
      dirty.shift()
    }
    return false
  }

  /** Whether the bytes are the evidence: those that were given out may have been changed. */
  #isWhole(slot: number, content: Uint8Array): boolean {
    if (!this.#vault.isExposed(slot)) return true
    if (content.length !== this.#vault.sizeOf(slot)) return false
    this.#hash.sha256Into(content, found.bytes)
    return hexOf(found.bytes) === this.#vault.recordOf(slot).hash
  }

  /** Takes note of what has reached the disk. */
  #settle(): void {
    const store = this.#store
    if (store === null || this.#pushed.length === 0) return
    const pushed = this.#pushed
    for (const count = store.journal.durableCount(); this.#settled < count && pushed.length > 0; this.#settled++) {
      const { generation, slot } = pushed
      if (this.#vault.holds(slot, generation)) {
        this.#states[slot] = State.durable
        this.#durable += 1
      }
      pushed.shift()
    }
  }

  #grow(slot: number): void {
    const capacity = Math.max(64, 2 * this.#capacity, slot + 1)
    this.#states = grown(this.#states, new Uint8Array(capacity))
    this.#keys = grown(this.#keys, new Float64Array(capacity))
    this.#orders = grown(this.#orders, new Float64Array(capacity))
    this.#ordinals = grown(this.#ordinals, new Float64Array(capacity))
    this.#isDirty = grown(this.#isDirty, new Uint8Array(capacity))
    this.#capacity = capacity
  }
}

const found = new DigestBuffer()

const left = new EvidenceNotDurable({ reason: "left", message: "this evidence is no longer in custody" })
const past = new EvidenceNotDurable({
  reason: "window",
  message: "more evidence came than the disk took: this piece is held in memory alone"
})
