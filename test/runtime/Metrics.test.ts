/**
 * What each event moves in the metrics, by how much, and that it moves nothing else.
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Metric, Request, Scope } from "effect"
import { TestClock } from "effect/testing"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Actor from "../../src/actor/index.ts"
import type { TracehoundConfigInput } from "../../src/config/TracehoundConfig.ts"
import type { Scent } from "../../src/domain/Scent.ts"
import type { Severity } from "../../src/domain/Severity.ts"
import { Tracehound } from "../../src/index.ts"
import { catalogue } from "../../src/runtime/MetricNames.ts"
import {
  AlertRecorder,
  Arbitraries,
  InProcessHounds,
  MemoryColdStorage,
  TracehoundTest,
  type TracehoundTestServices
} from "../../src/testing/index.ts"
import { moved, seriesNow } from "../support/metrics.ts"
import { sample } from "../testing/arbitraries.ts"

/** To an actor that is not Tracehound's. */
class Work extends Request.TaggedClass("Work")<{ readonly fails: boolean }, void> {}

const clean: Scent = { id: "1", source: "192.0.2.1", timestamp: 1, payload: "x" }

const threat = (payload: unknown, severity: Severity = "low"): Scent => ({
  ...clean,
  payload,
  threat: { category: "injection", severity }
})

/** A Tracehound with a registry of its own. */
const alone = <A, E>(config: TracehoundConfigInput, body: Effect.Effect<A, E, TracehoundTestServices>) =>
  Effect.suspend(() =>
    Effect.provideService(Effect.provide(body, TracehoundTest.layer(config)), Metric.MetricRegistry, new Map())
  )

/** What the effect and all background work after it moved; without the metrics of actors. */
const movedBy = <E, R>(effect: Effect.Effect<unknown, E, R>) =>
  Effect.gen(function*() {
    const before = yield* seriesNow
    yield* effect
    yield* TracehoundTest.settled
    const all = Object.entries(moved(before, yield* seriesNow))
    return Object.fromEntries(all.filter(([name]) => !name.startsWith("tracehound.actor.")))
  })

const intercept = (...scents: ReadonlyArray<Scent>) =>
  Effect.flatMap(Tracehound, ({ sync }) => Effect.sync(() => scents.map((scent) => sync.intercept(scent))))

const held = (severity: Severity, items: number, bytes: number) => ({
  [`tracehound.quarantine.items{severity=${severity}}`]: items,
  [`tracehound.quarantine.bytes{severity=${severity}}`]: bytes
})

describe("an event moves", () => {
  it.effect("RFC W5 a clean scent: its status, and its source becomes known", () =>
    alone(
      {},
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* movedBy(intercept(clean)), {
          "tracehound.intercepts{status=clean}": 1,
          "tracehound.sources.known": 1
        })
        assert.deepStrictEqual(yield* movedBy(intercept(clean)), { "tracehound.intercepts{status=clean}": 1 })
      })
    ))

  it.effect("RFC W5 new evidence and its duplicate", () =>
    alone(
      {},
      Effect.gen(function*() {
        yield* intercept(clean)
        assert.deepStrictEqual(yield* movedBy(intercept(threat("abc", "high"))), {
          "tracehound.intercepts{status=quarantined}": 1,
          ...held("high", 1, 3)
        })
        assert.deepStrictEqual(yield* movedBy(intercept(threat("abc", "high"))), {
          "tracehound.intercepts{status=ignored}": 1,
          "tracehound.quarantine.duplicates": 1
        })
      })
    ))

  it.effect("RFC W5 a source over its limit, and the end of its block", () =>
    alone(
      { rateLimit: { maxRequests: 1, blockDurationMs: 1_000 } },
      Effect.gen(function*() {
        yield* intercept(clean)
        assert.deepStrictEqual(yield* movedBy(intercept(clean)), {
          "tracehound.intercepts{status=rate_limited}": 1,
          "tracehound.sources.blocked": 1
        })
        assert.deepStrictEqual(yield* movedBy(TestClock.adjust(1_000)), { "tracehound.sources.blocked": -1 })
      })
    ))

  it.effect("RFC W5 a payload that is too large, and a scent that is none", () =>
    alone(
      { maxPayloadSize: 4 },
      Effect.gen(function*() {
        yield* intercept(clean)
        assert.deepStrictEqual(yield* movedBy(intercept(threat("abcde"))), {
          "tracehound.intercepts{status=payload_too_large}": 1
        })
        assert.deepStrictEqual(yield* movedBy(intercept({ ...clean, id: "", timestamp: Number.NaN })), {
          "tracehound.intercepts{status=error}": 1
        })
      })
    ))

  it.effect("RFC W5 each way out of custody that a caller asks for", () =>
    alone(
      {},
      Effect.gen(function*() {
        const { sync } = yield* Tracehound
        const exits = ["neutralize", "transfer", "evacuate"] as const
        const reasons = ["neutralized", "transferred", "evacuated"]
        for (const [place, exit] of exits.entries()) {
          const result = sync.intercept(threat("abc"))
          const leaving = Effect.sync(() => result.status === "quarantined" ? result.handle[exit]() : assert.fail())
          assert.deepStrictEqual(yield* movedBy(leaving), {
            [`tracehound.quarantine.exits{reason=${reasons[place]},severity=low}`]: 1,
            "tracehound.audit.records": 1,
            ...held("low", -1, -3),
            ...(exit === "evacuate" ? { "tracehound.coldstorage.written": 1 } : {})
          })
        }
      })
    ))

  it.effect("RFC W5 an eviction, its alert and its envelope; and an arrival that finds no room", () =>
    alone(
      { quarantine: { maxCount: 1 }, hound: { enabled: false } },
      Effect.gen(function*() {
        yield* intercept(threat("abc", "high"))
        assert.deepStrictEqual(yield* movedBy(intercept(threat("defg", "critical"))), {
          "tracehound.intercepts{status=quarantined}": 1,
          "tracehound.quarantine.exits{reason=evicted,severity=high}": 1,
          "tracehound.alerts.raised{type=high_severity_eviction}": 1,
          "tracehound.audit.records": 1,
          "tracehound.coldstorage.written": 1,
          ...held("high", -1, -3),
          ...held("critical", 1, 4)
        })
        assert.deepStrictEqual(yield* movedBy(intercept(threat("hi"))), {
          "tracehound.intercepts{status=quarantined}": 1,
          "tracehound.quarantine.exits{reason=evicted,severity=low}": 1,
          "tracehound.audit.records": 1,
          "tracehound.coldstorage.written": 1
        })
      })
    ))

  it.effect("RFC W5 an escalation with a good look", () =>
    alone(
      {},
      Effect.gen(function*() {
        yield* intercept(clean)
        assert.deepStrictEqual(yield* movedBy(intercept(threat("abc", "critical"))), {
          "tracehound.intercepts{status=escalated}": 1,
          "tracehound.hound.jobs{outcome=complete}": 1,
          "tracehound.hound.duration": 1,
          ...held("critical", 1, 3)
        })
      })
    ))

  it.effect("RFC W5 an escalation with a bad look: the verdict error escalates to the host", () =>
    alone(
      {},
      Effect.gen(function*() {
        yield* intercept(clean)
        yield* (yield* InProcessHounds).next("error")
        assert.deepStrictEqual(yield* movedBy(intercept(threat("abc", "critical"))), {
          "tracehound.intercepts{status=escalated}": 1,
          "tracehound.hound.jobs{outcome=error}": 1,
          "tracehound.hound.duration": 1,
          "tracehound.hound.endings{cause=error}": 1,
          "tracehound.hound.launches": 1,
          "tracehound.alerts.raised{type=failsafe.escalated}": 1,
          ...held("critical", 1, 3)
        })
      })
    ))

  it.effect("RFC W5 an escalation with a look that does not end: active while it lasts, then purged", () =>
    alone(
      { hound: { maxProcessingTime: 1_000 } },
      Effect.gen(function*() {
        yield* intercept(clean)
        yield* (yield* InProcessHounds).next("hang")
        assert.deepStrictEqual(yield* movedBy(intercept(threat("abc", "critical"))), {
          "tracehound.intercepts{status=escalated}": 1,
          "tracehound.hounds{state=active}": 1,
          "tracehound.hounds{state=dormant}": -1,
          ...held("critical", 1, 3)
        })
        assert.deepStrictEqual(yield* movedBy(TestClock.adjust(1_000)), {
          "tracehound.hounds{state=active}": -1,
          "tracehound.hounds{state=dormant}": 1,
          "tracehound.hound.jobs{outcome=timeout}": 1,
          "tracehound.hound.endings{cause=timeout}": 1,
          "tracehound.hound.launches": 1,
          "tracehound.quarantine.exits{reason=purged,severity=critical}": 1,
          "tracehound.alerts.raised{type=evidence.purged}": 1,
          "tracehound.audit.records": 1,
          "tracehound.coldstorage.written": 1,
          ...held("critical", -1, -3)
        })
      })
    ))

  it.effect("RFC W5 evidence that no hound was free for", () =>
    alone(
      { hound: { maxActive: 1, escalation: { fill: 0 } } },
      Effect.gen(function*() {
        yield* (yield* InProcessHounds).always("hang")
        yield* intercept(threat("abc"))
        assert.deepStrictEqual(yield* movedBy(intercept(threat("defg"))), {
          "tracehound.intercepts{status=quarantined}": 1,
          "tracehound.hound.skipped": 1,
          ...held("low", 1, 4)
        })
      })
    ))

  it.effect("RFC W5 cold storage that hangs, grows old, is full and fails", () =>
    alone(
      { audit: { coldStorage: { endpoint: "file:memory", retries: 0, maxPendingCount: 2, writeTimeoutMs: 60_000 } } },
      Effect.gen(function*() {
        const { retryColdStorage, sync } = yield* Tracehound
        const memory = yield* MemoryColdStorage
        const evacuate = (payload: string) =>
          Effect.sync(() => {
            const result = sync.intercept(threat(payload))
            if (result.status === "quarantined") result.handle.evacuate()
          })
        const evacuated = {
          "tracehound.intercepts{status=quarantined}": 1,
          "tracehound.quarantine.exits{reason=evacuated,severity=low}": 1,
          "tracehound.audit.records": 1
        }
        yield* intercept(clean)
        yield* memory.hang()
        assert.deepStrictEqual(yield* movedBy(evacuate("abc")), {
          ...evacuated,
          "tracehound.coldstorage.pending.items": 1,
          "tracehound.coldstorage.pending.bytes": 3
        })
        assert.deepStrictEqual(yield* movedBy(TestClock.adjust(2_500)), { "tracehound.coldstorage.pending.age": 2.5 })
        assert.deepStrictEqual(yield* movedBy(evacuate("defg")), {
          ...evacuated,
          "tracehound.coldstorage.pending.items": 1,
          "tracehound.coldstorage.pending.bytes": 4
        })
        assert.deepStrictEqual(yield* movedBy(evacuate("hi")), {
          "tracehound.intercepts{status=quarantined}": 1,
          "tracehound.coldstorage.refused": 1,
          "tracehound.alerts.raised{type=coldstorage.refused}": 1,
          ...held("low", 1, 2)
        })
        yield* TestClock.adjust(1_500)
        yield* memory.failAlways
        assert.deepStrictEqual(yield* movedBy(memory.release()), {
          "tracehound.coldstorage.failed": 1,
          "tracehound.coldstorage.kept.items": 1,
          "tracehound.coldstorage.written": 1,
          "tracehound.alerts.raised{type=coldstorage.failure}": 1,
          "tracehound.coldstorage.pending.items": -2,
          "tracehound.coldstorage.pending.bytes": -7,
          "tracehound.coldstorage.pending.age": -4
        })
        yield* memory.heal
        assert.deepStrictEqual(yield* movedBy(Effect.orDie(retryColdStorage())), {
          "tracehound.coldstorage.kept.items": -1,
          "tracehound.coldstorage.resent": 1
        })
      })
    ))

  it.effect("RFC W5 cold storage that keeps no dead letters, and is not trusted", () =>
    alone(
      {
        audit: { coldStorage: { endpoint: "file:memory", retries: 0, maxKeptCount: 0 } },
        trustBoundary: { coldStorage: { trustLevel: "untrusted" } }
      },
      Effect.gen(function*() {
        const { sync } = yield* Tracehound
        const memory = yield* MemoryColdStorage
        yield* memory.failNext(1)
        const evacuate = Effect.sync(() => {
          const result = sync.intercept(threat("abc"))
          if (result.status === "quarantined") result.handle.evacuate()
        })
        const lost = yield* movedBy(evacuate)
        assert.deepStrictEqual(
          [lost["tracehound.coldstorage.failed"], lost["tracehound.coldstorage.unkept"]],
          [1, 1]
        )
        const written = yield* movedBy(evacuate)
        assert.deepStrictEqual(
          [written["tracehound.coldstorage.written"], written["tracehound.coldstorage.unconfirmed"]],
          [1, 1]
        )
      })
    ))

  it.effect("RFC W5 cold storage that is spared, and comes back", () =>
    alone(
      { audit: { coldStorage: { endpoint: "file:memory", retries: 0 } } },
      Effect.gen(function*() {
        const { sync } = yield* Tracehound
        const memory = yield* MemoryColdStorage
        const evacuate = (payload: string) =>
          Effect.sync(() => {
            const result = sync.intercept(threat(payload))
            if (result.status === "quarantined") result.handle.evacuate()
          })
        yield* memory.failAlways
        for (const payload of ["a", "b"]) yield* movedBy(evacuate(payload))
        const third = yield* movedBy(evacuate("c"))
        assert.strictEqual(third["tracehound.coldstorage.breaker.open"], 1)
        yield* memory.heal
        yield* TestClock.adjust(5_000)
        const probe = yield* movedBy(evacuate("d"))
        assert.strictEqual(probe["tracehound.coldstorage.breaker.open"], -1)
        assert.strictEqual(probe["tracehound.coldstorage.written"], 1)
      })
    ))

  it.effect("RFC W5 alerts that are raised, suppressed and a flood", () =>
    alone(
      {
        alerts: { maxAlertsPerWindow: 1, escalationThreshold: 2 },
        quarantine: { maxCount: 1 },
        hound: { enabled: false }
      },
      Effect.gen(function*() {
        const eviction = (payload: string) => intercept(threat(payload, "high"))
        yield* eviction("a")
        const alerts = (more: Readonly<Record<string, number>>) =>
          Object.fromEntries(Object.entries(more).filter(([name]) => name.startsWith("tracehound.alerts.")))
        assert.deepStrictEqual(alerts(yield* movedBy(eviction("b"))), {
          "tracehound.alerts.raised{type=high_severity_eviction}": 1
        })
        assert.deepStrictEqual(alerts(yield* movedBy(eviction("c"))), {
          "tracehound.alerts.suppressed{type=high_severity_eviction}": 1
        })
        assert.deepStrictEqual(alerts(yield* movedBy(eviction("d"))), {
          "tracehound.alerts.raised{type=alert.flood}": 1,
          "tracehound.alerts.suppressed{type=high_severity_eviction}": 1
        })
        assert.strictEqual((yield* (yield* AlertRecorder).alerts).length, 2, "what was raised has left")
      })
    ))

  it.effect("RFC W5 a panic: evidence is purged, and later scents are errors", () =>
    alone(
      {},
      Effect.gen(function*() {
        const { sync } = yield* Tracehound
        yield* intercept(threat("abc"), threat("defg"))
        assert.deepStrictEqual(yield* movedBy(Effect.sync(sync.panic)), {
          "tracehound.panicked": 1,
          "tracehound.alerts.raised{type=failsafe.panic}": 1,
          "tracehound.alerts.raised{type=evidence.purged}": 2,
          "tracehound.quarantine.exits{reason=purged,severity=low}": 2,
          "tracehound.audit.records": 2,
          "tracehound.coldstorage.written": 2,
          ...held("low", -2, -7)
        })
        assert.deepStrictEqual(yield* movedBy(intercept(clean)), { "tracehound.intercepts{status=error}": 1 })
      })
    ))
})

describe("a crash of an actor moves", () => {
  it.effect("RFC W5 its crashes, its restarts and the dead letter that it had in hand, and no other", () =>
    Effect.gen(function*() {
      const { root } = yield* Actor.ActorSystem
      const definition = Actor.define<Work>()("worker", {
        behaviour: () => Effect.succeed({ Work: ({ fails }: Work) => fails ? Effect.die("a mistake") : Effect.void })
      })
      const worker = yield* root.spawn(definition)
      const told = (fails: boolean) =>
        Effect.gen(function*() {
          const before = yield* seriesNow
          worker.tellUnsafe(new Work({ fails }))
          yield* TestClock.adjust("1 second")
          return moved(before, yield* seriesNow)
        })
      const handled = "tracehound.actor.messages.handled{actor=worker,system=mine}"
      assert.deepStrictEqual(yield* told(false), { [handled]: 1 })
      assert.deepStrictEqual(yield* told(true), {
        "tracehound.actor.crashes{actor=worker,system=mine}": 1,
        "tracehound.actor.dead_letters{actor=worker,reason=crashed,system=mine}": 1,
        "tracehound.actor.restarts{actor=worker,system=mine}": 1
      })
      assert.deepStrictEqual(yield* told(false), { [handled]: 1 })
    }).pipe(
      Effect.provide(Actor.ActorSystem.layer({ name: "mine" })),
      Effect.provideService(Metric.MetricRegistry, new Map())
    ))
})

describe("a host's own metrics", () => {
  const mine = Metric.counter("host.alerts")

  it.effect.each([{}, { host: "h" }])(
    "RFC W5 R7 that a sink or a callback of its own moves have the host's attributes %j, and none of ours",
    (attributes: Readonly<Record<string, string>>) =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const layer = Tracehound.layerWith({
          config: {
            quarantine: { maxCount: 1 },
            hound: { enabled: false },
            failSafe: { onQuarantineFull: "escalate" }
          },
          sinks: [{ send: () => Metric.update(mine, 1) }],
          callbacks: { onEscalate: () => Metric.update(mine, 1) }
        })
        const { sync } = Context.get(yield* Layer.buildWithScope(layer, scope), Tracehound)
        for (const payload of ["a", "b"]) sync.intercept(threat(payload, "high"))
        yield* TracehoundTest.settled.pipe(Effect.provideService(Tracehound, { sync } as Tracehound["Service"]))
        const found = (yield* Metric.snapshot).filter(({ id }) => id === "host.alerts")
        assert.deepStrictEqual(found.map((metric) => metric.attributes ?? {}), [attributes])
        const [state = { count: 0 }] = found.map((metric) => metric.state)
        assert.isAtLeast("count" in state ? Number(state.count) : 0, 2)
        yield* Scope.close(scope, Exit.void)
      }).pipe(
        Object.keys(attributes).length === 0
          ? (own) => own
          : Effect.provideService(Metric.CurrentMetricAttributes, attributes),
        Effect.provideService(Metric.MetricRegistry, new Map())
      )
  )
})

describe("the series of a Tracehound", () => {
  const parent = mkdtempSync(join(tmpdir(), "tracehound-metrics-"))
  afterAll(() => rmSync(parent, { recursive: true, force: true }))

  const ids = Effect.map(
    Metric.snapshot,
    (all) =>
      all.map(({ attributes, id }) => `${id} ${JSON.stringify(attributes)}`).filter((id) =>
        id.startsWith("tracehound.")
      )
  )

  it.effect("RFC W5 are those of the catalogue, with its kinds and units, and carry the instance", () =>
    alone(
      {
        telemetry: { instance: "web" },
        alerts: { devopsEndpoint: "http://127.0.0.1:9" },
        dataDirectory: join(parent, "data")
      },
      Effect.gen(function*() {
        const ours = (yield* Metric.snapshot).filter(({ id }) => id.startsWith("tracehound."))
        const shown = (name: string, kind: string, unit: string | undefined, description: string | undefined) =>
          [name, kind, unit, description].join(" | ")
        const found = ours.map(({ attributes, description, id, type }) =>
          shown(id, type.toLowerCase(), attributes?.["unit"], description)
        )
        const wanted = catalogue.map(({ description, kind, name, unit }) => shown(name, kind, unit, description))
        assert.sameMembers([...new Set(found)], wanted)
        for (const { attributes, id } of ours) assert.strictEqual(attributes?.["tracehound.instance"], "web", id)
      })
    ))

  it.effect("RFC W5 of two Tracehounds are told apart, and are gone when their layers close", () =>
    Effect.gen(function*() {
      const open = Effect.gen(function*() {
        const scope = yield* Scope.make()
        yield* Layer.buildWithScope(TracehoundTest.layer(), scope)
        return { close: Scope.close(scope, Exit.void) }
      })
      const first = yield* open
      const one = new Set(yield* ids)
      const second = yield* open
      const both = new Set(yield* ids)
      assert.strictEqual(both.size, 2 * one.size)
      assert.isTrue([...both].every((id) => /"tracehound.instance":"tracehound(-2)?"/.test(id)))
      yield* first.close
      assert.deepStrictEqual((yield* ids).filter((id) => !id.includes("\"tracehound-2\"")), [])
      yield* second.close
      assert.deepStrictEqual(yield* ids, [])
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("RFC W5 are as many after a flood of made-up sources, ids, categories, severities and payloads", () =>
    alone(
      { quarantine: { maxCount: 8 }, maxPayloadSize: 1_000 },
      Effect.gen(function*() {
        const before = new Set(yield* ids)
        const hostile = yield* sample(Arbitraries.hostile, 300)
        const made = hostile.flatMap(({ make }, i) => [
          make() as Scent,
          { ...threat(make(), "critical"), id: `id-${i}`, source: `source-${i}` },
          { ...clean, source: `s${i}`, threat: { category: `c${i}`, severity: `s${i}` } as never }
        ])
        for (const scent of made) {
          yield* intercept(scent)
          yield* Effect.yieldNow
        }
        yield* TracehoundTest.settled
        assert.deepStrictEqual(new Set(yield* ids), before)
      })
    ))
})
