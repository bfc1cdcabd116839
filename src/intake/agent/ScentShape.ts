/**
 * Checks the shape of a scent by hand (CONFORMANCE D1): accepts what the schema of the domain
 * accepts, at a hundredth of its cost.
 *
 * **Gotchas**
 *
 * - The Agent reads each property once and hands the value in: a getter cannot answer twice in
 *   different ways. A signal that is to be verified is read again, by its schema.
 * - A missing payload is `undefined`, which is a payload.
 */
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { type CategoryRank, maxIdentifierBytes, threatCategories, ThreatSignal } from "../../domain/Scent.ts"
import { severities, type SeverityRank } from "../../domain/Severity.ts"
import { fitsUtf8 } from "../../domain/Text.ts"

/** In place of a rank: the value is none of the closed union. */
export const UNKNOWN = -1

/** A string of at most 256 bytes in UTF-8. */
export const isIdentifier = (value: unknown): value is string =>
  typeof value === "string" && fitsUtf8(value, maxIdentifierBytes)

/** Milliseconds since the epoch: any finite number. */
export const isTimestamp = (value: unknown): value is number => Number.isFinite(value)

/**
 * The rank of a category, or UNKNOWN. Allocates nothing. A text of another length than a name's is
 * told by that alone, so that half a gigabyte of concatenated text stays as it is.
 */
export const rankOfCategory = (value: unknown): CategoryRank | typeof UNKNOWN => {
  for (let rank = 0; rank < threatCategories.length; rank++)
    if (threatCategories[rank] === value) return rank as CategoryRank
  return UNKNOWN
}

/** The rank of a severity, or UNKNOWN. As `rankOfCategory`. */
export const rankOfSeverity = (value: unknown): SeverityRank | typeof UNKNOWN => {
  for (let rank = 0; rank < severities.length; rank++) if (severities[rank] === value) return rank as SeverityRank
  return UNKNOWN
}

const decodeSignal = Schema.decodeUnknownExit(ThreatSignal, { onExcessProperty: "error" })

/**
 * Whether a signal has its two keys, of its own, and no others: nobody has agreed on what another
 * key means (CONFORMANCE R3).
 */
export const isExactSignal = (signal: object): boolean =>
  Reflect.ownKeys(signal).length === 2 && Object.hasOwn(signal, "category") && Object.hasOwn(signal, "severity") &&
  Exit.isSuccess(decodeSignal(signal))
