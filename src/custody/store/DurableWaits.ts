/**
 * Who waits until something is on disk: entries by their number, pieces by theirs.
 *
 * One promise of `Atomics.waitAsync` serves all who wait, once a commit. It does not keep the
 * process alive, so `hold` is called while anyone waits, and `letGo` when nobody does.
 */
import * as Effect from "effect/Effect"
import type { LedgerStoreError } from "../ledger/LedgerStore.ts"
import { type RingProducer, widened } from "./Ring.ts"

/** Waits for a count to reach a number; ordered by it. */
interface Waiter {
  readonly needed: number
  readonly resume: (effect: Effect.Effect<void, LedgerStoreError>) => void
}

/** A count that only grows, and who waits for it. */
class Count {
  readonly #read: () => number
  #known = 0
  readonly #waiters: Array<Waiter> = []

  /** `read` gives the count modulo 2^32. */
  constructor(read: () => number) {
    this.#read = read
  }

  /** Goes on from a count. */
  begin(known: number): void {
    this.#known = known
  }

  get value(): number {
    return this.#known = widened(this.#known, this.#read())
  }

  get waiting(): number {
    return this.#waiters.length
  }

  /** Most wait for a larger number than all before them: the search begins at the end. */
  add(waiter: Waiter): void {
    const waiters = this.#waiters
    let at = waiters.length
    while (at > 0 && (waiters[at - 1]?.needed ?? 0) > waiter.needed) at -= 1
    waiters.splice(at, 0, waiter)
  }

  remove(waiter: Waiter): void {
    const at = this.#waiters.indexOf(waiter)
    if (at >= 0) this.#waiters.splice(at, 1)
  }

  settle(): void {
    const waiters = this.#waiters
    const { value } = this
    let reached = 0
    while (reached < waiters.length && (waiters[reached]?.needed ?? Infinity) <= value) reached += 1
    for (const { resume } of waiters.splice(0, reached)) resume(Effect.void)
  }

  fail(error: LedgerStoreError): void {
    for (const { resume } of this.#waiters.splice(0)) resume(Effect.fail(error))
  }
}

export class DurableWaits {
  readonly #ring: RingProducer
  readonly #entries: Count
  readonly #pieces: Count
  readonly #frames: Count
  readonly #hold: () => void
  readonly #letGo: () => void
  #isFollowing = false
  /** Why there is nothing to wait for any more; null while there is. */
  ended: LedgerStoreError | null = null

  constructor(ring: RingProducer, keepAlive: { readonly hold: () => void; readonly letGo: () => void }) {
    this.#ring = ring
    this.#entries = new Count(() => ring.committedEntries)
    this.#pieces = new Count(() => ring.committedPieces)
    this.#frames = new Count(() => ring.committedFrames)
    this.#hold = keepAlive.hold
    this.#letGo = keepAlive.letGo
  }

  /** Goes on from so many entries, which were there before. */
  begin(entries: number): void {
    this.#entries.begin(entries)
  }

  /** Entries on disk. */
  get entries(): number {
    return this.#entries.value
  }

  /** Pieces of evidence on disk, of those put through this ring. */
  get pieces(): number {
    return this.#pieces.value
  }

  /** Waits until there are so many entries, pieces or frames on disk. */
  readonly forEntries = (count: number) => this.#until(this.#entries, count)
  readonly forPieces = (count: number) => this.#until(this.#pieces, count)
  readonly forFrames = (count: number) => this.#until(this.#frames, count)

  /** Undoes a `hold` of somebody else. */
  letGoIfNobodyWaits(): void {
    if (!this.#isFollowing) this.#letGo()
  }

  /** Tells all who wait that a try has failed. Who asks again waits for the next. */
  fail(error: LedgerStoreError): void {
    this.#settle()
    for (const count of this.#counts) count.fail(error)
    this.#ring.nudge()
  }

  /** The same, and tells it all who come later. */
  end(error: LedgerStoreError): void {
    this.ended = error
    this.fail(error)
  }

  get #counts(): ReadonlyArray<Count> {
    return [this.#entries, this.#pieces, this.#frames]
  }

  #settle(): void {
    for (const count of this.#counts) count.settle()
  }

  #until(count: Count, needed: number): Effect.Effect<void, LedgerStoreError> {
    return Effect.suspend(() => {
      if (count.value >= needed) return Effect.void
      if (this.ended !== null) return Effect.fail(this.ended)
      return Effect.callback<void, LedgerStoreError>((resume) => {
        const waiter: Waiter = { needed, resume }
        count.add(waiter)
        void this.#follow()
        return Effect.sync(() => {
          count.remove(waiter)
          if (this.#waiting === 0) this.#ring.nudge()
        })
      })
    })
  }

  get #waiting(): number {
    return this.#counts.reduce((sum, { waiting }) => sum + waiting, 0)
  }

  /** Follows the commits while anyone waits. Never rejects. */
  async #follow(): Promise<void> {
    if (this.#isFollowing) return
    this.#isFollowing = true
    this.#hold()
    while (this.#waiting > 0) {
      const seen = this.#ring.committedFrames
      this.#settle()
      if (this.#waiting === 0) break
      await this.#ring.changed(seen)
    }
    this.#isFollowing = false
    this.#letGo()
  }
}
