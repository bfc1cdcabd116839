/**
 * Scents that cannot be handled: whoever watches the alerts learns at once that hostile traffic
 * passes, and a flood of them is one alert a window.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import { Settings } from "../../../src/config/Settings.ts"
import { Quarantine } from "../../../src/custody/quarantine/Quarantine.ts"
import type { Scent } from "../../../src/domain/Scent.ts"
import { Hash } from "../../../src/host/port/Hash.ts"
import { Introspection } from "../../../src/host/port/Introspection.ts"
import { Memory } from "../../../src/host/port/Memory.ts"
import { MonotonicTime } from "../../../src/host/port/MonotonicTime.ts"
import { Randomness } from "../../../src/host/port/Randomness.ts"
import { Tracehound } from "../../../src/index.ts"
import { type AgentServices, make } from "../../../src/intake/agent/Agent.ts"
import { Escalation } from "../../../src/intake/agent/Escalation.ts"
import { RateLimiter } from "../../../src/intake/gate/RateLimiter.ts"
import { Throughput } from "../../../src/intake/gate/Throughput.ts"
import { Alerts } from "../../../src/safety/alert/Alerts.ts"
import { AlertRecorder, TracehoundTest } from "../../../src/testing/index.ts"
import { makeTold, rooms } from "../../support/rooms.ts"

const scent: Scent = {
  id: "1",
  source: "192.0.2.1",
  timestamp: 1,
  payload: "x",
  threat: { category: "injection", severity: "high" }
}

/** A scent of the host's that fails where it is read, with a text that no alert may have. */
const failing: Scent = Object.defineProperty({ ...scent }, "threat", {
  get: () => {
    throw new Error("<script>alert(1)</script>")
  }
})

const codeOf = ({ sync }: Tracehound["Service"], given: Scent): string => {
  const answer = sync.intercept(given)
  return answer.status === "error" ? answer.error.code : answer.status
}

describe("a scent that cannot be handled", () => {
  it.effect("RFC W2 D1 is a critical alert at once, with no word of the scent", () =>
    Effect.gen(function*() {
      const tracehound = yield* Tracehound
      const { alerts } = yield* AlertRecorder
      yield* TestClock.setTime(5_000)
      assert.strictEqual(codeOf(tracehound, failing), "unexpected")
      // Without a step of the clock: no second goes by.
      yield* TracehoundTest.settled
      const [alert, ...others] = yield* alerts
      assert.deepInclude(alert, { type: "intercept.failure", severity: "critical", timestamp: 5_000 })
      assert.sameMembers(Object.keys(alert ?? {}), ["type", "severity", "message", "timestamp", "reason", "frames"])
      assert.notInclude(JSON.stringify(alert), "script")
      assert.strictEqual(alert?.reason, "Error")
      assert.include(alert?.frames?.join() ?? "", "intake/agent/Agent.ts")
      assert.include(alert?.message ?? "", "tracehound doctor")
      assert.deepStrictEqual(others, [])
    }).pipe(Effect.provide(TracehoundTest.layer())))

  it.effect("RFC W2 is one alert in a window, however many they are, and another one in the next", () =>
    Effect.gen(function*() {
      const tracehound = yield* Tracehound
      const { types } = yield* AlertRecorder
      const flood = Effect.gen(function*() {
        for (let i = 0; i < 1_000; i++) codeOf(tracehound, failing)
        yield* TracehoundTest.settled
        return (yield* types).length
      })
      assert.strictEqual(yield* flood, 1)
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(yield* flood, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* flood, 2)
      assert.strictEqual(yield* flood, 2)
      assert.deepStrictEqual(yield* types, ["intercept.failure", "intercept.failure"], "and no flood of alerts")
    }).pipe(Effect.provide(TracehoundTest.layer({ alerts: { windowMs: 1_000 } }))))

  it.effect("RFC W2 is told though other alerts have filled the window, and takes no place of theirs", () =>
    Effect.gen(function*() {
      const tracehound = yield* Tracehound
      const { types } = yield* AlertRecorder
      codeOf(tracehound, failing)
      for (const payload of ["a", "b", "c", "d", "e"]) codeOf(tracehound, { ...scent, payload })
      yield* TracehoundTest.settled
      assert.sameMembers([...(yield* types)], [
        "intercept.failure",
        "high_severity_eviction",
        "high_severity_eviction",
        "alert.flood"
      ])
    }).pipe(
      Effect.provide(TracehoundTest.layer({ quarantine: { maxCount: 1 }, alerts: { maxAlertsPerWindow: 2 } }))
    ))

  it.effect("RFC W2 is told by monotonic time: a clock that is set back silences nothing for longer", () =>
    Effect.gen(function*() {
      const tracehound = yield* Tracehound
      const { types } = yield* AlertRecorder
      yield* TestClock.setTime(3_600_000)
      codeOf(tracehound, failing)
      yield* TestClock.setTime(0)
      codeOf(tracehound, failing)
      yield* TestClock.adjust("1 minute")
      codeOf(tracehound, failing)
      yield* TracehoundTest.settled
      assert.deepStrictEqual(yield* types, ["intercept.failure", "intercept.failure"])
    }).pipe(Effect.provide(TracehoundTest.layer())))

  it.effect("RFC D1 is no alert where the answer is another error: that is the scent's own fault", () =>
    Effect.gen(function*() {
      const tracehound = yield* Tracehound
      const { types } = yield* AlertRecorder
      assert.strictEqual(codeOf(tracehound, { ...scent, timestamp: Number.NaN }), "invalid_timestamp")
      assert.strictEqual(codeOf(tracehound, { ...scent, id: "x".repeat(300) }), "invalid_id")
      assert.strictEqual(codeOf(tracehound, scent), "quarantined")
      tracehound.sync.panic()
      assert.strictEqual(codeOf(tracehound, failing), "panicked")
      yield* TracehoundTest.settled
      assert.notInclude(yield* types, "intercept.failure")
    }).pipe(Effect.provide(TracehoundTest.layer())))
})

describe("a host that breaks while it runs", () => {
  const fail = (): never => {
    throw new RangeError("Array buffer allocation failed")
  }

  const faults: Readonly<Record<string, (services: AgentServices) => Partial<AgentServices>>> = {
    "its hash fails": () => ({ hash: { sha256Into: fail, sha256Text: fail } }),
    "there is no memory for evidence": ({ quarantine }) => ({ quarantine: { ...quarantine, hold: fail } }),
    "its time of day fails": () => ({ clock: { currentTimeMillisUnsafe: fail } }),
    "the limit of a source fails": () => ({ rateLimiter: { waitUnsafe: fail } })
  }

  for (const [fault, bend] of Object.entries(faults)) {
    const told = makeTold()
    it.effect(`RFC W2 F5 is told once, and the host hears no exception: ${fault}`, () =>
      Effect.gen(function*() {
        const services = {
          settings: yield* Settings,
          clock: yield* Clock.Clock,
          monotonicTime: yield* MonotonicTime,
          hash: yield* Hash,
          introspection: yield* Introspection,
          memory: yield* Memory,
          randomness: yield* Randomness,
          rateLimiter: yield* RateLimiter,
          throughput: yield* Throughput,
          quarantine: yield* Quarantine,
          escalation: yield* Escalation,
          alerts: yield* Alerts
        }
        const { interceptUnsafe } = make({ ...services, ...bend(services) })
        for (let i = 0; i < 50; i++) {
          const answer = interceptUnsafe({ ...scent, payload: `payload ${i}` })
          assert.strictEqual(answer.status === "error" ? answer.error.code : answer.status, "unexpected")
        }
        assert.deepStrictEqual(told.log.filter((line) => line.startsWith("alert")), ["alert intercept.failure"])
        assert.strictEqual(services.quarantine.stats().count, 0)
      }).pipe(Effect.provide(rooms({}, told))))
  }
})
