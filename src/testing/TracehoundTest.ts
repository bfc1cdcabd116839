/**
 * A whole Tracehound that a test owns: its time, its randomness, its cold storage, its hounds.
 *
 * Everything in it is the real thing but for what a test has to control, so what holds here holds outside. With the same seed and
 * the same calls it gives the same ids, records and hashes, to the byte (CONFORMANCE S5).
 *
 * **Details**
 *
 * | what a test controls | with |
 * | --- | --- |
 * | time | `TestClock` of `effect/testing`: the one around, or one of its own |
 * | ids and randomness | `seed` |
 * | cold storage | `MemoryColdStorage`: failing, hanging, slow |
 * | hounds | `InProcessHounds`: complete, error, hang |
 * | alerts | `AlertRecorder` |
 *
 * **Gotchas**
 *
 * - What is done in the background is done when the test lets it: `yield* TestClock.adjust(1)` and `yield* tracehound.settled`.
 * - Evidence is pressed with the portable codecs, `stored` and `gzip`: the others need a worker, whose time no test owns.
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
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { ColdStorageEndpoint } from "../coldstorage/Endpoint.ts"
import type { FailSafeCallbacks } from "../domain/FailSafe.ts"
import type { TracehoundConfigInput } from "../domain/TracehoundConfig.ts"
import * as NodeHash from "../node/NodeHash.ts"
import * as NodeIntrospection from "../node/NodeIntrospection.ts"
import * as NodeMemory from "../node/NodeMemory.ts"
import { MonotonicTime } from "../port/MonotonicTime.ts"
import * as PortableCompression from "../port/PortableCompression.ts"
import { assemble, type StartError, started, type Tracehound } from "../Tracehound.ts"
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
}

/** All that a test has in its hands. */
export type TracehoundTestServices = Tracehound | MemoryColdStorage | InProcessHounds | AlertRecorder

/** The endpoint that is built beside the Tracehound, so that the test holds the same. */
const endpointAround = Layer.effect(ColdStorageEndpoint, Effect.suspend(() => ColdStorageEndpoint))

/** The test's own clock, or a new one. */
const clock = Layer.unwrap(
  Effect.map(
    Clock.Clock,
    (around): Layer.Layer<never> => "adjust" in around ? Layer.succeed(Clock.Clock, around) : TestClock.layer()
  )
)

/** Tracehounds for tests. */
export const TracehoundTest = {
  /** A started one; `config` is any part of the configuration, at any depth, over the defaults. */
  layer: (
    config: TracehoundConfigInput = {},
    { callbacks = {}, coldStorage = true, seed = 0 }: TracehoundTestOptions = {}
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
    return Layer.unwrap(Effect.sync(() => {
      const hounds = makeHounds()
      const rooms = assemble({
        config: audit === undefined ? config : { ...config, audit },
        callbacks,
        endpointFor: () => endpointAround,
        hounds: hounds.layer
      })
      return Layer.merge(started(rooms), Layer.succeed(InProcessHounds, hounds.control))
    })).pipe(
      Layer.provideMerge(Layer.mergeAll(memory, AlertRecorder.layer)),
      Layer.provide(ports),
      Layer.provideMerge(clock)
    )
  }
} as const
