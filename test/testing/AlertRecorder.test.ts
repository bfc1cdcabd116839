/**
 * The recorder shows all alerts that leave, once each, in the order in which the alerts service
 * hands them to its sinks.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { type Alert, AlertSinks, type Severity, Tracehound } from "../../src/index.ts"
import { AlertRecorder, InProcessHounds, MemoryColdStorage, TracehoundTest } from "../../src/testing/index.ts"

const scent = (payload: string, severity: Severity) => ({
  id: "1",
  source: "192.0.2.1",
  timestamp: 1,
  payload,
  threat: { category: "malware", severity } as const
})

/** Each payload but the last is evicted, which raises an alert. */
const evictions = Effect.fnUntraced(function*(...payloads: ReadonlyArray<string>) {
  const { sync } = yield* Tracehound
  for (const payload of payloads) sync.intercept(scent(payload, "high"))
})

const config = { quarantine: { maxCount: 1 }, audit: { coldStorage: { endpoint: "file:memory", maxPendingCount: 1 } } }

describe("AlertRecorder", () => {
  it.effect("records whole alerts, on the turn on which they leave", () =>
    Effect.gen(function*() {
      const { alerts, types } = yield* AlertRecorder
      yield* TestClock.setTime(5_000)
      yield* evictions("a", "b")
      assert.deepStrictEqual(yield* alerts, [])
      yield* TracehoundTest.settled
      const [alert] = yield* alerts
      assert.include(alert, { type: "high_severity_eviction", severity: "warning", timestamp: 5_000 })
      assert.match(alert?.signature ?? "", /^malware:[0-9a-f]{64}$/)
      assert.deepStrictEqual(yield* types, ["high_severity_eviction"])
    }).pipe(Effect.provide(TracehoundTest.layer({ quarantine: { maxCount: 1 } }))))

  it.effect("RFC S1 records critical alerts first, and those of one level in the order in which they were raised", () =>
    Effect.gen(function*() {
      yield* (yield* MemoryColdStorage).hang()
      // The first eviction is taken; the second and third are refused, which is critical, and
      // evicted, which is a warning.
      yield* evictions("a", "b", "c", "d")
      yield* TracehoundTest.settled
      const { alerts, types } = yield* AlertRecorder
      assert.deepStrictEqual(yield* types, [
        "coldstorage.refused",
        "coldstorage.refused",
        "high_severity_eviction",
        "high_severity_eviction",
        "high_severity_eviction"
      ])
      const evicted = (yield* Tracehound).sync.auditChain.records().map(({ entry }) => entry.signature)
      const named = (yield* alerts).map(({ signature }) => signature)
      assert.deepStrictEqual(named, [...evicted.slice(1), ...evicted])
    }).pipe(Effect.provide(TracehoundTest.layer(config))))

  it.effect("RFC W2 records no alert that the limiter holds back", () =>
    Effect.gen(function*() {
      const { types } = yield* AlertRecorder
      yield* evictions("a", "b", "c", "d", "e")
      yield* TracehoundTest.settled
      assert.deepStrictEqual(yield* types, ["alert.flood", "high_severity_eviction", "high_severity_eviction"])
      yield* TestClock.adjust(1_000)
      yield* evictions("f")
      yield* TracehoundTest.settled
      assert.lengthOf(yield* types, 4)
    }).pipe(Effect.provide(TracehoundTest.layer({
      quarantine: { maxCount: 1 },
      alerts: { maxAlertsPerWindow: 2, windowMs: 1_000 }
    }))))

  it.effect("a test can wait for alerts to have left", () =>
    Effect.gen(function*() {
      const { received, types } = yield* AlertRecorder
      yield* received(0)
      const waiter = yield* Effect.forkChild(Effect.andThen(received(2), types), { startImmediately: true })
      yield* evictions("a", "b")
      yield* TracehoundTest.settled
      assert.isUndefined(waiter.pollUnsafe())
      yield* evictions("c")
      assert.lengthOf(yield* Fiber.join(waiter), 2)
      yield* received(1)
    }).pipe(Effect.provide(TracehoundTest.layer({ quarantine: { maxCount: 1 } }))))

  it.effect("replaces no sink: other sinks get the same alerts", () => {
    const heard: Array<Alert> = []
    const sinks = Layer.succeed(AlertSinks, [
      { sendUnsafe: (alert: Alert) => void heard.push(alert), onFailure: () => undefined }
    ])
    return Effect.gen(function*() {
      yield* evictions("a", "b", "c")
      yield* (yield* InProcessHounds).next("error")
      yield* TracehoundTest.settled
      assert.isAbove(heard.length, 1)
      assert.deepStrictEqual(yield* (yield* AlertRecorder).alerts, heard)
    }).pipe(Effect.provide(Layer.provide(TracehoundTest.layer({ quarantine: { maxCount: 1 } }), sinks)))
  })
})
