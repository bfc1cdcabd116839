/**
 * States of an actor: a behaviour that changes itself, as OTP's `gen_statem`, and messages that it
 * puts aside for a later state, as its postponed events.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Request, Tracer } from "effect"
import * as Actor from "../../src/actor/index.ts"
import { makeInner, note, type Own } from "./inner.ts"
import { isBalanced } from "./probe.ts"
import { calm } from "./supervised.ts"

class Turn extends Request.TaggedClass("Turn")<{}, "open" | "closed"> {}
class Enter extends Request.TaggedClass("Enter")<{ readonly who: string }, string, "full"> {}
class Break extends Request.TaggedClass("Break")<{}, void> {}
type Door = Turn | Enter | Break

/** A door that lets people enter when it is open; who comes too early waits. */
const door = (
  options: { readonly stash?: number; readonly mailbox?: Actor.MailboxSpec; readonly log: Array<string> }
) =>
  Actor.define<Door>()("door", {
    ...options,
    weigh: (message) => message._tag === "Enter" ? message.who.length : 0,
    onDeadLetter: (message, reason) => {
      options.log.push(`${message._tag === "Enter" ? message.who : message._tag} ${reason}`)
    },
    behaviour: (self) => {
      const Break = () => Effect.die("broken")
      const open: Actor.Handlers<Door> = {
        Turn: () => Actor.become(closed, "closed"),
        Enter: ({ who }) =>
          Effect.sync(() => {
            options.log.push(who)
            return `${who} is in`
          }),
        Break
      }
      const closed: Actor.Handlers<Door> = {
        Turn: () => Effect.andThen(self.unstash, Actor.become(open, "open")),
        Enter: () => Effect.suspend(() => self.stash),
        Break
      }
      return Effect.succeed(closed)
    }
  })

const makeDoor = Effect.fnUntraced(
  function*(options: { readonly stash?: number; readonly mailbox?: Actor.MailboxSpec } = {}) {
    const log: Array<string> = []
    const system = yield* Actor.ActorSystem.make({ intensity: 100 })
    const actor = yield* system.root.spawn(door({ ...options, log }))
    return {
      actor,
      system,
      enter: (who: string) => actor.tellUnsafe(new Enter({ who })),
      turn: actor.ask(new Turn()),
      trace: () => log.splice(0).join(", ")
    }
  }
)

describe("become", () => {
  it.effect("RFC S3 answers, and the next handlers handle what comes after", () =>
    Effect.gen(function*() {
      const { actor, turn } = yield* makeDoor()
      assert.deepStrictEqual([yield* turn, yield* turn, yield* turn], ["open", "closed", "open"])
      assert.deepInclude(actor.inspect(), { accepted: 3, handled: 3 })
    }))

  it.effect("RFC S3 messages that wait already are handled by the next handlers", () =>
    Effect.gen(function*() {
      const { actor, enter, turn, trace } = yield* makeDoor()
      yield* actor.suspend
      const turning = yield* Effect.forkChild(turn, { startImmediately: true })
      enter("a")
      yield* actor.resume
      assert.strictEqual(yield* Fiber.join(turning), "open")
      yield* calm
      assert.strictEqual(trace(), "a")
    }))

  it.effect("RFC S3 a crash begins with the first handlers again", () =>
    Effect.gen(function*() {
      const { actor, turn } = yield* makeDoor()
      yield* turn
      yield* Effect.ignore(actor.ask(new Break()))
      assert.strictEqual(yield* turn, "open")
    }))

  it.effect("RFC S3 for the handler's span it is no failure", () => {
    const spans: Array<Tracer.NativeSpan> = []
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      }
    })
    return Effect.gen(function*() {
      const { actor, turn } = yield* makeDoor()
      yield* Effect.forkChild(Effect.withSpan(actor.ask(new Enter({ who: "a" })), "asking"))
      yield* calm
      yield* Effect.withSpan(turn, "asking")
      yield* calm
      const handled = spans.filter(({ name }) => name.startsWith("door."))
      assert.deepStrictEqual(handled.map(({ name }) => name), ["door.Enter", "door.Turn", "door.Enter"])
      for (const { status } of handled) assert.isTrue(status._tag === "Ended" && Exit.isSuccess(status.exit))
    }).pipe(Effect.withTracer(tracer))
  })
})

describe("self.stash", () => {
  it.effect("RFC S2 puts aside in order, and unstash puts it back before all that waits", () =>
    Effect.gen(function*() {
      const { actor, enter, trace, turn } = yield* makeDoor()
      for (const who of ["a", "b", "c"]) enter(who)
      yield* calm
      assert.deepInclude(actor.inspect(), { accepted: 3, handled: 0 })
      assert.deepInclude(actor.inspect().mailbox, { pending: 3, stashed: 3 })
      yield* actor.suspend
      const turning = yield* Effect.forkChild(turn, { startImmediately: true })
      enter("d")
      yield* actor.resume
      yield* Fiber.join(turning)
      yield* calm
      assert.strictEqual(trace(), "a, b, c, d")
      assert.deepInclude(actor.inspect(), { accepted: 5, handled: 5 })
      assert.deepInclude(actor.inspect().mailbox, { pending: 0, stashed: 0 })
    }))

  it.effect("RFC S2 puts aside what was put aside when an interruption came", () =>
    Effect.gen(function*() {
      const system = yield* Actor.ActorSystem.make()
      const open: Actor.Handlers<Turn> = { Turn: () => Effect.succeed("open") }
      let isEarly = true
      const actor = yield* system.root.spawn(
        Actor.define<Turn>()("late", {
          behaviour: (self) =>
            Effect.succeed({
              Turn: () => {
                if (!isEarly) return Actor.become(open, "closed")
                isEarly = false
                return Effect.catchCause(
                  Effect.andThen(self.unstash, self.stash),
                  (cause) => Effect.failCause(Cause.combine(cause, Cause.interrupt()))
                )
              }
            })
        })
      )
      const asking = yield* Effect.forkChild(actor.ask(new Turn()))
      yield* calm
      assert.deepInclude(actor.inspect().mailbox, { pending: 1, stashed: 1 })
      assert.isUndefined(asking.pollUnsafe(), "nobody is told of what is no answer")
      assert.strictEqual(yield* actor.ask(new Turn()), "closed")
      assert.strictEqual(yield* actor.ask(new Turn()), "open")
      yield* Fiber.interrupt(asking)
    }))

  it.effect("RFC S2 who asked waits for the answer, and `settled` for all that is put aside", () =>
    Effect.gen(function*() {
      const { actor, turn } = yield* makeDoor()
      const asking = yield* Effect.forkChild(actor.ask(new Enter({ who: "a" })))
      yield* calm
      const settled = yield* Effect.forkChild(actor.settled)
      yield* calm
      assert.isUndefined(settled.pollUnsafe())
      yield* turn
      assert.strictEqual(yield* Fiber.join(asking), "a is in")
      yield* Fiber.join(settled)
    }))

  it.effect("RFC S2 what is put aside leaves its room in the mailbox", () =>
    Effect.gen(function*() {
      const { actor, enter, trace, turn } = yield* makeDoor({ mailbox: Actor.fifo({ capacity: 2 }), stash: 3 })
      for (const who of ["a", "b", "c"]) {
        assert.isTrue(enter(who))
        yield* calm
      }
      assert.isNull(actor.refusalUnsafe())
      yield* turn
      yield* calm
      assert.strictEqual(trace(), "a, b, c")
    }))

  const bounds = {
    "by count": { stash: 2 },
    "by weight": { mailbox: Actor.fifo({ capacity: 9, maxWeight: 2 }) }
  }
  for (const [how, options] of Object.entries(bounds)) {
    it.effect(`RFC S2 is bounded ${how}: what is too much is a dead letter, and who asked hears it`, () =>
      Effect.gen(function*() {
        const { actor, enter, trace, turn } = yield* makeDoor(options)
        for (const who of ["a", "b"]) {
          enter(who)
          yield* calm
        }
        assert.deepStrictEqual(
          yield* Effect.exit(actor.ask(new Enter({ who: "c" }))),
          Exit.fail(new Actor.MailboxFull({ actor: "root/door" }))
        )
        assert.strictEqual(trace(), "c full")
        yield* turn
        yield* calm
        assert.strictEqual(trace(), "a, b")
        assert.isTrue(isBalanced(actor.inspect()))
        // And there is room again.
        yield* turn
        enter("d")
        yield* calm
        assert.strictEqual(actor.inspect().mailbox.stashed, 1)
      }))
  }

  it.effect("RFC S3 after a crash the next incarnation handles it, before what waits", () =>
    Effect.gen(function*() {
      const { actor, enter, trace, turn } = yield* makeDoor()
      enter("a")
      enter("b")
      yield* calm
      yield* Effect.ignore(actor.ask(new Break()))
      yield* calm
      assert.strictEqual(trace(), "Break crashed")
      assert.strictEqual(actor.inspect().mailbox.stashed, 2, "put aside again")
      yield* turn
      yield* calm
      assert.strictEqual(trace(), "a, b")
    }))

  it.effect("RFC S2 at the end it is a dead letter", () =>
    Effect.gen(function*() {
      const { actor, enter, trace } = yield* makeDoor()
      enter("a")
      const asking = yield* Effect.forkChild(Effect.exit(actor.ask(new Enter({ who: "b" }))))
      yield* calm
      yield* actor.stop
      assert.strictEqual(trace(), "a stopped, b stopped")
      assert.deepStrictEqual(yield* Fiber.join(asking), Exit.fail(new Actor.ActorStopped({ actor: "root/door" })))
      assert.deepInclude(actor.inspect(), { accepted: 2, buried: 2 })
    }))

  it.effect("RFC S3 of what came from the incarnation itself, nothing goes over to the next", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      class Go extends Request.TaggedClass("Go")<{}, void> {}
      const system = yield* Actor.ActorSystem.make({ intensity: 100 })
      const actor = yield* system.root.spawn(
        Actor.define<Go | ReturnType<typeof note>>()("mixed", {
          onDeadLetter: (message, reason) =>
            void log.push(`${message._tag === "Note" ? message.text : "go"} ${reason}`),
          behaviour: (self) => {
            const isFirst = self.ref.inspect().incarnation === 1
            return Effect.succeed({
              Go: () =>
                Effect.andThen(self.timers.once("k", 0, note("timer")), self.pipe(Effect.void, () => note("outcome"))),
              Note: ({ text }) => {
                if (text === "crash") return Effect.die("crash")
                return isFirst ? self.stash : Effect.sync(() => void log.push(text))
              }
            })
          }
        })
      )
      yield* actor.ask(new Go())
      actor.tellUnsafe(note("told"))
      yield* calm
      assert.strictEqual(actor.inspect().mailbox.stashed, 3)
      actor.tellUnsafe(note("crash"))
      yield* calm
      assert.deepStrictEqual(log, ["crash crashed", "outcome stopped", "told"])
      assert.isTrue(isBalanced(actor.inspect()))
      assert.deepInclude(actor.inspect(), { accepted: 4, handled: 2, buried: 2 })
    }))

  it.effect("RFC S2 a bound that is no whole number from 0 is refused", () =>
    Effect.sync(() => {
      for (const stash of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
        assert.throws(() => door({ stash, log: [] }), RangeError)
    }))

  it.effect("RFC S3 a fork may put back what a handler has put aside", () =>
    Effect.gen(function*() {
      const inner = yield* makeInner()
      const waiting: { self?: Own } = {}
      yield* inner.run((self) => {
        waiting.self = self
        return Effect.void
      })
      let isStashing = true
      const asked = yield* Effect.forkChild(
        inner.run((self) => Effect.suspend(() => isStashing ? self.stash : Effect.succeed("now")))
      )
      yield* calm
      assert.isUndefined(asked.pollUnsafe())
      isStashing = false
      yield* waiting.self?.unstash ?? Effect.void
      assert.strictEqual(yield* Fiber.join(asked), "now")
    }))
})
