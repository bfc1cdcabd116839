/**
 * Time that only goes forward, as a number, read without allocating (CONFORMANCE G1).
 *
 * The time of day jumps when a person or a time server sets it. Limits must not depend on it: a
 * clock set back would prolong a block, and a clock set forward would end it.
 *
 * **Gotchas**
 *
 * - It is no time of day: only differences mean anything. It has fractions of a millisecond.
 * - The engine may allocate an object for a fractional number that a function returns or passes on.
 *   The hot path therefore reads the time into a cell, `last`, once per call of `intercept`, and
 *   its parts read that cell.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const nanosPerMilli = 1_000_000n

/** One time in ms, in a cell, because passing a fractional number on its own may allocate. */
export type TimeCell = Readonly<Float64Array>

/** A clock that cannot be set. */
export class MonotonicTime extends Context.Service<MonotonicTime, {
  /** Milliseconds since some fixed moment in the past. */
  readonly nowMs: () => number
  /** Reads the time into `last`. */
  readonly tick: () => void
  /** The time at the last `tick`. */
  readonly last: TimeCell
}>()("tracehound/host/port/MonotonicTime") {
  /**
   * By Effect's own Clock, be it a test's, a replay's or the host's. It allocates a bigint for each
   * reading.
   */
  static readonly layerPortable = Layer.effect(
    MonotonicTime,
    Effect.map(Clock.Clock, (clock) => {
      const last = new Float64Array(1)
      const forward = new ForwardTime()
      const nowMs = () => forward.read(millis(clock.monotonicTimeNanosUnsafe()))
      return {
        nowMs,
        last,
        tick: () => {
          last[0] = nowMs()
        }
      }
    })
  )
}

/** Exact in whole milliseconds, however many; the rest becomes the fraction. */
const millis = (nanos: bigint): number =>
  Number(nanos / nanosPerMilli) + Number(nanos % nanosPerMilli) / Number(nanosPerMilli)

/**
 * The greatest time value of a Date, in ms (ECMA-262 21.4.1.1): sums of such numbers stay exact to
 * the ms for long.
 */
const maxTimeMs = 8.64e15

/** Readings of a clock that may go anywhere, as time that only goes forward. */
class ForwardTime {
  #latest = 0
  /** How far this time is ahead of the clock: the sum of the steps back that the clock took. */
  #ahead = 0
  /** Whether there was a reading that counts, and whether one came before it that does not. */
  #isStarted = false
  #isGivenOut = false

  read(clockMs: number): number {
    if (!(clockMs >= -maxTimeMs && clockMs <= maxTimeMs)) {
      this.#isGivenOut = true
      return this.#latest
    }
    if (!this.#isStarted) {
      this.#isStarted = true
      this.#latest = this.#isGivenOut ? 0 : clockMs
      this.#ahead = this.#latest - clockMs
    }
    const time = clockMs + this.#ahead
    if (time >= this.#latest) this.#latest = time
    else this.#ahead += this.#latest - time
    return this.#latest
  }
}
