/**
 * What an operator does to a running tree: finds parts of it by path, stops them and starts them
 * again. The cases are those of OTP's documentation of `supervisor:terminate_child/2` and
 * `supervisor:restart_child/2`.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Request } from "effect"
import { TestClock } from "effect/testing"
import * as Actor from "../../src/actor/index.ts"
import { calm, Crash, Hang, Leave, makeWorld, type Ref, shape, Work } from "./supervised.ts"

const work = new Work({ n: 1 })
const reasonOf = <E>(effect: Effect.Effect<void, E>) =>
  Effect.map(Effect.flip(effect), (error) => error instanceof Actor.ControlRefused ? error.reason : String(error))

/** How a child is before the operator acts on it. */
const states = {
  running: () => Effect.void,
  busy: (ref: Ref) => Effect.sync(() => ref.tellUnsafe(new Hang())),
  "in backoff": (ref: Ref) => Effect.sync(() => ref.tellUnsafe(new Crash({}))),
  stopped: (ref: Ref, root: Actor.Supervisor) => Effect.ignore(root.stop(ref))
} as const

const prepared = Effect.fnUntraced(function*(
  state: keyof typeof states,
  restart: Actor.RestartKind = "permanent",
  options: Actor.ActorSystemOptions = {}
) {
  const world = yield* makeWorld({ intensity: 100, backoff: { base: 60_000, jitter: 0 }, ...options })
  const ref = yield* world.child("x", { restart, drain: 100 })
  yield* states[state](ref, world.root)
  yield* calm
  world.trace()
  return { ...world, ref }
})
/** Runs an operator's command, and as much time as it needs. */
const done = <E>(command: Effect.Effect<void, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(command, { startImmediately: true })
    yield* calm
    yield* TestClock.adjust(100)
    yield* Fiber.join(fiber)
    yield* calm
  })

describe("terminate_child: the process, if any, is terminated and, unless it is temporary, its specification is kept", () => {
  for (const state of ["running", "busy", "in backoff", "stopped"] as const) {
    it.effect(`RFC S3 of a child that is ${state}: it ends, its address and mail stay, and it does not come back`, () =>
      Effect.gen(function*() {
        const { ref, root, trace } = yield* prepared(state)
        yield* done(root.stop(ref))
        assert.strictEqual(trace(), state === "running" || state === "busy" ? "stop x" : "")
        assert.isTrue(ref.tellUnsafe(work), "it accepts messages, which wait")
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual([ref.inspect().phase, ref.pendingUnsafe()], ["waiting", 1])
        assert.strictEqual(root.inspect().children.length, 1)
      }))
  }

  for (const state of ["running", "busy"] as const) {
    it.effect(`RFC S3 of a temporary child that is ${state}: it is gone`, () =>
      Effect.gen(function*() {
        const { ref, root } = yield* prepared(state, "temporary")
        yield* done(root.stop(ref))
        assert.deepStrictEqual([ref.inspect().phase, root.inspect().children.length], ["ended", 0])
        assert.strictEqual(yield* reasonOf(root.restart(ref)), "not_found")
      }))
  }

  it.effect("RFC S3 the child process can later be restarted by the supervisor: along with its group", () =>
    Effect.gen(function*() {
      for (const strategy of ["one_for_all", "rest_for_one"] as const) {
        const { child, crash, root, trace } = yield* makeWorld({ intensity: 100, strategy })
        const [a, b] = [yield* child("a"), yield* child("b")]
        yield* root.stop(b)
        yield* calm
        trace()
        yield* crash(a)
        assert.strictEqual(trace(), "crash a, stop a, start a#2, start b#2", strategy)
      }
    }))

  it.effect("RFC S3 or by a restart of the supervisor itself", () =>
    Effect.gen(function*() {
      const { child, crash, root, supervise } = yield* makeWorld({ intensity: 100 })
      const inner = yield* supervise("inner", { intensity: 0 })
      const [a, b] = [yield* child("a", {}, inner), yield* child("b", {}, inner)]
      yield* root.stop(b)
      yield* crash(a)
      assert.strictEqual(shape(root.inspect()), "root running#1 [inner running#2 [a running#2, b running#2]]")
    }))

  it.effect("RFC S3 a crash that the supervisor has not decided about yet brings nothing back", () =>
    Effect.gen(function*() {
      const { child, root } = yield* makeWorld({ intensity: 100 })
      const a = yield* child("a")
      a.tellUnsafe(new Crash({}))
      const stopping = yield* Effect.forkChild(root.stop(a), { startImmediately: true })
      yield* calm
      yield* Fiber.join(stopping)
      assert.strictEqual(a.inspect().phase, "waiting")
    }))
})

describe("restart_child: starts a child whose specification is kept; refused or needless otherwise", () => {
  for (const state of ["running", "busy", "in backoff", "stopped"] as const) {
    it.effect(`RFC S3 of a child that is ${state}: it ends if need be, and runs at once`, () =>
      Effect.gen(function*() {
        const { ref, root } = yield* prepared(state)
        ref.tellUnsafe(work)
        yield* done(root.restart(ref.path))
        assert.deepStrictEqual([ref.inspect().phase, ref.inspect().incarnation], ["running", 2])
        assert.strictEqual(ref.pendingUnsafe(), 0, "the mail that waited is handled")
        assert.deepStrictEqual(
          [ref.inspect().restarts, root.inspect().restarts],
          state === "in backoff" ? [1, 1] : [0, 0]
        )
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(ref.inspect().incarnation, 2, "the backoff was the old one's")
      }))
  }

  it.effect("RFC S3 a start that fails is an error, and the child stays stopped", () =>
    Effect.gen(function*() {
      const { child, root } = yield* makeWorld({ intensity: 100 })
      const a = yield* child("a", { onStart: (incarnation) => incarnation === 2 ? Effect.fail("broken") : Effect.void })
      const failed = yield* Effect.flip(root.restart(a))
      assert.deepInclude(failed, { _tag: "StartFailed", actor: "root/a", cause: "broken" })
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual([a.inspect().phase, root.inspect().restarts], ["waiting", 0])
      yield* root.restart(a)
      assert.strictEqual(yield* a.ask(work), "1 by a#3")
    }))

  it.effect("RFC S3 it counts for no intensity, and begins a new row of crashes", () =>
    Effect.gen(function*() {
      const { child, crash, escalations, root } = yield* makeWorld({ intensity: 2, backoff: { base: 100, jitter: 0 } })
      const a = yield* child("a")
      for (let n = 0; n < 10; n++) yield* root.restart(a)
      assert.strictEqual(a.inspect().incarnation, 11)
      for (let n = 0; n < 2; n++) {
        yield* crash(a)
        yield* root.restart(a)
      }
      assert.lengthOf(escalations, 0)
      assert.strictEqual(a.inspect().phase, "running")
    }))

  it.effect("RFC S3 the siblings are left alone, whatever the strategy", () =>
    Effect.gen(function*() {
      const { child, root, trace } = yield* makeWorld({ strategy: "one_for_all" })
      const [a] = [yield* child("a"), yield* child("b")]
      trace()
      yield* root.restart(a)
      assert.strictEqual(trace(), "stop a, start a#2")
    }))
})

describe("supervisors", () => {
  it.effect("RFC S3 are stopped and started again with everything under them, as children are", () =>
    Effect.gen(function*() {
      const { child, root, supervise, trace } = yield* makeWorld()
      const inner = yield* supervise("inner")
      const deep = yield* supervise("deep", {}, inner)
      const [a, b] = [yield* child("a", {}, inner), yield* child("b", {}, deep)]
      trace()
      yield* root.stop(inner)
      assert.strictEqual(trace(), "stop a, stop b")
      assert.strictEqual(inner.inspect().phase, "waiting")
      assert.strictEqual(yield* reasonOf(root.restart(b)), "not_supervised")
      yield* root.restart("root/inner")
      assert.strictEqual(trace(), "start b#2, start a#2")
      yield* root.restart(b)
      yield* inner.restart(b)
      assert.strictEqual(trace(), "stop b, start b#3, stop b, start b#4")
      assert.strictEqual(yield* a.ask(work), "1 by a#2")
    }))

  for (const what of ["stop", "restart"] as const) {
    it.effect(`RFC S3 restarted while one of its children is told to ${what}: that one is started once`, () =>
      Effect.gen(function*() {
        const { child, crash, root, supervise, trace } = yield* makeWorld({ intensity: 9 })
        const inner = yield* supervise("inner", { intensity: 9 })
        const a = yield* child("a", { drain: 10 }, inner)
        a.tellUnsafe(new Hang())
        yield* calm
        trace()
        const commands = [yield* Effect.forkChild(inner[what](a), { startImmediately: true })]
        yield* calm
        commands.push(yield* Effect.forkChild(root.restart(inner), { startImmediately: true }))
        yield* TestClock.adjust(20)
        for (const command of commands) yield* Fiber.join(command)
        assert.strictEqual(trace(), "stop a, start a#2")
        yield* crash(a)
        assert.strictEqual(a.inspect().incarnation, 3, "its next crash is decided as any other")
      }))
  }

  it.effect("RFC S3 that have given up are started again by hand, without a wait", () =>
    Effect.gen(function*() {
      const { child, crash, root, supervise } = yield* makeWorld({ intensity: 9, backoff: { base: 60_000, jitter: 0 } })
      const inner = yield* supervise("inner", { intensity: 0 })
      const a = yield* child("a", {}, inner)
      yield* crash(a)
      assert.strictEqual(inner.inspect().phase, "waiting")
      yield* root.restart(inner)
      assert.strictEqual(yield* a.ask(work), "1 by a#2")
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(inner.inspect().incarnation, 2)
    }))
})

describe("refused", () => {
  it.effect("RFC S3 what is not there: another path, the supervisor itself, one above it, one that has ended", () =>
    Effect.gen(function*() {
      const { child, root, supervise } = yield* makeWorld()
      const [one, two] = [yield* supervise("one"), yield* supervise("two")]
      const a = yield* child("a", {}, one)
      for (const target of ["", "/", "root", "root/", "a", "root/b", "root/one/a/b", "root/two/a", "rooty/one", root]) {
        assert.strictEqual(yield* reasonOf(root.stop(target)), "not_found", JSON.stringify(target))
        assert.strictEqual(yield* reasonOf(root.restart(target)), "not_found")
      }
      assert.strictEqual(yield* reasonOf(two.stop(a)), "not_found")
      yield* a.stop
      const other = yield* child("a", {}, one)
      assert.strictEqual(yield* reasonOf(root.stop(a)), "not_found", "another one has its name")
      yield* root.stop(other)
    }))

  it.effect("RFC S3 one that its spawner is starting for the first time", () =>
    Effect.gen(function*() {
      const { child, root } = yield* makeWorld()
      yield* Effect.forkChild(child("a", { onStart: () => Effect.sleep(100) }), { startImmediately: true })
      assert.strictEqual(yield* reasonOf(root.restart("root/a")), "starting")
      assert.strictEqual(yield* reasonOf(root.stop("root/a")), "starting")
    }))

  it.effect("RFC S3 commands that are waiting when the supervisor ends", () =>
    Effect.gen(function*() {
      const { child, close, root } = yield* makeWorld()
      const a = yield* child("a", { drain: 1_000 })
      a.tellUnsafe(new Hang())
      yield* calm
      const commands = yield* Effect.forEach([root.stop(a), root.restart(a)], (command) =>
        Effect.forkChild(Effect.exit(command), { startImmediately: true }))
      yield* calm
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(closing)
      for (const command of commands)
        yield* Fiber.join(command)
      assert.strictEqual(yield* reasonOf(root.stop(a)), "not_found")
    }))

  class Control extends Request.TaggedClass("Control")<{ readonly path: string }, string> {}
  const controller = (root: Actor.Supervisor) =>
    Actor.define<Control>()("controller", {
      behaviour: () =>
        Effect.succeed({
          Control: ({ path }) =>
            Effect.match(root.restart(path), { onFailure: ({ _tag }) => _tag, onSuccess: () => "restarted" })
        })
    })

  it.effect("RFC S3 a handler's command to end what would wait for that handler", () =>
    Effect.gen(function*() {
      const { child, root, supervise } = yield* makeWorld()
      const inner = yield* supervise("inner")
      yield* child("a")
      const ref = yield* inner.spawn(controller(root))
      const results = yield* Effect.forEach(["root/inner/controller", "root/inner", "root/a"], (path) =>
        ref.ask(new Control({ path })))
      assert.deepStrictEqual(results, ["WaitsForItself", "WaitsForItself", "restarted"])
    }))
})

describe("lookup", () => {
  it.effect("RFC S3 finds actors and supervisors by their paths, and nothing else", () =>
    Effect.gen(function*() {
      const { child, supervise, system } = yield* makeWorld({ name: "here" })
      const inner = yield* supervise("inner")
      const a = yield* child("a", {}, inner)
      const at = (path: string) =>
        Option.match(system.lookup(path), {
          onNone: () => undefined,
          onSome: (found) => found.kind === "actor" ? found.ref : found.supervisor
        })
      assert.strictEqual(at("here"), system.root)
      assert.strictEqual(at("here/inner"), inner)
      assert.strictEqual(at("here/inner/a"), a)
      for (
        const path of [
          "",
          "/",
          "inner",
          "here/",
          "here//inner",
          "here/a",
          "here/inner/a/",
          "here/inner/a/b",
          "here/__proto__"
        ]
      )
        assert.isUndefined(at(path), path)
      a.tellUnsafe(new Leave())
      yield* a.stop
      assert.isUndefined(at("here/inner/a"))
    }))
})
