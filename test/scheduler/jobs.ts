/**
 * Fixtures for the scheduler: scripted randomness, jobs that record their runs, and clocks that
 * count their sleepers.
 */
import { Clock, Context, Duration, Effect, Exit, Layer, Scope } from "effect"
import { Randomness } from "../../src/host/port/Randomness.ts"
import { type JobOptions, TickScheduler } from "../../src/scheduler/TickScheduler.ts"

/** Randomness that gives these bytes, one a call, and then 0. */
export const scripted = (...bytes: ReadonlyArray<number>): Layer.Layer<Randomness> => {
  const rest = [...bytes]
  return Layer.succeed(Randomness, { fill: (target) => void target.fill(rest.shift() ?? 0) })
}

/** A clock that counts its sleeps, on top of the test's clock. */
const watched = (inner: Clock.Clock) => {
  const sleeps = { now: 0, most: 0, begun: 0 }
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => inner.currentTimeMillisUnsafe(),
    currentTimeMillis: inner.currentTimeMillis,
    currentTimeNanosUnsafe: () => inner.currentTimeNanosUnsafe(),
    currentTimeNanos: inner.currentTimeNanos,
    monotonicTimeNanosUnsafe: () => inner.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: inner.monotonicTimeNanos,
    sleep: (duration) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          sleeps.begun += 1
          sleeps.now += 1
          sleeps.most = Math.max(sleeps.most, sleeps.now)
        }),
        () => inner.sleep(duration),
        () =>
          Effect.sync(() => {
            sleeps.now -= 1
          })
      )
  }
  return { clock, sleeps }
}

/** A scheduler in a scope of its own, on the test's clock. */
export const started = Effect.fnUntraced(function*(randomness: Layer.Layer<Randomness> = scripted()) {
  const { clock, sleeps } = watched(yield* Clock.Clock)
  const scope = yield* Scope.make()
  const context = yield* Layer.buildWithScope(
    TickScheduler.layer.pipe(Layer.provide([randomness, Layer.succeed(Clock.Clock, clock)])),
    scope
  )
  return { ...Context.get(context, TickScheduler), sleeps, close: Scope.close(scope, Exit.void) }
})

/** A job that ticks every second and does nothing. */
export const job = (options: Partial<JobOptions> = {}): JobOptions => ({
  name: "test",
  interval: 1_000,
  jitterMax: 0,
  skipIfBusy: true,
  isBusy: () => false,
  run: Effect.void,
  ...options
})

/** A run that takes so long, and counts how many are on at once and how many were interrupted. */
export const work = (ms: number) => {
  const seen = { on: 0, most: 0, interrupted: 0 }
  const run = Effect.gen(function*() {
    seen.on += 1
    seen.most = Math.max(seen.most, seen.on)
    yield* Effect.sleep(ms)
  }).pipe(
    Effect.onInterrupt(() =>
      Effect.sync(() => {
        seen.interrupted += 1
      })
    ),
    Effect.ensuring(Effect.sync(() => {
      seen.on -= 1
    }))
  )
  return { seen, run }
}

/** A clock that jumps: sleepers whose time is over wake after the jump, not in between. */
export const jumping = () => {
  const hands = { wall: 5_000, passed: 0 }
  const waiting = new Set<{ readonly end: number; readonly wake: () => void }>()
  const nanos = (ms: number) => BigInt(ms) * 1_000_000n
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => hands.wall,
    currentTimeMillis: Effect.sync(() => hands.wall),
    currentTimeNanosUnsafe: () => nanos(hands.wall),
    currentTimeNanos: Effect.sync(() => nanos(hands.wall)),
    monotonicTimeNanosUnsafe: () => nanos(hands.passed),
    monotonicTimeNanos: Effect.sync(() => nanos(hands.passed)),
    sleep: (duration) =>
      Effect.callback((resume) => {
        const ms = Duration.toMillis(duration)
        if (ms <= 0) return resume(Effect.void)
        const sleeper = { end: hands.passed + ms, wake: () => resume(Effect.void) }
        waiting.add(sleeper)
        return Effect.sync(() => waiting.delete(sleeper))
      })
  }
  const jump = (ms: number) =>
    Effect.gen(function*() {
      hands.wall += ms
      hands.passed += ms
      // Collected before, because a fiber that wakes may sleep again at once.
      const over = [...waiting].filter(({ end }) => end <= hands.passed)
      for (const sleeper of over) if (waiting.delete(sleeper)) sleeper.wake()
      for (let turn = 0; turn < 10; turn++) yield* Effect.yieldNow
    })
  return { clock, hands, jump, waiting }
}
