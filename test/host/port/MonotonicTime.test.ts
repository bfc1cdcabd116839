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
    const under = (state: { wall: number; nanos: bigint }) =>
      layer.pipe(Layer.provide(Layer.succeed(Clock.Clock, clockOf(state))))

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
      }).pipe(Effect.provide(under(state)))
    })

    it.effect.each(
      [
        [1_760_000_000_001_000_000n, 1_760_000_000_001],
        [1_500_000n, 1.5],
        [-1_500_000n, -1.5],
        [0n, 0]
      ] as const
    )(
      "RFC G1 is exact to the millisecond at any size, and keeps the fraction: %s ns",
      ([nanos, ms]) =>
        Effect.gen(function*() {
          const { nowMs } = yield* MonotonicTime
          assert.strictEqual(nowMs(), ms)
        }).pipe(Effect.provide(under({ wall: 0, nanos })))
    )

    it.effect("RFC G1 a clock that goes back is no time gone by, and time goes on from there", () => {
      const state = { wall: 0, nanos: 0n }
      const read = (nowMs: () => number, ms: number): number => {
        state.nanos = BigInt(ms) * 1_000_000n
        return nowMs()
      }
      return Effect.gen(function*() {
        const { last, nowMs, tick } = yield* MonotonicTime
        assert.strictEqual(read(nowMs, 5_000), 5_000)
        assert.strictEqual(read(nowMs, -3_600_000), 5_000)
        assert.strictEqual(read(nowMs, -3_599_000), 6_000)
        assert.strictEqual(read(nowMs, -9_000_000), 6_000)
        assert.strictEqual(read(nowMs, -8_999_999), 6_001)
        tick()
        assert.strictEqual(last[0], 6_001)
      }).pipe(Effect.provide(under(state)))
    })

    it.effect("RFC G1 a time that no date has is no time gone by", () => {
      const state = { wall: 0, nanos: 0n }
      return Effect.gen(function*() {
        for (const strange of [10n ** 40n, -(10n ** 40n), 10n ** 330n]) {
          const { nowMs } = yield* Effect.provide(MonotonicTime, Layer.fresh(under(state)))
          state.nanos = strange
          const before = nowMs()
          for (const [nanos, passed] of [[7_000_000n, 0], [12_000_000n, 5], [strange, 5], [13_000_000n, 6]] as const) {
            state.nanos = nanos
            assert.strictEqual(nowMs() - before, passed)
          }
        }
      })
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
