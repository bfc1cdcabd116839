/**
 * Every answer of `intercept` goes through here once: it is counted, and told to whoever reads
 * decisions. Where nobody does, that costs an addition and a comparison, and allocates nothing.
 */
import type { InterceptResult } from "../../domain/InterceptResult.ts"
import type { CategoryRank } from "../../domain/Scent.ts"
import type { SeverityRank } from "../../domain/Severity.ts"
import type { Decisions } from "./Decisions.ts"
import type { UNKNOWN } from "./ScentShape.ts"
import * as Totals from "./Totals.ts"

export interface Answers {
  readonly totals: Totals.Totals
  readonly decisions: Decisions
}

/**
 * Gives the answer back. `place` is that of its status in the totals; category and severity are
 * those of the scent, where they are known.
 */
export const answered = <A extends InterceptResult>(
  { decisions, totals }: Answers,
  place: number,
  answer: A,
  category: CategoryRank | typeof UNKNOWN,
  severity: SeverityRank | typeof UNKNOWN
): A => {
  if (decisions.isHeard) decisions.tellUnsafe(place, answer, category, severity)
  return Totals.counted(totals, place, answer)
}
