/**
 * Evidence that escalates: which evidence, in what order, and how much at once.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { fromArgument, resolveConfig } from "../../../src/config/ConfigSources.ts"
import type { TracehoundConfigInput } from "../../../src/config/TracehoundConfig.ts"
import type { SeverityRaise } from "../../../src/custody/quarantine/Quarantine.ts"
import type { FailSafeAction } from "../../../src/domain/FailSafe.ts"
import { categoryRank } from "../../../src/domain/Scent.ts"
import { severities, type Severity, type SeverityRank as Rank, severityRank } from "../../../src/domain/Severity.ts"
import type { HoundFailure, HoundJob } from "../../../src/hound/pool/HoundPool.ts"
import { make } from "../../../src/intake/agent/Escalation.ts"
import { make as makeCaller } from "../../../src/telemetry/Caller.ts"
import { openWorld, scent, signatureIn, take, turn } from "../../safety/failsafe/world.ts"

const open = (config: TracehoundConfigInput = {}) => openWorld({ config })

/** Each severity, once. */
const statuses = (config: TracehoundConfigInput) =>
  Effect.map(open(config), ({ sync }) => severities.map((severity) => sync.intercept(scent(severity, severity)).status))

describe("the threshold", () => {
  it.effect("RFC H7 D6 by default critical evidence escalates: a hound, the handle, and the evidence in custody", () =>
    Effect.gen(function*() {
      const { hounds, sync } = yield* open()
      yield* TestClock.setTime(5_000)
      for (const severity of ["low", "medium", "high"] as const)
        assert.strictEqual(sync.intercept(scent(severity, severity)).status, "quarantined")
      const result = sync.intercept(scent("the worst"))
      assert.strictEqual(result.status, "escalated")
      if (result.status !== "escalated") return
      const { handle, hound } = result
      assert.deepInclude(hound, { state: "active", createdAt: 0, activatedAt: 5_000 })
      assert.isFalse(handle.disposed)
      assert.isNotNull(sync.quarantine.get(handle.signature))
      assert.strictEqual(sync.quarantine.bySeverity.critical, 1)
      assert.deepStrictEqual(yield* hounds.examined, [], "not on the turn of the intercept")
      yield* turn
      assert.deepStrictEqual(yield* hounds.examined, [{ signature: handle.signature, size: 9 }])
      assert.strictEqual(sync.quarantine.count, 4, "examining takes nothing away")
      assert.strictEqual(sync.intercept(scent("the worst")).status, "ignored")
      yield* turn
      assert.strictEqual((yield* hounds.examined).length, 1, "evidence that is held already is not examined again")
    }))

  it.effect.each(severities)("RFC H7 from %s on, by configuration", (severity) =>
    Effect.gen(function*() {
      const seen = yield* statuses({ hound: { escalation: { severity } } })
      const from = severities.indexOf(severity)
      assert.deepStrictEqual(seen, severities.map((_, rank) => rank < from ? "quarantined" : "escalated"))
    }))

  it.effect("RFC H7 any evidence escalates that comes when the quarantine is 80 % full, by count", () =>
    Effect.gen(function*() {
      const { sync } = yield* open({ quarantine: { maxCount: 10 }, hound: { maxActive: 100 } })
      const seen = Array.from({ length: 10 }, (_, n) => sync.intercept(scent(n, "low")).status)
      assert.deepStrictEqual(seen.indexOf("escalated"), 7, "with it, eight of ten are held")
      assert.deepStrictEqual(new Set(seen.slice(7)), new Set(["escalated"]))
      sync.flush()
      assert.strictEqual(sync.intercept(scent("after", "low")).status, "quarantined")
    }))

  it.effect("RFC H7 or by bytes, at exactly the fill that is configured", () =>
    Effect.gen(function*() {
      const { sync } = yield* open({ quarantine: { maxBytes: 100 }, hound: { escalation: { fill: 0.5 } } })
      assert.strictEqual(sync.intercept(scent("a".repeat(49), "low")).status, "quarantined")
      assert.strictEqual(sync.intercept(scent("b", "low")).status, "escalated")
    }))

  it.effect("RFC H7 no hound examines evidence that was turned away", () =>
    Effect.gen(function*() {
      const { hounds, sync } = yield* open({
        quarantine: { maxCount: 1 },
        failSafe: { onQuarantineFull: "quarantine" }
      })
      take({ sync }, "first", "low")
      const result = sync.intercept(scent("second"))
      assert.strictEqual(result.status === "quarantined" && result.evicted?.status, "evicted")
      yield* turn
      assert.strictEqual((yield* hounds.examined).length, 1)
    }))

  it.effect("RFC H7 clean scents and duplicates activate no hound", () =>
    Effect.gen(function*() {
      const { hounds, sync } = yield* open({ quarantine: { maxCount: 1 } })
      const { threat: _, ...clean } = scent("clean")
      assert.strictEqual(sync.intercept(clean).status, "clean")
      yield* turn
      assert.deepStrictEqual(yield* hounds.examined, [])
    }))
})

describe("hounds that are busy", () => {
  const two: TracehoundConfigInput = { hound: { maxActive: 2, maxProcessingTime: 1_000 } }

  it.effect("RFC H7 with no hound free evidence is quarantined, and its job waits its turn, first in, first out", () =>
    Effect.gen(function*() {
      const world = yield* open(two)
      const { hounds, sync } = world
      yield* hounds.always("hang")
      const results = Array.from({ length: 6 }, (_, n) => sync.intercept(scent(n)))
      assert.deepStrictEqual(results.map(({ status }) => status), [
        "escalated",
        "escalated",
        "quarantined",
        "quarantined",
        "quarantined",
        "quarantined"
      ])
      const expected = results.map(signatureIn)
      for (const begun of [2, 4, 6, 6]) {
        yield* turn
        assert.deepStrictEqual((yield* hounds.examined).map(({ signature }) => signature), expected.slice(0, begun))
        // The next ones begin when these are given up, and not before.
        yield* TestClock.adjust(900)
        assert.strictEqual((yield* hounds.examined).length, begun)
        yield* TestClock.adjust(90)
      }
    }))

  it.effect("RFC H7 evidence that comes for lack of room never waits: severe evidence is next, behind a flood of any size", () =>
    Effect.gen(function*() {
      const { hounds, sync } = yield* open({
        quarantine: { maxCount: 10 },
        rateLimit: { maxRequests: 10_000 },
        hound: { maxActive: 2, maxPending: 4, maxProcessingTime: 1_000 }
      })
      const waiting = () => {
        const activation = sync.actors().children.find(({ name }) => name === "activation")
        return activation !== undefined && "mailbox" in activation ? activation.mailbox.pending : assert.fail("none")
      }
      yield* hounds.always("hang")
      const seen: Array<string> = []
      let held = 0
      for (let n = 0; n < 2_000; n++) {
        const result = sync.intercept(scent(n, n % 3 === 0 ? "high" : "low"))
        seen.push(result.status)
        // Arrivals that would cost worse evidence are turned away.
        if (result.status === "quarantined" && result.evicted === undefined) held += 1
        // The hounds begin before their evidence is evicted.
        if (n === 8 || n % 100 === 0) yield* turn
      }
      assert.deepStrictEqual(seen.flatMap((status, n) => status === "escalated" ? [n] : []), [7, 8])
      assert.isAbove(held, 500)
      assert.strictEqual(sync.hounds.outcomes().skipped, held - 7)
      assert.strictEqual(waiting(), 0)
      assert.strictEqual(sync.deadLetters(), 0)
      const severe = [1, 2].map((n) => signatureIn(sync.intercept(scent(`severe ${n}`))))
      yield* TestClock.adjust(1_000)
      yield* turn
      assert.deepStrictEqual((yield* hounds.examined).slice(2).map(({ signature }) => signature), severe)
      assert.strictEqual(sync.hounds.outcomes().skipped, held - 7)
    }))

  it.effect("RFC H7 where severe evidence waits, none that comes for lack of room takes a hound before it", () =>
    Effect.gen(function*() {
      const world = yield* open({
        quarantine: { maxCount: 4 },
        hound: { maxActive: 1, maxProcessingTime: 1_000, escalation: { fill: 0.25 } }
      })
      const { hounds, sync } = world
      yield* hounds.next("hang", "hang")
      const severe = [1, 2].map((n) => take(world, `severe ${n}`))
      const low = () => sync.intercept(scent("low", "low")).status
      assert.strictEqual(low(), "quarantined")
      yield* TestClock.adjust(1_000)
      yield* turn
      assert.strictEqual(low(), "ignored", "a duplicate is no arrival")
      assert.strictEqual(sync.hounds.outcomes().skipped, 1)
      yield* TestClock.adjust(1_000)
      yield* turn
      assert.deepStrictEqual((yield* hounds.examined).map(({ signature }) => signature), severe)
      sync.flush()
      take(world, "first")
      yield* turn
      assert.strictEqual(sync.intercept(scent("a hound is free", "low")).status, "escalated")
    }))

  it.effect("RFC H7 a raise, and a caller who asks for it, wait in a full quarantine as in an empty one", () =>
    Effect.gen(function*() {
      const world = yield* open({ quarantine: { maxCount: 3 }, hound: { maxActive: 1, maxProcessingTime: 1_000 } })
      const { hounds, sync } = world
      yield* hounds.always("hang")
      take(world, "busy")
      const raised = signatureIn(sync.intercept(scent("raised", "low")))
      const asked = signatureIn(sync.intercept(scent("asked", "low")))
      assert.strictEqual(sync.hounds.outcomes().skipped, 1)
      sync.intercept(scent("raised"))
      assert.isNull(sync.hounds.activate(asked))
      for (let n = 0; n < 3; n++) {
        yield* turn
        yield* TestClock.adjust(1_000)
      }
      assert.deepStrictEqual((yield* hounds.examined).slice(1).map(({ signature }) => signature), [raised, asked])
      assert.strictEqual(sync.hounds.outcomes().skipped, 1)
    }))

  it.effect("RFC H1 H7 never more than maxActive are active, and no job overtakes one that waits", () =>
    Effect.gen(function*() {
      const { hounds, sync } = yield* open(two)
      const active = () => sync.watcher.snapshot().hound
      yield* hounds.always("hang")
      let most = 0
      const arrived: Array<string> = []
      for (let n = 0; n < 60; n++) {
        const result = sync.intercept(scent(n))
        arrived.push(signatureIn(result))
        const { active: now, dormant } = active()
        most = Math.max(most, now)
        assert.isAtMost(now, 2)
        assert.strictEqual(now + dormant, 2)
        assert.strictEqual(result.status, n < 2 ? "escalated" : "quarantined")
        yield* TestClock.adjust(137)
      }
      assert.strictEqual(most, 2)
      for (let n = 0; n < 40; n++) yield* TestClock.adjust(1_000)
      assert.deepStrictEqual((yield* hounds.examined).map(({ signature }) => signature), arrived)
      assert.strictEqual(active().active, 0)
      assert.strictEqual(sync.intercept(scent("again")).status, "escalated")
    }))

  it.effect("RFC H7 evidence that left meanwhile is not examined", () =>
    Effect.gen(function*() {
      const { hounds, sync } = yield* open({ hound: { maxActive: 1, maxProcessingTime: 1_000 } })
      yield* hounds.next("hang")
      const first = take({ sync }, "first")
      const second = take({ sync }, "second")
      const third = take({ sync }, "third")
      yield* turn
      assert.strictEqual(sync.neutralize(second)?.status, "neutralized")
      yield* TestClock.adjust(1_000)
      yield* turn
      assert.deepStrictEqual(yield* hounds.examined, [
        { signature: first, size: 5 },
        { signature: second, size: null },
        { signature: third, size: 5 }
      ])
    }))

  it.effect("RFC H7 S2 no more than maxPending jobs wait: the rest of the evidence is held all the same, and not examined", () =>
    Effect.gen(function*() {
      const { hounds, sync } = yield* open({ hound: { maxActive: 1, maxPending: 3, maxProcessingTime: 1_000 } })
      yield* hounds.always("hang")
      for (let n = 0; n < 100; n++) {
        take({ sync }, n)
        if (n === 0) yield* turn
      }
      assert.strictEqual(sync.quarantine.count, 100)
      for (let n = 0; n < 20; n++) yield* TestClock.adjust(1_000)
      assert.strictEqual((yield* hounds.examined).length, 4)
      assert.strictEqual(sync.quarantine.count, 96, "evidence whose examination failed was purged")
      const { active } = sync.watcher.snapshot().hound
      assert.strictEqual(active, 0)
      assert.strictEqual(sync.intercept(scent("again")).status, "escalated")
    }))

  it.effect("RFC H7 a hound that is told free is free: evidence of one turn gets no more hounds than there are", () =>
    Effect.gen(function*() {
      const { hounds, sync } = yield* open(two)
      for (let round = 0; round < 5; round++) {
        const seen = Array.from({ length: 4 }, (_, n) => sync.intercept(scent(`${round} ${n}`)).status)
        assert.deepStrictEqual(seen, ["escalated", "escalated", "quarantined", "quarantined"])
        yield* turn
        assert.strictEqual((yield* hounds.examined).length, (round + 1) * 4)
      }
      const ids = new Set<string>()
      for (let n = 0; n < 2; n++) {
        const result = sync.intercept(scent(`last ${n}`))
        if (result.status === "escalated") ids.add(result.hound.id)
      }
      assert.strictEqual(ids.size, 2)
    }))

  it.effect("RFC H7 S4 closing lets an active hound finish", () =>
    Effect.gen(function*() {
      const world = yield* open(two)
      yield* world.hounds.next("hang")
      take(world, "evidence")
      yield* turn
      const closing = yield* Effect.forkChild(world.close)
      yield* TestClock.adjust(900)
      assert.deepStrictEqual(world.errors(), [])
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(world.errors(), ["hound_timeout"])
      yield* turn
      assert.isDefined(closing.pollUnsafe())
    }))

  it.effect("RFC H7 S4 closing is bounded, however many jobs wait or hang", () =>
    Effect.gen(function*() {
      const world = yield* open({ hound: { maxActive: 2, maxProcessingTime: 1_000_000 } })
      yield* world.hounds.always("hang")
      for (let n = 0; n < 50; n++) take(world, n)
      yield* turn
      const closing = yield* Effect.forkChild(world.close)
      yield* TestClock.adjust(4_000)
      assert.isUndefined(closing.pollUnsafe())
      for (let n = 0; n < 8; n++) yield* TestClock.adjust(1_000)
      assert.isDefined(closing.pollUnsafe())
      assert.strictEqual((yield* world.hounds.examined).length, 2)
      assert.strictEqual(world.sync.actors().phase, "ended")
    }))
})

describe("hounds that fail", () => {
  it.effect.each(
    [["error", "hound_error"], ["hang", "hound_timeout"]] as const
  )("RFC H7 H4 one that ends with %s frees its place, and evidence of any severity is told by its signature", (
    [verdict, code]
  ) =>
    Effect.gen(function*() {
      const world = yield* open({
        hound: { maxActive: 1, escalation: { severity: "low" } },
        failSafe: { onTimeout: "Purge", onHoundError: "Purge" }
      })
      const { hounds, sync } = world
      yield* hounds.next(verdict)
      const bad = take(world, "bad", "low")
      const good = take(world, "good", "low")
      yield* TestClock.adjust(5_000)
      yield* turn
      assert.deepStrictEqual(world.errors(), [code])
      assert.isNull(sync.quarantine.get(bad))
      assert.isNotNull(sync.quarantine.get(good))
      assert.deepStrictEqual(sync.auditChain.records().map(({ entry }) => entry.signature), [bad])
      assert.strictEqual((yield* hounds.examined).length, 2)
      const severity: Severity = "low"
      assert.strictEqual(sync.intercept(scent("next", severity)).status, "escalated")
    }))
})

describe("make", () => {
  const handle = {
    signature: "spam:0",
    hash: "0",
    size: 1,
    captured: 0,
    severity: "high",
    bytes: null,
    disposed: false,
    isDurable: false,
    whenDurable: () => Effect.void,
    transfer: () => null,
    neutralize: () => null,
    evacuate: () => null
  } as const

  /**
   * An escalation at `high` or half full, over a pool and a quarantine that write down their calls.
   */
  const makeAlone = () => {
    const jobs: Array<HoundJob> = []
    const calls: Array<string> = []
    let fail: (failure: HoundFailure) => void = () => assert.fail("nobody listens to the pool")
    let raise: (raise: SeverityRaise) => void = () => assert.fail("nobody listens to the quarantine")
    const state = { fill: 0, isFree: true, skipped: 0, action: "Purge" as FailSafeAction }
    const caller = makeCaller()
    const escalation = make({
      caller,
      settings: Result.getOrThrow(
        resolveConfig([fromArgument({ hound: { escalation: { severity: "high", fill: 0.5 } } })])
      ),
      failSafe: {
        reportUnsafe: (cause) => {
          calls.push(cause)
          return state.action
        }
      },
      pool: {
        activateUnsafe: (job) => {
          jobs.push(job)
          return null
        },
        isFreeUnsafe: () => state.isFree,
        skipUnsafe: () => {
          state.skipped += 1
        },
        onFailure: (listener) => {
          fail = listener
        }
      },
      purges: {
        purgeUnsafe: (signature, reason) => {
          calls.push(`purge ${signature} ${reason}`)
          return true
        }
      },
      quarantine: {
        copy: () => null,
        scentId: () => undefined,
        fill: () => state.fill,
        get: (signature) => signature === handle.signature ? handle : null,
        onRaised: (listener) => {
          raise = listener
        }
      }
    })
    return {
      escalation,
      caller,
      jobs,
      calls,
      state,
      fail: (of: HoundFailure) => fail(of),
      raise: (of: SeverityRaise) => raise(of)
    }
  }
  const spam = categoryRank("spam")
  const [low, medium, high, critical] = severities.map(severityRank) as [Rank, Rank, Rank, Rank]

  it("RFC H7 activates a hound from the threshold on, or from the fill on", () => {
    const { escalation, jobs, state } = makeAlone()
    escalation.escalateUnsafe(handle, spam, medium)
    assert.lengthOf(jobs, 0)
    escalation.escalateUnsafe(handle, spam, high)
    state.fill = 0.5
    escalation.escalateUnsafe(handle, spam, low)
    assert.deepStrictEqual(jobs.map(({ category, signature }) => [category, signature]), [
      ["spam", "spam:0"],
      ["spam", "spam:0"]
    ])
    state.isFree = false
    escalation.escalateUnsafe(handle, spam, medium)
    assert.deepStrictEqual([jobs.length, state.skipped], [2, 1], "lack of room waits for no hound")
    escalation.escalateUnsafe(handle, spam, high)
    assert.deepStrictEqual([jobs.length, state.skipped], [3, 1], "severe evidence does")
    escalation.activateUnsafe("spam:1")
    assert.lengthOf(jobs, 3, "evidence that is not held activates none")
  })

  it("RFC H7 a raise activates a hound where it crosses the threshold, once", () => {
    const { jobs, raise } = makeAlone()
    raise({ handle, before: low, severity: medium })
    assert.lengthOf(jobs, 0)
    raise({ handle, before: medium, severity: critical })
    raise({ handle, before: high, severity: critical })
    assert.lengthOf(jobs, 1)
  })

  it("RFC F1 H4 purges the evidence of a hound that failed only where the fail-safe says so", () => {
    const { calls, fail, state } = makeAlone()
    const failure = { hound: "h", signature: "spam:0", isVerdict: false }
    fail({ ...failure, kind: "timeout" })
    state.action = "quarantine"
    fail({ ...failure, kind: "error" })
    assert.deepStrictEqual(calls, ["timeout", "purge spam:0 timeout", "hound_error"])
  })

  it("gives jobs the span of whoever called", () => {
    const { caller, escalation, jobs, raise } = makeAlone()
    const span = Tracer.externalSpan({ spanId: "s", traceId: "t" })
    const escalate = () => escalation.escalateUnsafe(handle, spam, high)
    caller.within(span, escalate)
    caller.within(span, () => raise({ handle, before: low, severity: high }))
    escalate()
    assert.deepStrictEqual(jobs.map((job) => job.span), [span, span, undefined])
  })
})
