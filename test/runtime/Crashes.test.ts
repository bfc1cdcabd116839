/**
 * From the crash of each of Tracehound's own actors to the trace of the call that caused it. The
 * actors are the real ones and get their real messages; those that a test names crash over them.
 */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { vi } from "vitest"
import type { Scent } from "../../src/domain/Scent.ts"
import type { Severity } from "../../src/domain/Severity.ts"
import { PoolCore } from "../../src/hound/pool/PoolCore.ts"
import { layerOf } from "../../src/hound/pool/ProcessPool.ts"
import { HoundConnection } from "../../src/hound/process/HoundConnection.ts"
import type { SandboxReport } from "../../src/hound/sandbox/Sandbox.ts"
import { AlertSinks } from "../../src/safety/alert/AlertSink.ts"
// Loaded here, as it is otherwise when the first alert leaves.
import * as DevopsEndpoint from "../../src/safety/devops/DevopsEndpoint.ts"
import { rest } from "../hound/pool/ownTime.ts"
import { turn } from "../safety/failsafe/world.ts"
import { type FakeHound, FakeSpawner } from "../support/FakeSpawner.ts"
import { type ObservedOptions, type ObservedWorld, openObserved } from "./observed.ts"

/** Actors that crash over every message, or over those of one tag: `hounds.Serve`. */
const victims = vi.hoisted(() => new Set<string>())

type Handle = (message: unknown) => unknown

vi.mock(import("../../src/actor/Definition.ts"), async (original) => {
  const { define, ...real } = await original()
  const crashing = (name: string, handlers: Readonly<Record<string, Handle>>) =>
    Object.fromEntries(
      Object.entries(handlers).map(([tag, handle]) => [tag, (message: unknown) => {
        if (victims.has(name) || victims.has(`${name}.${tag}`)) throw new Error("on purpose")
        return handle(message)
      }])
    )
  const defineVictim: typeof define = () => (name, options) =>
    define<never>()(name, {
      ...options,
      behaviour: (self: never) => Effect.map(options.behaviour(self), (handlers) => crashing(name, handlers as never))
    } as never) as never
  return { ...real, define: defineVictim }
})

const { heard } = PoolCore.prototype
vi.spyOn(PoolCore.prototype, "heard").mockImplementation(function(this: PoolCore, id, decision) {
  if (victims.has("hounds, over what a hound says")) throw new Error("on purpose")
  heard.call(this, id, decision)
})

beforeEach(() => victims.clear())

const threat = (payload: string, severity: Severity = "low"): Scent => ({
  id: payload,
  source: "192.0.2.1",
  timestamp: 1,
  payload,
  threat: { category: "injection", severity }
})

const intercept = (world: ObservedWorld, scent: Scent) => world.call(world.tracehound.intercept(scent))

/** The first call takes evidence in, the second one evacuates it. */
const evacuate = (world: ObservedWorld, payload = "a") =>
  Effect.gen(function*() {
    const result = yield* intercept(world, threat(payload))
    yield* world.call(Effect.sync(() => "handle" in result ? result.handle.evacuate() : null))
  })

/** The second call evicts the first one's evidence, which is an alert. */
const evict = (world: ObservedWorld) =>
  Effect.andThen(intercept(world, threat("a", "high")), intercept(world, threat("b", "high")))

const escalate = (world: ObservedWorld) => intercept(world, threat("a", "critical"))

const evicting = { hound: { enabled: false }, quarantine: { maxCount: 1 } }

const report: SandboxReport = {
  configured: "default",
  level: "default",
  measured: true,
  platform: "a test",
  node: "26.0.0",
  mechanisms: [],
  lacking: []
}

/**
 * A pool of hounds that do what the test says; those that take the place of others are not heard.
 */
const poolOf = (onJob: (hound: FakeHound, job: number) => void) =>
  layerOf(Effect.succeed({
    report,
    openSpawner: () =>
      new FakeSpawner((hound, index) => {
        hound.onJob = ({ job }) => onJob(hound, job)
        if (index < 2) hound.ready()
      }),
    openConnection: (pipe) => new HoundConnection(pipe),
    diagnose: Effect.succeed("")
  }))

const answering = poolOf((hound, job) => hound.answer(job))
const dying = poolOf((hound) => hound.die("SIGSEGV"))

interface Row {
  readonly victim: string
  readonly options?: Omit<ObservedOptions, "isTraced">
  readonly act: (world: ObservedWorld) => Effect.Effect<unknown>
  /** The call that caused the crash, counted from 1. */
  readonly call: number
  /** Tracehound's own span, where the call is not traced. */
  readonly own?: string
}

const rows: ReadonlyArray<Row> = [
  { victim: "alerts", options: { config: evicting }, act: evict, call: 2 },
  {
    victim: "devops",
    options: { config: { ...evicting, alerts: { devopsEndpoint: "https://devops.example/" } } },
    act: evict,
    call: 2
  },
  { victim: "sink", options: { config: evicting }, act: evict, call: 2 },
  { victim: "compressor", act: evacuate, call: 2, own: "tracehound.evacuation" },
  { victim: "coldstorage", act: evacuate, call: 2, own: "tracehound.evacuation" },
  {
    victim: "purge",
    act: (world) =>
      Effect.andThen(
        Effect.andThen(world.hounds.next("hang"), escalate(world)),
        Effect.andThen(turn, TestClock.adjust("5 seconds"))
      ),
    call: 1,
    own: "tracehound.hound.examine"
  },
  {
    victim: "onEscalate",
    options: { callbacks: { onEscalate: () => undefined } },
    act: (world) => Effect.andThen(world.hounds.next("error"), escalate(world)),
    call: 1,
    own: "tracehound.hound.examine"
  },
  {
    victim: "shutdown",
    act: (world) => Effect.andThen(intercept(world, threat("a")), world.call(Effect.sync(world.sync.panic))),
    call: 2
  },
  { victim: "activation", options: { hounds: answering }, act: escalate, call: 1 },
  { victim: "hounds.Serve", options: { hounds: answering }, act: escalate, call: 1 },
  { victim: "hounds, over what a hound says", options: { hounds: answering }, act: escalate, call: 1 },
  { victim: "hounds.Down", options: { hounds: dying }, act: escalate, call: 1 }
]

/** What a row's world shows of the crash. */
const observe = ({ act, options, victim }: Row, isTraced: boolean) =>
  Effect.gen(function*() {
    assert.isDefined(DevopsEndpoint.make)
    const world = yield* openObserved({ ...options, isTraced })
    yield* rest
    victims.add(victim)
    yield* act(world)
    yield* Effect.andThen(turn, rest)
    victims.clear()
    yield* turn
    const { lines } = yield* world.observed
    return lines.filter((line) => line.includes("crashed"))
  }).pipe(Effect.provideService(AlertSinks, victim === "sink" ? [{ send: () => Effect.void }] : []))

describe("the crash of an actor is logged within the call that caused it:", () => {
  for (const row of rows) {
    it.effect(`RFC S3 W6 ${row.victim}`, () =>
      Effect.gen(function*() {
        const [actor] = row.victim.split(/[.,]/)
        const path = `tracehound/${actor}`
        const line = (within: string) => `Error ${path} crashed${within} actor=${path} incarnation=1 reason=Error`
        assert.include(yield* observe(row, true), line(` @ request ${row.call}`))
        assert.include(yield* observe(row, false), line(row.own === undefined ? "" : ` @ ${row.own}`))
      }))
  }

  it.effect("RFC S3 W6 and so is the system error, when it is one too many", () =>
    Effect.gen(function*() {
      const world = yield* openObserved({ isTraced: true })
      victims.add("compressor")
      for (const payload of ["a", "b", "c", "d", "e", "f"]) {
        yield* evacuate(world, payload)
        yield* Effect.andThen(turn, TestClock.adjust("1700 millis"))
      }
      yield* turn
      const { lines } = yield* world.observed
      const about = lines.filter((line) => /failsafe\.panic|gave up/.test(line))
      assert.deepStrictEqual(about.map((line) => line.replace(/ actor=.*| reason=.*/, "")), [
        "Error tracehound gave up @ request 12",
        "Error failsafe.panic @ request 12"
      ])
    }))
})
