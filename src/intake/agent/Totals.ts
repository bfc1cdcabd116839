/**
 * How many scents got each answer: one typed array, so that counting costs an addition and
 * allocates nothing.
 *
 * **Gotchas**
 *
 * - Counted in doubles: exact up to 2^53 scents.
 */
import { type InterceptResult, interceptStatuses, type InterceptTotals } from "../../domain/InterceptResult.ts"

/** The counts, at the places below. */
export type Totals = Float64Array

/** Where each status is counted: its place in `interceptStatuses`. */
export const CLEAN = 0
export const RATE_LIMITED = 1
export const PAYLOAD_TOO_LARGE = 2
export const IGNORED = 3
export const QUARANTINED = 4
export const ESCALATED = 5
export const ERROR = 6

export const makeTotals = (): Totals => new Float64Array(interceptStatuses.length)

/** Counts the answer, and gives it back. */
export const counted = <A extends InterceptResult>(totals: Totals, place: number, answer: A): A => {
  totals[place] = (totals[place] ?? 0) + 1
  return answer
}

/** The counts by name, at this moment. */
export const readTotals = (totals: Totals): InterceptTotals => ({
  clean: totals[CLEAN] ?? 0,
  rate_limited: totals[RATE_LIMITED] ?? 0,
  payload_too_large: totals[PAYLOAD_TOO_LARGE] ?? 0,
  ignored: totals[IGNORED] ?? 0,
  quarantined: totals[QUARANTINED] ?? 0,
  escalated: totals[ESCALATED] ?? 0,
  error: totals[ERROR] ?? 0
})
