/**
 * Fixtures for the tests of the configuration: every setting, and a host with an environment and
 * files.
 */
import { NodeFileSystem } from "@effect/platform-node"
import { assert } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Result } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type ConfigRequest, loadConfig } from "../../src/config/ConfigFiles.ts"
import { fromArgument, InvalidConfig, resolveConfig } from "../../src/config/ConfigSources.ts"
import type { TracehoundConfig } from "../../src/config/TracehoundConfig.ts"

/** Every setting, with values that it takes. If there is only one value, it is repeated. */
export const settings: ReadonlyArray<readonly [path: string, values: ReadonlyArray<unknown>]> = [
  ...[
    "maxPayloadSize",
    "maxDepth",
    "maxKeys",
    "rateLimit.windowMs",
    "rateLimit.maxRequests",
    "rateLimit.blockDurationMs",
    "rateLimit.maxSources",
    "quarantine.maxCount",
    "quarantine.maxBytes",
    "hound.minimumDormant",
    "hound.maxActive",
    "hound.maxLifeTimeCycle",
    "hound.maxProcessingTime",
    "hound.replenishDelay",
    "hound.maxPending",
    "hound.maxJobs",
    "hound.readyTimeout",
    "scheduler.rotationInterval",
    "scheduler.jitterMax",
    "alerts.maxAlertsPerWindow",
    "alerts.windowMs",
    "alerts.escalationThreshold",
    "alerts.devops.timeoutMs",
    "alerts.devops.retries",
    "alerts.devops.retryDelayMs",
    "alerts.devops.maxPending",
    "alerts.devops.breakerFailures",
    "alerts.devops.breakerResetMs",
    "failSafe.callbackTimeoutMs",
    "failSafe.panic.threshold.max",
    "failSafe.panic.threshold.window",
    "audit.maxRecords",
    "audit.coldStorage.maxPendingCount",
    "audit.coldStorage.maxPendingBytes",
    "audit.coldStorage.retries",
    "audit.coldStorage.retryDelayMs",
    "audit.coldStorage.writeTimeoutMs",
    "audit.coldStorage.maxKeptCount",
    "audit.coldStorage.maxKeptBytes",
    "runtime.maxOldSpaceSize",
    "runtime.secureHeap"
  ].map((path) => [path, [51, 52, 53]] as const),
  ["telemetry.instance", ["a", "b", "c"]],
  ["dataDirectory", ["./a", "../b", "/c"]],
  // `durable` needs a dataDirectory.
  ["custody", ["memory", "memory", "memory"]],
  ["quarantine.evictionPolicy", ["lru", "priority", "lru"]],
  ["scheduler.skipIfBusy", [false, true, false]],
  ["alerts.devopsEndpoint", ["http://a", "https://b", "https://c"]],
  ["audit.chainEnabled", [false, true, false]],
  ["audit.coldStorage.type", ["url", "url", "url"]],
  ["audit.coldStorage.endpoint", ["file:a", "https://b", "s3://bucket/c"]],
  ["audit.coldStorage.http.method", ["POST", "PUT", "POST"]],
  ["audit.coldStorage.s3.endpoint", ["http://a", "https://b", "https://c"]],
  ["audit.coldStorage.s3.region", ["a", "b", "c"]],
  ["audit.coldStorage.s3.pathStyle", [true, false, true]],
  ["audit.coldStorage.writeOnly", [true, true, true]],
  ["audit.coldStorage.appendOnly", [true, true, true]],
  ["audit.coldStorage.codec", ["stored", "zstd", "brotli"]],
  ["hound.enabled", [false, true, false]],
  ["hound.sandbox", ["hard", "default", "hard"]],
  ["hound.analyzer.path", ["/a.mjs", "/b.mjs", "/c.mjs"]],
  ["hound.analyzer.sha256", ["a".repeat(64), "b".repeat(64), "c".repeat(64)]],
  ["hound.forkServer", [false, true, false]],
  ["hound.debug", [true, false, true]],
  ["hound.escalation.severity", ["low", "medium", "high"]],
  ["hound.escalation.fill", [0.1, 0.2, 0.3]],
  ...["onTimeout", "onEncodeError", "onQuarantineFull", "onHoundError", "onSystemError"].map((name) =>
    [`failSafe.${name}`, ["quarantine", "escalate", "panic"]] as const
  ),
  ["failSafe.panic.threshold.min", [1, 2, 4]],
  ["trustBoundary.cluster.sharedState", ["redis", "memory", "none"]],
  ["trustBoundary.cluster.trustLevel", ["trusted", "untrusted", "trusted"]],
  ["trustBoundary.coldStorage.endpoint", ["file:a", "file:b", "file:c"]],
  ["trustBoundary.coldStorage.trustLevel", ["untrusted", "write-only", "untrusted"]],
  ["trustBoundary.detector.source", ["internal", "external", "internal"]],
  ["trustBoundary.detector.trustLevel", ["verify", "trusted", "verify"]],
  ["runtime.disableProto", ["delete", "throw", "delete"]],
  ["runtime.frozenIntrinsics", [false, true, false]],
  ["runtime.strict", [true, false, true]]
]

/** An object with this value at the path. */
export const nested = (path: string, value: unknown): object =>
  path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object

/** The variable of a setting, by the documented rule. */
export const variableOf = (path: string): string =>
  `TRACEHOUND_${path.replaceAll(".", "_").replaceAll(/[A-Z]/g, "_$&").toUpperCase()}`

/** All leaves of an object, by path. */
export const leavesOf = (value: object, path: ReadonlyArray<string> = []): ReadonlyArray<readonly [string, unknown]> =>
  Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    typeof inner === "object" && inner !== null
      ? leavesOf(inner, [...path, key])
      : [[[...path, key].join("."), inner] as const]
  )

/** A host with these variables and Node's files. */
export const hostWith = (env: Readonly<Record<string, string>>) =>
  Layer.mergeAll(NodeFileSystem.layer, Layer.succeed(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(env)))

/** A temporary file with this content. */
export const temporaryFile = (content: string | Uint8Array) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const directory = mkdtempSync(join(tmpdir(), "tracehound-test-"))
      const path = join(directory, "config.json")
      writeFileSync(path, content)
      return { directory, path }
    }),
    ({ directory }) => Effect.sync(() => rmSync(directory, { recursive: true }))
  )

export interface Given extends ConfigRequest {
  readonly env?: Readonly<Record<string, string>>
}

export const load = ({ env = {}, ...request }: Given) => Effect.provide(loadConfig(request), hostWith(env))

/** The mistakes, as `path (source): expected`. */
export const mistakesOf = ({ mistakes }: InvalidConfig): ReadonlyArray<string> =>
  mistakes.map(({ expected, path, source }) => `${path} (${source}): ${expected}`)

/** The mistakes of a load that must fail. */
export const refused = (given: Given) =>
  Effect.map(Effect.flip(load(given)), (error) => {
    assert.instanceOf(error, InvalidConfig)
    return mistakesOf(error)
  })

export const resolveArgument = (value: unknown): Result.Result<TracehoundConfig, InvalidConfig> =>
  resolveConfig([fromArgument(value)])

/** The mistakes of an argument alone; none if it is valid. */
export const mistakesIn = (value: unknown): ReadonlyArray<string> =>
  Result.match(resolveArgument(value), { onFailure: mistakesOf, onSuccess: () => [] })
