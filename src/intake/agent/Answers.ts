/**
 * Every answer of `intercept` goes through here once: it is told to whoever reads decisions, and
 * counted, but for clean ones (Totals.ts). Where nobody reads, that costs a comparison and an
 * addition, and allocates nothing.
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
 * Gives the answer back. `place` is that of its status in `interceptStatuses`; category and
 * severity are those of the scent, where they are known.
 */
export const told = <A extends InterceptResult>(
  { decisions }: Pick<Answers, "decisions">,
  place: number,
  answer: A,
  category: CategoryRank | typeof UNKNOWN,
  severity: SeverityRank | typeof UNKNOWN
): A => {
  if (decisions.isHeard) decisions.tellUnsafe(place, answer, category, severity)
  return answer
}

/** The same, and counts the answer. */
export const answered = <A extends InterceptResult>(
  answers: Answers,
  place: number,
  answer: A,
  category: CategoryRank | typeof UNKNOWN,
  severity: SeverityRank | typeof UNKNOWN
): A => Totals.counted(answers.totals, place, told(answers, place, answer, category, severity))
