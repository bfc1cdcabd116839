/**
 * What does not end when it has to: after a second deadline nobody waits for it any more, and what
 * it does later disturbs nobody.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Latch, Logger, Request } from "effect"
import { TestClock } from "effect/testing"
import * as Actor from "../../src/actor/index.ts"
import { type InnerOptions, makeInner, note, type Own, type Program, type Run } from "./inner.ts"
import { isBalanced } from "./probe.ts"
import { calm } from "./supervised.ts"

const pass = (ms: number) => Effect.andThen(TestClock.adjust(ms), calm)

/** An actor with 10 ms to drain and 100 ms to end, and what does not end before `latch` opens. */
const makeStubborn = Effect.fnUntraced(function*(options: InnerOptions = {}) {
  const latch = Latch.makeUnsafe()
  const stubborn = Effect.uninterruptible(latch.await)
  const inner = yield* makeInner({ drain: 10, abandonAfter: 100, ...options })
  const ask = (program: Program) => Effect.forkChild(Effect.exit(inner.run(program)), { startImmediately: true })
  return { ...inner, ask, latch, stubborn }
})
type Stubborn = Effect.Success<ReturnType<typeof makeStubborn>>

/** What does not end in a handler. */
const hangs: Record<string, (world: Stubborn) => Program> = {
  "a handler that cannot be interrupted": ({ stubborn }) => () => stubborn,
  "a child of a handler": ({ stubborn }) => () =>
    Effect.andThen(Effect.forkChild(stubborn, { startImmediately: true }), Effect.never),
  "a finalizer of a handler": ({ latch }) => () => Effect.onExit(Effect.never, () => latch.await)
}

/** What ends the actor, and how long after that it is abandoned. */
const ends: ReadonlyArray<readonly [string, (world: Stubborn) => Effect.Effect<unknown>, number]> = [
  ["it is stopped", ({ actor }) => Effect.forkChild(actor.stop), 110],
  [
    "a linked actor crashes",
    ({ actor }) =>
      Effect.sync(() =>
        (actor as unknown as { share: (down: Actor.Down) => void }).share({ actor: "root/x", reason: "crashed" })
      ),
    100
  ]
]

describe("what does not end", () => {
  for (const [what, program] of Object.entries(hangs)) {
    for (const [how, end, after] of ends) {
      it.effect(`RFC S4 ${what}, when ${how}: is abandoned, and its message is a dead letter`, () =>
        Effect.gen(function*() {
          const world = yield* makeStubborn()
          const { actor, ask, latch, system, trace } = world
          const asking = yield* ask(program(world))
          yield* calm
          yield* end(world)
          yield* calm
          world.note("waits")
          yield* pass(after - 1)
          assert.strictEqual(actor.inspect().abandoned, 0)
          yield* pass(1)
          const isStopped = how === "it is stopped"
          assert.deepInclude(actor.inspect(), {
            abandoned: 1,
            incarnation: isStopped ? 1 : 2,
            phase: isStopped ? "ended" : "running"
          })
          assert.strictEqual(trace(), isStopped ? "waits closed, run abandoned" : "run abandoned, waits#2")
          const exit = yield* Fiber.join(asking)
          const error = Exit.isFailure(exit) ? exit.cause.reasons[0] : undefined
          const failure = error?._tag === "Fail" ? error.error : undefined
          assert.propertyVal(failure, "_tag", isStopped ? "ActorStopped" : "ActorCrashed")
          const before = actor.inspect()
          yield* latch.open
          yield* pass(1000)
          assert.deepStrictEqual(actor.inspect(), before)
          assert.isTrue(isBalanced(before))
          assert.deepInclude(system.deadLetters.counts(), { abandoned: 1 })
        }))
    }
  }

  it.effect("RFC S4 what it does to its self later does nothing, and its answer is nobody's", () =>
    Effect.gen(function*() {
      const world = yield* makeStubborn()
      const { actor, ask, latch, trace } = world
      const late = (self: Own) =>
        Effect.gen(function*() {
          yield* world.stubborn
          yield* self.stop
          yield* self.fork(Effect.die("late"))
          yield* self.pipe(Effect.void, () => note("late outcome"))
          yield* self.timers.once("late", 0, note("late timer"))
          return "late answer"
        })
      yield* ask(late)
      yield* calm
      yield* ends[1]![1](world)
      yield* pass(100)
      trace()
      // The next incarnation handles a message when the old handler ends.
      const current = yield* ask(() => Effect.as(Effect.sleep(50), "current"))
      yield* calm
      world.note("behind")
      yield* latch.open
      yield* calm
      assert.strictEqual(trace(), "")
      yield* pass(50)
      assert.deepStrictEqual(yield* Fiber.join(current), Exit.succeed("current"))
      assert.strictEqual(trace(), "behind#2")
      assert.deepInclude(actor.inspect(), { incarnation: 2, accepted: 3, handled: 2, buried: 1 })
    }))

  const finalizers: Record<string, InnerOptions & { readonly program?: Program }> = {
    "a finalizer of the behaviour": { onStop: Effect.never },
    "a fork that cannot be interrupted": { onStart: (self) => self.fork(Effect.uninterruptible(Effect.never)) }
  }
  for (const [what, options] of Object.entries(finalizers)) {
    it.effect(`RFC S4 ${what} holds up neither a restart nor the end`, () =>
      Effect.gen(function*() {
        const { actor, ask } = yield* makeStubborn(options)
        yield* calm
        yield* ask(() => Effect.die("crash"))
        yield* calm
        yield* pass(99)
        assert.deepInclude(actor.inspect(), { phase: "ending", abandoned: 0 })
        yield* pass(1)
        assert.deepInclude(actor.inspect(), { phase: "running", abandoned: 1, incarnation: 2 })
        const stopping = yield* Effect.forkChild(actor.stop)
        yield* calm
        yield* pass(100)
        assert.isDefined(stopping.pollUnsafe())
        assert.deepInclude(actor.inspect(), { phase: "ended", abandoned: 2 })
      }))
  }

  it.effect("RFC S4 a behaviour that cannot be interrupted: its spawn fails, and what it acquires is released", () =>
    Effect.gen(function*() {
      const system = yield* Actor.ActorSystem.make()
      const latch = Latch.makeUnsafe()
      const log: Array<string> = []
      class Ping extends Request.TaggedClass("Ping")<{}, void> {}
      const definition = Actor.define<Ping>()("slow", {
        abandonAfter: 100,
        behaviour: () =>
          Effect.uninterruptible(Effect.gen(function*() {
            yield* latch.await
            yield* Effect.acquireRelease(Effect.sync(() => log.push("acquired")), () =>
              Effect.sync(() => log.push("released")))
            return {
              Ping: () =>
                Effect.void
            }
          }))
      })
      const spawning = yield* Effect.forkChild(Effect.scoped(system.root.spawn(definition)))
      yield* calm
      spawning.interruptUnsafe()
      yield* pass(99)
      assert.isUndefined(spawning.pollUnsafe())
      yield* pass(1)
      assert.isDefined(spawning.pollUnsafe())
      assert.lengthOf(system.root.inspect().children, 0)
      yield* latch.open
      yield* calm
      assert.deepStrictEqual(log, ["acquired", "released"])
    }))

  it.effect("RFC S4 a group is restarted though a member does not end", () =>
    Effect.gen(function*() {
      const { actor, ask, stubborn, system } = yield* makeStubborn({ strategy: "one_for_all" })
      class Crash extends Request.TaggedClass("Crash")<{}, void> {}
      const sibling = yield* system.root.spawn(
        Actor.define<Crash>()("sibling", { behaviour: () => Effect.succeed({ Crash: () => Effect.die("crash") }) })
      )
      const asking = yield* ask(() => stubborn)
      yield* calm
      sibling.tellUnsafe(new Crash())
      yield* pass(110)
      assert.deepStrictEqual([actor, sibling].map((ref) => ref.inspect().incarnation), [2, 2])
      assert.deepStrictEqual(
        yield* Fiber.join(asking),
        Exit.fail(new Actor.ActorRestarting({ actor: "root/inner" }))
      )
    }))

  it.effect("RFC S4 with Infinity the end waits, however long", () =>
    Effect.gen(function*() {
      const { actor, ask, latch, stubborn } = yield* makeStubborn({ abandonAfter: Infinity })
      yield* ask(() => stubborn)
      yield* calm
      yield* Effect.forkChild(actor.stop)
      yield* pass(86_400_000)
      assert.deepInclude(actor.inspect(), { phase: "running", abandoned: 0 })
      yield* latch.open
      yield* calm
      assert.strictEqual(actor.inspect().phase, "ended")
    }))

  it.effect("RFC S4 it is logged as an error", () => {
    const lines: Array<string> = []
    const logger = Logger.make<unknown, void>(({ cause, logLevel, message }) => {
      lines.push(`${logLevel} ${String(message)} ${cause.reasons.map((reason) => reason._tag).join()}`)
    })
    return Effect.gen(function*() {
      const { actor, ask, stubborn } = yield* makeStubborn()
      yield* ask(() => stubborn)
      yield* calm
      yield* Effect.forkChild(actor.stop)
      yield* pass(110)
      assert.lengthOf(lines, 1)
      assert.match(lines[0] ?? "", /^Error root\/inner was abandoned/)
    }).pipe(Effect.provide(Logger.layer([logger])))
  })

  it.effect("RFC S4 a finalizer that stops its own actor waits for nothing", () =>
    Effect.gen(function*() {
      const own: { ref?: Actor.ActorRef<Run> } = {}
      const { actor, ask } = yield* makeStubborn({ onStop: Effect.suspend(() => own.ref?.stop ?? Effect.void) })
      own.ref = actor
      yield* ask(() => Effect.die("crash"))
      yield* calm
      assert.deepInclude(actor.inspect(), { phase: "ended", abandoned: 0 })
    }))
})
