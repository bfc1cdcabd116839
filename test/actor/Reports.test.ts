/**
 * What would otherwise die in silence: crashes, failed restarts and finalizers, supervisors that
 * give up, answers that nobody waits for any more.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Logger, Tracer } from "effect"
import { CurrentLogAnnotations } from "effect/References"
import { TestClock } from "effect/testing"
import { ActorSystem, define } from "../../src/actor/index.ts"
import * as Caller from "../../src/telemetry/Caller.ts"
import { act, type Do, observeProbe, probe } from "./probe.ts"
import { calm, makeWorld } from "./supervised.ts"

/** Collects what is logged as `level path: text: the thrown value`. */
const collecting = () => {
  const lines: Array<string> = []
  const causes: Array<Cause.Cause<unknown>> = []
  const logger = Logger.make<unknown, void>(({ cause, fiber, logLevel, message }) => {
    causes.push(cause)
    const { actor } = fiber.getRef(CurrentLogAnnotations)
    const text = Array.isArray(message) ? message.join(" ") : String(message)
    lines.push(`${logLevel} ${String(actor)}: ${text}: ${String(Cause.squash(cause))}`)
  })
  return { causes, lines, withLogger: Effect.provide(Logger.layer([logger])) }
}

interface Line {
  readonly annotations: Readonly<Record<string, unknown>>
  readonly cause: string
  readonly span: Tracer.AnySpan | undefined
}

/** Collects lines with the span that each is written within, and all spans that were made. */
const observing = () => {
  const seen: Array<Line> = []
  const spans: Array<Tracer.NativeSpan> = []
  const logger = Logger.make<unknown, void>(({ cause, fiber }) => {
    const span = Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
    seen.push({ annotations: fiber.getRef(CurrentLogAnnotations), cause: Cause.pretty(cause), span })
  })
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const observed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(Effect.provide(Logger.layer([logger])), Effect.provideService(Tracer.Tracer, tracer))
  return { observed, seen, spans }
}

describe("a crash", () => {
  it.effect("RFC S3 is logged as an error, with its path and its whole cause", () => {
    const { causes, lines, withLogger } = collecting()
    return Effect.gen(function*() {
      const { child, crash } = yield* makeWorld({ intensity: 9 })
      yield* crash(yield* child("a"))
      assert.deepStrictEqual(lines, ["Error root/a: root/a crashed: Error: on purpose"])
      assert.include(Cause.pretty(causes[0] ?? Cause.empty), "supervised.ts", "with a stack")
    }).pipe(withLogger)
  })

  for (const how of ["throws", "garbage", "interrupts"] as const) {
    it.effect(`RFC S3 of a handler that ${how} is logged once`, () => {
      const { lines, withLogger } = collecting()
      return Effect.gen(function*() {
        const { actor } = yield* observeProbe()
        yield* Effect.exit(actor.ask(act(1, how)))
        yield* calm
        assert.lengthOf(lines, 1)
        assert.include(lines[0], "root/probe crashed")
      }).pipe(withLogger)
    })
  }

  it.effect("RFC S3 during the final drain is logged too", () => {
    const { lines, withLogger } = collecting()
    return Effect.gen(function*() {
      const { actor } = yield* observeProbe()
      actor.tellUnsafe(act(1, "dies"))
      yield* actor.stop
      assert.deepStrictEqual(lines, ["Error root/probe: root/probe crashed: Error: died of 1"])
    }).pipe(withLogger)
  })

  it.effect("RFC S3 shows its actor, incarnation and class, and its text escaped and cut, within the trace it came from", () => {
    const evil = `\u001b[31m\n    at forged (file:///x.ts:1:1)\n${"x".repeat(1_000)}`
    const { observed, seen, spans } = observing()
    return Effect.gen(function*() {
      const system = yield* ActorSystem.make({ intensity: 9 })
      const definition = define<Do>()("victim", {
        behaviour: () =>
          Effect.succeed({
            Do: ({ how }) => {
              const thrown = new TypeError(evil)
              if (how === "throws") throw thrown
              return Effect.suspend(() => Effect.die(thrown))
            }
          })
      })
      const victim = yield* system.root.spawn(definition)
      yield* Effect.withSpan(victim.tell(act(1)), "request")
      yield* calm
      victim.tellUnsafe(act(2))
      yield* calm
      yield* Effect.withSpan(victim.tell(act(3, "throws")), "throwing")
      yield* calm
      const [told, alone, throwing] = seen
      const handler = spans.find(({ name }) => name === "victim.Do")
      assert.deepInclude(told?.annotations, { actor: "root/victim", incarnation: 1, reason: "TypeError" })
      assert.strictEqual(told?.span, handler)
      assert.deepInclude(alone?.annotations, { incarnation: 2, reason: "TypeError" })
      assert.isUndefined(alone?.span)
      assert.deepInclude(throwing?.annotations, { incarnation: 3 })
      assert.strictEqual(throwing?.span?.spanId, spans.find(({ name }) => name === "throwing")?.spanId)
      const texts = seen.map(({ cause }) => cause)
      const { exit } = handler?.status._tag === "Ended" ? handler.status : assert.fail("the span is open")
      if (Exit.isFailure(exit)) texts.push(Cause.pretty(exit.cause))
      assert.lengthOf(texts, 4, "three lines and the span")
      for (const text of texts) {
        assert.match(text, /^TypeError: \\u\{1b\}\[31m\\u\{a\} {4}at forged/)
        assert.notMatch(text, /^ +at forged/m)
        assert.notInclude(text, "x".repeat(200))
        assert.include(text, "Reports.test.ts")
      }
    }).pipe(observed)
  })

  it.effect("RFC S3 of a message that was told outside of Effect is within its teller's span, and has the ids", () => {
    const { observed, seen, spans } = observing()
    return Effect.gen(function*() {
      const { actor } = yield* observeProbe()
      yield* Effect.withSpan(Effect.sync(() => actor.tellUnsafe(act(1, "dies"))), "request")
      yield* calm
      actor.tellUnsafe(act(2, "dies"))
      yield* calm
      const [told, alone] = seen
      const [request] = spans
      const { spanId, traceId } = request ?? assert.fail("it has no span")
      assert.lengthOf(spans, 1, "the handler has no span of its own")
      assert.strictEqual(told?.span, request)
      assert.deepStrictEqual(told?.annotations, {
        actor: "root/probe",
        incarnation: 1,
        reason: "Error",
        traceId,
        spanId
      })
      assert.isUndefined(alone?.span)
      assert.deepStrictEqual(alone?.annotations, { actor: "root/probe", incarnation: 2, reason: "Error" })
    }).pipe(observed)
  })

  it.effect("RFC S3 of a message that came from no call has no span, whatever the host takes to be current then", () => {
    const { observed, seen } = observing()
    let current: Tracer.AnySpan | undefined
    return Effect.gen(function*() {
      const system = yield* ActorSystem.make({ intensity: 9 })
      const second = yield* system.root.spawn(probe().definition)
      const definition = define<Do>()("first", {
        behaviour: () =>
          Effect.succeed({ Do: ({ id }) => Effect.sync(() => second.tellUnsafe(act(id, "dies")) ? id : 0) })
      })
      const first = yield* system.root.spawn(definition)
      first.tellUnsafe(act(1))
      // As AsyncLocalStorage has it: the span of whoever woke the actors.
      current = Tracer.externalSpan({ spanId: "b".repeat(16), traceId: "b".repeat(32) })
      yield* calm
      assert.isUndefined(seen[0]?.span)
      assert.lengthOf(seen, 1)
      second.tellUnsafe(act(2, "dies"))
      yield* calm
      assert.strictEqual(seen[1]?.span?.spanId, current.spanId, "a call's turn is the call's")
    }).pipe(observed, Effect.provideService(Caller.Caller, Caller.make(() => current)))
  })

  it.effect("RFC S3 that is one too many is logged by the supervisor as well", () => {
    const { lines, withLogger } = collecting()
    return Effect.gen(function*() {
      const { child, crash } = yield* makeWorld({ intensity: 0 })
      yield* crash(yield* child("a"))
      assert.lengthOf(lines, 2)
      assert.include(lines[1], "Error root: root gave up: Escalated")
    }).pipe(withLogger)
  })

  it.effect("RFC S3 a restart that fails is logged, a first start is its spawner's to tell", () => {
    const { lines, withLogger } = collecting()
    return Effect.gen(function*() {
      const { child, crash } = yield* makeWorld({ intensity: 9 })
      yield* Effect.flip(child("b", { onStart: () => Effect.fail("never") }))
      assert.deepStrictEqual(lines, [])
      const a = yield* child("a", { onStart: (n) => n === 2 ? Effect.fail("not yet") : Effect.void })
      yield* crash(a)
      assert.deepStrictEqual(lines, [
        "Error root/a: root/a crashed: Error: on purpose",
        "Error root/a: root/a could not be started: not yet"
      ])
    }).pipe(withLogger)
  })

  it.effect("RFC S3 normal ends, stops and closing log nothing", () => {
    const { lines, withLogger } = collecting()
    return Effect.gen(function*() {
      const { actor } = yield* observeProbe({ drain: 0 })
      actor.tellUnsafe(act(1, "stops"))
      actor.tellUnsafe(act(2, "fails"))
      actor.tellUnsafe(act(3, "never"))
      yield* calm
      yield* actor.stop
      assert.deepStrictEqual(lines, [])
    }).pipe(withLogger)
  })

  it.effect("RFC S3 a logger that throws costs its line, and no restart", () => {
    const logger = Logger.make<unknown, void>(() => {
      throw new Error("no log")
    })
    return Effect.gen(function*() {
      const { actor } = yield* observeProbe()
      actor.tellUnsafe(act(1, "dies"))
      assert.strictEqual(yield* actor.ask(act(2)), 2)
    }).pipe(Effect.provide(Logger.layer([logger])))
  })
})

describe("a finalizer that dies", () => {
  for (const end of ["is stopped", "crashes"] as const) {
    it.effect(`RFC S3 of an actor that ${end} is logged, and ends nothing else`, () => {
      const { lines, withLogger } = collecting()
      return Effect.gen(function*() {
        const { child, crash } = yield* makeWorld({ intensity: 9 })
        const a = yield* child("a", { onStop: Effect.die(new Error("cannot release")) })
        if (end === "crashes") yield* crash(a)
        else yield* a.stop
        const line = "Error root/a: root/a failed to release what it had acquired: Error: cannot release"
        assert.include(lines, line)
        assert.strictEqual(
          a.inspect().lastCrash?.message,
          end === "crashes" ? "Error: on purpose" : "Error: cannot release"
        )
        assert.strictEqual(a.inspect().phase, end === "crashes" ? "running" : "ended")
      }).pipe(withLogger)
    })
  }

  it.effect("RFC S3 of a behaviour that could not be built is logged", () => {
    const { lines, withLogger } = collecting()
    return Effect.gen(function*() {
      const { child } = yield* makeWorld({ intensity: 9 })
      const failing = {
        onStart: () => Effect.andThen(Effect.addFinalizer(() => Effect.die("twice")), Effect.fail("once"))
      }
      yield* Effect.flip(child("a", failing))
      assert.deepStrictEqual(lines, ["Error root/a: root/a failed to release what it had acquired: twice"])
    }).pipe(withLogger)
  })
})

describe("a typed failure", () => {
  it.effect("RFC S2 that comes after its asker's timeout is a dead letter", () =>
    Effect.gen(function*() {
      const { actor, buried } = yield* observeProbe({ suspended: true })
      const asking = yield* Effect.forkChild(Effect.flip(actor.ask(act(1, "fails"), { timeout: 5 })), {
        startImmediately: true
      })
      yield* TestClock.adjust(5)
      assert.include(String(yield* Fiber.join(asking)), "AskTimeout")
      yield* actor.resume
      yield* actor.settled
      assert.deepStrictEqual(buried, ["1 failed"])
      assert.deepInclude(actor.inspect(), { handled: 0, buried: 1 })
    }))

  for (const how of ["interrupted", "overtaken in a race", "timed out by Effect.timeout"] as const) {
    it.effect(`RFC S2 whose asker was ${how} is a dead letter; one that is heard is not`, () =>
      Effect.gen(function*() {
        const { actor, buried } = yield* observeProbe({ suspended: true })
        const asked = actor.ask(act(1, "fails"))
        const waiting = how === "interrupted"
          ? asked
          : how === "timed out by Effect.timeout"
          ? Effect.timeout(asked, 5)
          : Effect.raceFirst(asked, Effect.sleep(5))
        const asking = yield* Effect.forkChild(Effect.exit(waiting), { startImmediately: true })
        const heard = yield* Effect.forkChild(Effect.flip(actor.ask(act(2, "fails"))), { startImmediately: true })
        if (how === "interrupted") yield* Fiber.interrupt(asking)
        yield* TestClock.adjust(5)
        yield* Fiber.await(asking)
        yield* actor.resume
        assert.strictEqual(yield* Fiber.join(heard), "no 2")
        yield* actor.settled
        assert.deepStrictEqual(buried, ["1 failed"])
      }))
  }
})
