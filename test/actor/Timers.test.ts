/**
 * Timers: messages to itself that come later, with the promises of Akka's timers; and the receive
 * timeout.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { makeInner, note, type Own } from "./inner.ts"
import { isBalanced, mailboxes } from "./probe.ts"
import { calm, settable } from "./supervised.ts"

const pass = (ms: number) => Effect.andThen(TestClock.adjust(ms), calm)

/** What a handler does with its timers, what time then passes, and what was handled by then. */
const cases: ReadonlyArray<readonly [string, (self: Own) => Effect.Effect<unknown>, ReadonlyArray<number>, string]> = [
  ["once, too early", ({ timers }) => timers.once("k", 10, note("k")), [9], ""],
  ["once", ({ timers }) => timers.once("k", 10, note("k")), [10, 100], "k#1"],
  ["once, with no time", ({ timers }) => timers.once("k", 0, note("k")), [], "k#1"],
  ["once, for ever", ({ timers }) => timers.once("k", Infinity, note("k")), [1e9], ""],
  ["every", ({ timers }) => timers.every("k", 10, note("k")), [10, 9, 1, 15], "k#1, k#1, k#1"],
  [
    "two keys",
    ({ timers }) => Effect.andThen(timers.once("b", 20, note("b")), timers.once("a", 10, note("a"))),
    [30],
    "a#1, b#1"
  ],
  [
    "replaced before its time",
    ({ timers }) => Effect.andThen(timers.once("k", 10, note("old")), timers.once("k", 20, note("new"))),
    [10, 10, 10],
    "new#1"
  ],
  [
    "an interval replaced by one message",
    ({ timers }) => Effect.andThen(timers.every("k", 10, note("old")), timers.once("k", 20, note("new"))),
    [50],
    "new#1"
  ],
  [
    "one message replaced by an interval",
    ({ timers }) => Effect.andThen(timers.once("k", 10, note("old")), timers.every("k", 20, note("new"))),
    [30, 10],
    "new#1, new#1"
  ],
  [
    "cancelled before its time",
    ({ timers }) => Effect.andThen(timers.once("k", 10, note("k")), timers.cancel("k")),
    [50],
    ""
  ],
  ["cancelled without being there", ({ timers }) => timers.cancel("k"), [50], ""],
  [
    "cancelled by itself",
    ({ timers }) => Effect.andThen(timers.cancel("k"), timers.once("l", 10, note("l"))),
    [10],
    "l#1"
  ]
]

describe("self.timers", () => {
  for (const [what, act, times, expected] of cases) {
    it.effect(`RFC S3 ${what}`, () =>
      Effect.gen(function*() {
        const inner = yield* makeInner()
        yield* inner.run(act)
        yield* calm
        for (const ms of times) yield* pass(ms)
        assert.strictEqual(inner.trace(), expected)
        assert.isTrue(isBalanced(inner.actor.inspect()))
        assert.strictEqual(inner.system.deadLetters.total(), 0)
      }))
  }

  const endings: Record<string, (self: Own) => Effect.Effect<unknown>> = {
    cancelled: ({ timers }) => timers.cancel("k"),
    "replaced by one message": ({ timers }) => timers.once("k", 50, note("new")),
    "replaced by an interval": ({ timers }) => timers.every("k", 50, note("new"))
  }
  for (const [how, end] of Object.entries(endings)) {
    for (const sort of ["once", "every"] as const) {
      it.effect(`RFC S3 a message (${sort}) that waits already is not handled when its timer is ${how}`, () =>
        Effect.gen(function*() {
          const inner = yield* makeInner()
          yield* Effect.forkChild(
            inner.run((self) =>
              Effect.gen(function*() {
                yield* self.timers[sort]("k", 10, note("old"))
                yield* Effect.sleep(30)
                // It waits, behind the message in hand.
                assert.strictEqual(self.ref.pendingUnsafe(), 2)
                yield* end(self)
                assert.strictEqual(self.ref.pendingUnsafe(), 1)
              })
            )
          )
          yield* calm
          yield* pass(10)
          yield* pass(20)
          assert.strictEqual(inner.trace(), "")
          yield* pass(50)
          assert.strictEqual(inner.trace(), how === "cancelled" ? "" : "new#1")
          assert.isTrue(isBalanced(inner.actor.inspect()))
          assert.strictEqual(inner.system.deadLetters.total(), 0)
        }))
    }
  }

  it.effect("RFC S3 an interval never piles up, and keeps its rhythm after a standstill", () =>
    Effect.gen(function*() {
      const inner = yield* makeInner()
      yield* inner.run((self) => self.timers.every("k", 10, note("tick")))
      yield* inner.actor.suspend
      yield* pass(95)
      assert.strictEqual(inner.actor.pendingUnsafe(), 1)
      yield* inner.actor.resume
      yield* calm
      assert.strictEqual(inner.trace(), "tick#1")
      yield* pass(4)
      assert.strictEqual(inner.trace(), "")
      yield* pass(1)
      assert.strictEqual(inner.trace(), "tick#1", "at 100, as ever")
    }))

  it.effect("RFC S3 an interval does not drift, though each of its timers goes off too late", () =>
    Effect.gen(function*() {
      const inner = yield* Clock.Clock
      const clock: Clock.Clock = Object.assign(Object.create(inner) as Clock.Clock, {
        sleep: (duration: Duration.Duration) => inner.sleep(Duration.sum(duration, Duration.millis(3)))
      })
      const { log, run } = yield* Effect.provideService(makeInner(), Clock.Clock, clock)
      yield* run((self) => self.timers.every("k", 10, note("tick")))
      yield* pass(100)
      // At 13, 23, … 93.
      assert.lengthOf(log, 9)
    }))

  for (const [kind, mailbox] of Object.entries(mailboxes)) {
    it.effect(`RFC S2 it comes though the ${kind} mailbox is full, and behind what waits`, () =>
      Effect.gen(function*() {
        const inner = yield* makeInner({ mailbox: mailbox({ capacity: 1 }) })
        yield* inner.run((self) => self.timers.once("k", 10, note("timer")))
        yield* inner.actor.suspend
        inner.note("first")
        yield* pass(10)
        assert.strictEqual(inner.actor.pendingUnsafe(), 2)
        yield* inner.actor.resume
        yield* calm
        assert.strictEqual(inner.trace(), "first#1, timer#1")
      }))
  }

  const ends: Record<string, (self: Own) => Effect.Effect<unknown>> = {
    "stops itself": (self) => self.stop,
    crashes: () => Effect.die("on purpose")
  }
  for (const [how, end] of Object.entries(ends)) {
    it.effect(`RFC S3 all are gone when the actor ${how}: those that run, and their messages that wait`, () =>
      Effect.gen(function*() {
        const inner = yield* makeInner()
        yield* Effect.forkChild(
          inner.run(({ ref, stop, timers }) =>
            Effect.gen(function*() {
              yield* timers.once("waits", 10, note("once"))
              yield* timers.every("ticks", 10, note("every"))
              yield* timers.once("runs", 100, note("late"))
              yield* Effect.sleep(20)
              assert.strictEqual(ref.pendingUnsafe(), 3)
              yield* end({ stop } as Own)
            })
          )
        )
        yield* calm
        yield* pass(20)
        yield* pass(1000)
        inner.note("next")
        yield* calm
        assert.strictEqual(inner.trace(), how === "crashes" ? "run crashed, next#2" : "next#2")
        assert.deepInclude(inner.actor.inspect(), { accepted: 2, incarnation: 2 })
        assert.isTrue(isBalanced(inner.actor.inspect()))
      }))
  }

  it.effect("RFC S3 an actor that is being closed gets none, and leaves no dead letter", () =>
    Effect.gen(function*() {
      const inner = yield* makeInner()
      yield* Effect.forkChild(
        inner.run((self) =>
          Effect.gen(function*() {
            yield* self.timers.every("k", 10, note("tick"))
            yield* self.timers.once("l", 15, note("once"))
            yield* Effect.sleep(100)
          })
        )
      )
      yield* calm
      yield* Effect.forkChild(inner.actor.stop)
      yield* calm
      yield* pass(200)
      assert.strictEqual(inner.trace(), "")
      assert.strictEqual(inner.actor.inspect().phase, "ended")
      assert.strictEqual(inner.system.deadLetters.total(), 0)
    }))

  it.effect("RFC S3 whoever sets the time of day changes nothing", () =>
    Effect.gen(function*() {
      const { clock, set } = yield* settable
      const inner = yield* Effect.provideService(makeInner(), Clock.Clock, clock)
      yield* inner.run((self) => self.timers.every("k", 10, note("tick")))
      yield* inner.run((self) => self.receiveTimeout(15, note("quiet")))
      set(3_600_000)
      yield* pass(10)
      set(-3_600_000)
      yield* pass(10)
      assert.strictEqual(inner.trace(), "tick#1, tick#1")
    }))

  it.effect("RFC S3 an interval of less than 1 ms crashes the handler that asks for it", () =>
    Effect.gen(function*() {
      const inner = yield* makeInner()
      for (const ms of [0, -1, 0.5, Number.NaN]) {
        yield* Effect.ignore(inner.run((self) => self.timers.every("k", ms, note("k"))))
        assert.match(inner.actor.inspect().lastCrash?.message ?? "", /an interval is at least 1 ms/)
      }
      yield* Effect.ignore(inner.run((self) => self.receiveTimeout(0, note("k"))))
      assert.match(inner.actor.inspect().lastCrash?.message ?? "", /a receive timeout is at least 1 ms/)
    }))
})

describe("self.receiveTimeout", () => {
  const quiet = (self: Own) => self.receiveTimeout(10, note("quiet"))

  it.effect("RFC S3 comes after so long without a message, again and again", () =>
    Effect.gen(function*() {
      const inner = yield* makeInner({ onStart: quiet })
      yield* pass(9)
      assert.strictEqual(inner.trace(), "")
      yield* pass(1)
      assert.strictEqual(inner.trace(), "quiet#1")
      yield* pass(9)
      inner.note("a")
      yield* calm
      yield* pass(9)
      assert.strictEqual(inner.trace(), "a#1")
      yield* pass(1)
      assert.strictEqual(inner.trace(), "quiet#1")
    }))

  it.effect("RFC S3 does not come while a message is handled, and counts from its end", () =>
    Effect.gen(function*() {
      const inner = yield* makeInner({ onStart: quiet })
      yield* Effect.forkChild(inner.run(() => Effect.sleep(30)))
      yield* calm
      yield* pass(30)
      yield* pass(9)
      assert.strictEqual(inner.trace(), "")
      yield* pass(1)
      assert.strictEqual(inner.trace(), "quiet#1")
    }))

  it.effect("RFC S3 does not come while messages wait for `resume`, and only once while nothing does", () =>
    Effect.gen(function*() {
      const inner = yield* makeInner({ onStart: quiet })
      yield* inner.actor.suspend
      inner.note("a")
      yield* pass(50)
      assert.strictEqual(inner.actor.pendingUnsafe(), 1)
      yield* inner.actor.resume
      yield* calm
      yield* inner.actor.suspend
      yield* pass(50)
      assert.strictEqual(inner.actor.pendingUnsafe(), 1)
      yield* inner.actor.resume
      yield* calm
      assert.strictEqual(inner.trace(), "a#1, quiet#1")
    }))

  it.effect("RFC S3 is replaced, and ends, also when its message waits", () =>
    Effect.gen(function*() {
      const inner = yield* makeInner({ onStart: quiet })
      yield* inner.run((self) => self.receiveTimeout(20, note("longer")))
      yield* pass(19)
      assert.strictEqual(inner.trace(), "")
      yield* pass(1)
      assert.strictEqual(inner.trace(), "longer#1")
      const own: { self?: Own } = {}
      yield* inner.run((self) => {
        own.self = self
        return Effect.void
      })
      yield* inner.actor.suspend
      yield* pass(20)
      assert.strictEqual(inner.actor.pendingUnsafe(), 1)
      yield* own.self?.cancelReceiveTimeout ?? Effect.void
      assert.strictEqual(inner.actor.pendingUnsafe(), 0)
      yield* inner.actor.resume
      yield* pass(100)
      assert.strictEqual(inner.trace(), "")
    }))

  it.effect("RFC S3 ends with the incarnation", () =>
    Effect.gen(function*() {
      const inner = yield* makeInner()
      yield* inner.run(quiet)
      yield* Effect.ignore(inner.run(() => Effect.die("crash")))
      yield* pass(100)
      assert.strictEqual(inner.trace(), "run crashed")
    }))
})
