/**
 * The parts of a Tracehound that touch its host: files, the endpoint that alerts are posted to, and
 * hounds that are processes.
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
import { ColdStorageEndpoint } from "../custody/coldstorage/Endpoint.ts"
import { awakeWhileClosing, uncut } from "../host/node/Awake.ts"
import type * as NodePorts from "../host/node/NodePorts.ts"
import { layerWhereHost } from "../host/node/UnrefClock.ts"
import * as ProcessPool from "../hound/pool/ProcessPool.ts"
import * as DevopsSink from "../safety/devops/DevopsSink.ts"

/** The services that a Tracehound asks of its host: the core's ports, files and paths. */
export type Host = NodePorts.Ports | FileSystem | Path

const fileEndpoint = uncut(() => import("../custody/coldstorage/FileEndpoint.ts"))
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

/** Cold storage on the files of the caller's host. */
export const hostEndpoint = ({ endpoint }: ColdStorageConfig) =>
  Layer.unwrap(Effect.map(fileEndpoint, ({ layer }) => layer(endpoint)))

/**
 * Cold storage on Node's files. Builds synchronously: its modules are imported when cold storage is
 * opened.
 */
export const nodeEndpoint = ({ endpoint }: ColdStorageConfig) =>
  Layer.effect(
    ColdStorageEndpoint,
    Effect.gen(function*() {
      const scope = yield* Effect.scope
      const built = yield* Effect.cached(Effect.gen(function*() {
        const [{ layer }, node] = yield* Effect.all([fileEndpoint, nodeFiles])
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
