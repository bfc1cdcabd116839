/**
 * The pool over hounds that a test plays, in a test's own time, under a whole Tracehound.
 */
import { assert, describe, it, vi } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer, Metric, Option, Scope, Tracer } from "effect"
import { Buffer } from "node:buffer"
import type { TracehoundConfigInput } from "../../../src/config/TracehoundConfig.ts"
import { ColdStorageEndpoint } from "../../../src/custody/coldstorage/Endpoint.ts"
import type { Alert } from "../../../src/domain/Alert.ts"
import type { FailSafeCallbacks } from "../../../src/domain/FailSafe.ts"
import type { PurgeRecord } from "../../../src/domain/Records.ts"
import * as NodePorts from "../../../src/host/node/NodePorts.ts"
import type { Launcher } from "../../../src/hound/pool/Launcher.ts"
import { PoolCore } from "../../../src/hound/pool/PoolCore.ts"
import { layerOf } from "../../../src/hound/pool/ProcessPool.ts"
import { HoundConnection } from "../../../src/hound/process/HoundConnection.ts"
import type { SandboxReport } from "../../../src/hound/sandbox/Sandbox.ts"
import type { StartError } from "../../../src/runtime/StartErrors.ts"
import { assemble, started, Tracehound } from "../../../src/runtime/Tracehound.ts"
import { AlertSinks } from "../../../src/safety/alert/AlertSink.ts"
import { type FakeHound, FakeSpawner } from "../../support/FakeSpawner.ts"
import { moved, seriesNow } from "../../support/metrics.ts"
import { after, inTime, rest } from "./ownTime.ts"

const report: SandboxReport = {
  configured: "default",
  level: "default",
  measured: true,
  platform: "a test",
  node: "26.0.0",
  mechanisms: [],
  lacking: []
}

const none = { complete: 0, error: 0, timeout: 0, left: 0, abandoned: 0, unavailable: 0, skipped: 0 }

interface Play {
  readonly hound?: TracehoundConfigInput["hound"]
  readonly more?: TracehoundConfigInput
  readonly callbacks?: FailSafeCallbacks
  readonly script?: (hound: FakeHound, index: number) => void
  readonly launcher?: Partial<Launcher>
  /** Whether it is started: true when left out. */
  readonly starts?: boolean
}

const wellBehaved = (hound: FakeHound): void => {
  hound.onJob = ({ job }) => hound.answer(job)
  hound.ready()
}

const play = (
  { callbacks = {}, launcher = {}, hound = {}, more = {}, script = wellBehaved, starts = true }: Play = {}
) =>
  Effect.gen(function*() {
    const spawners: Array<FakeSpawner> = []
    const alerts: Array<Alert> = []
    const whole: Launcher = {
      report,
      openSpawner: () => {
        const spawner = new FakeSpawner(script)
        spawners.push(spawner)
        return spawner
      },
      openConnection: (pipe) => new HoundConnection(pipe),
      diagnose: Effect.succeed("the analyzer imports \"node:fs\""),
      ...launcher
    }
    const rooms = assemble({
      config: { alerts: { maxAlertsPerWindow: 1_000 }, ...more, hound },
      callbacks,
      endpointFor: () => Layer.effect(ColdStorageEndpoint, Effect.never),
      hounds: layerOf(Effect.succeed(whole))
    })
    const context = yield* Layer.build(
      (starts ? started(rooms) : rooms).pipe(
        Layer.provide(NodePorts.layer),
        Layer.provide(Layer.succeed(AlertSinks, [{
          sendUnsafe: (alert: Alert) => {
            alerts.push(alert)
          },
          onFailure: () => undefined
        }]))
      )
    )
    const { start, sync } = yield* Effect.provideContext(Tracehound, context)
    let id = 0
    return {
      start,
      sync,
      alerts,
      spawners,
      hounds: () => spawners.flatMap(({ hounds }) => hounds),
      types: () => alerts.map(({ type }) => type),
      threat: (payload: string) =>
        sync.intercept({
          id: `${++id}`,
          source: "192.0.2.7",
          timestamp: 1,
          payload,
          threat: { category: "malware", severity: "critical" }
        })
    }
  })

const failureOf = <A>(effect: Effect.Effect<A, StartError, Scope.Scope>) =>
  Effect.map(
    Effect.exit(Effect.scoped(effect)),
    (exit) => Exit.isFailure(exit) ? Option.getOrUndefined(Exit.findErrorOption(exit))?.message : "it started"
  )

describe("the pool, in a test's time", () => {
  it.effect("RFC H4 an examination that does not end costs its hound and its evidence, at the deadline and not before", () =>
    inTime(Effect.gen(function*() {
      const purged: Array<PurgeRecord> = []
      const { hounds, sync, threat } = yield* play({
        callbacks: { onPurge: (record) => void purged.push(record) },
        script: (hound, index) => {
          wellBehaved(hound)
          if (index === 0) hound.onJob = ({ job }) => hound.processing(job)
        }
      })
      assert.strictEqual(threat("slow").status, "escalated")
      yield* after(4_990)
      assert.isFalse(hounds()[0]?.isKilled)
      assert.strictEqual(sync.watcher.snapshot().hound.active, 1)
      yield* after(10)
      assert.isTrue(hounds()[0]?.isKilled)
      assert.deepStrictEqual(purged.map(({ reason }) => reason), ["timeout"])
      assert.strictEqual(sync.quarantine.count, 0)
      assert.deepStrictEqual(sync.watcher.snapshot().hound, {
        dormant: 2,
        active: 0,
        terminated: 1,
        sandbox: "default"
      })
    })))

  it.effect("RFC H6 evidence over which three hounds were lost has failed, and is still held", () =>
    inTime(Effect.gen(function*() {
      const { alerts, sync, threat } = yield* play({
        script: (hound) => {
          wellBehaved(hound)
          hound.onJob = ({ job }) => {
            hound.processing(job)
            hound.die("SIGKILL")
          }
        }
      })
      threat("cursed")
      for (let i = 0; i < 10; i++) yield* after(200)
      assert.strictEqual(sync.hounds.outcomes().error, 1)
      assert.strictEqual(sync.quarantine.count, 1)
      assert.strictEqual(alerts.filter(({ type }) => type === "failsafe.escalated").length, 1)
    })))

  it.effect("RFC H3 a hound that breaks its word is an alert", () =>
    inTime(Effect.gen(function*() {
      const { hounds, sync, threat, types } = yield* play({
        script: (hound) => {
          hound.ready()
          hound.onJob = () => hound.flood()
        }
      })
      threat("x")
      yield* rest
      assert.include(types(), "hound.violation")
      assert.strictEqual(sync.hounds.outcomes().error, 1)
      assert.isTrue(hounds()[0]?.isLetGo)
    })))

  it.effect("RFC H5 rotation at its time, and never while hounds are busy", () =>
    inTime(Effect.gen(function*() {
      const { hounds, spawners, sync, threat } = yield* play({
        hound: { maxProcessingTime: 3_000_000, minimumDormant: 1 },
        more: { scheduler: { rotationInterval: 10_000, jitterMax: 0 } },
        script: (hound, index) => {
          wellBehaved(hound)
          if (index === 0) hound.onJob = ({ job }) => hound.processing(job)
        }
      })
      threat("long")
      yield* after(10_000)
      const [first] = spawners.flatMap(({ living }) => living)
      assert.strictEqual(hounds().length, 2)
      assert.strictEqual(sync.watcher.snapshot().hound.active, 1)
      first?.complete(first.jobs[0]?.job ?? 0)
      yield* after(10_000)
      assert.strictEqual(sync.watcher.snapshot().hound.active, 0)
      assert.isAtLeast(hounds().length, 3)
      assert.isTrue(hounds().slice(0, 2).some(({ isKilled }) => isKilled))
      assert.strictEqual(sync.watcher.snapshot().hound.terminated, 0)
    })))

  it.effect("RFC H1 hounds that are old are replaced, and memory is watched only while there is work", () =>
    inTime(Effect.gen(function*() {
      const { hounds, sync, threat } = yield* play({ hound: { maxLifeTimeCycle: 20_000 } })
      threat("x")
      yield* rest
      assert.isTrue(hounds()[0]?.isWatched)
      yield* after(2_000)
      assert.isFalse(hounds()[0]?.isWatched)
      yield* after(20_000)
      assert.isTrue(hounds().slice(0, 2).every(({ isKilled }) => isKilled))
      assert.isAtLeast(sync.watcher.snapshot().hound.dormant, 2)
    })))

  it.effect("counts examinations by outcome, launches and exits, with fixed words as labels", () =>
    inTime(Effect.gen(function*() {
      const before = yield* seriesNow
      const { threat } = yield* play({
        script: (hound, index) => {
          wellBehaved(hound)
          if (index === 0) hound.onJob = ({ job }) => hound.answer(job, "error")
        }
      })
      threat("secret-1")
      threat("secret-2")
      yield* rest
      const now = yield* seriesNow
      const more = moved(before, now)
      assert.strictEqual(more["tracehound.hound.jobs{outcome=complete}"], 1)
      assert.strictEqual(more["tracehound.hound.jobs{outcome=error}"], 1)
      assert.strictEqual(more["tracehound.hound.endings{cause=error}"], 1)
      assert.isAtLeast(more["tracehound.hound.launches"] ?? 0, 3)
      assert.strictEqual(more["tracehound.hound.duration"], 2)
      assert.isAtLeast(now.get("tracehound.hounds{state=dormant}") ?? 0, 1)
      assert.notInclude([...now.keys()].join(), "secret")
    })))

  /** The gauge of hounds by state, over all Tracehounds. */
  const gauge = Effect.map(seriesNow, (all) => {
    const of = (state: string): number => all.get(`tracehound.hounds{state=${state}}`) ?? 0
    return { dormant: of("dormant"), active: of("active") }
  })

  /** A pool, and the way to close it. */
  const openOne = (options: Play = {}) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const played = yield* Scope.provide(play(options), scope)
      yield* rest
      const close = Effect.gen(function*() {
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        while (closing.pollUnsafe() === undefined) yield* after(500)
      })
      return { ...played, close }
    })

  it.effect("RFC H1 the gauge of hounds is the sum of all pools, and none of one that was closed", () =>
    Effect.gen(function*() {
      const busy = (hound: FakeHound): void => {
        hound.onJob = ({ job }) => hound.processing(job)
        hound.ready()
      }
      const one = yield* openOne({ hound: { minimumDormant: 1, maxActive: 1 } })
      assert.deepStrictEqual(yield* gauge, { dormant: 1, active: 0 })
      const two = yield* openOne({ hound: { minimumDormant: 3, maxProcessingTime: 2_000 }, script: busy })
      assert.deepStrictEqual(yield* gauge, { dormant: 4, active: 0 })
      two.threat("work")
      yield* rest
      assert.deepStrictEqual(yield* gauge, { dormant: 4, active: 1 })
      one.threat("work")
      yield* rest
      assert.strictEqual((yield* gauge).active, 1)
      yield* one.close
      assert.deepStrictEqual(yield* gauge, { dormant: 3, active: 1 })
      yield* two.close
      assert.deepStrictEqual(yield* gauge, { dormant: 0, active: 0 })
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("RFC H1 the gauge of hounds is at zero after a start that failed", () =>
    Effect.gen(function*() {
      const failed = yield* openOne({
        hound: { minimumDormant: 2 },
        script: (hound, index) => index === 0 ? hound.ready() : hound.exit(64)
      })
      assert.include(failed.types(), "hound.unavailable")
      assert.deepStrictEqual(yield* gauge, { dormant: 0, active: 0 })
      yield* failed.close
      assert.deepStrictEqual(yield* gauge, { dormant: 0, active: 0 })
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("RFC H1 S2 the gauge of hounds counts none of an incarnation that crashed", () =>
    Effect.gen(function*() {
      let opened = 0
      const crashing = yield* openOne({
        hound: { minimumDormant: 2 },
        launcher: {
          openConnection: (pipe) => {
            opened += 1
            if (opened === 4) throw new Error("a mistake of ours")
            return new HoundConnection(pipe)
          }
        }
      })
      for (let i = 0; i < 4; i++) {
        crashing.threat(`${i}`)
        crashing.sync.hounds.terminate(crashing.sync.hounds.list()[0]?.id ?? "")
        yield* after(1_000)
      }
      assert.isAtLeast(crashing.spawners.length, 2)
      const { active, dormant } = crashing.sync.watcher.snapshot().hound
      assert.deepStrictEqual(yield* gauge, { dormant, active })
      yield* crashing.close
      assert.deepStrictEqual(yield* gauge, { dormant: 0, active: 0 })
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("RFC H4 W6 the span of an examination says whether it came to a good end, in fixed words", () =>
    Effect.gen(function*() {
      const spans: Array<Tracer.Span> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          if (span.name === "tracehound.hound.examine") spans.push(span)
          return span
        }
      })
      const { alerts, close, sync, threat } = yield* openOne({
        hound: { maxProcessingTime: 1_000, maxActive: 1 },
        script: (hound) => {
          hound.onJob = ({ evidence, job }) => {
            const said = Buffer.from(evidence).toString()
            hound.processing(job)
            if (said === "crash") hound.die("SIGSEGV")
            if (said === "flood") hound.flood()
            if (said === "good") hound.complete(job)
            if (said === "error") hound.error(job)
          }
          hound.ready()
        }
      }).pipe(Effect.provideService(Tracer.Tracer, tracer))
      const signatureOf = (result: ReturnType<typeof threat>) => "handle" in result ? result.handle.signature : ""
      const left = threat("left")
      if ("handle" in left) left.handle.neutralize()
      yield* after(1_000)
      let flooded = ""
      for (const text of ["good", "error", "crash", "flood", "hang"]) {
        const signature = signatureOf(threat(text))
        if (text === "flood") flooded = signature
        for (let i = 0; i < 4; i++) yield* after(1_000)
      }
      yield* close
      assert.deepStrictEqual(sync.hounds.outcomes(), { ...none, left: 1, complete: 1, error: 3, timeout: 1 })
      const { evidenceId, reason, signature } = alerts.find(({ type }) => type === "hound.violation") ?? {}
      assert.deepStrictEqual([reason, signature, evidenceId], ["oversized", flooded, "5"])
      const named = alerts.flatMap(({ trace, type }) => type === "failsafe.escalated" ? [trace?.spanId] : [])
      assert.deepStrictEqual(named, spans.slice(2, 5).map(({ spanId }) => spanId), "each names its examination")
      const ends = spans.map(({ attributes, status }) => {
        const exit = status._tag === "Ended" ? status.exit : assert.fail("a span is open")
        const failures = Exit.isSuccess(exit) ? [] : Cause.prettyErrors(exit.cause).map(({ message }) => message)
        assert.strictEqual(attributes.get("error.type"), failures[0])
        return [attributes.get("tracehound.outcome"), ...failures]
      })
      assert.deepStrictEqual(ends, [
        ["left"],
        ["complete"],
        ["error", "error"],
        ["error", "crashed"],
        ["error", "violation"],
        ["timeout", "timeout"]
      ])
    }))

  it.effect("RFC S1 a job for which the waiting line has no room is a dead letter, and its evidence is still held", () =>
    inTime(Effect.gen(function*() {
      const { sync, threat } = yield* play({
        hound: { minimumDormant: 1, maxActive: 1, maxPending: 2 },
        script: (hound) => hound.ready()
      })
      for (let i = 0; i < 6; i++) assert.include(["escalated", "quarantined"], threat(`${i}`).status)
      yield* rest
      assert.isAtLeast(sync.deadLetters(), 1)
      assert.strictEqual(sync.quarantine.count, 6)
    })))

  it.effect("RFC H1 jobs that end in time cost no look at all hounds", () =>
    inTime(Effect.gen(function*() {
      const tick = vi.spyOn(PoolCore.prototype, "tick")
      const { sync, threat } = yield* play({
        hound: { minimumDormant: 1, maxActive: 1 },
        script: (hound) => {
          hound.ready()
          hound.onJob = ({ job }) => hound.answer(job)
        }
      })
      for (let i = 0; i < 50; i++) {
        threat(`${i}`)
        yield* rest
      }
      assert.strictEqual(sync.hounds.outcomes().complete, 50)
      assert.strictEqual(tick.mock.calls.length, 0)
      tick.mockRestore()
    })))

  it.effect("RFC S2 an actor that crashes has new hounds, and they examine what the old ones were at", () =>
    inTime(Effect.gen(function*() {
      let lines = 0
      const { spawners, sync, threat } = yield* play({
        hound: { minimumDormant: 1 },
        script: (hound) => {
          hound.ready()
          // Those of the second incarnation answer.
          if (lines >= 2) hound.onJob = ({ job }) => hound.answer(job)
        },
        launcher: {
          openConnection: (pipe) => {
            lines += 1
            // That of the spare, while the first is at work.
            if (lines === 2) throw new Error("a mistake of ours")
            return new HoundConnection(pipe)
          }
        }
      })
      threat("x")
      yield* rest
      for (let i = 0; i < 5; i++) yield* after(1_000)
      assert.strictEqual(spawners.length, 2)
      assert.isTrue(spawners[0]?.living.length === 0)
      assert.strictEqual(sync.hounds.outcomes().complete, 1)
      assert.strictEqual(sync.state(), "running")
    })))

  it.effect.each([
    { job: "0", why: "the first, which comes by a message" },
    { job: "1", why: "the next, which a hound gets when it has ended the first" }
  ])(
    "RFC S2 a crash costs jobs in hand one attempt, and jobs that wait none: over $why",
    ({ job }) =>
      inTime(Effect.gen(function*() {
        let crashes = 0
        const { spawners, sync, threat } = yield* play({
          hound: { minimumDormant: 1, maxActive: 1 },
          launcher: {
            openConnection: (pipe) => {
              const connection = new HoundConnection(pipe)
              const send = connection.send.bind(connection)
              // That job crashes the actor as often as it may without having failed.
              connection.send = (facts, bytes) => {
                if (crashes === 2 || Buffer.from(bytes).toString() !== job) return send(facts, bytes)
                crashes += 1
                throw new Error("a mistake of ours")
              }
              return connection
            }
          }
        })
        for (let i = 0; i < 5; i++) threat(`${i}`)
        yield* rest
        for (let i = 0; i < 10; i++) yield* after(1_000)
        assert.strictEqual(crashes, 2)
        assert.strictEqual(spawners.length, 3)
        assert.deepStrictEqual(sync.hounds.outcomes(), { ...none, complete: 5 })
        assert.strictEqual(sync.deadLetters(), crashes)
      }))
  )
})

describe("closing", () => {
  const closing = (answers: (index: number) => boolean, jobs: number) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      let index = 0
      const { sync, threat } = yield* Scope.provide(
        play({
          hound: { minimumDormant: 1, maxActive: 1, maxProcessingTime: 60_000 },
          script: (hound) => {
            hound.onJob = ({ job }) => {
              hound.processing(job)
              if (answers(index++)) hound.complete(job)
            }
            hound.ready()
          }
        }),
        scope
      )
      yield* rest
      for (let i = 0; i < jobs; i++) threat(`${i}`)
      const fiber = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      let ms = 0
      while (fiber.pollUnsafe() === undefined) {
        yield* after(500)
        ms += 500
      }
      return { sync, ms }
    })

  it.effect("RFC R4 hounds do all jobs that wait", () =>
    Effect.gen(function*() {
      const { ms, sync } = yield* closing(() => true, 20)
      assert.deepStrictEqual(sync.hounds.outcomes(), { ...none, complete: 20 })
      assert.strictEqual(sync.deadLetters(), 0)
      assert.isBelow(ms, 5_000)
    }))

  it.effect("RFC R4 at the deadline jobs that wait are buried, and jobs in hand are given up after as long again", () =>
    Effect.gen(function*() {
      const { ms, sync } = yield* closing((index) => index < 2, 5)
      assert.deepStrictEqual(sync.hounds.outcomes(), { ...none, complete: 2, abandoned: 1 })
      assert.strictEqual(sync.deadLetters(), 2)
      assert.isAtLeast(ms, 9_500)
      assert.isAtMost(ms, 11_000)
    }))
})

describe("closing with hounds that fail", () => {
  type Bad = (hound: FakeHound, job: number) => void

  const ways: ReadonlyArray<readonly [string, Bad]> = [
    ["a verdict of error", (hound, job) => hound.answer(job, "error")],
    ["a crash", (hound, job) => {
      hound.processing(job)
      hound.die("SIGSEGV")
    }],
    ["a violation", (hound) => hound.flood()],
    ["too much memory", (hound, job) => {
      hound.processing(job)
      hound.outgrow()
    }],
    ["a crash before it has begun", (hound) => hound.exit(1)]
  ]

  it.effect.each(ways)(
    "RFC R4 with %s it waits for no launch that is paced, and every job has its end",
    ([, fail]) =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const { hounds, sync, threat } = yield* Scope.provide(
          play({
            hound: { minimumDormant: 2, maxActive: 2, replenishDelay: 1_000 },
            script: (hound) => {
              hound.onJob = ({ job }) => fail(hound, job)
              hound.ready()
            }
          }),
          scope
        )
        yield* rest
        for (let i = 0; i < 100; i++) threat(`${i}`)
        const fiber = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        // Not a millisecond of the drain's time.
        for (let i = 0; i < 5; i++) yield* rest
        assert.isDefined(fiber.pollUnsafe())
        const { abandoned, error } = sync.hounds.outcomes()
        assert.strictEqual(abandoned + error, 100)
        assert.strictEqual(sync.deadLetters(), 0)
        assert.isAtMost(hounds().length, 8)
        assert.isTrue(hounds().every(({ isDown }) => isDown))
      })
  )

  it.effect("RFC R4 hounds that are retired after each job are replaced to the end of the line", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { sync, threat } = yield* Scope.provide(
        play({ hound: { minimumDormant: 1, maxActive: 1, maxJobs: 1, replenishDelay: 10 } }),
        scope
      )
      yield* rest
      for (let i = 0; i < 20; i++) threat(`${i}`)
      const fiber = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      for (let i = 0; i < 60 && fiber.pollUnsafe() === undefined; i++) yield* after(50)
      assert.isDefined(fiber.pollUnsafe())
      assert.deepStrictEqual(sync.hounds.outcomes(), { ...none, complete: 20 })
    }))
})

describe("a start that does not go well", () => {
  it.effect("RFC H2 less than was configured is an alert, and in the snapshot", () =>
    Effect.gen(function*() {
      const { sync, types } = yield* play({
        hound: { sandbox: "hard" },
        launcher: { report: { ...report, configured: "hard" } }
      })
      yield* rest
      assert.deepStrictEqual(types(), ["hound.sandbox_lowered"])
      assert.strictEqual(sync.watcher.snapshot().hound.sandbox, "default")
    }))

  it.effect("RFC H2 a level that lacks one of its parts is an alert that names it", () =>
    Effect.gen(function*() {
      const { alerts } = yield* play({
        launcher: { report: { ...report, lacking: ["resourceLimits", "userDropped"] } }
      })
      yield* rest
      assert.deepStrictEqual(alerts.map(({ severity, type }) => [severity, type]), [[
        "warning",
        "hound.sandbox_lowered"
      ]])
      assert.include(alerts[0]?.message, "default without resourceLimits, userDropped")
    }))

  it.effect("a machine without hounds is an alert: evidence is held, and nothing waits", () =>
    Effect.gen(function*() {
      const { sync, threat, types } = yield* play({
        launcher: { openSpawner: null, report: { ...report, level: "none" } }
      })
      yield* rest
      assert.deepStrictEqual(types(), ["hound.unavailable"])
      assert.strictEqual(threat("x").status, "quarantined")
      assert.strictEqual(sync.watcher.snapshot().hound.sandbox, "none")
      assert.strictEqual(sync.deadLetters(), 0)
    }))

  it.effect("RFC H1 a first boot that fails is no crash loop: with an analyzer of one's own it is an error that says why", () =>
    Effect.gen(function*() {
      let launches = 0
      const script = (hound: FakeHound): void => {
        launches += 1
        hound.exit(66)
      }
      const message = yield* failureOf(play({ hound: { analyzer: { path: "/a.mjs" } }, script }))
      assert.strictEqual(message, "hounds do not start: the analyzer imports \"node:fs\"")
      assert.isAtMost(launches, 2)
    }))

  it.effect("and with ours the machine lacks something: an alert", () =>
    Effect.gen(function*() {
      let launches = 0
      const { sync, threat, types } = yield* play({
        script: (hound) => {
          launches += 1
          hound.failToSpawn("spawn EAGAIN")
        }
      })
      yield* rest
      assert.include(types(), "hound.unavailable")
      assert.isAtMost(launches, 2)
      yield* after(60_000)
      assert.isAtMost(launches, 2)
      assert.strictEqual(threat("x").status, "quarantined")
      assert.strictEqual(sync.hounds.total, 0)
    }))

  it.live("boots that are not in time may be bad luck, three times", () =>
    Effect.gen(function*() {
      let launches = 0
      const message = yield* failureOf(play({
        hound: { analyzer: { path: "/a.mjs" }, readyTimeout: 20, replenishDelay: 0, minimumDormant: 1 },
        script: () => {
          launches += 1
        },
        launcher: { diagnose: Effect.succeed("") }
      }))
      assert.include(message, "hound.readyTimeout")
      assert.strictEqual(launches, 3)
    }))

  it.live("bad luck, once: the second try is ready", () =>
    Effect.gen(function*() {
      const { sync } = yield* Effect.scoped(play({
        hound: { analyzer: { path: "/a.mjs" }, minimumDormant: 1, replenishDelay: 0 },
        script: (hound, index) => index === 0 ? hound.die("SIGKILL") : wellBehaved(hound)
      }))
      assert.strictEqual(sync.hounds.outcomes().error, 0)
    }))

  it.effect("jobs wait for the start, and hounds do them in order", () =>
    inTime(Effect.gen(function*() {
      const jobs: Array<string> = []
      const { start, sync, threat } = yield* play({
        starts: false,
        hound: { maxActive: 1 },
        script: (hound) => {
          hound.onJob = ({ evidence, job }) => {
            jobs.push(Buffer.from(evidence).toString())
            hound.answer(job)
          }
          hound.ready()
        }
      })
      for (const text of ["a", "b", "c"]) assert.strictEqual(threat(text).status, "quarantined")
      yield* after(10_000)
      assert.deepStrictEqual(sync.watcher.snapshot().hound, { dormant: 0, active: 0, terminated: 0, sandbox: "none" })
      const starting = yield* Effect.forkChild(start, { startImmediately: true })
      yield* rest
      assert.isDefined(starting.pollUnsafe())
      assert.deepStrictEqual(jobs, ["a", "b", "c"])
    })))

  it.effect("a start that was interrupted can be taken up: the hounds that it launched are the pool's", () =>
    inTime(Effect.gen(function*() {
      const { hounds, spawners, start, sync } = yield* play({ starts: false, script: () => undefined })
      const first = yield* Effect.forkChild(start, { startImmediately: true })
      yield* rest
      yield* Fiber.interrupt(first)
      for (const hound of hounds()) hound.ready()
      yield* rest
      const second = yield* Effect.forkChild(start, { startImmediately: true })
      yield* rest
      assert.isDefined(second.pollUnsafe())
      assert.strictEqual(spawners.length, 1)
      assert.strictEqual(sync.watcher.snapshot().hound.dormant, 2)
    })))
})
