/**
 * The roof: all rooms put together, as an Effect service (RFC, "API"). This is the only place where
 * they meet.
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
 * - What is held when the scope closes is gone, unless somebody evacuated it before.
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
 * Effect.runPromise(program.pipe(Effect.provide(Tracehound.layer({ quarantine: { maxCount: 1000 } }))))
 * ```
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { FileSystem } from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type { Path } from "effect/Path"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { ActorSystem } from "../actor/ActorSystem.ts"
import { Agent } from "../intake/agent/Agent.ts"
import { Escalation } from "../intake/agent/Escalation.ts"
import { Alerts } from "../safety/alert/Alerts.ts"
import { AuditChain } from "../custody/audit/AuditChain.ts"
import { ColdStorage } from "../custody/coldstorage/ColdStorage.ts"
import { ColdStorageEndpoint, type ColdStorageError } from "../custody/coldstorage/Endpoint.ts"
import * as DevopsSink from "../safety/devops/DevopsSink.ts"
import { fromArgument, type InvalidConfig, resolveConfig } from "../config/ConfigSources.ts"
import type { FailSafeCallbacks, PanicContext } from "../domain/FailSafe.ts"
import type { InterceptResult } from "../domain/InterceptResult.ts"
import type { EvacuateRecord, NeutralizationRecord } from "../domain/Records.ts"
import type { Scent } from "../domain/Scent.ts"
import { Settings } from "../config/Settings.ts"
import type { ColdStorageConfig, TracehoundConfigInput } from "../config/TracehoundConfig.ts"
import type { WatcherSnapshot } from "../domain/WatcherSnapshot.ts"
import { own } from "../custody/evidence/Ownership.ts"
import { SecureIds } from "../custody/evidence/SecureIds.ts"
import { Callbacks, FailSafe } from "../safety/failsafe/FailSafe.ts"
import { RateLimiter } from "../intake/gate/RateLimiter.ts"
import { Throughput } from "../intake/gate/Throughput.ts"
import { type HoundBootError, HoundPool } from "../hound/pool/HoundPool.ts"
import * as ProcessPool from "../hound/pool/ProcessPool.ts"
import * as NodePorts from "../host/node/NodePorts.ts"
import { inspectFlags, processFacts } from "../host/node/RuntimeFlags.ts"
import { layerWhereHost } from "../host/node/UnrefClock.ts"
import { PurgeQueue } from "../custody/quarantine/PurgeQueue.ts"
import { Quarantine } from "../custody/quarantine/Quarantine.ts"
import { TickScheduler } from "../scheduler/TickScheduler.ts"
import { make as makeShutdown } from "./Shutdown.ts"
import { makeSync } from "./SyncFacade.ts"
import type { TracehoundSync } from "./TracehoundSync.ts"
import { Watcher } from "./Watcher.ts"

/** The configuration is strict, and flags that it asks for are missing (CONFORMANCE R1). */
export class FlagsMissing extends Schema.TaggedError<FlagsMissing>()("FlagsMissing", {
  flags: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `runtime.strict is set, and this process was not started with ${this.flags.join(" ")}; start node with them`
  }
}

/**
 * The configuration asks for state that instances share, and nothing here can share it (CONFORMANCE
 * R3).
 */
export class SharedStateMissing extends Schema.TaggedError<SharedStateMissing>()("SharedStateMissing", {
  sharedState: Schema.String
}) {
  override get message(): string {
    return `trustBoundary.cluster.sharedState is ${this.sharedState}, and there is no adapter for it: set it to "memory" or "none", and each instance limits by itself`
  }
}

/** What can keep a Tracehound from starting. */
export type StartError = InvalidConfig | ColdStorageError | FlagsMissing | HoundBootError | SharedStateMissing

/** A security buffer. */
export class Tracehound extends Context.Service<Tracehound, {
  readonly intercept: (scent: Scent) => Effect.Effect<InterceptResult>
  /**
   * The same, and evidence that this call took in belongs to the scope: closing it neutralizes what
   * is still held then (CONFORMANCE E8).
   */
  readonly interceptScoped: (scent: Scent) => Effect.Effect<InterceptResult, never, Scope.Scope>
  readonly neutralize: (signature: string) => Effect.Effect<NeutralizationRecord | null>
  readonly evacuate: (signature: string) => Effect.Effect<EvacuateRecord | null>
  readonly flush: Effect.Effect<Array<NeutralizationRecord>>
  readonly snapshot: Effect.Effect<WatcherSnapshot>
  /**
   * Starts what runs in the background: cold storage, alerts and hounds. The layers below have done
   * so.
   */
  readonly start: Effect.Effect<void, ColdStorageError | HoundBootError>
  /** Waits until cold storage has nothing left to write. */
  readonly settled: Effect.Effect<void>
  /**
   * Waits for a panic, and says why there was one: never, as long as all goes well (CONFORMANCE
   * F3).
   */
  readonly panicked: Effect.Effect<PanicContext>
  /** The same as plain synchronous methods, for the hot path and for code outside Effect. */
  readonly sync: TracehoundSync
}>()("tracehound/Tracehound") {
  /** Usable at once, not started: what `createTracehound` builds on. */
  static readonly layerUnstarted = (config: TracehoundConfigInput = {}, callbacks?: FailSafeCallbacks) =>
    assemble({ config, callbacks, endpointFor: nodeEndpoint, hounds: processes }).pipe(Layer.provide(NodePorts.layer))

  /** A started Tracehound on a host of the caller's: the core's ports, files and paths. */
  static readonly layerNoDeps = (
    config: TracehoundConfigInput = {},
    callbacks?: FailSafeCallbacks
  ): Layer.Layer<Tracehound, StartError, Host> =>
    started(assemble({ config, callbacks, endpointFor: hostEndpoint, hounds: processes }))

  /**
   * A started Tracehound on Node; `config` is any part of the configuration, at any depth, over the
   * defaults. Callbacks that are not given are those of the surroundings (`Callbacks`).
   */
  static readonly layer = (
    config: TracehoundConfigInput = {},
    callbacks?: FailSafeCallbacks
  ): Layer.Layer<Tracehound, StartError> => started(Tracehound.layerUnstarted(config, callbacks))

  /**
   * A started Tracehound on Node, from the environment and the file that TRACEHOUND_CONFIG names.
   */
  static readonly layerConfig: Layer.Layer<Tracehound, StartError> = Layer.suspend(() =>
    started(rooms(nodeEndpoint, processes).pipe(Layer.provide(loaded), Layer.provide(NodePorts.layer)))
  )
}

/**
 * What a Tracehound is put together of, where that differs: for those who put one together
 * themselves.
 */
export interface Parts<E, R, E2, R2> {
  readonly config: TracehoundConfigInput
  readonly callbacks?: FailSafeCallbacks | undefined
  readonly endpointFor: (config: ColdStorageConfig) => Layer.Layer<ColdStorageEndpoint, E, R>
  /** None when left out. */
  readonly hounds?: Layer.Layer<HoundPool, E2, R2>
}

/** All rooms, not started. */
export const assemble = <E, R, E2 = never, R2 = never>(
  { callbacks, config, endpointFor, hounds }: Parts<E, R, E2, R2>
) =>
  rooms(endpointFor, hounds ?? HoundPool.layerNone).pipe(
    Layer.provide(Layer.effect(Settings, Effect.fromResult(resolveConfig([fromArgument(config)])))),
    Layer.provide(callbacks === undefined ? Layer.empty : Layer.succeed(Callbacks, callbacks))
  )

/** What a Tracehound asks of its host. */
export type Host = NodePorts.Ports | FileSystem | Path

/**
 * Files, and all of Effect's streams with them, are loaded by those who use them: half of the time
 * that loading Tracehound would take otherwise.
 */
const files = {
  endpoint: Effect.promise(() => import("../custody/coldstorage/FileEndpoint.ts")),
  config: Effect.promise(() => import("../config/ConfigFiles.ts")),
  node: Effect.promise(() => import("../host/node/NodeFiles.ts"))
}

const loaded = Layer.unwrap(Effect.map(
  Effect.all([files.config, files.node]),
  ([{ loadConfig }, { layer }]) => Layer.provide(Layer.effect(Settings, loadConfig()), layer)
))

/** Cold storage on the files of the caller's host. */
const hostEndpoint = ({ endpoint }: ColdStorageConfig) =>
  Layer.unwrap(Effect.map(files.endpoint, ({ layer }) => layer(endpoint)))

/** Cold storage on Node's files, to be built without waiting: they are loaded when it is opened. */
const nodeEndpoint = ({ endpoint }: ColdStorageConfig) =>
  Layer.effect(
    ColdStorageEndpoint,
    Effect.gen(function*() {
      const scope = yield* Effect.scope
      const built = yield* Effect.cached(Effect.gen(function*() {
        const [{ layer }, node] = yield* Effect.all([files.endpoint, files.node])
        return yield* Layer.buildWithScope(Layer.provide(layer(endpoint), node.layer), scope)
      }))
      const real = Effect.map(built, Context.get(ColdStorageEndpoint))
      return {
        destination: endpoint,
        open: Effect.flatMap(real, ({ open }) => open),
        write: (name, bytes) => Effect.flatMap(real, ({ write }) => write(name, bytes))
      }
    })
  )

/** What posts alerts: it is loaded when the first one goes out. */
const devops = DevopsSink.layer(Effect.gen(function*() {
  const { alerts: { devops: limits, devopsEndpoint } } = yield* Settings
  const scope = yield* Effect.scope
  const { DevopsEndpoint, layerFetch } = yield* Effect.promise(() => import("../safety/devops/DevopsEndpoint.ts"))
  const { breakerFailures, breakerResetMs, retries, retryDelayMs, timeoutMs } = limits
  const context = yield* Layer.buildWithScope(
    layerFetch({
      endpoint: devopsEndpoint ?? "",
      timeoutMs,
      retries,
      retryDelayMs,
      breaker: { failures: breakerFailures, resetMs: breakerResetMs }
    }),
    scope
  )
  return Context.get(context, DevopsEndpoint)
}))

/** Hounds that are processes; their deadlines keep no process alive, whoever builds this. */
const processes = Layer.provide(ProcessPool.layer, layerWhereHost)

/**
 * The actors of a Tracehound: a part that crashes comes back soon, and what crashes on and on is a
 * system error.
 */
const actors = ActorSystem.layer({
  name: "tracehound",
  intensity: 5,
  period: "10 seconds",
  backoff: { base: "100 millis", max: "5 seconds" }
})

/** Starts the background of a layer's Tracehound as part of building it. */
export const started = <E, R>(
  layer: Layer.Layer<Tracehound, E, R>
): Layer.Layer<Tracehound, E | ColdStorageError | HoundBootError, R> =>
  Layer.effectDiscard(Effect.flatMap(Tracehound, ({ start }) => start)).pipe(Layer.provideMerge(layer))

/**
 * Refuses to build where the configuration asks for what cannot be had: a missing flag, where it is
 * strict; shared state.
 */
const refusals = Layer.effectDiscard(Effect.gen(function*() {
  const { runtime, trustBoundary: { cluster: { sharedState } } } = yield* Settings
  if (sharedState === "redis") return yield* new SharedStateMissing({ sharedState })
  if (!runtime.strict) return
  const missing = inspectFlags(runtime, processFacts()).filter((report) => !report.holds)
  if (missing.length > 0) return yield* new FlagsMissing({ flags: missing.map((report) => report.flag) })
}))

/** The room itself, over the rooms below. */
const roof = Layer.effect(
  Tracehound,
  Effect.gen(function*() {
    const alerts = yield* Alerts
    const coldStorage = yield* ColdStorage
    const escalation = yield* Escalation
    const failSafe = yield* FailSafe
    const pool = yield* HoundPool
    const shutdown = yield* makeShutdown
    const rotating = yield* rotation

    const sync = yield* makeSync(shutdown.isClosed)
    /** What escalates is linked to the span of whoever asks, where there is one. */
    const interceptIn = ({ context }: Fiber.Fiber<unknown, unknown>, scent: Scent): InterceptResult => {
      const span = Context.getOrUndefined(context, Tracer.ParentSpan)
      return span === undefined ? sync.intercept(scent) : escalation.within(span, () => sync.intercept(scent))
    }
    return {
      sync,
      intercept: (scent: Scent) => Effect.withFiber((fiber) => Effect.succeed(interceptIn(fiber, scent))),
      interceptScoped: Effect.fnUntraced(function*(scent: Scent) {
        const result = yield* Effect.withFiber((fiber) => Effect.succeed(interceptIn(fiber, scent)))
        if (result.status === "quarantined" || result.status === "escalated") yield* own(result.handle)
        return result
      }, Effect.uninterruptible),
      neutralize: (signature: string) => Effect.sync(() => sync.neutralize(signature)),
      evacuate: (signature: string) => Effect.sync(() => sync.evacuate(signature)),
      flush: Effect.sync(sync.flush),
      snapshot: Effect.sync(sync.watcher.snapshot),
      start: Effect.all([alerts.start, coldStorage.start, pool.start, rotating], { discard: true }),
      settled: coldStorage.settled,
      panicked: failSafe.panicked
    }
  })
)

/** The rotation of hounds, once it is started; nothing where there are none (CONFORMANCE H5). */
const rotation = Effect.gen(function*() {
  const { scheduler } = yield* Settings
  const pool = yield* HoundPool
  const ticks = yield* TickScheduler
  const scope = yield* Effect.scope
  const { jitterMax, rotationInterval, skipIfBusy } = scheduler
  const { isBusy, rotate } = pool
  const scheduled = ticks.schedule({
    name: "rotation",
    interval: rotationInterval,
    jitterMax,
    skipIfBusy,
    isBusy,
    run: rotate
  })
  return yield* Effect.cached(
    pool.hasHounds ? Effect.asVoid(Scope.provide(scheduled, scope)) : Effect.void
  )
})

/**
 * The rooms, floor by floor; each layer is built once. `endpointFor` makes the endpoint of cold
 * storage.
 *
 * Fresh, as Effect builds a layer once for each program, whatever is provided to it: two
 * Tracehounds of one program would share their rooms, and the second one the settings of the first.
 * Suspended, so that one layer that is provided twice stays one.
 */
const rooms = <E, R, E2, R2>(
  endpointFor: (config: ColdStorageConfig) => Layer.Layer<ColdStorageEndpoint, E, R>,
  hounds: Layer.Layer<HoundPool, E2, R2>
) => {
  const fresh = Layer.fresh(roof.pipe(
    Layer.provide(Layer.mergeAll(Agent.layer, Watcher.layer)),
    Layer.provide(Escalation.layer),
    Layer.provide(PurgeQueue.layer),
    // Closed before the quarantine: what hounds have begun they end with evidence that is still
    // held.
    Layer.provide(hounds),
    Layer.provide(Quarantine.layer),
    Layer.provide(ColdStorage.layer(endpointFor)),
    Layer.provide(FailSafe.layer),
    Layer.provide(
      Layer.mergeAll(
        Layer.provide(Alerts.layer, devops),
        AuditChain.layer,
        RateLimiter.layer,
        SecureIds.layer,
        Throughput.layer,
        // Ticks keep no process alive, whoever builds this: nobody waits for one.
        Layer.provide(TickScheduler.layer, layerWhereHost)
      )
    ),
    Layer.provide(actors),
    Layer.provide(refusals)
  ))
  return Layer.suspend(() => fresh)
}
