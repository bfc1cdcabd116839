/**
 * The launch budget: a token bucket that says when the next hound may be started, and slows down
 * while hounds fail (RFC, "replenishDelay"; CONFORMANCE H1).
 *
 * Promises that hostile evidence buys no forks: over any long time there is at most one launch for
 * each `interval`, and while hounds keep failing the interval doubles with each launch, up to
 * `interval * 2 ** maxLevel`. A launch after which nothing failed takes one doubling back. O(1), a
 * few numbers, no clock of its own.
 */

/** The most doublings: with 100 ms, one launch in 1.6 s. */
export const maxLevel = 4

/** The budget of one pool; full at first. */
export class LaunchBudget {
  #tokens: number
  #filledAt: number
  #level = 0
  #isTroubled = false
  readonly #burst: number
  readonly #interval: number

  /** `burst` launches at once, and then one each `interval` ms; 0 sets no limit. */
  constructor(burst: number, interval: number, now: number) {
    this.#burst = burst
    this.#interval = interval
    this.#tokens = burst
    this.#filledAt = now
  }

  /** How often the interval is doubled now. */
  get level(): number {
    return this.#level
  }

  /**
   * Whether a hound may be started now; it then counts as started. Times are in ms and never go
   * back.
   */
  take(now: number): boolean {
    this.#fill(now)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    if (!this.#isTroubled && this.#level > 0) this.#level -= 1
    this.#isTroubled = false
    return true
  }

  /** The earliest time at which `take` says yes. */
  nextAt(now: number): number {
    this.#fill(now)
    return this.#tokens >= 1 ? now : this.#filledAt + this.#pace
  }

  /** A hound came to a bad end. */
  trouble(now: number): void {
    this.#fill(now)
    this.#isTroubled = true
    this.#level = Math.min(this.#level + 1, maxLevel)
  }

  get #pace(): number {
    return this.#interval * 2 ** this.#level
  }

  #fill(now: number): void {
    if (this.#interval === 0) {
      this.#tokens = this.#burst
      return
    }
    const gained = Math.floor((now - this.#filledAt) / this.#pace)
    if (gained <= 0) return
    this.#tokens = Math.min(this.#tokens + gained, this.#burst)
    // A full bucket gathers nothing for later.
    this.#filledAt = this.#tokens === this.#burst ? now : this.#filledAt + gained * this.#pace
  }
}
