/**
 * Tracehound as an Effect service: all rooms put together (RFC, "API"). No other module knows all
 * of them.
 *
 * Promises that one layer owns everything: closing its scope drains cold storage, wipes what is
 * still held and leaves no fiber, timer or handle behind (CONFORMANCE R4).
 *
 * **Details**
 *
 * The decisions about one scent are plain synchronous code, under `sync`. The effects beside it are
 * thin wrappers: they cost what running an Effect costs, and no more.
 *
 * **Gotchas**
 *
 * - Evidence that is held when the scope closes is gone, unless somebody evacuated it before.
 *
 * **Example** (Taking a threat into custody)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Tracehound } from "tracehound"
 *
 * const program = Effect.gen(function*() {
 *   const tracehound = yield* Tracehound
 *   const result = yield* tracehound.intercept({
 *     id: "request-1",
 *     source: "192.0.2.7",
 *     timestamp: 1_760_000_000_000,
 *     payload: "' OR 1=1 --",
 *     threat: { category: "injection", severity: "high" }
 *   })
 *   return result.status // => "quarantined"
 * })
 *
 * const layer = Tracehound.layer({ quarantine: { maxCount: 1000 } })
 * Effect.runPromise(program.pipe(Effect.provide(layer))).then(console.log)
 * ```
 */
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { ActorSystem } from "../actor/ActorSystem.ts"
import type { SupervisorInspection } from "../actor/Inspection.ts"
import { fromArgument, resolveConfig } from "../config/ConfigSources.ts"
import { Settings } from "../config/Settings.ts"
import type { ColdStorageConfig, TracehoundConfigInput } from "../config/TracehoundConfig.ts"
import { AuditChain } from "../custody/audit/AuditChain.ts"
import { ColdStorage } from "../custody/coldstorage/ColdStorage.ts"
import type { ColdStorageEndpoint, ColdStorageError } from "../custody/coldstorage/Endpoint.ts"
import { own } from "../custody/evidence/Ownership.ts"
import type { LedgerStoreError } from "../custody/ledger/LedgerStore.ts"
import { Quarantine } from "../custody/quarantine/Quarantine.ts"
import { StoreOpenError } from "../custody/store/StoreErrors.ts"
import type { EffectCallbacks, PanicContext } from "../domain/FailSafe.ts"
import type { InterceptError } from "../domain/InterceptErrors.ts"
import type { InterceptResult } from "../domain/InterceptResult.ts"
import type { EvacuateRecord, NeutralizationRecord } from "../domain/Records.ts"
import type { Scent } from "../domain/Scent.ts"
import type { WatcherSnapshot } from "../domain/WatcherSnapshot.ts"
import { uncut } from "../host/node/Awake.ts"
import * as NodePorts from "../host/node/NodePorts.ts"
import { Compression } from "../host/port/Compression.ts"
import { type HoundBootError, HoundPool } from "../hound/pool/HoundPool.ts"
import { Alerts } from "../safety/alert/Alerts.ts"
import { FailSafe } from "../safety/failsafe/FailSafe.ts"
import { inSlices } from "../scheduler/Slices.ts"
import { Caller } from "../telemetry/Caller.ts"
import { inFiber, interceptIn } from "./Doors.ts"
import { DurableLedger } from "./DurableLedger.ts"
import { type Host, hostEndpoint, nodeEndpoint, processHounds, settingsFromNode, unwrapped } from "./HostParts.ts"
import { type AuditChainInSlices, auditChainInSlices } from "./InSlices.ts"
import { orFail } from "./interceptOrFail.ts"
import { callbacksLayer, type ErrorOf, type Joints, type NeedsOf, type NoOthers, roomsOf } from "./Joints.ts"
import * as Metrics from "./Metrics.ts"
import { ownParts, roomsUnder } from "./Rooms.ts"
import { makeRotation } from "./Rotation.ts"
import { make as makeShutdown } from "./Shutdown.ts"
import { fitCompression, type HostUnfit, type StartError } from "./StartErrors.ts"
import { makeSources } from "./streams/Sources.ts"
import type { TracehoundStreams } from "./streams/Streams.ts"
import { makeSync, type TracehoundSync } from "./TracehoundSync.ts"

/**
 * A security buffer. None of its effects fails, but `interceptOrFail`, `start` and
 * `retryColdStorage`.
 */
export class Tracehound extends Context.Service<Tracehound, {
  /** Decides about one scent (CONFORMANCE D6). */
  readonly intercept: (scent: Scent) => Effect.Effect<InterceptResult>
  /**
   * The same as `intercept` for who lets only clean scents pass: every other answer is an error
   * (CONFORMANCE D10).
   */
  readonly interceptOrFail: (scent: Scent) => Effect.Effect<void, InterceptError>
  /**
   * The same as `intercept`, and evidence that this call took in belongs to the scope: closing it
   * neutralizes what is still held then (CONFORMANCE E8).
   */
  readonly interceptScoped: (scent: Scent) => Effect.Effect<InterceptResult, never, Scope.Scope>
  readonly neutralize: (signature: string) => Effect.Effect<NeutralizationRecord | null>
  readonly evacuate: (signature: string) => Effect.Effect<EvacuateRecord | null>
  /**
   * Neutralizes what is held when it begins, in the order of eviction, a few pieces a turn
   * (CONFORMANCE Q4). Evidence that comes meanwhile stays in custody; what leaves by another way
   * meanwhile has its record in the audit chain alone. Where it is interrupted, the rest stays.
   */
  readonly flush: Effect.Effect<Array<NeutralizationRecord>>
  /** The calls of `sync` that take long where much is held, without holding the event loop up. */
  readonly auditChain: AuditChainInSlices
  /** The tree of actors as plain data, 256 actors a turn: each as it is when its turn comes. */
  readonly actors: Effect.Effect<SupervisorInspection>
  readonly snapshot: Effect.Effect<WatcherSnapshot>
  /**
   * What happens, as Streams (CONFORMANCE V1). effect/Stream is imported when this is first run.
   */
  readonly streams: Effect.Effect<TracehoundStreams>
  /**
   * Starts what runs in the background: cold storage, alerts and hounds. Every layer but
   * `layerUnstarted` has done so.
   */
  readonly start: Effect.Effect<void, ColdStorageError | HostUnfit | HoundBootError | StoreOpenError>
  /** Waits until cold storage has nothing left to write. */
  readonly settled: Effect.Effect<void>
  /**
   * Sends the dead letters of cold storage that are kept again, one try each (CONFORMANCE C2). It
   * fails where the database that keeps them does.
   */
  readonly retryColdStorage: ColdStorage["Service"]["retry"]
  /** Waits for a panic, for ever if need be, and gives its cause (CONFORMANCE F3). */
  readonly panicked: Effect.Effect<PanicContext>
  /** The same as plain synchronous methods: the hot path, and for code outside Effect. */
  readonly sync: TracehoundSync
}>()("tracehound/Tracehound") {
  /**
   * A Tracehound on Node that can be used but is not started; building it never waits.
   * `createTracehound` builds on it.
   */
  static readonly layerUnstarted = <R = never>(config: TracehoundConfigInput = {}, callbacks?: EffectCallbacks<R>) =>
    assemble({ config, callbacks, endpointFor: nodeEndpoint, hounds: processHounds }).pipe(
      Layer.provide(NodePorts.layer)
    )

  /**
   * A started Tracehound on a host that the caller provides: the core's ports, files and paths.
   */
  static readonly layerNoDeps = <R = never>(
    config: TracehoundConfigInput = {},
    callbacks?: EffectCallbacks<R>
  ): Layer.Layer<Tracehound, StartError, Host | R> =>
    started(assemble({ config, callbacks, endpointFor: hostEndpoint, hounds: processHounds }))

  /**
   * A started Tracehound on Node; `config` is any part of the configuration, at any depth, over the
   * defaults. `callbacks` left out are those of the context, `Callbacks`; what their Effects need,
   * the layer needs.
   */
  static readonly layer = <R = never>(
    config: TracehoundConfigInput = {},
    callbacks?: EffectCallbacks<R>
  ): Layer.Layer<Tracehound, StartError, R> => started(Tracehound.layerUnstarted(config, callbacks))

  /**
   * A started Tracehound on Node, from the environment and the file that TRACEHOUND_CONFIG names.
   */
  static readonly layerConfig: Layer.Layer<Tracehound, StartError> = Layer.suspend(() =>
    started(
      roomsUnder(service, { ...ownParts, endpointFor: nodeEndpoint, hounds: processHounds }).pipe(
        Layer.provide(settingsFromNode),
        Layer.provide(NodePorts.layer)
      )
    )
  )

  /**
   * A started Tracehound on Node, configured by Configs: one for each setting, or one of all, such
   * as `config` of `tracehound/config`. `overrides` go over what they give.
   */
  static readonly layerConfigWith = <R = never>(
    config: Config.Wrap<TracehoundConfigInput>,
    overrides: TracehoundConfigInput = {},
    callbacks?: EffectCallbacks<R>
  ): Layer.Layer<Tracehound, StartError | Config.ConfigError, R> => {
    const parts: Joints<Config.ConfigError, R> = { config: unwrapped(config), overrides }
    return started(roomsOf(service, callbacks === undefined ? parts : { ...parts, callbacks }))
  }

  /**
   * A started Tracehound on Node of these parts; each one that is left out is Tracehound's own.
   * Fails with what a part fails with, besides, and needs what the parts need but for the ports and
   * the settings, which they find (CONFORMANCE R7).
   */
  static readonly layerWith = <const P extends Joints>(
    parts: P & NoOthers<P>
  ): Layer.Layer<Tracehound, StartError | ErrorOf<P>, NeedsOf<P>> => {
    const any: Joints = parts
    return started(roomsOf(service, any as Joints<ErrorOf<P>, NeedsOf<P>>))
  }
}

/** The parts of a Tracehound that differ from host to host. */
export interface Parts<E, R, E2, R2, R3> {
  readonly config: TracehoundConfigInput
  readonly callbacks?: EffectCallbacks<R3> | undefined
  readonly endpointFor: (config: ColdStorageConfig) => Layer.Layer<ColdStorageEndpoint, E, R>
  /** No hounds when left out. */
  readonly hounds?: Layer.Layer<HoundPool, E2, R2>
}

/** A Tracehound of these parts, not started. */
export const assemble = <E, R, E2 = never, R2 = never, R3 = never>(
  { callbacks, config, endpointFor, hounds }: Parts<E, R, E2, R2, R3>
) =>
  roomsUnder(service, { ...ownParts, endpointFor, hounds: hounds ?? HoundPool.layerNone }).pipe(
    Layer.provide(Layer.effect(Settings, Effect.fromResult(resolveConfig([fromArgument(config)])))),
    Layer.provide(callbacks === undefined ? Layer.empty : callbacksLayer(callbacks))
  )

/** The layer, started as part of building it. */
export const started = <E, R>(
  layer: Layer.Layer<Tracehound, E, R>
): Layer.Layer<Tracehound, E | ColdStorageError | HostUnfit | HoundBootError | StoreOpenError, R> =>
  Layer.effectDiscard(Effect.flatMap(Tracehound, ({ start }) => start)).pipe(Layer.provideMerge(layer))

const streamsModule = uncut(() => import("./streams/Streams.ts"))

/** The service, over the rooms. */
const make = Effect.gen(function*() {
  const alerts = yield* Alerts
  const coldStorage = yield* ColdStorage
  const compression = yield* Compression
  const caller = yield* Caller
  const failSafe = yield* FailSafe
  const ledger = yield* DurableLedger
  const pool = yield* HoundPool
  const quarantine = yield* Quarantine
  const shutdown = yield* makeShutdown
  const system = yield* ActorSystem
  const rotation = yield* makeRotation
  const restored = Effect.flatMap(
    ledger.start,
    (open) => open === null ? Effect.void : Effect.mapError(quarantine.restore(open.store, open.turns), notRestored)
  )

  const sources = yield* makeSources
  const sync = yield* makeSync(shutdown.isClosed, sources)
  yield* Metrics.register
  const intercepted = (scent: Scent): Effect.Effect<InterceptResult> =>
    Effect.withFiber((fiber) => Effect.succeed(interceptIn(caller, sync.intercept, fiber, scent)))
  return {
    sync,
    intercept: intercepted,
    interceptOrFail: (scent: Scent) =>
      Effect.withFiber((fiber) => orFail(interceptIn(caller, sync.intercept, fiber, scent))),
    interceptScoped: Effect.fnUntraced(function*(scent: Scent) {
      const result = yield* intercepted(scent)
      if (result.status === "quarantined" || result.status === "escalated") yield* own(result.handle)
      return result
    }, Effect.uninterruptible),
    neutralize: (signature: string) => inFiber(caller, () => sync.neutralize(signature)),
    evacuate: (signature: string) => inFiber(caller, () => sync.evacuate(signature)),
    flush: inSlices(quarantine.flushing, (slice) => inFiber(caller, slice)),
    auditChain: auditChainInSlices(yield* AuditChain),
    actors: system.inspection,
    snapshot: Effect.sync(sync.watcher.snapshot),
    streams: Effect.map(streamsModule, ({ streamsOf }) => streamsOf(sources)),
    start: Effect.all(
      [fitCompression(compression), alerts.start, restored, coldStorage.start, pool.start, rotation],
      { discard: true }
    ),
    settled: coldStorage.settled,
    retryColdStorage: coldStorage.retry,
    panicked: failSafe.panicked
  }
})

/** What was open is closed with the scope; a start may be tried again. */
const notRestored = ({ message, reason }: LedgerStoreError): StoreOpenError =>
  new StoreOpenError({ reason: reason === "closed" ? "io" : reason, message })

/** The service, as the rooms are put together for it. */
const service = Layer.effect(Tracehound, Effect.suspend(() => make))
