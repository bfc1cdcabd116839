/**
 * The Prometheus text of a busy Tracehound, read by a strict reader.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { TestClock } from "effect/testing"
import { prometheusName, Tracehound } from "../../src/index.ts"
import { catalogue } from "../../src/runtime/MetricNames.ts"
import { InProcessHounds, MemoryColdStorage, TracehoundTest } from "../../src/testing/index.ts"
import { parsePrometheus } from "../support/prometheus.ts"

const text = PrometheusMetrics.format({ metricNameMapper: prometheusName })

/** A host's own metric whose texts are as awkward as texts can be. */
const hostile = Metric.counter("host.requests", {
  description: "a \\ and\na second line",
  attributes: { path: "\"\\\n{}=,", "a.b": "é" }
})

const busy = Effect.gen(function*() {
  const { sync } = yield* Tracehound
  const hounds = yield* InProcessHounds
  const memory = yield* MemoryColdStorage
  yield* hounds.next("complete", "error", "hang")
  yield* memory.slowBy(700)
  for (let i = 0; i < 200; i++) {
    sync.intercept({
      id: `${i}`,
      source: `192.0.2.${i % 9}`,
      timestamp: i,
      payload: "x".repeat(i % 40),
      ...(i % 3 === 0 ? {} : { threat: { category: "spam", severity: i % 4 === 0 ? "critical" : "high" } })
    })
    if (i % 10 === 0) yield* TestClock.adjust(100)
  }
  yield* TracehoundTest.settled
  yield* Metric.update(hostile, 3)
})

const layer = TracehoundTest.layer({
  quarantine: { maxCount: 8 },
  maxPayloadSize: 35,
  rateLimit: { maxRequests: 15 },
  alerts: { devopsEndpoint: "http://127.0.0.1:9" }
})

const alone = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.provideService(effect, Metric.MetricRegistry, new Map()))

/** What only a Tracehound with a data directory has. */
const isOfDataDirectory = (name: string): boolean =>
  name.startsWith("tracehound.ledger.") || /^tracehound\.quarantine\.(?:not_)?durable$/.test(name)

describe("the text for Prometheus", () => {
  it.effect("RFC W5 of a busy Tracehound is as a scraper wants it, with the names that Prometheus users expect", () =>
    Effect.gen(function*() {
      yield* busy
      const families = parsePrometheus(yield* text)
      const byName = new Map(families.map((family) => [family.name, family]))
      for (const { description, kind, name } of catalogue.filter((metric) => !isOfDataDirectory(metric.name))) {
        const family = byName.get(prometheusName(name)) ?? assert.fail(`${name} is not there`)
        assert.strictEqual(family.type, kind, name)
        assert.strictEqual(family.help, description, name)
        assert.strictEqual(family.name.endsWith("_total"), kind === "counter", name)
        for (const { labels } of family.samples) {
          assert.strictEqual(labels.get("tracehound_instance"), "tracehound", name)
          assert.isFalse(labels.has("unit"))
        }
      }
      const statuses = byName.get("tracehound_intercepts_total")?.samples ?? []
      assert.strictEqual(statuses.reduce((sum, { value }) => sum + value, 0), 200)
      assert.isTrue(statuses.filter(({ value }) => value > 0).length >= 5, "it was busy")
    }).pipe(Effect.provide(layer), alone))

  it.effect("RFC W5 holds a host's own metrics beside ours, as they were", () =>
    Effect.gen(function*() {
      yield* busy
      const family = parsePrometheus(yield* text).find(({ name }) => name === "host_requests")
      assert.strictEqual(family?.help, "a \\ and\na second line")
      assert.deepStrictEqual([...family?.samples[0]?.labels ?? []], [["path", "\"\\\n{}=,"], ["a_b", "é"]])
    }).pipe(Effect.provide(layer), alone))
})

describe("prometheusName", () => {
  it.each([
    ["tracehound.intercepts", "tracehound_intercepts_total"],
    ["tracehound.quarantine.items", "tracehound_quarantine_items"],
    ["tracehound.quarantine.bytes", "tracehound_quarantine_bytes"],
    ["tracehound.coldstorage.pending.bytes", "tracehound_coldstorage_pending_bytes"],
    ["tracehound.coldstorage.pending.age", "tracehound_coldstorage_pending_age_seconds"],
    ["tracehound.hound.duration", "tracehound_hound_duration_seconds"],
    ["tracehound.panicked", "tracehound_panicked"],
    ["tracehound.actor.handling.time", "tracehound_actor_handling_time_seconds_total"],
    ["tracehound.actor.mailbox.age", "tracehound_actor_mailbox_age_seconds"],
    ["a.host's own", "a.host's own"],
    ["constructor", "constructor"]
  ])("RFC W5 of %s is %s", (name, expected) => {
    assert.strictEqual(prometheusName(name), expected)
  })

  it("RFC W5 gives each metric a name of its own", () => {
    assert.strictEqual(new Set(catalogue.map(({ name }) => prometheusName(name))).size, catalogue.length)
  })
})
