/**
 * The pool with real processes, under a whole Tracehound.
 */
import { assert, describe, it as every } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Logger, Option, References, Scope, Tracer } from "effect"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { PurgeRecord } from "../../../src/domain/Records.ts"
import { createTracehound } from "../../../src/index.ts"
import { Tracehound } from "../../../src/runtime/Tracehound.ts"
import { sampleOf } from "../../support/tiers.ts"
import { analyzerFile, descendants, houndsOf, obedient, until, withHounds } from "./pools.ts"

const it = sampleOf(every, 3)

const timeout = 60_000

const fails = (source: string) =>
  Effect.gen(function*() {
    const path = yield* analyzerFile(source)
    const exit = yield* Effect.exit(Effect.scoped(withHounds({ analyzer: { path } })))
    return Exit.isFailure(exit) ? String(Option.getOrUndefined(Exit.findErrorOption(exit))) : "it started"
  })

describe("hounds that are processes", () => {
  it.live(
    "RFC H1 the minimum is ready before the start has ended, and the snapshot says so",
    () =>
      Effect.gen(function*() {
        const path = yield* analyzerFile(obedient)
        const { sync } = yield* withHounds({ minimumDormant: 3, analyzer: { path } })
        assert.deepStrictEqual(sync.watcher.snapshot().hound, {
          dormant: 3,
          active: 0,
          terminated: 0,
          sandbox: "default"
        })
        assert.strictEqual(sync.hounds.total, 3)
        assert.strictEqual(houndsOf(path).length, 3)
        assert.strictEqual(new Set(sync.hounds.list().map(({ id }) => id)).size, 3)
      }),
    timeout
  )

  it.live(
    "RFC H7 critical evidence is quarantined and examined; less than that is only held",
    () =>
      Effect.gen(function*() {
        const { sync, threat } = yield* withHounds()
        const answer = threat("complete")
        assert.strictEqual(answer.status, "escalated")
        if (answer.status !== "escalated") return
        assert.strictEqual(answer.hound.state, "active")
        assert.strictEqual(sync.watcher.snapshot().hound.active, 1)
        assert.isNotNull(sync.quarantine.get(answer.handle.signature))
        assert.strictEqual(threat("held", "high").status, "quarantined")
        yield* until(() => sync.hounds.outcomes().complete === 1)
        assert.strictEqual(sync.watcher.snapshot().hound.active, 0)
        assert.isNotNull(sync.quarantine.get(answer.handle.signature))
      }),
    timeout
  )

  it.live(
    "RFC H7 with no hound free the answer is quarantined, and the job waits its turn",
    () =>
      Effect.gen(function*() {
        const { sync, threat } = yield* withHounds({ minimumDormant: 1, maxActive: 1 })
        assert.strictEqual(threat("wait 50").status, "escalated")
        assert.strictEqual(threat("complete 2").status, "quarantined")
        assert.strictEqual(threat("complete 3").status, "quarantined")
        assert.strictEqual(sync.watcher.snapshot().hound.active, 1)
        yield* until(() => sync.hounds.outcomes().complete === 3)
      }),
    timeout
  )

  it.live("RFC H7 a duplicate that makes evidence critical has it examined", () =>
    Effect.gen(function*() {
      const { sync, threat } = yield* withHounds()
      assert.strictEqual(threat("x", "low").status, "quarantined")
      assert.strictEqual(threat("x", "high").status, "ignored")
      assert.strictEqual(threat("x", "critical").status, "ignored")
      assert.strictEqual(threat("x", "critical").status, "ignored")
      yield* until(() => sync.hounds.outcomes().complete === 1)
      threat("y")
      yield* until(() => sync.hounds.outcomes().complete === 2)
    }), timeout)

  it.live(
    "RFC H4 a hound that does not end is killed, its evidence purged and recorded, and the pool is whole again",
    () =>
      Effect.gen(function*() {
        const purged: Array<PurgeRecord> = []
        const directory = mkdtempSync(join(tmpdir(), "tracehound-cold-"))
        yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(directory, { recursive: true })))
        const { alerts, sync, threat } = yield* withHounds(
          { maxProcessingTime: 1_500 },
          { audit: { coldStorage: { endpoint: `file:${directory}` } } },
          { onPurge: (record) => void purged.push(record) }
        )
        const loop = threat("loop")
        const hang = threat("wait 600000")
        assert.strictEqual(loop.status, "escalated")
        assert.strictEqual(hang.status, "escalated")
        yield* until(() => purged.length === 2)
        assert.deepStrictEqual(sync.hounds.outcomes(), {
          complete: 0,
          error: 0,
          timeout: 2,
          left: 0,
          abandoned: 0,
          unavailable: 0,
          skipped: 0
        })
        assert.strictEqual(sync.watcher.snapshot().hound.terminated, 2)
        assert.strictEqual(sync.quarantine.count, 0)
        for (const record of purged) {
          assert.strictEqual(record.reason, "timeout")
          assert.strictEqual(record.scent.source, "192.0.2.7")
          assert.match(record.scent.payloadHash, /^[0-9a-f]{64}$/)
        }
        yield* until(() => readdirSync(directory).filter((name) => !name.startsWith(".")).length === 2)
        yield* until(() => sync.watcher.snapshot().hound.dormant >= 2)
        assert.isTrue(sync.auditChain.verify())
        yield* until(() => alerts.filter(({ type }) => type === "evidence.purged").length === 2)
        assert.include(sync.watcher.snapshot().errors.map(({ code }) => code), "hound_timeout")
      }),
    timeout
  )

  it.live(
    "RFC F1 a verdict of error, and a throw, are the fail-safe's: escalated, and the evidence is still held",
    () =>
      Effect.gen(function*() {
        const { alerts, sync, threat } = yield* withHounds()
        threat("error")
        threat("throw")
        yield* until(() => sync.hounds.outcomes().error === 2)
        yield* until(() => alerts.filter(({ type }) => type === "failsafe.escalated").length === 2)
        assert.strictEqual(sync.quarantine.count, 2)
        assert.strictEqual(sync.watcher.snapshot().hound.terminated, 2)
        yield* until(() => sync.watcher.snapshot().hound.dormant >= 2)
      }),
    timeout
  )

  it.live("RFC H4 a bomb ends its hound and nobody else", () =>
    Effect.gen(function*() {
      const { sync, threat } = yield* withHounds()
      threat("memory")
      threat("heap")
      yield* until(() => sync.hounds.outcomes().error === 2)
      threat("complete")
      yield* until(() => sync.hounds.outcomes().complete === 1)
      assert.strictEqual(sync.quarantine.count, 3)
    }), timeout)

  it.live(
    "RFC H6 a hound killed over its evidence: another one takes over, and nothing is lost",
    () =>
      Effect.gen(function*() {
        const path = yield* analyzerFile(obedient)
        const { sync, threat } = yield* withHounds({ minimumDormant: 1, analyzer: { path } })
        threat("wait 400")
        threat("complete 1")
        const [hound] = houndsOf(path)
        assert.isDefined(hound)
        process.kill(hound?.pid ?? 0, "SIGKILL")
        yield* until(() => sync.hounds.outcomes().complete === 2)
        assert.strictEqual(sync.hounds.outcomes().error, 0)
        assert.strictEqual(sync.quarantine.count, 2)
        yield* until(() => sync.watcher.snapshot().hound.dormant >= 1)
      }),
    timeout
  )

  it.live(
    "RFC H1 terminate kills a hound, and another takes its work; deactivate gives it up",
    () =>
      Effect.gen(function*() {
        const { sync, threat } = yield* withHounds({ minimumDormant: 1 })
        const answer = threat("wait 300")
        assert.isTrue(answer.status === "escalated" && sync.hounds.terminate(answer.hound.id))
        yield* until(() => sync.hounds.outcomes().complete === 1)
        assert.strictEqual(sync.watcher.snapshot().hound.terminated, 1)
        const other = threat("wait 299")
        assert.isTrue(other.status === "escalated" && sync.hounds.deactivate(other.hound.id))
        yield* until(() => sync.hounds.outcomes().abandoned === 1)
        yield* until(() => sync.hounds.active === 0)
        assert.strictEqual(sync.hounds.outcomes().complete, 1)
        assert.isFalse(sync.hounds.terminate("nobody"))
      }),
    timeout
  )

  it.live("RFC H1 an operator has held evidence examined, whatever its severity", () =>
    Effect.gen(function*() {
      const { sync, threat } = yield* withHounds()
      const held = threat("x", "low")
      assert.strictEqual(held.status, "quarantined")
      if (held.status !== "quarantined") return
      assert.isNull(sync.hounds.activate("malware:unknown"))
      assert.strictEqual(sync.hounds.activate(held.handle.signature)?.state, "active")
      yield* until(() => sync.hounds.outcomes().complete === 1)
    }), timeout)

  it.live("RFC H5 a rotation replaces the dormant hounds", () =>
    Effect.gen(function*() {
      const path = yield* analyzerFile(obedient)
      const { sync } = yield* withHounds(
        { analyzer: { path } },
        { scheduler: { rotationInterval: 200, jitterMax: 0 } }
      )
      const before = new Set(sync.hounds.list().map(({ id }) => id))
      yield* until(() => sync.hounds.list().every(({ id }) => !before.has(id)))
      assert.isAtLeast(sync.watcher.snapshot().hound.dormant, 2)
      assert.strictEqual(sync.watcher.snapshot().hound.terminated, 0)
    }), timeout)

  it.live("a span for each examination, linked to the one in which the threat came", () =>
    Effect.gen(function*() {
      const spans: Array<Tracer.Span> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const { sync, tracehound } = yield* withHounds().pipe(Effect.provideService(Tracer.Tracer, tracer))
      const request = yield* Effect.withSpan(
        Effect.andThen(
          tracehound.intercept({
            id: "1",
            source: "192.0.2.7",
            timestamp: 1,
            payload: "complete",
            threat: { category: "malware", severity: "critical" }
          }),
          Effect.currentSpan
        ),
        "request"
      ).pipe(Effect.provideService(Tracer.Tracer, tracer))
      yield* until(() => sync.hounds.outcomes().complete === 1)
      yield* until(() =>
        spans.some(({ name, status }) => name === "tracehound.hound.examine" && status._tag === "Ended")
      )
      const span = spans.find(({ name }) => name === "tracehound.hound.examine")
      assert.deepStrictEqual(span?.links.map(({ span }) => span.spanId), [request.spanId])
      assert.strictEqual(span?.attributes.get("tracehound.outcome"), "complete")
      assert.notInclude(JSON.stringify([...span?.attributes ?? []]), "192.0.2.7")
    }), timeout)

  it.live("hound.debug logs what the analyzer threw, and why a hound ended", () =>
    Effect.gen(function*() {
      const logged: Array<string> = []
      const logger = Logger.make(({ fiber, message }) => {
        logged.push(`${String(message)} ${JSON.stringify(fiber.getRef(References.CurrentLogAnnotations))}`)
      })
      const { threat } = yield* withHounds({ debug: true }).pipe(
        Effect.provide(Logger.layer([logger])),
        Effect.provideService(References.MinimumLogLevel, "Debug")
      )
      threat("throw")
      yield* until(() => logged.some((line) => line.includes("not to my taste")))
    }), timeout)

  it.live("evidence that left before its turn is not examined", () =>
    Effect.gen(function*() {
      const { sync, threat } = yield* withHounds({ minimumDormant: 1, maxActive: 1 })
      threat("wait 100")
      const second = threat("complete")
      assert.strictEqual(second.status, "quarantined")
      if (second.status === "quarantined") sync.neutralize(second.handle.signature)
      yield* until(() => sync.hounds.outcomes().left === 1)
    }), timeout)
})

describe("an analyzer that cannot be used", () => {
  it.live("RFC H2 imports what it must not: the error names it", () =>
    Effect.gen(function*() {
      assert.include(yield* fails(`import fs from "node:fs"\nexport const analyze = () => fs`), "node:fs")
    }), timeout)

  it.live("is no module, throws, or has no analyze: the error says so", () =>
    Effect.gen(function*() {
      assert.match(yield* fails("export const analyze = ("), /hounds do not start: .*(syntax|Unexpected)/i)
      assert.match(yield* fails("throw new Error('not today')"), /not today/)
      assert.match(yield* fails("export const analyse = () => {}"), /analyze/)
    }), timeout)

  it.live("is not there, or is another one", () =>
    Effect.gen(function*() {
      const missing = yield* Effect.exit(Effect.scoped(withHounds({ analyzer: { path: "/nowhere/analyzer.mjs" } })))
      assert.include(
        String(Exit.isFailure(missing) && Option.getOrUndefined(Exit.findErrorOption(missing))),
        "/nowhere/analyzer.mjs"
      )
      const path = yield* analyzerFile(obedient)
      const other = yield* Effect.exit(Effect.scoped(withHounds({ analyzer: { path, sha256: "0".repeat(64) } })))
      assert.match(String(Exit.isFailure(other) && Option.getOrUndefined(Exit.findErrorOption(other))), /SHA-256/)
    }), timeout)
})

describe("the lifecycle", () => {
  it("RFC R4 dispose leaves no process; init starts hounds, once", async () => {
    const before = descendants().length
    const tracehound = createTracehound({ hound: { readyTimeout: 20_000 } })
    assert.strictEqual(tracehound.watcher.snapshot().hound.sandbox, "none")
    assert.strictEqual(
      tracehound.intercept({
        id: "1",
        source: "192.0.2.7",
        timestamp: 1,
        payload: "before there are hounds",
        threat: { category: "malware", severity: "critical" }
      }).status,
      "quarantined"
    )
    await Promise.all([tracehound.init(), tracehound.init()])
    // The minimum of two, and one for the evidence that waited, if that is ready so soon.
    const { active, dormant } = tracehound.watcher.snapshot().hound
    assert.include([2, 3], dormant + active)
    await Effect.runPromise(until(() => tracehound.hounds.outcomes().complete === 1))
    await tracehound.dispose()
    await tracehound.dispose()
    assert.strictEqual(descendants().length, before)
    assert.notInclude(process.getActiveResourcesInfo().join(), "ProcessWrap")
  }, timeout)

  it("RFC R4 dispose without init waits for nothing that will not come", async () => {
    const tracehound = createTracehound({ hound: { maxActive: 1 } })
    for (let i = 0; i < 5; i++) {
      tracehound.intercept({
        id: "1",
        source: "192.0.2.7",
        timestamp: 1,
        payload: `nobody looks ${i}`,
        threat: { category: "malware", severity: "critical" }
      })
    }
    await tracehound.dispose()
    assert.strictEqual(tracehound.hounds.outcomes().unavailable, 5)
  }, timeout)

  it.live("hound.enabled false is without hounds, and nothing escalates", () =>
    Effect.gen(function*() {
      const before = descendants().length
      const { sync, threat } = yield* withHounds({ enabled: false })
      assert.strictEqual(descendants().length, before)
      assert.strictEqual(threat("complete").status, "quarantined")
      assert.deepStrictEqual(sync.watcher.snapshot().hound, { dormant: 0, active: 0, terminated: 0, sandbox: "none" })
    }), timeout)

  it.live("closing lets hounds end what they have begun", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { sync, threat } = yield* Scope.provide(withHounds(), scope)
      threat("wait 200")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(sync.hounds.outcomes().complete, 1)
    }), timeout)

  it.live("two Tracehounds have hounds of their own", () =>
    Effect.gen(function*() {
      const one = yield* withHounds({ minimumDormant: 1 })
      const other = yield* withHounds({ minimumDormant: 1 })
      one.threat("complete")
      yield* until(() => one.sync.hounds.outcomes().complete === 1)
      assert.strictEqual(other.sync.hounds.outcomes().complete, 0)
      assert.notDeepEqual(one.sync.hounds.list(), other.sync.hounds.list())
    }), timeout)

  it.live("a layer in a program holds it until the hounds are there", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(
        Effect.provide(
          Effect.map(Tracehound, ({ sync }) => sync.watcher.snapshot().hound.dormant),
          Tracehound.layer({ hound: { readyTimeout: 20_000 } }).pipe(Layer.orDie)
        )
      )
      assert.strictEqual(yield* Fiber.join(fiber), 2)
    }), timeout)
})
