/**
 * What a handler forks and acquires: a child lives as long as its message, and what is in the Scope
 * as long as the incarnation.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Request, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as Actor from "../../src/actor/index.ts"
import { calm } from "./supervised.ts"

/** Does what it is told within a handler. */
class Run extends Request.TaggedClass("Run")<{ readonly work: Effect.Effect<unknown, never, Scope.Scope> }, void> {}
class Leave extends Request.TaggedClass("Leave")<{}, void> {}

const definition = (options: { readonly drain?: number } = {}) =>
  Actor.define<Run | Leave>()("runner", {
    ...options,
    behaviour: (self) => Effect.succeed({ Run: ({ work }) => Effect.asVoid(work), Leave: () => self.stop })
  })

/** The actor, in a scope of its own, and a gauge of work that is under way. */
const running = Effect.fnUntraced(function*(options: { readonly drain?: number } & Actor.SupervisorOptions = {}) {
  const { drain, ...rest } = options
  const system = yield* Actor.ActorSystem.make({ intensity: 100, ...rest })
  const scope = yield* Scope.make()
  const actor = yield* Scope.provide(system.root.spawn(definition(drain === undefined ? {} : { drain })), scope)
  const seen = { on: 0, done: 0, begun: 0 }
  const working = (ms: number) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        seen.on += 1
        seen.begun += 1
      }),
      () => Effect.map(Effect.sleep(ms), () => void (seen.done += 1)),
      () =>
        Effect.sync(() => {
          seen.on -= 1
        })
    )
  const run = (work: Effect.Effect<unknown, never, Scope.Scope>) => actor.ask(new Run({ work }))
  return { ...system, actor, close: Scope.close(scope, Exit.void), run, scope, seen, working }
})

const ends = {
  "a crash": (actor: Actor.ActorRef<Run | Leave>) => Effect.exit(actor.ask(new Run({ work: Effect.die("now") }))),
  "self.stop": (actor: Actor.ActorRef<Run | Leave>) => actor.ask(new Leave()),
  "a stop": (actor: Actor.ActorRef<Run | Leave>) => actor.stop
}

describe("the Scope of a handler", () => {
  for (const [end, make] of Object.entries(ends)) {
    it.effect(`RFC S4 is its incarnation's: what is forked in it ends with ${end}, and not with the message`, () =>
      Effect.gen(function*() {
        const { actor, close, run, seen, working } = yield* running()
        yield* run(Effect.forkScoped(working(1e9)))
        yield* calm
        assert.strictEqual(seen.on, 1)
        yield* run(Effect.void)
        assert.strictEqual(seen.on, 1)
        yield* make(actor)
        yield* calm
        assert.strictEqual(seen.on, 0)
        yield* close
      }))
  }

  it.effect("RFC S4 finalizers run in reverse order before the next incarnation begins, with the end's exit", () =>
    Effect.gen(function*() {
      const { actor, run } = yield* running()
      const log: Array<string> = []
      for (const n of [1, 2, 3]) {
        yield* run(Effect.addFinalizer((exit) => Effect.sync(() => void log.push(`${n} ${exit._tag}`))))
      }
      assert.deepStrictEqual(log, [])
      yield* ends["a crash"](actor)
      yield* run(Effect.sync(() => void log.push("next")))
      assert.deepStrictEqual(log, ["3 Failure", "2 Failure", "1 Failure", "next"])
    }))

  it.effect("RFC S4 an actor that a handler spawns ends with the handler's incarnation", () =>
    Effect.gen(function*() {
      const { actor, inspect, root, run } = yield* running()
      const helper = Actor.define<Leave>()("helper", {
        behaviour: (self) => Effect.succeed({ Leave: () => self.stop })
      })
      yield* run(Effect.orDie(root.spawn(helper)))
      assert.deepStrictEqual(inspect().children.map(({ name }) => name), ["runner", "helper"])
      yield* ends["a crash"](actor)
      yield* calm
      assert.deepStrictEqual(inspect().children.map(({ name }) => name), ["runner"])
    }))

  it.effect("RFC S4 fibers that end by themselves leave nothing behind in it", () =>
    Effect.gen(function*() {
      const { run } = yield* running()
      let scope: Scope.Scope | undefined
      const count = () => scope?.state._tag === "Open" ? (scope.state.finalizers?.size ?? 0) : 0
      yield* run(Effect.map(Effect.scope, (own) => void (scope = own)))
      const before = count()
      for (let n = 0; n < 200; n++) yield* run(Effect.forkScoped(Effect.yieldNow))
      yield* calm
      assert.strictEqual(count(), before)
    }))

  it.effect("RFC S4 a message that has a Scope of its own by Effect.scoped keeps nothing", () =>
    Effect.gen(function*() {
      const { run, seen, working } = yield* running()
      yield* run(Effect.scoped(Effect.andThen(Effect.forkScoped(working(1e9)), Effect.yieldNow)))
      assert.deepStrictEqual([seen.begun, seen.on], [1, 0])
    }))

  it.effect("RFC S4 it is never the spawner's: that stays empty", () =>
    Effect.gen(function*() {
      const { run, scope } = yield* running()
      const count = () => scope.state._tag === "Open" ? (scope.state.finalizers?.size ?? 0) : 0
      const before = count()
      for (let n = 0; n < 50; n++) yield* run(Effect.addFinalizer(() => Effect.void))
      assert.strictEqual(count(), before)
    }))
})

describe("a child of a handler", () => {
  for (const behind of [0, 1, 5]) {
    it.effect(`RFC S1 lives as long as its message, with ${behind} messages behind`, () =>
      Effect.gen(function*() {
        const { actor, seen, working } = yield* running()
        const log: Array<number> = []
        const look = new Run({ work: Effect.sync(() => void log.push(seen.on)) })
        actor.tellUnsafe(
          new Run({ work: Effect.andThen(Effect.forkChild(working(1e9), { startImmediately: true }), Effect.sleep(5)) })
        )
        for (let n = 0; n < behind; n++) actor.tellUnsafe(look)
        yield* calm
        assert.strictEqual(seen.on, 1)
        yield* TestClock.adjust(5)
        yield* actor.settled
        assert.deepStrictEqual([seen.begun, seen.on, seen.done], [1, 0, 0])
        assert.deepStrictEqual(log, Array.from({ length: behind }, () => 0))
      }))
  }

  it.effect("RFC S1 has ended, its finalizers and all, before the message is answered", () =>
    Effect.gen(function*() {
      const { run } = yield* running()
      const log: Array<string> = []
      const gate = yield* Deferred.make<void>()
      const slowly = Effect.ensuring(
        Effect.never,
        Effect.map(Deferred.await(gate), () => void log.push("released"))
      )
      const asking = yield* Effect.forkChild(
        Effect.map(run(Effect.forkChild(slowly, { startImmediately: true })), () => void log.push("answered")),
        { startImmediately: true }
      )
      yield* calm
      assert.deepStrictEqual(log, [])
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(asking)
      assert.deepStrictEqual(log, ["released", "answered"])
    }))

  it.effect("RFC S1 whose handler joins it does all its work", () =>
    Effect.gen(function*() {
      const { run, seen, working } = yield* running()
      const joined = Effect.flatMap(Effect.forkChild(working(10)), Fiber.join)
      const asking = yield* Effect.forkChild(run(joined), { startImmediately: true })
      yield* TestClock.adjust(10)
      yield* Fiber.join(asking)
      assert.deepStrictEqual([seen.done, seen.on], [1, 0])
    }))

  for (const how of ["dies", "fails", "is interrupted at the deadline"] as const) {
    it.effect(`RFC S3 RFC S4 of a handler that ${how} does not outlive it`, () =>
      Effect.gen(function*() {
        const { actor, close, run, seen, working } = yield* running({ drain: 10 })
        const after = how === "dies" ? Effect.die("now") : how === "fails" ? Effect.void : Effect.never
        const forked = Effect.forEach([1, 2, 3], () => Effect.forkChild(working(1e9), { startImmediately: true }))
        const asking = yield* Effect.forkChild(Effect.exit(run(Effect.andThen(forked, after))), {
          startImmediately: true
        })
        yield* calm
        if (how === "is interrupted at the deadline") {
          assert.strictEqual(seen.on, 3)
          const closing = yield* Effect.forkChild(close, { startImmediately: true })
          yield* TestClock.adjust(10)
          yield* Fiber.join(closing)
        }
        yield* Fiber.join(asking)
        assert.deepStrictEqual([seen.begun, seen.on], [3, 0])
        assert.strictEqual(actor.pendingUnsafe(), 0)
      }))
  }

  it.effect("RFC S1 that its handler detaches goes on, and is nobody's", () =>
    Effect.gen(function*() {
      const { close, run, seen, working } = yield* running()
      yield* run(Effect.forkDetach(working(10), { startImmediately: true }))
      yield* close
      assert.strictEqual(seen.on, 1)
      yield* TestClock.adjust(10)
      assert.deepStrictEqual([seen.on, seen.done], [0, 1])
    }))
})
