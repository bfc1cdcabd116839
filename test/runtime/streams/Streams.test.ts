/** What a host reads of a Tracehound as Effect Streams. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Request, Scope, Stream } from "effect"
import { type Alert, type AuditRecord, isMissed, type Missed, type Severity, Tracehound } from "tracehound"
import { MemoryColdStorage, TracehoundTest } from "tracehound/testing"
import { ActorSystem } from "../../../src/actor/ActorSystem.ts"
import { define } from "../../../src/actor/Definition.ts"
import { Readers } from "../../../src/runtime/streams/Readers.ts"
import { makeSources, type Source } from "../../../src/runtime/streams/Sources.ts"
import { streamsOf } from "../../../src/runtime/streams/Streams.ts"
import { Listeners } from "../../../src/telemetry/Listeners.ts"
import { EventBuffer } from "../../../src/telemetry/Reader.ts"
import { random, Seed } from "../../support/random.ts"
import { makeTold, rooms } from "../../support/rooms.ts"

const scent = (id: string, severity: Severity = "low") => ({
  id,
  source: "192.0.2.1",
  timestamp: 1,
  payload: `payload ${id}`,
  threat: { category: "injection", severity } as const
})

/** Runs a stream in the background from now on; gives what came, and the fiber. */
const reading = Effect.fnUntraced(function*<A>(stream: Stream.Stream<A>) {
  const events: Array<A> = []
  const fiber = yield* Effect.forkChild(
    Stream.runForEach(stream, (event) => Effect.sync(() => events.push(event))),
    { startImmediately: true }
  )
  return { events, fiber }
})

const sequenceOf = (event: AuditRecord | Missed): string =>
  isMissed(event) ? `missed ${event.count}` : `${event.sequence}`

const typesOf = (events: ReadonlyArray<Alert | Missed>): ReadonlyArray<string> =>
  events.map((event) => isMissed(event) ? `missed ${event.count}` : event.type)

/** Evidence in and out: one record each. */
const leave = (tracehound: Tracehound["Service"], count: number): void => {
  for (let n = 0; n < count; n++) {
    const result = tracehound.sync.intercept(scent(`${tracehound.sync.auditChain.length} ${n}`))
    if (result.status === "quarantined") result.handle.neutralize()
    else assert.fail(result.status)
  }
}

const world = (config: Parameters<typeof TracehoundTest.layer>[0] = {}) =>
  TracehoundTest.layer({ rateLimit: { maxRequests: 1_000_000 }, ...config })

describe("audit", () => {
  it.effect("RFC V2 gives past records from a position on, and then each that is appended, once and in order", () =>
    Effect.gen(function*() {
      const tracehound = yield* Tracehound
      const { audit } = yield* tracehound.streams
      leave(tracehound, 200)
      const all = yield* reading(audit())
      const some = yield* reading(audit({ from: 198 }))
      const later = yield* reading(audit({ from: 203 }))
      yield* TracehoundTest.settled
      assert.lengthOf(all.events, 200)
      assert.deepStrictEqual(some.events.map(sequenceOf), ["198", "199"])
      for (let n = 0; n < 5; n++) {
        leave(tracehound, 1)
        if (n % 2 === 0) yield* TracehoundTest.settled
      }
      yield* TracehoundTest.settled
      assert.deepStrictEqual(all.events, [...tracehound.sync.auditChain.records()])
      assert.deepStrictEqual(some.events.map(sequenceOf), ["198", "199", "200", "201", "202", "203", "204"])
      assert.deepStrictEqual(later.events.map(sequenceOf), ["203", "204"])
    }).pipe(Effect.provide(world())))

  it.effect("RFC V2 tells who asks for records that are no longer kept, or reads too slowly, how many", () =>
    Effect.gen(function*() {
      const tracehound = yield* Tracehound
      const { audit } = yield* tracehound.streams
      leave(tracehound, 25)
      const { events } = yield* reading(audit({ from: 4 }))
      yield* TracehoundTest.settled
      assert.deepStrictEqual(events.slice(0, 2).map(sequenceOf), ["missed 11", "15"])
      leave(tracehound, 30)
      yield* TracehoundTest.settled
      assert.deepStrictEqual(events.slice(11).map(sequenceOf), [
        "missed 20",
        ...Array.from({ length: 10 }, (_, n) => `${45 + n}`)
      ])
    }).pipe(Effect.provide(world({ audit: { maxRecords: 10 } }))))

  it.effect("RFC V2 ends with the last record that closing appends", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(world(), scope)
      const { intercept, streams, sync } = yield* Effect.provide(Tracehound, context)
      const { audit } = yield* streams
      const { events, fiber } = yield* reading(audit())
      for (let n = 0; n < 100; n++) yield* intercept(scent(`${n}`))
      assert.lengthOf(events, 0)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(fiber)))
      assert.lengthOf(events, 100)
      assert.deepStrictEqual(events, [...sync.auditChain.records()])
      // And who comes later gets what is kept, and the end.
      assert.deepStrictEqual(yield* Stream.runCollect(audit({ from: 98 })), [...sync.auditChain.records({ from: 98 })])
    }))
})

describe("alerts", () => {
  it.effect("RFC V1 gives each reader every alert from its own beginning on, and says what a slow one missed", () =>
    Effect.gen(function*() {
      const tracehound = yield* Tracehound
      const { alerts } = yield* tracehound.streams
      const whole = yield* reading(alerts())
      const small = yield* reading(alerts({ capacity: 2 }))
      for (let n = 0; n < 7; n++) tracehound.sync.intercept(scent(`${n}`, "high"))
      const late = yield* reading(alerts())
      yield* TracehoundTest.settled
      assert.deepStrictEqual(typesOf(whole.events), Array.from({ length: 6 }, () => "high_severity_eviction"))
      assert.deepStrictEqual(small.events, [{ _tag: "Missed", count: 4 }, ...whole.events.slice(4)])
      assert.lengthOf(late.events, 0)
    }).pipe(Effect.provide(world({ quarantine: { maxCount: 1 } }))))

  it.effect("RFC V1 a panic shows, and the alerts of what closing leaves behind, then the stream ends", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(world({ quarantine: { maxCount: 1 } }), scope)
      const { streams, sync } = yield* Effect.provide(Tracehound, context)
      const { alerts } = yield* streams
      const memory = yield* Effect.provide(MemoryColdStorage, context)
      const { events, fiber } = yield* reading(alerts())
      yield* memory.hang()
      sync.intercept(scent("0"))
      sync.panic()
      sync.intercept(scent("1"))
      yield* Effect.provide(TracehoundTest.settled, context)
      assert.deepStrictEqual(typesOf(events).slice(0, 1), ["failsafe.panic"])
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(fiber)))
      assert.include(typesOf(events), "coldstorage.failure")
    }))
})

describe("decisions", () => {
  it.effect("RFC V3 a slow reader sees a subsequence of the sample, and the gaps are what it is told", () =>
    Effect.gen(function*() {
      const tracehound = yield* Tracehound
      const { decisions } = yield* tracehound.streams
      const whole = yield* reading(decisions())
      const slow = yield* reading(decisions({ every: 2, capacity: 3 }))
      for (const count of [4, 20, 5]) {
        leave(tracehound, count)
        yield* TracehoundTest.settled
      }
      assert.lengthOf(whole.events, 29)
      // Every second of 4, of 20 (numbers 4, 6, … 22) and of 5 (24, 26, 28).
      const [n0, n2, gap, ...rest] = slow.events
      assert.deepStrictEqual([n0, n2], [whole.events[0], whole.events[2]])
      assert.deepStrictEqual(gap, { _tag: "Missed", count: 7 })
      assert.deepStrictEqual(rest, [18, 20, 22, 24, 26, 28].map((n) => whole.events[n]))
    }).pipe(Effect.provide(world())))

  it.effect("RFC V3 a panic shows: what comes after it is an error of that code", () =>
    Effect.gen(function*() {
      const { streams, sync } = yield* Tracehound
      const { decisions } = yield* streams
      const { events } = yield* reading(decisions())
      sync.panic()
      sync.intercept(scent("1"))
      yield* TracehoundTest.settled
      assert.deepStrictEqual(events, [{ status: "error", code: "panicked" }])
    }).pipe(Effect.provide(world())))
})

describe("dead letters", () => {
  it.effect("RFC V1 gives what was not handled, without the message: no evidence is in it", () =>
    Effect.gen(function*() {
      const tracehound = yield* Tracehound
      const memory = yield* MemoryColdStorage
      const { deadLetters } = yield* tracehound.streams
      const { events } = yield* reading(deadLetters())
      yield* memory.failAlways
      tracehound.sync.intercept(scent("first"))
      tracehound.sync.intercept(scent("second"))
      yield* TracehoundTest.settled
      assert.deepStrictEqual(events.map((event) => isMissed(event) ? event : { ...event, at: 0 }), [
        { sequence: 0, actor: "tracehound/coldstorage", tag: "Write", reason: "failed", at: 0 }
      ])
    }).pipe(Effect.provide(world({
      quarantine: { maxCount: 1 },
      audit: { coldStorage: { endpoint: "file:memory", retries: 0 } }
    }))))
})

class Fail extends Request.TaggedClass("Fail")<{}, void> {}

describe("lifecycle", () => {
  it.effect("RFC V1 gives what happens to actors, and no text of a crash", () =>
    Effect.gen(function*() {
      const { root } = yield* ActorSystem
      const { lifecycle } = streamsOf(yield* makeSources)
      const { events } = yield* reading(lifecycle())
      const actor = yield* root.spawn(
        define<Fail>()("fragile", {
          behaviour: () => Effect.succeed({ Fail: () => Effect.die(new RangeError("an attacker's text")) })
        })
      )
      actor.tellUnsafe(new Fail())
      for (let turn = 0; turn < 20; turn++) yield* Effect.yieldNow
      const path = "root/fragile"
      assert.deepStrictEqual(events, [
        { _tag: "Started", kind: "actor", path, incarnation: 1, at: 0 },
        { _tag: "Crashed", error: "RangeError", kind: "actor", path, incarnation: 1, at: 0 },
        { _tag: "Restarted", kind: "actor", path, incarnation: 2, at: 0 }
      ])
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(rooms({}, makeTold()), Readers.layer))))
})

describe("in an actor system of the host", () => {
  it.effect("RFC V1 streams are of Tracehound's actors alone, and end with it while the system goes on", () =>
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const scope = yield* Scope.make()
      const layer = Tracehound.layerWith({ config: { hound: { enabled: false } }, system })
      const { streams } = yield* Effect.provide(Tracehound, yield* Layer.buildWithScope(layer, scope))
      const { deadLetters, lifecycle } = yield* streams
      const letters = yield* reading(deadLetters())
      const events = yield* reading(lifecycle())
      const mine = yield* system.root.spawn(
        define<Fail>()("mine", {
          behaviour: () => Effect.succeed({ Fail: () => Effect.die("mine") })
        })
      )
      mine.tellUnsafe(new Fail())
      for (let turn = 0; turn < 20; turn++) yield* Effect.yieldNow
      assert.strictEqual(system.deadLetters.total(), 1)
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.joinAll([letters.fiber, events.fiber])
      assert.lengthOf(letters.events, 0)
      assert.isAbove(events.events.length, 0)
      for (const event of events.events) assert.match(isMissed(event) ? "" : event.path, /^root\/tracehound/)
      assert.strictEqual(mine.inspect().phase, "running")
    }).pipe(Effect.scoped, Effect.provide(ActorSystem.layer())))
})

describe("all streams", () => {
  it.effect("RFC V1 a reader that is interrupted, or has enough, leaves nothing behind", () =>
    Effect.gen(function*() {
      const readers = yield* Readers
      const listeners = new Listeners<Alert>()
      const source: Source<Alert> = {
        open: () => {
          const buffer = new EventBuffer<Alert>(4)
          return readers.open(buffer, (ready) =>
            listeners.add((alert) => {
              buffer.addUnsafe(alert)
              ready()
            }))
        }
      }
      const never = () => assert.fail("not asked for")
      const { alerts } = streamsOf({
        alerts: () => source,
        audit: never,
        deadLetters: never,
        decisions: never,
        lifecycle: never
      })
      const first = yield* reading(alerts())
      const second = yield* reading(Stream.take(alerts(), 1))
      assert.strictEqual(readers.count(), 2)
      listeners.tellUnsafe({ type: "failsafe.panic", severity: "critical", message: "", timestamp: 0 })
      yield* Fiber.join(second.fiber)
      assert.strictEqual(readers.count(), 1)
      yield* Fiber.interrupt(first.fiber)
      assert.strictEqual(readers.count(), 0)
      assert.isFalse(listeners.isHeard)
    }).pipe(Effect.provide(Readers.layer)))

  it.effect("RFC V1 a reader that is interrupted disturbs no other", () =>
    Effect.gen(function*() {
      const tracehound = yield* Tracehound
      const { alerts, audit, deadLetters, lifecycle } = yield* tracehound.streams
      const streams: ReadonlyArray<Stream.Stream<unknown>> = [alerts(), audit(), deadLetters(), lifecycle()]
      const fibers = yield* Effect.forEach(streams, (stream) => Effect.map(reading(stream), ({ fiber }) => fiber))
      const kept = yield* reading(audit())
      yield* TracehoundTest.settled
      yield* Fiber.interruptAll(fibers)
      leave(tracehound, 3)
      yield* TracehoundTest.settled
      assert.lengthOf(kept.events, 3)
    }).pipe(Effect.provide(world())))

  it.effect.prop(
    "RFC V2 whatever is appended, read and closed, each reader sees a subsequence whose gaps are what it is told",
    [Seed],
    ([seed]) =>
      Effect.gen(function*() {
        const { below, chance, pick } = random(seed)
        const scope = yield* Scope.make()
        const layer = world({ audit: { maxRecords: pick([1, 5, 50, 500]) } })
        const tracehound = yield* Effect.provide(Tracehound, yield* Layer.buildWithScope(layer, scope))
        const { audit } = yield* tracehound.streams
        const readers: Array<{ readonly from: number; readonly events: ReadonlyArray<AuditRecord | Missed> }> = []
        for (let step = 0; step < 60; step++) {
          if (chance(0.2)) {
            const from = below(tracehound.sync.auditChain.length + 2)
            const { events, fiber } = yield* reading(
              Stream.tap(audit({ from }), () => chance(0.1) ? Effect.yieldNow : Effect.void)
            )
            if (chance(0.8)) readers.push({ from, events })
            else yield* Fiber.interrupt(fiber)
          }
          leave(tracehound, below(20))
          for (let turns = below(4); turns > 0; turns--) yield* Effect.yieldNow
        }
        yield* Scope.close(scope, Exit.void)
        for (let turns = 0; turns < 100; turns++) yield* Effect.yieldNow
        const { length } = tracehound.sync.auditChain
        for (const { events, from } of readers) {
          let next = from
          for (const event of events) {
            if (!isMissed(event)) assert.strictEqual(event.sequence, next)
            next += isMissed(event) ? event.count : 1
          }
          assert.strictEqual(next, Math.max(from, length))
        }
      }),
    { arbitrary: { runs: 8 } }
  )
})
