import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { noise } from "../../host/port/contract.ts"
import { makeFakeCompression } from "./fakeCompression.ts"
import type { Fault } from "./fakeEndpoint.ts"
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
      assert.deepStrictEqual(cold.stats(), { pending: 0, pendingBytes: 0, written: 1, unconfirmed: 0, deadLetters: 0 })
      assert.deepStrictEqual([...alerts, ...errors], [])
    }))

  it.effect("RFC C1 past the retries leaves a dead letter, an alert and an error; the next delivery has its own retries", () =>
    Effect.gen(function*() {
      const { alerts, attempts, cold, errors, faults, stored } = yield* openStore({ retries: 2, retryDelayMs: 50 })
      faults.push("fails", "fails", "fails", "fails", "fails")
      yield* cold.start
      cold.tellUnsafe(delivery("a"))
      cold.tellUnsafe(delivery("b"))
      yield* TestClock.adjust("1 second")
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["a", "a", "a", "b", "b", "b"])
      assert.deepStrictEqual([...stored.keys()], ["b"])
      assert.deepStrictEqual(cold.stats(), { pending: 0, pendingBytes: 0, written: 1, unconfirmed: 0, deadLetters: 1 })
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

  it.effect("RFC F5 that dies has failed a try like any other", () =>
    Effect.gen(function*() {
      const { alerts, attempts, cold, errors, faults } = yield* openStore({ retries: 1, retryDelayMs: 0 })
      faults.push("dies", "dies")
      yield* cold.start
      cold.tellUnsafe(delivery("a"))
      cold.tellUnsafe(delivery("b"))
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["a", "a", "b"])
      assert.deepStrictEqual(cold.stats(), { pending: 0, pendingBytes: 0, written: 1, unconfirmed: 0, deadLetters: 1 })
      assert.deepStrictEqual(alerts, [failure])
      assert.deepStrictEqual(errors, [
        "quarantine coldstorage_failure true: cold storage file:fake: the endpoint broke"
      ])
    }))

  it.effect("RFC C1 that cannot be opened keeps cold storage from starting, until it can", () =>
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

describe("an endpoint that never opens", () => {
  it.effect("RFC C1 is an error of the start after the time that a write may take, and the start may be repeated", () =>
    Effect.gen(function*() {
      const { attempts, cold, door } = yield* openStore({ writeTimeoutMs: 1_000 })
      cold.tellUnsafe(delivery("a"))
      door.opening = Effect.never
      const start = yield* Effect.forkChild(Effect.flip(cold.start), { startImmediately: true })
      yield* TestClock.adjust(999)
      assert.isUndefined(start.pollUnsafe())
      yield* TestClock.adjust(1)
      const error = yield* Fiber.join(start)
      assert.strictEqual(error.reason, "open")
      assert.include(error.message, "file:fake cannot be opened: no answer within 1000 ms")
      assert.deepStrictEqual(attempts, [])
      door.opening = Effect.sleep(999)
      const again = yield* Effect.forkChild(cold.start, { startImmediately: true })
      yield* TestClock.adjust(999)
      yield* Fiber.join(again)
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["a"])
    }))

  it.effect("RFC C1 and cannot be interrupted is given up all the same", () =>
    Effect.gen(function*() {
      const { cold, door } = yield* openStore({ writeTimeoutMs: 1_000 })
      door.opening = Effect.uninterruptible(Effect.never)
      const start = yield* Effect.forkChild(Effect.flip(cold.start), { startImmediately: true })
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* Fiber.join(start)).reason, "open")
    }))
})

describe("an endpoint that is down for good", () => {
  it.effect("RFC C1 costs the tries of three deliveries, and every other one is a dead letter at once, by name", () =>
    Effect.gen(function*() {
      const { alerts, attempts, cold, errors, faults } = yield* openStore({ retries: 3, retryDelayMs: 200 })
      faults.push(...Array.from({ length: 12 }, () => "fails" as const))
      yield* cold.start
      for (let n = 0; n < 3_000; n++) cold.tellUnsafe(delivery(`${n}`, 1))
      yield* TestClock.adjust("2 seconds")
      yield* cold.settled
      assert.strictEqual(attempts.length, 12)
      assert.strictEqual(cold.stats().deadLetters, 3_000)
      assert.strictEqual(alerts.filter((alert) => alert === failure).length, 3_000)
      assert.include(errors.at(-1), "the last one with: the disk is full")
      // Five seconds later it is tried, and all is well.
      yield* TestClock.adjust("5 seconds")
      for (let n = 0; n < 5; n++) cold.tellUnsafe(delivery(`later ${n}`))
      yield* TestClock.adjust(0)
      yield* cold.settled
      assert.strictEqual(cold.stats().written, 5)
      assert.strictEqual(attempts.length, 17)
    }))
})

describe("an endpoint that does not answer", () => {
  const late = "quarantine coldstorage_failure true: cold storage file:fake: no answer within 1000 ms"

  it.effect("RFC C1 is given up after the time that is configured, each try, and the next delivery is written", () =>
    Effect.gen(function*() {
      const { alerts, attempts, cold, errors, faults, stored } = yield* openStore({
        retries: 2,
        retryDelayMs: 200,
        writeTimeoutMs: 1_000
      })
      faults.push("hangs", "hangs", "hangs")
      yield* cold.start
      cold.tellUnsafe(delivery("a"))
      cold.tellUnsafe(delivery("b"))
      yield* TestClock.adjust(0)
      for (const tries of [1, 2, 3]) {
        assert.strictEqual(attempts.length, tries)
        yield* TestClock.adjust(999)
        assert.strictEqual(attempts.length, tries)
        assert.strictEqual(cold.stats().pending, 2)
        yield* TestClock.adjust(1)
        if (tries < 3) yield* TestClock.adjust(200)
      }
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["a", "a", "a", "b"])
      assert.deepStrictEqual([...stored.keys()], ["b"])
      assert.deepStrictEqual(cold.stats(), { pending: 0, pendingBytes: 0, written: 1, unconfirmed: 0, deadLetters: 1 })
      assert.deepStrictEqual(alerts, [failure])
      assert.deepStrictEqual(errors, [late])
    }))

  it.effect("RFC C1 by default after ten seconds", () =>
    Effect.gen(function*() {
      const { attempts, cold, faults } = yield* openStore({ retryDelayMs: 0 })
      faults.push("hangs")
      yield* cold.start
      cold.tellUnsafe(delivery("a"))
      yield* TestClock.adjust(9_999)
      assert.strictEqual(attempts.length, 1)
      yield* TestClock.adjust(1)
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["a", "a"])
      assert.strictEqual(cold.stats().written, 1)
    }))

  it.effect("RFC C1 and cannot be interrupted has a second more, and is abandoned", () =>
    Effect.gen(function*() {
      const { attempts, cold, errors, faults } = yield* openStore({ retries: 0, writeTimeoutMs: 1_000 })
      faults.push("hangs deaf")
      yield* cold.start
      cold.tellUnsafe(delivery("a"))
      cold.tellUnsafe(delivery("b"))
      yield* TestClock.adjust(1_999)
      assert.deepStrictEqual(attempts, ["a"])
      yield* TestClock.adjust(1)
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["a", "b"])
      assert.deepStrictEqual(errors, [late])
      assert.deepStrictEqual(cold.stats(), { pending: 0, pendingBytes: 0, written: 1, unconfirmed: 0, deadLetters: 1 })
    }))

  it.effect("RFC C1 has a second to tidy up before it is tried again", () =>
    Effect.gen(function*() {
      const { attempts, cold, faults } = yield* openStore({ retries: 1, retryDelayMs: 0, writeTimeoutMs: 1_000 })
      faults.push("hangs, then tidies up")
      yield* cold.start
      cold.tellUnsafe(delivery("a"))
      yield* TestClock.adjust(1_499)
      assert.deepStrictEqual(attempts, ["a"])
      yield* TestClock.adjust(1)
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["a", "a tidied up", "a"])
      assert.deepStrictEqual(cold.stats(), { pending: 0, pendingBytes: 0, written: 1, unconfirmed: 0, deadLetters: 0 })
    }))
})

describe("compression that fails", () => {
  it.effect("RFC C1 is a dead letter at once: the evidence is gone by then, and nothing is tried again", () =>
    Effect.gen(function*() {
      const fake = makeFakeCompression()
      fake.answers.push("fails")
      const { alerts, attempts, cold, errors } = yield* openStore({}, fake.layer)
      yield* cold.start
      assert.isTrue(cold.tellUnsafe(delivery("a")))
      cold.tellUnsafe(delivery("b"))
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["b"])
      assert.strictEqual(fake.compressed.length, 2)
      assert.deepStrictEqual(alerts, [failure, "warning evidence.purged"])
      assert.deepStrictEqual(errors.map((error) => error.split(":")[0]), [
        "quarantine coldstorage_failure true",
        "quarantine encode_error true"
      ])
      assert.include(errors[0], "the compressor is out of memory")
      assert.deepStrictEqual(cold.stats(), { pending: 0, pendingBytes: 0, written: 1, unconfirmed: 0, deadLetters: 1 })
    }))

  it.effect("RFC F5 cannot even begin: the delivery is refused, and no exception comes out", () =>
    Effect.gen(function*() {
      const fake = makeFakeCompression()
      fake.answers.push("throws")
      const { alerts, cold } = yield* openStore({}, fake.layer)
      assert.isFalse(cold.tellUnsafe(delivery("a")))
      assert.deepStrictEqual(alerts, ["critical coldstorage.refused"])
      assert.deepStrictEqual(cold.stats(), { pending: 0, pendingBytes: 0, written: 0, unconfirmed: 0, deadLetters: 1 })
    }))

  it.effect("RFC F5 has nothing to compress, as somebody detached the evidence: refused, and no exception", () =>
    Effect.gen(function*() {
      const fake = makeFakeCompression()
      const { alerts, cold } = yield* openStore({}, fake.layer)
      const content = noise(100, 101)
      content.buffer.transfer()
      assert.isFalse(cold.tellUnsafe({ ...delivery("a"), content }))
      assert.isFalse(cold.tellUnsafe({ ...delivery("b"), content: noise(99) }))
      assert.deepStrictEqual(fake.compressed, [])
      assert.deepStrictEqual(alerts, ["critical coldstorage.refused", "critical coldstorage.refused"])
      assert.strictEqual(cold.stats().deadLetters, 2)
    }))
})

describe("closing", () => {
  it.effect("RFC S4 writes what waits, then takes nothing more, and compresses nothing", () =>
    Effect.gen(function*() {
      const fake = makeFakeCompression()
      const { alerts, close, cold, stored } = yield* openStore({}, fake.layer)
      yield* cold.start
      for (const name of ["a", "b", "c"]) cold.tellUnsafe(delivery(name))
      yield* close
      assert.deepStrictEqual([...stored.keys()], ["a", "b", "c"])
      assert.isFalse(cold.tellUnsafe(delivery("d")))
      assert.strictEqual(fake.compressed.length, 3)
      assert.deepStrictEqual(alerts, ["critical coldstorage.refused"])
    }))

  it.effect("RFC S4 waits for what is still being compressed", () =>
    Effect.gen(function*() {
      const fake = makeFakeCompression()
      fake.answers.push("waits")
      const { close, cold, stored } = yield* openStore({}, fake.layer)
      yield* cold.start
      cold.tellUnsafe(delivery("a"))
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust(5_000)
      assert.isUndefined(closing.pollUnsafe())
      yield* fake.release
      yield* Fiber.join(closing)
      assert.deepStrictEqual([...stored.keys()], ["a"])
    }))

  const buried = (fault: Fault, ends: number) =>
    Effect.gen(function*() {
      const { alerts, close, cold, errors, faults } = yield* openStore({ writeTimeoutMs: 3_600_000 })
      faults.push(fault)
      yield* cold.start
      for (const name of ["a", "b", "c"]) cold.tellUnsafe(delivery(name))
      yield* TestClock.adjust("30 minutes")
      assert.strictEqual(cold.stats().pending, 3, "it is not given up as long as it runs")
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* TestClock.adjust(ends - 1)
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(cold.stats(), { pending: 0, pendingBytes: 0, written: 0, unconfirmed: 0, deadLetters: 3 })
      assert.deepStrictEqual(alerts, [failure, failure, failure])
      assert.isTrue(errors.every((error) => error.endsWith("cold storage was closed before its turn")))
      // All of them had an envelope by then.
      assert.deepStrictEqual([cold.kept().kept, cold.kept().unkept], [3, 0])
    })

  it.effect("RFC S4 gives an endpoint that hangs ten seconds, then makes dead letters of all that waits", () =>
    buried("hangs", 10_000))

  it.effect("RFC S4 gives an endpoint that cannot be interrupted a second more", () => buried("hangs deaf", 11_000))

  it.effect("RFC S4 lets an endpoint that is tidying up finish", () => buried("hangs, then tidies up", 10_500))

  it.effect("RFC S4 deliveries before a start, and those that are never compressed, become dead letters", () =>
    Effect.gen(function*() {
      const fake = makeFakeCompression()
      fake.answers.push("at once", "waits")
      for (const isStarted of [false, true]) {
        const { close, cold } = yield* openStore({}, fake.layer)
        cold.tellUnsafe(delivery("a"))
        if (isStarted) yield* cold.start
        const closing = yield* Effect.forkChild(close, { startImmediately: true })
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(closing)
        assert.strictEqual(cold.stats().deadLetters, 1)
      }
    }))
})
