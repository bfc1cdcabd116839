import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as ManualClock from "../../src/testing/ManualClock.ts"

describe("ManualClock", () => {
  it.effect("RFC S5 passing time moves both times, and setting the time of day only that one", () =>
    Effect.gen(function*() {
      const clock = ManualClock.make(1_000_000, yield* Clock.Clock)
      assert.deepStrictEqual([clock.wallUnsafe(), clock.monotonicUnsafe()], [1_000_000, 0])
      clock.passUnsafe(1500)
      clock.setWallUnsafe(10)
      clock.passUnsafe(1)
      assert.deepStrictEqual([clock.wallUnsafe(), clock.monotonicUnsafe()], [11, 1501])
      assert.throws(() => clock.passUnsafe(-1), RangeError)
      assert.throws(() => clock.passUnsafe(Number.NaN), RangeError)
      assert.deepStrictEqual([clock.wallUnsafe(), clock.monotonicUnsafe()], [11, 1501])
    }))

  it.effect("is a Clock: effects and synchronous readers see the same two times", () =>
    Effect.gen(function*() {
      const clock = ManualClock.make(7, yield* Clock.Clock)
      clock.passUnsafe(3)
      const seen = yield* Effect.all([
        Clock.currentTimeMillis,
        Clock.currentTimeNanos,
        Effect.flatMap(Clock.Clock, (it) => it.monotonicTimeNanos)
      ]).pipe(Effect.provideService(Clock.Clock, clock))
      assert.deepStrictEqual(seen, [10, 10_000_000n, 3_000_000n])
      assert.deepStrictEqual(
        [clock.currentTimeMillisUnsafe(), clock.currentTimeNanosUnsafe(), clock.monotonicTimeNanosUnsafe()],
        [10, 10_000_000n, 3_000_000n]
      )
    }))
})
