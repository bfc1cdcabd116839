/**
 * The configuration, with the RFC's defaults (RFC, "Configuration"; CONFORMANCE R2).
 *
 * One schema: what a caller may leave out is what its encoded side calls optional, so
 * `TracehoundConfig.Encoded` is the deep partial that `createTracehound` and `Tracehound.layer`
 * take, and decoding `{}` gives the defaults. Durations are in milliseconds, sizes in bytes.
 *
 * **Gotchas**
 *
 * - Every number has an upper bound, so that a misplaced zero is a mistake with a path and not an
 *   allocation.
 * - Where the RFC names a field without a default, the default is ours and is said beside it.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { Codec } from "../domain/Codec.ts"
import { failSafeActions } from "../domain/FailSafe.ts"
import { severities } from "../domain/Severity.ts"
import { BoundedString, fitsUtf8, isWellFormed } from "../domain/Text.ts"

const whole = (minimum: number, maximum: number) =>
  Schema.Number.check(Schema.makeFilter(
    (n: number) => Number.isSafeInteger(n) && n >= minimum && n <= maximum,
    { expected: `a whole number from ${minimum} to ${maximum}` }
  ))

/** setTimeout's own limit, about 24.8 days: a longer delay would fire at once. */
const maxDelayMs = 2_147_483_647

const Duration = whole(1, maxDelayMs)
const DurationOrZero = whole(0, maxDelayMs)

const orElse = <S extends Schema.Constraint>(schema: S, value: S["Encoded"]) =>
  Schema.withDecodingDefaultKey<S>(Effect.succeed(value))(schema)

const minKeyBytes = 32
const maxKeyBytes = 1024

const RateLimit = Schema.Struct({
  windowMs: orElse(Duration, 60_000),
  maxRequests: orElse(whole(1, 1_000_000_000), 100),
  /** 0 blocks only until the window ends. */
  blockDurationMs: orElse(DurationOrZero, 300_000),
  /** Sources remembered at once (CONFORMANCE G3). */
  maxSources: orElse(whole(1, 16_777_216), 100_000)
})

const Quarantine = Schema.Struct({
  /** Ours: the RFC gives none. */
  maxCount: orElse(whole(1, 16_777_216), 10_000),
  /** Ours: the RFC gives none. */
  maxBytes: orElse(whole(1, Number.MAX_SAFE_INTEGER), 100_000_000),
  evictionPolicy: orElse(Schema.Literals(["priority", "lru"]), "priority")
})

/** Ours: who looks at evidence (CONFORMANCE H2). */
const Analyzer = Schema.Struct({
  /** An ES module without imports, by its absolute path. */
  path: BoundedString(4096).check(
    isWellFormed,
    Schema.isPattern(/^(?:\/|[A-Za-z]:[\\/]|\\\\)[^\0]*$/, { expected: "the absolute path of a bundled ES module" })
  ),
  /**
   * SHA-256 of the file, in lowercase hexadecimal. Left out, it is what the file has at the start.
   */
  sha256: Schema.optionalKey(Schema.String.check(
    Schema.isPattern(/^[0-9a-f]{64}$/, { expected: "a SHA-256 in lowercase hexadecimal, as sha256sum prints it" })
  ))
})

const HoundPool = Schema.Struct({
  /** Ours: whether there are hounds at all. */
  enabled: orElse(Schema.Boolean, true),
  /** Ours: two, so that an activation never waits for a spawn. */
  minimumDormant: orElse(whole(0, 1024), 2),
  /** Ours. */
  maxActive: orElse(whole(1, 1024), 4),
  /** Ours: how long a hound may live, in ms. */
  maxLifeTimeCycle: orElse(Duration, 3_600_000),
  maxProcessingTime: orElse(Duration, 5_000),
  /** Ours. */
  replenishDelay: orElse(DurationOrZero, 100),
  /**
   * Ours: when evidence is looked at (CONFORMANCE H7): of this severity or worse, or with the
   * quarantine filled so far, of 1.
   */
  escalation: orElse(
    Schema.Struct({
      severity: orElse(Schema.Literals(severities), "critical"),
      fill: orElse(Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 1 })), 0.8)
    }),
    {}
  ),
  /** Ours: work that may wait for a hound. */
  maxPending: orElse(whole(1, 1_000_000), 1_024),
  /**
   * Ours: `hard` needs Linux and bubblewrap. What is in effect is in the snapshot, and an alert
   * where it is less than this.
   */
  sandbox: orElse(Schema.Literals(["default", "hard"]), "default"),
  /** Ours: the analyzer that comes with Tracehound, where it is left out. */
  analyzer: Schema.optionalKey(Analyzer),
  /**
   * Ours: pieces of evidence that one hound looks at. With 1 nothing of one is left when it looks
   * at the next.
   */
  maxJobs: orElse(whole(1, 4_294_967_295), 100),
  /** Ours: how long a hound may take to be ready, in ms. */
  readyTimeout: orElse(Duration, 10_000),
  /**
   * Ours: whether a small process starts the hounds: a process with a large heap stands still while
   * it starts one.
   */
  forkServer: orElse(Schema.Boolean, true),
  /**
   * Ours: whether what a hound writes to its stderr is logged, at the Debug level. For writing an
   * analyzer, not for service.
   */
  debug: orElse(Schema.Boolean, false)
})

const Scheduler = Schema.Struct({
  /** Ours. */
  rotationInterval: orElse(Duration, 300_000),
  jitterMax: orElse(DurationOrZero, 10_000),
  skipIfBusy: orElse(Schema.Boolean, true)
})

/** Ours: how alerts are sent to the devopsEndpoint (CONFORMANCE W3). */
const Devops = Schema.Struct({
  /** How long one try may go without an answer. */
  timeoutMs: orElse(Duration, 5_000),
  /**
   * How often a failed try is repeated, and how long the first repetition waits; each further one
   * waits twice as long.
   */
  retries: orElse(whole(0, 100), 3),
  retryDelayMs: orElse(DurationOrZero, 500),
  /** Alerts that may wait, in each lane. */
  maxPending: orElse(whole(1, 1_000_000), 256),
  /** So many alerts lost in a row, and for so long nothing is tried. */
  breakerFailures: orElse(whole(1, 1_000_000), 3),
  breakerResetMs: orElse(Duration, 30_000)
})

const Alerts = Schema.Struct({
  maxAlertsPerWindow: orElse(whole(1, 1_000_000), 10),
  windowMs: orElse(Duration, 60_000),
  /** Ours: how many alerts past the maximum raise `alert.flood`. */
  escalationThreshold: orElse(whole(1, 1_000_000), 1),
  devopsEndpoint: Schema.optionalKey(Schema.String.check(
    Schema.isPattern(/^https?:\/\/./, { expected: "an http: or https: URL" })
  )),
  devops: orElse(Devops, {})
})

const Endpoint = BoundedString(4096).check(
  isWellFormed,
  Schema.isPattern(/^file:./, { expected: "a file: URL or file: path of a directory, such as file:./evidence" })
)

/** Where evidence goes when it leaves (RFC, "Cold Storage"): written to, never read. */
const ColdStorage = Schema.Struct({
  type: orElse(Schema.Literal("url"), "url"),
  endpoint: Endpoint,
  writeOnly: orElse(Schema.Literal(true), true),
  appendOnly: orElse(Schema.Literal(true), true),
  /**
   * Ours: how evidence is pressed on its way (CONFORMANCE E7). Refused at start where the host
   * lacks it.
   */
  codec: orElse(Codec, "gzip"),
  /**
   * Ours: what may wait to be written, in envelopes and in bytes of evidence; past it, what comes
   * is refused and counted.
   */
  maxPendingCount: orElse(whole(1, 1_000_000), 10_000),
  maxPendingBytes: orElse(whole(1, Number.MAX_SAFE_INTEGER), 100_000_000),
  /**
   * Ours: how often a failed write is tried again before it is a dead letter, and how long it waits
   * in between.
   */
  retries: orElse(whole(0, 100), 3),
  retryDelayMs: orElse(DurationOrZero, 200),
  /** Ours: how long one try may go without an answer before it is given up. */
  writeTimeoutMs: orElse(Duration, 10_000)
})

/** What is done about a failure (RFC, "Fail-Safe Actions"; CONFORMANCE F1). */
const Action = Schema.Literals(failSafeActions)

/**
 * When errors add up to a panic (CONFORMANCE F2): at `min` within the window somebody is asked, at
 * `max` it happens.
 */
const PanicThreshold = Schema.Struct({
  min: orElse(whole(1, 1_000_000), 3),
  max: orElse(whole(1, 1_000_000), 10),
  window: orElse(Duration, 60_000)
}).check(Schema.makeFilter(({ max, min }: { readonly max: number; readonly min: number }) => min <= max, {
  expected: "a threshold whose min is no more than its max"
}))

const FailSafe = Schema.Struct({
  onTimeout: orElse(Action, "Purge"),
  onEncodeError: orElse(Action, "Purge"),
  onQuarantineFull: orElse(Action, "Purge"),
  onHoundError: orElse(Action, "escalate"),
  onSystemError: orElse(Action, "panic"),
  panic: orElse(Schema.Struct({ threshold: orElse(PanicThreshold, {}) }), {}),
  /** Ours: how long a callback may take to answer; after that there is no answer. */
  callbackTimeoutMs: orElse(Duration, 5_000)
})

/** Where the boundaries of trust are (RFC, "Trust Boundary Config"; CONFORMANCE R3). */
const TrustBoundary = Schema.Struct({
  cluster: orElse(
    Schema.Struct({
      /** `redis` needs an adapter: a Tracehound without one refuses to start with it. */
      sharedState: orElse(Schema.Literals(["redis", "memory", "none"]), "none"),
      trustLevel: orElse(Schema.Literals(["trusted", "untrusted"]), "untrusted")
    }),
    {}
  ),
  coldStorage: orElse(
    Schema.Struct({
      /**
       * The endpoint that is trusted so far: all that are configured, where it is left out, and
       * otherwise no other.
       */
      endpoint: Schema.optionalKey(Endpoint),
      /** `untrusted`: what it says it has written is not believed, and counted as unconfirmed. */
      trustLevel: orElse(Schema.Literals(["write-only", "untrusted"]), "write-only")
    }),
    {}
  ),
  detector: orElse(
    Schema.Struct({
      source: orElse(Schema.Literals(["external", "internal"]), "external"),
      /**
       * `verify`: its signals are checked against their schema, exactly, and counted where they are
       * refused.
       */
      trustLevel: orElse(Schema.Literals(["trusted", "verify"]), "trusted")
    }),
    {}
  )
})

const Audit = Schema.Struct({
  chainEnabled: orElse(Schema.Boolean, true),
  /** Ours: records kept in memory; older ones leave and the chain starts at their last hash. */
  maxRecords: orElse(whole(1, 16_777_216), 100_000),
  coldStorage: Schema.optionalKey(ColdStorage)
})

const textOfKey = (key: unknown): unknown => Redacted.isRedacted(key) ? Redacted.value(key) : key

const isKey = (value: unknown): value is string | Redacted.Redacted => {
  const key = textOfKey(value)
  return typeof key === "string" && key.isWellFormed() && fitsUtf8(key, maxKeyBytes) && !fitsUtf8(key, minKeyBytes - 1)
}

/** A secret: text or a Redacted comes in, a Redacted is what there is. */
const Key = Schema.declare(isKey, {
  expected: `a key of ${minKeyBytes} to ${maxKeyBytes} bytes in UTF-8, as text or Redacted`
}).pipe(
  Schema.decodeTo(
    Schema.Redacted(Schema.String),
    SchemaTransformation.transform({
      decode: (key) => Redacted.isRedacted(key) ? key : Redacted.make(key),
      encode: (key): string | Redacted.Redacted => key
    })
  )
)

/** Ours: signatures that only who has the key can recompute (CONFORMANCE D8). */
const Signatures = Schema.Struct({
  /**
   * Off by default. As text or, from a program, as a Redacted. RFC 2104 asks for a key no shorter
   * than the hash: `openssl rand -hex 32` gives one of 64 bytes.
   */
  key: Schema.optionalKey(Key)
})

/** The flags that the RFC asks of its host's Node (RFC, "Runtime Flags"). */
const Runtime = Schema.Struct({
  disableProto: orElse(Schema.Literals(["throw", "delete"]), "throw"),
  frozenIntrinsics: orElse(Schema.Boolean, true),
  /** Mebibytes. */
  maxOldSpaceSize: orElse(whole(16, 1_048_576), 512),
  /** Bytes of OpenSSL's secure heap, on Linux only; not checked where it is left out. */
  secureHeap: Schema.optionalKey(whole(2, 2_147_483_647)),
  /** Whether Tracehound refuses to start where a flag is missing (CONFORMANCE R1). */
  strict: orElse(Schema.Boolean, false)
})

/** The whole configuration. */
export const TracehoundConfig = Schema.Struct({
  /** Canonical bytes (CONFORMANCE D5). */
  maxPayloadSize: orElse(whole(1, 268_435_456), 1_000_000),
  /** Ours: how deep a payload may nest. */
  maxDepth: orElse(whole(1, 1_000), 256),
  /** Ours: how many keys one object of a payload may have. */
  maxKeys: orElse(whole(1, 1_000_000), 4_096),
  rateLimit: orElse(RateLimit, {}),
  quarantine: orElse(Quarantine, {}),
  signature: orElse(Signatures, {}),
  hound: orElse(HoundPool, {}),
  scheduler: orElse(Scheduler, {}),
  alerts: orElse(Alerts, {}),
  audit: orElse(Audit, {}),
  failSafe: orElse(FailSafe, {}),
  trustBoundary: orElse(TrustBoundary, {}),
  runtime: orElse(Runtime, {})
})

/** A whole, valid configuration. */
export type TracehoundConfig = typeof TracehoundConfig.Type

/** What a caller writes: any part of it, at any depth. */
export type TracehoundConfigInput = typeof TracehoundConfig.Encoded

/** Cold storage's own settings. */
export type ColdStorageConfig = typeof ColdStorage.Type
