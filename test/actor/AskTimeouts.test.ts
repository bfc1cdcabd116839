/**
 * The timeout of `ask`: whose it is, when it comes, and what it leaves behind.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, type Duration, Effect, Exit, Fiber, Request } from "effect"
import { TestClock } from "effect/testing"
import * as Actor from "../../src/actor/index.ts"
import { calm, counting } from "./supervised.ts"

class Wait extends Request.TaggedClass("Wait")<{ readonly ms: number }, number, "late"> {}

interface Options {
  readonly system?: Duration.Input
  readonly definition?: Duration.Input
}

/** An actor that takes so long for an answer, and fails if that is odd. */
const makeSlow = Effect.fnUntraced(function*({ definition, system }: Options = {}) {
  const made = yield* Actor.ActorSystem.make(system === undefined ? {} : { askTimeout: system })
  const actor = yield* made.root.spawn(
    Actor.define<Wait>()("slow", {
      ...(definition === undefined ? {} : { askTimeout: definition }),
      behaviour: () =>
        Effect.succeed({
          Wait: ({ ms }) => Effect.delay(ms % 2 === 1 ? Effect.fail("late" as const) : Effect.succeed(ms), ms)
        })
    })
  )
  return { ...made, actor, wait: (ms: number, options?: Actor.AskOptions) => actor.ask(new Wait({ ms }), options) }
})

const late = Exit.fail(new Actor.AskTimeout({ actor: "root/slow", tag: "Wait" }))

describe("a timeout of ask", () => {
  /** The options, and the ms after which an ask fails. */
  const cases: ReadonlyArray<readonly [string, Options, Actor.AskOptions, number | null]> = [
    ["nobody's", {}, {}, 5_000],
    ["the system's", { system: 70 }, {}, 70],
    ["the definition's", { system: 70, definition: 300 }, {}, 300],
    ["its own", { system: 70, definition: 300 }, { timeout: 7_000 }, 7_000],
    ["its own, shorter", { system: 70, definition: 300 }, { timeout: 9 }, 9],
    ["none, by itself", {}, { timeout: "Infinity" }, null],
    ["none, by the definition", { definition: Infinity }, {}, null],
    ["none, by the system", { system: "Infinity" }, {}, null]
  ]
  for (const [whose, options, own, ms] of cases) {
    it.effect(`RFC S3 ${whose}: ${ms === null ? "waits as long as the actor lives" : `fails after ${ms} ms`}`, () =>
      Effect.gen(function*() {
        const { wait } = yield* makeSlow(options)
        const asking = yield* Effect.forkChild(Effect.exit(wait(86_400_000, own)))
        yield* TestClock.adjust((ms ?? 86_400_000) - 1)
        assert.isUndefined(asking.pollUnsafe())
        yield* TestClock.adjust(1)
        yield* calm
        assert.deepStrictEqual(asking.pollUnsafe(), Exit.succeed(ms === null ? Exit.succeed(86_400_000) : late))
        yield* TestClock.adjust(86_400_000)
      }))
  }

  it.effect("RFC S3 each has its own, whatever the order", () =>
    Effect.gen(function*() {
      const { wait } = yield* makeSlow()
      const log: Array<string> = []
      const ask = (name: string, timeout: number) =>
        Effect.forkChild(Effect.map(Effect.exit(wait(10_000, { timeout })), () => log.push(name)))
      yield* ask("a", 300)
      yield* ask("b", 100)
      yield* TestClock.adjust(50)
      yield* ask("c", 100)
      yield* ask("d", 300)
      yield* TestClock.adjust(50)
      yield* calm
      assert.deepStrictEqual(log.splice(0), ["b"])
      yield* TestClock.adjust(50)
      yield* calm
      assert.deepStrictEqual(log.splice(0), ["c"])
      yield* TestClock.adjust(200)
      yield* calm
      assert.deepStrictEqual(log.splice(0), ["a", "d"])
      yield* TestClock.adjust(60_000)
    }))

  it.effect("RFC S3 an answer that comes too late is nobody's: a failure is a dead letter", () =>
    Effect.gen(function*() {
      const { actor, deadLetters, wait } = yield* makeSlow()
      for (const ms of [10, 11]) {
        const asking = yield* Effect.forkChild(Effect.exit(wait(ms, { timeout: 9 })))
        yield* TestClock.adjust(9)
        yield* calm
        assert.deepStrictEqual(asking.pollUnsafe(), Exit.succeed(late))
        yield* TestClock.adjust(2)
        yield* calm
      }
      assert.deepInclude(actor.inspect(), { accepted: 2, handled: 1, buried: 1 })
      assert.deepInclude(deadLetters.counts(), { failed: 1 })
    }))

  it.effect("RFC S3 a thousand asks wait on one timer, and none is left when they are answered", () =>
    Effect.gen(function*() {
      const { clock, count } = yield* counting
      const { actor, wait } = yield* Effect.provideService(makeSlow(), Clock.Clock, clock)
      yield* actor.suspend
      const asked = yield* Effect.forEach(Array.from({ length: 1000 }), () => Effect.forkChild(wait(0)))
      yield* calm
      yield* TestClock.adjust(100)
      assert.deepInclude(count, { asleep: 1, ever: 1 })
      yield* actor.resume
      yield* Effect.forEach(asked, Fiber.join)
      assert.strictEqual(count.asleep, 0)
    }))

  it.effect("RFC S3 an ask that is answered at once sets no timer", () =>
    Effect.gen(function*() {
      const { clock, count } = yield* counting
      const { wait } = yield* Effect.provideService(makeSlow(), Clock.Clock, clock)
      const before = count.ever
      for (let n = 0; n < 100; n++) yield* wait(0)
      // The handler's own sleep of 0 ms, and nothing else.
      assert.strictEqual(count.ever - before, 100)
    }))

  it.effect("RFC S3 the actor's end leaves none either", () =>
    Effect.gen(function*() {
      const { clock, count } = yield* counting
      const { actor, wait } = yield* Effect.provideService(makeSlow(), Clock.Clock, clock)
      yield* actor.suspend
      const asked = yield* Effect.forkChild(Effect.flip(wait(0)))
      yield* calm
      yield* actor.stop
      assert.deepStrictEqual(yield* Fiber.join(asked), new Actor.ActorStopped({ actor: "root/slow" }))
      assert.strictEqual(count.asleep, 0)
    }))
})
