/**
 * Tests what leads to a panic, and that a panic gracefully shuts down Tracehound's own work and
 * nothing else.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Tracehound } from "tracehound"
import { TracehoundTest } from "tracehound/testing"
import type { PanicAction, PanicContext } from "../../../src/domain/FailSafe.ts"
import { Panic } from "../../../src/safety/failsafe/Panic.ts"
import { departures, openWorld, scent, take, turn, type World, type WorldOptions } from "./world.ts"

/** A world whose `fail` causes errors that count towards a panic. */
const failing = (options: WorldOptions = {}) =>
  Effect.map(
    openWorld({
      ...options,
      config: { failSafe: { onEncodeError: "escalate", ...options.config?.failSafe }, ...options.config }
    }),
    (world) => {
      const signature = take(world, "evidence", "low")
      return {
        ...world,
        fail: (times = 1): void => {
          world.broken.compressing = true
          for (let n = 0; n < times; n++) assert.isNull(world.sync.evacuate(signature))
        }
      }
    }
  )

/** A world whose `onPanicThreshold` gives this answer, and the contexts that it was asked with. */
const answering = (answer: PanicAction | undefined) => {
  const asked: Array<PanicContext> = []
  return Effect.map(
    failing({
      callbacks: {
        onPanicThreshold: (context) => {
          asked.push(context)
          return answer
        }
      }
    }),
    (world) => ({ ...world, asked })
  )
}

const signatures = (world: Pick<World, "sync">): ReadonlyArray<string> =>
  world.sync.auditChain.records().map(({ entry }) => entry.signature)

describe("the threshold", () => {
  it.effect("RFC F2 without a callback nothing happens at the minimum, and the tenth error within a window panics", () =>
    Effect.gen(function*() {
      const { fail, sync } = yield* failing()
      fail(9)
      yield* turn
      assert.strictEqual(sync.state(), "running")
      fail()
      assert.strictEqual(sync.state(), "panicked", "at once, on the turn of the error")
    }))

  it.effect("RFC F2 the host is asked at the minimum, once, and told why", () =>
    Effect.gen(function*() {
      const { asked, fail } = yield* answering(undefined)
      yield* TestClock.setTime(1_000)
      fail(2)
      yield* turn
      assert.deepStrictEqual(asked, [])
      fail(1)
      assert.deepStrictEqual(asked, [], "not on the turn of the error")
      yield* turn
      fail(6)
      yield* turn
      assert.deepStrictEqual(
        asked.map(({ cause, error, errors, timestamp, window }) => [cause, error?.code, errors, timestamp, window]),
        [["threshold", "encode_error", 3, 1_010, 60_000]]
      )
    }))

  it.effect.each([undefined, "custom", "escalate"] as const)(
    "RFC F2 at the maximum it panics in spite of %s",
    (answer) =>
      Effect.gen(function*() {
        const { alerts, asked, fail, sync } = yield* answering(answer)
        fail(3)
        yield* turn
        const critical = (yield* alerts).filter(({ severity }) => severity === "critical")
        assert.deepStrictEqual(
          critical.map(({ type }) => type),
          answer === "escalate" ? ["failsafe.escalated"] : []
        )
        fail(6)
        yield* turn
        assert.strictEqual(sync.state(), "running")
        fail()
        assert.strictEqual(sync.state(), "panicked")
        assert.strictEqual(asked.length, 1)
      })
  )

  it.effect("RFC F2 the answer panic panics at the minimum", () =>
    Effect.gen(function*() {
      const { fail, sync } = yield* answering("panic")
      fail(2)
      yield* turn
      assert.strictEqual(sync.state(), "running")
      fail()
      assert.strictEqual(sync.state(), "running", "the answer has not come yet")
      yield* turn
      assert.strictEqual(sync.state(), "panicked")
    }))

  it.effect("RFC F2 the answer reset forgets the errors: it takes as many again, also past the maximum", () =>
    Effect.gen(function*() {
      const { asked, fail, sync } = yield* answering("reset")
      for (let n = 1; n <= 20; n++) {
        fail(3)
        yield* turn
        assert.strictEqual(asked.length, n)
      }
      assert.strictEqual(sync.state(), "running")
      assert.deepStrictEqual(asked.map(({ errors }) => errors), Array.from({ length: 20 }, () => 3))
      // No answer comes between errors of one turn.
      fail(10)
      assert.strictEqual(sync.state(), "panicked")
      yield* turn
      assert.strictEqual(sync.state(), "panicked", "an answer that comes too late takes nothing back")
    }))

  it.effect.each([[59_999, "panicked"], [60_000, "running"]] as const)(
    "RFC F2 an error that is %i ms old: %s",
    ([age, state]) =>
      Effect.gen(function*() {
        const { fail, sync } = yield* failing()
        fail(1)
        yield* TestClock.adjust(1)
        fail(8)
        yield* TestClock.adjust(age - 1)
        fail(1)
        assert.strictEqual(sync.state(), state)
      })
  )

  it.effect("RFC F2 errors that are spread over windows never add up", () =>
    Effect.gen(function*() {
      const { fail, sync } = yield* failing()
      for (let n = 0; n < 200; n++) {
        fail()
        yield* TestClock.adjust(6_700)
      }
      assert.strictEqual(sync.state(), "running")
      fail(2)
      assert.strictEqual(sync.state(), "panicked")
    }))
})

describe("a panic", () => {
  it.effect("RFC F3 all evidence goes to cold storage in the order of eviction, each with a record, and the chain closes", () =>
    Effect.gen(function*() {
      const purged: Array<string> = []
      const world = yield* openWorld({
        callbacks: {
          onPurge: ({ reason, scent }) => {
            purged.push(`${reason} ${scent.payloadHash}`)
          }
        }
      })
      const { memory, sync } = world
      const low = take(world, "a", "low")
      const high = take(world, "b", "high")
      const medium = take(world, "c", "medium")
      assert.deepStrictEqual([sync.state(), sync.auditChain.closed], ["running", false])
      sync.panic()
      assert.deepStrictEqual([sync.state(), sync.auditChain.closed], ["panicked", false])
      yield* turn
      assert.deepStrictEqual(signatures(world), [low, medium, high])
      assert.deepStrictEqual(departures(world), Array.from({ length: 3 }, () => "purged panic file:memory"))
      assert.deepStrictEqual(
        (yield* memory.written).map(({ name }) => name),
        sync.auditChain.records().map(({ entry }) => entry.id)
      )
      assert.deepStrictEqual(purged, [low, medium, high].map((signature) => `panic ${signature.split(":")[1] ?? ""}`))
      assert.deepStrictEqual([sync.auditChain.closed, sync.auditChain.verify()], [true, true])
      assert.deepStrictEqual(yield* world.types, [
        "failsafe.panic",
        "evidence.purged",
        "evidence.purged",
        "evidence.purged"
      ])
      assert.deepStrictEqual(world.errors(), ["panicked"])
    }))

  it.effect("RFC F3 nothing is appended afterwards, whatever is called, and panicking twice is panicking once", () =>
    Effect.gen(function*() {
      const world = yield* openWorld()
      const { sync } = world
      const result = sync.intercept(scent("a", "low"))
      sync.panic()
      sync.panic()
      yield* turn
      const { lastHash, length } = sync.auditChain
      assert.strictEqual(length, 1)
      sync.panic()
      sync.intercept(scent("b"))
      assert.deepStrictEqual(sync.flush(), [])
      if (result.status !== "quarantined") assert.fail(result.status)
      const { handle } = result
      assert.isNull(sync.neutralize(handle.signature))
      assert.isNull(sync.evacuate(handle.signature))
      assert.isNull(sync.quarantine.get(handle.signature))
      assert.isTrue(handle.disposed)
      yield* turn
      assert.deepStrictEqual([sync.auditChain.lastHash, sync.auditChain.length], [lastHash, length])
      assert.strictEqual((yield* world.types).filter((type) => type === "failsafe.panic").length, 1)
    }))

  it.effect("RFC F3 a fiber that waits for a panic is told why there was one", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(5_000)
      const { panicked, sync } = yield* Tracehound
      const waiting = yield* Effect.forkChild(panicked, { startImmediately: true })
      sync.panic()
      assert.deepStrictEqual(yield* Fiber.join(waiting), {
        cause: "request",
        error: null,
        errors: 0,
        window: 60_000,
        timestamp: 5_000
      })
      assert.strictEqual((yield* panicked).cause, "request")
    }).pipe(Effect.provide(TracehoundTest.layer())))

  it.effect("RFC F3 every intercept is answered with the same frozen error, from the turn of the panic on", () =>
    Effect.gen(function*() {
      const { sync } = yield* openWorld()
      sync.panic()
      const first = sync.intercept(scent("a"))
      assert.strictEqual(first.status, "error")
      if (first.status === "error") {
        assert.deepInclude(first.error, { state: "agent", code: "panicked", recoverable: false })
        assert.isTrue(Object.isFrozen(first) && Object.isFrozen(first.error))
      }
      const { threat: _, ...clean } = scent("b")
      const trap = new Proxy(scent("c"), {
        get: () => {
          throw new Error("nobody looks at it")
        }
      })
      for (const any of [scent("a"), clean, trap, JSON.parse("null")]) assert.strictEqual(sync.intercept(any), first)
      const errors = sync.watcher.snapshot().errors.length
      for (let n = 0; n < 1_000; n++) sync.intercept(scent(n))
      assert.strictEqual(sync.watcher.snapshot().errors.length, errors)
      assert.strictEqual(sync.quarantine.count, 0)
    }))

  it.effect("RFC F3 calls on the turn of the panic are harmless, and evidence that they removed is not purged again", () =>
    Effect.gen(function*() {
      const world = yield* openWorld()
      const { sync } = world
      const a = take(world, "a", "low")
      const b = take(world, "b", "low")
      take(world, "c", "low")
      sync.panic()
      assert.strictEqual(sync.neutralize(a)?.status, "neutralized")
      assert.strictEqual(sync.evacuate(b)?.status, "evacuated")
      yield* turn
      assert.deepStrictEqual(departures(world), ["neutralized", "evacuated", "purged panic file:memory"])
      assert.strictEqual((yield* world.memory.written).length, 2)
      assert.isTrue(sync.auditChain.closed && sync.auditChain.verify())
    }))

  it.effect("RFC F3 without cold storage evidence stays in custody, and can still be neutralized", () =>
    Effect.gen(function*() {
      const world = yield* openWorld({ coldStorage: false })
      const { sync } = world
      const a = take(world, "a", "low")
      take(world, "b", "low")
      sync.panic()
      yield* turn
      assert.deepStrictEqual([sync.quarantine.count, sync.auditChain.closed, sync.auditChain.length], [2, false, 0])
      assert.strictEqual(sync.neutralize(a)?.status, "neutralized")
      assert.isFalse(sync.auditChain.closed)
      assert.strictEqual(sync.flush().length, 1)
      assert.isTrue(sync.auditChain.closed && sync.auditChain.verify())
    }))

  it.effect("RFC F3 a hound that is at work when the panic begins may end in any way", () =>
    Effect.gen(function*() {
      const world = yield* openWorld({ config: { failSafe: { onTimeout: "Purge", onHoundError: "Purge" } } })
      yield* world.hounds.next("hang")
      take(world, "a")
      yield* turn
      world.sync.panic()
      yield* TestClock.adjust(6_000)
      assert.deepStrictEqual(departures(world), ["purged panic file:memory"])
      assert.deepStrictEqual(world.errors(), ["panicked", "hound_timeout"])
    }))
})

describe("the panic by itself", () => {
  const context: PanicContext = { cause: "request", error: null, errors: 0, window: 1, timestamp: 2 }

  it.effect("RFC F3 happens once: one alert, one error, each listener once, whatever a listener throws", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const panic = new Panic({
        alertUnsafe: ({ type }) => void log.push(type),
        errorUnsafe: ({ code }) => void log.push(code)
      })
      panic.onPanic(() => {
        throw new Error("the listener's mistake")
      })
      panic.onPanic(({ cause }) => void log.push(`heard ${cause}`))
      const waiting = yield* Effect.forkChild(panic.happened, { startImmediately: true })
      assert.isFalse(panic.hasHappened)
      panic.beginUnsafe(context)
      panic.beginUnsafe({ ...context, cause: "threshold" })
      assert.isTrue(panic.hasHappened)
      assert.deepStrictEqual(log, ["panicked", "failsafe.panic", "heard request"])
      assert.strictEqual(yield* Fiber.join(waiting), context)
      assert.strictEqual(yield* panic.happened, context)
    }))
})
