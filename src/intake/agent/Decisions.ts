/**
 * Tells readers what `intercept` decides: all decisions, or a sample of them (CONFORMANCE V3).
 *
 * A sample takes the first decision of each status, and then every n-th of that status: a flood of
 * clean scents hides no quarantined one, and the same calls give the same sample.
 *
 * Cost: where nobody listens, the Agent's one look at `isHeard`. Otherwise a count for each sample,
 * and one object for a decision that any of them takes.
 */
import type { Decision } from "../../domain/Decision.ts"
import { type InterceptResult, interceptStatuses } from "../../domain/InterceptResult.ts"
import { categoryAt, type CategoryRank } from "../../domain/Scent.ts"
import { severityAt, type SeverityRank } from "../../domain/Severity.ts"
import { UNKNOWN } from "./ScentShape.ts"

interface Sample {
  readonly hear: (decision: Decision) => void
  readonly every: number
  /** By status, the decisions that are passed over before the next one is taken. */
  readonly left: Float64Array
}

export class Decisions {
  isHeard = false
  /** Replaced and never changed, so that who leaves during a decision disturbs nobody. */
  #samples: ReadonlyArray<Sample> = []

  /**
   * Hears every `every`-th decision of each status, a whole number from 1, until the function that
   * it gives is called. The listener must not throw.
   */
  add(every: number, hear: (decision: Decision) => void): () => void {
    const mine: Sample = { hear, every, left: new Float64Array(interceptStatuses.length) }
    this.#set([...this.#samples, mine])
    return () => this.#set(this.#samples.filter((other) => other !== mine))
  }

  /**
   * `place`: that of the answer's status in `interceptStatuses`. `category` and `severity` are
   * those of the scent, where they are known.
   */
  tellUnsafe(
    place: number,
    answer: InterceptResult,
    category: CategoryRank | typeof UNKNOWN,
    severity: SeverityRank | typeof UNKNOWN
  ): void {
    let decision: Decision | undefined
    for (const { every, hear, left } of this.#samples) {
      const passing = left[place] ?? 0
      left[place] = passing === 0 ? every - 1 : passing - 1
      if (passing === 0) hear(decision ??= decisionOf(answer, category, severity))
    }
  }

  #set(samples: ReadonlyArray<Sample>): void {
    this.#samples = samples
    this.isHeard = samples.length > 0
  }
}

const decisionOf = (
  answer: InterceptResult,
  category: CategoryRank | typeof UNKNOWN,
  severity: SeverityRank | typeof UNKNOWN
): Decision => {
  const signature = "handle" in answer ? answer.handle.signature : "signature" in answer ? answer.signature : undefined
  return Object.freeze({
    status: answer.status,
    ...(category === UNKNOWN ? {} : { category: categoryAt(category) }),
    ...(severity === UNKNOWN ? {} : { severity: severityAt(severity) }),
    ...(signature === undefined ? {} : { signature }),
    ...(answer.status === "error" ? { code: answer.error.code } : {})
  })
}
