/**
 * The metrics of actors: what each says, of whom, and until when.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Metric, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as Actor from "../../src/actor/index.ts"
import { Marks } from "../../src/actor/Marks.ts"
import { random } from "../support/random.ts"
import { act, ids, observeProbe, probe } from "./probe.ts"
import { calm } from "./supervised.ts"

/** The values of one metric by system and definition. */
const values = (id: string, reason?: string) =>
  Effect.map(Metric.snapshot, (snapshots) =>
    Object.fromEntries(snapshots.flatMap((one) => {
      if (one.id !== `tracehound.actor.${id}` || one.attributes?.["reason"] !== reason) return []
      const value = one.type === "Counter" ? one.state.count : one.type === "Gauge" ? one.state.value : Number.NaN
      return [[`${one.attributes?.["system"]}/${one.attributes?.["actor"]}`, Number(value)]]
    })))
const isolated = <A, E, R>(test: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.provideService(test, Metric.MetricRegistry, new Map()))

describe("metrics", () => {
  it.effect("S3 crashes, failed starts, restarts and dead letters are counted where they happen", () =>
    isolated(Effect.gen(function*() {
      const { actor } = yield* observeProbe({ name: "counted" })
      for (const how of ["dies", "throws", "interrupts", "fails", "ok"] as const) {
        actor.tellUnsafe(act(0, how))
        yield* calm
      }
      assert.deepStrictEqual(yield* values("crashes"), { "root/counted": 3 })
      assert.deepStrictEqual(yield* values("restarts"), { "root/counted": 3 })
      assert.deepStrictEqual(yield* values("messages.handled"), { "root/counted": 1 })
      assert.deepStrictEqual(yield* values("dead_letters", "crashed"), { "root/counted": 3 })
      assert.deepStrictEqual(yield* values("dead_letters", "failed"), { "root/counted": 1 })
      assert.deepStrictEqual(yield* values("dead_letters", "full"), { "root/counted": 0 })
    })))

  it.effect("two systems are told apart by their names, in whatever registry; actors of one definition are not", () =>
    isolated(Effect.gen(function*() {
      const { definition } = yield* observeProbe({ name: "counted" })
      for (const name of ["one", "two"]) {
        const { root } = yield* Actor.ActorSystem.make({ name })
        for (const _ of ids(0, 2)) yield* (yield* root.spawn(definition)).ask(act(1))
      }
      yield* calm
      assert.deepStrictEqual(
        yield* values("messages.handled"),
        { "root/counted": 0, "one/counted": 2, "two/counted": 2 }
      )
    })))

  it.effect("are there until the system is closed, also when the root has given up, and then gone", () =>
    isolated(Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { actor, system } = yield* Scope.provide(observeProbe({ name: "counted", intensity: 0 }), scope)
      actor.tellUnsafe(act(0, "dies"))
      yield* calm
      assert.strictEqual(system.inspect().phase, "ended")
      assert.deepStrictEqual(yield* values("crashes"), { "root/counted": 1 })
      assert.deepStrictEqual(yield* values("restarts"), { "root/counted": 0 })
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* Metric.snapshot, [])
    })))

  it.effect("say their unit", () =>
    isolated(Effect.gen(function*() {
      yield* observeProbe({ name: "counted" })
      const units = new Map((yield* Metric.snapshot).map(({ attributes, id }) => [id, attributes?.["unit"]]))
      assert.deepStrictEqual(Object.fromEntries(units), {
        "tracehound.actor.messages.handled": "{message}",
        "tracehound.actor.mailbox.depth": "{message}",
        "tracehound.actor.mailbox.age": "s",
        "tracehound.actor.handling.time": "s",
        "tracehound.actor.crashes": "{crash}",
        "tracehound.actor.restarts": "{restart}",
        "tracehound.actor.dead_letters": "{message}"
      })
    })))
})

describe("age", () => {
  it.effect("of the oldest message that is pending, of the actor that is behind the most", () =>
    isolated(Effect.gen(function*() {
      const { actor, definition, system } = yield* observeProbe({ name: "counted", drain: 0 })
      const other = yield* system.root.spawn(definition)
      const age = Effect.map(values("mailbox.age"), (all) => all["root/counted"])
      assert.strictEqual(yield* age, 0)
      yield* actor.ask(act(0))
      assert.strictEqual(yield* age, 0, "handled on the next turn")
      other.tellUnsafe(act(0, "never"))
      yield* calm
      yield* TestClock.adjust("3 seconds")
      actor.tellUnsafe(act(0, "never"))
      yield* calm
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* age, 5)
      yield* other.stop
      assert.strictEqual(yield* age, 2, "of what is left")
    })))

  it.effect("of what waits while an actor is suspended, or waits for its restart", () =>
    isolated(Effect.gen(function*() {
      const { root } = yield* Actor.ActorSystem.make({ backoff: { base: "1 minute", jitter: 0 } })
      const actor = yield* root.spawn(probe({ name: "counted", drain: 0 }).definition)
      const age = Effect.map(values("mailbox.age"), (all) => all["root/counted"])
      for (const id of ids(0, 2)) actor.tellUnsafe(act(id, id === 0 ? "dies" : "ok"))
      yield* calm
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* age, 59)
      yield* TestClock.adjust("1 second")
      yield* calm
      assert.strictEqual(yield* age, 0)
      yield* actor.suspend
      actor.tellUnsafe(act(3))
      yield* calm
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(yield* age, 4)
      yield* actor.resume
      yield* actor.settled
      assert.strictEqual(yield* age, 0)
    })))

  it("of random arrivals and settlements is never overstated, and short by an eighth of the wait at most", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { below, chance } = random(seed)
      let marks = new Marks()
      const pending: Array<number> = []
      let [come, now] = [0, 0]
      /** Since when there has been no moment without a pending message. */
      let since = 0
      for (let turn = 0; turn < 2_000; turn++) {
        now += 1 + below(chance(0.02) ? 1_000 : 10)
        if (pending.length === 0) {
          since = now
          marks = new Marks()
        }
        const more = below(3)
        for (let n = 0; n < more; n++) pending.push(now)
        come += more
        if (pending.length > 0) marks.add(come, now)
        if (chance(seed % 2 === 0 ? 0.2 : 0.6)) pending.splice(0, below(5))
        marks.settle(come - pending.length)
        const [oldest] = pending
        const said = marks.age(come - pending.length, now)
        if (oldest === undefined) assert.strictEqual(said, 0)
        else {
          assert.isAtMost(said, now - oldest, `seed ${seed}`)
          assert.isAtLeast(said, now - oldest - (now - since) / 8, `seed ${seed}, turn ${turn}`)
        }
      }
    }
  })

  it("of a message that has waited from the beginning is exact, whatever comes behind it", () => {
    const marks = new Marks()
    for (let turn = 1; turn <= 10_000; turn++) marks.add(turn, turn)
    assert.strictEqual(marks.age(0, 10_000), 9_999)
    assert.approximately(marks.age(5_000, 10_000), 5_000, 10_000 / 8)
  })
})

describe("handling time", () => {
  it.effect("is that of handlers, also of one that is still at it, and not that of mailboxes", () =>
    isolated(Effect.gen(function*() {
      const { actor } = yield* observeProbe({ name: "counted", drain: 0 })
      const time = Effect.map(values("handling.time"), (all) => all["root/counted"] ?? Number.NaN)
      for (const id of ids(0, 3)) actor.tellUnsafe(act(id, "slow"))
      yield* calm
      yield* TestClock.adjust(15)
      assert.approximately(yield* time, 0.015, 1e-9)
      yield* TestClock.adjust(1_000)
      assert.approximately(yield* time, 0.03, 1e-9)
      yield* actor.suspend
      actor.tellUnsafe(act(3, "slow"))
      yield* TestClock.adjust(1_000)
      assert.approximately(yield* time, 0.03, 1e-9)
      yield* actor.resume
      actor.tellUnsafe(act(4, "never"))
      yield* calm
      yield* TestClock.adjust(1_000)
      assert.approximately(yield* time, 1.03, 1e-9)
    })))

  it.effect("of handlers that do not wait is an estimate: every sixteenth burst looks at the clock", () =>
    isolated(Effect.gen(function*() {
      let looks = 0
      const inner = yield* Clock.Clock
      const clock: Clock.Clock = Object.assign(Object.create(inner) as Clock.Clock, {
        monotonicTimeNanosUnsafe: () => BigInt(++looks) * 1_000n
      })
      yield* Effect.gen(function*() {
        const { actor } = yield* observeProbe({ name: "counted" })
        const before = looks
        for (const id of ids(0, 160)) {
          actor.tellUnsafe(act(id))
          yield* Effect.yieldNow
          yield* Effect.yieldNow
        }
        assert.strictEqual(looks - before, 20, "two looks at each of ten bursts")
        const time = (yield* values("handling.time"))["root/counted"] ?? Number.NaN
        assert.approximately(time, 160e-6, 1e-9)
      }).pipe(Effect.provideService(Clock.Clock, clock))
    })))
})
