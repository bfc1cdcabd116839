/**
 * The messages of monitors: none is lost, whatever the watcher's mailbox holds; each comes behind
 * what waited when it came; and watching an actor that waits for its restart is no busy loop.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Request } from "effect"
import { TestClock } from "effect/testing"
import * as Actor from "../../src/actor/index.ts"
import { isBalanced } from "./probe.ts"
import { calm, Crash, makeWorld, type Ref, Work } from "./supervised.ts"

class Note extends Request.TaggedClass("Note")<{ readonly n: number; readonly weight: number }, void> {}
class Watch extends Request.TaggedClass("Watch")<{ readonly other: Actor.ActorRef<never> }, void> {}
class Heard extends Request.TaggedClass("Heard")<{ readonly down: Actor.Down }, void> {}
type Protocol = Note | Watch | Heard

const note = (n: number, weight = 0) => new Note({ n, weight })

/** A watcher that records what it handles, and monitors again on each message if it is eager. */
const watcher = (log: Array<string>, mailbox: Actor.MailboxSpec, isEager = false) =>
  Actor.define<Protocol>()("watcher", {
    mailbox,
    weigh: (message) => message._tag === "Heard" ? Number.NaN : message._tag === "Note" ? message.weight : 0,
    onDeadLetter: (message, reason) => {
      log.push(`${message._tag === "Note" ? message.n : message._tag} ${reason}`)
    },
    behaviour: (self) => {
      const watch = (other: Actor.ActorRef<never>) => self.monitor(other, (down) => new Heard({ down }))
      let watched: Actor.ActorRef<never> | undefined
      return Effect.succeed({
        Note: ({ n }) => Effect.sync(() => void log.push(String(n))),
        Watch: ({ other }) => watch(watched = other),
        Heard: ({ down }) => {
          log.push(`${down.actor} ${down.reason}`)
          return isEager && down.reason !== "gone" && watched !== undefined ? watch(watched) : Effect.void
        }
      })
    }
  })

/** A watcher of `others` under a system, suspended so that its mailbox fills. */
const watching = Effect.fnUntraced(function*(mailbox: Actor.MailboxSpec, names: ReadonlyArray<string>) {
  const world = yield* makeWorld({ intensity: 100 })
  const log: Array<string> = []
  const ref = yield* world.root.spawn(watcher(log, mailbox))
  const others: Array<Ref> = []
  for (const name of names) others.push(yield* world.child(name, { restart: "temporary" }))
  for (const other of others) yield* ref.ask(new Watch({ other }))
  yield* ref.suspend
  return { ...world, log, others, ref }
})

const mailboxes = {
  fifo: Actor.fifo({ capacity: 2 }),
  lanes: Actor.lanes({ capacity: 2 }),
  sliding: Actor.sliding({ capacity: 2 }),
  dropping: Actor.dropping({ capacity: 2 }),
  "fifo by weight": Actor.fifo({ capacity: 9, maxWeight: 2 }),
  "sliding by weight": Actor.sliding({ capacity: 9, maxWeight: 2 })
}

describe("a full mailbox", () => {
  for (const [kind, mailbox] of Object.entries(mailboxes)) {
    it.effect(`RFC S2 RFC S3 ${kind}: the end of another is heard, and takes nobody's room`, () =>
      Effect.gen(function*() {
        const { crash, log, others, ref } = yield* watching(mailbox, ["x", "y"])
        for (const n of [1, 2]) assert.isTrue(ref.tellUnsafe(note(n, 1)))
        yield* crash(...others)
        assert.strictEqual(ref.pendingUnsafe(), 4)
        assert.strictEqual(ref.weightUnsafe(), 2, "a message of a monitor weighs nothing, whatever weigh says")
        const took = ref.tellUnsafe(note(3, 1))
        assert.strictEqual(took, kind.startsWith("sliding"))
        assert.isTrue(isBalanced(ref.inspect()))
        yield* ref.resume
        yield* ref.settled
        const handled = log.filter((line) => !/full|dropped/.test(line))
        assert.deepStrictEqual(
          handled,
          took ? ["2", "root/x crashed", "root/y crashed", "3"] : ["1", "2", "root/x crashed", "root/y crashed"]
        )
        assert.deepStrictEqual([ref.pendingUnsafe(), ref.weightUnsafe()], [0, 0])
        assert.isTrue(ref.tellUnsafe(note(4, 1)), "it works as before")
      }))
  }

  it.effect("RFC S2 a sliding mailbox that is flooded drops everything but that", () =>
    Effect.gen(function*() {
      const { crash, log, others, ref } = yield* watching(Actor.sliding({ capacity: 2 }), ["x"])
      yield* crash(...others)
      for (let n = 0; n < 100; n++) assert.isTrue(ref.tellUnsafe(note(n)))
      yield* ref.resume
      yield* ref.settled
      assert.deepStrictEqual(log.filter((line) => !line.includes("dropped")), ["root/x crashed", "98", "99"])
    }))

  it.effect("RFC S2 thousands of ends at once are all heard, in order", () =>
    Effect.gen(function*() {
      const names = Array.from({ length: 2_000 }, (_, n) => `x${n}`)
      const { crash, log, others, ref } = yield* watching(Actor.fifo({ capacity: 1 }), names)
      yield* crash(...others)
      yield* ref.resume
      yield* ref.settled
      assert.deepStrictEqual(log, names.map((name) => `root/${name} crashed`))
    }))

  it.effect("RFC S2 a watcher that ends hears nothing more: that is a dead letter", () =>
    Effect.gen(function*() {
      const { crash, log, others, ref, system } = yield* watching(Actor.fifo({ capacity: 1 }), ["x"])
      yield* crash(...others)
      yield* ref.stop
      assert.deepStrictEqual(log, ["Heard stopped"])
      assert.isTrue(isBalanced(ref.inspect()))
      assert.strictEqual(system.deadLetters.counts().stopped, 1)
    }))
})

describe("last words", () => {
  const told = (lanes: ReadonlyArray<Actor.Lane>, mailbox: Actor.MailboxSpec) =>
    Effect.gen(function*() {
      const { crash, log, others, ref } = yield* watching(mailbox, ["x"])
      for (const [n, lane] of lanes.entries()) ref.tellUnsafe(note(n), lane)
      yield* crash(...others)
      ref.tellUnsafe(note(90), "critical")
      ref.tellUnsafe(note(91), "low")
      yield* ref.resume
      yield* ref.settled
      return log
    })
  for (const overtakes of [undefined, 1, 3]) {
    const mailbox = Actor.lanes({ capacity: 16, ...(overtakes === undefined ? {} : { overtakes }) })
    it.effect(`RFC S3 in any lane, with overtakes of ${overtakes}, come before the end itself`, () =>
      Effect.gen(function*() {
        for (const lane of Actor.laneOrder) {
          const log = yield* told([lane, "low", "critical", lane, "medium"], mailbox)
          const end = log.indexOf("root/x crashed")
          for (const n of [0, 1, 2, 3, 4]) assert.isBelow(log.indexOf(String(n)), end, `${lane}: ${log.join(", ")}`)
          if (overtakes === undefined) assert.isBelow(end, log.indexOf("91"), "what came later to the lowest lane")
        }
      }))
  }
})

describe("monitoring again", () => {
  it.effect("RFC S3 on each end, of an actor in backoff, is one message for each of its incarnations", () =>
    Effect.gen(function*() {
      const { child, crash, root } = yield* makeWorld({
        intensity: 100,
        backoff: { base: 1_000, factor: 1, jitter: 0 }
      })
      const log: Array<string> = []
      const ref = yield* root.spawn(watcher(log, Actor.fifo({ capacity: 9 }), true))
      const other = yield* child("x")
      yield* ref.ask(new Watch({ other }))
      for (let time = 1; time <= 3; time++) {
        yield* crash(other)
        yield* calm
        assert.lengthOf(log, time, "none while it waits")
        yield* TestClock.adjust(1_000)
        yield* calm
      }
      yield* crash(other)
      yield* other.stop
      yield* ref.settled
      assert.deepStrictEqual(log, [...Array.from({ length: 4 }, () => "root/x crashed"), "root/x gone"])
    }))

  it.effect("RFC S3 an actor whose restart fails: one message for each try", () =>
    Effect.gen(function*() {
      const { child, crash, root } = yield* makeWorld({
        intensity: 100,
        backoff: { base: 1_000, factor: 1, jitter: 0 }
      })
      const log: Array<string> = []
      const ref = yield* root.spawn(watcher(log, Actor.fifo({ capacity: 9 }), true))
      const other = yield* child("x", {
        onStart: (incarnation) => incarnation === 2 || incarnation === 3 ? Effect.fail("not yet") : Effect.void
      })
      yield* ref.ask(new Watch({ other }))
      yield* crash(other)
      for (let time = 0; time < 4; time++) {
        yield* TestClock.adjust(1_000)
        yield* calm
      }
      assert.deepStrictEqual(log, Array.from({ length: 3 }, () => "root/x crashed"))
      assert.strictEqual(yield* other.ask(new Work({ n: 1 })), "1 by x#4")
    }))

  it.effect("RFC S3 an actor that its supervisor gives up: told once that it is gone", () =>
    Effect.gen(function*() {
      const { child, root, supervise } = yield* makeWorld({ intensity: 100 })
      const inner = yield* supervise("inner", { intensity: 0, restart: "temporary" })
      const log: Array<string> = []
      const ref = yield* root.spawn(watcher(log, Actor.fifo({ capacity: 9 }), true))
      const other = yield* child("x", {}, inner)
      yield* ref.ask(new Watch({ other }))
      other.tellUnsafe(new Crash({}))
      yield* calm
      assert.deepStrictEqual(log, ["root/inner/x crashed", "root/inner/x gone"])
    }))
})
