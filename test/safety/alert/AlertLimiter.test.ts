import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { type Admission, type AlertLimits, makeAlertLimiter } from "../../../src/safety/alert/AlertLimiter.ts"

const rfc: AlertLimits = { maxAlertsPerWindow: 10, windowMs: 60_000, escalationThreshold: 1 }

const admitAt = (limits: AlertLimits, times: ReadonlyArray<number>): Array<Admission> =>
  times.map(makeAlertLimiter(limits).admit)

const times = (count: number, at: number): Array<number> => Array.from({ length: count }, () => at)
const repeat = (admission: Admission, count: number): Array<Admission> => Array.from({ length: count }, () => admission)

const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

describe("AlertLimiter", () => {
  it("RFC W2 lets ten through, escalates the eleventh, and is silent for the rest of the window", () => {
    assert.deepStrictEqual(admitAt(rfc, times(1_000, 5)), [
      ...repeat("emit", 10),
      "escalate",
      ...repeat("suppress", 989)
    ])
  })

  it("RFC W2 the next window starts clean, to the millisecond, and escalates again", () => {
    const limiter = makeAlertLimiter(rfc)
    for (const at of times(20, 1_000)) limiter.admit(at)
    assert.strictEqual(limiter.admit(60_999), "suppress")
    assert.strictEqual(limiter.alertCount, 21)
    assert.strictEqual(limiter.admit(61_000), "emit")
    assert.strictEqual(limiter.alertCount, 1)
    assert.deepStrictEqual(times(11, 61_001).map(limiter.admit), [...repeat("emit", 9), "escalate", "suppress"])
  })

  it("RFC W2 the escalation waits for as many suppressed alerts as the threshold says", () => {
    const limits = { maxAlertsPerWindow: 2, windowMs: 10, escalationThreshold: 4 }
    assert.deepStrictEqual(admitAt(limits, times(8, 0)), [
      "emit",
      "emit",
      "suppress",
      "suppress",
      "suppress",
      "escalate",
      "suppress",
      "suppress"
    ])
  })

  it("RFC W2 a window begins with the first alert after the last one ended", () => {
    const limits = { maxAlertsPerWindow: 1, windowMs: 100, escalationThreshold: 1 }
    // 0 opens until 99; 250 opens until 349.
    assert.deepStrictEqual(admitAt(limits, [0, 99, 250, 349, 350]), ["emit", "escalate", "emit", "escalate", "emit"])
  })

  it("RFC W2 a clock that goes back stays in its window, and is silent no longer than a window from there", () => {
    const limiter = makeAlertLimiter({ maxAlertsPerWindow: 1, windowMs: 100, escalationThreshold: 1 })
    assert.strictEqual(limiter.admit(1_000_000), "emit")
    assert.strictEqual(limiter.admit(500), "escalate")
    assert.strictEqual(limiter.admit(599), "suppress")
    assert.strictEqual(limiter.alertCount, 3)
    assert.strictEqual(limiter.admit(600), "emit")
  })

  it("RFC W2 times before the epoch, and no times at all, are bounded too", () => {
    assert.deepStrictEqual(admitAt(rfc, times(12, -5)), [...repeat("emit", 10), "escalate", "suppress"])
    assert.deepStrictEqual(admitAt(rfc, times(12, Number.NaN)), [...repeat("emit", 10), "escalate", "suppress"])
  })

  it.prop(
    "RFC W2 in any window at most so many pass, then exactly one escalation",
    {
      maxAlertsPerWindow: whole(1, 6),
      windowMs: whole(1, 50),
      escalationThreshold: whole(1, 4),
      steps: Schema.Array(whole(0, 12)).check(Schema.isMaxLength(200))
    },
    ({ steps, ...limits }) => {
      let now = 0
      const given = steps.map((step) => ({ at: now += step }))
      const answers = admitAt(limits, given.map(({ at }) => at))
      for (let first = 0; first < given.length;) {
        const start = given[first]?.at ?? 0
        const after = given.findIndex(({ at }, i) => i > first && at >= start + limits.windowMs)
        const window = answers.slice(first, after === -1 ? undefined : after)
        const { escalationThreshold, maxAlertsPerWindow } = limits
        assert.deepStrictEqual(
          window,
          window.map((_, i) =>
            i < maxAlertsPerWindow
              ? "emit"
              : i + 1 === maxAlertsPerWindow + escalationThreshold
              ? "escalate"
              : "suppress"
          )
        )
        first += window.length
      }
    },
    { arbitrary: { runs: 200, size: 200 } }
  )
})
