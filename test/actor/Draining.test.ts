/**
 * Final ends: deadlines, what becomes of the waiting messages, and the order in which a tree ends.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { type ActorRef, ActorSystem, define } from "../../src/actor/index.ts"
import { act, type Do } from "./probe.ts"
import {
  calm,
  Crash,
  definitionOf,
  Hang,
  makeWorld,
  type Protocol,
  type Ref,
  shape,
  Slow,
  StopOwn,
  Work
} from "./supervised.ts"

/** The answer of an ask, or the name of its error. */
const asking = (ref: Ref, message: Protocol) =>
  Effect.forkChild(
    Effect.match(ref.ask(message, { timeout: "Infinity" }), {
      onFailure: ({ _tag }) => _tag,
      onSuccess: (answer) => answer ?? "done"
    }),
    { startImmediately: true }
  )

describe("the deadline", () => {
  /** The deadline, and how many ms the closing takes. */
  for (const [drain, takes] of [[0, 0], [1, 1], [5_000, 5_000]] as const) {
    it.effect(`RFC S4 ${drain} ms with a handler that hangs: its message and the waiting ones become dead letters`, () =>
      Effect.gen(function*() {
        const { child, close, system, trace } = yield* makeWorld()
        const a = yield* child("a", { drain })
        const asked = yield* Effect.forEach(
          [new Hang(), new Work({ n: 1 }), new Work({ n: 2 })],
          (message) => asking(a, message)
        )
        yield* calm
        const closing = yield* Effect.forkChild(close, { startImmediately: true })
        assert.isFalse(a.tellUnsafe(new Work({ n: 3 })), "it takes no more")
        if (takes > 0) {
          yield* TestClock.adjust(takes - 1)
          yield* calm
          assert.isUndefined(closing.pollUnsafe())
          assert.strictEqual(trace(), "start a#1")
          yield* TestClock.adjust(1)
        }
        yield* Fiber.join(closing)
        assert.deepStrictEqual(yield* Effect.forEach(asked, Fiber.join), [
          "ActorStopped",
          "ActorStopped",
          "ActorStopped"
        ])
        const letters = system.deadLetters.recent().map(({ reason, tag }) => `${tag} ${reason}`)
        assert.deepStrictEqual(letters.filter((letter) => letter !== "Work closed"), [
          "Hang stopped",
          "Work stopped",
          "Work stopped"
        ])
        assert.lengthOf(letters, 4)
        assert.strictEqual(a.pendingUnsafe(), 0)
        assert.strictEqual(a.inspect().phase, "ended")
      }))
  }

  it.effect("RFC S4 Infinity waits for the handler, however long, and handles the waiting messages", () =>
    Effect.gen(function*() {
      const { child, close, system } = yield* makeWorld()
      const a = yield* child("a", { drain: Number.POSITIVE_INFINITY })
      const asked = yield* Effect.forEach(
        [new Slow({ ms: 3_600_000 }), new Work({ n: 1 })],
        (message) => asking(a, message)
      )
      yield* calm
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust(3_599_999)
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* Effect.forEach(asked, Fiber.join), ["slow by a#1", "1 by a#1"])
      assert.strictEqual(system.deadLetters.total(), 0)
    }))

  it.effect("RFC S4 messages that can be handled before the deadline are, in order, and then the resource is released", () =>
    Effect.gen(function*() {
      const { child, close, trace } = yield* makeWorld()
      const a = yield* child("a")
      for (const message of [new Slow({ ms: 4_999 }), new Work({ n: 1 }), new Work({ n: 2 })]) a.tellUnsafe(message)
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust(4_999)
      yield* Fiber.join(closing)
      assert.strictEqual(trace(), "start a#1, a#1 works 1, a#1 works 2, stop a")
    }))

  it.effect("RFC S4 is for all waiting messages together", () =>
    Effect.gen(function*() {
      const { child, close } = yield* makeWorld()
      const a = yield* child("a", { drain: 25 })
      const asked = yield* Effect.forEach([1, 2, 3, 4], () => asking(a, new Slow({ ms: 10 })))
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust(25)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* Effect.forEach(asked, Fiber.join), [
        "slow by a#1",
        "slow by a#1",
        "ActorStopped",
        "ActorStopped"
      ])
    }))
})

describe("while it drains", () => {
  it.effect("RFC S4 a crash ends it: the waiting messages become dead letters, and nothing is restarted", () =>
    Effect.gen(function*() {
      const { child, close, root, system, trace } = yield* makeWorld()
      const a = yield* child("a")
      const asked = yield* Effect.forEach(
        [new Slow({ ms: 10 }), new Crash({}), new Work({ n: 1 })],
        (message) => asking(a, message)
      )
      yield* calm
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust(10)
      yield* Fiber.join(closing)
      yield* calm
      assert.deepStrictEqual(yield* Effect.forEach(asked, Fiber.join), ["slow by a#1", "ActorCrashed", "ActorStopped"])
      assert.strictEqual(trace(), "start a#1, crash a, stop a")
      assert.deepStrictEqual(system.deadLetters.recent().map(({ reason }) => reason), ["crashed", "stopped"])
      assert.strictEqual(root.inspect().restarts, 0)
    }))

  it.effect("RFC S4 a suspended actor handles nothing: all waiting messages become dead letters", () =>
    Effect.gen(function*() {
      const { child, close, system, trace } = yield* makeWorld()
      const [a, b] = [yield* child("a", { suspended: true }), yield* child("b")]
      yield* b.suspend
      const asked = yield* Effect.forEach([a, b], (ref) => asking(ref, new Work({ n: 1 })))
      yield* close
      assert.deepStrictEqual(yield* Effect.forEach(asked, Fiber.join), ["ActorStopped", "ActorStopped"])
      assert.strictEqual(trace(), "start a#1, start b#1, stop b, stop a")
      assert.strictEqual(system.deadLetters.counts().stopped, 2)
    }))

  it.effect("RFC S4 an actor that is suspended while a handler runs lets the handler finish", () =>
    Effect.gen(function*() {
      const { child, close } = yield* makeWorld()
      const a = yield* child("a")
      const asked = yield* Effect.forEach([new Slow({ ms: 10 }), new Work({ n: 1 })], (message) => asking(a, message))
      yield* calm
      yield* a.suspend
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust(10)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* Effect.forEach(asked, Fiber.join), ["slow by a#1", "ActorStopped"])
    }))

  for (const drain of [5_000, Number.POSITIVE_INFINITY]) {
    it.effect(`RFC S4 a handler that stops its own actor does not wait for itself, nor for ${drain} ms: what waits is drained`, () =>
      Effect.gen(function*() {
        const { child, root, trace } = yield* makeWorld()
        const a = yield* child("a", { drain })
        const asked = yield* Effect.forEach([new StopOwn(), new Work({ n: 1 })], (message) => asking(a, message))
        yield* calm
        assert.deepStrictEqual(yield* Effect.forEach(asked, Fiber.join), ["done", "1 by a#1"])
        assert.strictEqual(trace(), "start a#1, a#1 works 1, stop a")
        assert.strictEqual(shape(root.inspect()), "root running#1 []")
      }))
  }

  it.effect("RFC S3 a sibling that is restarted along loses the message it hangs on, and keeps the waiting ones", () =>
    Effect.gen(function*() {
      const { child, crash, system, trace } = yield* makeWorld({ strategy: "one_for_all" })
      const a = yield* child("a")
      const b = yield* child("b")
      const asked = yield* Effect.forEach([new Hang(), new Work({ n: 1 })], (message) => asking(b, message))
      yield* crash(a)
      yield* TestClock.adjust(4_999)
      yield* calm
      assert.strictEqual(trace(), "start a#1, start b#1, crash a, stop a")
      yield* TestClock.adjust(1)
      yield* calm
      assert.strictEqual(trace(), "stop b, start a#2, start b#2, b#2 works 1")
      assert.deepStrictEqual(yield* Effect.forEach(asked, Fiber.join), ["ActorRestarting", "1 by b#2"])
      assert.deepStrictEqual(system.deadLetters.counts(), {
        full: 0,
        dropped: 0,
        closed: 0,
        stopped: 1,
        crashed: 1,
        abandoned: 0,
        failed: 0
      })
    }))

  it.effect("RFC S4 if the system closes while a sibling is restarted along, all its messages become dead letters", () =>
    Effect.gen(function*() {
      const { child, close, crash, root, trace } = yield* makeWorld({ strategy: "one_for_all" })
      const a = yield* child("a")
      const b = yield* child("b")
      const asked = yield* Effect.forEach([new Slow({ ms: 100 }), new Work({ n: 1 })], (message) => asking(b, message))
      yield* crash(a)
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust(100)
      yield* Fiber.join(closing)
      yield* calm
      assert.deepStrictEqual(yield* Effect.forEach(asked, Fiber.join), ["slow by b#1", "ActorStopped"])
      assert.strictEqual(
        trace(),
        "start a#1, start b#1, crash a, stop a, stop b, start a#2, stop a",
        "a's own end comes after b's"
      )
      assert.strictEqual(shape(root.inspect()), "root ended#1 []")
    }))
})

describe("a test that has ended", () => {
  /** As in docs/actors.md. */
  const moving = Effect.forever(Effect.andThen(Effect.yieldNow, TestClock.adjust("1 second")))
  const onTime = <A, E, R>(body: Effect.Effect<A, E, R>) =>
    Effect.ensuring(body, Effect.forkDetach(Effect.timeoutOption(moving, "1 minute")))

  for (const drain of [0, 5_000]) {
    it(`RFC S4 with a handler that hangs shows its own failure: drain ${drain}${drain > 0 ? ", and time that goes on" : ""}`, async () => {
      const failing = Effect.gen(function*() {
        const { root } = yield* ActorSystem.make()
        const hanging = yield* root.spawn(definitionOf([], "hanging", { drain }))
        hanging.tellUnsafe(new Hang())
        yield* calm
        return yield* Effect.fail("the assertion of the test")
      })
      const body = drain > 0 ? onTime(failing) : failing
      const exit = await Effect.runPromiseExit(body.pipe(Effect.scoped, Effect.provide(TestClock.layer())))
      assert.deepStrictEqual(exit, Exit.fail("the assertion of the test"))
    })
  }
})

describe("the order of a tree's end", () => {
  it.effect("RFC S4 the last started first, each drained before the next one ends, supervisors with all under them", () =>
    Effect.gen(function*() {
      const { child, close, supervise, trace } = yield* makeWorld()
      const a = yield* child("a")
      const inner = yield* supervise("inner")
      const x = yield* child("x", {}, inner)
      const deeper = yield* supervise("deeper", {}, inner)
      const q = yield* child("q", {}, deeper)
      const y = yield* child("y", {}, inner)
      const b = yield* child("b")
      trace()
      for (const ref of [a, x, q, y, b]) ref.tellUnsafe(new Slow({ ms: 1_000 }))
      for (const ref of [a, x, q, y, b]) ref.tellUnsafe(new Work({ n: 1 }))
      yield* close.pipe(Effect.forkChild({ startImmediately: true }))
      // Actors that still run handle their own messages meanwhile: only the order of the ends is
      // fixed.
      yield* TestClock.adjust(1_000)
      yield* calm
      const stops = trace().split(", ").filter((line) => line.startsWith("stop"))
      assert.deepStrictEqual(stops, ["stop b", "stop y", "stop q", "stop x", "stop a"])
    }))

  it.effect("RFC S4 messages from a draining actor to one that was started earlier are handled", () =>
    Effect.gen(function*() {
      const { child, close, log, root, scope, system, trace } = yield* makeWorld()
      const store = yield* child("store")
      const report = (to: ActorRef<Work>) => Effect.sync(() => to.tellUnsafe(new Work({ n: 7 })))
      const writer = definitionOf(log, "writer", { onStop: Effect.asVoid(report(store)) })
      yield* Scope.provide(root.spawn(writer), scope)
      trace()
      yield* close
      assert.strictEqual(trace(), "stop writer, store#1 works 7, stop store")
      assert.strictEqual(system.deadLetters.total(), 0)
    }))

  it.effect("RFC S4 an actor that another spawned into its own scope ends with that one's incarnation", () =>
    Effect.gen(function*() {
      const { child, crash, log, root, trace } = yield* makeWorld({ intensity: 9 })
      const helper = definitionOf(log, "helper", { restart: "transient" })
      const a = yield* child("a", { onStart: () => Effect.asVoid(root.spawn(helper)) })
      yield* crash(a)
      assert.strictEqual(trace(), "start a#1, start helper#1, crash a, stop helper, stop a, start a#2, start helper#1")
      assert.strictEqual(shape(root.inspect()), "root running#1 [a running#2, helper running#1]")
      yield* a.stop
      assert.strictEqual(trace(), "stop helper, stop a")
      assert.strictEqual(shape(root.inspect()), "root running#1 []")
    }))

  it.effect("RFC S4 closing twice, at once, ends everything once", () =>
    Effect.gen(function*() {
      const { child, close, scope, system, trace } = yield* makeWorld()
      yield* child("a", { onStop: Effect.sleep(50) })
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      const again = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust(50)
      yield* Fiber.join(closing)
      yield* Fiber.join(again)
      assert.strictEqual(trace(), "start a#1, stop a")
      assert.strictEqual(shape(system.inspect()), "root ended#1 []")
    }))
})

describe("a supervisor that a handler under it ends", () => {
  it.effect("RFC S4 has ended when that handler has: the system waits for both", () =>
    Effect.gen(function*() {
      const whole = yield* Scope.make()
      const { root } = yield* Scope.provide(ActorSystem.make(), whole)
      const part = yield* Scope.fork(whole)
      const above = yield* Scope.provide(root.supervise("above"), part)
      const definition = define<Do>()("own", {
        behaviour: () =>
          Effect.succeed({
            Do: ({ id }) => Effect.as(Effect.andThen(Scope.close(part, Exit.void), Effect.sleep(20)), id)
          })
      })
      const actor = yield* Scope.provide(above.spawn(definition), part)
      actor.tellUnsafe(act(1))
      yield* calm
      assert.deepInclude(above.inspect(), { phase: "ending" })
      const closing = yield* Effect.forkChild(Scope.close(whole, Exit.void), { startImmediately: true })
      yield* calm
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust(20)
      yield* Fiber.join(closing)
      assert.deepInclude(actor.inspect(), { phase: "ended", handled: 1 })
      assert.deepInclude(above.inspect(), { phase: "ended", children: [] })
    }))
})
