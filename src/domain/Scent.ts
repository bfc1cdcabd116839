/**
 * A Scent: the unit that the Agent takes in (RFC, "Scent"; CONFORMANCE D1).
 *
 * Everything in it is the attacker's. A detector may have put a `threat` beside it; without one
 * there is nothing to do.
 *
 * **Gotchas**
 *
 * - These schemas are for boundaries (files, HTTP). The Agent checks the same shape by hand, since
 *   an interpreted decode costs about 3 us; a property test holds the two together.
 * - Unknown keys are ignored, as a detector's log carries many.
 */
import * as Schema from "effect/Schema"
import { Severity } from "./Severity.ts"
import { BoundedString } from "./Text.ts"

/** The most bytes that an id or a source may take in UTF-8 (CONFORMANCE D1). */
export const maxIdentifierBytes = 256

/** What a detector may call a threat, a closed union (RFC, "Threat"). */
export const threatCategories = ["injection", "ddos", "flood", "spam", "malware", "unknown"] as const

/** The RFC's six categories. */
export const ThreatCategory = Schema.Literals(threatCategories)
export type ThreatCategory = typeof ThreatCategory.Type

/** What an external detector said about a scent (RFC, "API Contract"). */
export const ThreatSignal = Schema.Struct({ category: ThreatCategory, severity: Severity })
export type ThreatSignal = typeof ThreatSignal.Type

/**
 * A request as it arrives. `timestamp` is in milliseconds since the epoch; the payload is anything
 * at all.
 */
export const Scent = Schema.Struct({
  id: BoundedString(maxIdentifierBytes),
  payload: Schema.Unknown,
  source: BoundedString(maxIdentifierBytes),
  timestamp: Schema.Finite,
  threat: Schema.optional(ThreatSignal)
})
export type Scent = typeof Scent.Type
