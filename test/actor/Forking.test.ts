/**
 * What an actor begins beside its handlers: linked forks, as OTP's `spawn_link`, and effects whose
 * outcome comes as a message.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Exit, Fiber, Tracer } from "effect"
import { TestClock } from "effect/testing"
import * as Actor from "../../src/actor/index.ts"
import { makeInner, note, type Own, type Program } from "./inner.ts"
import { isBalanced, mailboxes } from "./probe.ts"
import { calm, counting } from "./supervised.ts"

const later = <A, E>(effect: Effect.Effect<A, E>) => Effect.flatMap(Effect.sleep(10), () => effect)
const pass = Effect.andThen(TestClock.adjust(10), calm)

const joinsInterrupted = Effect.gen(function*() {
  const other = yield* Effect.forkDetach(Effect.never)
  yield* Fiber.interrupt(other)
  return yield* Fiber.join(other)
})

/** How a fork ends, and what the actor's last crash then is: null if it stays. */
const forkEnds: ReadonlyArray<readonly [string, Effect.Effect<unknown, string>, string | null]> = [
  ["succeeds", Effect.succeed(1), null],
  ["fails", Effect.fail("typed"), "typed"],
  ["dies", Effect.die(new Error("a defect")), "Error: a defect"],
  [
    "throws",
    Effect.sync(() => {
      throw new Error("thrown")
    }),
    "Error: thrown"
  ],
  ["is no effect", {} as Effect.Effect<void>, "Fiber.runLoop: Not a valid effect: [object Object]"],
  ["interrupts itself", Effect.interrupt, "Error: All fibers interrupted without error"],
  ["joins a fiber that was interrupted", joinsInterrupted, "Error: All fibers interrupted without error"]
]

describe("self.fork", () => {
  for (const [how, end, crash] of forkEnds) {
    for (const where of ["its behaviour", "a handler"] as const) {
      it.effect(`RFC S3 a fork of ${where} that ${how}: the actor ${crash === null ? "stays" : "crashes"}`, () =>
        Effect.gen(function*() {
          const forks: Program = (self) => self.fork(later(end))
          let starts = 0
          const inner = yield* makeInner({
            // Once: it would crash again and again.
            onStart: (self) => where === "its behaviour" && starts++ === 0 ? forks(self) : Effect.void
          })
          if (where === "a handler") yield* inner.run(forks)
          yield* pass
          const { incarnation, lastCrash, restarts } = inner.actor.inspect()
          assert.strictEqual(lastCrash?.message ?? null, crash)
          assert.deepStrictEqual([incarnation, restarts], crash === null ? [1, 0] : [2, 1])
          inner.note("after")
          yield* calm
          assert.strictEqual(inner.trace(), `after#${incarnation}`)
        }))
    }
  }

  it.effect("RFC S3 a fork that somebody interrupts takes nobody along, but a finalizer of it that dies does", () =>
    Effect.gen(function*() {
      const inner = yield* makeInner()
      yield* inner.run((self) => Effect.flatMap(self.fork(Effect.never), Fiber.interrupt))
      yield* calm
      assert.strictEqual(inner.actor.inspect().incarnation, 1)
      const dying = Effect.onInterrupt(Effect.never, () => Effect.die("its finalizer"))
      yield* inner.run((self) =>
        Effect.flatMap(self.fork(dying), (fiber) => Effect.map(Effect.sleep(1), () => fiber.interruptUnsafe()))
      ).pipe(Effect.ignore, Effect.forkChild)
      yield* calm
      yield* TestClock.adjust(1)
      yield* calm
      assert.strictEqual(inner.actor.inspect().lastCrash?.message, "its finalizer")
    }))

  it.effect("RFC S3 the message in hand is a dead letter, what waits is handled by the next incarnation", () =>
    Effect.gen(function*() {
      const inner = yield* makeInner()
      const asked = yield* Effect.forkChild(
        Effect.flip(
          Effect.asVoid(inner.run((self) => Effect.andThen(self.fork(later(Effect.die("gone"))), Effect.never)))
        )
      )
      yield* calm
      inner.note("next")
      yield* pass
      assert.strictEqual(inner.trace(), "run crashed, next#2")
      assert.deepStrictEqual(
        yield* Fiber.join(asked),
        new Actor.ActorCrashed({ actor: "root/inner", cause: "gone" })
      )
      assert.isTrue(isBalanced(inner.actor.inspect()))
    }))

  it.effect("RFC S3 it crashes a suspended actor too", () =>
    Effect.gen(function*() {
      const inner = yield* makeInner()
      yield* inner.run((self) => self.fork(later(Effect.die("gone"))))
      yield* inner.actor.suspend
      yield* pass
      assert.deepInclude(inner.actor.inspect(), { incarnation: 2, suspended: true })
    }))

  /** How an incarnation ends. */
  const ends: Record<string, (self: Own) => Effect.Effect<unknown>> = {
    "stops itself": (self) => self.stop,
    crashes: () => Effect.die("on purpose"),
    "is stopped": (self) => self.ref.stop
  }
  for (const [end, act] of Object.entries(ends)) {
    it.effect(`RFC S3 when the actor ${end}, its forks end first, and that is no crash`, () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const inner = yield* makeInner({
          restart: "transient",
          onStop: Effect.sync(() => void log.push("released")),
          onStart: (self) => self.fork(Effect.onInterrupt(Effect.never, () => Effect.sync(() => log.push("ended"))))
        })
        yield* calm
        yield* Effect.ignore(inner.run((self) => act(self)))
        yield* calm
        assert.deepStrictEqual(log.slice(0, 2), ["ended", "released"])
        assert.strictEqual(inner.actor.inspect().lastCrash?.message, end === "crashes" ? "on purpose" : undefined)
      }))
  }

  it.effect("RFC S3 nothing of what has ended is kept", () =>
    Effect.gen(function*() {
      let held = (): number => -1
      const inner = yield* makeInner({
        onStart: () =>
          Effect.map(Effect.scope, (scope) => {
            held = () => scope.state._tag === "Open" ? scope.state.finalizers?.size ?? 1 : -1
          })
      })
      const before = held()
      yield* inner.run((self) => Effect.forEach(Array.from({ length: 50 }), () => self.fork(Effect.void)))
      yield* inner.run((self) =>
        Effect.forEach(Array.from({ length: 50 }), () => self.pipe(Effect.void, () => note("")))
      )
      yield* calm
      assert.strictEqual(held(), before)
    }))
})

const texts = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isSuccess(exit) ? String(exit.value) : exit.cause.reasons.map((reason) => reason._tag).join()

describe("self.pipe", () => {
  const outcomes: ReadonlyArray<readonly [string, Effect.Effect<unknown, string>, string]> = [
    ["success", Effect.succeed("done"), "done"],
    ["typed failure", Effect.fail("typed"), "Fail"],
    ["defect", Effect.die("defect"), "Die"],
    ["interruption of its own", joinsInterrupted, "Interrupt"]
  ]
  for (const [what, effect, text] of outcomes) {
    it.effect(`RFC S3 a ${what} is a message, and crashes nobody`, () =>
      Effect.gen(function*() {
        const inner = yield* makeInner()
        yield* inner.run((self) => self.pipe(later(effect), (exit) => note(texts(exit))))
        inner.note("meanwhile")
        yield* calm
        yield* pass
        assert.strictEqual(inner.trace(), `meanwhile#1, ${text}#1`)
        assert.deepInclude(inner.actor.inspect(), { accepted: 3, handled: 3, restarts: 0 })
      }))
  }

  for (const [kind, mailbox] of Object.entries(mailboxes)) {
    it.effect(`RFC S2 a full ${kind} mailbox does not lose it: it comes behind what waited`, () =>
      Effect.gen(function*() {
        const inner = yield* makeInner({ mailbox: mailbox({ capacity: 1 }) })
        yield* inner.run((self) => self.pipe(later(Effect.succeed("outcome")), (exit) => note(texts(exit))))
        yield* inner.actor.suspend
        inner.note("a")
        yield* pass
        inner.note("b")
        inner.trace()
        yield* inner.actor.resume
        yield* calm
        // A sliding mailbox has dropped `a` for `b`, which so takes its place.
        assert.strictEqual(inner.trace(), kind === "sliding" ? "outcome#1, b#1" : "a#1, outcome#1")
        assert.isTrue(isBalanced(inner.actor.inspect()))
      }))
  }

  it.effect("RFC S3 a function that throws is the actor's crash", () =>
    Effect.gen(function*() {
      const inner = yield* makeInner()
      yield* inner.run((self) =>
        self.pipe(Effect.void, () => {
          throw new Error("no message")
        })
      )
      yield* calm
      assert.strictEqual(inner.actor.inspect().lastCrash?.message, "Error: no message")
    }))

  it.effect("RFC S3 it ends with the incarnation that began it: the effect, and an outcome that waits", () =>
    Effect.gen(function*() {
      const inner = yield* makeInner()
      const interrupted = yield* Deferred.make<string>()
      yield* inner.run((self) =>
        Effect.andThen(
          self.pipe(Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, "yes")), () => note("never")),
          self.pipe(later(Effect.void), () => note("outcome"))
        )
      )
      yield* inner.actor.suspend
      inner.actor.tellUnsafe(note("kept"))
      yield* pass
      assert.strictEqual(inner.actor.pendingUnsafe(), 2)
      yield* inner.run((self) => self.fork(Effect.die("crash"))).pipe(Effect.ignore, Effect.forkChild)
      yield* inner.actor.resume
      yield* calm
      assert.strictEqual(yield* Deferred.await(interrupted), "yes")
      assert.include(inner.trace(), "kept#1")
      assert.isTrue(isBalanced(inner.actor.inspect()))
    }))

  it.effect("RFC S3 an outcome that waits when the incarnation ends is a dead letter, for no other one handles it", () =>
    Effect.gen(function*() {
      const inner = yield* makeInner()
      yield* inner.run((self) =>
        Effect.gen(function*() {
          yield* self.pipe(later(Effect.void), () => note("outcome"))
          yield* self.fork(Effect.andThen(Effect.sleep(20), Effect.die("crash")))
        })
      )
      yield* inner.actor.suspend
      yield* pass
      inner.note("kept")
      assert.strictEqual(inner.actor.pendingUnsafe(), 2)
      yield* pass
      yield* inner.actor.resume
      yield* calm
      assert.strictEqual(inner.trace(), "outcome stopped, kept#2")
      assert.isTrue(isBalanced(inner.actor.inspect()))
    }))

  it.effect("RFC S2 once the actor takes no messages, an outcome is a dead letter", () =>
    Effect.gen(function*() {
      const inner = yield* makeInner()
      yield* Effect.forkChild(
        inner.run((self) => Effect.andThen(self.pipe(later(Effect.void), () => note("late")), Effect.sleep(20)))
      )
      yield* calm
      yield* Effect.forkChild(inner.actor.stop)
      yield* calm
      yield* pass
      yield* pass
      assert.strictEqual(inner.trace(), "late closed")
      assert.strictEqual(inner.actor.inspect().phase, "ended")
    }))

  it.effect("RFC S3 the handler's span links to that of the handler that began it", () =>
    Effect.gen(function*() {
      const links: Array<string> = []
      const tracer = Tracer.make({
        span: (options) => {
          for (const { span } of options.links) links.push(`${options.name} ${span.spanId}`)
          return new Tracer.NativeSpan(options)
        }
      })
      yield* Effect.gen(function*() {
        const inner = yield* makeInner()
        const piping = (self: Own) =>
          Effect.flatMap(Effect.currentSpan, ({ spanId }) => Effect.as(self.pipe(Effect.void, () => note("x")), spanId))
        const spanId = yield* inner.run((self) => Effect.withSpan(Effect.orDie(piping(self)), "piping"))
        yield* calm
        assert.deepStrictEqual(links, [`inner.Note ${String(spanId)}`])
      }).pipe(Effect.withTracer(tracer))
    }))
})

describe("a self that outlives its incarnation", () => {
  it.effect("RFC S3 does nothing to the next one", () =>
    Effect.gen(function*() {
      const { clock, count } = yield* counting
      const inner = yield* Effect.provideService(makeInner(), Clock.Clock, clock)
      const old: { self?: Own } = {}
      yield* inner.run((self) =>
        Effect.sync(() => {
          old.self = self
        })
      )
      yield* Effect.ignore(inner.run(() => Effect.die("crash")))
      yield* calm
      inner.trace()
      const self = old.self
      assert.isDefined(self)
      if (self === undefined) return
      yield* self.stop
      yield* self.fork(Effect.die("an old fork"))
      yield* self.pipe(Effect.void, () => note("an old outcome"))
      yield* self.timers.once("old", 0, note("an old timer"))
      yield* self.timers.every("old interval", 1, note("an old timer"))
      yield* self.receiveTimeout(1, note("an old silence"))
      yield* self.monitor(inner.actor, () => note("an old monitor"))
      assert.strictEqual(count.asleep, 0)
      yield* TestClock.adjust(100)
      yield* calm
      inner.note("here")
      yield* calm
      assert.strictEqual(inner.trace(), "here#2")
      assert.deepInclude(inner.actor.inspect(), { incarnation: 2, accepted: 3 })
    }))
})
