/**
 * The commands of the model-based test, as schemas: a random list of commands is drawn from them,
 * and a failing one shrinks by them.
 *
 * **Gotchas**
 *
 * - A member that is named more than once is drawn more often.
 * - `nth` counts backward through the handles that were given so far: 0 is the newest. Where there
 *   is none, nothing is done.
 */
import * as Schema from "effect/Schema"
import { severities } from "../../src/domain/Severity.ts"

/**
 * Payloads and their canonical bytes, by hand from spec/canonical.md. The names say what they are;
 * some are one content.
 */
export const payloads = {
  "no text": { make: () => "", canonical: "" },
  a: { make: () => "a", canonical: "a" },
  "bytes of a": { make: () => Uint8Array.of(97), canonical: "a" },
  "{}": { make: () => ({}), canonical: "{}" },
  "text {}": { make: () => "{}", canonical: "{}" },
  "DataView of {}": { make: () => new DataView(Uint8Array.of(120, 123, 125).buffer, 1), canonical: "{}" },
  "[1]": { make: () => [1], canonical: "[1]" },
  é: { make: () => "é", canonical: "é" },
  "{b,a}": { make: () => ({ b: 1, a: 2 }), canonical: "{\"a\":2,\"b\":1}" },
  "{a,b}": { make: () => ({ a: 2, b: 1 }), canonical: "{\"a\":2,\"b\":1}" },
  Set: { make: () => new Set([2, 10]), canonical: "!s[10,2]" },
  "8 bytes": { make: () => new Uint8Array(8).buffer, canonical: "\0".repeat(8) },
  "24 x": { make: () => "x".repeat(24), canonical: "x".repeat(24) },
  "40 x": { make: () => new Uint8Array(40).fill(120), canonical: "x".repeat(40) }
} as const

/** Sources and the key that each is counted under. */
export const sourceKeys = {
  s1: "s1",
  s2: "s2",
  s3: "s3",
  "192.0.2.1": "192.0.2.1",
  "::ffff:192.0.2.1": "192.0.2.1",
  "2001:db8::1": "2001:db8::/64",
  "2001:DB8:0::2": "2001:db8::/64"
} as const
export type SourceName = keyof typeof sourceKeys

const names = <K extends string>(table: Record<K, unknown>) => Object.keys(table) as [K, ...Array<K>]
const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const SourceName = Schema.Literals(names(sourceKeys))
const nth = whole(0, 7)

const Intercept = Schema.Struct({
  do: Schema.tag("intercept"),
  source: SourceName,
  payload: Schema.Literals(names(payloads)),
  severity: Schema.Literals(severities),
  // Mostly one, so that there are duplicates.
  category: Schema.Literals([
    "injection",
    "injection",
    "injection",
    "injection",
    "injection",
    "injection",
    "injection",
    "ddos",
    "flood",
    "spam",
    "malware",
    "unknown",
    "none"
  ])
})
const Malformed = Schema.Struct({
  do: Schema.tag("malformed"),
  scent: Schema.Literals(["null", "no id", "long source", "NaN timestamp", "unknown severity"])
})
const Check = Schema.Struct({ do: Schema.tag("check"), source: SourceName, times: whole(1, 4) })
const Reset = Schema.Struct({ do: Schema.tag("reset"), source: SourceName })
const Pass = Schema.Struct({ do: Schema.tag("pass"), ms: whole(0, 60) })
/** To the next end of a window or block, or one ms beside it. */
const PassToEnd = Schema.Struct({ do: Schema.tag("pass to end"), off: Schema.Literals([0, -1, 1]) })
const SetWall = Schema.Struct({
  do: Schema.tag("set wall"),
  by: Schema.Literals([-1, 1, -1000, 1000, -3_600_000, 3_600_000])
})
const Leave = Schema.Struct({
  do: Schema.tag("leave"),
  way: Schema.Literals(["neutralize", "transfer", "evacuate"]),
  by: Schema.Literals(["handle", "signature"]),
  nth
})
const Read = Schema.Struct({ do: Schema.tag("read"), nth, scribble: Schema.Boolean })
const Flush = Schema.Struct({ do: Schema.tag("flush") })

/** One command. */
export const Command = Schema.Union([
  Intercept,
  Intercept,
  Intercept,
  Intercept,
  Intercept,
  Intercept,
  Intercept,
  Intercept,
  Check,
  Reset,
  Pass,
  PassToEnd,
  PassToEnd,
  SetWall,
  Leave,
  Leave,
  Read,
  Flush,
  Malformed
])
export type Command = typeof Command.Type

/** Bounds so small that all of them are met within a few commands. */
export const Bounds = Schema.Struct({
  maxPayloadSize: Schema.Literals([40, 24, 8, 1]),
  rateLimit: Schema.Struct({
    windowMs: whole(1, 50),
    maxRequests: Schema.Literals([1000, 1, 2, 3, 5]),
    blockDurationMs: Schema.Literals([0, 1, 20, 50, 100]),
    maxSources: whole(1, 5)
  }),
  quarantine: Schema.Struct({
    maxCount: whole(1, 6),
    maxBytes: Schema.Literals([1000, 1, 2, 10, 30, 45, 64]),
    evictionPolicy: Schema.Literals(["priority", "lru"])
  }),
  /** Envelopes that cold storage takes; null for none. */
  coldStorage: Schema.NullOr(Schema.Literals([1000, 1, 2, 1, 2]))
})
export type Bounds = typeof Bounds.Type

/** One command on one line. */
export const show = (command: Command): string => {
  switch (command.do) {
    case "intercept":
      return `intercept ${command.payload} from ${command.source} as ${command.category} ${command.severity}`
    case "malformed":
      return `intercept what is no scent: ${command.scent}`
    case "check":
      return `check ${command.source} x${command.times}`
    case "reset":
      return `reset ${command.source}`
    case "pass":
      return `pass ${command.ms} ms`
    case "pass to end":
      return `pass to the next end of a window or block${command.off === 0 ? "" : `, ${command.off} ms`}`
    case "set wall":
      return `set the time of day by ${command.by} ms`
    case "leave":
      return `${command.way} by ${command.by}, handle ${command.nth} ago`
    case "read":
      return `${command.scribble ? "write to" : "read"} the bytes of handle ${command.nth} ago`
    case "flush":
      return "flush"
  }
}
