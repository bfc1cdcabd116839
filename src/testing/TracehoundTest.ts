/**
 * A whole Tracehound that a test owns: its time, its randomness, its cold storage, its hounds.
 *
 * Everything in it is the real thing but for what a test has to control, so what holds here holds
 * outside. With the same seed and the same calls it gives the same ids, records and hashes, to the
 * byte (CONFORMANCE S5).
 *
 * **Details**
 *
 * | what a test controls | with |
 * | --- | --- |
 * | time | `TestClock` of `effect/testing`: the one around, or one of its own |
 * | ids and randomness | `seed` |
 * | cold storage | `MemoryColdStorage`: failing, hanging, slow; `coldStorage: false` for none |
 * | hounds | `InProcessHounds`: complete, error, hang, slow rotations |
 * | the developer's callbacks | `callbacks` |
 * | alerts | `AlertRecorder` |
 * | what goes on in the background | `TracehoundTest.settled` |
 *
 * **Gotchas**
 *
 * - What is done in the background is done when the test lets it: `yield* TracehoundTest.settled`
 *   lets everything go on that time does not hold up, and `yield* TestClock.adjust("1 minute")`
 *   what waits for time. Settle first: what has not begun to wait when time moves waits from then
 *   on.
 * - `tracehound.settled` waits for cold storage to the end: for ever, where a write hangs and
 *   nobody moves time.
 * - Closing comes to an end by itself, also where a test failed and left cold storage hanging: what
 *   it waits for then (a write, a retry, a hound) has the test's clock moved, as far as that takes.
 * - Settings of cold storage go with an endpoint, which any name is: `audit: { coldStorage: {
 *   endpoint: "file:memory", retries: 1 } }`.
 * - Evidence is pressed with the portable codecs, `stored` and `gzip`: the others need a worker,
 *   whose time no test owns.
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
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { ColdStorageEndpoint } from "../custody/coldstorage/Endpoint.ts"
import type { FailSafeCallbacks } from "../domain/FailSafe.ts"
import type { TracehoundConfigInput } from "../config/TracehoundConfig.ts"
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

/** What a test decides beside the configuration. */
export interface TracehoundTestOptions {
  /** What ids and randomness come from: 0 when left out. */
  readonly seed?: number | string
  readonly callbacks?: FailSafeCallbacks
  /** Whether there is cold storage where the configuration names none: true when left out. */
  readonly coldStorage?: boolean
  /**
   * Whether it is started: true when left out. Where it is not, `yield* tracehound.start` starts
   * it, after the test has said how the opening of cold storage goes
   * (`MemoryColdStorage.failOpening`).
   */
  readonly start?: boolean
}

/** All that a test has in its hands. */
export type TracehoundTestServices = Tracehound | MemoryColdStorage | InProcessHounds | AlertRecorder

/** The endpoint that is built beside the Tracehound, so that the test holds the same. */
const endpointAround = Layer.effect(ColdStorageEndpoint, Effect.suspend(() => ColdStorageEndpoint))

/** Tracehounds for tests. */
export const TracehoundTest = {
  /**
   * One that shares nothing with what another call gives, even in the same test; `config` is any
   * part of the configuration, at any depth, over the defaults. Closing the layer closes the
   * Tracehound, as it does outside.
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
      // Layers are built once for all who ask for them in one program, and the rooms are the same
      // layers in every Tracehound.
      const context = yield* Layer.buildWithMemoMap(whole, Layer.makeMemoMapUnsafe(), scope)
      // Deadlines of the closing too are of this context's clock, whoever closes.
      yield* Effect.addFinalizer((exit) => Effect.provide(onTime(Scope.close(scope, exit)), context))
      // Nobody else's layers are to be found in here, and ours by nobody else.
      return Context.omit(Layer.CurrentMemoMap)(context)
    }))
  },

  /**
   * Lets everything go on that can without time: alerts leave, cold storage writes, hounds look,
   * purges and callbacks are done. Comes back when nothing has moved for a while of turns, and so
   * with whatever hangs or waits for time still undone.
   *
   * **Gotchas**
   *
   * - A callback's own input and output (a file, a socket) takes time that no test owns, and is not
   *   waited for.
   */
  settled: Effect.flatMap(Tracehound, ({ sync }) => {
    const look = (seen: string, turns: number): Effect.Effect<void> =>
      Effect.flatMap(Effect.yieldNow, () => {
        const now = JSON.stringify(sync.actors())
        if (now !== seen) return look(now, 0)
        return turns < calm ? look(now, turns + 1) : Effect.void
      })
    return look("", 0)
  })
} as const

/**
 * Moves the test's time until it is done: nobody else does, once the test has ended. As little as
 * it takes, a step at a time.
 */
const onTime = (closing: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(closing, { startImmediately: true })
    for (let turns = 1; fiber.pollUnsafe() === undefined; turns++) {
      yield* turns % calm === 0 ? TestClock.adjust(stepMs) : Effect.yieldNow
    }
    yield* Fiber.join(fiber)
  })

/** The test's own clock, or a new one. */
const clock = Layer.unwrap(
  Effect.map(
    Clock.Clock,
    (around): Layer.Layer<never> => "adjust" in around ? Layer.succeed(Clock.Clock, around) : TestClock.layer()
  )
)

/** How far time moves while something is closed that waits for it. */
const stepMs = 100

/**
 * Turns without a change: far more than lie between any two steps of one actor, or of one and the
 * next.
 */
const calm = 32
