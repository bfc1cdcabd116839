/**
 * The parts of a Tracehound that touch its host: files, servers that evidence and alerts are sent
 * to, and hounds that are processes.
 *
 * **Details**
 *
 * The modules for files (and all of Effect's streams with them) and for posting alerts are imported
 * on first use: they are half of the time that loading Tracehound would take otherwise.
 */
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type { Path } from "effect/Path"
import { Settings } from "../config/Settings.ts"
import type { ColdStorageConfig } from "../config/TracehoundConfig.ts"
import { ColdStorageEndpoint, type ColdStorageError } from "../custody/coldstorage/Endpoint.ts"
import { LedgerStore } from "../custody/ledger/LedgerStore.ts"
import { awakeWhileClosing, uncut } from "../host/node/Awake.ts"
import type * as NodePorts from "../host/node/NodePorts.ts"
import * as Turns from "../host/node/Turns.ts"
import { layerWhereHost } from "../host/node/UnrefClock.ts"
import { Hash } from "../host/port/Hash.ts"
import * as ProcessPool from "../hound/pool/ProcessPool.ts"
import * as DevopsSink from "../safety/devops/DevopsSink.ts"
import { DataDirectory, type LedgerTrouble } from "./DataDirectory.ts"

/** The services that a Tracehound asks of its host: the core's ports, files and paths. */
export type Host = NodePorts.Ports | FileSystem | Path

const fileEndpoint = uncut(() => import("../custody/coldstorage/FileEndpoint.ts"))
const httpEndpoint = uncut(() => import("../custody/coldstorage/HttpEndpoint.ts"))
const s3Endpoint = uncut(() => import("../custody/coldstorage/S3Endpoint.ts"))
const configFiles = uncut(() => import("../config/ConfigFiles.ts"))
const nodeFiles = uncut(() => import("../host/node/NodeFiles.ts"))

/** Settings from the environment and the file that TRACEHOUND_CONFIG names, read on Node. */
export const settingsFromNode = Layer.unwrap(Effect.map(
  Effect.all([configFiles, nodeFiles]),
  ([{ loadConfig }, { layer }]) => Layer.provide(Layer.effect(Settings, loadConfig()), layer)
))

/** The configuration out of Configs. Effect's module is imported where it is needed. */
export const unwrapped = <A>(wrapped: Config.Wrap<A>): Effect.Effect<A, Config.ConfigError> =>
  Effect.flatMap(uncut(() => import("effect/Config")), ({ unwrap }) => unwrap(wrapped))

const ledgerStore = uncut(() => import("../custody/store/StoreLayer.ts"))
const ledgerKeys = uncut(() => import("../custody/store/LedgerKey.ts"))

/**
 * Data directories on Node's files, by node:sqlite: loaded where one is opened, and not before.
 */
export const nodeDirectory = Layer.succeed(DataDirectory, {
  open: Effect.fnUntraced(function*(directory: string, onTrouble: (trouble: LedgerTrouble) => void) {
    const [{ layer, supported }, { ledgerKey }] = yield* Effect.all([ledgerStore, ledgerKeys])
    yield* supported
    const signer = yield* ledgerKey(directory)
    const store = layer({ directory, signer, onTrouble: ({ kind }) => onTrouble(kind) })
    return Context.get(yield* Layer.build(store), LedgerStore)
  }),
  turns: Turns
})

type EndpointLayer = Layer.Layer<ColdStorageEndpoint, ColdStorageError, FileSystem | Hash | Path>

/** Cold storage where its URL says, on the files of the caller's host. */
export const hostEndpoint = (config: ColdStorageConfig): EndpointLayer => Layer.unwrap(endpointOf(config))

const endpointOf = (config: ColdStorageConfig): Effect.Effect<EndpointLayer> => {
  const { endpoint } = config
  if (endpoint.startsWith("file:")) return Effect.map(fileEndpoint, ({ layer }) => layer(endpoint))
  if (endpoint.startsWith("s3:")) return Effect.map(s3Endpoint, ({ layerFetch }) => layerFetch(config))
  return Effect.map(httpEndpoint, ({ layerFetch }) => layerFetch(config))
}

/**
 * The same on Node's files. Builds synchronously: its modules are imported when cold storage is
 * opened.
 */
export const nodeEndpoint = (config: ColdStorageConfig): Layer.Layer<ColdStorageEndpoint, never, Hash> =>
  Layer.effect(
    ColdStorageEndpoint,
    Effect.gen(function*() {
      const scope = yield* Effect.scope
      const hash = yield* Hash
      const built = yield* Effect.cached(Effect.gen(function*() {
        const node = yield* nodeFiles
        const on = Layer.merge(node.layer, Layer.succeed(Hash, hash))
        return yield* Layer.buildWithScope(Layer.provide(hostEndpoint(config), on), scope)
      }))
      const real = Effect.map(built, Context.get(ColdStorageEndpoint))
      return {
        destination: config.endpoint,
        open: Effect.flatMap(real, ({ open }) => open),
        write: (name, bytes) => Effect.flatMap(real, ({ write }) => write(name, bytes))
      }
    })
  )

/**
 * Posts alerts to `alerts.devopsEndpoint`. Its modules are imported when the first alert leaves.
 */
export const devopsSink = DevopsSink.layer(Effect.gen(function*() {
  const { alerts: { devops: limits, devopsEndpoint } } = yield* Settings
  const scope = yield* Effect.scope
  const { DevopsEndpoint, layerFetch } = yield* uncut(() => import("../safety/devops/DevopsEndpoint.ts"))
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

/**
 * Hounds that are processes. Their deadlines keep no process alive, whoever builds the Tracehound;
 * their closing does.
 */
export const processHounds = awakeWhileClosing(Layer.provide(ProcessPool.layer, layerWhereHost))
