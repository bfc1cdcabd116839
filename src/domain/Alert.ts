/**
 * Alerts for operators (RFC, "Watcher" and "Alert Rate Limiting").
 *
 * **Gotchas**
 *
 * - An alert holds a signature, counts and fixed text. No field can hold text of an attacker (ids,
 *   sources, payloads).
 */
import * as Schema from "effect/Schema"
import { Signature } from "./Threat.ts"

export const alertTypes = [
  "alert.flood",
  "coldstorage.failure",
  "coldstorage.refused",
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

/** A message for operators. The alerts service limits their rate. */
export const Alert = Schema.Struct({
  severity: Schema.Literals(["info", "warning", "critical"]),
  type: Schema.Literals(alertTypes),
  message: Schema.String,
  /** Milliseconds since the epoch. */
  timestamp: Schema.Finite,
  signature: Schema.optionalKey(Signature),
  /** With `alert.flood` only: how many alerts were raised in this window. */
  alertCount: Schema.optionalKey(Schema.Natural)
})
export type Alert = typeof Alert.Type
