/**
 * Watching an address across restarts: what is told, how often, in which place, and until when.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Request, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as Actor from "../../src/actor/index.ts"
import { isBalanced } from "./probe.ts"
import { calm, Crash, makeWorld, type Ref } from "./supervised.ts"

class Watch extends Request.TaggedClass("Watch")<{ readonly other: Actor.ActorRef<never> }, void> {}
class Note extends Request.TaggedClass("Note")<{ readonly text: string }, void> {}
class Die extends Request.TaggedClass("Die")<{}, void> {}
class Heard extends Request.TaggedClass("Heard")<{ readonly event: Actor.Watched }, void> {}

const textOf = (event: Actor.Watched | Actor.Missed): string =>
  event._tag === "Restarted"
    ? `${event.actor}#${event.incarnation}${event.cause === undefined ? "" : " after a crash"}`
    : event._tag === "GaveUp"
    ? `${event.supervisor} gave up ${event.actor}`
    : event._tag === "Missed"
    ? `missed ${event.count}`
    : `${event.actor} stopped${event.cause === undefined ? "" : " after a crash"}`

const watcher = (
  log: Array<string>,
  options: { readonly throws?: boolean; readonly first?: Actor.ActorRef<never> } = {}
) =>
  Actor.define<Watch | Note | Die | Heard>()("watcher", {
    mailbox: Actor.fifo({ capacity: 2 }),
    onDeadLetter: (message, reason) => {
      log.push(`${message._tag} ${reason}`)
    },
    behaviour: (self) => {
      const watch = (other: Actor.ActorRef<never>) =>
        self.watch(other, (event) => {
          if (options.throws === true) throw new Error("my own mistake")
          return new Heard({ event })
        })
      return Effect.as(options.first === undefined ? Effect.void : watch(options.first), {
        Watch: ({ other }) => watch(other),
        Note: ({ text }) => Effect.sync(() => void log.push(text)),
        Die: () => Effect.die("on purpose"),
        Heard: ({ event }) => Effect.sync(() => void log.push(textOf(event)))
      })
    }
  })

const watching = Effect.fnUntraced(function*(options: Actor.ActorSystemOptions = {}, restart?: Actor.RestartKind) {
  const world = yield* makeWorld({ intensity: 100, ...options })
  const inner = yield* world.supervise("inner", { intensity: 2, restart: "temporary", ...options })
  const log: Array<string> = []
  const ref = yield* world.root.spawn(watcher(log))
  const other = yield* world.child("x", restart === undefined ? {} : { restart }, inner)
  yield* ref.ask(new Watch({ other }))
  return { ...world, heard: () => log.splice(0).join(", "), inner, other, ref }
})

describe("what is told", () => {
  const crash = (other: Ref) => Effect.andThen(Effect.sync(() => other.tellUnsafe(new Crash({}))), calm)
  const cases: ReadonlyArray<
    readonly [
      string,
      Actor.RestartKind,
      (
        other: Ref,
        inner: Actor.Supervisor
      ) => Effect.Effect<void, Actor.ControlRefused | Actor.StartFailed | Actor.WaitsForItself>,
      string
    ]
  > = [
    ["a crash, and its restart", "permanent", crash, "root/inner/x#2 after a crash"],
    ["an operator's restart", "permanent", (other, inner) => inner.restart(other), "root/inner/x#2"],
    ["an operator's stop", "permanent", (other, inner) => inner.stop(other), ""],
    ["a stop for good", "permanent", (other) => other.stop, "root/inner/x stopped"],
    ["a crash of a temporary actor", "temporary", crash, "root/inner/x stopped after a crash"],
    [
      "one crash too many",
      "permanent",
      (other) => Effect.andThen(Effect.andThen(crash(other), crash(other)), crash(other)),
      "root/inner/x#2 after a crash, root/inner/x#3 after a crash, root/inner gave up root/inner/x"
    ]
  ]
  for (const [what, restart, act, expected] of cases) {
    it.effect(`RFC S3 ${what}: ${expected === "" ? "nothing" : expected}`, () =>
      Effect.gen(function*() {
        const { heard, inner, other } = yield* watching({ intensity: 2 }, restart)
        yield* act(other, inner)
        yield* calm
        assert.strictEqual(heard(), expected)
      }))
  }

  it.effect("RFC S3 an actor that is gone: told so at once, also why", () =>
    Effect.gen(function*() {
      const { crash, heard, inner, other, ref } = yield* watching({ intensity: 0 })
      yield* crash(other)
      yield* ref.ask(new Watch({ other }))
      yield* calm
      assert.strictEqual(heard(), "root/inner gave up root/inner/x, root/inner gave up root/inner/x")
      assert.strictEqual(inner.inspect().phase, "ended")
    }))

  it.effect("RFC S3 an actor under a supervisor that gave up and came back was restarted, no more", () =>
    Effect.gen(function*() {
      const { child, crash, root, supervise } = yield* makeWorld({ intensity: 100, backoff: { base: 100, jitter: 0 } })
      const inner = yield* supervise("inner", { intensity: 0 })
      const log: Array<string> = []
      const other = yield* child("x", {}, inner)
      yield* root.spawn(watcher(log, { first: other }))
      yield* crash(other)
      assert.deepStrictEqual(log, [], "not while it waits")
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(log, ["root/inner/x#2 after a crash"])
    }))

  it.effect("RFC S3 an actor that is stopped after its supervisor has come back was not given up", () =>
    Effect.gen(function*() {
      const { child, crash, root, supervise } = yield* makeWorld({ intensity: 100 })
      const inner = yield* supervise("inner", { intensity: 0 })
      const log: Array<string> = []
      const other = yield* child("x", {}, inner)
      yield* root.spawn(watcher(log, { first: other }))
      yield* crash(other)
      yield* other.stop
      yield* calm
      assert.deepStrictEqual(log, ["root/inner/x#2 after a crash", "root/inner/x stopped"])
    }))
})

describe("how often", () => {
  it.effect("RFC S3 an actor in backoff: nothing while it waits, and one message for its restart", () =>
    Effect.gen(function*() {
      const { crash, heard, other } = yield* watching({
        intensity: 100,
        backoff: { base: 1_000, factor: 1, jitter: 0 }
      })
      for (let time = 2; time < 6; time++) {
        yield* crash(other)
        yield* TestClock.adjust(999)
        assert.strictEqual(heard(), "")
        yield* TestClock.adjust(1)
        yield* calm
        assert.strictEqual(heard(), `root/inner/x#${time} after a crash`)
      }
    }))

  it.effect("RFC S2 RFC S3 while it is not handled the latest restart stands for all, and the end comes besides", () =>
    Effect.gen(function*() {
      const { crash, heard, other, ref } = yield* watching({ intensity: 1_000 })
      yield* ref.suspend
      for (let n = 0; n < 100; n++) yield* crash(other)
      assert.strictEqual(ref.pendingUnsafe(), 1)
      yield* other.stop
      assert.strictEqual(ref.pendingUnsafe(), 2)
      yield* ref.resume
      yield* ref.settled
      assert.strictEqual(heard(), "root/inner/x#101 after a crash, root/inner/x stopped")
      assert.isTrue(isBalanced(ref.inspect()))
    }))

  it.effect("RFC S2 a full mailbox refuses none of it, and it comes after what was told before", () =>
    Effect.gen(function*() {
      const { crash, heard, other, ref } = yield* watching()
      yield* ref.suspend
      for (const text of ["1", "2"]) assert.isTrue(ref.tellUnsafe(new Note({ text })))
      yield* crash(other)
      yield* other.stop
      yield* ref.resume
      yield* ref.settled
      assert.strictEqual(heard(), "1, 2, root/inner/x#2 after a crash, root/inner/x stopped")
    }))
})

describe("until when", () => {
  it.effect("RFC S3 until the watcher's incarnation ends; what waited for it then is the next one's", () =>
    Effect.gen(function*() {
      const { crash, heard, other, ref } = yield* watching()
      yield* ref.suspend
      ref.tellUnsafe(new Die())
      yield* crash(other)
      yield* ref.resume
      yield* calm
      assert.strictEqual(heard(), "Die crashed, root/inner/x#2 after a crash")
      yield* crash(other)
      assert.strictEqual(heard(), "", "the next incarnation has not asked for it")
    }))

  it.effect("RFC S3 a behaviour that watches does so in each of its incarnations", () =>
    Effect.gen(function*() {
      const { child, crash, root } = yield* makeWorld({ intensity: 100 })
      const log: Array<string> = []
      const other = yield* child("x")
      const ref = yield* root.spawn(watcher(log, { first: other }))
      yield* crash(other)
      ref.tellUnsafe(new Die())
      yield* calm
      yield* crash(other)
      assert.deepStrictEqual(log, ["root/x#2 after a crash", "Die crashed", "root/x#3 after a crash"])
    }))

  it.effect("RFC S3 a function that throws is the watcher's crash", () =>
    Effect.gen(function*() {
      const { child, crash, root } = yield* makeWorld({ intensity: 100 })
      const other = yield* child("x")
      const ref = yield* root.spawn(watcher([], { throws: true, first: other }))
      yield* crash(other)
      assert.include(ref.inspect().lastCrash?.message, "my own mistake")
    }))
})

describe("an outsider's watch", () => {
  it.effect("RFC S3 reads the same events, until the actor has ended", () =>
    Effect.gen(function*() {
      const { child, crash, root } = yield* makeWorld({ intensity: 100 })
      const other = yield* child("x")
      const { take } = yield* other.watch
      const reading = yield* Effect.forkChild(take, { startImmediately: true })
      yield* crash(other)
      assert.deepStrictEqual((yield* Fiber.join(reading)).map(textOf), ["root/x#2 after a crash"])
      yield* root.restart(other)
      yield* other.stop
      assert.deepStrictEqual((yield* take).map(textOf), ["root/x#3", "root/x stopped"])
      assert.isTrue(Exit.isFailure(yield* Effect.exit(take)))
      const late = yield* other.watch
      assert.deepStrictEqual(late.takeUnsafe().map(textOf), ["root/x stopped"])
    }))

  it.effect("RFC S3 is bounded: a slow reader is told how many it missed", () =>
    Effect.gen(function*() {
      const { child, crash } = yield* makeWorld({ intensity: 1_000 })
      const other = yield* child("x")
      const scope = yield* Scope.make()
      const { takeUnsafe } = yield* Scope.provide(other.watch, scope)
      for (let n = 0; n < 70; n++) yield* crash(other)
      const events = takeUnsafe().map(textOf)
      assert.deepStrictEqual([events.length, events[0], events.at(-1)], [65, "missed 6", "root/x#71 after a crash"])
      yield* Scope.close(scope, Exit.void)
      yield* crash(other)
      assert.deepStrictEqual(takeUnsafe(), [])
    }))
})
