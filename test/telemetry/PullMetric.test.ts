/**
 * Pulled metrics: what an exporter reads while the source is well, while it fails, and after it has
 * gone; and what becomes of namesakes.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Metric, Scope } from "effect"
import { pull, type PullMetric } from "../../src/telemetry/PullMetric.ts"

const counter: PullMetric = { name: "test.seen", description: "Seen so far", unit: "{item}", kind: "counter" }
const gauge: PullMetric = { name: "test.held", description: "Held now", unit: "By", kind: "gauge" }

/** Each series as `name{attributes} value`. */
const shown = Effect.map(Metric.snapshot, (snapshot) =>
  snapshot.map(({ attributes, id, state }) => {
    const value = "count" in state ? state.count : "value" in state ? state.value : Number.NaN
    const { unit, ...labels } = attributes ?? {}
    return `${id}[${unit}]${JSON.stringify(labels)} ${value}`
  }))

/** Its own registry for each test. */
const alone = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Metric.MetricRegistry, new Map())

/** A scope to close by hand, and what is pulled in it. */
const pulled = Effect.fnUntraced(function*(metric: PullMetric, read: () => number) {
  const scope = yield* Scope.make()
  yield* Scope.provide(pull(metric, read), scope)
  return { close: Scope.close(scope, Exit.void) }
})

describe("a pulled metric", () => {
  it.effect("RFC W5 is read at each export and never in between, with its unit as attribute", () =>
    alone(Effect.gen(function*() {
      let reads = 0
      let held = 7
      yield* pull({ ...gauge, attributes: { severity: "high" } }, () => {
        reads += 1
        return held
      })
      assert.strictEqual(reads, 0)
      assert.deepStrictEqual(yield* shown, ["test.held[By]{\"severity\":\"high\"} 7"])
      held = 3
      assert.deepStrictEqual(yield* shown, ["test.held[By]{\"severity\":\"high\"} 3"])
      assert.strictEqual(reads, 2)
    })))

  it.effect("is gone when its scope closes, and begins anew when it is pulled again", () =>
    alone(Effect.gen(function*() {
      const { close } = yield* pulled(counter, () => 5)
      assert.deepStrictEqual(yield* shown, ["test.seen[{item}]{} 5"])
      yield* close
      assert.deepStrictEqual(yield* shown, [])
      yield* pull(counter, () => 1)
      assert.deepStrictEqual(yield* shown, ["test.seen[{item}]{} 1"])
    })))

  it.effect("RFC W5 whose read throws, or gives no finite number, stays where it was", () =>
    alone(Effect.gen(function*() {
      const answers = [
        () => Number.NaN,
        () => 4,
        () => {
          throw new Error("gone")
        },
        () => Number.POSITIVE_INFINITY,
        () => 2
      ]
      yield* pull(gauge, () => answers.shift()?.() ?? 0)
      const seen: Array<ReadonlyArray<string>> = []
      for (let export_ = 0; export_ < 5; export_++)
        seen.push(yield* shown)
      assert.deepStrictEqual(
        seen.flat().map((line) => line.split(" ")[1]),
        ["0", "4", "4", "4", "2"]
      )
    })))

  it.effect("that is a counter never goes back", () =>
    alone(Effect.gen(function*() {
      let count = 9
      yield* pull(counter, () => count)
      assert.deepStrictEqual(yield* shown, ["test.seen[{item}]{} 9"])
      count = 2
      assert.deepStrictEqual(yield* shown, ["test.seen[{item}]{} 9"])
    })))

  it.effect("is not read after its scope has closed, whoever still holds the series", () =>
    alone(Effect.gen(function*() {
      let reads = 0
      const read = () => {
        reads += 1
        return 5
      }
      const { close: closeCounter } = yield* pulled(counter, read)
      const { close: closeGauge } = yield* pulled(gauge, read)
      const context = yield* Effect.context()
      const held = [...(yield* Metric.MetricRegistry).values()]
      yield* Effect.andThen(closeCounter, closeGauge)
      const before = reads
      assert.deepStrictEqual(held.map(({ hooks }) => hooks.get(context)), [{ count: 5, incremental: true }, {
        value: 0
      }])
      assert.strictEqual(reads, before)
    })))

  it.effect("takes no pushed value", () =>
    alone(Effect.gen(function*() {
      yield* pull(gauge, () => 1)
      yield* Metric.update(Metric.gauge(gauge.name, { description: gauge.description, attributes: { unit: "By" } }), 99)
      assert.deepStrictEqual(yield* shown, ["test.held[By]{} 1"])
    })))
})

describe("two readers of one series", () => {
  it.effect("are one series of their sum, from which neither takes the other's", () =>
    alone(Effect.gen(function*() {
      const { close: closeFirst } = yield* pulled(gauge, () => 2)
      const { close: closeSecond } = yield* pulled(gauge, () => 5)
      assert.deepStrictEqual(yield* shown, ["test.held[By]{} 7"])
      yield* closeSecond
      assert.deepStrictEqual(yield* shown, ["test.held[By]{} 2"])
      yield* closeFirst
      assert.deepStrictEqual(yield* shown, [])
    })))

  it.effect("are the greater of both where the metric says so", () =>
    alone(Effect.gen(function*() {
      const oldest = { ...gauge, combine: "max" as const }
      yield* pull(oldest, () => 2)
      const { close } = yield* pulled(oldest, () => 5)
      assert.deepStrictEqual(yield* shown, ["test.held[By]{} 5"])
      yield* close
      assert.deepStrictEqual(yield* shown, ["test.held[By]{} 2"])
    })))

  it.effect("of a counter: what one has counted stays when it leaves", () =>
    alone(Effect.gen(function*() {
      let count = 3
      const { close } = yield* pulled(counter, () => count)
      yield* pull(counter, () => 4)
      count = 10
      yield* close
      assert.deepStrictEqual(yield* shown, ["test.seen[{item}]{} 14"])
    })))

  it.effect("with other attributes, be they the context's, are two series", () =>
    alone(Effect.gen(function*() {
      yield* pull({ ...gauge, attributes: { state: "a" } }, () => 1)
      yield* Effect.provideService(pull(gauge, () => 2), Metric.CurrentMetricAttributes, { state: "b" })
      yield* Effect.provideService(
        pull({ ...gauge, attributes: { state: "c" } }, () => 4),
        Metric.CurrentMetricAttributes,
        {
          state: "b"
        }
      )
      assert.deepStrictEqual(yield* shown, ["test.held[By]{\"state\":\"a\"} 1", "test.held[By]{\"state\":\"b\"} 6"])
    })))

  it.effect("in other registries know nothing of each other", () =>
    Effect.gen(function*() {
      const see = (value: number) => alone(Effect.scoped(Effect.andThen(pull(gauge, () => value), shown)))
      assert.deepStrictEqual([yield* see(1), yield* see(2)].flat(), ["test.held[By]{} 1", "test.held[By]{} 2"])
    }))
})
