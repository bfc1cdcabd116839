/**
 * Spares an endpoint that is down, and those who wait for it (CONFORMANCE C1).
 *
 * After three deliveries in a row that were lost past all their tries, deliveries are lost without
 * a try for five seconds, each counted and alerted. Then one is tried, once: where it is written,
 * all is as before, and where it is lost too, the next five seconds begin. An endpoint that is full
 * is spared after the first loss, and for ten seconds: room does not come by itself.
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

/** How long nothing is tried where there was no room. */
const fullPauseMs = 10_000

/** A delivery that was lost past its tries. */
export interface TriedLoss {
  /** How the last try ended. */
  readonly message: string
  /** Whether the host wanted an alert about it. */
  readonly isAlert: boolean
  /** Whether the endpoint had no room. */
  readonly isFull: boolean
}

/** A circuit for a writer that tries one delivery at a time. */
export class Breaker {
  readonly #nowMs: () => number
  #losses = 0
  #openUntil = Number.NEGATIVE_INFINITY
  #latest: TriedLoss = { message: "", isAlert: true, isFull: false }

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
  get latest(): TriedLoss {
    return this.#latest
  }

  recordWrite(): void {
    this.#losses = 0
  }

  recordLoss(loss: TriedLoss): void {
    this.#losses = loss.isFull ? Math.max(this.#losses + 1, maxLosses) : this.#losses + 1
    this.#latest = loss
    if (this.isOpen) this.#openUntil = this.#nowMs() + (loss.isFull ? fullPauseMs : pauseMs)
  }
}
