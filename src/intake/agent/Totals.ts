/**
 * How many scents got each answer: one typed array, so that counting costs an addition and
 * allocates nothing.
 *
 * Clean scents, which most are, are not counted at all: they are what is left of all scents.
 *
 * **Gotchas**
 *
 * - Counted in doubles: exact up to 2^53 scents.
 */
import { type InterceptResult, interceptStatuses, type InterceptTotals } from "../../domain/InterceptResult.ts"

/** The counts, at the places below. */
export type Totals = Float64Array

/** The place of each status, as in `interceptStatuses`. That of the clean ones stays 0. */
export const CLEAN = 0
export const RATE_LIMITED = 1
export const PAYLOAD_TOO_LARGE = 2
export const IGNORED = 3
export const QUARANTINED = 4
export const ESCALATED = 5
export const ERROR = 6
/** Errors to scents that came when the Agent was closed: they are no part of all scents. */
export const CLOSED = 7

export const makeTotals = (): Totals => new Float64Array(interceptStatuses.length + 1)

/** Counts the answer, and gives it back. */
export const counted = <A extends InterceptResult>(totals: Totals, place: number, answer: A): A => {
  totals[place] = (totals[place] ?? 0) + 1
  return answer
}

/** The counts by name, at this moment, of `all` scents that came while the Agent was open. */
export const readTotals = (totals: Totals, all: number): InterceptTotals => {
  const [, limited = 0, tooLarge = 0, ignored = 0, quarantined = 0, escalated = 0, error = 0, closed = 0] = totals
  return {
    clean: all - limited - tooLarge - ignored - quarantined - escalated - error,
    rate_limited: limited,
    payload_too_large: tooLarge,
    ignored,
    quarantined,
    escalated,
    error: error + closed
  }
}
