/**
 * A clock whose time of day is the monotonic time: for what measures durations and reads the time
 * of day to do it.
 *
 * Promises that nobody who sets the host's clock, back or forward, is seen by what runs under it.
 * Sleeps are the host's.
 *
 * **Gotchas**
 *
 * - Its milliseconds count from no date: never give them to anybody.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

const nanosPerMilli = 1_000_000n

/**
 * Runs `measured` by the monotonic time, and what it is given to run inside by the clock as it was.
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
