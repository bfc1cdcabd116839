/**
 * A whole Tracehound as `TracehoundTest` makes it, but on ports that a test can break while it
 * runs, and in a scope that the test closes.
 */
import { Clock, Context, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { AlertRecorder, InProcessHounds, MemoryColdStorage } from "tracehound/testing"
import type { TracehoundConfigInput } from "../../../src/config/TracehoundConfig.ts"
import { ColdStorageEndpoint, ColdStorageError } from "../../../src/custody/coldstorage/Endpoint.ts"
import type { Alert } from "../../../src/domain/Alert.ts"
import type { FailSafeCallbacks } from "../../../src/domain/FailSafe.ts"
import type { InterceptResult } from "../../../src/domain/InterceptResult.ts"
import type { Scent } from "../../../src/domain/Scent.ts"
import type { Severity } from "../../../src/domain/Severity.ts"
import * as NodeHash from "../../../src/host/node/NodeHash.ts"
import * as NodeIntrospection from "../../../src/host/node/NodeIntrospection.ts"
import * as NodeMemory from "../../../src/host/node/NodeMemory.ts"
import { Compression, CompressionError } from "../../../src/host/port/Compression.ts"
import { Hash } from "../../../src/host/port/Hash.ts"
import { MonotonicTime } from "../../../src/host/port/MonotonicTime.ts"
import * as PortableCompression from "../../../src/host/port/PortableCompression.ts"
import type { layerOf } from "../../../src/hound/pool/ProcessPool.ts"
import type { StartError } from "../../../src/runtime/StartErrors.ts"
import { assemble, started, Tracehound } from "../../../src/runtime/Tracehound.ts"
import type { TracehoundSync } from "../../../src/runtime/TracehoundSync.ts"
import { make as makeHounds } from "../../../src/testing/InProcessHounds.ts"
import * as SeededRandomness from "../../../src/testing/SeededRandomness.ts"

/** The ports that are broken from now on. */
export interface Broken {
  /** `compressSync` throws, and the effect of `compressUnsafe` fails. */
  compressing: boolean
  /** `compressUnsafe` throws, as where there is no memory for the copy. */
  copying: boolean
  /** Cold storage has no space left. */
  full: boolean
  /** Sealing an envelope throws. */
  sealing: boolean
}

export interface World {
  readonly sync: TracehoundSync
  readonly tracehound: Tracehound["Service"]
  readonly memory: MemoryColdStorage["Service"]
  readonly hounds: InProcessHounds["Service"]
  readonly broken: Broken
  readonly alerts: Effect.Effect<ReadonlyArray<Alert>>
  /** The types of the alerts that left so far. */
  readonly types: Effect.Effect<ReadonlyArray<Alert["type"]>>
  /** Codes on the error board, oldest first. */
  readonly errors: () => ReadonlyArray<string>
  readonly close: Effect.Effect<void>
}

const compressionOf = (broken: Broken) =>
  Layer.effect(
    Compression,
    Effect.map(Compression, (real) => ({
      ...real,
      compressSync: (codec, bytes) => {
        if (broken.compressing && codec !== "stored") throw uncompressed()
        return real.compressSync(codec, bytes)
      },
      compressUnsafe: (codec, bytes) => {
        if (broken.copying) throw new RangeError("Array buffer allocation failed")
        const body = real.compressUnsafe(codec, bytes)
        return Effect.suspend(() => broken.compressing && codec !== "stored" ? Effect.fail(uncompressed()) : body)
      }
    }))
  ).pipe(Layer.provide(PortableCompression.layer))

const uncompressed = () => new CompressionError({ reason: "host", message: "told to fail" })

const endpointOf = (broken: Broken) =>
  Layer.effect(
    ColdStorageEndpoint,
    Effect.map(Effect.suspend(() => ColdStorageEndpoint), (real) => ({
      ...real,
      write: (name, bytes) => Effect.suspend(() => broken.full ? Effect.fail(full()) : real.write(name, bytes))
    }))
  )

const full = () => new ColdStorageError({ reason: "write", message: "no space left on device", code: "ENOSPC" })

/** Whether the bytes begin with an envelope's magic, `THEV`. */
const isEnvelope = ([a, b, c, d]: Uint8Array): boolean => a === 0x54 && b === 0x48 && c === 0x45 && d === 0x56

const hashOf = (broken: Broken) =>
  Layer.effect(
    Hash,
    Effect.map(Hash, (real) => ({
      ...real,
      sha256Into: (bytes, target) => {
        if (broken.sealing && isEnvelope(bytes)) throw new Error("the hash is broken")
        real.sha256Into(bytes, target)
      }
    }))
  ).pipe(Layer.provide(NodeHash.layer))

export interface WorldOptions {
  readonly config?: TracehoundConfigInput
  readonly callbacks?: FailSafeCallbacks
  readonly coldStorage?: boolean
  /** In place of hounds that `World.hounds` controls. */
  readonly hounds?: ReturnType<typeof layerOf<never>>
}

/** Limits that neither alerts nor requests reach. */
const quiet: TracehoundConfigInput = {
  alerts: { maxAlertsPerWindow: 1_000_000 },
  rateLimit: { maxRequests: 1_000_000_000 }
}

/**
 * Runs the effect while the test's time passes: closing may wait for hanging parts up to their
 * deadlines.
 */
const passingTime = (effect: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkDetach(effect, { startImmediately: true })
    for (let n = 0; n < 2_000 && fiber.pollUnsafe() === undefined; n++) yield* TestClock.adjust(1_000)
    yield* Fiber.join(fiber)
  })

/** A started world under the test's clock. It is closed with the test at the latest. */
export const openWorld = (
  { callbacks, coldStorage = true, config = {}, hounds: given }: WorldOptions = {}
): Effect.Effect<World, StartError, Scope.Scope> =>
  Effect.gen(function*() {
    const broken: Broken = { compressing: false, copying: false, full: false, sealing: false }
    const clock = yield* Clock.Clock
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer(() => passingTime(Scope.close(scope, Exit.void)))
    const hounds = makeHounds()
    const audit = coldStorage
      ? { ...config.audit, coldStorage: { endpoint: "file:memory", ...config.audit?.coldStorage } }
      : config.audit
    const rooms = assemble({
      config: { ...quiet, ...config, ...(audit === undefined ? {} : { audit }) },
      callbacks,
      endpointFor: () => endpointOf(broken),
      hounds: given ?? hounds.layer
    })
    const context = yield* Layer.buildWithScope(
      Layer.merge(started(rooms), Layer.succeed(InProcessHounds, hounds.control)).pipe(
        Layer.provideMerge(Layer.mergeAll(MemoryColdStorage.layerAt("file:memory"), AlertRecorder.layer)),
        Layer.provide(Layer.mergeAll(
          MonotonicTime.layerPortable,
          hashOf(broken),
          NodeIntrospection.layer,
          NodeMemory.layer,
          compressionOf(broken),
          SeededRandomness.layer(0)
        )),
        Layer.provide(Layer.succeed(Clock.Clock, clock))
      ),
      scope
    )
    const tracehound = Context.get(context, Tracehound)
    const recorder = Context.get(context, AlertRecorder)
    const { sync } = tracehound
    return {
      sync,
      tracehound,
      memory: Context.get(context, MemoryColdStorage),
      hounds: hounds.control,
      broken,
      alerts: recorder.alerts,
      types: recorder.types,
      errors: () => sync.watcher.snapshot().errors.map(({ code }) => code),
      close: Scope.close(scope, Exit.void)
    }
  })

/** A scent with a threat, whose payload is its name. */
export const scent = (payload: unknown, severity: Severity = "critical"): Scent => ({
  id: "scent",
  source: "192.0.2.1",
  timestamp: 1,
  payload,
  threat: { category: "injection", severity }
})

/** The signature of evidence that was just taken in; throws where none was. */
export const signatureIn = (result: InterceptResult): string => {
  if (result.status !== "quarantined" && result.status !== "escalated") throw new Error(`it was ${result.status}`)
  return result.handle.signature
}

/** Intercepts the payload and gives the signature of its evidence. */
export const take = ({ sync }: Pick<World, "sync">, payload: unknown, severity: Severity = "critical"): string =>
  signatureIn(sync.intercept(scent(payload, severity)))

/**
 * Lets all actors do their work of now. One actor tells the next, so it takes a few turns.
 */
export const turn = Effect.repeat(TestClock.adjust(1), { times: 9 })

/** The chain's records of evidence that left: `purged error file:memory`, or only the status. */
export const departures = ({ sync }: Pick<World, "sync">): ReadonlyArray<string> =>
  sync.auditChain.records().map(({ entry }) =>
    entry.status === "purged"
      ? `purged ${entry.reason} ${entry.destination ?? "nowhere"}`
      : entry.status
  )

/** A promise that never settles. */
export const never = async (): Promise<void> => new Promise(() => {})

/** Turns of the host's event loop, for promises that do not depend on the test's clock. */
export const hostTurns = async (until: () => boolean = () => false, most = 5): Promise<void> => {
  for (let n = 0; n < most && !until(); n++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
  }
}
