/**
 * Wakes a store once a turn: whoever pushes says so, and after the turn all that is still to be
 * pushed is pushed, and the store's writer woken.
 *
 * Waking a thread that sleeps costs some 15 µs, so no push does it.
 *
 * **Gotchas**
 *
 * - Where a store had no room, it is asked again after a few milliseconds, for as long as something
 *   is left.
 */
import type { LedgerStore } from "./LedgerStore.ts"

/** When a host calls back. Neither keeps its process alive for long. */
export interface Turns {
  /** Once, after the turn that is going on. */
  readonly afterTurnUnsafe: (act: () => void) => void
  /** Once, some milliseconds later. */
  readonly soonUnsafe: (act: () => void) => void
}

/** Pushes what it has; whether something is left for which there was no room. Must not throw. */
export type Pushing = () => boolean

export class StoreTurns {
  readonly #turns: Turns
  readonly #wake: LedgerStore["Service"]["wakeUnsafe"]
  readonly #pushing: Array<Pushing> = []
  #willRun = false

  constructor(store: Pick<LedgerStore["Service"], "wakeUnsafe">, turns: Turns) {
    this.#turns = turns
    this.#wake = store.wakeUnsafe
  }

  /** Has these called after each turn in which somebody pushed. */
  onTurn(pushing: Pushing): void {
    this.#pushing.push(pushing)
  }

  /** Notes that something was pushed, or is to be. Allocates nothing after the first in a turn. */
  pushed(): void {
    if (this.#willRun) return
    this.#willRun = true
    this.#turns.afterTurnUnsafe(this.run)
  }

  /** Pushes what is left now, and wakes the store. */
  readonly run = (): void => {
    this.#willRun = false
    let isLeft = false
    for (const pushing of this.#pushing) isLeft = pushing() || isLeft
    this.#wake()
    if (!isLeft || this.#willRun) return
    this.#willRun = true
    this.#turns.soonUnsafe(this.run)
  }
}
