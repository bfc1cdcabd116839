/**
 * Spares an endpoint that is down, and those who wait for it (CONFORMANCE C1).
 *
 * After three deliveries in a row that were lost past all their tries, deliveries are lost without
 * a try for five seconds, each counted and alerted. Then one is tried, once: where it is written,
 * all is as before, and where it is lost too, the next five seconds begin.
 *
 * The time is monotonic. O(1).
 *
 * **Gotchas**
 *
 * - What waits when the endpoint goes down is not kept until it is back: that would hold up an
 *   orderly end, and whoever waits until all is written, for as long as the disk is full.
 */

/** So many deliveries lost in a row open the circuit. */
const maxLosses = 3

/** How long nothing is tried. */
const pauseMs = 5_000

/** A circuit for a writer that tries one delivery at a time. */
export class Breaker {
  readonly #nowMs: () => number
  #losses = 0
  #openUntil = Number.NEGATIVE_INFINITY
  /** The latest loss, and whether the host wanted an alert about it. */
  #latest = { message: "", isAlert: true }

  /** `nowMs`: milliseconds of a clock that cannot be set. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /**
   * How the next delivery is tried: with its retries, once as a probe, or not at all. Read it once
   * for each delivery.
   */
  next(): "tries" | "probe" | "lost" {
    if (!this.isOpen) return "tries"
    return this.#nowMs() < this.#openUntil ? "lost" : "probe"
  }

  /** Whether the endpoint is spared: nothing is tried, or one delivery as a probe. */
  get isOpen(): boolean {
    return this.#losses >= maxLosses
  }

  /** The latest loss that was tried. */
  get latest(): { readonly message: string; readonly isAlert: boolean } {
    return this.#latest
  }

  recordWrite(): void {
    this.#losses = 0
  }

  /** A delivery was lost past its tries, the last of which ended so. */
  recordLoss(message: string, isAlert: boolean): void {
    this.#losses += 1
    this.#latest = { message, isAlert }
    if (this.isOpen) this.#openUntil = this.#nowMs() + pauseMs
  }
}
