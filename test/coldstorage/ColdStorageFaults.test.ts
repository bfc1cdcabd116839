import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Compression, CompressionError } from "../../src/port/Compression.ts"
import * as NodeCompression from "../../src/node/NodeCompression.ts"
import { delivery, openStore } from "./stores.ts"

const failure = "critical coldstorage.failure"

describe("an endpoint that fails", () => {
  it.effect("RFC C1 is tried again as often as configured, after the delay that is configured", () =>
    Effect.gen(function*() {
      const { alerts, attempts, cold, errors, faults } = yield* openStore({ retries: 3, retryDelayMs: 200 })
      faults.push("fails", "fails", "fails")
      yield* cold.start
      cold.tellUnsafe(delivery("a"))
      yield* TestClock.adjust(0)
      for (const tries of [1, 2, 3]) {
        assert.strictEqual(attempts.length, tries)
        yield* TestClock.adjust(199)
        assert.strictEqual(attempts.length, tries)
        yield* TestClock.adjust(1)
      }
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["a", "a", "a", "a"])
      assert.deepStrictEqual(cold.stats(), { pending: 0, pendingBytes: 0, written: 1, deadLetters: 0 })
      assert.deepStrictEqual([...alerts, ...errors], [])
    }))

  it.effect("RFC C1 past the retries leaves a dead letter, an alert and an error; the next delivery has its own retries", () =>
    Effect.gen(function*() {
      const { alerts, attempts, cold, errors, faults, stored } = yield* openStore({ retries: 2, retryDelayMs: 50 })
      faults.push("fails", "fails", "fails", "fails", "fails")
      yield* cold.start
      const lost = delivery("a")
      cold.tellUnsafe(lost)
      cold.tellUnsafe(delivery("b"))
      yield* TestClock.adjust("1 second")
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["a", "a", "a", "b", "b", "b"])
      assert.deepStrictEqual([...stored.keys()], ["b"])
      assert.isTrue(lost.content.detached, "overwritten all the same")
      assert.deepStrictEqual(cold.stats(), { pending: 0, pendingBytes: 0, written: 1, deadLetters: 1 })
      assert.deepStrictEqual(alerts, [failure])
      assert.deepStrictEqual(errors, ["quarantine coldstorage_failure true: the disk is full"])
    }))

  it.effect("RFC C1 without retries is tried once", () =>
    Effect.gen(function*() {
      const { attempts, cold, faults } = yield* openStore({ retries: 0, retryDelayMs: 0 })
      faults.push("fails")
      yield* cold.start
      cold.tellUnsafe(delivery("a"))
      yield* TestClock.adjust("1 hour")
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["a"])
      assert.strictEqual(cold.stats().deadLetters, 1)
    }))

  it.effect("RFC C1 without a delay is tried again at once", () =>
    Effect.gen(function*() {
      const { attempts, cold, faults } = yield* openStore({ retries: 100, retryDelayMs: 0 })
      faults.push(...Array.from({ length: 100 }, () => "fails" as const))
      yield* cold.start
      cold.tellUnsafe(delivery("a"))
      yield* TestClock.adjust(0)
      yield* cold.settled
      assert.strictEqual(attempts.length, 101)
      assert.strictEqual(cold.stats().written, 1)
    }))

  it.effect("RFC S3 one that breaks costs its delivery, which is not tried again, and nothing else", () =>
    Effect.gen(function*() {
      const { alerts, attempts, cold, errors, faults } = yield* openStore()
      faults.push("dies")
      yield* cold.start
      const lost = delivery("a")
      cold.tellUnsafe(lost)
      cold.tellUnsafe(delivery("b"))
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["a", "b"])
      assert.isTrue(lost.content.detached)
      assert.deepStrictEqual(cold.stats(), { pending: 0, pendingBytes: 0, written: 1, deadLetters: 1 })
      assert.deepStrictEqual(alerts, [failure])
      assert.deepStrictEqual(errors, [
        "quarantine coldstorage_failure true: cold storage file:fake: a write was crashed"
      ])
    }))

  it.effect("RFC C1 one that cannot be opened keeps it from starting, until it can", () =>
    Effect.gen(function*() {
      const { attempts, cold, door } = yield* openStore()
      cold.tellUnsafe(delivery("a"))
      door.isLocked = true
      const error = yield* Effect.flip(cold.start)
      assert.strictEqual(error.reason, "open")
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(attempts, [])
      assert.strictEqual(cold.stats().pending, 1)
      door.isLocked = false
      yield* cold.start
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["a"])
    }))
})

describe("compression that fails", () => {
  it.effect("RFC C1 is a dead letter at once: pressing again would not help", () =>
    Effect.gen(function*() {
      const broken = Layer.succeed(Compression, {
        gzip: () => Effect.fail(new CompressionError({ reason: "host", message: "zlib: out of memory" })),
        gzipSync: () => assert.fail("not this one"),
        gunzipSync: () => assert.fail("nor this one")
      })
      const { attempts, cold, errors } = yield* openStore({}, broken)
      yield* cold.start
      const lost = delivery("a")
      cold.tellUnsafe(lost)
      yield* cold.settled
      assert.deepStrictEqual(attempts, [])
      assert.isTrue(lost.content.detached)
      assert.deepStrictEqual(errors, ["quarantine coldstorage_failure true: zlib: out of memory"])
      assert.strictEqual(cold.stats().deadLetters, 1)
    }))

  it.effect("RFC F5 content that was detached under way is a dead letter, no exception", () =>
    Effect.gen(function*() {
      for (const compression of [NodeCompression.layer, Compression.layerPortable]) {
        const { cold, stored } = yield* openStore({}, compression)
        const told = delivery("a")
        cold.tellUnsafe(told)
        told.content.transfer()
        yield* cold.start
        yield* cold.settled
        assert.strictEqual(stored.size, 0)
        assert.strictEqual(cold.stats().deadLetters, 1)
      }
    }))
})

describe("closing", () => {
  it.effect("RFC S4 writes what waits, then takes nothing more", () =>
    Effect.gen(function*() {
      const { alerts, close, cold, stored } = yield* openStore()
      yield* cold.start
      for (const name of ["a", "b", "c"]) cold.tellUnsafe(delivery(name))
      yield* close
      assert.deepStrictEqual([...stored.keys()], ["a", "b", "c"])
      const late = delivery("d")
      assert.isFalse(cold.tellUnsafe(late))
      assert.isFalse(late.content.detached)
      assert.deepStrictEqual(alerts, ["critical coldstorage.refused"])
    }))

  it.effect("RFC S4 gives an endpoint that hangs ten seconds, then buries what waits, and wipes all of it", () =>
    Effect.gen(function*() {
      const { alerts, close, cold, errors, faults } = yield* openStore()
      faults.push("hangs")
      yield* cold.start
      const told = ["a", "b", "c"].map((name) => delivery(name))
      for (const each of told) cold.tellUnsafe(each)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(cold.stats().pending, 3, "it is not given up as long as it runs")
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust(9_999)
      assert.isUndefined(closing.pollUnsafe())
      assert.strictEqual(told.filter(({ content }) => content.detached).length, 0)
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      assert.isTrue(told.every(({ content }) => content.detached))
      assert.deepStrictEqual(cold.stats(), { pending: 0, pendingBytes: 0, written: 0, deadLetters: 3 })
      assert.deepStrictEqual(alerts, [failure, failure, failure])
      assert.isTrue(errors.every((error) => error.endsWith("a write was stopped")))
    }))

  it.effect("RFC S4 what was never started is buried and wiped", () =>
    Effect.gen(function*() {
      const { close, cold } = yield* openStore()
      const told = delivery("a")
      cold.tellUnsafe(told)
      yield* close
      assert.isTrue(told.content.detached)
      assert.strictEqual(cold.stats().deadLetters, 1)
    }))

  it.effect("RFC S4 the deadline does not take the memory from under the thread that presses it", () =>
    Effect.gen(function*() {
      // Were it taken, zlib would throw where nobody can catch it, and this test's process would end.
      const { close, cold } = yield* openStore({}, NodeCompression.layer)
      yield* cold.start
      const told = delivery("a", 3_000_000)
      cold.tellUnsafe(told)
      yield* Effect.yieldNow
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(closing)
      assert.isTrue(told.content.detached)
      assert.strictEqual(cold.stats().deadLetters, 1)
    }))
})
