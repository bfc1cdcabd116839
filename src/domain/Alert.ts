/**
 * Alerts for operators (RFC, "Watcher" and "Alert Rate Limiting").
 *
 * **Gotchas**
 *
 * - An alert holds a signature, counts and fixed text. No field can hold text of an attacker
 *   (sources, payloads, messages of errors), but `evidenceId`, which is escaped and cut.
 */
import * as Schema from "effect/Schema"
import { Signature } from "./Threat.ts"

export const alertTypes = [
  "alert.flood",
  "coldstorage.failure",
  "coldstorage.refused",
  "coldstorage.unconfirmed",
  "custody.notDurable",
  "devops.failure",
  "evidence.purged",
  "evidence.tampered",
  "failsafe.escalated",
  "failsafe.panic",
  "high_severity_eviction",
  "hound.boot_failed",
  "hound.sandbox_lowered",
  "hound.unavailable",
  "hound.violation",
  "intercept.failure"
] as const

/** A span, by which to find the trace of what an alert is about. In hexadecimal. */
export const TraceRef = Schema.Struct({
  traceId: Schema.String.check(Schema.isPattern(/^[0-9a-f]{1,32}$/)),
  spanId: Schema.String.check(Schema.isPattern(/^[0-9a-f]{1,16}$/))
})
export type TraceRef = typeof TraceRef.Type

/** A fixed word, or the name of an error's class. */
export const Reason = Schema.String.check(Schema.isPattern(/^[A-Za-z_$][A-Za-z0-9_$]{0,63}$/))

/** A place in Tracehound's own code, as `name (room/File.ts:12)`. */
const Frame = Schema.String.check(
  Schema.isPattern(/^(?:[\w$.<> #[\]]{1,80} \()?[\w./@-]{1,200}:\d{1,8}\)?$/)
)

/** A message for operators. The alerts service limits their rate. */
export const Alert = Schema.Struct({
  severity: Schema.Literals(["info", "warning", "critical"]),
  type: Schema.Literals(alertTypes),
  message: Schema.String,
  /** Milliseconds since the epoch. */
  timestamp: Schema.Finite,
  /** Of the evidence that it is about. */
  signature: Schema.optionalKey(Signature),
  /** The id of that evidence's scent, escaped and cut: it may be an attacker's. */
  evidenceId: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[\w\-.:/@+=#,~\\{}]{0,67}$/))),
  /** Why it happened. */
  reason: Schema.optionalKey(Reason),
  /** The host's own code for the failure, such as ENOSPC. */
  code: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[A-Z][A-Z0-9_]{1,31}$/))),
  /** Where in Tracehound an error was thrown, innermost first. */
  frames: Schema.optionalKey(Schema.Array(Frame)),
  /** The call that it came from; without a call's span, the work in the background. */
  trace: Schema.optionalKey(TraceRef),
  /** With `alert.flood` only: how many alerts were raised in this window. */
  alertCount: Schema.optionalKey(Schema.Natural)
})
export type Alert = typeof Alert.Type

/**
 * The body that is posted to the devopsEndpoint, as JSON. A version gains keys and loses none; a
 * reader that does not know one passes over it.
 */
export const PostedAlert = Schema.Struct({ version: Schema.Literal(1), ...Alert.fields })
