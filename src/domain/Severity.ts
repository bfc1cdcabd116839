/**
 * How bad a threat is, as its detector said (RFC, "Threat").
 *
 * Eviction counts upward from `low`, alert lanes downward from `critical`.
 */
import * as Schema from "effect/Schema"

/** From the least to the worst: the order of eviction (RFC, "Quarantine Eviction Policy"). */
export const severities = ["low", "medium", "high", "critical"] as const

/** The RFC's four severities, a closed union. */
export const Severity = Schema.Literals(severities)
export type Severity = typeof Severity.Type

/** Counts by severity: every severity is always there. */
export const BySeverity = Schema.Struct({
  low: Schema.Natural,
  medium: Schema.Natural,
  high: Schema.Natural,
  critical: Schema.Natural
})
export type BySeverity = typeof BySeverity.Type
