/**
 * Supervisors that give up: the parent restarts them or gives up in turn, and when the root gives
 * up, everything ends.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { type Escalated, type Phase, type RestartKind } from "../../src/actor/index.ts"
import { calm, Crash, Hang, makeWorld, type Ref, shape, Slow, Work } from "./supervised.ts"

/** Crashes the child twice: its supervisor, with an intensity of 1, then gives up. */
const wear = (crash: (...refs: ReadonlyArray<Ref>) => Effect.Effect<void>, ref: Ref) =>
  Effect.andThen(crash(ref), crash(ref))

describe("a supervisor that gives up", () => {
  it.effect("RFC S3 is restarted by its parent: with the same addresses and waiting messages, without temporary children", () =>
    Effect.gen(function*() {
      const { child, crash, root, supervise, system, trace } = yield* makeWorld()
      const inner = yield* supervise("inner")
      const x = yield* child("x", {}, inner)
      const y = yield* child("y", { restart: "temporary", suspended: true }, inner)
      const z = yield* child("z", { restart: "transient", suspended: true }, inner)
      yield* crash(x)
      trace()
      const [fromY, fromZ] = [
        yield* Effect.forkChild(Effect.flip(y.ask(new Work({ n: 1 }))), { startImmediately: true }),
        yield* Effect.forkChild(z.ask(new Work({ n: 1 })), { startImmediately: true })
      ]
      yield* crash(x)
      assert.strictEqual(trace(), "crash x, stop x, stop z, stop y, start x#3, start z#2")
      assert.strictEqual(shape(root.inspect()), "root running#1 [inner running#2 [x running#3, z running#2]]")
      assert.strictEqual((yield* Fiber.join(fromY))._tag, "ActorStopped")
      yield* z.resume
      assert.strictEqual(yield* Fiber.join(fromZ), "1 by z#2")
      assert.strictEqual(yield* x.ask(new Work({ n: 2 })), "2 by x#3")
      assert.isFalse(y.tellUnsafe(new Work({ n: 3 })))
      assert.strictEqual(root.inspect().restarts, 1)
      assert.strictEqual(inner.inspect().restarts, 1)
      assert.strictEqual(
        root.inspect().lastCrash?.message,
        "Escalated: root/inner gave up after 1 restarts; the last to crash was x"
      )
      assert.deepStrictEqual(system.deadLetters.counts().crashed, 2)
    }))

  it.effect("RFC S3 starts to count anew after its restart", () =>
    Effect.gen(function*() {
      const { child, crash, root, supervise } = yield* makeWorld()
      const x = yield* child("x", {}, yield* supervise("inner"))
      yield* wear(crash, x)
      yield* crash(x)
      assert.strictEqual(root.inspect().restarts, 1)
      assert.strictEqual(shape(root.inspect()), "root running#1 [inner running#2 [x running#4]]")
    }))

  /**
   * The kind of the supervisor, what becomes of it, and of its sibling where the root restarts all.
   */
  const kinds: ReadonlyArray<readonly [RestartKind, string]> = [
    ["permanent", "root running#1 [a running#2, inner running#2 [x running#3]]"],
    ["transient", "root running#1 [a running#2, inner running#2 [x running#3]]"],
    ["temporary", "root running#1 [a running#1]"]
  ]
  for (const [restart, left] of kinds) {
    it.effect(`RFC S3 is a ${restart} child that crashed, to a parent that is one_for_all`, () =>
      Effect.gen(function*() {
        const { child, crash, root, supervise, trace } = yield* makeWorld({ strategy: "one_for_all" })
        yield* child("a")
        const inner = yield* supervise("inner", { restart })
        const x = yield* child("x", {}, inner)
        yield* crash(x)
        trace()
        yield* crash(x)
        assert.strictEqual(
          trace(),
          restart === "temporary" ? "crash x, stop x" : "crash x, stop x, stop a, start a#2, start x#3"
        )
        assert.strictEqual(shape(root.inspect()), left)
      }))
  }

  it.effect("RFC S3 is restarted along with a sibling, with all its children, in order", () =>
    Effect.gen(function*() {
      const { child, crash, root, supervise, trace } = yield* makeWorld({ strategy: "rest_for_one" })
      const a = yield* child("a")
      const inner = yield* supervise("inner")
      for (const [name, restart] of [["x", "permanent"], ["y", "temporary"], ["z", "transient"]] as const)
        yield* child(name, { restart }, inner)
      yield* child("b")
      trace()
      yield* crash(a)
      assert.strictEqual(
        trace(),
        "crash a, stop a, stop b, stop z, stop y, stop x, start a#2, start x#2, start z#2, start b#2"
      )
      assert.strictEqual(
        shape(root.inspect()),
        "root running#1 [a running#2, inner running#2 [x running#2, z running#2], b running#2]"
      )
    }))

  it.effect("RFC S3 nothing is spawned under it until it is restarted", () =>
    Effect.gen(function*() {
      const { child, crash, supervise } = yield* makeWorld({ backoff: { base: 100, jitter: 0 } })
      const inner = yield* supervise("inner", { intensity: 0 })
      yield* crash(yield* child("x", {}, inner))
      assert.strictEqual(inner.inspect().phase, "waiting")
      const failed = yield* Effect.flip(child("y", {}, inner))
      assert.include(String(failed.cause), "root/inner is not running")
      yield* TestClock.adjust(100)
      yield* calm
      yield* child("y", {}, inner)
      assert.strictEqual(shape(inner.inspect()), "inner running#2 [x running#2, y running#1]")
    }))

  it.effect("RFC S3 a child that fails to start fails its supervisor's restart, which is one more crash of that", () =>
    Effect.gen(function*() {
      const { child, crash, root, supervise, trace } = yield* makeWorld({ intensity: 2 })
      const inner = yield* supervise("inner", { intensity: 0 })
      const x = yield* child("x", {}, inner)
      yield* child("y", { onStart: (incarnation) => incarnation === 2 ? Effect.fail("broken") : Effect.void }, inner)
      yield* child("z", {}, inner)
      trace()
      yield* crash(x)
      assert.strictEqual(
        trace(),
        "crash x, stop x, stop z, stop y, start x#2, start y#2, stop y, stop x, start x#3, start y#3, start z#2"
      )
      assert.strictEqual(root.inspect().restarts, 2)
      assert.strictEqual(
        shape(root.inspect()),
        "root running#1 [inner running#3 [x running#3, y running#3, z running#2]]"
      )
    }))

  for (const strategy of ["one_for_one", "one_for_all", "rest_for_one"] as const) {
    it.effect(`RFC S3 ${strategy}: a child that crashes while its siblings still start is decided on after that`, () =>
      Effect.gen(function*() {
        const { child, crash, root, supervise, trace } = yield* makeWorld({ intensity: 9 })
        const inner = yield* supervise("inner", { strategy, intensity: 1 })
        const x = yield* child("x", {}, inner)
        yield* child("y", {
          onStart: (incarnation) =>
            incarnation === 3 || strategy === "one_for_one" && incarnation === 2
              ? Effect.sleep(100)
              : Effect.void
        }, inner)
        yield* crash(x)
        trace()
        // The second message waits in the mailbox, and crashes the next incarnation at once.
        yield* crash(x, x)
        assert.match(trace(), /start x#3, start y#\d, crash x, stop x$/)
        yield* TestClock.adjust(100)
        yield* calm
        const seen = strategy === "one_for_one" ? "start x#4" : "stop y, start x#4, start y#4"
        assert.strictEqual(trace(), seen)
        assert.strictEqual(root.inspect().restarts, 1, "the start itself did not fail")
      }))
  }
})

describe("ends that meet", () => {
  it.effect("RFC S3 a supervisor that gives up and is ended by its parent at the same time is restarted once, in order", () =>
    Effect.gen(function*() {
      const { child, crash, root, supervise, trace } = yield* makeWorld({ strategy: "one_for_all", intensity: 1 })
      const a = yield* child("a")
      const inner = yield* supervise("inner", { intensity: 0 })
      const x = yield* child("x", {}, inner)
      const y = yield* child("y", {}, inner)
      y.tellUnsafe(new Hang())
      yield* crash(x)
      assert.strictEqual(inner.inspect().phase, "ending", "y has five seconds")
      yield* crash(a)
      trace()
      yield* TestClock.adjust(5_000)
      yield* calm
      assert.strictEqual(trace(), "stop y, start a#2, start x#2, start y#2")
      assert.strictEqual(
        shape(root.inspect()),
        "root running#1 [a running#2, inner running#2 [x running#2, y running#2]]"
      )
      assert.strictEqual(root.inspect().restarts, 1)
    }))

  it.effect("RFC S3 a supervisor that its parent ends while it restarts a group leaves nobody running", () =>
    Effect.gen(function*() {
      const { child, crash, root, supervise, trace } = yield* makeWorld({ strategy: "one_for_all" })
      const a = yield* child("a")
      const inner = yield* supervise("inner", { strategy: "one_for_all" })
      const slow = Effect.uninterruptible(Effect.sleep(100))
      const x = yield* child("x", { onStart: (incarnation) => incarnation === 2 ? slow : Effect.void }, inner)
      yield* child("y", {}, inner)
      trace()
      yield* crash(x)
      assert.strictEqual(trace(), "crash x, stop x, stop y, start x#2")
      yield* crash(a)
      assert.strictEqual(trace(), "crash a, stop a")
      yield* TestClock.adjust(100)
      yield* calm
      assert.strictEqual(trace(), "stop x, start a#2, start x#3, start y#2")
      assert.strictEqual(
        shape(root.inspect()),
        "root running#1 [a running#2, inner running#2 [x running#3, y running#2]]"
      )
    }))

  it.effect("RFC S3 a supervisor that its parent ends while it stops a child starts no other child", () =>
    Effect.gen(function*() {
      const { child, crash, supervise, trace } = yield* makeWorld({ strategy: "one_for_all" })
      const a = yield* child("a")
      const inner = yield* supervise("inner", { strategy: "one_for_all" })
      let lingers = Effect.void
      const onStart = (incarnation: number) => incarnation === 2 ? Effect.never : Effect.void
      const x = yield* child("x", { onStart, onStop: Effect.suspend(() => lingers) }, inner)
      yield* child("y", {}, inner)
      yield* crash(x)
      // No sleep: under a TestClock, one in the finalizer of an interrupted fiber is cut short.
      const gate = yield* Deferred.make<void>()
      lingers = Deferred.await(gate)
      yield* Effect.forkChild(x.stop, { startImmediately: true })
      yield* crash(a)
      trace()
      yield* Deferred.succeed(gate, undefined)
      yield* calm
      assert.strictEqual(trace(), "stop x, start a#2, start y#2", "a goes before all under inner")
    }))

  it.effect("RFC S3 a delayed restart from before does not shorten one from after", () =>
    Effect.gen(function*() {
      const { child, crash, root, supervise, trace } = yield* makeWorld({ strategy: "one_for_all", intensity: 9 })
      const a = yield* child("a")
      const backoff = { base: 1_000, jitter: 0 }
      const inner = yield* supervise("inner", { strategy: "one_for_all", intensity: 9, backoff })
      const x = yield* child("x", {}, inner)
      const y = yield* child("y", {}, inner)
      y.tellUnsafe(new Slow({ ms: 100 }))
      yield* crash(x)
      // Both supervisors wait for y now: the inner one to plan its restart, the root to start it
      // again.
      yield* crash(a)
      trace()
      yield* TestClock.adjust(100)
      yield* calm
      assert.strictEqual(trace(), "stop y, start a#2, start x#2, start y#2")
      yield* crash(x)
      assert.strictEqual(trace(), "crash x, stop x, stop y")
      yield* TestClock.adjust(1_999)
      yield* calm
      assert.strictEqual(trace(), "")
      yield* TestClock.adjust(1)
      yield* calm
      assert.strictEqual(trace(), "start x#3, start y#3")
      assert.strictEqual(root.inspect().restarts, 1)
    }))

  it.effect("RFC S4 a supervisor that gives up while the system closes has ended, and waits for nothing", () =>
    Effect.gen(function*() {
      const { child, close, crash, supervise, system, trace } = yield* makeWorld()
      const inner = yield* supervise("inner", { intensity: 0 })
      const x = yield* child("x", {}, inner)
      const y = yield* child("y", {}, inner)
      y.tellUnsafe(new Hang())
      yield* crash(x)
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust(5_000)
      yield* Fiber.join(closing)
      yield* calm
      assert.strictEqual(inner.inspect().phase, "ended")
      assert.strictEqual(trace(), "start x#1, start y#1, crash x, stop x, stop y")
      assert.strictEqual(shape(system.inspect()), "root ended#1 []")
    }))

  it.effect("RFC S4 if the system closes during a supervisor's restart, the restart is abandoned and all waiting messages become dead letters", () =>
    Effect.gen(function*() {
      const { child, close, crash, supervise, system, trace } = yield* makeWorld()
      const inner = yield* supervise("inner", { intensity: 0 })
      const x = yield* child("x", { onStart: (incarnation) => incarnation > 1 ? Effect.never : Effect.void }, inner)
      const y = yield* child("y", {}, inner)
      yield* crash(x)
      y.tellUnsafe(new Work({ n: 1 }))
      yield* close
      yield* calm
      assert.strictEqual(trace(), "start x#1, start y#1, crash x, stop x, stop y, start x#2, stop x")
      assert.strictEqual(system.deadLetters.counts().stopped, 1)
      assert.strictEqual(shape(system.inspect()), "root ended#1 []")
    }))
})

describe("the root", () => {
  for (const [levels, crashes] of [[1, 2], [2, 4], [3, 8]] as const) {
    it.effect(`RFC S3 with an intensity of 1 on each of ${levels} levels gives up at crash ${crashes}, no sooner`, () =>
      Effect.gen(function*() {
        const { child, crash, escalations, root, supervise } = yield* makeWorld()
        let under = root
        for (let level = 1; level < levels; level++) under = yield* supervise(`level${level}`, {}, under)
        const x = yield* child("x", {}, under)
        for (let time = 1; time < crashes; time++) yield* crash(x)
        assert.lengthOf(escalations, 0)
        assert.strictEqual(yield* x.ask(new Work({ n: 1 })), `1 by x#${crashes}`)
        yield* crash(x)
        const last = levels === 1 ? "x" : "level1"
        assert.deepStrictEqual(escalations.map(({ child, supervisor }) => [supervisor, child]), [["root", last]])
        assert.strictEqual(x.inspect().phase, "ended")
      }))
  }

  it.effect("RFC S3 calls onEscalation once, before anything ends; then everything ends", () =>
    Effect.gen(function*() {
      const told: Array<readonly [Escalated, ReadonlyArray<Phase>]> = []
      let look: () => ReadonlyArray<Phase> = () => []
      const { child, close, crash, root, supervise, system, trace } = yield* makeWorld({
        intensity: 0,
        onEscalation: (escalated) => told.push([escalated, look()])
      })
      const waiting = yield* Effect.forkChild(system.escalated, { startImmediately: true })
      const a = yield* child("a")
      const inner = yield* supervise("inner")
      const x = yield* child("x", {}, inner)
      const b = yield* child("b", { suspended: true })
      const asked = yield* Effect.forkChild(Effect.flip(b.ask(new Work({ n: 1 }))), { startImmediately: true })
      look = () => root.inspect().children.map(({ phase }) => phase)
      trace()
      yield* calm
      assert.isUndefined(waiting.pollUnsafe())
      yield* crash(a)
      const escalated = yield* Fiber.join(waiting)
      assert.deepStrictEqual([escalated.supervisor, escalated.child, escalated.restarts], ["root", "a", 0])
      assert.deepStrictEqual(told, [[escalated, ["waiting", "running", "running"]]])
      assert.strictEqual(yield* system.escalated, escalated, "and for whoever asks later")
      assert.strictEqual(trace(), "crash a, stop a, stop b, stop x")
      assert.strictEqual((yield* Fiber.join(asked))._tag, "ActorStopped")
      assert.strictEqual(shape(system.inspect()), "root ended#1 []")
      for (const ref of [a, x, b]) {
        assert.isFalse(ref.tellUnsafe(new Crash({})))
        assert.strictEqual((yield* Effect.flip(ref.ask(new Work({ n: 1 }))))._tag, "ActorStopped")
        assert.strictEqual((yield* ref.down).reason, "gone")
      }
      assert.strictEqual((yield* Effect.flip(child("c")))._tag, "StartFailed")
      assert.deepStrictEqual(system.deadLetters.counts(), {
        full: 0,
        dropped: 0,
        closed: 6,
        stopped: 1,
        crashed: 1,
        abandoned: 0,
        failed: 0
      })
      yield* close
      assert.lengthOf(told, 1)
      assert.strictEqual(trace(), "")
    }))

  it.effect("RFC S4 that gives up drains what still runs, within each deadline; closing waits for that", () =>
    Effect.gen(function*() {
      const { child, close, crash, system, trace } = yield* makeWorld({ intensity: 0 })
      const a = yield* child("a")
      const b = yield* child("b")
      for (const message of [new Slow({ ms: 1_000 }), new Work({ n: 1 })]) b.tellUnsafe(message)
      yield* crash(a)
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust(999)
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      assert.strictEqual(trace(), "start a#1, start b#1, crash a, stop a, b#1 works 1, stop b")
      assert.strictEqual(system.deadLetters.counts().stopped, 0)
    }))

  it.effect("RFC S5 a tree that wears down leaves the same trace every time", () =>
    Effect.gen(function*() {
      const traces = new Set<string>()
      for (let time = 0; time < 10; time++) {
        const { child, crash, supervise, trace } = yield* makeWorld({ strategy: "one_for_all" })
        const a = yield* child("a")
        const inner = yield* supervise("inner", { strategy: "rest_for_one" })
        const [x, y] = [yield* child("x", {}, inner), yield* child("y", {}, inner)]
        for (let round = 0; round < 3; round++) yield* crash(y, x, a)
        traces.add(trace())
      }
      assert.strictEqual(traces.size, 1, [...traces].join("\n"))
    }))
})
