/**
 * Mistakes in the owner's code: invalid weights, unknown lanes, onDeadLetter callbacks that send
 * again, monitors that throw.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Request } from "effect"
import { TestClock } from "effect/testing"
import * as Actor from "tracehound/actor"

class Note extends Request.TaggedClass("Note")<{ readonly weight: number }, void> {}
class Watch extends Request.TaggedClass("Watch")<{ readonly other: Actor.ActorRef<never> }, void> {}

const quiet = () => Effect.succeed({ Note: () => Effect.void })

describe("weights", () => {
  it.effect("RFC S2 a message with an invalid weight is refused, and tellUnsafe does not throw", () =>
    Effect.gen(function*() {
      const { deadLetters, root } = yield* Actor.ActorSystem.make()
      const actor = yield* root.spawn(
        Actor.define<Note>()("scale", {
          mailbox: Actor.fifo({ capacity: 8, maxWeight: 10 }),
          weigh: ({ weight }) => {
            if (weight === 13) throw new Error("unlucky")
            return weight
          },
          behaviour: quiet
        })
      )
      for (const weight of [Number.NaN, -1, Number.POSITIVE_INFINITY, 13])
        assert.isFalse(actor.tellUnsafe(new Note({ weight })))
      assert.strictEqual(deadLetters.counts().full, 4)
      assert.strictEqual(actor.weightUnsafe(), 0)
      assert.isTrue(actor.tellUnsafe(new Note({ weight: 10 })))
      assert.isFalse(actor.tellUnsafe(new Note({ weight: 1 })))
      yield* actor.settled
      assert.strictEqual(actor.weightUnsafe(), 0)
    }))
})

describe("lanes", () => {
  it.effect("RFC S2 an unknown lane counts as the default lane: no message gets lost", () =>
    Effect.gen(function*() {
      const { root } = yield* Actor.ActorSystem.make()
      const actor = yield* root.spawn(
        Actor.define<Note>()("lanes", {
          mailbox: Actor.lanes({ capacity: 2 }),
          behaviour: quiet
        })
      )
      const nowhere = JSON.parse("\"urgent\"")
      const told = [1, 2, 3].map((weight) => actor.tellUnsafe(new Note({ weight }), nowhere))
      assert.deepStrictEqual(told, [true, true, false])
      assert.strictEqual(actor.inspect().mailbox.lanes?.medium, 2)
      yield* actor.settled
      assert.deepInclude(actor.inspect(), { accepted: 2, handled: 2, buried: 0 })
    }))
})

describe("listeners", () => {
  it.effect("RFC S2 one that sends a dropped message to the sliding mailbox again does not loop for ever", () =>
    Effect.gen(function*() {
      const { deadLetters, root } = yield* Actor.ActorSystem.make()
      let heard = 0
      const actor: Actor.ActorRef<Note> = yield* root.spawn(
        Actor.define<Note>()("echo", {
          mailbox: Actor.sliding({ capacity: 2 }),
          onDeadLetter: (note, reason) => {
            heard += 1
            if (reason === "dropped") actor.tellUnsafe(note)
          },
          behaviour: quiet
        })
      )
      for (let weight = 0; weight < 4; weight++) assert.isTrue(actor.tellUnsafe(new Note({ weight })))
      assert.strictEqual(actor.pendingUnsafe(), 2)
      assert.deepInclude(deadLetters.counts(), { dropped: 2, full: 2 })
      assert.strictEqual(heard, 4)
    }))
})

describe("monitors", () => {
  it.effect("RFC S3 one that throws crashes the actor that watches, not the one that is watched", () =>
    Effect.gen(function*() {
      const { root } = yield* Actor.ActorSystem.make({ intensity: 3 })
      const watched = yield* root.spawn(Actor.define<Note>()("watched", { behaviour: quiet }))
      const watcher = yield* root.spawn(
        Actor.define<Watch>()("watcher", {
          behaviour: (self) =>
            Effect.succeed({
              Watch: ({ other }) =>
                self.monitor(other, () => {
                  throw new Error("no message")
                })
            })
        })
      )
      yield* watcher.ask(new Watch({ other: watched }))
      const down = yield* Effect.forkChild(watcher.down, { startImmediately: true })
      yield* watched.stop
      assert.strictEqual(watched.inspect().phase, "ended")
      assert.isNull(watched.inspect().lastCrash)
      yield* Fiber.join(down)
      assert.strictEqual(watcher.inspect().lastCrash?.message, "Error: no message")
    }))
})

describe("dead letters", () => {
  it.effect("refuse an invalid capacity", () =>
    Effect.gen(function*() {
      for (const deadLetters of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        const exit = yield* Effect.exit(Effect.suspend(() => Actor.ActorSystem.make({ deadLetters })))
        assert.strictEqual(exit._tag, "Failure", String(deadLetters))
      }
    }))
})

describe("inspection", () => {
  it.effect("RFC S3 shows how often an actor was restarted, and its last crash", () =>
    Effect.gen(function*() {
      const { inspect, root } = yield* Actor.ActorSystem.make({ intensity: 3 })
      const actor = yield* root.spawn(
        Actor.define<Note>()("fragile", {
          behaviour: () => Effect.succeed({ Note: ({ weight }) => Effect.die(new Error(`over ${weight}`)) })
        })
      )
      assert.deepInclude(actor.inspect(), { incarnation: 1, restarts: 0, lastCrash: null })
      for (const weight of [1, 2, 3]) {
        yield* TestClock.adjust(1)
        yield* Effect.exit(actor.ask(new Note({ weight })))
        yield* Effect.yieldNow
      }
      yield* TestClock.adjust(1)
      assert.deepInclude(actor.inspect(), {
        incarnation: 4,
        restarts: 3,
        lastCrash: { at: 3, message: "Error: over 3" }
      })
      assert.strictEqual(inspect().restarts, 3)
    }))
})
