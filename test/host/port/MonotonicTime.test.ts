import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as NodeMonotonicTime from "../../../src/host/node/NodeMonotonicTime.ts"
import { MonotonicTime } from "../../../src/host/port/MonotonicTime.ts"

/** A clock whose time of day and monotonic time a test sets separately. */
const clockOf = (state: { wall: number; nanos: bigint }): Clock.Clock => ({
  currentTimeMillisUnsafe: () => state.wall,
  currentTimeMillis: Effect.sync(() => state.wall),
  currentTimeNanosUnsafe: () => BigInt(state.wall) * 1_000_000n,
  currentTimeNanos: Effect.sync(() => BigInt(state.wall) * 1_000_000n),
  monotonicTimeNanosUnsafe: () => state.nanos,
  monotonicTimeNanos: Effect.sync(() => state.nanos),
  sleep: () => Effect.void
})

const layers = { portable: MonotonicTime.layerPortable, node: NodeMonotonicTime.layer }

for (const [host, layer] of Object.entries(layers)) {
  describe(`MonotonicTime, ${host}`, () => {
    it.effect("RFC S5 follows the clock that a test owns", () =>
      Effect.gen(function*() {
        const { nowMs } = yield* MonotonicTime
        const before = nowMs()
        yield* TestClock.adjust("1234 millis")
        assert.strictEqual(nowMs() - before, 1234)
      }).pipe(Effect.provide(layer)))

    it.effect("RFC G1 does not see the time of day jump", () => {
      const state = { wall: 1_000, nanos: 5_000_000n }
      return Effect.gen(function*() {
        const { nowMs } = yield* MonotonicTime
        for (const wall of [0, 1e12, -5, 999]) {
          state.wall = wall
          assert.strictEqual(nowMs(), 5)
        }
      }).pipe(Effect.provide(layer.pipe(Layer.provide(Layer.succeed(Clock.Clock, clockOf(state))))))
    })

    it.effect("RFC G1 is exact to the millisecond at any size, and keeps the fraction", () => {
      const state = { wall: 0, nanos: 0n }
      return Effect.gen(function*() {
        const { nowMs } = yield* MonotonicTime
        for (
          const [nanos, ms] of [
            [1_760_000_000_001_000_000n, 1_760_000_000_001],
            [1_500_000n, 1.5],
            [-1_500_000n, -1.5],
            [0n, 0]
          ] as const
        ) {
          state.nanos = nanos
          assert.strictEqual(nowMs(), ms)
        }
      }).pipe(Effect.provide(layer.pipe(Layer.provide(Layer.succeed(Clock.Clock, clockOf(state))))))
    })

    it.live("goes forward by itself on the host's own clock", () =>
      Effect.gen(function*() {
        const { nowMs } = yield* MonotonicTime
        const before = nowMs()
        let now = before
        for (let i = 0; i < 1e6 && now <= before; i++) now = nowMs()
        assert.isAbove(now, before)
      }).pipe(Effect.provide(layer)))
  })
}
