/**
 * Each kind of metric as a real meter collects it, and what is left when series leave.
 */
import { assert, describe, it } from "@effect/vitest"
import { type Meter, metrics as globalMetrics } from "@opentelemetry/api"
import { AggregationTemporality } from "@opentelemetry/sdk-metrics"
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import { setImmediate as aTurn } from "node:timers/promises"
import { MeterRegistry } from "../../../src/edge/otel/MeterRegistry.ts"
import { random } from "../../support/random.ts"
import { makeSdk } from "./sdk.ts"
import type { Series } from "./seen.ts"

const world = (temporality?: AggregationTemporality) => {
  const sdk = makeSdk(temporality)
  const registry = new MeterRegistry(sdk.meterProvider.getMeter("test"))
  return { sdk, registry, context: Context.make(Metric.MetricRegistry, registry) }
}

/**
 * What the SDK has of a histogram: the least and the greatest value no further out than they were.
 */
const assertHistogram = (
  series: Series | undefined,
  { counts, max, min, sum }: {
    readonly counts: Array<number>
    readonly sum: number
    readonly min: number
    readonly max: number
  }
): void => {
  const value = series?.value as {
    readonly count: number
    readonly sum: number
    readonly min: number
    readonly max: number
    readonly buckets: { readonly boundaries: ReadonlyArray<number>; readonly counts: ReadonlyArray<number> }
  }
  assert.deepStrictEqual(value.buckets, { boundaries: [1, 10, 100], counts })
  assert.strictEqual(value.count, counts.reduce((all, count) => all + count, 0))
  assert.closeTo(value.sum, sum, sum * 1e-6)
  assert.isAtLeast(value.min, min)
  assert.isAtMost(value.max, max * (1 + 1e-9))
}

const kept = { update: () => {}, modify: () => {} }

describe("MeterRegistry", () => {
  it("makes an instrument of each kind, with unit, description and attributes", async () => {
    const { context, sdk } = world()
    const labels = { attributes: { unit: "{scent}", status: "clean" }, description: "Scents" }
    Metric.counter("c", { ...labels, incremental: true }).updateUnsafe(3, context)
    Metric.counter("d", labels).updateUnsafe(-2, context)
    Metric.counter("big", { bigint: true, incremental: true }).updateUnsafe(5n, context)
    Metric.gauge("g", { attributes: { unit: "By" } }).updateUnsafe(7.5, context)
    Metric.frequency("f").updateUnsafe("x", context)
    const attributes = { status: "clean" }
    assert.sameDeepMembers([...await sdk.collect()], [
      { name: "c", kind: "counter", unit: "{scent}", attributes, value: 3 },
      { name: "d", kind: "up-down", unit: "{scent}", attributes, value: -2 },
      { name: "big", kind: "counter", unit: "1", attributes: {}, value: 5 },
      { name: "g", kind: "gauge", unit: "By", attributes: {}, value: 7.5 },
      { name: "f", kind: "counter", unit: "1", attributes: { key: "x" }, value: 1 }
    ])
  })

  it("tells a histogram in the metric's own buckets, to the count and the sum", async () => {
    const { context, sdk } = world()
    const histogram = Metric.histogram("h", { boundaries: [1, 10, 100], attributes: { unit: "s", hound: "x" } })
    for (const value of [0.5, 5, 5, 50]) histogram.updateUnsafe(value, context)
    const [series, ...others] = await sdk.collect()
    assert.isEmpty(others)
    assert.deepInclude(series, { name: "h", kind: "histogram", unit: "s", attributes: { hound: "x" } })
    assertHistogram(series, { counts: [1, 2, 1, 0], sum: 60.5, min: 0.5, max: 50 })
    for (const value of [2, 1000]) histogram.updateUnsafe(value, context)
    assertHistogram((await sdk.collect())[0], { counts: [1, 3, 1, 1], sum: 1062.5, min: 0.5, max: 1000 })
    assertHistogram((await sdk.collect())[0], { counts: [1, 3, 1, 1], sum: 1062.5, min: 0.5, max: 1000 })
  })

  it("tells values that stand on a bound, and a single one", async () => {
    const { context, sdk } = world()
    const histogram = Metric.histogram("h", { boundaries: [1, 10, 100] })
    for (const value of [1, 10, 100]) histogram.updateUnsafe(value, context)
    assertHistogram((await sdk.collect())[0], { counts: [1, 1, 1, 0], sum: 111, min: 1, max: 100 })
    const single = world()
    Metric.histogram("h", { boundaries: [1, 10, 100] }).updateUnsafe(10, single.context)
    assertHistogram((await single.sdk.collect())[0], { counts: [0, 1, 0, 0], sum: 10, min: 10, max: 10 })
  })

  it("tells any histogram so that counts and sum are right", async () => {
    const { below } = random(7)
    for (let round = 0; round < 50; round++) {
      const { context, sdk } = world()
      const histogram = Metric.histogram("h", { boundaries: [1, 10, 100] })
      for (let collection = 0; collection < 3; collection++) {
        for (let n = below(8); n > 0; n--) histogram.updateUnsafe(10 ** (below(4_000) / 1_000 - 1), context)
        const { buckets, count, max, min, sum } = histogram.valueUnsafe(context)
        const [series] = await sdk.collect()
        if (count === 0) continue
        const cumulated = [...buckets.map(([, counted]) => counted), count]
        assertHistogram(series, { counts: cumulated.map((all, i) => all - (cumulated[i - 1] ?? 0)), sum, min, max })
      }
    }
  })

  it("tells a histogram that is pulled, once, and its rest when it leaves", async () => {
    const { context, sdk } = world()
    const metric = Metric.histogram("h", { boundaries: [1, 10, 100] })
    const other = Context.make(Metric.MetricRegistry, new Map())
    const pulled = Metric.registerUnsafe(metric, context, { get: () => metric.valueUnsafe(other), ...kept })
    metric.updateUnsafe(5, other)
    await Promise.all([sdk.collect(), sdk.collect()])
    metric.updateUnsafe(50, other)
    pulled.remove()
    metric.updateUnsafe(500, other)
    assertHistogram((await sdk.collect())[0], { counts: [0, 1, 1, 0], sum: 55, min: 5, max: 50 })
  })

  it("gives others their turn after each thousand values", async () => {
    let turn = 0
    const valuesIn = new Map<number, number>()
    let collect: (() => Promise<void>) | undefined
    const meter = {
      createHistogram: () => ({ record: () => valuesIn.set(turn, (valuesIn.get(turn) ?? 0) + 1) }),
      createObservableGauge: () => ({
        addCallback: (callback: () => Promise<void>) => {
          collect = callback
        }
      })
    } as unknown as Meter
    const context = Context.make(Metric.MetricRegistry, new MeterRegistry(meter))
    const histogram = Metric.histogram("h", { boundaries: [1] })
    for (let n = 0; n < 10_000; n++) histogram.updateUnsafe(n, context)
    const isOver = { now: false }
    const turns = async (): Promise<void> => {
      for (; !isOver.now; turn++) await aTurn()
    }
    const end = turns()
    await collect?.()
    isOver.now = true
    await end
    assert.strictEqual([...valuesIn.values()].reduce((all, values) => all + values, 0), 10_000)
    assert.isAtMost(Math.max(...valuesIn.values()), 1_000)
  })

  it("tells the count and the sum of a summary", async () => {
    const { context, sdk } = world()
    const summary = Metric.summary("s", { maxAge: "1 minute", maxSize: 10, quantiles: [0.5] })
    for (const value of [1, 3]) summary.updateUnsafe(value, context)
    const [series] = await sdk.collect()
    assert.deepInclude(series?.value, { count: 2, sum: 4 })
  })

  it("asks a series when it is collected, and only then", async () => {
    const { context, sdk } = world()
    let reads = 0
    Metric.registerUnsafe(Metric.gauge("pulled"), context, { get: () => ({ value: ++reads * 10 }), ...kept })
    assert.strictEqual(reads, 0)
    assert.strictEqual((await sdk.collect())[0]?.value, 10)
    assert.strictEqual((await sdk.collect())[0]?.value, 20)
    assert.strictEqual(reads, 2)
  })

  it("leaves out a series whose reader throws, and collects the others", async () => {
    const { context, sdk } = world()
    const fails = (): never => {
      throw new Error("broken")
    }
    Metric.registerUnsafe(Metric.gauge("g", { attributes: { n: "1" } }), context, { get: fails, ...kept })
    Metric.registerUnsafe(Metric.gauge("g", { attributes: { n: "2" } }), context, {
      get: () => ({ value: 2 }),
      ...kept
    })
    assert.deepStrictEqual((await sdk.collect()).map(({ attributes }) => attributes), [{ n: "2" }])
  })

  it("hands the last value of a series that leaves to the next collection, and then nothing", async () => {
    const { context, registry, sdk } = world(AggregationTemporality.DELTA)
    let reads = 0
    const counted = Metric.registerUnsafe(Metric.counter("c", { incremental: true }), context, {
      get: () => {
        reads += 1
        return { count: 41 + reads, incremental: true }
      },
      ...kept
    })
    Metric.gauge("stays").updateUnsafe(1, context)
    counted.remove()
    assert.strictEqual(reads, 2, "once to learn its kind, once when it left")
    assert.deepStrictEqual((await sdk.collect()).map(({ name, value }) => [name, value]), [["c", 43], ["stays", 1]])
    assert.deepStrictEqual((await sdk.collect()).map(({ name }) => name), ["stays"])
    registry.clear()
    assert.strictEqual((await sdk.collect()).length, 1)
    assert.strictEqual((await sdk.collect()).length, 0)
    assert.strictEqual(reads, 2, "nobody asks what has left")
  })

  it("misses no series of its neighbours while one leaves", async () => {
    const { context, sdk } = world(AggregationTemporality.DELTA)
    const names = ["a", "b", "c", "d"]
    const all = names.map((name) =>
      Metric.registerUnsafe(Metric.gauge(name), context, { get: () => ({ value: 1 }), ...kept })
    )
    await sdk.collect()
    all[1]?.remove()
    assert.deepStrictEqual((await sdk.collect()).map(({ name }) => name), names)
    assert.deepStrictEqual((await sdk.collect()).map(({ name }) => name), ["a", "c", "d"])
  })

  it("takes up a series that comes back", async () => {
    const { context, sdk } = world()
    const register = (value: number) =>
      Metric.registerUnsafe(Metric.gauge("g"), context, { get: () => ({ value }), ...kept })
    register(1).remove()
    register(2)
    assert.deepStrictEqual((await sdk.collect()).map(({ value }) => value), [2])
    assert.deepStrictEqual((await sdk.collect()).map(({ value }) => value), [2])
  })

  it("costs a meter that nobody registered nothing but the registry", () => {
    const context = Context.make(Metric.MetricRegistry, new MeterRegistry(globalMetrics.getMeter("nobody")))
    const counter = Metric.counter("c")
    counter.updateUnsafe(2, context)
    assert.strictEqual(counter.valueUnsafe(context).count, 2)
  })
})
