/**
 * One actor, by tell and by ask: what a handler may do, how its message is settled, and what the
 * sender learns.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Ref, Request } from "effect"
import { MaxOpsBeforeYield } from "effect/Scheduler"
import { TestClock } from "effect/testing"
import * as Actor from "../../src/actor/index.ts"
import { act, type Do, type How, ids, isBalanced, mailboxes, observeProbe, probe } from "./probe.ts"

const fork = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(effect, { startImmediately: true })

describe("telling", () => {
  it.effect("RFC S1 messages are handled in the order in which they were told, never on the sender's turn", () =>
    Effect.gen(function*() {
      const { actor, begun } = yield* observeProbe()
      yield* Effect.sync(() => {
        for (const id of ids(0, 50)) assert.isTrue(actor.tellUnsafe(act(id, id % 2 === 0 ? "ok" : "exit")))
      })
      assert.deepStrictEqual(begun, [])
      assert.strictEqual(actor.pendingUnsafe(), 50)
      yield* actor.settled
      assert.deepStrictEqual(begun, ids(0, 50))
      // The same by tell and by ask, from an idle actor.
      yield* actor.tell(act(50))
      const asking = yield* fork(actor.ask(act(51)))
      assert.strictEqual(begun.length, 50)
      assert.strictEqual(yield* Fiber.join(asking), 51)
    }))

  it.effect("RFC S2 a typed failure that nobody waits for is a dead letter, and no crash", () =>
    Effect.gen(function*() {
      const { actor, buried, lives, system } = yield* observeProbe()
      actor.tellUnsafe(act(1, "fails"))
      yield* actor.tell(act(2, "fails"))
      actor.tellUnsafe(act(3))
      yield* actor.settled
      assert.deepStrictEqual(buried, ["1 failed", "2 failed"])
      assert.strictEqual(system.deadLetters.counts().failed, 2)
      assert.deepStrictEqual(lives, ["+1"])
      const { accepted, buried: dead, handled } = actor.inspect()
      assert.deepStrictEqual([accepted, handled, dead], [3, 1, 2])
    }))

  it.effect("RFC S2 tell fails with the reason, and with none where a dropping mailbox drops", () =>
    Effect.gen(function*() {
      for (const kind of ["fifo", "lanes", "sliding", "dropping"] as const) {
        const { actor } = yield* observeProbe({ mailbox: mailboxes[kind]({ capacity: 1 }), suspended: true })
        yield* actor.tell(act(1))
        const exit = yield* Effect.exit(actor.tell(act(2)))
        const full = Exit.fail(new Actor.MailboxFull({ actor: actor.path }))
        assert.deepStrictEqual(exit, kind === "fifo" || kind === "lanes" ? full : Exit.void)
        yield* actor.stop
        assert.deepStrictEqual(
          yield* Effect.exit(actor.tell(act(3))),
          Exit.fail(new Actor.ActorStopped({ actor: actor.path }))
        )
      }
    }))

  it.effect("RFC S1 an actor may tell itself, and others in a circle, from within a handler", () =>
    Effect.gen(function*() {
      const rounds: Array<string> = []
      const others: Array<Actor.ActorRef<Do>> = []
      const make = (name: string, next: number) =>
        probe({
          name,
          mailbox: Actor.fifo({ capacity: 2 }),
          within: ({ id }, self) => {
            rounds.push(`${name}${id}`)
            if (id >= 300) return
            if (id % 3 === 0) assert.isTrue(self.ref.tellUnsafe(act(id + 1, "exit")))
            else assert.isTrue(others[next]?.tellUnsafe(act(id + 1, "exit")))
          }
        })
      const system = yield* Actor.ActorSystem.make()
      for (const [i, name] of ["a", "b", "c"].entries())
        others.push(yield* system.root.spawn(make(name, (i + 1) % 3).definition))
      others[0]?.tellUnsafe(act(0))
      for (let turn = 0; turn < 1000 && rounds.length < 301; turn++) yield* Effect.yieldNow
      assert.deepStrictEqual(rounds.map((round) => Number(round.slice(1))), ids(0, 301))
      assert.deepStrictEqual(rounds.slice(0, 6), ["a0", "a1", "b2", "c3", "c4", "a5"])
      assert.strictEqual(system.deadLetters.total(), 0)
    }))

  for (const how of ["exit", "ok"] as const) {
    it.effect(`RFC S1 an actor that tells itself without end (${how}) leaves others their turn`, () =>
      Effect.gen(function*() {
        let rounds = 0
        let enough = false
        const { actor } = yield* observeProbe({
          within: ({ id }, self) => {
            rounds += 1
            if (!enough && rounds < 300_000) self.ref.tellUnsafe(act(id, how))
          }
        })
        actor.tellUnsafe(act(1, how))
        for (let turn = 0; turn < 5; turn++) yield* Effect.yieldNow
        enough = true
        yield* actor.settled
        assert.isAbove(rounds, 1)
        assert.isBelow(rounds, 300_000, "the test had its turn in between")
      }))
  }

  it.effect("RFC S1 no message is forgotten, wherever the actor's fiber yields", () =>
    Effect.gen(function*() {
      // So few steps between two yields that a message can come at any step.
      for (const ops of ids(3, 24)) {
        const { actor, begun } = yield* observeProbe().pipe(Effect.provideService(MaxOpsBeforeYield, ops))
        for (const gap of ids(0, 16)) {
          begun.length = 0
          actor.tellUnsafe(act(1, gap % 2 === 0 ? "ok" : "exit"))
          for (let turn = 0; turn < gap; turn++) yield* Effect.yieldNow
          actor.tellUnsafe(act(2))
          for (let turn = 0; turn < 100 && begun.length < 2; turn++) yield* Effect.yieldNow
          assert.deepStrictEqual(begun, [1, 2], `${ops} steps a turn, told ${gap} turns later`)
          yield* actor.settled
        }
      }
    }))
})

describe("asking", () => {
  it.effect("RFC S1 a success and a typed failure are answers, as is an answer without a fiber", () =>
    Effect.gen(function*() {
      const { actor, buried, lives } = yield* observeProbe()
      assert.strictEqual(yield* actor.ask(act(1)), 1)
      assert.strictEqual(yield* actor.ask(act(2, "exit")), 2)
      assert.strictEqual(yield* Effect.flip(actor.ask(act(3, "fails"))), "no 3")
      assert.deepStrictEqual(buried, [])
      assert.strictEqual(actor.inspect().handled, 3)
      assert.deepStrictEqual(lives, ["+1"])
    }))

  it.effect("RFC S2 fails at once where the mailbox is full or closed", () =>
    Effect.gen(function*() {
      for (const kind of ["fifo", "lanes", "dropping"] as const) {
        const { actor } = yield* observeProbe({ mailbox: mailboxes[kind]({ capacity: 1 }), suspended: true })
        actor.tellUnsafe(act(1))
        assert.instanceOf(yield* Effect.flip(actor.ask(act(2))), Actor.MailboxFull)
        yield* actor.stop
        assert.instanceOf(yield* Effect.flip(actor.ask(act(3))), Actor.ActorStopped)
      }
    }))

  it.effect("RFC S1 fails with AskTimeout in time; the message may still be handled", () =>
    Effect.gen(function*() {
      const { actor, begun, buried } = yield* observeProbe({ drain: 0 })
      const slow = yield* fork(actor.ask(act(1, "slow"), { timeout: 9 }))
      const quick = yield* fork(actor.ask(act(2, "slow"), { timeout: 21 }))
      yield* TestClock.adjust(9)
      const exit = slow.pollUnsafe()
      assert.deepStrictEqual(exit, Exit.fail(new Actor.AskTimeout({ actor: actor.path, tag: "Do" })))
      yield* TestClock.adjust(10)
      assert.isUndefined(quick.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(quick.pollUnsafe(), Exit.succeed(2))
      assert.deepStrictEqual([begun, buried], [[1, 2], []])
      const never = yield* fork(Effect.exit(actor.ask(act(3, "never"), { timeout: "1 minute" })))
      yield* TestClock.adjust("1 minute")
      assert.isTrue(Exit.isFailure(yield* Fiber.join(never)))
      assert.strictEqual(actor.pendingUnsafe(), 1, "it is still at it")
    }))

  it.effect("RFC S1 interrupting ask does not withdraw the message", () =>
    Effect.gen(function*() {
      const { actor, begun } = yield* observeProbe()
      for (const options of [{}, { timeout: "1 minute" }] as const) {
        const asking = yield* fork(actor.ask(act(1, "slow"), options))
        yield* Fiber.interrupt(asking)
        const exit = yield* Fiber.await(asking)
        assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      }
      yield* TestClock.adjust(20)
      assert.deepStrictEqual(begun, [1, 1])
      assert.strictEqual(actor.inspect().handled, 2)
    }))
})

const crashes: ReadonlyArray<How> = ["dies", "throws", "garbage", "interrupts"]

describe("crashing", () => {
  for (const how of crashes) {
    it.effect(`RFC S3 a handler that ${how} crashes the actor: the message is a dead letter, and ask fails`, () =>
      Effect.gen(function*() {
        const { actor, begun, buried, lives, system } = yield* observeProbe()
        actor.tellUnsafe(act(1, how))
        const asking = yield* fork(actor.ask(act(2, how)))
        actor.tellUnsafe(act(3))
        const error = yield* Effect.flip(Fiber.join(asking))
        assert.instanceOf(error, Actor.ActorCrashed)
        yield* actor.settled
        assert.deepStrictEqual(begun, [1, 2, 3], "none is handled again")
        assert.deepStrictEqual(buried, ["1 crashed", "2 crashed"])
        assert.deepStrictEqual(lives, ["+1", "-1", "+2", "-2", "+3"], "each incarnation is released before the next")
        assert.strictEqual(system.deadLetters.counts().crashed, 2)
        assert.isNotNull(actor.inspect().lastCrash)
      }))
  }

  for (const tag of ["constructor", "__proto__", "toString", "hasOwnProperty", "Other", "", "do"]) {
    it.effect(`RFC S3 a message that the protocol does not know (${JSON.stringify(tag)}) crashes, and is not lost`, () =>
      Effect.gen(function*() {
        const { actor, buried } = yield* observeProbe()
        const stray = { id: 7, weight: 0, how: "ok", _tag: tag } as unknown as Do
        assert.isTrue(actor.tellUnsafe(stray))
        const error = yield* Effect.flip(actor.ask(stray))
        assert.instanceOf(error, Actor.ActorCrashed)
        assert.strictEqual(yield* actor.ask(act(1)), 1)
        assert.deepStrictEqual(buried, ["7 crashed", "7 crashed"])
      }))
  }

  it.effect("RFC S3 handlers of a wrong type crash it likewise", () =>
    Effect.gen(function*() {
      for (
        const handlers of [
          undefined,
          null,
          1,
          "Do",
          { Do: "not a function" },
          Object.create({ Do: () => Effect.void })
        ]
      ) {
        const definition = Actor.define<Do>()("empty", {
          behaviour: () => Effect.succeed(handlers as Actor.Handlers<Do>),
          restart: "temporary"
        })
        const system = yield* Actor.ActorSystem.make()
        const actor = yield* system.root.spawn(definition)
        assert.instanceOf(yield* Effect.flip(actor.ask(act(1))), Actor.ActorCrashed)
      }
    }))

  it.effect("RFC S3 state is fresh after a crash", () =>
    Effect.gen(function*() {
      class Add extends Request.TaggedClass("Add")<{ readonly n: number }, number> {}
      const definition = Actor.define<Add>()("sum", {
        behaviour: () =>
          Effect.map(Ref.make(0), (sum) => ({
            Add: ({ n }) => n < 0 ? Effect.die("negative") : Ref.updateAndGet(sum, (old) => old + n)
          }))
      })
      const system = yield* Actor.ActorSystem.make()
      const actor = yield* system.root.spawn(definition)
      assert.strictEqual(yield* actor.ask(new Add({ n: 2 })), 2)
      assert.strictEqual(yield* actor.ask(new Add({ n: 3 })), 5)
      actor.tellUnsafe(new Add({ n: -1 }))
      assert.strictEqual(yield* actor.ask(new Add({ n: 4 })), 4)
    }))

  it.effect("RFC S3 an owner's onDeadLetter that throws changes nothing", () =>
    Effect.gen(function*() {
      const { actor, buried, system } = yield* observeProbe({
        mailbox: Actor.sliding({ capacity: 2 }),
        onDeadLetter: () => {
          throw new Error("the owner's mistake")
        }
      })
      for (const id of ids(0, 5)) assert.isTrue(actor.tellUnsafe(act(id, id === 3 ? "throws" : "fails")))
      yield* actor.settled
      assert.deepStrictEqual(buried, ["0 dropped", "1 dropped", "2 dropped", "3 crashed", "4 failed"])
      assert.strictEqual(system.deadLetters.total(), 5)
      assert.isTrue(isBalanced(actor.inspect()))
    }))
})

describe("stopping itself", () => {
  for (const restart of ["permanent", "transient", "temporary"] as const) {
    it.effect(`RFC S3 ends a ${restart} actor after the message at hand`, () =>
      Effect.gen(function*() {
        const { actor, begun, buried, lives, system } = yield* observeProbe({ restart })
        const asking = yield* fork(actor.ask(act(1, "stops")))
        for (const id of [2, 3]) actor.tellUnsafe(act(id))
        assert.strictEqual(yield* Fiber.join(asking), 1)
        yield* actor.settled
        yield* Effect.yieldNow
        const stays = restart === "permanent"
        assert.deepStrictEqual(begun, stays ? [1, 2, 3] : [1])
        assert.deepStrictEqual(buried, stays ? [] : ["2 stopped", "3 stopped"])
        assert.deepStrictEqual(lives, stays ? ["+1", "-1", "+2"] : ["+1", "-1"])
        assert.strictEqual(system.inspect().children.length, stays ? 1 : 0)
        assert.isNull(actor.inspect().lastCrash)
      }))
  }

  it.effect("RFC S3 a behaviour that stops the actor while it is built is obeyed, with or without waiting messages", () =>
    Effect.gen(function*() {
      let built = 0
      const system = yield* Actor.ActorSystem.make()
      const definition = Actor.define<Do>()("brief", {
        restart: "transient",
        behaviour: (self) =>
          Effect.as(Effect.tap(self.stop, Effect.sync(() => built++)), { Do: () => Effect.succeed(1) })
      })
      const actor = yield* system.root.spawn(definition)
      for (let turn = 0; turn < 10; turn++) yield* Effect.yieldNow
      assert.strictEqual(actor.inspect().phase, "ended")
      assert.strictEqual(built, 1)
    }))
})
