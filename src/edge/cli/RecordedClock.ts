/**
 * Recorded time: a clock that stands where the recording stands, so that a replay decides as the
 * traffic's own time would have it, and the same file always gives the same answer.
 *
 * **Gotchas**
 *
 * - Sleeping takes real time: what waits (a retry, a deadline) waits for the world, not for the
 *   recording.
 * - It goes wherever it is set, backward too, its monotonic side with it: the rate limiter counts a
 *   step back as no time gone by. A timestamp that no date can have is held at the nearest one that
 *   can.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** The last millisecond of a JavaScript date. */
const maxMs = 8.64e15

/** A clock and the hand that sets it, in ms since the epoch. */
export interface RecordedClock extends Clock.Clock {
  readonly setUnsafe: (ms: number) => void
}

/** A clock at the epoch, whose sleeps are those of `real`. */
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
    // Limits run on it, and they must decide by the recording's time as well.
    monotonicTimeNanosUnsafe: () => BigInt(now) * 1_000_000n,
    monotonicTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
    sleep: (duration) => real.sleep(duration)
  }
}
