/**
 * The severity of a threat, as its detector said (RFC, "Threat").
 *
 * Eviction counts upward from `low`, alert lanes downward from `critical`.
 */
import type { Branded } from "effect/Brand"
import * as Schema from "effect/Schema"

/** From the least to the worst: the order of eviction (RFC, "Quarantine Eviction Policy"). */
export const severities = ["low", "medium", "high", "critical"] as const

/** The RFC's four severities, a closed union. */
export const Severity = Schema.Literals(severities)
export type Severity = typeof Severity.Type

/**
 * The index of a severity in `severities`: a number at run time, which the compiler does not take
 * for a `CategoryRank`. Ranks compare as numbers do: the higher, the worse.
 */
export type SeverityRank = Branded<number, "SeverityRank">

/** O(1): there are four. */
export const severityRank = (severity: Severity): SeverityRank => severities.indexOf(severity) as SeverityRank

/** The severity of this rank; `low` for a number that is no rank. */
export const severityAt = (rank: SeverityRank): Severity => severities[rank] ?? "low"

/** Counts by severity, with a key for each even where the count is 0. */
export const BySeverity = Schema.Struct({
  low: Schema.Natural,
  medium: Schema.Natural,
  high: Schema.Natural,
  critical: Schema.Natural
})
export type BySeverity = typeof BySeverity.Type
