import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { writeWithRetries } from "../../../src/custody/coldstorage/Writer.ts"
import type { ColdStorageDecision } from "../../../src/domain/FailSafe.ts"
import { makeFakeEndpoint } from "./fakeEndpoint.ts"

/** The writer's parts, and what it reported to them. */
const opened = (decisions: Array<ColdStorageDecision> = [], config: object = {}) => {
  const fake = makeFakeEndpoint()
  const reported: Array<string> = []
  const parts = {
    config: { maxPendingCount: 1, retries: 2, retryDelayMs: 100, writeTimeoutMs: 1_000, ...config },
    endpoint: fake.endpoint,
    failSafe: { coldStorageFailed: () => Effect.sync(() => decisions.shift() ?? null) },
    tally: {
      countWrite: () => void reported.push("written"),
      reportLoss: (message: string, isAlert = true) => void reported.push(`${message}${isAlert ? "" : ", no alert"}`),
      onDeadLetter: () => undefined
    }
  }
  return { ...fake, reported, write: writeWithRetries(parts, { id: "a", envelope: Uint8Array.of(1) }) }
}

/** Runs it while time passes. */
const inTime = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.exit(effect), { startImmediately: true })
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

describe("writeWithRetries", () => {
  it.effect("RFC C1 counts one write, however many tries it took", () =>
    Effect.gen(function*() {
      const { attempts, faults, reported, write } = opened()
      faults.push("fails", "dies")
      assert.deepStrictEqual(yield* inTime(write), Exit.void)
      assert.deepStrictEqual(attempts, ["a", "a", "a"])
      assert.deepStrictEqual(reported, ["written"])
    }))

  it.effect("RFC C1 fails past its retries, and reports that once", () =>
    Effect.gen(function*() {
      const { attempts, faults, reported, write } = opened()
      faults.push("fails", "hangs", "fails")
      assert.isTrue(Exit.isFailure(yield* inTime(write)))
      assert.strictEqual(attempts.length, 3)
      assert.deepStrictEqual(reported, ["the disk is full"])
    }))

  it.effect("RFC F4 the host's decision stands in place of the number of retries", () =>
    Effect.gen(function*() {
      const retried = opened(["retry", "retry", "retry", "retry"], { retries: 0 })
      retried.faults.push("fails", "fails", "fails", "fails")
      assert.deepStrictEqual(yield* inTime(retried.write), Exit.void)
      assert.strictEqual(retried.attempts.length, 5)
      for (
        const [decision, report] of [["ignore", "the disk is full, no alert"], ["alert", "the disk is full"]] as const
      ) {
        const { attempts, faults, reported, write } = opened([decision])
        faults.push("fails")
        assert.isTrue(Exit.isFailure(yield* inTime(write)))
        assert.strictEqual(attempts.length, 1)
        assert.deepStrictEqual(reported, [report])
      }
    }))
})
