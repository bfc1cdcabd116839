import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, PubSub, Request, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as Actor from "tracehound/actor"

class Do extends Request.TaggedClass("Do")<{ readonly what: "answer" | "crash" | "fail" }, string, "refused"> {}

const worker = (name: string) =>
  Actor.define<Do>()(name, {
    behaviour: () =>
      Effect.succeed({
        Do: ({ what }: Do) =>
          what === "crash"
            ? Effect.die("crashed")
            : what === "fail"
            ? Effect.fail("refused" as const)
            : Effect.succeed(name)
      })
  })

const answer = new Do({ what: "answer" })

/** A host with an actor of its own, and a system within with one. */
const opened = (options: Actor.ActorSystemOptions = {}) =>
  Effect.gen(function*() {
    const host = yield* Actor.ActorSystem.make({ name: "app", ...options })
    const own = yield* host.root.spawn(worker("own"))
    const scope = yield* Scope.make()
    const inner = yield* Scope.provide(Actor.ActorSystem.within(host, { name: "guest", intensity: 2 }), scope)
    const guest = yield* Scope.provide(inner.root.spawn(worker("worker")), scope)
    return { host, own, inner, guest, scope }
  })

/** Lets the kernel decide about what has happened. */
const calm = Effect.forEach(Array.from({ length: 32 }), () => Effect.yieldNow, { discard: true })

const crash = (ref: Actor.ActorRef<Do>, times: number) =>
  Effect.forEach(
    Array.from({ length: times }),
    () => Effect.andThen(Effect.ignore(ref.ask(new Do({ what: "crash" }))), calm),
    { discard: true }
  )

describe("a system within another one", () => {
  it.effect("RFC R9 is a supervisor in its tree, and each shows what is its own", () =>
    Effect.gen(function*() {
      const { guest, host, inner } = yield* opened()
      assert.deepStrictEqual(host.inspect().children.map(({ path }) => path), ["app/own", "app/guest"])
      assert.deepStrictEqual(inner.inspect().children.map(({ path }) => path), ["app/guest/worker"])
      assert.strictEqual(yield* guest.ask(answer), "worker")
      const second = yield* Actor.ActorSystem.within(host, { name: "guest" })
      assert.notStrictEqual(second.root.path, inner.root.path)
      assert.match(second.root.path, /^app\/guest-\d+$/)
    }).pipe(Effect.scoped))

  it.effect("RFC R9 has dead letters of its own, which the host has besides", () =>
    Effect.gen(function*() {
      const { guest, host, inner, own } = yield* opened()
      const heard = yield* host.deadLetters.subscribe
      guest.tellUnsafe(new Do({ what: "fail" }))
      own.tellUnsafe(new Do({ what: "fail" }))
      yield* calm
      assert.strictEqual(inner.deadLetters.total(), 1)
      assert.strictEqual(host.deadLetters.total(), 2)
      assert.deepStrictEqual(inner.deadLetters.recent().map(({ actor }) => actor), ["app/guest/worker"])
      const letters = yield* PubSub.takeAll(heard)
      assert.sameMembers(letters.map(({ actor }) => actor), ["app/guest/worker", "app/own"])
    }).pipe(Effect.scoped))

  it.effect("RFC R9 has a lifecycle of its own, which the host has besides", () =>
    Effect.gen(function*() {
      const { guest, host, inner, own, scope } = yield* opened()
      const [all, mine] = [yield* host.lifecycle.subscribe, yield* inner.lifecycle.subscribe]
      yield* crash(guest, 1)
      yield* crash(own, 1)
      yield* Scope.close(scope, Exit.void)
      const told = ({ takeUnsafe }: typeof all) =>
        takeUnsafe().map((event) => event._tag === "Missed" ? "" : `${event._tag} ${event.path}`)
      const ofGuest = ["Crashed", "Restarted", "Stopped"].map((tag) => `${tag} app/guest/worker`)
      const whole = [...ofGuest, "Stopped app/guest"]
      assert.deepStrictEqual(told(mine), whole)
      assert.sameMembers([...told(all)], [...whole, "Crashed app/own", "Restarted app/own"])
      assert.strictEqual((yield* Effect.exit(mine.take))._tag, "Failure")
    }).pipe(Effect.scoped))

  it.effect("RFC R9 gives up for itself: the host goes on without it, and counts no crash", () =>
    Effect.gen(function*() {
      let isOver = false
      const { guest, host, inner, own } = yield* opened({ intensity: 0, onEscalation: () => (isOver = true) })
      yield* crash(guest, 3)
      assert.strictEqual((yield* inner.escalated).supervisor, "app/guest")
      yield* calm
      assert.isFalse(isOver)
      assert.strictEqual(yield* own.ask(answer), "own")
      assert.deepStrictEqual(host.inspect().children.map(({ path }) => path), ["app/own"])
      assert.strictEqual(host.inspect().restarts, 0)
      assert.strictEqual(inner.inspect().phase, "ended")
    }).pipe(Effect.scoped))

  it.effect("RFC R9 is started again with its siblings where the host's strategy says so", () =>
    Effect.gen(function*() {
      const { guest, inner, own } = yield* opened({ strategy: "one_for_all" })
      yield* crash(own, 1)
      assert.strictEqual(yield* guest.ask(answer), "worker")
      assert.strictEqual(inner.inspect().incarnation, 2)
    }).pipe(Effect.scoped))

  it.effect("RFC R9 leaves nothing behind, whichever ends first", () =>
    Effect.gen(function*() {
      for (const isHostFirst of [false, true]) {
        const outer = yield* Scope.make()
        const { host, inner, scope } = yield* Scope.provide(opened(), outer)
        const [first, second] = isHostFirst ? [outer, scope] : [scope, outer]
        yield* Scope.close(first, Exit.void)
        assert.strictEqual(inner.inspect().phase, "ended")
        assert.strictEqual(host.inspect().phase, isHostFirst ? "ended" : "running")
        yield* Scope.close(second, Exit.void)
        for (const { inspect } of [host, inner]) {
          assert.strictEqual(inspect().phase, "ended")
          assert.deepStrictEqual([...inspect().children], [])
        }
      }
    }))

  it.effect("RFC R9 is refused by a system that is ending, and by what is none", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const host = yield* Scope.provide(Actor.ActorSystem.make(), scope)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Effect.flip(Actor.ActorSystem.within(host)))._tag, "StartFailed")
      const forged = { ...host, root: { ...host.root } }
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Actor.ActorSystem.within(forged))))
      yield* TestClock.adjust(1)
    }).pipe(Effect.scoped))
})
