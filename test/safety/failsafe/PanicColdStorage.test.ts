/**
 * Tests that a panic gives all evidence to cold storage, whatever state cold storage is in.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createTracehound } from "tracehound"
import { departures, hostTurns, openWorld, scent, take, turn, type World } from "./world.ts"

describe("a panic and cold storage that", () => {
  const many = 300
  const hold = (world: World): void => {
    for (let n = 0; n < many; n++) take(world, n, "low")
  }
  const complete = (world: World) =>
    Effect.gen(function*() {
      const { sync } = world
      const names = new Set((yield* world.memory.written).map(({ name }) => name))
      assert.strictEqual(names.size, many)
      assert.deepStrictEqual(new Set(departures(world)), new Set(["purged panic file:memory"]))
      assert.deepStrictEqual([sync.quarantine.count, sync.auditChain.length], [0, many])
      assert.isTrue(sync.auditChain.closed && sync.auditChain.verify())
      assert.strictEqual(sync.coldStorage.stats().deadLetters, 0)
    })

  it.effect("RFC F3 has room for less than is held: it gets as much as it takes at a time, until all has left", () =>
    Effect.gen(function*() {
      const world = yield* openWorld({
        config: { audit: { coldStorage: { endpoint: "file:memory", maxPendingCount: 7 } } }
      })
      hold(world)
      yield* world.memory.slowBy(10)
      world.sync.panic()
      for (let n = 0; n < 600; n++) {
        yield* TestClock.adjust(10)
        const { stats } = world.sync.coldStorage
        assert.isAtMost(stats().pending, 7)
        const { closed, length } = world.sync.auditChain
        assert.strictEqual(closed, length === many)
      }
      yield* complete(world)
    }))

  it.effect("RFC F3 is full when it begins: it waits", () =>
    Effect.gen(function*() {
      const world = yield* openWorld({
        config: { audit: { coldStorage: { endpoint: "file:memory", maxPendingCount: 1 } } }
      })
      yield* world.memory.hang()
      assert.isNotNull(world.sync.evacuate(take(world, "first", "low")))
      take(world, "second", "low")
      world.sync.panic()
      yield* turn
      assert.deepStrictEqual([world.sync.quarantine.count, world.sync.auditChain.closed], [1, false])
      yield* world.memory.release()
      yield* turn
      assert.deepStrictEqual(departures(world), ["evacuated", "purged panic file:memory"])
      assert.isTrue(world.sync.auditChain.closed)
      assert.strictEqual((yield* world.memory.written).length, 2)
    }))

  it.effect("RFC F3 never takes one piece: that piece stays in custody, and does not hold up the others", () =>
    Effect.gen(function*() {
      const world = yield* openWorld({
        config: { audit: { coldStorage: { endpoint: "file:memory", maxPendingBytes: 20 } } }
      })
      const large = take(world, "x".repeat(21), "low")
      for (let n = 0; n < 100; n++) take(world, `small ${n}`, "low")
      world.sync.panic()
      for (let n = 0; n < 20; n++) yield* turn
      assert.strictEqual((yield* world.memory.written).length, 100)
      assert.deepStrictEqual([world.sync.quarantine.count, world.sync.auditChain.closed], [1, false])
      assert.isNotNull(world.sync.neutralize(large))
      assert.isTrue(world.sync.auditChain.closed && world.sync.auditChain.verify())
    }))

  it.effect("RFC F3 fails for a while: the retries deliver all evidence in the end", () =>
    Effect.gen(function*() {
      const world = yield* openWorld()
      hold(world)
      yield* world.memory.failNext(2)
      world.sync.panic()
      for (let n = 0; n < 20; n++) yield* TestClock.adjust(1_000)
      yield* complete(world)
    }))

  it.effect("RFC F3 hangs or fails for good: each piece is a dead letter and an alert, and the host goes on", () =>
    Effect.gen(function*() {
      const world = yield* openWorld({
        config: { audit: { coldStorage: { endpoint: "file:memory", retries: 0, writeTimeoutMs: 100 } } }
      })
      const { memory, sync } = world
      for (let n = 0; n < 4; n++) take(world, n, "low")
      yield* memory.hang()
      sync.panic()
      for (let n = 0; n < 20; n++) yield* TestClock.adjust(1_000)
      assert.strictEqual(sync.coldStorage.stats().deadLetters, 4)
      assert.strictEqual((yield* world.types).filter((type) => type === "coldstorage.failure").length, 4)
      assert.strictEqual(sync.intercept(scent("a")).status, "error")
      assert.deepStrictEqual(departures(world), Array.from({ length: 4 }, () => "purged panic file:memory"))
      assert.isTrue(sync.auditChain.closed && sync.auditChain.verify())
    }))

  it.effect("RFC F1 F3 cannot compress: evidence is delivered as it is", () =>
    Effect.gen(function*() {
      const world = yield* openWorld()
      hold(world)
      world.broken.compressing = true
      world.sync.panic()
      yield* turn
      yield* complete(world)
    }))

  it.effect("RFC F3 E5 is not given evidence whose buffer was detached", () =>
    Effect.gen(function*() {
      const world = yield* openWorld()
      const result = world.sync.intercept(scent("evidence", "low"))
      if (result.status !== "quarantined") assert.fail(result.status)
      const { bytes } = result.handle
      if (bytes === null) assert.fail("it is held")
      structuredClone(null, { transfer: [bytes] })
      world.sync.panic()
      yield* turn
      assert.deepStrictEqual(departures(world), ["purged panic nowhere"])
      assert.deepStrictEqual(yield* world.memory.written, [])
      assert.include(world.errors(), "evidence_tampered")
    }))

  it.effect("RFC F3 S4 hangs while it is disposed of: the scope closes within its deadlines", () =>
    Effect.gen(function*() {
      const world = yield* openWorld({
        config: { audit: { coldStorage: { endpoint: "file:memory", maxPendingCount: 2 } } }
      })
      for (let n = 0; n < 5; n++) take(world, n, "low")
      yield* world.memory.hang()
      world.sync.panic()
      yield* turn
      const closing = yield* Effect.forkChild(world.close)
      for (let n = 0; n < 60 && closing.pollUnsafe() === undefined; n++) yield* TestClock.adjust(1_000)
      assert.isDefined(closing.pollUnsafe(), "within a minute")
      yield* Fiber.join(closing)
      const { length } = world.sync.auditChain
      assert.strictEqual(length, 5, "what was left is neutralized")
      assert.deepStrictEqual(departures(world).slice(2), ["neutralized", "neutralized", "neutralized"])
      const late = world.sync.intercept(scent("late"))
      assert.strictEqual(late.status === "error" ? late.error.code : late.status, "disposed")
    }))
})

describe("createTracehound", () => {
  it("RFC F3 a panic before init waits for init; dispose afterwards works, and the host goes on", async () => {
    const directory = mkdtempSync(join(tmpdir(), "tracehound-panic-"))
    try {
      const tracehound = createTracehound({
        hound: { enabled: false },
        audit: { coldStorage: { endpoint: `file:${directory}`, maxPendingCount: 2 } }
      })
      for (let n = 0; n < 5; n++) tracehound.intercept(scent(n, "low"))
      tracehound.panic()
      assert.strictEqual(tracehound.state(), "panicked")
      assert.strictEqual(tracehound.intercept(scent("late")).status, "error")
      await tracehound.init()
      await hostTurns(() => tracehound.auditChain.closed, 100_000)
      assert.isTrue(tracehound.auditChain.verify())
      await tracehound.dispose()
      assert.strictEqual(readdirSync(directory).length, 5)
      assert.strictEqual(tracehound.state(), "panicked")
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
