/**
 * The configuration, with the RFC's defaults (RFC, "Configuration"; CONFORMANCE R2).
 *
 * One schema for both sides: `TracehoundConfig.Encoded`, with every setting optional at any depth,
 * is what `createTracehound` and `Tracehound.layer` take, and decoding `{}` gives the defaults.
 * Durations are in milliseconds, sizes in bytes. "Ours" marks a setting, or a default, that the RFC
 * does not have.
 *
 * **Gotchas**
 *
 * - Every number has an upper bound, so that an extra zero is reported with its path, instead of
 *   allocating too much.
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

/** The limit of setTimeout, about 24.8 days: a longer delay would fire at once. */
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
  /** The default is ours. Pieces of evidence. */
  maxCount: orElse(whole(1, 16_777_216), 10_000),
  /** The default is ours. Bytes of evidence. */
  maxBytes: orElse(whole(1, Number.MAX_SAFE_INTEGER), 100_000_000),
  evictionPolicy: orElse(Schema.Literals(["priority", "lru"]), "priority")
})

/** Ours: the analyzer that hounds run (CONFORMANCE H2). */
const Analyzer = Schema.Struct({
  /** An ES module without imports, by its absolute path. */
  path: BoundedString(4096).check(
    isWellFormed,
    Schema.isPattern(/^(?:\/|[A-Za-z]:[\\/]|\\\\)[^\0]*$/, { expected: "the absolute path of a bundled ES module" })
  ),
  /**
   * SHA-256 of the file, in lowercase hexadecimal: that of the file at the start when left out.
   */
  sha256: Schema.optionalKey(Schema.String.check(
    Schema.isPattern(/^[0-9a-f]{64}$/, { expected: "a SHA-256 in lowercase hexadecimal, as sha256sum prints it" })
  ))
})

const HoundPool = Schema.Struct({
  /** Ours: whether there are hounds at all. */
  enabled: orElse(Schema.Boolean, true),
  /** The default is ours: with two, an activation seldom waits for a hound to start. */
  minimumDormant: orElse(whole(0, 1024), 2),
  /** The default is ours. */
  maxActive: orElse(whole(1, 1024), 4),
  /** How long a hound may live. The default is ours. */
  maxLifeTimeCycle: orElse(Duration, 3_600_000),
  maxProcessingTime: orElse(Duration, 5_000),
  /** The default is ours. */
  replenishDelay: orElse(DurationOrZero, 100),
  /**
   * Ours: which evidence a hound examines (CONFORMANCE H7): evidence of this severity or worse, and
   * any evidence while the quarantine is filled to `fill`, a share of 1, or more.
   */
  escalation: orElse(
    Schema.Struct({
      severity: orElse(Schema.Literals(severities), "critical"),
      fill: orElse(Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 1 })), 0.8)
    }),
    {}
  ),
  /** Ours: the most examinations that may wait for a hound. */
  maxPending: orElse(whole(1, 1_000_000), 1_024),
  /**
   * Ours: `hard` needs Linux and bubblewrap. The snapshot shows the level in effect; an alert says
   * so if it is lower than this one.
   */
  sandbox: orElse(Schema.Literals(["default", "hard"]), "default"),
  /** Ours: the analyzer that comes with Tracehound when left out. */
  analyzer: Schema.optionalKey(Analyzer),
  /**
   * Ours: pieces of evidence that one hound examines before it is replaced. With 1, no state of one
   * examination can reach the next.
   */
  maxJobs: orElse(whole(1, 4_294_967_295), 100),
  /** Ours: how long a hound may take to start. */
  readyTimeout: orElse(Duration, 10_000),
  /**
   * Ours: whether a fork server, a small process of its own, starts the hounds: a process with a
   * large heap is blocked while it starts one.
   */
  forkServer: orElse(Schema.Boolean, true),
  /**
   * Ours: whether a hound's stderr is logged, at the Debug level. For the development of an
   * analyzer, not for production.
   */
  debug: orElse(Schema.Boolean, false)
})

const Scheduler = Schema.Struct({
  /** The default is ours. */
  rotationInterval: orElse(Duration, 300_000),
  jitterMax: orElse(DurationOrZero, 10_000),
  skipIfBusy: orElse(Schema.Boolean, true)
})

/** Ours: how alerts are sent to `devopsEndpoint` (CONFORMANCE W3). */
const Devops = Schema.Struct({
  /** How long one attempt may take. */
  timeoutMs: orElse(Duration, 5_000),
  /** How often a failed attempt is repeated. */
  retries: orElse(whole(0, 100), 3),
  /** The delay of the first repetition; each further one waits twice as long. */
  retryDelayMs: orElse(DurationOrZero, 500),
  /** The most alerts that may wait, in each lane. */
  maxPending: orElse(whole(1, 1_000_000), 256),
  /** After so many alerts lost in a row, nothing is sent for `breakerResetMs`. */
  breakerFailures: orElse(whole(1, 1_000_000), 3),
  breakerResetMs: orElse(Duration, 30_000)
})

const Alerts = Schema.Struct({
  maxAlertsPerWindow: orElse(whole(1, 1_000_000), 10),
  windowMs: orElse(Duration, 60_000),
  /** Ours: `alert.flood` is raised when so many alerts have exceeded the maximum. */
  escalationThreshold: orElse(whole(1, 1_000_000), 1),
  devopsEndpoint: Schema.optionalKey(Schema.String.check(
    Schema.makeFilter((url: string) => /^https?:\/\/./.test(url) && URL.canParse(url), {
      expected: "an http: or https: URL"
    })
  )),
  devops: orElse(Devops, {})
})

const textOfKey = (key: unknown): unknown => Redacted.isRedacted(key) ? Redacted.value(key) : key

/** A secret: text or a Redacted when encoded, always a Redacted when decoded. */
const secret = (isSecret: (text: string) => boolean, expected: string) => {
  const isKey = (value: unknown): value is string | Redacted.Redacted => {
    const key = textOfKey(value)
    return typeof key === "string" && isSecret(key)
  }
  return Schema.declare(isKey, { expected }).pipe(
    Schema.decodeTo(
      Schema.Redacted(Schema.String),
      SchemaTransformation.transform({
        decode: (key) => Redacted.isRedacted(key) ? key : Redacted.make(key),
        encode: (key): string | Redacted.Redacted => key
      })
    )
  )
}

const Key = secret(
  (key) => key.isWellFormed() && fitsUtf8(key, maxKeyBytes) && !fitsUtf8(key, minKeyBytes - 1) && key.trim() !== "",
  `a key of ${minKeyBytes} to ${maxKeyBytes} bytes in UTF-8, not all white space, as text or Redacted`
)

/** A part of the credentials of an object store, as it goes into headers. */
const Credential = secret(
  (text) => /^[\x21-\x7e]{1,4096}$/.test(text),
  "1 to 4,096 visible characters of ASCII, as text or Redacted"
)

const isServerUrl = (text: string): boolean => {
  const url = URL.parse(text)
  return /^https?:\/\/./.test(text) && url !== null &&
    url.username === "" && url.password === "" && !/[?#\s]/.test(text)
}

/**
 * What would be written to another place than it seems is refused: the home directory is the
 * shell's to spell out, and the query and the fragment of a URL are no part of a path. Records name
 * the endpoint, so that it may hold no secret.
 */
const Endpoint = BoundedString(4096).check(
  isWellFormed,
  Schema.isPattern(/^(?:file|https?|s3):./, {
    expected: "a file: path of a directory, such as file:./evidence, an http: or https: URL, or s3://BUCKET/PREFIX"
  }),
  Schema.isPattern(/^[^\0]*$/, { expected: "a path without the character NUL" }),
  Schema.isPattern(/^(?!file:~)/, {
    expected: "a path that does not begin with ~, which only a shell replaces: write the directory out, or file:./~"
  }),
  Schema.isPattern(/^(?!file:\/\/[^]*[?#])/, {
    expected: "a file: URL without a query or a fragment: write %3F for ? and %23 for #"
  }),
  Schema.makeFilter((text: string) => !/^https?:/.test(text) || isServerUrl(text), {
    expected: "an http: or https: URL without a user name, a password, a query or a fragment"
  }),
  Schema.isPattern(
    /^(?!s3:(?!\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)*\/?$))/,
    { expected: "s3://BUCKET/PREFIX, with a prefix of letters, digits and . _ - / or none" }
  )
)

/** Ours: how envelopes are sent to an `http:` or `https:` endpoint. */
const HttpColdStorage = Schema.Struct({
  method: orElse(Schema.Literals(["PUT", "POST"]), "PUT"),
  /**
   * Signs requests, so that the receiver knows who sent them. They are not signed when left out.
   */
  key: Schema.optionalKey(Key)
})

/** Ours: the object store of an `s3:` endpoint. */
const S3ColdStorage = Schema.Struct({
  /** Amazon's for the region when left out. */
  endpoint: Schema.optionalKey(
    Schema.String.check(
      Schema.makeFilter((text: string) => isServerUrl(text) && URL.parse(text)?.pathname === "/", {
        expected: "an http: or https: URL without a path"
      })
    )
  ),
  region: orElse(
    Schema.String.check(
      Schema.isPattern(/^[a-z0-9-]{1,64}$/, {
        expected: "a region of small letters, digits and -, such as eu-central-1"
      })
    ),
    "us-east-1"
  ),
  /** Whether the bucket is in the path of URLs, and not in front of the host's name. */
  pathStyle: orElse(Schema.Boolean, false),
  accessKeyId: Schema.optionalKey(Credential),
  secretAccessKey: Schema.optionalKey(Credential),
  sessionToken: Schema.optionalKey(Credential)
})

/** The write-only store for evidence that leaves the quarantine (RFC, "Cold Storage"). */
const ColdStorage = Schema.Struct({
  type: orElse(Schema.Literal("url"), "url"),
  endpoint: Endpoint,
  writeOnly: orElse(Schema.Literal(true), true),
  appendOnly: orElse(Schema.Literal(true), true),
  /**
   * Ours: how evidence is compressed before it is written (CONFORMANCE E7). Tracehound does not
   * start on a host that lacks the codec.
   */
  codec: orElse(Codec, "gzip"),
  /**
   * Ours: the most that may wait to be written, in envelopes and in bytes of evidence. More is
   * refused and counted.
   */
  maxPendingCount: orElse(whole(1, 1_000_000), 10_000),
  maxPendingBytes: orElse(whole(1, Number.MAX_SAFE_INTEGER), 100_000_000),
  /** Ours: how often a failed write is repeated before it is a dead letter. */
  retries: orElse(whole(0, 100), 3),
  /** Ours: the delay before each repetition. */
  retryDelayMs: orElse(DurationOrZero, 200),
  /** Ours: how long one attempt may take. */
  writeTimeoutMs: orElse(Duration, 10_000),
  /**
   * Ours: the most dead letters that are kept to be sent again, in envelopes and in their bytes.
   * With 0 none is.
   */
  maxKeptCount: orElse(whole(0, 1_000_000), 10_000),
  maxKeptBytes: orElse(whole(0, Number.MAX_SAFE_INTEGER), 100_000_000),
  http: orElse(HttpColdStorage, {}),
  s3: orElse(S3ColdStorage, {})
})

/** The reaction to a failure (RFC, "Fail-Safe Actions"; CONFORMANCE F1). */
const Action = Schema.Literals(failSafeActions)

/**
 * When errors add up to a panic (CONFORMANCE F2): at `min` errors within the window
 * `onPanicThreshold` is called, at `max` the panic begins.
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
  /** Ours: how long a callback may take to answer; a later answer is ignored. */
  callbackTimeoutMs: orElse(Duration, 5_000)
})

/** Which neighbours are trusted, and how far (RFC, "Trust Boundary Config"; CONFORMANCE R3). */
const TrustBoundary = Schema.Struct({
  cluster: orElse(
    Schema.Struct({
      /** `redis` needs an adapter: without one, Tracehound refuses to start. */
      sharedState: orElse(Schema.Literals(["redis", "memory", "none"]), "none"),
      trustLevel: orElse(Schema.Literals(["trusted", "untrusted"]), "untrusted")
    }),
    {}
  ),
  coldStorage: orElse(
    Schema.Struct({
      /** The only endpoint that may be trusted: every configured one when left out. */
      endpoint: Schema.optionalKey(Endpoint),
      /** With `untrusted`, a write that the endpoint reports as done counts as unconfirmed. */
      trustLevel: orElse(Schema.Literals(["write-only", "untrusted"]), "write-only")
    }),
    {}
  ),
  detector: orElse(
    Schema.Struct({
      source: orElse(Schema.Literals(["external", "internal"]), "external"),
      /** With `verify`, signals are checked against their exact schema; refusals are counted. */
      trustLevel: orElse(Schema.Literals(["trusted", "verify"]), "trusted")
    }),
    {}
  )
})

const Audit = Schema.Struct({
  chainEnabled: orElse(Schema.Boolean, true),
  /**
   * Ours: the most records in memory. Older ones are dropped, and the chain starts at the hash of
   * the last of them.
   */
  maxRecords: orElse(whole(1, 16_777_216), 100_000),
  coldStorage: Schema.optionalKey(ColdStorage)
})

/** Ours: signatures that nobody can recompute without the key (CONFORMANCE D8). */
const Signatures = Schema.Struct({
  /**
   * No key by default. A text or, from a program, a Redacted. RFC 2104 asks for a key no shorter
   * than the hash: `openssl rand -hex 32` makes one of 64 bytes.
   */
  key: Schema.optionalKey(Key)
})

/** The flags that Node should run with (RFC, "Runtime Flags"). */
const Runtime = Schema.Struct({
  disableProto: orElse(Schema.Literals(["throw", "delete"]), "throw"),
  frozenIntrinsics: orElse(Schema.Boolean, true),
  /** Mebibytes. */
  maxOldSpaceSize: orElse(whole(16, 1_048_576), 512),
  /** Bytes of OpenSSL's secure heap, on Linux only; not checked when left out. */
  secureHeap: Schema.optionalKey(whole(2, 2_147_483_647)),
  /** Whether Tracehound refuses to start if a flag is missing (CONFORMANCE R1). */
  strict: orElse(Schema.Boolean, false)
})

/** Ours: how Tracehound is seen in the host's telemetry. */
const Telemetry = Schema.Struct({
  /**
   * The attribute `tracehound.instance` of all metrics, which tells the Tracehounds of one process
   * apart: a second one of the same name that lives at the same time gets `-2`.
   */
  instance: orElse(
    Schema.String.check(
      Schema.isPattern(/^[A-Za-z0-9_.-]{1,64}$/, {
        expected: "a name of 1 to 64 letters, digits, dots, hyphens and underscores"
      })
    ),
    "tracehound"
  )
})

/** Ours: what a directory's path may be. */
const Directory = BoundedString(4096).check(
  isWellFormed,
  Schema.isPattern(/^(?:\.{0,2}[/\\]|[A-Za-z]:[/\\])[^\0]*$/, {
    expected: "the path of a directory, such as /var/lib/tracehound or ./data"
  })
)

/** The schema of the configuration. */
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
  runtime: orElse(Runtime, {}),
  telemetry: orElse(Telemetry, {}),
  /**
   * Ours: the directory of what outlives the process: the ledger of all records, and the key that
   * signs it. Made with mode 0700 where it is not there. No process has it beside another.
   */
  dataDirectory: Schema.optionalKey(Directory),
  /**
   * Ours: whether evidence in custody outlives the process (CONFORMANCE E9). `durable`, which needs
   * `dataDirectory`, is the default where that is given; else it is `memory`.
   */
  custody: Schema.optionalKey(Schema.Literals(["memory", "durable"]))
})

/** A valid configuration with all defaults filled in. */
export type TracehoundConfig = typeof TracehoundConfig.Type

/** The input of a caller: any part of the configuration, at any depth. */
export type TracehoundConfigInput = typeof TracehoundConfig.Encoded

/** The settings of `audit.coldStorage`. */
export type ColdStorageConfig = typeof ColdStorage.Type
