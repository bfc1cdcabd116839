/**
 * Since when each delivery waits, for the age of the oldest. O(1) a delivery; it holds as many
 * numbers as deliveries wait, which cold storage bounds.
 */

/** Deliveries that wait, by the id of their record, in the order in which they came. */
export class Ages {
  readonly #nowMs: () => number
  readonly #since = new Map<string, number>()

  /** `nowMs`: milliseconds of a clock that cannot be set. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** A delivery begins to wait. */
  begin(id: string): void {
    this.#since.set(id, this.#nowMs())
  }

  /** It has ended, well or not. */
  end(id: string): void {
    this.#since.delete(id)
  }

  /** Milliseconds that the oldest one has waited; 0 where none waits. */
  oldestMs(): number {
    for (const since of this.#since.values()) return Math.max(0, this.#nowMs() - since)
    return 0
  }
}
