/**
 * Totals by status: each scent is counted once, under the answer that it got.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { interceptStatuses, type InterceptTotals } from "../../../src/domain/InterceptResult.ts"
import type { Scent } from "../../../src/domain/Scent.ts"
import { Tracehound } from "../../../src/index.ts"
import { Arbitraries, TracehoundTest } from "../../../src/testing/index.ts"
import { sample } from "../../testing/arbitraries.ts"

const scent: Scent = { id: "1", source: "192.0.2.1", timestamp: 1, payload: "x" }
const threat = { category: "injection", severity: "low" } as const
const none = Object.fromEntries(interceptStatuses.map((status) => [status, 0])) as unknown as InterceptTotals

/** A host's own scent that fails where it is read. */
const failing: Scent = Object.defineProperty({ ...scent }, "source", {
  get: () => {
    throw new Error("hostile")
  }
})

/** Scents in order, each with the status that it is answered with. */
const cases: ReadonlyArray<readonly [given: Scent, status: keyof InterceptTotals]> = [
  [scent, "clean"],
  [{ ...scent, threat }, "quarantined"],
  [{ ...scent, threat }, "ignored"],
  [{ ...scent, payload: { a: 1 }, threat }, "quarantined"],
  [{ ...scent, payload: { a: 1 }, threat }, "ignored"],
  [{ ...scent, payload: "bad", threat: { ...threat, severity: "critical" } }, "escalated"],
  [{ ...scent, payload: "x".repeat(65), threat }, "payload_too_large"],
  [{ ...scent, payload: [[[[]]]], threat }, "payload_too_large"],
  // No room: critical evidence is not given up for it.
  [{ ...scent, payload: "y".repeat(60), threat }, "quarantined"],
  [{ ...scent, timestamp: Number.NaN }, "error"],
  [{ ...scent, threat: null as never }, "error"],
  [failing, "error"],
  [scent, "clean"],
  [scent, "rate_limited"]
]

const small = TracehoundTest.layer({
  maxPayloadSize: 64,
  maxDepth: 3,
  quarantine: { maxBytes: 62 },
  rateLimit: { maxRequests: 10 }
})

describe("totals", () => {
  it.effect("RFC W4 D6 count each scent once, under the status of its answer and no other", () =>
    Effect.gen(function*() {
      const { sync } = yield* Tracehound
      assert.deepStrictEqual(sync.totals(), none)
      for (const [given, status] of cases) {
        const before = sync.totals()
        assert.strictEqual(sync.intercept(given).status, status)
        assert.deepStrictEqual(sync.totals(), { ...before, [status]: before[status] + 1 })
      }
    }).pipe(Effect.provide(small)))

  it.effect("RFC W4 F3 count what comes after a panic as errors", () =>
    Effect.gen(function*() {
      const { sync } = yield* Tracehound
      sync.panic()
      for (const [given] of cases) assert.strictEqual(sync.intercept(given).status, "error")
      assert.deepStrictEqual(sync.totals(), { ...none, error: cases.length })
    }).pipe(Effect.provide(small)))

  it.effect("RFC W4 add up to the number of calls, whatever was passed", () =>
    Effect.gen(function*() {
      const { sync } = yield* Tracehound
      const hostile = yield* sample(Arbitraries.hostile, 200)
      for (const { make } of hostile) {
        sync.intercept(make() as Scent)
        sync.intercept({ ...scent, payload: make(), threat })
      }
      const sum = Object.values(sync.totals()).reduce((a, b) => a + b, 0)
      assert.strictEqual(sum, 2 * hostile.length)
    }).pipe(Effect.provide(TracehoundTest.layer({ quarantine: { maxCount: 16 } }))))
})
