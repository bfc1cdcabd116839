/**
 * Stampedes: a hundred times the capacity of a mailbox, sent on one turn. Each kind of mailbox
 * keeps its promise, counts its refusals, and stays within its bounds.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, PubSub, Request } from "effect"
import * as Actor from "../../src/actor/index.ts"
import { ids } from "./probe.ts"

class Note extends Request.TaggedClass("Note")<{ readonly id: number }, number> {}
class Hold extends Request.TaggedClass("Hold")<{}, void> {}

const capacity = 20
const flood = 100 * capacity
const remembered = 64
const laneOf = (id: number): Actor.Lane => Actor.laneOrder[id % Actor.laneOrder.length] ?? "low"
const isAsk = (id: number): boolean => id % 7 === 3

/**
 * The ids that an empty mailbox keeps of those from 0 up to `flood`, in the order of handling.
 */
interface Promised {
  readonly spec: Actor.MailboxSpec
  readonly kept: ReadonlyArray<number>
  readonly accepted: number
  readonly reason: Actor.DeadLetterReason
}
const perLane = Actor.laneOrder.flatMap((lane) => ids(0, flood).filter((id) => laneOf(id) === lane).slice(0, capacity))
const promises: ReadonlyArray<Promised> = [
  { spec: Actor.fifo({ capacity }), kept: ids(0, capacity), accepted: capacity, reason: "full" },
  { spec: Actor.lanes({ capacity }), kept: perLane, accepted: 4 * capacity, reason: "full" },
  { spec: Actor.sliding({ capacity }), kept: ids(flood - capacity, flood), accepted: flood, reason: "dropped" },
  { spec: Actor.dropping({ capacity }), kept: ids(0, capacity), accepted: capacity, reason: "dropped" }
]

const observe = Effect.fnUntraced(function*(mailbox: Actor.MailboxSpec) {
  const system = yield* Actor.ActorSystem.make({ deadLetters: remembered })
  const gate = yield* Deferred.make<void>()
  const handled: Array<number> = []
  const buried: Array<string> = []
  const definition = Actor.define<Note | Hold>()("sink", {
    mailbox,
    onDeadLetter: (message, reason) => {
      buried.push(`${message._tag === "Note" ? message.id : "hold"} ${reason}`)
    },
    behaviour: () =>
      Effect.succeed({
        Note: ({ id }) =>
          Effect.sync(() => {
            handled.push(id)
            return id
          }),
        Hold: () => Deferred.await(gate)
      })
  })
  const actor = yield* system.root.spawn(definition)
  const context = yield* Effect.context()
  const asked = new Map<number, Fiber.Fiber<number, Actor.AskError>>()
  /** Sends all of them before anything else runs, and checks the bounds after each. */
  const stampede = Effect.sync(() => {
    const limit = mailbox.kind === "lanes" ? 4 * capacity : capacity
    const took: Array<boolean> = []
    for (let id = 0; id < flood; id++) {
      const lane = laneOf(id)
      const foretold = actor.refusalUnsafe(0, lane)
      const before = system.deadLetters.total()
      if (isAsk(id)) {
        asked.set(id, Effect.runForkWith(context)(actor.ask(new Note({ id }), { lane })))
        took.push(foretold === null)
      } else took.push(actor.tellUnsafe(new Note({ id }), lane))
      assert.strictEqual(took[id], foretold === null)
      assert.isTrue(took[id] === true || system.deadLetters.total() === before + 1, "what is refused is a dead letter")
      assert.isAtMost(actor.pendingUnsafe(), limit)
    }
    const { accepted, buried, handled, mailbox: box } = actor.inspect()
    assert.strictEqual(accepted, handled + buried + box.pending)
    for (const held of Object.values(box.lanes ?? {})) assert.isAtMost(held, capacity)
    return took.filter(Boolean).length
  })
  return { actor, asked, buried, gate, handled, stampede, system }
})

const complement = (kept: ReadonlyArray<number>): Array<number> => {
  const set = new Set(kept)
  return ids(0, flood).filter((id) => !set.has(id))
}

for (const { accepted, kept, reason, spec } of promises) {
  describe(`a stampede on ${spec.kind}`, () => {
    it.effect("RFC S2 keeps exactly the messages that the kind promises, in order, and counts all others as dead letters", () =>
      Effect.gen(function*() {
        const { actor, asked, buried, handled, stampede, system } = yield* observe(spec)
        assert.strictEqual(yield* stampede, accepted)
        assert.deepStrictEqual(handled, [], "nothing was handled on the tellers' turn")
        yield* actor.settled
        assert.deepStrictEqual(handled, kept)
        assert.deepStrictEqual(buried, complement(kept).map((id) => `${id} ${reason}`))
        const none = { full: 0, dropped: 0, closed: 0, stopped: 0, crashed: 0, abandoned: 0, failed: 0 }
        assert.deepStrictEqual(system.deadLetters.counts(), { ...none, [reason]: flood - kept.length })
        assert.strictEqual(system.deadLetters.total(), flood - kept.length)
        const seen = actor.inspect()
        assert.deepStrictEqual([seen.accepted, seen.handled, seen.buried], [
          accepted,
          kept.length,
          accepted - kept.length
        ])
        assert.strictEqual(seen.mailbox.pending, 0)
        // Every ask ends, with the answer or the error that is due.
        const answered = new Set(kept)
        for (const [id, fiber] of asked) {
          const exit = yield* Fiber.await(fiber)
          assert.deepStrictEqual(
            exit,
            answered.has(id) ? Exit.succeed(id) : Exit.fail(new Actor.MailboxFull({ actor: actor.path }))
          )
        }
      }))

    it.effect("RFC S2 the message being handled counts all the time, and is never dropped", () =>
      Effect.gen(function*() {
        const { actor, gate, handled, stampede, system } = yield* observe(spec)
        assert.isTrue(actor.tellUnsafe(new Hold(), "critical"))
        yield* Effect.yieldNow
        const taken = yield* stampede
        // Room for one less, in the lane of the message that is being handled.
        assert.strictEqual(taken, spec.kind === "sliding" ? flood : accepted - 1)
        assert.strictEqual(actor.pendingUnsafe(), spec.kind === "lanes" ? 4 * capacity : capacity)
        yield* Deferred.succeed(gate, undefined)
        yield* actor.settled
        const spared = kept.indexOf(
          spec.kind === "lanes" ? (capacity - 1) * 4 : spec.kind === "sliding" ? flood - capacity : capacity - 1
        )
        assert.deepStrictEqual(handled, kept.toSpliced(spared, 1))
        assert.strictEqual(system.deadLetters.counts()[reason], flood - kept.length + 1)
        assert.strictEqual(system.deadLetters.total(), flood - kept.length + 1)
      }))

    it.effect("RFC S2 a slow subscriber of dead letters holds at most the capacity, and sees the gap", () =>
      Effect.gen(function*() {
        const { actor, stampede, system } = yield* observe(spec)
        const letters = yield* system.deadLetters.subscribe
        yield* stampede
        const first = yield* PubSub.takeUpTo(letters, 10)
        const total = system.deadLetters.total()
        // The oldest were lost before the first look.
        assert.deepStrictEqual(first.map(({ sequence }) => sequence), ids(total - remembered, total - remembered + 10))
        yield* actor.settled
        yield* stampede
        const rest = yield* PubSub.takeUpTo(letters, flood)
        const now = system.deadLetters.total()
        assert.deepStrictEqual(rest.map(({ sequence }) => sequence), ids(now - remembered, now))
        assert.isAbove((rest[0]?.sequence ?? 0) - (first.at(-1)?.sequence ?? 0), 1, "the gap shows")
        for (const { actor: path, message, reason: why, tag } of rest) {
          assert.deepStrictEqual([path, why, tag], [actor.path, reason, "Note"])
          assert.instanceOf(message, Note)
        }
        const recent = system.deadLetters.recent()
        assert.deepStrictEqual(recent.map(({ sequence }) => sequence), ids(now - remembered, now))
        assert.isTrue(recent.every((note) => !("message" in note)), "what died does not hold memory")
        yield* actor.settled
      }))

    it.effect("RFC S2 after it, the mailbox works as before", () =>
      Effect.gen(function*() {
        const { actor, handled, stampede } = yield* observe(spec)
        for (let round = 0; round < 3; round++) {
          handled.length = 0
          assert.strictEqual(yield* stampede, accepted)
          yield* actor.settled
          assert.deepStrictEqual(handled, kept)
        }
      }))
  })
}

describe("a stampede by weight", () => {
  it.effect("RFC S2 a sliding mailbox drops no more than the new message needs", () =>
    Effect.gen(function*() {
      const system = yield* Actor.ActorSystem.make()
      const gate = yield* Deferred.make<void>()
      const dropped: Array<number> = []
      const definition = Actor.define<Note>()("heavy", {
        mailbox: Actor.sliding({ capacity: 100, maxWeight: 10 }),
        weigh: ({ id }) => id,
        onDeadLetter: ({ id }) => {
          dropped.push(id)
        },
        behaviour: () => Effect.succeed({ Note: ({ id }) => Effect.as(Deferred.await(gate), id) })
      })
      const actor = yield* system.root.spawn(definition)
      const tell = (id: number): boolean => {
        const foretold = actor.refusalUnsafe(id)
        const took = actor.tellUnsafe(new Note({ id }))
        assert.strictEqual(took, foretold === null, `${id}: ${foretold}`)
        assert.isAtMost(actor.weightUnsafe(), 10)
        return took
      }
      assert.isTrue(tell(6))
      yield* Effect.yieldNow
      for (const id of [1, 2, 1]) assert.isTrue(tell(id))
      assert.isFalse(tell(5), "6 are being handled: dropping all that waits would not help")
      assert.deepStrictEqual(dropped, [5], "so nothing that waited was dropped in vain")
      assert.isTrue(tell(2))
      assert.deepStrictEqual(dropped, [5, 1, 2])
      assert.isTrue(tell(4))
      assert.deepStrictEqual(dropped, [5, 1, 2, 1, 2])
      yield* Deferred.succeed(gate, undefined)
      yield* actor.settled
      assert.strictEqual(actor.weightUnsafe(), 0)
    }))
})
