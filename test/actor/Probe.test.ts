/**
 * The tools for tests of one's own actors: probes, and a system whose end does not hide how a test
 * has ended.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Effect, Exit, Fiber, Layer, Logger, Option, Request, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as Actor from "../../src/actor/index.ts"

class Put extends Request.TaggedClass("Put")<{ readonly n: number; readonly text?: string }, void> {}
class Sum extends Request.TaggedClass("Sum")<{}, number, "empty"> {}
type Protocol = Put | Sum

const failure = <A, E>(effect: Effect.Effect<A, E>) => Effect.map(Effect.flip(effect), String)
const probing = Effect.provide(Actor.ActorSystem.layerTest())

describe("a probe", () => {
  it.effect("RFC S5 gives what it was told, in order, with its type, and keeps all of it", () =>
    Effect.gen(function*() {
      const { expect, expectNothing, received, ref } = yield* Actor.probe<Protocol>()
      for (const n of [1, 2]) ref.tellUnsafe(new Put({ n }))
      assert.strictEqual((yield* expect("Put")).n, 1)
      yield* expect("Put", { fits: ({ n }) => n === 2 })
      yield* expectNothing()
      ref.tellUnsafe(new Sum())
      yield* expect("Sum")
      assert.deepStrictEqual(received().map(({ _tag }) => _tag), ["Put", "Put", "Sum"])
    }).pipe(probing))

  it.effect("RFC S5 says what came instead", () =>
    Effect.gen(function*() {
      const { expect, expectNothing, ref } = yield* Actor.probe<Protocol>({ name: "bank" })
      assert.strictEqual(
        yield* failure(expect("Sum")),
        "ExpectationFailed: root/bank expected Sum, and nothing came"
      )
      ref.tellUnsafe(new Put({ n: 1 }))
      assert.include(yield* failure(expect("Sum")), `expected Sum, and Put {"n":1,"_tag":"Put"} came`)
      ref.tellUnsafe(new Put({ n: 2 }))
      assert.include(yield* failure(expect("Put", { fits: ({ n }) => n === 1 })), "expected Put that fits, and Put")
      ref.tellUnsafe(new Put({ n: 3, text: "x".repeat(1_000) }))
      const text = yield* failure(expectNothing())
      assert.include(text, "expected nothing, and Put")
      assert.isBelow(text.length, 300)
      const looped: { self?: unknown } = {}
      looped.self = looped
      ref.tellUnsafe(new Put({ n: 4, text: looped as unknown as string }))
      assert.include(yield* failure(expectNothing()), "expected nothing, and Put came", "one that JSON cannot show")
      yield* expectNothing()
    }).pipe(probing))

  it.effect("RFC S5 answers as it is told to, and with undefined before", () =>
    Effect.gen(function*() {
      const { answer, ref } = yield* Actor.probe<Protocol>()
      assert.isUndefined(yield* ref.ask(new Sum()))
      answer("Sum", () => Effect.succeed(7))
      assert.strictEqual(yield* ref.ask(new Sum()), 7)
      answer("Sum", () => Effect.fail("empty" as const))
      assert.strictEqual(yield* Effect.flip(ref.ask(new Sum())), "empty")
      answer("Sum", () => Effect.die("broken"))
      assert.include(String(yield* Effect.flip(ref.ask(new Sum()))), "ActorCrashed")
      answer("Sum", () => Effect.succeed(8))
      assert.strictEqual(yield* ref.ask(new Sum()), 8, "it comes back")
    }).pipe(probing))

  it.effect("RFC S5 lets time stand still, or pass as far as it is allowed to and is needed", () =>
    Effect.gen(function*() {
      const { expect, expectNothing, ref } = yield* Actor.probe<Protocol>()
      const late = (ms: number) =>
        Effect.forkChild(Effect.andThen(Effect.sleep(ms), Effect.sync(() => ref.tellUnsafe(new Put({ n: ms })))))
      yield* late(100)
      yield* expectNothing()
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
      yield* expectNothing({ within: 99 })
      assert.strictEqual(yield* Clock.currentTimeMillis, 99)
      yield* expect("Put", { within: "1 second" })
      assert.isBelow(yield* Clock.currentTimeMillis, 200)
      yield* late(2_000)
      yield* failure(expect("Put", { within: "1 second" }))
    }).pipe(probing))

  it.live("RFC S5 waits on a real clock", () =>
    Effect.gen(function*() {
      const { expect, expectNothing, ref } = yield* Actor.probe<Protocol>()
      yield* Effect.forkChild(
        Effect.andThen(Effect.sleep("10 millis"), Effect.sync(() => ref.tellUnsafe(new Put({ n: 1 }))))
      )
      yield* expect("Put")
      yield* expectNothing({ within: "5 millis" })
      yield* failure(expect("Put", { within: "5 millis" }))
    }).pipe(Effect.scoped, Effect.provide(Actor.ActorSystem.layer())))
})

/** An actor whose handler and finalizer may take as long as they like. */
const stubborn = (
  handler: Effect.Effect<void>,
  finalizer: Effect.Effect<void> = Effect.void,
  drain = "5 seconds" as const
) =>
  Actor.define<Put>()("stubborn", {
    drain,
    behaviour: () => Effect.as(Effect.addFinalizer(() => finalizer), { Put: () => handler })
  })

describe("layerTest", () => {
  /** A test that fails while an actor is at work: how it ends. */
  const failing = (definition: ReturnType<typeof stubborn>, lines: Array<unknown> = []) =>
    Effect.gen(function*() {
      const { root } = yield* Actor.ActorSystem
      const ref = yield* root.spawn(definition)
      ref.tellUnsafe(new Put({ n: 1 }))
      yield* Effect.yieldNow
      return yield* Effect.die(new Error("the test's own message"))
    }).pipe(
      Effect.scoped,
      Effect.provide(Actor.ActorSystem.layerTest()),
      Effect.exit,
      Effect.provide(Logger.layer([Logger.make(({ message }) => void lines.push(message))]))
    )

  const cases = {
    hangs: stubborn(Effect.never),
    "hangs, and has hours to drain": Actor.define<Put>()("slow", {
      drain: "2 hours",
      behaviour: () => Effect.succeed({ Put: () => Effect.never })
    }),
    "cannot be interrupted, and takes a minute": stubborn(Effect.uninterruptible(Effect.sleep("1 minute"))),
    "releases for a minute": stubborn(Effect.void, Effect.sleep("1 minute"))
  }
  for (const [what, definition] of Object.entries(cases)) {
    it.effect(`RFC S4 RFC S5 a test that fails is seen to fail, where an actor ${what}`, () =>
      Effect.gen(function*() {
        const lines: Array<unknown> = []
        const exit = yield* failing(definition, lines)
        assert.include(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", "the test's own message")
        assert.notInclude(JSON.stringify(lines), "did not end")
      }))
  }

  const endless = Actor.define<Put>()("stubborn", {
    abandonAfter: "365 days",
    behaviour: () => Effect.succeed({ Put: () => Effect.uninterruptible(Effect.never) })
  })
  it.effect("RFC S4 RFC S5 also where one never ends: that one is named in the log", () =>
    Effect.gen(function*() {
      const lines: Array<unknown> = []
      const exit = yield* failing(endless, lines)
      assert.include(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", "the test's own message")
      assert.match(JSON.stringify(lines), /root\/stubborn did not end with its test/)
    }))

  it.effect("RFC S5 waits for what takes real time to end", () =>
    Effect.gen(function*() {
      let isReleased = false
      const real = TestClock.withLive(Effect.sleep("100 millis"))
      yield* Effect.exit(failing(stubborn(
        Effect.void,
        Effect.map(real, () => {
          isReleased = true
        })
      )))
      assert.isTrue(isReleased)
    }))

  it.effect("RFC S5 runs on the test's clock", () =>
    Effect.gen(function*() {
      const { root } = yield* Actor.ActorSystem
      const ref = yield* root.spawn(stubborn(Effect.sleep("1 hour")))
      const asking = yield* Effect.forkChild(ref.ask(new Put({ n: 1 }), { timeout: "2 hours" }), {
        startImmediately: true
      })
      yield* TestClock.adjust("59 minutes")
      assert.isUndefined(asking.pollUnsafe())
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(asking)
    }).pipe(Effect.scoped, Effect.provide(Actor.ActorSystem.layerTest())))

  it("RFC S5 brings a TestClock where there is none", async () => {
    const now = Effect.gen(function*() {
      yield* TestClock.adjust("1 hour")
      return yield* Clock.currentTimeMillis
    })
    assert.strictEqual(await Effect.runPromise(Effect.provide(now, Actor.ActorSystem.layerTest())), 3_600_000)
  })

  it.effect("RFC S5 takes the options of a system, and is one of its own each time", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const systems = yield* Effect.forEach(["one", "two"], (name) =>
        Layer.buildWithScope(Actor.ActorSystem.layerTest({ name }), scope))
      yield* Scope.close(scope, Exit.void)
      assert.lengthOf(systems, 2)
      const { lookup, root } = yield* Effect.provide(Actor.ActorSystem, Actor.ActorSystem.layerTest({ name: "here" }))
      assert.strictEqual(root.path, "here")
      assert.isTrue(Option.isSome(lookup("here")))
    }))
})
