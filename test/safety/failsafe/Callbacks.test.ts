/**
 * Tests callbacks that misbehave in every way: none of them may harm anything but its own answer.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import {
  asked,
  assertUnharmed,
  causes,
  fresh,
  names,
  openWith,
  waitForHost,
  withoutRejections
} from "./callbackCauses.ts"
import { never, scent, take, turn, type World } from "./world.ts"

/** A proxy handler whose trap throws. */
const hostile = {
  get: (): never => {
    throw new Error("trap")
  }
}
/** Built from entries, as the lint rule against thenables forbids the literal. */
const key = ["th", "en"].join("")
const thenable = (then: unknown): object => Object.fromEntries([[key, then]])
/**
 * The ways in which a callback misbehaves, and the trouble that each one is; `answer` where it is
 * wrong only for callbacks that are asked for an answer.
 */
const misdeeds: Readonly<Record<string, readonly [() => unknown, "threw" | "overdue" | "answer"]>> = {
  throws: [() => {
    throw new Error("callback")
  }, "threw"],
  "throws nothing": [() => {
    // Throwing undefined is throwing.
    const nothing: unknown = undefined
    throw nothing
  }, "threw"],
  rejects: [async () => Promise.reject(new Error("callback")), "threw"],
  "answers a number": [() => 42, "answer"],
  "answers null": [() => null, "answer"],
  "answers another word": [() => "explode", "answer"],
  "answers its word in an object": [() => ({ toString: () => "panic", valueOf: () => "evict" }), "answer"],
  "answers a promise of garbage": [async () => Promise.resolve(Symbol("garbage")), "answer"],
  "answers an object without prototype": [() => Object.create(null), "answer"],
  "answers an object whose getters throw": [() => Object.defineProperty({}, key, hostile), "threw"],
  "answers a proxy whose traps throw": [() => new Proxy({}, hostile), "threw"],
  "answers a revoked proxy": [() => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  }, "threw"],
  "answers a thenable that throws": [() =>
    thenable(() => {
      throw new Error("then")
    }), "threw"],
  "answers a thenable that gives garbage twice": [() =>
    thenable((give: (value: unknown) => void) => {
      give(1)
      give(2)
      throw new Error("too late")
    }), "answer"],
  "answers a thenable that never settles": [() => thenable(() => undefined), "overdue"],
  "never answers": [never, "overdue"]
}

describe.each(names)("%s", (name) => {
  it.effect.each(Object.keys(misdeeds))(
    `RFC F4 F5 ${name} that %s harms nothing`,
    (misdeed) =>
      withoutRejections(Effect.gen(function*() {
        const [call, kind] = misdeeds[misdeed] ?? assert.fail(misdeed)
        let calls = 0
        const world = yield* openWith({
          [name]: () => {
            calls += 1
            return call()
          }
        })
        yield* causes[name](world)
        assert.strictEqual(calls, 0, "not on the turn of its cause")
        yield* turn
        yield* waitForHost
        yield* turn
        assert.strictEqual(calls, 1)
        if (kind === "overdue") {
          yield* TestClock.adjust(900)
          assert.notInclude(world.errors(), "callback_overdue")
          yield* TestClock.adjust(100)
        }
        const expected = kind !== "answer" ? [`callback_${kind}`] : asked.includes(name) ? ["callback_garbage"] : []
        assert.deepStrictEqual(world.errors().filter((code) => code.startsWith("callback")), expected)
        yield* turn
        yield* causes[name](world)
        yield* turn
        assert.strictEqual(calls, 2, "it is called again the next time")
        yield* TestClock.adjust(1_000)
        assertUnharmed(world)
      }))
  )

  it.effect.each([42, "text", {}, null, undefined, new Proxy({}, hostile)])(
    `RFC F4 ${name} that is no function (case %#) is not there`,
    (value) =>
      withoutRejections(Effect.gen(function*() {
        const world = yield* openWith({ [name]: value })
        yield* causes[name](world)
        yield* turn
        assert.isFalse(world.sync.actors().children.some((child) => child.name === name))
        assert.deepStrictEqual(world.errors().filter((code) => code.startsWith("callback")), [])
        yield* TestClock.adjust(1_000)
        assertUnharmed(world)
      }))
  )

  it.effect(`RFC F4 ${name} that rejects after it was given up is nobody's rejection`, () =>
    withoutRejections(Effect.gen(function*() {
      let reject: (reason: Error) => void = () => undefined
      const world = yield* openWith({
        [name]: async () =>
          new Promise<void>((_, no) => {
            reject = no
          })
      })
      yield* causes[name](world)
      yield* turn
      yield* TestClock.adjust(1_000)
      assert.include(world.errors(), "callback_overdue")
      reject(new Error("late"))
      yield* waitForHost
      yield* turn
      assertUnharmed(world)
    })))

  it.effect(`RFC F4 ${name} may call back into Tracehound`, () =>
    withoutRejections(Effect.gen(function*() {
      const seen: Array<unknown> = []
      const inside: Array<World> = []
      const world = yield* openWith({
        [name]: () => {
          const [world] = inside
          if (world === undefined) return
          const { sync } = world
          const signature = take(world, fresh(), "low")
          seen.push(sync.neutralize(signature)?.status)
          sync.watcher.snapshot()
          sync.flush()
          seen.push(sync.intercept(scent(fresh(), "low")).status)
          seen.push(sync.evacuate(fresh()))
          sync.panic()
          seen.push(sync.state(), sync.intercept(scent(fresh())).status)
        }
      })
      inside.push(world)
      yield* causes[name](world)
      yield* turn
      assert.deepStrictEqual(seen, ["neutralized", "quarantined", null, "panicked", "error"])
      assert.deepStrictEqual([world.sync.auditChain.closed, world.sync.auditChain.verify()], [true, true])
      assert.strictEqual(world.sync.actors().restarts, 0)
    })))

  it.effect(`RFC F4 ${name} finds the object that it is a method of`, () =>
    Effect.gen(function*() {
      const selves: Array<unknown> = []
      const callbacks = {
        [name](this: unknown): void {
          selves.push(this)
        }
      }
      const world = yield* openWith(callbacks)
      yield* causes[name](world)
      yield* turn
      assert.strictEqual(selves[0], callbacks)
    }))
})
