/**
 * A clock that shows the time of the recording, so that a replay decides by the traffic's own time
 * and the same file always gives the same answer.
 *
 * **Gotchas**
 *
 * - Sleeping takes real time: a retry or a deadline waits for the world, not for the recording.
 * - It goes wherever it is set, backward too, and so does its monotonic time: `MonotonicTime`
 *   counts a step back as no time gone by. A timestamp that no date can have becomes the nearest
 *   one that a date can have.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** The last millisecond of a JavaScript date. */
const maxMs = 8.64e15

export interface RecordedClock extends Clock.Clock {
  /** Sets the time, in ms since the epoch. */
  readonly setUnsafe: (ms: number) => void
}

/** A clock at the epoch that sleeps on `real`. */
export const make = (real: Clock.Clock): RecordedClock => {
  let now = 0
  return {
    setUnsafe: (ms) => {
      // Never negative zero, which JSON cannot say (spec/audit.md).
      now = Math.trunc(Math.min(Math.max(ms, -maxMs), maxMs)) + 0
    },
    currentTimeMillisUnsafe: () => now,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanosUnsafe: () => BigInt(now) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
    // The rate limiter reads it, and must decide by the recording's time as well.
    monotonicTimeNanosUnsafe: () => BigInt(now) * 1_000_000n,
    monotonicTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
    sleep: (duration) => real.sleep(duration)
  }
}
