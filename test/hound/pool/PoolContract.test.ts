/**
 * The promises of a pool of hounds to the rooms above it, kept by the real pool (over processes
 * that a test plays) and by the one for tests.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { TracehoundConfigInput } from "../../../src/config/TracehoundConfig.ts"
import { ColdStorageEndpoint } from "../../../src/custody/coldstorage/Endpoint.ts"
import * as NodePorts from "../../../src/host/node/NodePorts.ts"
import { HoundPool } from "../../../src/hound/pool/HoundPool.ts"
import { layerOf } from "../../../src/hound/pool/ProcessPool.ts"
import { HoundConnection } from "../../../src/hound/process/HoundConnection.ts"
import { assemble, started, Tracehound } from "../../../src/runtime/Tracehound.ts"
import type { TracehoundSync } from "../../../src/runtime/TracehoundSync.ts"
import { type HoundBehaviour, make as makeInProcess } from "../../../src/testing/InProcessHounds.ts"
import { FakeSpawner } from "../../support/FakeSpawner.ts"
import { after, inTime, rest } from "./ownTime.ts"

interface World {
  readonly sync: TracehoundSync
  /**
   * How the next examinations end, in the order in which they begin; `complete` where nothing is
   * said.
   */
  readonly behaviours: Array<HoundBehaviour>
  readonly rotate: Effect.Effect<void>
  readonly threat: (text: string, severity?: "low" | "critical") => ReturnType<TracehoundSync["intercept"]>
}

/** The pool itself, as the rooms get it. */
const watched = <E, R>(hounds: Layer.Layer<HoundPool, E, R>, told: (pool: HoundPool["Service"]) => void) =>
  Layer.effect(
    HoundPool,
    Effect.map(HoundPool, (pool) => {
      told(pool)
      return pool
    })
  ).pipe(Layer.provide(hounds))

const worldOf = (kind: "real" | "in process") => (hound: TracehoundConfigInput["hound"] = {}) =>
  Effect.gen(function*() {
    const behaviours: Array<HoundBehaviour> = []
    const inProcess = makeInProcess()
    const spawner = new FakeSpawner((fake) => {
      fake.onJob = ({ job }) => {
        const behaviour = behaviours.shift() ?? "complete"
        if (behaviour === "complete" || behaviour === "error") return fake.answer(job, behaviour)
        fake.processing(job)
        if (behaviour === "crash") fake.die("SIGSEGV")
      }
      fake.ready()
    })
    const real = layerOf(Effect.succeed({
      report: {
        configured: "default" as const,
        level: "default" as const,
        measured: true,
        platform: "a test",
        node: "26.0.0",
        mechanisms: [],
        lacking: []
      },
      openSpawner: () => spawner,
      openConnection: (pipe) => new HoundConnection(pipe),
      diagnose: Effect.succeed("")
    }))
    let pool: HoundPool["Service"] | undefined
    const config: TracehoundConfigInput = {
      hound: { minimumDormant: 2, maxActive: 2, maxProcessingTime: 1_000, ...hound },
      scheduler: { rotationInterval: 2_000_000_000 }
    }
    const parts = { config, endpointFor: () => Layer.effect(ColdStorageEndpoint, Effect.never) }
    const keep = (its: HoundPool["Service"]): void => {
      pool = its
    }
    const rooms = kind === "real"
      ? assemble({ ...parts, hounds: watched(real, keep) })
      : assemble({ ...parts, hounds: watched(inProcess.layer, keep) })
    const context = yield* Layer.build(started(rooms).pipe(Layer.provide(NodePorts.layer)))
    const { sync } = yield* Effect.provideContext(Tracehound, context)
    let id = 0
    const world: World = {
      sync,
      behaviours,
      rotate: Effect.suspend(() => pool?.rotate ?? Effect.void),
      threat: (payload, severity = "critical") =>
        sync.intercept({
          id: `${++id}`,
          source: "192.0.2.7",
          timestamp: 1,
          payload,
          threat: { category: "spam", severity }
        })
    }
    return {
      ...world,
      /** Says how examinations end from now on. */
      says: (...more: ReadonlyArray<HoundBehaviour>) =>
        kind === "real" ? Effect.sync(() => void behaviours.push(...more)) : inProcess.control.next(...more)
    }
  })

/** Asserts what is true at every moment. */
const check = ({ hounds, watcher }: TracehoundSync, maxActive = 2): void => {
  const { active, dormant } = watcher.snapshot().hound
  const listed = hounds.list()
  assert.strictEqual(listed.filter(({ state }) => state === "active").length, active)
  assert.strictEqual(listed.filter(({ state }) => state === "dormant").length, dormant)
  assert.strictEqual(new Set(listed.map(({ id }) => id)).size, listed.length)
  assert.isAtMost(active, maxActive)
  for (const { activatedAt, state } of listed) assert.strictEqual(activatedAt === null, state === "dormant")
}

describe.each(["real", "in process"] as const)("a pool of hounds: %s", (kind) => {
  const open = worldOf(kind)

  it.effect("RFC H1 H7 a free hound is active at once, and dormant again when it is through", () =>
    inTime(Effect.gen(function*() {
      const { sync, threat } = yield* open()
      yield* rest
      check(sync)
      assert.isAtLeast(sync.hounds.dormant, 2)
      const answer = threat("a")
      check(sync)
      assert.strictEqual(answer.status, "escalated")
      assert.isTrue(answer.status === "escalated" && sync.hounds.list().some(({ id }) => id === answer.hound.id))
      yield* rest
      check(sync)
      assert.strictEqual(sync.hounds.active, 0)
      assert.strictEqual(sync.hounds.outcomes().complete, 1)
      assert.strictEqual(sync.quarantine.count, 1)
    })))

  it.effect("RFC H7 S1 with none free the job waits its turn, first in, first out", () =>
    inTime(Effect.gen(function*() {
      const { says, sync, threat } = yield* open({ maxActive: 1 })
      yield* rest
      // The first hangs until its deadline; the second ends with an error, and the third well.
      yield* says("hang", "error", "complete")
      const statuses = ["a", "b", "c"].map((text) => threat(text).status)
      assert.deepStrictEqual(statuses, ["escalated", "quarantined", "quarantined"])
      yield* rest
      check(sync, 1)
      assert.strictEqual(sync.hounds.active, 1)
      yield* after(1_000)
      yield* after(1_000)
      const { complete, error, timeout } = sync.hounds.outcomes()
      assert.deepStrictEqual([complete, error, timeout], [1, 1, 1])
      // The first job ended first: its evidence alone is gone.
      assert.strictEqual(sync.quarantine.count, 2)
    })))

  it.effect("RFC H7 evidence that comes for lack of room is examined where a hound is free, and waits for none", () =>
    inTime(Effect.gen(function*() {
      const { says, sync, threat } = yield* open({ maxActive: 1, escalation: { fill: 0.000_001 } })
      yield* rest
      yield* says("hang", "complete")
      const statuses = ["a", "b", "c"].map((text) => threat(text, "low").status)
      assert.deepStrictEqual(statuses, ["escalated", "quarantined", "quarantined"])
      assert.strictEqual(sync.hounds.outcomes().skipped, 2)
      yield* after(1_000)
      yield* after(1_000)
      check(sync, 1)
      assert.strictEqual(threat("d", "low").status, "escalated")
      yield* rest
      const { complete, skipped, timeout } = sync.hounds.outcomes()
      assert.deepStrictEqual([complete, skipped, timeout], [1, 2, 1])
    })))

  it.effect("RFC H4 F1 a verdict of error and a crash: the hound is replaced, the evidence held", () =>
    inTime(Effect.gen(function*() {
      const { says, sync, threat } = yield* open()
      yield* rest
      yield* says("error", "crash")
      threat("a")
      threat("b")
      yield* after(500)
      yield* after(500)
      check(sync)
      assert.strictEqual(sync.hounds.outcomes().error, 2)
      assert.strictEqual(sync.quarantine.count, 2)
      assert.isAtLeast(sync.hounds.dormant, 2)
      assert.include(sync.watcher.snapshot().errors.map(({ code }) => code), "hound_error")
    })))

  it.effect("RFC H4 an examination that does not end is given up at its deadline, and not before", () =>
    inTime(Effect.gen(function*() {
      const { says, sync, threat } = yield* open()
      yield* rest
      yield* says("hang")
      threat("a")
      yield* after(980)
      assert.strictEqual(sync.hounds.outcomes().timeout, 0)
      yield* after(20)
      check(sync)
      assert.strictEqual(sync.hounds.outcomes().timeout, 1)
      assert.strictEqual(sync.watcher.snapshot().hound.terminated, 1)
      assert.strictEqual(sync.quarantine.count, 0)
    })))

  it.effect("evidence that left before its turn is not examined", () =>
    inTime(Effect.gen(function*() {
      const { sync, threat } = yield* open()
      yield* rest
      const answer = threat("a")
      if ("handle" in answer) answer.handle.neutralize()
      yield* rest
      check(sync)
      assert.strictEqual(sync.hounds.outcomes().left, 1)
      assert.strictEqual(sync.hounds.active, 0)
    })))

  it.effect("RFC H1 deactivate: the verdict goes nowhere", () =>
    inTime(Effect.gen(function*() {
      const { says, sync, threat } = yield* open()
      yield* rest
      yield* says("hang")
      const answer = threat("a")
      yield* rest
      assert.isTrue(answer.status === "escalated" && sync.hounds.deactivate(answer.hound.id))
      assert.isFalse(sync.hounds.deactivate("nobody"))
      yield* after(1_000)
      check(sync)
      assert.strictEqual(sync.hounds.outcomes().abandoned, 1)
      assert.strictEqual(sync.hounds.outcomes().timeout, 0)
      assert.strictEqual(sync.quarantine.count, 1)
      assert.strictEqual(sync.hounds.active, 0)
    })))

  it.effect("RFC H1 terminate: another one takes the work", () =>
    inTime(Effect.gen(function*() {
      const { says, sync, threat } = yield* open()
      yield* rest
      yield* says("hang")
      const answer = threat("a")
      yield* rest
      assert.isTrue(answer.status === "escalated" && sync.hounds.terminate(answer.hound.id))
      assert.isFalse(sync.hounds.terminate("nobody"))
      yield* after(100)
      check(sync)
      assert.strictEqual(sync.hounds.outcomes().complete, 1)
      assert.strictEqual(sync.watcher.snapshot().hound.terminated, 1)
      assert.isFalse(answer.status === "escalated" && sync.hounds.list().some(({ id }) => id === answer.hound.id))
    })))

  it.effect("RFC H5 a rotation replaces the dormant hounds", () =>
    inTime(Effect.gen(function*() {
      const { rotate, sync } = yield* open()
      yield* rest
      const before = new Set(sync.hounds.list().map(({ id }) => id))
      const rotation = yield* Effect.forkChild(rotate, { startImmediately: true })
      yield* after(500)
      assert.isDefined(rotation.pollUnsafe())
      check(sync)
      assert.isTrue(sync.hounds.list().filter(({ state }) => state === "dormant").every(({ id }) => !before.has(id)))
      assert.strictEqual(sync.watcher.snapshot().hound.terminated, 0)
    })))

  it.effect("RFC H1 held evidence is examined when the caller asks, whatever its severity", () =>
    inTime(Effect.gen(function*() {
      const { sync, threat } = yield* open()
      yield* rest
      const answer = threat("a", "low")
      assert.strictEqual(answer.status, "quarantined")
      assert.strictEqual("handle" in answer && sync.hounds.activate(answer.handle.signature)?.state, "active")
      assert.isNull(sync.hounds.activate("spam:nothing"))
      yield* rest
      assert.strictEqual(sync.hounds.outcomes().complete, 1)
    })))

  it.effect("without hounds nothing escalates, and nothing waits", () =>
    inTime(Effect.gen(function*() {
      const { sync, threat } = yield* open({ enabled: false })
      yield* rest
      assert.strictEqual(threat("a").status, "quarantined")
      yield* rest
      assert.deepStrictEqual(sync.hounds.list(), [])
      assert.deepStrictEqual(sync.watcher.snapshot().hound, { dormant: 0, active: 0, terminated: 0, sandbox: "none" })
    })))
})
