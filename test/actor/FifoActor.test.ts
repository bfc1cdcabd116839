import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ids, message, observe } from "./actors.ts"

describe("telling", () => {
  it.effect("RFC S1 messages are handled in the order in which they were told, one at a time", () =>
    Effect.gen(function*() {
      const { actor, begun, ends, most } = yield* observe()
      for (const id of ids(0, 20)) assert.isTrue(actor.tellUnsafe(message(id, id % 3 === 0 ? "slow" : "ok")))
      yield* actor.start
      yield* TestClock.adjust("1 second")
      yield* actor.settled
      for (const id of ids(20, 30)) actor.tellUnsafe(message(id))
      yield* actor.settled
      assert.deepStrictEqual(begun, ids(0, 30))
      assert.deepStrictEqual(ends, ids(0, 30).map((id) => `${id} handled`))
      assert.strictEqual(most(), 1)
    }))

  it.effect("RFC S1 what is told before the start waits for it", () =>
    Effect.gen(function*() {
      const { actor, begun, ends } = yield* observe()
      actor.tellUnsafe(message(1))
      actor.tellUnsafe(message(2, "ok", 5))
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(begun, [])
      assert.strictEqual(actor.pendingUnsafe(), 2)
      assert.strictEqual(actor.weightUnsafe(), 6)
      yield* actor.start
      yield* actor.settled
      assert.deepStrictEqual(ends, ["1 handled", "2 handled"])
      assert.strictEqual(actor.pendingUnsafe(), 0)
      assert.strictEqual(actor.weightUnsafe(), 0)
    }))

  it.effect("RFC S2 refuses the message past the capacity, which counts the one being handled", () =>
    Effect.gen(function*() {
      const { actor, ends, release } = yield* observe({ capacity: 3 })
      yield* actor.start
      assert.isTrue(actor.tellUnsafe(message(0, "stuck")))
      yield* Effect.yieldNow
      for (const id of [1, 2]) assert.isTrue(actor.tellUnsafe(message(id)))
      assert.isFalse(actor.tellUnsafe(message(3)))
      assert.deepStrictEqual(ends, ["3 full"])
      assert.strictEqual(actor.pendingUnsafe(), 3)
      yield* release
      yield* actor.settled
      assert.isTrue(actor.tellUnsafe(message(4)))
      yield* actor.settled
      assert.deepStrictEqual(ends, ["3 full", "0 handled", "1 handled", "2 handled", "4 handled"])
    }))

  it.effect("RFC S2 refuses the message that would weigh too much, and takes the lighter one after it", () =>
    Effect.gen(function*() {
      const { actor, ends } = yield* observe({ maxWeight: 10 })
      assert.isFalse(actor.tellUnsafe(message(0, "ok", 11)), "heavier than all there is")
      assert.isTrue(actor.tellUnsafe(message(1, "ok", 7)))
      assert.isFalse(actor.tellUnsafe(message(2, "ok", 4)))
      assert.isTrue(actor.tellUnsafe(message(3, "ok", 3)), "exactly full")
      assert.isFalse(actor.tellUnsafe(message(4, "ok", 1)))
      assert.isTrue(actor.tellUnsafe(message(5, "ok", 0)), "what weighs nothing still fits")
      assert.strictEqual(actor.weightUnsafe(), 10)
      yield* actor.start
      yield* actor.settled
      assert.strictEqual(actor.weightUnsafe(), 0)
      assert.isTrue(actor.tellUnsafe(message(6, "ok", 10)))
      assert.isFalse(actor.tellUnsafe(message(7, "ok", 11)))
      assert.deepStrictEqual(ends, [
        "0 full",
        "2 full",
        "4 full",
        "1 handled",
        "3 handled",
        "5 handled",
        "7 full"
      ])
    }))

  it.effect("RFC S2 a stampede of a hundred times the capacity in one turn: so many in, all others refused", () =>
    Effect.gen(function*() {
      const { actor, begun, ends } = yield* observe({ capacity: 100 })
      yield* actor.start
      for (let round = 0; round < 3; round++) {
        begun.length = 0
        ends.length = 0
        const taken = ids(0, 10_000).map((id) => actor.tellUnsafe(message(id)))
        assert.strictEqual(taken.filter(Boolean).length, 100)
        assert.isTrue(taken.slice(0, 100).every(Boolean))
        assert.strictEqual(actor.pendingUnsafe(), 100)
        assert.deepStrictEqual(ends, ids(100, 10_000).map((id) => `${id} full`))
        yield* actor.settled
        assert.deepStrictEqual(begun, ids(0, 100))
        assert.strictEqual(ends.length, 10_000)
      }
    }))
})

describe("crashing", () => {
  for (const kind of ["dies", "throws", "interrupts"] as const) {
    it.effect(`RFC S3 a message whose handler ${kind} is buried once, never handled again, and the next one is`, () =>
      Effect.gen(function*() {
        const { actor, begun, ends } = yield* observe()
        yield* actor.start
        for (const id of ids(0, 6)) actor.tellUnsafe(message(id, id % 2 === 0 ? kind : "ok", 3))
        yield* actor.settled
        assert.deepStrictEqual(begun, ids(0, 6))
        assert.deepStrictEqual(ends, ids(0, 6).map((id) => `${id} ${id % 2 === 0 ? "crashed" : "handled"}`))
        assert.strictEqual(actor.weightUnsafe(), 0)
        actor.tellUnsafe(message(6))
        yield* actor.settled
        assert.strictEqual(ends.at(-1), "6 handled")
      }))
  }
})

describe("starting", () => {
  it.effect("RFC R4 once is enough: a second start, at once or later, handles nothing twice", () =>
    Effect.gen(function*() {
      const { actor, begun, fibers, most } = yield* observe()
      for (const id of ids(0, 5)) actor.tellUnsafe(message(id, "slow"))
      yield* Effect.all([actor.start, actor.start, actor.start], { concurrency: "unbounded" })
      yield* TestClock.adjust(15)
      yield* actor.start
      yield* TestClock.adjust("1 second")
      yield* actor.settled
      assert.deepStrictEqual(begun, ids(0, 5))
      assert.strictEqual(most(), 1)
      assert.strictEqual(fibers.size, 1)
    }))

  it.effect("RFC R4 after closing does nothing", () =>
    Effect.gen(function*() {
      const { actor, begun, close, ends } = yield* observe()
      actor.tellUnsafe(message(0))
      yield* close
      yield* actor.start
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(begun, [])
      assert.deepStrictEqual(ends, ["0 stopped"])
    }))
})

describe("settled", () => {
  it.effect("RFC S4 is at once where nothing is pending, started or not", () =>
    Effect.gen(function*() {
      const { actor } = yield* observe()
      yield* actor.settled
      yield* actor.start
      yield* actor.settled
    }))

  it.effect("RFC S4 waits for the last handler, and again for the next message", () =>
    Effect.gen(function*() {
      const { actor, ends } = yield* observe()
      yield* actor.start
      for (const round of [0, 1]) {
        actor.tellUnsafe(message(round, "slow"))
        const waiting = yield* Effect.forkChild(actor.settled, { startImmediately: true })
        yield* TestClock.adjust(9)
        assert.isUndefined(waiting.pollUnsafe())
        yield* TestClock.adjust(1)
        yield* Fiber.join(waiting)
        assert.strictEqual(ends.length, round + 1)
      }
    }))
})
