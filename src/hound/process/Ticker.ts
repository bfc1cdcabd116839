/**
 * An interval that runs while it is needed, and keeps no process alive unless it is told to.
 */

/** Calls back every `interval` ms while it runs. */
export class Ticker {
  readonly #interval: number
  readonly #tick: () => void
  #timer: NodeJS.Timeout | null = null
  #isHolding = false

  /** Does not run yet. */
  constructor(interval: number, tick: () => void) {
    this.#interval = interval
    this.#tick = tick
  }

  /** Starts it or stops it; a ticker that runs already keeps its rhythm. */
  run(isNeeded: boolean): void {
    if (isNeeded && this.#timer === null) {
      this.#timer = setInterval(this.#tick, this.#interval)
      if (!this.#isHolding) this.#timer.unref()
    } else if (!isNeeded && this.#timer !== null) {
      clearInterval(this.#timer)
      this.#timer = null
    }
  }

  /** From now on the process stays alive while the ticker runs. */
  hold(): void {
    this.#isHolding = true
    this.#timer?.ref()
  }
}
