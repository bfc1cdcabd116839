/**
 * What operators are told (RFC, "Watcher" and "Alert Rate Limiting").
 *
 * **Gotchas**
 *
 * - An alert holds a signature, counts and fixed text. Attacker text (ids, sources, payloads) has
 *   no field to be in.
 */
import * as Schema from "effect/Schema"
import { Signature } from "./Threat.ts"

/** Every alert there is. */
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
  "hound.violation"
] as const

/** A message for people, rate limited before it leaves. */
export const Alert = Schema.Struct({
  severity: Schema.Literals(["info", "warning", "critical"]),
  type: Schema.Literals(alertTypes),
  message: Schema.String,
  /** Milliseconds since the epoch. */
  timestamp: Schema.Finite,
  signature: Schema.optionalKey(Signature),
  /** With `alert.flood`: how many alerts this window has seen. */
  alertCount: Schema.optionalKey(Schema.Natural)
})
export type Alert = typeof Alert.Type
