/**
 * The roof: all rooms put together, as an Effect service (RFC, "API"). This is the only place where they meet.
 *
 * Promises that one layer owns everything: closing its scope drains cold storage, wipes what is still held and leaves no
 * fiber, timer or handle behind (CONFORMANCE R4).
 *
 * **Details**
 *
 * The decisions about one scent are plain synchronous code, under `sync`. The effects beside it are thin wrappers: they cost
 * what running an Effect costs, and no more.
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
import type { FileSystem } from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type { Path } from "effect/Path"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Agent } from "./agent/Agent.ts"
import { Alerts } from "./alert/Alerts.ts"
import { AuditChain } from "./audit/AuditChain.ts"
import type { Checkpoint } from "./audit/Checkpoint.ts"
import type { ChainReport } from "./audit/HashChain.ts"
import { ColdStorage, type ColdStorageStats } from "./coldstorage/ColdStorage.ts"
import { ColdStorageEndpoint, type ColdStorageError } from "./coldstorage/Endpoint.ts"
import { fromArgument, type InvalidConfig, resolveConfig } from "./ConfigSources.ts"
import type { EvidenceHandle } from "./domain/Evidence.ts"
import type { InterceptResult } from "./domain/InterceptResult.ts"
import type { AuditRecord, EvacuateRecord, NeutralizationRecord } from "./domain/Records.ts"
import type { Scent } from "./domain/Scent.ts"
import { Settings } from "./domain/Settings.ts"
import type { ColdStorageConfig, TracehoundConfigInput } from "./domain/TracehoundConfig.ts"
import type { QuarantineStats, WatcherSnapshot } from "./domain/WatcherSnapshot.ts"
import { own } from "./evidence/Ownership.ts"
import { SecureIds } from "./evidence/SecureIds.ts"
import { RateLimiter, type RateLimitResult } from "./gate/RateLimiter.ts"
import { Throughput } from "./gate/Throughput.ts"
import * as NodePorts from "./node/NodePorts.ts"
import { inspectFlags, processFacts } from "./node/RuntimeFlags.ts"
import { Quarantine } from "./quarantine/Quarantine.ts"
import { Watcher } from "./watcher/Watcher.ts"

/** The configuration is strict, and flags that it asks for are missing (CONFORMANCE R1). */
export class FlagsMissing extends Schema.TaggedError<FlagsMissing>()("FlagsMissing", {
  flags: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `runtime.strict is set, and this process was not started with ${this.flags.join(" ")}; start node with them`
  }
}

/** The quarantine as the roof shows it: its numbers, and the way to a handle. */
export interface QuarantineView extends QuarantineStats {
  /** Evicted for lack of room, so far. */
  readonly evictions: number
  /** Duplicates of held evidence, so far. */
  readonly hits: number
  /** The handle of evidence that is held, or null. O(1). */
  readonly get: (signature: string) => EvidenceHandle | null
}

/** The audit chain as the roof shows it: nobody but the rooms appends to it. */
export interface AuditChainView {
  /** The hash of the newest record: write it down elsewhere, and a truncation shows. */
  readonly lastHash: string
  /** Records ever appended. */
  readonly length: number
  /** What stands for the records that are no longer kept: a run of records from here on begins at its head. */
  readonly checkpoint: Checkpoint
  /** The records kept, oldest first. O(n). */
  readonly records: () => ReadonlyArray<AuditRecord>
  /** Whether no record kept is broken. O(records kept), one hash each. */
  readonly verify: () => boolean
  /** The same, naming the first broken record, and against a head that you wrote down. */
  readonly inspect: (head?: string) => ChainReport
}

/** The RFC's object but for its lifecycle. Everything in it is synchronous and never throws. */
export interface TracehoundSync {
  /** Decides about one scent, in one straight line (CONFORMANCE D6). */
  readonly intercept: (scent: Scent) => InterceptResult
  /** Destroys evidence and records it; null where it is not held (CONFORMANCE E2). */
  readonly neutralize: (signature: string) => NeutralizationRecord | null
  /** Sends evidence to cold storage and records it; null where it is not held or cold storage took nothing. */
  readonly evacuate: (signature: string) => EvacuateRecord | null
  /** Neutralizes everything, in the order of eviction (CONFORMANCE Q4). */
  readonly flush: () => Array<NeutralizationRecord>
  readonly watcher: { readonly snapshot: () => WatcherSnapshot }
  readonly quarantine: QuarantineView
  readonly auditChain: AuditChainView
  readonly rateLimiter: {
    readonly check: (source: string) => RateLimitResult
    readonly reset: (source: string) => void
  }
  readonly coldStorage: { readonly stats: () => ColdStorageStats }
  /** What was refused by a full mailbox or could not be done, over all of them. */
  readonly deadLetters: () => number
}

/** What can keep a Tracehound from starting. */
export type StartError = InvalidConfig | ColdStorageError | FlagsMissing

/** A security buffer. */
export class Tracehound extends Context.Service<Tracehound, {
  readonly intercept: (scent: Scent) => Effect.Effect<InterceptResult>
  /**
   * The same, and evidence that this call took in belongs to the scope: closing it neutralizes what is still held then
   * (CONFORMANCE E8).
   */
  readonly interceptScoped: (scent: Scent) => Effect.Effect<InterceptResult, never, Scope.Scope>
  readonly neutralize: (signature: string) => Effect.Effect<NeutralizationRecord | null>
  readonly evacuate: (signature: string) => Effect.Effect<EvacuateRecord | null>
  readonly flush: Effect.Effect<Array<NeutralizationRecord>>
  readonly snapshot: Effect.Effect<WatcherSnapshot>
  /** Starts what runs in the background: cold storage and alerts. The layers below have done so. */
  readonly start: Effect.Effect<void, ColdStorageError>
  /** Waits until cold storage has nothing left to write. */
  readonly settled: Effect.Effect<void>
  /** The same as plain synchronous methods, for the hot path and for code outside Effect. */
  readonly sync: TracehoundSync
}>()("tracehound/Tracehound") {
  /** Usable at once, not started: what `createTracehound` builds on. */
  static readonly layerUnstarted = (config: TracehoundConfigInput = {}) =>
    rooms(nodeEndpoint).pipe(Layer.provide(settings(config)), Layer.provide(NodePorts.layer))

  /** A started Tracehound on a host of the caller's: the core's ports, files and paths. */
  static readonly layerNoDeps = (config: TracehoundConfigInput = {}): Layer.Layer<Tracehound, StartError, Host> =>
    started(rooms(hostEndpoint).pipe(Layer.provide(settings(config))))

  /** A started Tracehound on Node; `config` is any part of the configuration, at any depth, over the defaults. */
  static readonly layer = (config: TracehoundConfigInput = {}): Layer.Layer<Tracehound, StartError> =>
    started(Tracehound.layerUnstarted(config))

  /** A started Tracehound on Node, from the environment and the file that TRACEHOUND_CONFIG names. */
  static readonly layerConfig: Layer.Layer<Tracehound, StartError> = Layer.suspend(() =>
    started(rooms(nodeEndpoint).pipe(Layer.provide(loaded), Layer.provide(NodePorts.layer)))
  )
}

/** What a Tracehound asks of its host. */
export type Host = NodePorts.Ports | FileSystem | Path

/**
 * Files, and all of Effect's streams with them, are loaded by those who use them: half of the time that loading Tracehound
 * would take otherwise.
 */
const files = {
  endpoint: Effect.promise(() => import("./coldstorage/FileEndpoint.ts")),
  config: Effect.promise(() => import("./ConfigFiles.ts")),
  node: Effect.promise(() => import("./node/NodeFiles.ts"))
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

const settings = (config: TracehoundConfigInput) =>
  Layer.effect(Settings, Effect.fromResult(resolveConfig([fromArgument(config)])))

/** Starts the background of a layer's Tracehound as part of building it. */
const started = <E, R>(layer: Layer.Layer<Tracehound, E, R>): Layer.Layer<Tracehound, E | ColdStorageError, R> =>
  Layer.effectDiscard(Effect.flatMap(Tracehound, ({ start }) => start)).pipe(Layer.provideMerge(layer))

/** Refuses to build where the configuration is strict and a flag is missing. */
const flags = Layer.effectDiscard(Effect.gen(function*() {
  const { runtime } = yield* Settings
  if (!runtime.strict) return
  const missing = inspectFlags(runtime, processFacts()).filter((report) => !report.holds)
  if (missing.length > 0) return yield* new FlagsMissing({ flags: missing.map((report) => report.flag) })
}))

/** The room itself, over the rooms below. */
const roof = Layer.effect(
  Tracehound,
  Effect.gen(function*() {
    const agent = yield* Agent
    const alerts = yield* Alerts
    const chain = yield* AuditChain
    const coldStorage = yield* ColdStorage
    const limiter = yield* RateLimiter
    const quarantine = yield* Quarantine
    const watcher = yield* Watcher

    const sync: TracehoundSync = {
      intercept: agent.interceptUnsafe,
      neutralize: quarantine.neutralize,
      evacuate: quarantine.evacuate,
      flush: quarantine.flush,
      watcher,
      quarantine: {
        get count() {
          return quarantine.stats().count
        },
        get bytes() {
          return quarantine.stats().bytes
        },
        get bySeverity() {
          return quarantine.stats().bySeverity
        },
        get evictions() {
          return quarantine.evictions()
        },
        get hits() {
          return quarantine.hits()
        },
        get: quarantine.get
      },
      auditChain: {
        get lastHash() {
          return chain.lastHash
        },
        get length() {
          return chain.length
        },
        get checkpoint() {
          return chain.checkpoint
        },
        records: chain.records,
        verify: () => chain.inspect().valid,
        inspect: chain.inspect
      },
      rateLimiter: { check: limiter.check, reset: limiter.reset },
      coldStorage: { stats: coldStorage.stats },
      deadLetters: () => coldStorage.stats().deadLetters + alerts.deadLetters()
    }
    return {
      sync,
      intercept: (scent: Scent) => Effect.sync(() => sync.intercept(scent)),
      interceptScoped: Effect.fnUntraced(function*(scent: Scent) {
        const result = sync.intercept(scent)
        if (result.status === "quarantined" || result.status === "escalated") yield* own(result.handle)
        return result
      }, Effect.uninterruptible),
      neutralize: (signature: string) => Effect.sync(() => sync.neutralize(signature)),
      evacuate: (signature: string) => Effect.sync(() => sync.evacuate(signature)),
      flush: Effect.sync(sync.flush),
      snapshot: Effect.sync(sync.watcher.snapshot),
      start: Effect.andThen(alerts.start, coldStorage.start),
      settled: coldStorage.settled
    }
  })
)

/** The rooms, floor by floor; each layer is built once. `endpointFor` makes the endpoint of cold storage. */
const rooms = <E, R>(endpointFor: (config: ColdStorageConfig) => Layer.Layer<ColdStorageEndpoint, E, R>) =>
  roof.pipe(
    Layer.provide(Layer.mergeAll(Agent.layer, Watcher.layer)),
    Layer.provide(Quarantine.layer),
    Layer.provide(ColdStorage.layer(endpointFor)),
    Layer.provide(Layer.mergeAll(Alerts.layer, AuditChain.layer, RateLimiter.layer, SecureIds.layer, Throughput.layer)),
    Layer.provide(flags)
  )
