/**
 * Tests the table of causes and actions, and the full quarantine, by themselves: the alerts, the
 * callbacks and the panic only record their calls.
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { TracehoundConfig } from "../../../src/config/TracehoundConfig.ts"
import {
  type EvictionStrategy,
  type FailSafeAction,
  failSafeActions,
  type FailSafeCause,
  failSafeCauses,
  type PanicAction,
  type PanicContext
} from "../../../src/domain/FailSafe.ts"
import { problem } from "../../../src/domain/TracehoundError.ts"
import type { QuarantineStats } from "../../../src/domain/WatcherSnapshot.ts"
import { FullQuarantine, Reports } from "../../../src/safety/failsafe/FailSafe.ts"
import { settingOf } from "../../../src/safety/failsafe/Notices.ts"
import { make as makeCaller } from "../../../src/telemetry/Caller.ts"

const { failSafe: defaults } = Schema.decodeUnknownSync(TracehoundConfig)({})

const error = problem({ state: "agent", code: "e", message: "m" })

const notWaitedFor = () => assert.fail("nobody waits for this callback")

/** Reports under these settings, and a log of what they did. */
const opened = (settings: Partial<Record<(typeof settingOf)[FailSafeCause], FailSafeAction>> = {}) => {
  const log: Array<string> = []
  const contexts: Array<PanicContext> = []
  const asked: Array<(answer: PanicAction | null) => void> = []
  const time = { now: 0 }
  const reports = new Reports({
    settings: { ...defaults, ...settings, panic: { threshold: { min: 2, max: 4, window: 100 } } },
    alerts: {
      alertUnsafe: ({ severity, type }) => void log.push(`${severity} ${type}`),
      errorUnsafe: ({ code }) => void log.push(`error ${code}`)
    },
    callbacks: {
      onEscalate: {
        callUnsafe: (alert) => void log.push(`onEscalate ${Object.keys(alert).join(" ")}`),
        call: notWaitedFor
      },
      onPanicThreshold: {
        callUnsafe: (context, onAnswer) => {
          log.push(`onPanicThreshold ${context.errors}`)
          if (onAnswer !== undefined) asked.push(onAnswer)
        },
        call: notWaitedFor
      }
    },
    caller: makeCaller(),
    panic: { beginUnsafe: (context) => void contexts.push(context) },
    clock: { currentTimeMillisUnsafe: () => 7 },
    nowMs: () => time.now
  })
  return { asked, contexts, log, reports, time }
}

const escalated = ["error e", "warning failsafe.escalated", "onEscalate type severity message timestamp reason"]

describe("Reports", () => {
  it.each(failSafeCauses.flatMap((cause) => failSafeActions.map((action) => [cause, action] as const)))(
    "RFC F1 %s under %s is the answer, and the error is on the board first",
    (cause, action) => {
      const { contexts, log, reports } = opened({ [settingOf[cause]]: action })
      assert.strictEqual(reports.reportUnsafe(cause, error), action)
      assert.deepStrictEqual(log, action === "escalate" ? escalated : ["error e"])
      const panics = action === "panic" ? [{ cause, error, errors: 0, window: 100, timestamp: 7 }] : []
      assert.deepStrictEqual(contexts, panics)
    }
  )

  it("RFC F2 escalations add up: the host is asked at the minimum, and the maximum is a panic", () => {
    const { contexts, log, reports } = opened({ onTimeout: "escalate" })
    for (let n = 0; n < 3; n++) reports.reportUnsafe("timeout", error)
    assert.deepStrictEqual(log.filter((line) => line.startsWith("onPanicThreshold")), ["onPanicThreshold 2"])
    assert.deepStrictEqual(contexts, [])
    reports.reportUnsafe("timeout", error)
    assert.deepStrictEqual(contexts, [{ cause: "threshold", error, errors: 4, window: 100, timestamp: 7 }])
  })

  it("RFC F2 an escalation that does not count towards a panic is alerted all the same", () => {
    const { contexts, log, reports } = opened({ onTimeout: "escalate" })
    for (let n = 0; n < 50; n++) reports.reportUnsafe("timeout", error, { countsTowardsPanic: false })
    assert.strictEqual(log.length, 50 * escalated.length)
    assert.deepStrictEqual(contexts, [])
    for (let n = 0; n < 4; n++) reports.reportUnsafe("timeout", error, { countsTowardsPanic: true })
    assert.strictEqual(contexts.length, 1)
  })

  it("RFC F2 errors count for one window of monotonic time", () => {
    const { contexts, reports, time } = opened({ onTimeout: "escalate" })
    for (let n = 0; n < 100; n++) {
      reports.reportUnsafe("timeout", error)
      time.now += 34
    }
    assert.deepStrictEqual(contexts, [])
  })

  it("RFC F2 F4 the host's answer resets the count, panics, alerts, or does nothing", () => {
    const asking = () => {
      const world = opened({ onTimeout: "escalate" })
      for (let n = 0; n < 2; n++) world.reports.reportUnsafe("timeout", error)
      const answer = world.asked[0] ?? assert.fail("nobody was asked")
      world.log.length = 0
      return { ...world, answer }
    }
    const reset = asking()
    reset.answer("reset")
    assert.strictEqual(reset.reports.contextOf("request", null).errors, 0)
    const panic = asking()
    panic.answer("panic")
    assert.deepStrictEqual(panic.contexts.map(({ cause }) => cause), ["threshold"])
    const escalate = asking()
    escalate.answer("escalate")
    assert.strictEqual(escalate.log[0], "critical failsafe.escalated")
    for (const none of ["custom", null] as const) {
      const nothing = asking()
      nothing.answer(none)
      assert.deepStrictEqual([nothing.log, nothing.contexts], [[], []])
      assert.strictEqual(nothing.reports.contextOf("request", null).errors, 2)
    }
  })
})

describe("FullQuarantine", () => {
  const stats = (): QuarantineStats => assert.fail("asked for without a callback")

  it.each([["Purge", "evict"], ["escalate", "evict"], ["quarantine", "turn_away"], ["panic", "turn_away"]] as const)(
    "RFC F1 %s means %s, and is reported once until there is room again",
    (action, strategy) => {
      let reports = 0
      const full = new FullQuarantine({
        reportUnsafe: () => {
          reports += 1
          return action
        }
      }, null)
      for (let n = 0; n < 10; n++) assert.strictEqual(full.fullUnsafe(stats), strategy)
      assert.strictEqual(reports, 1)
      full.roomUnsafe()
      full.fullUnsafe(stats)
      assert.strictEqual(reports, 2)
    }
  )

  it("RFC F4 the host's answer holds from when it comes until there is room again; none changes nothing", () => {
    const answers: Array<(answer: EvictionStrategy | null) => void> = []
    const sample: QuarantineStats = { count: 1 } as QuarantineStats
    const full = new FullQuarantine({ reportUnsafe: () => "Purge" }, {
      callUnsafe: (given, onAnswer) => {
        assert.strictEqual(given, sample)
        if (onAnswer !== undefined) answers.push(onAnswer)
      },
      call: notWaitedFor
    })
    assert.strictEqual(full.fullUnsafe(() => sample), "evict")
    answers[0]?.(null)
    assert.strictEqual(full.fullUnsafe(stats), "evict")
    answers[0]?.("turn_away")
    assert.strictEqual(full.fullUnsafe(stats), "turn_away")
    full.roomUnsafe()
    answers[0]?.("turn_away")
    assert.strictEqual(full.fullUnsafe(() => sample), "evict")
  })
})
