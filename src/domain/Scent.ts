/**
 * A Scent: the unit that the Agent takes in (RFC, "Scent"; CONFORMANCE D1).
 *
 * An attacker may control everything in it. A detector may have added a `threat`; without one the
 * Agent has nothing to do.
 *
 * **Gotchas**
 *
 * - These schemas are for boundaries (files, HTTP). The Agent checks the same shape by hand, since
 *   an interpreted decode costs about 3 us; a property test holds the two together.
 * - Unknown keys are ignored, as a detector's log carries many.
 */
import type { Branded } from "effect/Brand"
import * as Schema from "effect/Schema"
import { Severity } from "./Severity.ts"
import { BoundedString } from "./Text.ts"

/** The most bytes that an id or a source may take in UTF-8 (CONFORMANCE D1). */
export const maxIdentifierBytes = 256

/** The categories that a detector may give a threat, a closed union (RFC, "Threat"). */
export const threatCategories = ["injection", "ddos", "flood", "spam", "malware", "unknown"] as const

/** The RFC's six categories. */
export const ThreatCategory = Schema.Literals(threatCategories)
export type ThreatCategory = typeof ThreatCategory.Type

/**
 * The index of a category in `threatCategories`: a number at run time, which the compiler does not
 * take for a `SeverityRank`.
 */
export type CategoryRank = Branded<number, "CategoryRank">

/** O(1): there are six. */
export const categoryRank = (category: ThreatCategory): CategoryRank =>
  threatCategories.indexOf(category) as CategoryRank

/** The category of this rank; `unknown` for a number that is no rank. */
export const categoryAt = (rank: CategoryRank): ThreatCategory => threatCategories[rank] ?? "unknown"

/** The signal of an external detector about a scent (RFC, "API Contract"). */
export const ThreatSignal = Schema.Struct({ category: ThreatCategory, severity: Severity })
export type ThreatSignal = typeof ThreatSignal.Type

/**
 * A request as it arrives. `timestamp` is in milliseconds since the epoch; the payload may be any
 * value.
 */
export const Scent = Schema.Struct({
  id: BoundedString(maxIdentifierBytes),
  payload: Schema.Unknown,
  source: BoundedString(maxIdentifierBytes),
  timestamp: Schema.Finite,
  threat: Schema.optional(ThreatSignal)
})
export type Scent = typeof Scent.Type
