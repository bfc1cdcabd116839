/**
 * Failures while a child starts: at the first start, at a restart, in a group, and starts that
 * hang.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { MaxOpsBeforeYield } from "effect/Scheduler"
import { TestClock } from "effect/testing"
import { type Backoff, type StartFailed } from "../../src/actor/index.ts"
import { calm, Crash, makeWorld, shape, Work } from "./supervised.ts"

/** A behaviour that fails at these starts. */
const failing = (...incarnations: ReadonlyArray<number>) => (incarnation: number) =>
  incarnations.includes(incarnation) ? Effect.fail(`start ${incarnation} fails`) : Effect.void
/** A behaviour that hangs from this start on. */
const hanging = (from: number) => (incarnation: number) => incarnation >= from ? Effect.never : Effect.void

describe("the first start", () => {
  const ways = [
    ["fails", Effect.fail("broken"), "broken"],
    ["dies", Effect.die("broken"), "broken"],
    ["throws", Effect.sync(() => assert.fail("broken")), "AssertionError: broken"]
  ] as const
  for (const [way, onStart, cause] of ways) {
    it.effect(`RFC S3 one that ${way}: the spawn fails, nothing is left, no sibling is touched`, () =>
      Effect.gen(function*() {
        const { child, escalations, root, trace } = yield* makeWorld({ strategy: "one_for_all", intensity: 0 })
        yield* child("a")
        const failed = yield* Effect.flip(child("b", { onStart: () => onStart }))
        assert.deepStrictEqual([failed._tag, failed.actor, String(failed.cause)], ["StartFailed", "root/b", cause])
        yield* calm
        assert.strictEqual(trace(), "start a#1, start b#1, stop b")
        assert.strictEqual(shape(root.inspect()), "root running#1 [a running#1]")
        assert.strictEqual(root.inspect().restarts, 0)
        assert.lengthOf(escalations, 0)
        yield* child("b")
        assert.strictEqual(trace(), "start b#1", "the name is free")
      }))
  }

  it.effect("RFC S4 one that hangs when the system closes: the spawn fails, what it acquired is released", () =>
    Effect.gen(function*() {
      const { child, close, root, trace } = yield* makeWorld()
      const spawning = yield* Effect.forkChild(Effect.flip(child("a", { onStart: hanging(1) })), {
        startImmediately: true
      })
      assert.strictEqual(shape(root.inspect()), "root running#1 [a starting#1]")
      yield* close
      assert.strictEqual((yield* Fiber.join(spawning))._tag, "StartFailed")
      assert.strictEqual(trace(), "start a#1, stop a")
      assert.strictEqual(shape(root.inspect()), "root ended#1 []")
    }))

  it.effect("RFC S4 one that hangs when its spawner is interrupted leaves nothing", () =>
    Effect.gen(function*() {
      const { child, root, trace } = yield* makeWorld()
      const spawning = yield* Effect.forkChild(child("a", { onStart: hanging(1) }), { startImmediately: true })
      yield* Fiber.interrupt(spawning)
      assert.strictEqual(trace(), "start a#1, stop a")
      assert.strictEqual(shape(root.inspect()), "root running#1 []")
    }))

  it.effect("RFC S3 one that is under way when a sibling crashes goes on", () =>
    Effect.gen(function*() {
      const { child, crash, root, trace } = yield* makeWorld({ strategy: "one_for_all" })
      const a = yield* child("a")
      const spawning = yield* Effect.forkChild(child("b", { onStart: () => Effect.sleep(100) }), {
        startImmediately: true
      })
      yield* crash(a)
      yield* TestClock.adjust(100)
      const b = yield* Fiber.join(spawning)
      assert.strictEqual(yield* b.ask(new Work({ n: 1 })), "1 by b#1")
      assert.strictEqual(trace(), "start a#1, start b#1, crash a, stop a, start a#2, b#1 works 1")
      assert.strictEqual(shape(root.inspect()), "root running#1 [a running#2, b running#1]")
    }))

  it.effect("RFC S4 a scope that is closed already: nothing is started", () =>
    Effect.gen(function*() {
      const { child, root, scope, trace } = yield* makeWorld()
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Effect.flip(child("a")))._tag, "StartFailed")
      assert.strictEqual(trace(), "")
      assert.strictEqual(shape(root.inspect()), "root ended#1 []")
    }))

  it.effect("RFC S3 a behaviour that stops its actor while it is built: it starts, and ends normally", () =>
    Effect.gen(function*() {
      const { child, root, trace } = yield* makeWorld()
      yield* child("a", { restart: "transient", onStart: (_, self) => self.stop })
      yield* calm
      assert.strictEqual(trace(), "start a#1, stop a")
      assert.strictEqual(shape(root.inspect()), "root running#1 []")
    }))
})

describe("a restart", () => {
  it.effect("RFC S3 that fails once is one more crash, and the next one works; waiting messages survive both", () =>
    Effect.gen(function*() {
      const { child, root, trace } = yield* makeWorld({ intensity: 2 })
      const a = yield* child("a", { onStart: failing(2) })
      a.tellUnsafe(new Crash({}))
      assert.strictEqual(yield* a.ask(new Work({ n: 1 })), "1 by a#3")
      assert.strictEqual(trace(), "start a#1, crash a, stop a, start a#2, stop a, start a#3, a#3 works 1")
      assert.strictEqual(root.inspect().restarts, 2)
      assert.strictEqual(root.inspect().lastCrash?.message, "start 2 fails")
      assert.strictEqual(a.inspect().lastCrash?.message, "start 2 fails")
    }))

  it.effect("RFC S3 that always fails exceeds the intensity; the asker gets an error", () =>
    Effect.gen(function*() {
      const { child, escalations, system, trace } = yield* makeWorld({ intensity: 3 })
      const a = yield* child("a", { onStart: failing(2, 3, 4, 5, 6) })
      a.tellUnsafe(new Crash({}))
      const asked = yield* Effect.flip(a.ask(new Work({ n: 1 })))
      assert.strictEqual(asked._tag, "ActorStopped")
      yield* calm
      assert.strictEqual(
        trace(),
        "start a#1, crash a, stop a, start a#2, stop a, start a#3, stop a, start a#4, stop a"
      )
      assert.deepStrictEqual(escalations.map(({ child, restarts }) => [child, restarts]), [["a", 3]])
      assert.strictEqual(shape(system.inspect()), "root ended#1 []")
    }))

  it.effect("RFC S3 that fails waits longer for the next try", () =>
    Effect.gen(function*() {
      const { child, crash, trace } = yield* makeWorld({ intensity: 9, backoff: { base: 100, jitter: 0 } })
      yield* crash(yield* child("a", { onStart: failing(2, 3) }))
      trace()
      for (
        const [wait, seen] of [[100, "start a#2, stop a"], [200, "start a#3, stop a"], [400, "start a#4"]] as const
      ) {
        yield* TestClock.adjust(wait - 1)
        yield* calm
        assert.strictEqual(trace(), "")
        yield* TestClock.adjust(1)
        yield* calm
        assert.strictEqual(trace(), seen)
      }
    }))

  it.effect("RFC S4 that hangs is ended by closing, at once; the waiting messages become dead letters", () =>
    Effect.gen(function*() {
      const { child, close, crash, root, system, trace } = yield* makeWorld()
      const a = yield* child("a", { onStart: hanging(2) })
      yield* child("b")
      yield* crash(a)
      const asked = yield* Effect.forkChild(Effect.flip(a.ask(new Work({ n: 1 }))), { startImmediately: true })
      assert.strictEqual(shape(root.inspect()), "root running#1 [a starting#2, b running#1]")
      yield* close
      assert.strictEqual((yield* Fiber.join(asked))._tag, "ActorStopped")
      assert.strictEqual(trace(), "start a#1, start b#1, crash a, stop a, start a#2, stop b, stop a")
      assert.deepStrictEqual(system.deadLetters.counts(), {
        full: 0,
        dropped: 0,
        closed: 0,
        stopped: 1,
        crashed: 1,
        abandoned: 0,
        failed: 0
      })
      assert.strictEqual(shape(root.inspect()), "root ended#1 []")
    }))

  it.effect("RFC S3 that hangs delays its siblings' restarts, as in OTP, until it is stopped", () =>
    Effect.gen(function*() {
      const { child, crash, root, trace } = yield* makeWorld({ intensity: 9 })
      const a = yield* child("a", { onStart: hanging(2) })
      const b = yield* child("b")
      yield* crash(a)
      yield* crash(b)
      trace()
      assert.strictEqual(shape(root.inspect()), "root running#1 [a starting#2, b waiting#1]")
      yield* a.stop
      yield* calm
      assert.strictEqual(trace(), "stop a, start b#2")
      assert.strictEqual(shape(root.inspect()), "root running#1 [b running#2]")
    }))
})

describe("a group's restart whose second child fails to start", () => {
  const crashed = "crash a, stop a, stop c, stop b, start a#2, start b#2, stop b"
  const rows = [
    ["one_for_all", undefined, [`${crashed}, stop a, start a#3, start b#3, start c#2`]],
    ["rest_for_one", undefined, [`${crashed}, start b#3, start c#2`]],
    ["one_for_all", { base: 100, jitter: 0 }, [
      "crash a, stop a, stop c, stop b",
      "start a#2, start b#2, stop b, stop a",
      "start a#3, start b#3, start c#2"
    ]],
    ["rest_for_one", { base: 100, jitter: 0 }, [
      "crash a, stop a, stop c, stop b",
      "start a#2, start b#2, stop b",
      "start b#3, start c#2"
    ]]
  ] as const
  for (const [strategy, backoff, seen] of rows) {
    it.effect(`RFC S3 ${strategy}${backoff === undefined ? "" : ", with a backoff"}: all come back in order`, () =>
      Effect.gen(function*() {
        const waits: Backoff | undefined = backoff
        const world = yield* makeWorld({
          strategy,
          intensity: 2,
          ...(waits === undefined ? {} : { backoff: waits })
        })
        const a = yield* world.child("a")
        yield* world.child("b", { onStart: failing(2) })
        yield* world.child("c")
        world.trace()
        yield* world.crash(a)
        for (const part of seen) {
          assert.strictEqual(world.trace(), part)
          yield* TestClock.adjust(100)
          yield* calm
        }
        assert.strictEqual(world.trace(), "")
        assert.strictEqual(world.root.inspect().restarts, 2)
        assert.isTrue(world.root.inspect().children.every(({ phase }) => phase === "running"))
      }))
  }

  it.effect("RFC S3 one that hangs and is stopped: the rest of the group starts without it", () =>
    Effect.gen(function*() {
      const { child, crash, root, trace } = yield* makeWorld({ strategy: "one_for_all" })
      const a = yield* child("a")
      const b = yield* child("b", { onStart: hanging(2) })
      yield* child("c")
      yield* crash(a)
      trace()
      yield* b.stop
      yield* calm
      assert.strictEqual(trace(), "stop b, start c#2")
      assert.strictEqual(shape(root.inspect()), "root running#1 [a running#2, c running#2]")
    }))
})

describe("a spawner whose fiber has to yield", () => {
  for (const what of ["an actor", "a supervisor"] as const) {
    it.effect(`RFC S3 RFC S4 ${what} has its name and its end, at whichever step that is`, () =>
      Effect.gen(function*() {
        for (let ops = 3; ops < 60; ops++) {
          const { child, close, root, supervise } = yield* makeWorld()
          const scope = yield* Scope.make()
          const inner = yield* Scope.provide(root.supervise("inner"), scope)
          const starting: Effect.Effect<unknown, StartFailed> = what === "an actor"
            ? child("x", {}, inner, {})
            : supervise("x", {}, inner)
          const twice = Effect.all([Effect.exit(starting), Effect.exit(starting)], { concurrency: 2 })
          const fiber = yield* Effect.provideService(
            Effect.forkDetach(twice, { startImmediately: true }),
            MaxOpsBeforeYield,
            ops
          )
          yield* Scope.close(scope, Exit.void)
          yield* Fiber.join(fiber)
          yield* calm
          assert.deepInclude(inner.inspect(), { phase: "ended", children: [] }, `after ${ops} steps`)
          yield* close
        }
      }))
  }

  it.effect("RFC S3 two that want the same name do not get it both", () =>
    Effect.gen(function*() {
      for (let ops = 3; ops < 60; ops++) {
        const { child, close, root } = yield* makeWorld()
        const both = Effect.all([Effect.exit(child("x")), Effect.exit(child("x"))], { concurrency: 2 })
        const exits = yield* Effect.provideService(both, MaxOpsBeforeYield, ops)
        assert.deepStrictEqual(exits.map(Exit.isSuccess).toSorted(), [false, true], `after ${ops} steps`)
        assert.lengthOf(root.inspect().children, 1)
        yield* close
      }
    }))
})
