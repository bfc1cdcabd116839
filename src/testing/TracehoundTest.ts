/**
 * A whole Tracehound under a test's control: time, randomness, cold storage and hounds are the
 * test's, everything else is the real code.
 *
 * With the same seed and the same calls it gives the same ids, records and hashes, byte for byte
 * (CONFORMANCE S5).
 *
 * **Details**
 *
 * | the test controls | with |
 * | --- | --- |
 * | time | `TestClock` of `effect/testing`: the test's own, or a new one if it has none |
 * | ids and randomness | `seed` |
 * | cold storage | `MemoryColdStorage`: failing, hanging, slow; `coldStorage: false` for none |
 * | hounds | `InProcessHounds`: complete, error, hang, crash, slow rotations |
 * | the developer's callbacks | `callbacks` |
 * | alerts | `AlertRecorder` |
 * | background work | `TracehoundTest.settled` |
 *
 * **Gotchas**
 *
 * - Background work runs when the test lets it: `yield* TracehoundTest.settled` runs all work that
 *   does not wait for time, and `yield* TestClock.adjust("1 minute")` the work that does. Settle
 *   first: a wait that begins after the adjustment counts from then on.
 * - `tracehound.settled` waits until cold storage has written everything: for ever, if a write
 *   hangs and nobody moves time.
 * - Closing always ends, even if a failed test left cold storage hanging: the layer moves the
 *   test's clock as far as the remaining writes, retries and hounds need.
 * - To change settings of cold storage, name an endpoint as well; any name will do: `audit: {
 *   coldStorage: { endpoint: "file:memory", retries: 1 } }`.
 * - Evidence is compressed with the portable codecs, `stored` and `gzip`: the others need a worker,
 *   whose time no test controls.
 *
 * **Example** (Evidence that is neutralized is gone)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Tracehound } from "tracehound"
 * import { TracehoundTest } from "tracehound/testing"
 *
 * const program = Effect.gen(function*() {
 *   const { sync } = yield* Tracehound
 *   const result = sync.intercept({
 *     id: "1",
 *     source: "192.0.2.7",
 *     timestamp: 0,
 *     payload: "' OR 1=1 --",
 *     threat: { category: "injection", severity: "low" }
 *   })
 *   if (result.status === "quarantined") result.handle.neutralize()
 *   return sync.quarantine.count // => 0
 * })
 *
 * Effect.runPromise(program.pipe(Effect.provide(TracehoundTest.layer({ quarantine: { maxCount: 4 } }))))
 * ```
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { TracehoundConfigInput } from "../config/TracehoundConfig.ts"
import { ColdStorageEndpoint } from "../custody/coldstorage/Endpoint.ts"
import type { FailSafeCallbacks } from "../domain/FailSafe.ts"
import * as NodeHash from "../host/node/NodeHash.ts"
import * as NodeIntrospection from "../host/node/NodeIntrospection.ts"
import * as NodeMemory from "../host/node/NodeMemory.ts"
import { MonotonicTime } from "../host/port/MonotonicTime.ts"
import * as PortableCompression from "../host/port/PortableCompression.ts"
import type { StartError } from "../runtime/StartErrors.ts"
import { assemble, started, Tracehound } from "../runtime/Tracehound.ts"
import { AlertRecorder } from "./AlertRecorder.ts"
import { InProcessHounds, make as makeHounds } from "./InProcessHounds.ts"
import { MemoryColdStorage } from "./MemoryColdStorage.ts"
import * as SeededRandomness from "./SeededRandomness.ts"

/** Options beside the configuration. */
export interface TracehoundTestOptions {
  /** The seed of ids, randomness and the jitter of restarts: 0 when left out. */
  readonly seed?: number | string
  readonly callbacks?: FailSafeCallbacks
  /** Whether there is cold storage if the configuration names none: true when left out. */
  readonly coldStorage?: boolean
  /**
   * Whether the layer starts the Tracehound: true when left out. With false, the test starts it by
   * `yield* tracehound.start`, for example after `MemoryColdStorage.failOpening`.
   */
  readonly start?: boolean
}

/** The Tracehound and its controls. */
export type TracehoundTestServices = Tracehound | MemoryColdStorage | InProcessHounds | AlertRecorder

/** Takes the endpoint from the context, so that the test and the Tracehound share it. */
const endpointAround = Layer.effect(ColdStorageEndpoint, Effect.suspend(() => ColdStorageEndpoint))

/** The layer of a Tracehound for tests, and the wait for its background work. */
export const TracehoundTest = {
  /**
   * A Tracehound that shares nothing with that of another call, even in the same test. `config` is
   * any part of the configuration, at any depth. Closing the layer closes the Tracehound.
   */
  layer: (
    config: TracehoundConfigInput = {},
    { callbacks, coldStorage = true, seed = 0, start = true }: TracehoundTestOptions = {}
  ): Layer.Layer<TracehoundTestServices, StartError> => {
    const audit = coldStorage && config.audit?.coldStorage === undefined
      ? { ...config.audit, coldStorage: { endpoint: "file:memory" } }
      : config.audit
    const memory = MemoryColdStorage.layerAt(config.audit?.coldStorage?.endpoint ?? "file:memory")
    const ports = Layer.mergeAll(
      MonotonicTime.layerPortable,
      NodeHash.layer,
      NodeIntrospection.layer,
      NodeMemory.layer,
      PortableCompression.layer,
      SeededRandomness.layer(seed)
    )
    const whole = Layer.unwrap(Effect.sync(() => {
      const hounds = makeHounds()
      const rooms = assemble({
        config: audit === undefined ? config : { ...config, audit },
        callbacks,
        endpointFor: () => endpointAround,
        hounds: hounds.layer
      })
      return Layer.merge(start ? started(rooms) : rooms, Layer.succeed(InProcessHounds, hounds.control))
    })).pipe(
      Layer.provideMerge(Layer.mergeAll(memory, AlertRecorder.layer)),
      Layer.provide(ports),
      Layer.provideMerge(clock)
    )
    return Layer.effectContext(Effect.gen(function*() {
      const scope = yield* Effect.acquireRelease(Scope.make(), Scope.close)
      // Effect builds a layer once for each program, and every Tracehound consists of the same
      // layers: a memo map of its own keeps them apart.
      const context = yield* Random.withSeed(
        Layer.buildWithMemoMap(whole, Layer.makeMemoMapUnsafe(), scope),
        String(seed)
      )
      // Deadlines during the closing run on this context's clock, whoever closes.
      yield* Effect.addFinalizer((exit) => Effect.provide(onTime(Scope.close(scope, exit)), context))
      // Layers that the test builds later must not use this memo map.
      return Context.omit(Layer.CurrentMemoMap)(context)
    }))
  },

  /**
   * Runs all background work that does not wait for time: alerts leave, cold storage writes, hounds
   * examine evidence, purges and callbacks run. Returns when nothing has changed for some turns:
   * work that hangs or waits for time is then still undone.
   *
   * **Gotchas**
   *
   * - A callback's own input and output (a file, a socket) happens in real time, and is not waited
   *   for.
   */
  settled: Effect.flatMap(Tracehound, ({ sync }) => {
    const untilCalm = (seen: string, turns: number): Effect.Effect<void> =>
      Effect.flatMap(Effect.yieldNow, () => {
        const now = JSON.stringify(sync.actors())
        if (now !== seen) return untilCalm(now, 0)
        return turns < calmTurns ? untilCalm(now, turns + 1) : Effect.void
      })
    return untilCalm("", 0)
  })
} as const

/**
 * Moves the test's clock in small steps until the closing is done: once the test has ended, nobody
 * else moves it.
 */
const onTime = (closing: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(closing, { startImmediately: true })
    for (let turns = 1; fiber.pollUnsafe() === undefined; turns++) {
      yield* turns % calmTurns === 0
        ? TestClock.adjust(stepMs)
        : Effect.yieldNow
    }
    yield* Fiber.join(fiber)
  })

/** The TestClock of the context, or a new one. */
const clock = Layer.unwrap(
  Effect.map(
    Clock.Clock,
    (around): Layer.Layer<never> => "adjust" in around ? Layer.succeed(Clock.Clock, around) : TestClock.layer()
  )
)

/** How far one step of `onTime` moves the clock. */
const stepMs = 100

/**
 * Turns without a change after which nothing is under way: far more than pass between any two steps
 * of one actor, or between a message and its handling.
 */
const calmTurns = 32
