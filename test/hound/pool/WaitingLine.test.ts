/**
 * The waiting line and the actor that fills it: its order, its bounds and its closing.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { TestClock } from "effect/testing"
import { ActorSystem } from "../../../src/actor/ActorSystem.ts"
import { makeActivations } from "../../../src/hound/pool/Activations.ts"
import { WaitingLine } from "../../../src/hound/pool/WaitingLine.ts"
import { inTime } from "./ownTime.ts"

interface Item {
  readonly name: string
  readonly reserved: number | null
}

const item = (name: string, reserved: number | null = null): Item => ({ name, reserved })

/** Lets the actor have its turns. */
const settled = Effect.gen(function*() {
  for (let i = 0; i < 20; i++) yield* Effect.yieldNow
})

const open = (maxPending: number) =>
  Effect.gen(function*() {
    const { deadLetters, root } = yield* ActorSystem.make()
    const line = new WaitingLine<Item>()
    const heads: Array<string> = []
    line.onHead(() => heads.push(line.first?.name ?? ""))
    const scope = yield* Scope.make()
    const activations = yield* Scope.provide(makeActivations(root, line, maxPending), scope)
    const tell = (...items: ReadonlyArray<Item>) => items.map(activations.tellUnsafe)
    const taken = (): ReadonlyArray<string> => {
      const names: Array<string> = []
      for (let next = line.take(); next !== null; next = line.take()) names.push(next.name)
      return names
    }
    return { activations, close: Scope.close(scope, Exit.void), deadLetters, heads, line, taken, tell }
  })

describe("the waiting line", () => {
  it.effect("RFC S1 first in, first out; take brings up the next one on the same turn, and only the first is announced", () =>
    inTime(Effect.gen(function*() {
      const { heads, line, taken, tell } = yield* open(10)
      assert.deepStrictEqual(tell(item("a"), item("b"), item("c")), [true, true, true])
      assert.isNull(line.first)
      assert.strictEqual(line.waiting, 3)
      yield* settled
      assert.deepStrictEqual(heads, ["a"])
      assert.deepStrictEqual(taken(), ["a", "b", "c"])
      assert.isNull(line.first)
      assert.strictEqual(line.waiting, 0)
      tell(item("d"))
      yield* settled
      assert.deepStrictEqual(heads, ["a", "d"])
    })))

  it.effect("thousands can be taken on one turn, or as soon as the actor goes on", () =>
    inTime(Effect.gen(function*() {
      const { line, taken, tell } = yield* open(10_000)
      const names = Array.from({ length: 10_000 }, (_, i) => `${i}`)
      tell(...names.map((name) => item(name)))
      const all: Array<string> = []
      while (all.length < names.length) {
        yield* settled
        all.push(...taken())
      }
      assert.deepStrictEqual(all, names)
      assert.strictEqual(line.waiting, 0)
    })))

  it.effect("RFC S1 the bound is of all that wait, the head among them; beyond it is a dead letter", () =>
    inTime(Effect.gen(function*() {
      const { activations, deadLetters, taken, tell } = yield* open(2)
      assert.deepStrictEqual(tell(item("a"), item("b"), item("c")), [true, true, false])
      yield* settled
      assert.isTrue(activations.refusesUnsafe())
      assert.deepStrictEqual(tell(item("d")), [false])
      assert.deepStrictEqual(
        deadLetters.recent().map(({ actor, reason, tag }) => ({ actor, reason, tag })),
        [{ actor: "root/activation", reason: "full", tag: "Activate" }, {
          actor: "root/activation",
          reason: "full",
          tag: "Activate"
        }]
      )
      assert.deepStrictEqual(taken(), ["a", "b"])
      yield* settled
      assert.isFalse(activations.refusesUnsafe())
    })))

  it.effect("one with a hound reserved is not among those that wait for any", () =>
    inTime(Effect.gen(function*() {
      const { line, taken, tell } = yield* open(10)
      tell(item("a", 1), item("b"))
      assert.strictEqual(line.waiting, 1)
      yield* settled
      assert.deepStrictEqual(taken(), ["a", "b"])
      assert.strictEqual(line.waiting, 0)
    })))

  it.effect("one that is put back is first, whatever the bound", () =>
    inTime(Effect.gen(function*() {
      const { line, taken, tell } = yield* open(1)
      tell(item("a"))
      yield* settled
      const first = line.take()
      tell(item("b"))
      yield* settled
      assert.strictEqual(line.first?.name, "b")
      if (first !== null) line.putBack(first)
      assert.strictEqual(line.first?.name, "a")
      assert.strictEqual(line.waiting, 2)
      assert.deepStrictEqual(taken(), ["a", "b"])
    })))
})

describe("closing", () => {
  it.effect("goes on with the jobs that wait, and buries the rest at the deadline", () =>
    Effect.gen(function*() {
      const { close, deadLetters, line, tell } = yield* open(10)
      tell(item("a"), item("b"), item("c"))
      yield* settled
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust(4_999)
      assert.deepStrictEqual(tell(item("late")), [false])
      assert.strictEqual(line.take()?.name, "a")
      line.done()
      assert.strictEqual(line.first?.name, "b")
      yield* TestClock.adjust(1)
      yield* settled
      assert.isNull(line.first)
      assert.isDefined(closing.pollUnsafe())
      assert.deepStrictEqual(deadLetters.counts(), { ...noLetters, closed: 1, stopped: 2 })
    }))

  it.effect("gives jobs in hand the same time again", () =>
    Effect.gen(function*() {
      const { close, line, tell } = yield* open(10)
      tell(item("a"), item("b"))
      yield* settled
      const [a, b] = [line.take(), line.take()]
      assert.deepStrictEqual([a?.name, b?.name], ["a", "b"])
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust(4_000)
      line.done()
      yield* settled
      assert.isUndefined(closing.pollUnsafe())
      if (b !== null) line.putBack(b)
      yield* TestClock.adjust(1_000)
      yield* settled
      // One that was put back counts as in hand.
      assert.isDefined(closing.pollUnsafe())
      assert.deepStrictEqual(line.end().map(({ name }) => name), ["b"])
      assert.isTrue(line.isOver)
      assert.isNull(line.first)
    }))

  it.effect("ends at once where nothing waits and nothing is in hand", () =>
    Effect.gen(function*() {
      const { close, line, tell } = yield* open(10)
      tell(item("a"))
      yield* settled
      line.take()
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* settled
      assert.isUndefined(closing.pollUnsafe())
      line.done()
      yield* settled
      assert.isDefined(closing.pollUnsafe())
    }))
})

const noLetters = { full: 0, dropped: 0, closed: 0, stopped: 0, crashed: 0, abandoned: 0, failed: 0 }
