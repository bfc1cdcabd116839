import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { MonotonicTime } from "../../../src/host/port/MonotonicTime.ts"
import { makeThroughput, Throughput } from "../../../src/intake/gate/Throughput.ts"

const service = Throughput.layer.pipe(Layer.provideMerge(MonotonicTime.layerPortable))

/** Counts `times[n]` at each of these moments, in ms. */
const counted = (times: Iterable<number>) => {
  const counter = makeThroughput()
  for (const time of times) counter.count(Float64Array.of(time))
  return counter
}

const at = (time: number, count: number): Array<number> => Array.from({ length: count }, () => time)

describe("throughput", () => {
  it("RFC W1 is nothing before the first scent", () => {
    const counter = makeThroughput()
    assert.strictEqual(counter.perSecond(0), 0)
    assert.strictEqual(counter.perSecond(1_760_000_000_000), 0)
    assert.strictEqual(counter.lastCounted(), Number.NEGATIVE_INFINITY)
    assert.strictEqual(counter.total(), 0)
  })

  it("RFC W1 counts the ten whole seconds before the one that it is asked in", () => {
    const counter = counted(at(20_000, 50))
    assert.strictEqual(counter.perSecond(20_999), 0, "a second that is not whole yet")
    for (let second = 21; second <= 30; second++) {
      assert.strictEqual(counter.perSecond(second * 1_000), 5, `at ${second} s`)
      assert.strictEqual(counter.perSecond(second * 1_000 + 999), 5)
    }
    assert.strictEqual(counter.perSecond(31_000), 0)
    assert.strictEqual(counter.perSecond(3_100_000), 0)
  })

  it("RFC W1 is steady under a steady load", () => {
    const counter = makeThroughput()
    for (let time = 0; time < 60_000; time += 20) {
      counter.count(Float64Array.of(time))
      if (time >= 10_000) assert.strictEqual(counter.perSecond(time), 50)
    }
  })

  it("RFC W1 a gap, shorter or longer than the window, is so many seconds of nothing", () => {
    const counter = counted([...at(1_000, 10), ...at(5_500, 20), ...at(100_000, 30)])
    assert.strictEqual(counter.perSecond(101_000), 3)
    const short = counted([...at(1_000, 10), ...at(5_500, 20)])
    assert.strictEqual(short.perSecond(6_000), 3)
    assert.strictEqual(short.perSecond(11_999), 3)
    assert.strictEqual(short.perSecond(12_000), 2)
  })

  it("RFC W1 after the clock went back, nothing later is counted, and nothing twice", () => {
    const counter = counted([...at(50_000, 10), ...at(20_000, 20)])
    assert.strictEqual(counter.lastCounted(), 20_000)
    assert.strictEqual(counter.perSecond(21_000), 2)
    assert.strictEqual(counter.perSecond(51_000), 1)
    assert.strictEqual(counter.perSecond(10_000), 0)
    assert.strictEqual(counter.total(), 30)
    assert.strictEqual(counted([...at(50_000, 10), ...at(20_000, 20), ...at(50_500, 5)]).total(), 35)
  })

  it("RFC W1 counts seconds before the epoch like others, and across it", () => {
    const counter = counted([...at(-3_500, 10), ...at(-500, 20), ...at(500, 30), ...at(3_500, 40)])
    assert.strictEqual(counter.perSecond(0), 3)
    assert.strictEqual(counter.perSecond(1_000), 6)
    assert.strictEqual(counter.perSecond(4_000), 10)
    assert.strictEqual(counter.lastCounted(), 3_500)
  })

  it("RFC W1 a time that is no finite number is counted nowhere, and breaks nothing", () => {
    const hostile = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300, -1e300, Number.MAX_VALUE]
    const counter = counted([...hostile, ...at(20_000, 10), ...hostile])
    assert.strictEqual(counter.perSecond(21_000), 1)
    for (const now of hostile) assert.isTrue(Number.isFinite(counter.perSecond(now)))
  })

  it.prop(
    "RFC W1 agrees with counting them all, on any clock that goes forward",
    [
      Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2_500 }))).check(Schema.isMaxLength(120)),
      Schema.Int.check(Schema.isBetween({ minimum: -100_000, maximum: 100_000 }))
    ],
    ([steps, start]) => {
      const counter = makeThroughput()
      const times: Array<number> = []
      let now = start
      for (const step of steps) {
        now += step
        times.push(now)
        counter.count(Float64Array.of(now))
        const second = Math.floor(now / 1_000)
        const within = times.filter((time) =>
          Math.floor(time / 1_000) >= second - 10 && Math.floor(time / 1_000) < second
        )
        assert.strictEqual(counter.perSecond(now), within.length / 10)
        assert.strictEqual(counter.lastCounted(), now)
        assert.strictEqual(counter.total(), times.length)
      }
    },
    { arbitrary: { runs: 150, size: 120 } }
  )

  it.effect("RFC W1 the service reads the clock when it is asked", () =>
    Effect.gen(function*() {
      const throughput = yield* Throughput
      const { tick } = yield* MonotonicTime
      tick()
      for (let n = 0; n < 20; n++) throughput.countUnsafe()
      assert.strictEqual(throughput.perSecond(), 0)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(throughput.perSecond(), 2)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(throughput.perSecond(), 0)
      tick()
      throughput.countUnsafe()
      assert.strictEqual(throughput.lastActivity(), 11_000)
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(throughput.lastActivity(), 11_000)
    }).pipe(Effect.provide(service)))

  it.effect("RFC W1 the last activity is 0 before the first, and as long ago as it was when the time of day is set back", () =>
    Effect.gen(function*() {
      const throughput = yield* Throughput
      const { tick } = yield* MonotonicTime
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(throughput.lastActivity(), 0)
      tick()
      throughput.countUnsafe()
      yield* TestClock.adjust("5 seconds")
      yield* TestClock.setTime(20_000)
      assert.strictEqual(throughput.lastActivity(), 15_000)
    }).pipe(Effect.provide(service)))
})
