/**
 * A clock with two hands that a test moves by itself: the time of day, which people and time
 * servers set back and forth, and the monotonic one, which only goes on.
 *
 * `passUnsafe` moves both, as time does; `setWallUnsafe` moves the time of day alone, as somebody
 * who sets it does.
 *
 * **Gotchas**
 *
 * - Sleeping takes real time: give it the real clock. What sleeps (a retry, a deadline) does not
 *   see these hands.
 * - Monotonic time starts at 0, whatever the time of day is, so that a mix-up of the two shows at
 *   once.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

const nanosPerMilli = 1_000_000n

/** A clock and its two hands, in whole ms. */
export interface ManualClock extends Clock.Clock {
  /** Lets time pass: both hands go forward. Throws a RangeError where `ms` is less than 0. */
  readonly passUnsafe: (ms: number) => void
  /** Sets the time of day, back or forward; no time passes. */
  readonly setWallUnsafe: (ms: number) => void
  /** The time of day in ms since the epoch. */
  readonly wallUnsafe: () => number
  /** Ms since this clock was made. */
  readonly monotonicUnsafe: () => number
}

/** A clock that stands at `wall` ms since the epoch, whose sleeps are those of `real`. */
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
