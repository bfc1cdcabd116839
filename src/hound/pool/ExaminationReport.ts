/**
 * Reports on examinations: counts, spans, and the failures that the fail-safe is told of
 * (CONFORMANCE H4, F1).
 */
import type { Caller } from "../../telemetry/Caller.ts"
import type { OpenSpan, RootSpans } from "../../telemetry/RootSpans.ts"
import type { ExaminationOutcome } from "./Examination.ts"
import { endSpan, openSpan } from "./ExaminationSpan.ts"
import { type HoundFailure, type HoundJob, type HoundOutcomes, noOutcomes } from "./HoundPool.ts"
import type { HoundTally } from "./HoundTally.ts"

/** What a pool reports of its examinations. */
export class ExaminationReport {
  readonly #caller: Pick<Caller, "within">
  readonly #spans: RootSpans
  readonly #tally: Pick<HoundTally, "countRetry" | "recordVerdict">
  readonly #listeners: Array<(failure: HoundFailure) => void> = []
  readonly #outcomes: { -readonly [kind in keyof HoundOutcomes]: number } = { ...noOutcomes }

  constructor(
    caller: Pick<Caller, "within">,
    spans: RootSpans,
    tally: Pick<HoundTally, "countRetry" | "recordVerdict">
  ) {
    this.#caller = caller
    this.#spans = spans
    this.#tally = tally
  }

  /** Examinations that have ended so far, by how. */
  get outcomes(): HoundOutcomes {
    return { ...this.#outcomes }
  }

  /**
   * From now on, calls back with each failure, in the name of the span that the threat came in, or
   * of the examination's own. Must not throw.
   */
  onFailure(listener: (failure: HoundFailure) => void): void {
    this.#listeners.push(listener)
  }

  /** See `ExaminationSpan.ts`. */
  openSpan(job: HoundJob): OpenSpan | null {
    return openSpan(this.#spans, job)
  }

  /** A hound was lost, and another one takes over. */
  retried(): void {
    this.#tally.countRetry()
  }

  /** Evidence was not taken on, as no hound was free. */
  skipped(): void {
    this.#outcomes.skipped += 1
  }

  ended(
    { signature, span: origin }: HoundJob,
    kind: keyof HoundOutcomes,
    outcome: ExaminationOutcome,
    span: OpenSpan | null
  ): void {
    const { hound, isVerdict, took } = outcome
    endSpan(span, kind, outcome)
    if (kind === "complete" || kind === "error") this.#tally.recordVerdict(took)
    this.#outcomes[kind] += 1
    if (kind !== "error" && kind !== "timeout") return
    this.#caller.within(origin ?? span?.span, () => {
      for (const listener of this.#listeners) listener({ kind, isVerdict, hound, signature })
    })
  }
}
