/**
 * A clock that shows the time of the recording, so that a replay decides by the traffic's own time
 * and the same file always gives the same answer.
 *
 * Its time of day is that of the line at hand, for the line's own record. Its monotonic time, which
 * limits and windows run on, is the latest time seen: lines out of order make it stand still, and
 * never run faster than the recording does. A line more than an hour ahead of it moves nothing.
 *
 * **Gotchas**
 *
 * - Sleeping takes real time: a retry or a deadline waits for the world, not for the recording.
 * - A recording may have a gap, or be two files one after the other. Where 16 lines in a row are
 *   more than an hour ahead, or 16 in a row more than an hour behind, recorded time goes on from
 *   the earliest of them. A step back, there too, is no time gone by (`MonotonicTime`).
 * - A timestamp that no date can have becomes the nearest one that a date can have.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** The last millisecond of a JavaScript date. */
const maxMs = 8.64e15

/** Lines further away than this from recorded time say nothing about it, each by itself. */
const maxStepMs = 3_600_000

/** So many of them in a row do. */
const linesInARow = 16

export interface RecordedClock extends Clock.Clock {
  /**
   * Sets the time, in ms since the epoch. False where the line is more than an hour ahead of
   * recorded time, which then stays.
   */
  readonly setUnsafe: (ms: number) => boolean
}

/** The latest time of a recording whose lines need not be in order. */
class LatestTime {
  ms = Number.NaN
  /** Lines in a row, up to the last one, that were too far away on the same side. */
  #strays = 0
  #areAhead = false
  /** The earliest of them. */
  #earliest = 0

  /** Takes the next line's time. False where it is too far ahead. */
  see(ms: number): boolean {
    if (Number.isNaN(this.ms)) this.ms = ms
    const step = ms - this.ms
    if (Math.abs(step) <= maxStepMs) {
      this.#strays = 0
      this.ms = Math.max(this.ms, ms)
      return true
    }
    const isAhead = step > 0
    if (isAhead !== this.#areAhead) this.#strays = 0
    this.#areAhead = isAhead
    this.#earliest = this.#strays === 0 ? ms : Math.min(this.#earliest, ms)
    this.#strays += 1
    if (this.#strays < linesInARow) return !isAhead
    this.#strays = 0
    this.ms = this.#earliest
    return ms - this.ms <= maxStepMs && this.see(ms)
  }
}

/** A clock at the epoch that sleeps on `real`. */
export const make = (real: Clock.Clock): RecordedClock => {
  const latest = new LatestTime()
  let now = 0
  const nanos = () => BigInt(now) * 1_000_000n
  const monotonicNanos = () => Number.isNaN(latest.ms) ? 0n : BigInt(latest.ms) * 1_000_000n
  return {
    setUnsafe: (ms) => {
      // Never negative zero, which JSON cannot say (spec/ledger.md).
      now = Math.trunc(Math.min(Math.max(ms, -maxMs), maxMs)) + 0
      return latest.see(now)
    },
    currentTimeMillisUnsafe: () => now,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    // The rate limiter reads it, and must decide by the recording's time as well.
    monotonicTimeNanosUnsafe: monotonicNanos,
    monotonicTimeNanos: Effect.sync(monotonicNanos),
    sleep: (duration) => real.sleep(duration)
  }
}
