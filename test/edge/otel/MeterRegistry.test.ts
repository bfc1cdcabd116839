/**
 * Each kind of metric as a real meter collects it, and what is left when series leave.
 */
import { assert, describe, it } from "@effect/vitest"
import { metrics as globalMetrics } from "@opentelemetry/api"
import { AggregationTemporality } from "@opentelemetry/sdk-metrics"
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import { MeterRegistry } from "../../../src/edge/otel/MeterRegistry.ts"
import { makeSdk } from "./sdk.ts"

const world = (temporality?: AggregationTemporality) => {
  const sdk = makeSdk(temporality)
  const registry = new MeterRegistry(sdk.meterProvider.getMeter("test"))
  return { sdk, registry, context: Context.make(Metric.MetricRegistry, registry) }
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

  it("records each value of a histogram, the first included, in the metric's own buckets", async () => {
    const { context, sdk } = world()
    const histogram = Metric.histogram("h", { boundaries: [1, 10], attributes: { unit: "s", hound: "x" } })
    for (const value of [0.5, 5, 5, 50]) histogram.updateUnsafe(value, context)
    const [series] = await sdk.collect()
    assert.deepInclude(series, { name: "h", kind: "histogram", unit: "s", attributes: { hound: "x" } })
    assert.deepInclude(series?.value, {
      count: 4,
      sum: 60.5,
      min: 0.5,
      max: 50,
      buckets: { boundaries: [1, 10], counts: [1, 2, 1] }
    })
    assert.strictEqual(histogram.valueUnsafe(context).count, 4, "the metric itself counts on")
  })

  it("records the values of a summary", async () => {
    const { context, sdk } = world()
    Metric.summary("s", { maxAge: "1 minute", maxSize: 10, quantiles: [0.5] }).updateUnsafe(4, context)
    const [series] = await sdk.collect()
    assert.deepInclude(series?.value, { count: 1, sum: 4 })
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
