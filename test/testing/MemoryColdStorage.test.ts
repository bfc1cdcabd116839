import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { withDeadline } from "../../src/actor/Deadline.ts"
import { ColdStorageEndpoint } from "../../src/custody/coldstorage/Endpoint.ts"
import { make, MemoryColdStorage } from "../../src/testing/MemoryColdStorage.ts"
import { endpointContract } from "../custody/coldstorage/endpointContract.ts"
import { noise } from "../host/port/contract.ts"

endpointContract(
  "cold storage in memory",
  Effect.sync(() => {
    const { control, endpoint } = make("memory:contract")
    const stored = Effect.map(control.written, (all) => new Map(all.map(({ bytes, name }) => [name, bytes])))
    return { endpoint, configured: "memory:contract", stored }
  })
)

const opened = Effect.gen(function*() {
  const endpoint = yield* ColdStorageEndpoint
  yield* endpoint.open
  const memory = yield* MemoryColdStorage
  const names = Effect.map(memory.written, (all) => all.map(({ name }) => name))
  return { endpoint, memory, names, write: (name: string) => endpoint.write(name, noise(10)) }
})

const failed = <A, E>(effect: Effect.Effect<A, E>) => Effect.map(Effect.exit(effect), Exit.isFailure)

describe("MemoryColdStorage", () => {
  it.effect("shows the writes in order, and all attempts including failed ones", () =>
    Effect.gen(function*() {
      const { memory, write } = yield* opened
      yield* write("b")
      yield* memory.failNext(1)
      yield* Effect.flip(write("c"))
      yield* write("a")
      assert.deepStrictEqual(yield* memory.written, [{ name: "b", bytes: noise(10) }, { name: "a", bytes: noise(10) }])
      assert.deepStrictEqual(yield* memory.attempts, ["b", "c", "a"])
    }).pipe(Effect.provide(MemoryColdStorage.layer)))

  it.effect("fails as often as it is told, counts anew when told again, and for ever until it is healed", () =>
    Effect.gen(function*() {
      const { memory, write } = yield* opened
      yield* memory.failNext(5)
      yield* memory.failNext(2)
      const error = yield* Effect.flip(write("a"))
      assert.deepStrictEqual([error._tag, error.reason], ["ColdStorageError", "write"])
      assert.isTrue(yield* failed(write("a")))
      assert.isFalse(yield* failed(write("a")))
      yield* memory.failAlways
      for (let i = 0; i < 20; i++) assert.isTrue(yield* failed(write("b")))
      yield* memory.heal
      assert.isFalse(yield* failed(write("b")))
      yield* memory.failAlways
      yield* memory.failNext(0)
      assert.isFalse(yield* failed(write("c")))
    }).pipe(Effect.provide(MemoryColdStorage.layer)))

  it.effect("hangs until it is released, and attempts that hung then go on", () =>
    Effect.gen(function*() {
      const { memory, names, write } = yield* opened
      yield* memory.hang()
      const fibers = [
        yield* Effect.forkChild(write("a"), { startImmediately: true }),
        yield* Effect.forkChild(write("b"), { startImmediately: true })
      ]
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* names, [])
      assert.deepStrictEqual(yield* memory.attempts, ["a", "b"])
      yield* memory.release()
      for (const fiber of fibers) yield* Fiber.join(fiber)
      yield* write("c")
      assert.deepStrictEqual(yield* names, ["a", "b", "c"])
    }).pipe(Effect.provide(MemoryColdStorage.layer)))

  it.effect("an attempt that is interrupted writes nothing, and its name is free", () =>
    Effect.gen(function*() {
      const { memory, names, write } = yield* opened
      yield* memory.hang()
      const fiber = yield* Effect.forkChild(write("a"), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      yield* memory.release()
      assert.deepStrictEqual(yield* names, [])
      yield* write("a")
      assert.deepStrictEqual(yield* names, ["a"])
    }).pipe(Effect.provide(MemoryColdStorage.layer)))

  it.effect("how an attempt goes is decided when it begins: one that hung then fails or writes as commanded", () =>
    Effect.gen(function*() {
      const { memory, names, write } = yield* opened
      yield* memory.hang()
      yield* memory.failNext(1)
      const first = yield* Effect.forkChild(Effect.exit(write("a")), { startImmediately: true })
      const second = yield* Effect.forkChild(Effect.exit(write("b")), { startImmediately: true })
      yield* memory.failAlways
      yield* memory.heal
      assert.isTrue(Exit.isFailure(yield* Fiber.join(first)))
      assert.isTrue(Exit.isSuccess(yield* Fiber.join(second)))
      yield* memory.slowBy(10)
      const third = yield* Effect.forkChild(write("c"), { startImmediately: true })
      yield* memory.hang()
      yield* TestClock.adjust(10)
      yield* Fiber.join(third)
      assert.deepStrictEqual(yield* names, ["b", "c"])
    }).pipe(Effect.provide(MemoryColdStorage.layer)))

  it.effect("is as slow as it is told, by the test's clock", () =>
    Effect.gen(function*() {
      const { memory, names, write } = yield* opened
      yield* memory.slowBy(250)
      const fiber = yield* Effect.forkChild(write("a"), { startImmediately: true })
      yield* TestClock.adjust(249)
      assert.deepStrictEqual(yield* names, [])
      yield* TestClock.adjust(1)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(yield* names, ["a"])
      yield* memory.slowBy(0)
      yield* write("b")
      assert.deepStrictEqual(yield* names, ["a", "b"])
    }).pipe(Effect.provide(MemoryColdStorage.layer)))

  it.effect("bytes that change during a slow write are written as they are at its end", () =>
    Effect.gen(function*() {
      const { endpoint, memory } = yield* opened
      yield* memory.slowBy(10)
      const bytes = noise(4)
      const fiber = yield* Effect.forkChild(endpoint.write("a", bytes), { startImmediately: true })
      bytes.fill(0)
      yield* TestClock.adjust(10)
      yield* Fiber.join(fiber)
      bytes.fill(1)
      assert.deepStrictEqual(yield* memory.written, [{ name: "a", bytes: new Uint8Array(4) }])
    }).pipe(Effect.provide(MemoryColdStorage.layer)))

  it.effect("fails to open as often as it is told, and fails to write before it was opened", () =>
    Effect.gen(function*() {
      const endpoint = yield* ColdStorageEndpoint
      const memory = yield* MemoryColdStorage
      yield* memory.failOpening(1)
      assert.strictEqual((yield* Effect.flip(endpoint.open)).reason, "open")
      assert.strictEqual((yield* Effect.flip(endpoint.write("a", noise(1)))).reason, "write")
      yield* endpoint.open
      yield* endpoint.write("a", noise(1))
      assert.strictEqual(yield* memory.openings, 2)
    }).pipe(Effect.provide(MemoryColdStorage.layer)))

  it.effect("a test can wait for attempts to have begun", () =>
    Effect.gen(function*() {
      const { memory, write } = yield* opened
      const waiter = yield* Effect.forkChild(memory.attempted(2), { startImmediately: true })
      yield* write("a")
      yield* Effect.yieldNow
      assert.isUndefined(waiter.pollUnsafe())
      yield* write("b")
      yield* Fiber.join(waiter)
      yield* memory.attempted(1)
    }).pipe(Effect.provide(MemoryColdStorage.layer)))

  it.effect("both services of a layer are one storage, with the destination that the test names", () =>
    Effect.gen(function*() {
      const { endpoint } = yield* opened
      assert.strictEqual(endpoint.destination, "memory:elsewhere")
    }).pipe(Effect.provide(MemoryColdStorage.layerAt("memory:elsewhere"))))

  it.effect("RFC C1 a write that hangs ends at the deadline, and the next one works", () =>
    Effect.gen(function*() {
      const { memory, names, write } = yield* opened
      yield* memory.hang()
      const fiber = yield* Effect.forkChild(Effect.exit(withDeadline(write("a"), 1_000, () => "overdue")))
      yield* memory.attempted(1)
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(yield* Fiber.join(fiber), Exit.fail("overdue"))
      yield* memory.release()
      yield* withDeadline(write("b"), 1_000, () => "overdue")
      assert.deepStrictEqual(yield* names, ["b"])
    }).pipe(Effect.provide(MemoryColdStorage.layer)))
})
