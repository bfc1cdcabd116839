/**
 * Asks that nobody could answer: an actor that waits for itself, and one that waits for another
 * with which it is restarted.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Request, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as Actor from "../../src/actor/index.ts"
import { calm, Crash, Hang, makeWorld, type Ref, Work } from "./supervised.ts"

class Ping extends Request.TaggedClass("Ping")<{}, string> {}
class Poke extends Request.TaggedClass("Poke")<{}, string, Actor.AskError> {}
class Sit extends Request.TaggedClass("Sit")<{ readonly what: "settled" | "down" }, void> {}
type Protocol = Ping | Poke | Sit

const made = Effect.fnUntraced(function*(
  wait: (ref: Actor.ActorRef<Protocol>) => Effect.Effect<string, Actor.AskError, Scope.Scope>
) {
  const system = yield* Actor.ActorSystem.make({ intensity: 100 })
  const actor = yield* system.root.spawn(
    Actor.define<Protocol>()("selfish", {
      behaviour: ({ ref }) =>
        Effect.succeed({
          Ping: () => Effect.succeed("pong"),
          Poke: () => wait(ref),
          Sit: ({ what }) => Effect.asVoid(what === "settled" ? ref.settled : ref.down)
        })
    })
  )
  return { ...system, actor }
})

describe("an actor that waits for itself", () => {
  const waits: Record<string, (ref: Actor.ActorRef<Protocol>) => Effect.Effect<string, Actor.AskError, Scope.Scope>> = {
    asks: (ref) => ref.ask(new Ping()),
    "asks, in another lane, with a timeout": (ref) => ref.ask(new Ping(), { lane: "critical", timeout: "1 hour" }),
    "asks after a while": (ref) => Effect.andThen(Effect.yieldNow, ref.ask(new Ping())),
    "asks by a child, which it joins": (ref) => Effect.flatMap(Effect.forkChild(ref.ask(new Ping())), Fiber.join),
    "asks by a child of a child": (ref) =>
      Effect.flatMap(
        Effect.forkChild(Effect.flatMap(Effect.forkChild(ref.ask(new Ping())), Fiber.join)),
        Fiber.join
      ),
    "asks in a Scope and a span": (ref) => Effect.withSpan(Effect.scoped(ref.ask(new Ping())), "asking")
  }
  for (const [how, wait] of Object.entries(waits)) {
    it.effect(`RFC S1 ${how}: fails at once, and sends nothing`, () =>
      Effect.gen(function*() {
        const { actor, deadLetters } = yield* made(wait)
        const asking = yield* Effect.forkChild(Effect.flip(actor.ask(new Poke())), { startImmediately: true })
        yield* calm
        assert.deepStrictEqual(asking.pollUnsafe(), Exit.succeed(new Actor.WaitsForItself({ actor: "root/selfish" })))
        assert.deepInclude(actor.inspect(), { accepted: 1, handled: 1, incarnation: 1 })
        assert.strictEqual(deadLetters.total(), 0)
        assert.strictEqual(yield* actor.ask(new Ping()), "pong")
      }))
  }

  it.effect("RFC S1 a fiber of its incarnation that is no handler may ask it", () =>
    Effect.gen(function*() {
      const answers: Array<string> = []
      const { actor } = yield* made((ref) =>
        Effect.as(
          Effect.forkScoped(Effect.map(Effect.exit(ref.ask(new Ping())), (exit) => answers.push(exit._tag))),
          "later"
        )
      )
      assert.strictEqual(yield* actor.ask(new Poke()), "later")
      yield* calm
      assert.deepStrictEqual(answers, ["Success"])
    }))

  for (const what of ["settled", "down"] as const) {
    it.effect(`RFC S3 by ${what} has no error to fail with: it crashes over that message`, () =>
      Effect.gen(function*() {
        const { actor } = yield* made(() => Effect.succeed(""))
        const error = yield* Effect.flip(actor.ask(new Sit({ what })))
        assert.instanceOf(error, Actor.ActorCrashed)
        assert.strictEqual(actor.inspect().lastCrash?.message, "WaitsForItself: root/selfish waits for itself")
        assert.strictEqual(yield* actor.ask(new Ping()), "pong")
      }))
  }

  it.effect("RFC S3 in its behaviour: the spawn fails instead of hanging", () =>
    Effect.gen(function*() {
      const { child } = yield* makeWorld()
      const error = yield* Effect.flip(
        child("a", { onStart: (_, { ref }) => Effect.mapError(Effect.asVoid(ref.ask(new Work({ n: 1 }))), String) })
      )
      assert.include(String(error.cause), "WaitsForItself")
    }))

  it.effect("RFC S3 in a finalizer of its behaviour: the restart goes on", () =>
    Effect.gen(function*() {
      const { child, crash } = yield* makeWorld({ intensity: 9, strategy: "one_for_all" })
      const own: { ref?: Ref } = {}
      const onStop = Effect.suspend(() => Effect.ignore(own.ref?.ask(new Work({ n: 1 })) ?? Effect.void))
      const a = yield* child("a", { onStop })
      const b = yield* child("b")
      own.ref = a
      yield* crash(a)
      assert.strictEqual(a.inspect().incarnation, 2, "after its own crash")
      yield* crash(b)
      assert.strictEqual(a.inspect().incarnation, 3, "along with another")
    }))
})

/** Asks another within its handler, and answers with what came of it. */
class Relay extends Request.TaggedClass("Relay")<{ readonly to: Ref; readonly how: How }, string> {}
type How = "ask" | "timeout" | "race" | "forked"

const relay = (name: string, drain: number, restart: Actor.RestartKind = "permanent") =>
  Actor.define<Relay>()(name, {
    drain,
    restart,
    behaviour: () =>
      Effect.succeed({
        Relay: ({ how, to }) => {
          const asking = to.ask(new Work({ n: 1 }), how === "timeout" ? { timeout: "1 hour" } : {})
          const waiting = how === "race"
            ? Effect.raceFirst(asking, Effect.never)
            : how === "forked"
            ? Effect.flatMap(Effect.forkChild(asking), Fiber.join)
            : asking
          return Effect.match(waiting, {
            onFailure: (error) => error._tag === "ActorRestarting" ? "comes back" : error._tag,
            onSuccess: (answer) => answer
          })
        }
      })
  })

describe("a group that is restarted", () => {
  const grouped = Effect.fnUntraced(function*(strategy: Actor.Strategy, restart?: Actor.RestartKind) {
    const world = yield* makeWorld({ intensity: 9, strategy })
    const b = yield* world.child("b")
    const a = yield* Scope.provide(world.root.spawn(relay("a", 5_000, restart)), world.scope)
    yield* b.suspend
    return { ...world, a, b }
  })

  for (const strategy of ["one_for_all", "rest_for_one"] as const) {
    for (const how of ["ask", "timeout", "race", "forked"] as const) {
      it.effect(`RFC S3 ${strategy}: does not wait for a handler that asks (${how}) the one that crashed`, () =>
        Effect.gen(function*() {
          const { a, b, root, system } = yield* grouped(strategy)
          const asking = yield* Effect.forkChild(a.ask(new Relay({ to: b, how })), { startImmediately: true })
          yield* calm
          b.tellUnsafe(new Work({ n: 2 }))
          yield* Effect.sync(() => crashNow(b))
          yield* calm
          assert.deepStrictEqual(asking.pollUnsafe(), Exit.succeed("comes back"), "the handler went on, and answered")
          assert.deepStrictEqual(root.inspect().children.map(({ phase }) => phase), ["running", "running"])
          yield* b.resume
          yield* b.settled
          assert.strictEqual(b.inspect().handled, 1, "what others told it is handled, what was withdrawn is not")
          assert.deepInclude(system.deadLetters.counts(), { stopped: 1 })
        }))
    }
  }

  /** Makes it crash over nothing that waits for it. */
  const crashNow = (ref: Ref) =>
    (ref as unknown as { share: (down: Actor.Down) => void }).share({
      actor: "root/nobody",
      reason: "crashed"
    })

  it.effect("RFC S3 does not wait for a temporary member that asks it either", () =>
    Effect.gen(function*() {
      const { a, b, root } = yield* grouped("one_for_all", "temporary")
      const asking = yield* Effect.forkChild(a.ask(new Relay({ to: b, how: "ask" })), { startImmediately: true })
      yield* calm
      crashNow(b)
      yield* calm
      assert.deepStrictEqual(asking.pollUnsafe(), Exit.succeed("comes back"))
      assert.strictEqual(b.inspect().phase, "running")
      assert.lengthOf(root.inspect().children, 1)
    }))

  it.effect("RFC S3 nor for one that asks only after it has begun to end", () =>
    Effect.gen(function*() {
      const { child, root, scope } = yield* makeWorld({ intensity: 9, strategy: "one_for_all" })
      const b = yield* child("b")
      class Later extends Request.TaggedClass("Later")<{}, string> {}
      const definition = Actor.define<Later>()("a", {
        behaviour: () =>
          Effect.succeed({
            Later: () =>
              Effect.andThen(
                Effect.sleep(100),
                Effect.match(b.ask(new Work({ n: 1 })), {
                  onFailure: ({ _tag }) => _tag,
                  onSuccess: (answer) => answer
                })
              )
          })
      })
      const a = yield* Scope.provide(root.spawn(definition), scope)
      const asking = yield* Effect.forkChild(a.ask(new Later()), { startImmediately: true })
      yield* calm
      crashNow(b)
      yield* calm
      yield* TestClock.adjust(100)
      yield* calm
      assert.deepStrictEqual(asking.pollUnsafe(), Exit.succeed("ActorRestarting"))
      assert.strictEqual(b.inspect().incarnation, 2)
    }))

  it.effect("RFC S3 nor for one that asks a sibling which was ended before it", () =>
    Effect.gen(function*() {
      const { child, root, scope } = yield* makeWorld({ intensity: 9, strategy: "one_for_all" })
      const b = yield* child("b")
      const a = yield* Scope.provide(root.spawn(relay("a", 5_000)), scope)
      const c = yield* child("c")
      yield* c.suspend
      const asking = yield* Effect.forkChild(a.ask(new Relay({ to: c, how: "ask" })), { startImmediately: true })
      yield* calm
      crashNow(b)
      yield* calm
      assert.deepStrictEqual(asking.pollUnsafe(), Exit.succeed("comes back"))
      assert.deepStrictEqual([a, b, c].map((ref) => ref.inspect().incarnation), [2, 2, 2])
    }))

  it.effect("RFC S3 nor for one under a supervisor of the group, nor for one that asks into such a supervisor", () =>
    Effect.gen(function*() {
      const { child, root, scope, supervise } = yield* makeWorld({ intensity: 9, strategy: "one_for_all" })
      const b = yield* child("b")
      const one = yield* supervise("one")
      const x = yield* Scope.provide(one.spawn(relay("x", 5_000)), scope)
      const y = yield* Scope.provide(root.spawn(relay("y", 5_000)), scope)
      const two = yield* supervise("two", { strategy: "one_for_all" })
      const z = yield* child("z", {}, two)
      for (const ref of [b, z]) yield* ref.suspend
      const up = yield* Effect.forkChild(x.ask(new Relay({ to: b, how: "ask" })), { startImmediately: true })
      const down = yield* Effect.forkChild(y.ask(new Relay({ to: z, how: "ask" })), { startImmediately: true })
      yield* calm
      crashNow(b)
      yield* calm
      for (const fiber of [up, down]) assert.deepStrictEqual(fiber.pollUnsafe(), Exit.succeed("comes back"))
      assert.deepStrictEqual([b, x, y, z].map((ref) => ref.inspect().incarnation), [2, 2, 2, 2])
    }))

  it.effect("RFC S3 a supervisor that gives up does not wait for such an ask", () =>
    Effect.gen(function*() {
      const { child, scope, supervise } = yield* makeWorld({ intensity: 9 })
      const inner = yield* supervise("inner", { intensity: 0 })
      const b = yield* child("b", {}, inner)
      const a = yield* Scope.provide(inner.spawn(relay("a", 5_000)), scope)
      yield* b.suspend
      const asking = yield* Effect.forkChild(a.ask(new Relay({ to: b, how: "ask" })), { startImmediately: true })
      yield* calm
      crashNow(b)
      yield* calm
      assert.deepStrictEqual(asking.pollUnsafe(), Exit.succeed("comes back"))
      assert.deepStrictEqual([a, b].map((ref) => ref.inspect().incarnation), [2, 2])
    }))

  it.effect("RFC S3 asks from outside of the group wait for the next incarnation, as before", () =>
    Effect.gen(function*() {
      const { a, b } = yield* grouped("one_for_all")
      const outside = yield* Effect.forkChild(b.ask(new Work({ n: 7 })), { startImmediately: true })
      const inside = yield* Effect.forkChild(a.ask(new Relay({ to: b, how: "ask" })), { startImmediately: true })
      yield* calm
      crashNow(b)
      yield* calm
      assert.isUndefined(outside.pollUnsafe())
      assert.isDefined(inside.pollUnsafe())
      yield* b.resume
      assert.strictEqual(yield* Fiber.join(outside), "7 by b#2")
    }))

  it.effect("RFC S3 one_for_one: an ask of one that crashed waits for its next incarnation", () =>
    Effect.gen(function*() {
      const { a, b } = yield* grouped("one_for_one")
      const asking = yield* Effect.forkChild(a.ask(new Relay({ to: b, how: "ask" })), { startImmediately: true })
      yield* calm
      crashNow(b)
      yield* calm
      yield* b.resume
      assert.strictEqual(yield* Fiber.join(asking), "1 by b#2")
    }))
})

describe("ActorRestarting and ActorStopped", () => {
  it.effect("RFC S3 say whether the actor comes back", () =>
    Effect.gen(function*() {
      const { child, crash } = yield* makeWorld({ intensity: 9, strategy: "one_for_all" })
      const a = yield* child("a")
      const b = yield* child("b", { drain: 0 })
      const stoppedOf = (message: Hang | Work) =>
        Effect.forkChild(Effect.flip(b.ask(message)), { startImmediately: true })
      const along = yield* stoppedOf(new Hang())
      yield* calm
      yield* crash(a)
      assert.deepStrictEqual(
        yield* Fiber.join(along),
        new Actor.ActorRestarting({ actor: "root/b" })
      )
      const inHand = yield* stoppedOf(new Hang())
      const behind = yield* stoppedOf(new Work({ n: 1 }))
      yield* calm
      yield* b.stop
      const after = yield* stoppedOf(new Work({ n: 2 }))
      for (const fiber of [inHand, behind, after]) {
        assert.deepStrictEqual(
          yield* Fiber.join(fiber),
          new Actor.ActorStopped({ actor: "root/b" })
        )
      }
      yield* Effect.exit(a.ask(new Crash({})))
    }))
})
