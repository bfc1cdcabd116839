/**
 * Tests how the developer's callbacks are called, and what their answers do.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { createTracehound } from "tracehound"
import { ActorSystem } from "../../../src/actor/ActorSystem.ts"
import { makeCallback } from "../../../src/safety/failsafe/Callback.ts"
import { make as makeCaller } from "../../../src/telemetry/Caller.ts"
import {
  actor,
  assertUnharmed,
  causes,
  config,
  fail,
  fresh,
  type Name,
  names,
  openWith,
  waitForHost
} from "./callbackCauses.ts"
import { hostTurns, never, openWorld, scent, take, turn } from "./world.ts"

describe("calls", () => {
  it.effect("RFC F4 come one after the other, in order, and no more wait than the queue's capacity", () =>
    Effect.gen(function*() {
      const order: Array<number> = []
      const ends: Array<() => void> = []
      let running = 0
      const world = yield* openWorld({
        config: { ...config, failSafe: { ...config.failSafe, callbackTimeoutMs: 1_000_000 } },
        callbacks: {
          onEscalate: async ({ timestamp }) => {
            running += 1
            assert.strictEqual(running, 1)
            order.push(timestamp)
            await new Promise<void>((resolve) => {
              ends.push(resolve)
            })
            running -= 1
          }
        }
      })
      for (let n = 0; n < 300; n++) {
        fail(world)
        yield* TestClock.adjust(10)
      }
      const { accepted, mailbox } = actor(world, "onEscalate")
      assert.deepStrictEqual([order.length, mailbox.pending, accepted], [1, 256, 256])
      assert.strictEqual(world.sync.state(), "running")
      while (ends.length > 0) {
        ends.shift()?.()
        yield* waitForHost
        yield* TestClock.adjust(1)
      }
      assert.strictEqual(order.length, 256)
      assert.deepStrictEqual(order, order.toSorted((a, b) => a - b))
      assert.strictEqual(actor(world, "onEscalate").mailbox.pending, 0)
    }))

  it.effect("RFC F4 S2 a call that finds no room is a dead letter, and its caller learns that there is no answer", () =>
    Effect.gen(function*() {
      const { deadLetters, root } = yield* ActorSystem.make()
      let calls = 0
      const answers: Array<unknown> = []
      const callback = yield* makeCallback<number, "yes">(root, {
        name: "onPanicThreshold",
        call: () => {
          calls += 1
          return "yes"
        },
        answers: ["yes"],
        caller: makeCaller(),
        timeout: 1_000,
        onTrouble: () => assert.fail("there is no trouble")
      })
      for (let n = 0; n < 300; n++) callback.callUnsafe(n, (answer) => answers.push(answer))
      assert.deepStrictEqual([calls, deadLetters.total()], [0, 44])
      assert.deepStrictEqual(answers, Array.from({ length: 44 }, () => null), "at once: it would wait for ever else")
      yield* Effect.repeat(Effect.andThen(waitForHost, TestClock.adjust(1)), { until: () => calls === 256, times: 100 })
      assert.deepStrictEqual(answers.filter((answer) => answer === "yes").length, 256)
    }))

  it.effect.each(names)("RFC F4 %s that hangs holds up no other", (hanging) =>
    Effect.gen(function*() {
      const calls: Array<Name> = []
      const callbacks = Object.fromEntries(names.map((name) => [name, () => {
        calls.push(name)
        return name === hanging ? never() : undefined
      }]))
      const world = yield* openWith(callbacks)
      yield* causes[hanging](world)
      yield* turn
      for (const name of names) {
        if (name === hanging) continue
        const before = calls.filter((called) => called === name).length
        yield* causes[name](world)
        yield* turn
        // Cold storage is one queue: while a failure waits for its answer, so does everything
        // behind.
        const isBehind = hanging === "onColdStorageFailure"
        if (!isBehind || name !== "onColdStorageFailure")
          assert.isAbove(calls.filter((called) => called === name).length, before, name)
      }
      yield* TestClock.adjust(1_000)
      assertUnharmed(world)
    }))
})

describe("onQuarantineFull", () => {
  const full = (answer: unknown, onQuarantineFull: "Purge" | "quarantine") =>
    Effect.gen(function*() {
      const asked: Array<number> = []
      const world = yield* openWorld({
        config: { ...config, failSafe: { ...config.failSafe, onQuarantineFull } },
        callbacks: {
          onQuarantineFull: ({ count }) => {
            asked.push(count)
            return answer as undefined
          }
        }
      })
      for (let n = 0; n < 3; n++) take(world, fresh(), "low")
      /** Whether the newcomer is held. */
      const isHeld = (): boolean => world.sync.quarantine.get(take(world, fresh(), "low")) !== null
      return { ...world, world, asked, isHeld }
    })

  it.effect.each(
    [
      ["turn_away", "Purge", true, false],
      ["evict", "quarantine", false, true],
      [undefined, "Purge", true, true],
      [undefined, "quarantine", false, false],
      ["panic", "quarantine", false, false]
    ] as const
  )("RFC F1 F4 the answer %s over the setting %s", ([answer, setting, before, after]) =>
    Effect.gen(function*() {
      const { asked, isHeld, sync, world } = yield* full(answer, setting)
      assert.strictEqual(isHeld(), before, "until there is an answer")
      assert.strictEqual(isHeld(), before)
      yield* turn
      assert.deepStrictEqual(asked, [3])
      assert.strictEqual(isHeld(), after)
      yield* turn
      assert.strictEqual(isHeld(), after)
      assert.deepStrictEqual(asked, [3], "asked once")
      assert.strictEqual(sync.quarantine.count, 3)
      // The answer held until now: once there is room again, the setting counts.
      sync.flush()
      for (let n = 0; n < 3; n++) assert.isTrue(isHeld())
      assert.strictEqual(isHeld(), before)
      yield* turn
      assert.deepStrictEqual(asked, [3, 3])
      assert.isTrue(world.sync.auditChain.verify())
    }))

  it.effect("RFC F4 an answer that comes when there is room again is ignored", () =>
    Effect.gen(function*() {
      let answer: (strategy: "turn_away") => void = () => undefined
      let asked = 0
      const world = yield* openWorld({
        config,
        callbacks: {
          onQuarantineFull: async () => {
            asked += 1
            return new Promise<"turn_away">((resolve) => {
              answer = resolve
            })
          }
        }
      })
      for (let n = 0; n < 4; n++) take(world, fresh(), "low")
      yield* turn
      world.sync.flush()
      take(world, fresh(), "low")
      answer("turn_away")
      yield* waitForHost
      yield* turn
      for (let n = 0; n < 2; n++) take(world, fresh(), "low")
      const newest = take(world, fresh(), "low")
      assert.isNotNull(world.sync.quarantine.get(newest))
      yield* turn
      assert.strictEqual(asked, 2)
    }))
})

interface Seen {
  readonly asked: number
  readonly written: number
  readonly deadLetters: number
  readonly types: ReadonlyArray<string>
  readonly errors: ReadonlyArray<string>
}

describe("onColdStorageFailure", () => {
  const failing = (answer: unknown, failures: number, retries: number) =>
    Effect.gen(function*() {
      const errors: Array<unknown> = []
      const world = yield* openWorld({
        config: { ...config, audit: { coldStorage: { endpoint: "file:memory", retries, retryDelayMs: 1 } } },
        callbacks: {
          onColdStorageFailure: (error) => {
            errors.push(error)
            return answer as undefined
          }
        }
      })
      yield* world.memory.failNext(failures)
      world.sync.evacuate(take(world, "evidence", "low"))
      for (let n = 0; n < 20; n++) yield* turn
      assert.isTrue(errors.every((error) => error instanceof Error))
      return {
        asked: errors.length,
        written: (yield* world.memory.written).length,
        deadLetters: world.sync.coldStorage.stats().deadLetters,
        types: (yield* world.types).map(String),
        errors: world.errors()
      }
    })
  const lost: Omit<Seen, "asked"> = {
    written: 0,
    deadLetters: 1,
    types: ["coldstorage.failure"],
    errors: ["coldstorage_failure"]
  }
  const saved: Omit<Seen, "asked"> = { written: 1, deadLetters: 0, types: [], errors: [] }

  it.effect.each(
    [
      ["retry", 0, { asked: 9, ...saved }],
      ["ignore", 9, { asked: 1, ...lost, types: [] }],
      ["alert", 9, { asked: 1, ...lost }],
      [undefined, 0, { asked: 1, ...lost }],
      [undefined, 3, { asked: 4, ...lost }],
      [undefined, 9, { asked: 9, ...saved }]
    ] as const
  )("RFC F4 the answer %s with %i retries", ([answer, retries, expected]) =>
    Effect.gen(function*() {
      const seen: Seen = yield* failing(answer, 9, retries)
      assert.deepStrictEqual(seen, expected)
    }))
})

describe("createTracehound", () => {
  it.each(names)("RFC F4 F5 %s may dispose of it, and wait for that", async (name) => {
    const rejections: Array<unknown> = []
    const listener = (reason: unknown): void => {
      rejections.push(reason)
    }
    process.on("unhandledRejection", listener)
    try {
      let disposed: Promise<void> | undefined
      const callback = async (): Promise<void> => {
        disposed ??= tracehound.dispose()
        await disposed
      }
      const tracehound = createTracehound(
        {
          hound: { enabled: false },
          quarantine: { maxCount: 1 },
          audit: { coldStorage: { endpoint: "file:/dev/null/nowhere", retries: 0 } },
          failSafe: {
            onQuarantineFull: "escalate",
            callbackTimeoutMs: 50,
            panic: { threshold: { min: 1, max: 1_000 } }
          }
        },
        { [name]: callback }
      )
      tracehound.intercept(scent("a", "low"))
      tracehound.intercept(scent("b", "low"))
      if (name === "onPurge" || name === "onColdStorageFailure") tracehound.panic()
      // Cold storage that cannot be opened is an answer of init, and of nothing else.
      await tracehound.init().catch(() => undefined)
      await hostTurns(() => disposed !== undefined, 100)
      await tracehound.dispose()
      if (name !== "onColdStorageFailure") assert.isDefined(disposed)
      const late = tracehound.intercept(scent("late"))
      assert.strictEqual(late.status === "error" ? late.error.code : late.status, "disposed")
      await hostTurns()
      assert.deepStrictEqual(rejections, [])
    } finally {
      process.off("unhandledRejection", listener)
    }
  })
})
