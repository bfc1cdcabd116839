/**
 * The Tracehound for tests, as its users see it: time, seeds, and cold storage that fails.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Logger, Random } from "effect"
import { TestClock } from "effect/testing"
import { openEnvelope, Tracehound } from "../../src/index.ts"
import { AlertRecorder, InProcessHounds, MemoryColdStorage, TracehoundTest } from "../../src/testing/index.ts"
import { evictOne, scent, small } from "./small.ts"

/** Blocks for 1000 ms after one request. */
const strict = { rateLimit: { maxRequests: 1, windowMs: 1_000, blockDurationMs: 1_000 } }

/**
 * Must hold however a test is run: 999 ms after a block 1 ms is left, and after that none.
 */
const timeMoves = Effect.gen(function*() {
  const { sync } = yield* Tracehound
  const begin = yield* Clock.currentTimeMillis
  const first = sync.intercept(scent("a"))
  assert.strictEqual(first.status === "quarantined" ? first.handle.captured : undefined, begin)
  assert.deepStrictEqual(sync.intercept(scent("b")), { status: "rate_limited", retryAfter: 1_000 })
  yield* TestClock.adjust(999)
  assert.deepStrictEqual(sync.intercept(scent("b")), { status: "rate_limited", retryAfter: 1 })
  yield* TestClock.adjust(1)
  const later = sync.intercept(scent("b"))
  assert.strictEqual(later.status === "quarantined" ? later.handle.captured : undefined, begin + 1_000)
  assert.strictEqual(sync.watcher.snapshot().lastActivity, begin + 1_000)
})

describe("time", () => {
  it.effect("RFC S5 it.effect's own TestClock moves it", () =>
    timeMoves.pipe(Effect.provide(TracehoundTest.layer(strict))))

  it.effect("RFC S5 starts at the time of the test's clock when it is built", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_760_000_000_000)
      yield* timeMoves.pipe(Effect.provide(TracehoundTest.layer(strict)))
      assert.strictEqual(yield* Clock.currentTimeMillis, 1_760_000_001_000)
    }))

  layer(TracehoundTest.layer(strict))("RFC S5 under a layer that tests share", (it) => {
    it.effect("TestClock moves it", () => timeMoves)
    it.effect("time goes on from test to test, as the state does", () =>
      Effect.gen(function*() {
        const { sync } = yield* Tracehound
        assert.strictEqual(yield* Clock.currentTimeMillis, 1_000)
        assert.strictEqual(sync.quarantine.count, 2)
      }))
  })

  it("RFC S5 a plain program gets a TestClock with it", () =>
    Effect.runPromise(timeMoves.pipe(Effect.provide(TracehoundTest.layer(strict)))))

  it.live("RFC S5 so does a test that runs live", () => timeMoves.pipe(Effect.provide(TracehoundTest.layer(strict))))

  it("RFC S5 a plain program may bring its own TestClock, and Tracehound uses that one", () =>
    Effect.runPromise(
      Effect.gen(function*() {
        yield* TestClock.setTime(5_000)
        yield* timeMoves.pipe(Effect.provide(TracehoundTest.layer(strict)))
        assert.strictEqual(yield* Clock.currentTimeMillis, 6_000)
      }).pipe(Effect.provide(TestClock.layer()))
    ))
})

const busy = {
  rateLimit: { maxRequests: 1_000 },
  quarantine: { maxCount: 4 },
  hound: { maxActive: 2, maxProcessingTime: 3_000, escalation: { fill: 1 } },
  scheduler: { rotationInterval: 1_000, jitterMax: 5_000, skipIfBusy: false },
  audit: { coldStorage: { endpoint: "file:memory", retries: 1, retryDelayMs: 50 } }
}

/** Runs a busy hour, and returns all visible results as text. */
const story = (seed?: number | string): Promise<string> =>
  Effect.runPromise(
    Effect.gen(function*() {
      const { snapshot, sync } = yield* Tracehound
      const hounds = yield* InProcessHounds
      const memory = yield* MemoryColdStorage
      yield* hounds.next("complete", "hang", "error")
      yield* memory.failNext(3)
      const seen: Array<unknown> = []
      for (let n = 0; n < 40; n++) {
        const result = sync.intercept(scent(`payload ${n % 30}`, n % 5 === 0 ? "critical" : "low"))
        seen.push({ ...result, ...("handle" in result ? { handle: result.handle.signature } : {}) })
        if (n % 9 === 0) seen.push(sync.intercept(scent(`payload ${n % 30}`)))
        if (n % 7 === 0 && "handle" in result) seen.push(result.handle.neutralize())
        if (n % 11 === 0 && "handle" in result) seen.push(result.handle.evacuate())
        yield* TestClock.adjust(700)
        seen.push(yield* hounds.rotations)
      }
      seen.push(yield* snapshot, sync.flush(), sync.auditChain.records(), sync.auditChain.lastHash)
      yield* TestClock.adjust("1 hour")
      yield* TracehoundTest.settled
      const written = (yield* memory.written).map(({ bytes, name }) => [name, Buffer.from(bytes).toString("hex")])
      seen.push(written, yield* memory.attempts, yield* hounds.examined, yield* (yield* AlertRecorder).alerts)
      seen.push(sync.actors(), sync.coldStorage.stats(), yield* hounds.rotations)
      return JSON.stringify(seen)
    }).pipe(
      Effect.provide(
        TracehoundTest.layer(busy, seed === undefined ? {} : { seed }).pipe(
          Layer.provideMerge(Logger.layer([]))
        )
      )
    )
  )

/** All ids in a text. */
const idsIn = (text: string): ReadonlySet<string> =>
  new Set(text.match(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}-[0-9a-f]{8}/g))

describe("seeds", () => {
  it("RFC S5 the same seed and the same calls give the same results, byte for byte", async () => {
    const first = await story(7)
    assert.strictEqual(await story(7), first)
    assert.strictEqual(await story("7"), first)
    // Check that the text has everything that a seed or the time decides.
    for (
      const word of ["escalated", "evicted", "evacuated", "neutralized", "purged", "ignored", "failsafe.escalated"]
    ) {
      assert.include(first, `"${word}"`)
    }
    assert.isAbove(idsIn(first).size, 40)
    assert.strictEqual(await story(), await story(0))
  })

  it("RFC S5 another seed gives other ids, hounds, hashes, envelopes and rotations, and the same decisions", async () => {
    const [first, other] = [await story(7), await story(8)]
    const ids = idsIn(first)
    assert.deepStrictEqual([...idsIn(other)].filter((id) => ids.has(id)), [])
    const decided = (text: string) => text.match(/"status":"[a-z_]+"/g)
    assert.deepStrictEqual(decided(other), decided(first))
    assert.notStrictEqual(rotationsOf(other), rotationsOf(first))
  })
})

/** Numbers as its actors draw them from Effect's Random, where the jitter of restarts is from. */
const drawsOf = (seed: number | string): Promise<ReadonlyArray<number>> => {
  const draws: Array<number> = []
  const logger = Logger.make<unknown, void>(({ fiber }) =>
    void draws.push(fiber.getRef(Random.Random).nextDoubleUnsafe())
  )
  return Effect.runPromise(
    Effect.gen(function*() {
      const { sync } = yield* Tracehound
      for (let n = 0; n < 5; n++) {
        sync.intercept(scent(`payload ${n}`, "critical"))
        yield* TestClock.adjust("1 minute")
        yield* TracehoundTest.settled
      }
      return draws
    }).pipe(
      Effect.provide(
        TracehoundTest.layer({ quarantine: { maxCount: 1 } }, { seed }).pipe(
          Layer.provideMerge(Logger.layer([logger]))
        )
      ),
      Random.withSeed(Math.PI)
    )
  )
}

describe("the jitter of restarts", () => {
  it("RFC S5 comes from the seed, whatever Random the test has", async () => {
    const first = await drawsOf(7)
    assert.isAbove(first.length, 2)
    assert.isAbove(new Set(first).size, 2)
    assert.deepStrictEqual(await drawsOf(7), first)
    assert.deepStrictEqual(await drawsOf("7"), first)
    const other = await drawsOf(8)
    assert.deepStrictEqual(other.filter((draw) => first.includes(draw)), [])
  })
})

/** The number of rotations after each call. */
const rotationsOf = (text: string): string =>
  (JSON.parse(text) as ReadonlyArray<unknown>).filter((part) => typeof part === "number").join()

const contents = Effect.flatMap(
  MemoryColdStorage,
  ({ written }) =>
    Effect.map(written, (all) => all.map(({ bytes }) => new TextDecoder().decode(openEnvelope(bytes).content)))
)

describe("cold storage", () => {
  it.effect("RFC C1 a write that fails is repeated after its delay, and is whole", () =>
    Effect.gen(function*() {
      const { sync } = yield* Tracehound
      const memory = yield* MemoryColdStorage
      yield* memory.failNext(2)
      yield* evictOne
      yield* TracehoundTest.settled
      assert.lengthOf(yield* memory.attempts, 1)
      yield* TestClock.adjust(99)
      assert.lengthOf(yield* memory.attempts, 1)
      yield* TestClock.adjust(1)
      assert.lengthOf(yield* memory.attempts, 2)
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(yield* contents, ["first"])
      assert.include(sync.coldStorage.stats(), { pending: 0, written: 1, deadLetters: 0 })
      assert.deepStrictEqual(yield* (yield* AlertRecorder).types, [])
    }).pipe(Effect.provide(TracehoundTest.layer(small()))))

  it.effect("RFC C1 a write that always fails is a dead letter and an alert", () =>
    Effect.gen(function*() {
      const { settled, sync } = yield* Tracehound
      const memory = yield* MemoryColdStorage
      yield* memory.failAlways
      yield* evictOne
      yield* TestClock.adjust(200)
      yield* settled
      yield* TracehoundTest.settled
      assert.lengthOf(yield* memory.attempts, 3)
      assert.include(sync.coldStorage.stats(), { pending: 0, written: 0, deadLetters: 1 })
      assert.deepStrictEqual(yield* (yield* AlertRecorder).types, ["coldstorage.failure"])
    }).pipe(Effect.provide(TracehoundTest.layer(small()))))

  it.effect("RFC C1 a write that hangs ends after writeTimeoutMs, and intercept never waits for it", () =>
    Effect.gen(function*() {
      const { sync } = yield* Tracehound
      const memory = yield* MemoryColdStorage
      yield* memory.hang()
      yield* evictOne
      assert.property(sync.intercept(scent("third")), "handle")
      yield* TracehoundTest.settled
      yield* TestClock.adjust(999)
      assert.include(sync.coldStorage.stats(), { pending: 2, deadLetters: 0 })
      yield* TestClock.adjust(1)
      yield* TracehoundTest.settled
      assert.include(sync.coldStorage.stats(), { pending: 1, deadLetters: 1 })
      yield* memory.release()
      yield* TracehoundTest.settled
      assert.deepStrictEqual(yield* contents, ["second"])
    }).pipe(Effect.provide(TracehoundTest.layer(small({ retries: 0 })))))

  it.effect("RFC C1 a slow write takes its time, and evidence that leaves meanwhile waits", () =>
    Effect.gen(function*() {
      const { settled, sync } = yield* Tracehound
      yield* (yield* MemoryColdStorage).slowBy(500)
      const waiting = yield* Effect.forkChild(Effect.andThen(evictOne, settled))
      yield* TracehoundTest.settled
      yield* TestClock.adjust(499)
      assert.isUndefined(waiting.pollUnsafe())
      assert.strictEqual(sync.coldStorage.stats().pending, 1)
      yield* TestClock.adjust(1)
      yield* Fiber.join(waiting)
      assert.deepStrictEqual(yield* contents, ["first"])
    }).pipe(Effect.provide(TracehoundTest.layer(small()))))

  it.effect("RFC Q2 without cold storage, evicted evidence is lost, and its record says so", () =>
    Effect.gen(function*() {
      const { sync } = yield* Tracehound
      yield* evictOne
      yield* TracehoundTest.settled
      const [record] = sync.auditChain.records()
      assert.strictEqual(record?.entry.status === "evicted" ? record.entry.destination : undefined, null)
      assert.deepStrictEqual(yield* (yield* MemoryColdStorage).attempts, [])
      assert.strictEqual(yield* (yield* MemoryColdStorage).openings, 0)
    }).pipe(Effect.provide(TracehoundTest.layer({ quarantine: { maxCount: 1 } }, { coldStorage: false }))))

  it.effect("is there if the configuration names none, and has the name of the configuration", () =>
    Effect.gen(function*() {
      const { sync } = yield* Tracehound
      const taken = sync.intercept(scent("a"))
      return "handle" in taken ? sync.evacuate(taken.handle.signature)?.destination : undefined
    }).pipe((evacuated) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* Effect.provide(evacuated, TracehoundTest.layer()), "file:memory")
        const named = TracehoundTest.layer(small({ endpoint: "file:./evidence" }))
        assert.strictEqual(yield* Effect.provide(evacuated, named), "file:./evidence")
      })
    ))

  it.effect("that cannot be opened fails where the test starts the Tracehound", () =>
    Effect.gen(function*() {
      const { settled, start } = yield* Tracehound
      const memory = yield* MemoryColdStorage
      assert.strictEqual(yield* memory.openings, 0)
      yield* memory.failOpening(1)
      assert.deepInclude(yield* Effect.flip(start), { _tag: "ColdStorageError", reason: "open" })
      yield* evictOne
      yield* TracehoundTest.settled
      assert.deepStrictEqual(yield* contents, [])
      yield* start
      yield* settled
      assert.deepStrictEqual(yield* contents, ["first"])
    }).pipe(Effect.provide(TracehoundTest.layer(small(), { start: false }))))
})
