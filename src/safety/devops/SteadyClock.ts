/**
 * A clock whose time of day is the monotonic time, for code that measures durations by the time of
 * day.
 *
 * Promises that code under it does not notice when the host's clock is set, back or forward. Sleeps
 * are the host's.
 *
 * **Gotchas**
 *
 * - Its milliseconds do not count from the epoch: never let them leave.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

const nanosPerMilli = 1_000_000n

/**
 * Runs `measured` under the steady clock. It is given `unmeasured`, which runs an effect inside it
 * under the clock as it was.
 */
export const withSteadyClock = <A, E, R>(
  measured: (unmeasured: <A2, E2, R2>(inner: Effect.Effect<A2, E2, R2>) => Effect.Effect<A2, E2, R2>) => Effect.Effect<
    A,
    E,
    R
  >
): Effect.Effect<A, E, R> =>
  Effect.clockWith((clock) =>
    Effect.provideService(
      measured((inner) => Effect.provideService(inner, Clock.Clock, clock)),
      Clock.Clock,
      steady(clock)
    )
  )

const steady = (clock: Clock.Clock): Clock.Clock => {
  const millis = () => Number(clock.monotonicTimeNanosUnsafe() / nanosPerMilli)
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    currentTimeNanos: clock.monotonicTimeNanos,
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: clock.monotonicTimeNanos,
    sleep: (duration) => clock.sleep(duration)
  }
}
