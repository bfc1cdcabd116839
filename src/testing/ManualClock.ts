/**
 * A clock that a test moves by hand, with two times: the time of day, which people and time servers
 * set back and forth, and the monotonic time, which only goes forward.
 *
 * `passUnsafe` moves both, as passing time does; `setWallUnsafe` sets the time of day alone.
 *
 * **Gotchas**
 *
 * - `sleep` is that of the real clock: a retry or a deadline waits in real time, whatever this
 *   clock shows.
 * - Monotonic time starts at 0, whatever the time of day is, so that code which confuses the two is
 *   found at once.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

const nanosPerMilli = 1_000_000n

/** The clock with its controls. All times are whole ms. */
export interface ManualClock extends Clock.Clock {
  /** Moves both times forward. Throws a RangeError if `ms` is less than 0. */
  readonly passUnsafe: (ms: number) => void
  /** Sets the time of day, back or forward. The monotonic time stays. */
  readonly setWallUnsafe: (ms: number) => void
  /** The time of day in ms since the epoch. */
  readonly wallUnsafe: () => number
  /** Ms since this clock was made. */
  readonly monotonicUnsafe: () => number
}

/** A clock that shows `wall` ms since the epoch, and sleeps as `real` does. */
export const make = (wall: number, real: Clock.Clock): ManualClock => {
  let day = wall
  let passed = 0
  const dayNanos = () => BigInt(day) * nanosPerMilli
  const passedNanos = () => BigInt(passed) * nanosPerMilli
  return {
    passUnsafe: (ms) => {
      if (!(ms >= 0)) throw new RangeError("time does not pass backwards")
      day += ms
      passed += ms
    },
    setWallUnsafe: (ms) => {
      day = ms
    },
    wallUnsafe: () => day,
    monotonicUnsafe: () => passed,
    currentTimeMillisUnsafe: () => day,
    currentTimeMillis: Effect.sync(() => day),
    currentTimeNanosUnsafe: dayNanos,
    currentTimeNanos: Effect.sync(dayNanos),
    monotonicTimeNanosUnsafe: passedNanos,
    monotonicTimeNanos: Effect.sync(passedNanos),
    sleep: (duration) => real.sleep(duration)
  }
}
