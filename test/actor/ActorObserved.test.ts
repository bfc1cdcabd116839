/**
 * An actor from outside: suspending, closing, its account of messages, its spans and metrics, and
 * systems that are built by runSync.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, ManagedRuntime, Metric, Request, Scope, Tracer } from "effect"
import { TestClock } from "effect/testing"
import * as Actor from "../../src/actor/index.ts"
import { random, Seed } from "../support/random.ts"
import { act, type Do, type How, ids, isBalanced, mailboxes, observeProbe, probe } from "./probe.ts"

const fork = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(effect, { startImmediately: true })
const turns = (count: number) => Effect.forEach(ids(0, count), () => Effect.yieldNow, { discard: true })

describe("suspending", () => {
  it.effect("RFC S1 suspend holds messages from the next one on, resume handles them, in order", () =>
    Effect.gen(function*() {
      const { actor, begun } = yield* observeProbe()
      actor.tellUnsafe(act(0, "slow"))
      actor.tellUnsafe(act(1))
      yield* Effect.yieldNow
      yield* actor.suspend
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(begun, [0], "the message at hand is handled to its end")
      actor.tellUnsafe(act(2))
      yield* turns(5)
      assert.deepStrictEqual([begun, actor.pendingUnsafe(), actor.inspect().suspended], [[0], 2, true])
      yield* actor.resume
      assert.deepStrictEqual(begun, [0], "not on the turn of whoever resumes it")
      yield* actor.settled
      assert.deepStrictEqual(begun, [0, 1, 2])
      yield* actor.resume
      assert.isFalse(actor.inspect().suspended)
    }))

  it.effect("RFC S1 an actor defined as suspended waits for the first resume; suspended again at once, it still waits", () =>
    Effect.gen(function*() {
      const { actor, begun } = yield* observeProbe({ suspended: true })
      actor.tellUnsafe(act(0))
      yield* turns(5)
      yield* Effect.andThen(actor.resume, actor.suspend)
      yield* turns(5)
      assert.deepStrictEqual(begun, [])
      yield* actor.resume
      yield* actor.settled
      assert.deepStrictEqual(begun, [0])
    }))

  it.effect("RFC S4 settled returns at once if nothing is pending, and otherwise waits for the last message", () =>
    Effect.gen(function*() {
      const { actor, begun } = yield* observeProbe()
      yield* actor.settled
      for (const id of ids(0, 3)) actor.tellUnsafe(act(id, "slow"))
      const waiting = [yield* fork(actor.settled), yield* fork(actor.settled)]
      yield* TestClock.adjust(29)
      assert.deepStrictEqual(waiting.map((fiber) => fiber.pollUnsafe()), [undefined, undefined])
      yield* TestClock.adjust(1)
      for (const fiber of waiting) yield* Fiber.join(fiber)
      assert.deepStrictEqual(begun, [0, 1, 2])
    }))

  it.effect("RFC S4 when settled returns, all dead letters are recorded", () =>
    Effect.gen(function*() {
      const { actor, buried, system } = yield* observeProbe({ suspended: true })
      for (const id of ids(0, 5)) actor.tellUnsafe(act(id))
      const waiting = yield* fork(Effect.map(actor.settled, () => [buried.length, system.deadLetters.total()]))
      yield* actor.stop
      assert.deepStrictEqual(yield* Fiber.join(waiting), [5, 5])
    }))
})

describe("closing", () => {
  const spawned = Effect.fnUntraced(function*(options: Parameters<typeof probe>[0] = {}) {
    const system = yield* Actor.ActorSystem.make({ intensity: 100 })
    const scope = yield* Scope.make()
    const observed = probe(options)
    const actor = yield* Scope.provide(system.root.spawn(observed.definition), scope)
    return { ...observed, actor, close: Scope.close(scope, Exit.void), system }
  })

  it.effect("RFC S4 if the asker closes the scope on the turn of the answer, the rest is still drained", () =>
    Effect.gen(function*() {
      for (const how of ["exit", "ok", "slow"] as const) {
        const { actor, begun, buried, close, lives, system } = yield* spawned()
        const asking = yield* fork(Effect.andThen(actor.ask(act(0, how)), close))
        for (const id of ids(1, 4)) actor.tellUnsafe(act(id, how))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(asking)
        assert.deepStrictEqual([begun, buried, lives], [ids(0, 4), [], ["+1", "-1"]], how)
        assert.strictEqual(system.inspect().children.length, 0)
      }
    }))

  for (const wait of [Effect.void, Effect.yieldNow, Effect.sleep(1)]) {
    it.effect("RFC S4 a handler that closes the scope of its own actor does not wait for itself for ever", () =>
      Effect.gen(function*() {
        const system = yield* Actor.ActorSystem.make()
        const scope = yield* Scope.make()
        const ends: Array<string> = []
        const definition = Actor.define<Do>()("closer", {
          onDeadLetter: ({ id }, reason) => {
            ends.push(`${id} ${reason}`)
          },
          behaviour: () =>
            Effect.succeed({
              Do: ({ id }) => wait.pipe(Effect.andThen(Scope.close(scope, Exit.void)), Effect.as(id))
            })
        })
        const actor = yield* Scope.provide(system.root.spawn(definition), scope)
        const asking = yield* fork(actor.ask(act(1)))
        actor.tellUnsafe(act(2))
        yield* TestClock.adjust("1 minute")
        yield* turns(5)
        assert.deepStrictEqual(asking.pollUnsafe(), Exit.succeed(1))
        assert.strictEqual(actor.inspect().phase, "ended")
        assert.isTrue(isBalanced(actor.inspect()))
        assert.strictEqual(actor.pendingUnsafe(), 0)
        assert.deepStrictEqual(ends, [])
      }))
  }

  it.effect("RFC S4 messages left at the deadline are dead letters, and their asks fail", () =>
    Effect.gen(function*() {
      const { actor, buried, close, lives } = yield* spawned({ drain: 100 })
      const askers = yield* Effect.forEach([act(0), act(1, "never"), act(2)], (message) => fork(actor.ask(message)))
      yield* Effect.yieldNow
      const closing = yield* fork(close)
      assert.isFalse(actor.tellUnsafe(act(3)))
      yield* TestClock.adjust(99)
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      const exits = yield* Effect.forEach(askers, (fiber) => Fiber.await(fiber))
      const stopped = Exit.fail(new Actor.ActorStopped({ actor: actor.path }))
      assert.deepStrictEqual(exits, [Exit.succeed(0), stopped, stopped])
      assert.deepStrictEqual(buried, ["3 closed", "1 stopped", "2 stopped"])
      assert.deepStrictEqual(lives, ["+1", "-1"])
    }))
})

describe("refusal, weight and account", () => {
  const kinds = ["ok", "exit", "fails", "dies", "throws", "garbage", "interrupts", "slow", "stops"] as const
  const spec = (kind: Actor.MailboxSpec["kind"], bounds: { capacity: number; maxWeight: number }) =>
    mailboxes[kind](bounds)

  it.effect.prop(
    "RFC S2 refusalUnsafe agrees with tellUnsafe, the bounds hold and the account is balanced at every moment",
    { seed: Seed },
    ({ seed }) =>
      Effect.gen(function*() {
        const { below, pick } = random(seed)
        const capacity = 1 + below(5)
        const maxWeight = 5 + below(10)
        const mailbox = spec(pick(["fifo", "lanes", "sliding", "dropping"]), { capacity, maxWeight })
        const { actor, buried, system } = yield* observeProbe({ mailbox, drain: 0 })
        const look = () => {
          assert.isTrue(isBalanced(actor.inspect()), JSON.stringify(actor.inspect()))
          assert.isAtMost(actor.weightUnsafe(), maxWeight)
          assert.isAtMost(actor.pendingUnsafe(), mailbox.kind === "lanes" ? 4 * capacity : capacity)
          assert.strictEqual(system.deadLetters.total(), buried.length)
        }
        for (let step = 0; step < 60; step++) {
          if (below(3) === 0) yield* Effect.yieldNow
          if (below(6) === 0) yield* TestClock.adjust(below(12))
          if (below(12) === 0) yield* pick([actor.suspend, actor.resume])
          look()
          const weight = below(8)
          const lane = pick(Actor.laneOrder)
          const foretold = actor.refusalUnsafe(weight, lane)
          assert.strictEqual(actor.tellUnsafe(act(step, pick(kinds), weight), lane), foretold === null)
          if (foretold !== null) assert.strictEqual(buried.at(-1), `${step} ${foretold}`)
          look()
        }
        yield* actor.stop
        look()
        assert.strictEqual(actor.refusalUnsafe(), "closed")
        assert.deepStrictEqual([actor.pendingUnsafe(), actor.weightUnsafe()], [0, 0])
        for (const held of Object.values(actor.inspect().mailbox.lanes ?? {})) assert.strictEqual(held, 0)
      }),
    { arbitrary: { runs: 150 } }
  )

  it.effect("RFC R5 inspect is plain data at every moment of a life", () =>
    Effect.gen(function*() {
      const { actor, system } = yield* observeProbe({ mailbox: Actor.lanes({ capacity: 2 }), drain: 0 })
      const look = () => {
        const seen = system.inspect()
        assert.deepStrictEqual(structuredClone(seen), seen)
        assert.deepStrictEqual(JSON.parse(JSON.stringify(seen)), seen)
        assert.deepStrictEqual(seen.children[0], actor.inspect())
      }
      look()
      for (const how of ["dies", "garbage", "never"] satisfies Array<How>) {
        actor.tellUnsafe(act(1, how))
        look()
        yield* turns(10)
        look()
      }
      yield* actor.stop
      assert.deepStrictEqual(system.inspect().children, [])
      const { incarnation, lastCrash, name, path, phase } = actor.inspect()
      assert.deepStrictEqual([name, path, phase, incarnation], ["probe", "root/probe", "ended", 3])
      assert.include(lastCrash?.message, "Not a valid effect")
      assert.deepStrictEqual(structuredClone(actor.inspect()), actor.inspect())
    }))
})

describe("spans and metrics", () => {
  const capture = () => {
    const spans: Array<Tracer.NativeSpan> = []
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      }
    })
    return { spans, withTracer: Effect.provideService(Tracer.Tracer, tracer) }
  }

  it.effect("a handler's span is a root of its own with a link to the caller's; told unsafely it has none", () =>
    Effect.gen(function*() {
      const { spans, withTracer } = capture()
      yield* Effect.gen(function*() {
        const { actor } = yield* Effect.withSpan(observeProbe(), "spawning")
        yield* Effect.withSpan(actor.ask(act(1)), "asking")
        yield* Effect.withSpan(actor.tell(act(2)), "telling")
        yield* actor.ask(act(3))
        actor.tellUnsafe(act(4))
        yield* Effect.withSpan(Effect.sync(() => actor.tellUnsafe(act(5))), "unsafe")
        yield* Effect.withSpan(Effect.ignore(actor.ask(act(6, "dies"))), "crashing")
        yield* actor.settled
        const named = (name: string) => spans.find((span) => span.name === name)
        const handlers = spans.filter(({ name }) => name === "probe.Do")
        assert.deepStrictEqual(
          handlers.map(({ links }) => links.map(({ span }) => span.spanId)),
          ["asking", "telling", "crashing"].map((name) => [named(name)?.spanId ?? "none"])
        )
        for (const span of handlers) {
          assert.strictEqual(span.parent._tag, "None")
          assert.strictEqual(span.kind, "consumer")
          assert.notStrictEqual(span.traceId, named("spawning")?.traceId)
          assert.strictEqual(span.attributes.get("actor"), actor.path)
          assert.strictEqual(span.status._tag, "Ended")
        }
      }).pipe(withTracer)
    }))

  it.effect("metrics count by definition, in the registry of the system", () =>
    Effect.gen(function*() {
      for (const count of [2, 3]) {
        yield* Effect.gen(function*() {
          const first = yield* observeProbe({ name: "counted", mailbox: Actor.fifo({ capacity: 2 * count }) })
          const second = yield* first.system.root.spawn(first.definition)
          for (const actor of [first.actor, second]) {
            for (const id of ids(0, count)) actor.tellUnsafe(act(id))
            for (const id of ids(0, count - 1)) actor.tellUnsafe(act(id, "fails"))
            actor.tellUnsafe(act(9, "dies"))
            actor.tellUnsafe(act(10))
            yield* actor.settled
            yield* turns(5)
          }
          const snapshots = yield* Metric.snapshot
          const value = (id: string, reason?: string) =>
            snapshots.flatMap((one) =>
              one.id === id && (one.type === "Counter" || one.type === "Gauge") && one.attributes?.["reason"] === reason
                && one.attributes?.["actor"] === "counted"
                ? [Number(one.type === "Counter" ? one.state.count : one.state.value)]
                : []
            )
          assert.deepStrictEqual(value("tracehound.actor.messages.handled"), [2 * count])
          assert.deepStrictEqual(value("tracehound.actor.dead_letters", "failed"), [2 * (count - 1)])
          assert.deepStrictEqual(value("tracehound.actor.dead_letters", "crashed"), [2])
          assert.deepStrictEqual(value("tracehound.actor.dead_letters", "full"), [2])
          assert.deepStrictEqual(value("tracehound.actor.restarts"), [2])
          assert.deepStrictEqual(value("tracehound.actor.mailbox.depth"), [0])
        }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
      }
    }))
})

describe("pending messages, as a metric", () => {
  const pending = Effect.map(
    Metric.snapshot,
    (snapshots) =>
      snapshots.flatMap((one) =>
        one.id === "tracehound.actor.mailbox.depth" && one.type === "Gauge" && one.attributes?.["actor"] === "counted"
          ? [Number(one.state.value)]
          : []
      )
  )
  const roomy = { name: "counted", mailbox: Actor.fifo({ capacity: 2_000 }), drain: 0 }

  it.effect("shows what waits behind a handler that hangs", () =>
    Effect.gen(function*() {
      const { actor } = yield* observeProbe(roomy)
      actor.tellUnsafe(act(0, "never"))
      yield* turns(3)
      assert.deepStrictEqual(yield* pending, [1])
      for (const id of ids(0, 1_000)) actor.tellUnsafe(act(id))
      yield* turns(3)
      assert.deepStrictEqual(yield* pending, [1_001])
      yield* actor.stop
      assert.deepStrictEqual(yield* pending, [0])
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("is the sum over all actors of the definition, in whatever system", () =>
    Effect.gen(function*() {
      const first = yield* observeProbe(roomy)
      const second = yield* first.system.root.spawn(first.definition)
      const other = yield* observeProbe(roomy)
      const actors = [first.actor, second, other.actor]
      for (const [n, actor] of actors.entries()) {
        actor.tellUnsafe(act(0, "never"))
        for (const id of ids(0, n)) actor.tellUnsafe(act(id))
      }
      yield* turns(3)
      assert.deepStrictEqual(yield* pending, [1 + 2 + 3])
      yield* second.stop
      assert.deepStrictEqual(yield* pending, [1 + 3])
      for (const actor of actors) yield* actor.stop
      assert.deepStrictEqual(yield* pending, [0])
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  for (const state of ["is suspended", "waits for its restart"] as const) {
    it.effect(`shows what is told to an actor that ${state}`, () =>
      Effect.gen(function*() {
        const { actor } = yield* observeProbe({
          ...roomy,
          suspended: state === "is suspended",
          ...(state === "waits for its restart" ? { backoff: { base: "1 minute" } } : {})
        })
        if (state !== "is suspended") actor.tellUnsafe(act(0, "dies"))
        yield* turns(5)
        yield* actor.suspend
        for (const id of ids(1, 8)) actor.tellUnsafe(act(id))
        yield* turns(3)
        assert.deepStrictEqual(yield* pending, [7])
      }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
  }

  it.effect("goes down message by message, if each takes its time", () =>
    Effect.gen(function*() {
      const { actor } = yield* observeProbe(roomy)
      for (const id of ids(0, 5)) actor.tellUnsafe(act(id, "slow"))
      const seen: Array<number> = []
      for (let time = 0; time <= 5; time++) {
        yield* turns(3)
        seen.push(...yield* pending)
        yield* TestClock.adjust(10)
      }
      assert.deepStrictEqual(seen, [5, 4, 3, 2, 1, 0])
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
})

describe("systems built by runSync", () => {
  class Again extends Request.TaggedClass("Again")<{}, void> {}
  /** Sends itself messages until it is enough. Its handlers return Exits, so it never suspends. */
  const restless = (isEnough: () => boolean) => {
    let rounds = 0
    const definition = Actor.define<Again>()("restless", {
      behaviour: ({ ref }) =>
        Effect.succeed({
          Again: () => {
            rounds += 1
            if (!isEnough() && rounds < 300_000) ref.tellUnsafe(new Again())
            return Exit.void
          }
        })
    })
    return { definition, rounds: () => rounds }
  }
  const nextTurn = () =>
    new Promise<void>((resolve) => {
      setImmediate(resolve)
    })

  const edges: Record<string, (scope: Scope.Scope) => Promise<Actor.ActorSystem["Service"]>> = {
    "Effect.runSync": async (scope) => Effect.runSync(Scope.provide(Actor.ActorSystem.make(), scope)),
    "ManagedRuntime.runSync": async (scope) => {
      const runtime = ManagedRuntime.make(Actor.ActorSystem.layer())
      await Effect.runPromise(Scope.addFinalizer(scope, runtime.disposeEffect))
      return runtime.runSync(Actor.ActorSystem)
    }
  }
  for (const [edge, make] of Object.entries(edges)) {
    it(`RFC S1 a system built by ${edge} handles messages, and leaves the event loop its turn`, async () => {
      const scope = Effect.runSync(Scope.make())
      const system = await make(scope)
      let enough = false
      const { definition, rounds } = restless(() => enough)
      const actor = Effect.runSync(Scope.provide(system.root.spawn(definition), scope))
      const plain = probe()
      const other = Effect.runSync(Scope.provide(system.root.spawn(plain.definition), scope))
      assert.isTrue(actor.tellUnsafe(new Again()))
      assert.strictEqual(rounds(), 0)
      for (let turn = 0; turn < 3; turn++) await nextTurn()
      assert.strictEqual(await Effect.runPromise(other.ask(act(1))), 1, "another actor has its turn too")
      enough = true
      await Effect.runPromise(actor.settled)
      assert.isBelow(rounds(), 300_000)
      assert.isAbove(rounds(), 1)
      // A crash is handled there too: the actor is restarted, on a later turn.
      other.tellUnsafe(act(2, "throws"))
      assert.strictEqual(await Effect.runPromise(other.ask(act(3))), 3)
      assert.deepStrictEqual(plain.lives, ["+1", "-1", "+2"])
      await Effect.runPromise(Scope.close(scope, Exit.void))
      assert.deepStrictEqual(plain.lives, ["+1", "-1", "+2", "-2"])
      assert.strictEqual(actor.inspect().phase, "ended")
    })
  }
})
