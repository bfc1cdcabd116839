import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Schema, Scope } from "effect"
import { MaxOpsBeforeYield } from "effect/Scheduler"
import { TestClock } from "effect/testing"
import * as FifoActor from "../../src/actor/FifoActor.ts"
import { random, Seed } from "../support/random.ts"
import { ids, type Kind, message, observe } from "./actors.ts"

describe("closing", () => {
  it.effect("RFC S4 handles what is in the mailbox, in order, and refuses what comes", () =>
    Effect.gen(function*() {
      const { actor, close, ends } = yield* observe({ drain: "1 second" })
      yield* actor.start
      for (const id of ids(0, 5)) actor.tellUnsafe(message(id, "slow"))
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      assert.isFalse(actor.tellUnsafe(message(9)))
      yield* TestClock.adjust(50)
      yield* Fiber.join(closing)
      assert.isFalse(actor.tellUnsafe(message(10)))
      assert.deepStrictEqual(ends, ["9 closed", ...ids(0, 5).map((id) => `${id} handled`), "10 closed"])
      assert.strictEqual(actor.pendingUnsafe(), 0)
    }))

  it.effect("RFC S4 an idle actor closes at once, as does one that never started", () =>
    Effect.gen(function*() {
      const idle = yield* observe({ drain: "1 hour" })
      yield* idle.actor.start
      yield* Effect.yieldNow
      yield* idle.close
      const asleep = yield* observe({ drain: "1 hour" })
      for (const id of ids(0, 3)) asleep.actor.tellUnsafe(message(id, "ok", 2))
      yield* asleep.close
      assert.deepStrictEqual(asleep.ends, ["0 stopped", "1 stopped", "2 stopped"])
      assert.strictEqual(asleep.actor.weightUnsafe(), 0)
      yield* asleep.actor.settled
    }))

  it.effect("RFC S4 at the deadline the stuck handler is interrupted, and the rest is buried as stopped", () =>
    Effect.gen(function*() {
      const { actor, begun, close, ends } = yield* observe({ drain: "1 second" })
      yield* actor.start
      for (const id of ids(0, 4)) actor.tellUnsafe(message(id, id === 1 ? "stuck" : "ok", 2))
      yield* Effect.yieldNow
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust(999)
      assert.isUndefined(closing.pollUnsafe())
      assert.deepStrictEqual(ends, ["0 handled"])
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(begun, [0, 1], "nothing is begun after the deadline")
      assert.deepStrictEqual(ends, ["0 handled", "1 stopped", "2 stopped", "3 stopped"])
      assert.strictEqual(actor.pendingUnsafe(), 0)
      assert.strictEqual(actor.weightUnsafe(), 0)
      yield* actor.settled
    }))

  it.effect("RFC S4 the deadline is for all of the mailbox together", () =>
    Effect.gen(function*() {
      const { actor, close, ends } = yield* observe({ drain: 25 })
      yield* actor.start
      for (const id of ids(0, 4)) actor.tellUnsafe(message(id, "slow"))
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust(25)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(ends, ["0 handled", "1 handled", "2 stopped", "3 stopped"])
    }))

  it.effect("RFC S4 a message that crashes while the mailbox drains is buried as crashed, and the next one is handled", () =>
    Effect.gen(function*() {
      const { actor, close, ends } = yield* observe()
      yield* actor.start
      for (const [id, kind] of (["dies", "interrupts", "throws", "ok"] as const).entries()) {
        actor.tellUnsafe(message(id, kind))
      }
      yield* close
      assert.deepStrictEqual(ends, ["0 crashed", "1 crashed", "2 crashed", "3 handled"])
    }))

  it.effect("RFC S4 a handler that cannot be interrupted holds the closing up until it ends by itself", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const ends: Array<string> = []
      const actor = yield* FifoActor.make<number, never>({
        capacity: 10,
        drain: 10,
        bury: (id, reason) => {
          ends.push(`${id} ${reason}`)
        },
        handle: (id) =>
          Effect.uninterruptible(Effect.sleep(100)).pipe(Effect.andThen(Effect.sync(() => ends.push(`${id} handled`))))
      }).pipe(Scope.provide(scope))
      yield* actor.start
      actor.tellUnsafe(0)
      actor.tellUnsafe(1)
      yield* Effect.yieldNow
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust(99)
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(ends, ["0 stopped", "1 stopped"])
    }))

  it.effect("RFC R4 no fiber is left, however it was closed", () =>
    Effect.gen(function*() {
      for (const kind of ["ok", "stuck", "slow", "dies", "interrupts"] as const) {
        const { actor, close, fibers } = yield* observe({ drain: "1 second" })
        yield* actor.start
        actor.tellUnsafe(message(0, kind))
        yield* Effect.yieldNow
        const closing = yield* Effect.forkChild(close, { startImmediately: true })
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(closing)
        assert.strictEqual(fibers.size, 1)
        for (const fiber of fibers) assert.isDefined(fiber.pollUnsafe(), kind)
      }
    }))
})

describe("any order of events", () => {
  const kinds = ["ok", "ok", "slow", "dies", "throws", "interrupts", "stuck"] as const satisfies ReadonlyArray<Kind>
  /** Below 3 a fiber does nothing but yield. */
  const Ops = Schema.Int.check(Schema.isBetween({ minimum: 3, maximum: 40 }))

  it.effect.prop(
    "RFC S2 every message told has exactly one end, and the bounds hold at every moment",
    { seed: Seed, ops: Ops },
    ({ ops, seed }) =>
      Effect.gen(function*() {
        const { below, chance, pick } = random(seed)
        const capacity = 1 + below(6)
        const maxWeight = 1 + below(20)
        const { actor, begun, close, ends, most, release } = yield* observe({ capacity, maxWeight, drain: below(40) })
        const told: Array<number> = []
        const accepted: Array<number> = []
        const tell = () => {
          const id = told.length
          told.push(id)
          const weight = below(8)
          const wasFull = actor.pendingUnsafe() >= capacity || actor.weightUnsafe() + weight > maxWeight
          const took = actor.tellUnsafe(message(id, pick(kinds), weight))
          if (took) accepted.push(id)
          assert.isFalse(took && wasFull)
          assert.isAtMost(actor.pendingUnsafe(), capacity)
          assert.isAtMost(actor.weightUnsafe(), maxWeight)
        }
        let closing: Fiber.Fiber<void> | undefined
        for (let step = 0; step < 40; step++) {
          const act = below(10)
          if (act < 5) tell()
          else if (act === 5) yield* actor.start
          else if (act === 6) yield* Effect.yieldNow
          else if (act === 7) yield* TestClock.adjust(below(15))
          else if (act === 8 && chance(0.2)) yield* release
          else if (act === 9 && chance(0.2)) closing ??= yield* Effect.forkChild(close)
        }
        closing ??= yield* Effect.forkChild(close)
        // With so few steps a turn the deadline may be set after the time has passed.
        for (let n = 0; n < 100 && closing.pollUnsafe() === undefined; n++) yield* TestClock.adjust("1 second")
        assert.isDefined(closing.pollUnsafe(), "it closes")
        tell()
        assert.strictEqual(ends.at(-1), `${told.length - 1} closed`)
        // A handler that had only to return when the deadline came is buried all the same.
        const final = ends.filter((end, i) =>
          !(end.endsWith("handled") && ends[i + 1] === end.replace("handled", "stopped"))
        )
        const ended = final.map((end) => Number(end.split(" ")[0]))
        assert.deepStrictEqual(ended.toSorted((a, b) => a - b), told, ends.join(", "))
        assert.deepStrictEqual(begun, accepted.slice(0, begun.length), "handled in the order told, none twice")
        assert.isAtMost(most(), 1)
        assert.strictEqual(actor.pendingUnsafe(), 0)
        assert.strictEqual(actor.weightUnsafe(), 0)
        yield* actor.settled
        // So few steps between two yields that an interruption can fall between any two of them.
      }).pipe(Effect.provideService(MaxOpsBeforeYield, ops)),
    { arbitrary: { runs: 300 } }
  )
})
