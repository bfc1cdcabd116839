/**
 * Hands the records of custody to a store, in their order, and waits for nothing (CONFORMANCE A5).
 *
 * A store that has no room now is asked again after the turn: until then records wait here, each as
 * its text. What waits is bounded. Past the bound a record is lost to the ledger, and so are all
 * behind it, since each names the one before: they stay in memory, they are counted, and whoever
 * listens is told once.
 *
 * Cost: that of the store's push, under a microsecond; a record that waits costs a copy.
 */
import type { LedgerStore } from "./LedgerStore.ts"
import type { StoreTurns } from "./StoreTurns.ts"

/** Records that wait at most: some 8 MB. */
const maxWaiting = 16_384

interface Waiting {
  readonly sequence: number
  readonly text: Uint8Array
  readonly piece: number | undefined
}

export interface LedgerFeedOptions {
  readonly store: Pick<LedgerStore["Service"], "pushUnsafe">
  readonly turns: Pick<StoreTurns, "onTurn" | "pushed">
  /** Called when the first record is lost. It must not throw. */
  readonly onLost: () => void
  /** 16,384 when left out. */
  readonly maxWaiting?: number
}

export class LedgerFeed {
  readonly #store: LedgerFeedOptions["store"]
  readonly #turns: LedgerFeedOptions["turns"]
  readonly #onLost: () => void
  readonly #maxWaiting: number
  #waiting: Array<Waiting> = []
  #delayed = 0
  #lost = 0

  constructor(options: LedgerFeedOptions) {
    this.#store = options.store
    this.#turns = options.turns
    this.#onLost = options.onLost
    this.#maxWaiting = options.maxWaiting ?? maxWaiting
    this.#turns.onTurn(() => this.#push())
  }

  /** Records that the store had no room for when they were made. */
  get delayed(): number {
    return this.#delayed
  }

  /** Records that will never be in the ledger on disk. */
  get lost(): number {
    return this.#lost
  }

  /** The sequence of the first record that waits for room; null where none does. */
  get next(): number | null {
    return this.#waiting[0]?.sequence ?? null
  }

  /** Takes the next record: its text is read during the call. */
  readonly keep = (sequence: number, text: Uint8Array, piece: number | undefined): void => {
    if (this.#lost > 0) {
      this.#lost += 1
      return
    }
    if (this.#waiting.length > 0 || !this.#store.pushUnsafe(sequence, text, piece)) {
      this.#wait({ sequence, text: text.slice(), piece })
      if (this.#lost > 0) return
    }
    this.#turns.pushed()
  }

  #wait(record: Waiting): void {
    this.#delayed += 1
    if (this.#waiting.length < this.#maxWaiting) {
      this.#waiting.push(record)
      return
    }
    this.#lost += 1
    this.#onLost()
  }

  /** Pushes what waits; whether some of it still does. */
  #push(): boolean {
    const waiting = this.#waiting
    if (waiting.length === 0) return false
    const refused = waiting.findIndex(({ piece, sequence, text }) => !this.#store.pushUnsafe(sequence, text, piece))
    this.#waiting = refused < 0 ? [] : waiting.slice(refused)
    return this.#waiting.length > 0
  }
}
