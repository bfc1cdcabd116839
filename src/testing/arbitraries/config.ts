/**
 * Configurations that are valid and small: a few sources, a few pieces of evidence and some KB of
 * it, so that a short sequence of scents fills tables, evicts evidence and ends windows. Any part
 * may be missing, and then has its default.
 *
 * **Gotchas**
 *
 * - Nothing outside the process is used: there is no cold storage and no DevOps endpoint. Nor is
 *   anything set that Tracehound would refuse to start with: `runtime.strict` is off, because a
 *   test's process seldom has the flags, and no shared state needs an adapter. `configInputTo` adds
 *   cold storage, at an endpoint that the test names.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Redacted from "effect/Redacted"
import type { TracehoundConfigInput } from "../../config/TracehoundConfig.ts"
import { severities } from "../../domain/Severity.ts"
import { failSafeAction } from "./answers.ts"
import { choice, coin, partial, pick, struct, structWith, whole } from "./building.ts"
import { textOfBytes } from "./values.ts"

const duration = whole(1, 10_000)
const durationOrZero = choice([1, Arbitrary.Constant(0)], [3, duration])

/** White space alone is no key. */
const keyText = Arbitrary.map(
  choice([2, textOfBytes(32)], [1, Arbitrary.flatMap(whole(32, 1_024), textOfBytes)], [1, textOfBytes(1_024)]),
  (text) => text.trim() === "" ? "k".repeat(32) : text
)

/** A secret of 32 to 1024 bytes, as text or Redacted. */
export const signatureKey: Arbitrary.Arbitrary<string | Redacted.Redacted> = choice([1, keyText], [
  1,
  Arbitrary.map(keyText, (key) => Redacted.make(key))
])

/** `min` is at most `max`, and often equal. */
const panicThreshold = Arbitrary.map(
  struct({ min: whole(1, 3), more: whole(0, 3), window: duration }),
  ({ min, more, window }) => ({ min, max: min + more, window })
)

const audit = partial({ chainEnabled: coin, maxRecords: whole(1, 64) })

/** Any part of a configuration, without cold storage. */
export const configInput: Arbitrary.Arbitrary<TracehoundConfigInput> = partial({
  maxPayloadSize: whole(1, 4_096),
  maxDepth: whole(1, 16),
  maxKeys: whole(1, 32),
  rateLimit: partial({
    windowMs: duration,
    maxRequests: whole(1, 20),
    blockDurationMs: durationOrZero,
    maxSources: whole(1, 16)
  }),
  quarantine: partial({
    maxCount: whole(1, 16),
    maxBytes: whole(1, 16_384),
    evictionPolicy: pick(["priority", "lru"])
  }),
  signature: partial({ key: signatureKey }),
  hound: partial({
    minimumDormant: whole(0, 2),
    maxActive: whole(1, 4),
    maxLifeTimeCycle: duration,
    maxProcessingTime: duration,
    replenishDelay: durationOrZero,
    escalation: partial({ severity: pick(severities), fill: pick([0.8, 0, 0.5, 1]) }),
    maxPending: whole(1, 8),
    sandbox: pick(["default", "hard"]),
    maxJobs: whole(1, 4),
    readyTimeout: duration,
    forkServer: coin,
    debug: coin
  }),
  scheduler: partial({ rotationInterval: duration, jitterMax: durationOrZero, skipIfBusy: coin }),
  alerts: partial({
    maxAlertsPerWindow: whole(1, 5),
    windowMs: duration,
    escalationThreshold: whole(1, 3),
    devops: partial({
      timeoutMs: duration,
      retries: whole(0, 3),
      retryDelayMs: durationOrZero,
      maxPending: whole(1, 8),
      breakerFailures: whole(1, 3),
      breakerResetMs: duration
    })
  }),
  audit,
  failSafe: partial({
    onTimeout: failSafeAction,
    onEncodeError: failSafeAction,
    onQuarantineFull: failSafeAction,
    onHoundError: failSafeAction,
    onSystemError: failSafeAction,
    panic: partial({ threshold: panicThreshold }),
    callbackTimeoutMs: duration
  }),
  trustBoundary: partial({
    cluster: partial({ sharedState: pick(["none", "memory"]), trustLevel: pick(["untrusted", "trusted"]) }),
    coldStorage: partial({ trustLevel: pick(["write-only", "untrusted"]) }),
    detector: partial({ source: pick(["external", "internal"]), trustLevel: pick(["trusted", "verify"]) })
  }),
  runtime: partial({
    disableProto: pick(["throw", "delete"]),
    frozenIntrinsics: coin,
    maxOldSpaceSize: whole(16, 512),
    secureHeap: pick([2, 65_536]),
    strict: Arbitrary.Constant(false)
  })
})

/**
 * Any part of a configuration, with cold storage at `endpoint`: codecs that every host has, few
 * pending envelopes, short delays.
 */
export const configInputTo = (endpoint: string): Arbitrary.Arbitrary<TracehoundConfigInput> =>
  Arbitrary.map(
    struct({
      config: configInput,
      coldStorage: structWith({ endpoint: Arbitrary.Constant(endpoint) }, {
        type: Arbitrary.Constant("url"),
        writeOnly: Arbitrary.Constant(true),
        appendOnly: Arbitrary.Constant(true),
        codec: pick(["stored", "gzip"]),
        maxPendingCount: whole(1, 8),
        maxPendingBytes: whole(1, 16_384),
        retries: whole(0, 3),
        retryDelayMs: durationOrZero,
        writeTimeoutMs: duration
      })
    }),
    ({ coldStorage, config }) => ({ ...config, audit: { ...config.audit, coldStorage } })
  )
