/**
 * Our histogram beside Effect's: the same values give the same state.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Metric, Schema, Scope } from "effect"
import { emptyLike, Histogram, mergeHistograms } from "../../src/telemetry/Histogram.ts"
import { pullAll } from "../../src/telemetry/PullMetric.ts"

const boundaries = [0.001, 0.01, 0.1, 1]

const recorded = (values: ReadonlyArray<number>): Metric.HistogramState => {
  const histogram = new Histogram(boundaries)
  for (const value of values) histogram.record(value)
  return histogram.state()
}

const duration = { name: "test.duration", description: "How long", unit: "s", kind: "histogram" } as const

describe("Histogram", () => {
  it.prop("has the state of Effect's histogram, whatever was recorded", {
    values: Schema.Array(Schema.Finite.check(Schema.isBetween({ minimum: -1, maximum: 2 })))
  }, ({ values }) =>
    Effect.runSync(
      Effect.gen(function*() {
        const edges = [...values, ...boundaries, 0, 5]
        const theirs = Metric.histogram("theirs", { boundaries })
        for (const value of edges) yield* Metric.update(theirs, value)
        assert.deepStrictEqual(recorded(edges), yield* Metric.value(theirs))
      }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
    ))

  it("that was never told anything is Effect's that was never told anything", () => {
    const theirs = Effect.runSync(
      Metric.value(Metric.histogram("theirs", { boundaries })).pipe(
        Effect.provideService(Metric.MetricRegistry, new Map())
      )
    )
    assert.deepStrictEqual(recorded([]), theirs)
    assert.deepStrictEqual(emptyLike(recorded([0.5])), theirs)
  })

  it("merged with another has the values of both", () => {
    const [a, b] = [[0.5, 2], [0.0005, 0.05, 0.05]]
    assert.deepStrictEqual(mergeHistograms(recorded(a), recorded(b)), recorded([...a, ...b]))
    assert.deepStrictEqual(mergeHistograms(recorded(a), recorded([])), recorded(a))
  })

  it.effect("is pulled, is merged with a namesake, keeps what one that left had, and goes with its scope", () =>
    Effect.gen(function*() {
      const shown = Effect.map(Metric.snapshot, (all) => all.map(({ attributes, state }) => ({ attributes, state })))
      const [a, b] = [new Histogram(boundaries), new Histogram(boundaries)]
      const [first, second] = [yield* Scope.make(), yield* Scope.make()]
      yield* Scope.provide(pullAll([{ metric: duration, read: () => a.state() }]), first)
      yield* Scope.provide(pullAll([{ metric: duration, read: () => b.state() }]), second)
      a.record(0.5)
      b.record(2)
      const both = [{ attributes: { unit: "s" }, state: recorded([0.5, 2]) }]
      assert.deepStrictEqual(yield* shown, both)
      yield* Scope.close(first, Exit.void)
      assert.deepStrictEqual(yield* shown, both)
      yield* Scope.close(second, Exit.void)
      assert.deepStrictEqual(yield* shown, [])
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
})
