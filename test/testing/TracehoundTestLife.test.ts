/**
 * The life of the Tracehound for tests: callbacks, closing, and isolation from other Tracehounds.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"
import { getActiveResourcesInfo } from "node:process"
import { setImmediate } from "node:timers/promises"
import { type PurgeRecord, Tracehound } from "../../src/index.ts"
import {
  AlertRecorder,
  InProcessHounds,
  MemoryColdStorage,
  TracehoundTest,
  type TracehoundTestServices
} from "../../src/testing/index.ts"
import { evictOne, scent, small } from "./small.ts"

/** The purged evidence, from a callback that takes ten turns for each. */
const purges = () => {
  const purged: Array<PurgeRecord> = []
  const onPurge = async (record: PurgeRecord): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await setImmediate()
    purged.push(record)
  }
  return { purged, layer: TracehoundTest.layer({ failSafe: { onHoundError: "Purge" } }, { callbacks: { onPurge } }) }
}
const purgeOne = Effect.gen(function*() {
  yield* (yield* InProcessHounds).next("error")
  yield* (yield* Tracehound).intercept(scent("bad", "critical"))
})

describe("callbacks", () => {
  it.effect("RFC F4 are called in the background, and settled waits for them", () => {
    const { layer, purged } = purges()
    return Effect.gen(function*() {
      yield* purgeOne
      assert.lengthOf(purged, 0)
      yield* TracehoundTest.settled
      assert.deepStrictEqual(purged.map(({ reason }) => reason), ["error"])
      assert.strictEqual((yield* Tracehound).sync.quarantine.count, 0)
    }).pipe(Effect.provide(layer))
  })
})

class First extends Context.Service<First, Context.Context<TracehoundTestServices>>()("test/First") {}
class Second extends Context.Service<Second, Context.Context<TracehoundTestServices>>()("test/Second") {}

/** Uses both, and returns what each of them shows. */
const sharing = Effect.fnUntraced(function*(
  one: Context.Context<TracehoundTestServices>,
  other: Context.Context<TracehoundTestServices>
) {
  yield* Effect.provide(Effect.andThen(evictOne, TracehoundTest.settled), one)
  yield* Effect.provide(Effect.flatMap(InProcessHounds, ({ next }) => next("error")), one)
  const examined = yield* Context.get(one, InProcessHounds).examined
  const { sync } = Context.get(other, Tracehound)
  assert.strictEqual(sync.quarantine.count, 0)
  assert.strictEqual(sync.auditChain.length, 0)
  assert.deepStrictEqual(yield* Context.get(other, MemoryColdStorage).written, [])
  sync.intercept(scent("third", "critical"))
  yield* Effect.provide(TracehoundTest.settled, other)
  assert.deepStrictEqual(yield* Context.get(other, AlertRecorder).types, [])
  assert.strictEqual(sync.watcher.snapshot().hound.terminated, 0)
  assert.deepStrictEqual(yield* Context.get(one, InProcessHounds).examined, examined)
  assert.lengthOf(yield* Context.get(one, MemoryColdStorage).written, 1)
})

describe("two Tracehounds", () => {
  const [one, other] = [TracehoundTest.layer(small()), TracehoundTest.layer({}, { seed: 1 })]
  const services = Effect.context<TracehoundTestServices>()

  it.effect("share nothing if one is inside the other", () =>
    Effect.gen(function*() {
      const outer = yield* services
      yield* sharing(outer, yield* Effect.provide(services, other))
    }).pipe(Effect.provide(one)))

  it.effect("share nothing if one program has both", () =>
    Effect.gen(function*() {
      yield* sharing(yield* First, yield* Second)
    }).pipe(Effect.provide(Layer.merge(
      Layer.effect(First, services).pipe(Layer.provide(one)),
      Layer.effect(Second, services).pipe(Layer.provide(other))
    ))))

  it.effect("share nothing with a real one of another layer", () =>
    Effect.gen(function*() {
      assert.notStrictEqual(
        yield* Effect.provide(Tracehound, Tracehound.layer({ hound: { enabled: false } })),
        yield* Tracehound
      )
    }).pipe(Layer.effectDiscard, Layer.provide(one), Layer.build))

  it.effect("are the same one if the same layer is used twice", () =>
    Effect.gen(function*() {
      const [first, second] = [yield* First, yield* Second]
      assert.strictEqual(Context.get(first, Tracehound), Context.get(second, Tracehound))
      assert.strictEqual(Context.get(first, InProcessHounds), Context.get(second, InProcessHounds))
    }).pipe(Effect.provide(Layer.merge(
      Layer.effect(First, services).pipe(Layer.provide(one)),
      Layer.effect(Second, services).pipe(Layer.provide(one))
    ))))
})

/**
 * Timers, sockets and other resources that keep the process alive, without immediates.
 */
const resources = (): number => getActiveResourcesInfo().filter((kind) => kind !== "Immediate").length

describe("its life", () => {
  it("RFC R4 closing the layer leaves no timer, no actor and no evidence", async () => {
    const before = resources()
    const { handle, sync } = await Effect.runPromise(
      Effect.gen(function*() {
        const { sync } = yield* Tracehound
        yield* evictOne
        const held = sync.intercept(scent("held", "critical"))
        yield* TestClock.adjust("1 hour")
        return { sync, handle: "handle" in held ? held.handle : assert.fail(held.status) }
      }).pipe(Effect.provide(TracehoundTest.layer(small())))
    )
    assert.isAtMost(resources(), before)
    assert.isNull(handle.bytes)
    assert.strictEqual(sync.quarantine.count, 0)
    assert.strictEqual(sync.actors().phase, "ended")
    assert.deepStrictEqual(sync.actors().children, [])
  })

  it("RFC R4 closing ends even if nobody moves time, whatever hangs or waits", async () => {
    const messy = Effect.gen(function*() {
      const { sync } = yield* Tracehound
      yield* (yield* MemoryColdStorage).hang()
      yield* (yield* InProcessHounds).always("hang")
      yield* evictOne
      sync.intercept(scent("held", "critical"))
      yield* TracehoundTest.settled
      return { sync, alerts: (yield* AlertRecorder).alerts }
    })
    const layer = Layer.provide(TracehoundTest.layer(small({ retries: 3, retryDelayMs: 60_000 })), Logger.layer([]))
    const { alerts, sync } = await Effect.runPromise(messy.pipe(Effect.provide(layer)))
    assert.strictEqual(sync.actors().phase, "ended")
    const { deadLetters, pending } = sync.coldStorage.stats()
    assert.deepStrictEqual([pending, deadLetters], [0, 2])
    // The deadline of the closing ends it, on the test's clock: not the minutes that retries take.
    for (const { timestamp } of await Effect.runPromise(alerts)) assert.isAtMost(timestamp, 20_000)
    // So that a test which fails in the middle shows its error, instead of a timeout.
    const why = await Effect.runPromise(
      messy.pipe(Effect.andThen(Effect.fail("why")), Effect.flip, Effect.provide(layer))
    )
    assert.strictEqual(why, "why")
  })

  it.effect("RFC R4 closing moves no time for work that only needs turns", () =>
    Effect.gen(function*() {
      const { layer, purged } = purges()
      yield* Effect.provide(Effect.andThen(purgeOne, Effect.yieldNow), layer)
      assert.lengthOf(purged, 1)
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
    }))

  it.effect("RFC R2 an invalid configuration fails with every mistake", () =>
    Effect.gen(function*() {
      const config = { maxPayloadSize: 0, audit: { maxRecords: 0 } }
      const error = yield* Effect.flip(Effect.scoped(Layer.build(TracehoundTest.layer(config))))
      assert.strictEqual(error._tag, "InvalidConfig")
      const paths = error._tag === "InvalidConfig" ? error.mistakes.map(({ path }) => path) : []
      assert.sameMembers(paths, ["maxPayloadSize", "audit.maxRecords"])
    }))
})
