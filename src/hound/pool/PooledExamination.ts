/**
 * An examination from its activation to its end, over as many hounds as are lost over it
 * (CONFORMANCE H6).
 */
import type { OpenSpan } from "../../telemetry/RootSpans.ts"
import type { Examination, ExaminationOutcome } from "./Examination.ts"
import type { ExaminationReport } from "./ExaminationReport.ts"
import type { HoundJob } from "./HoundPool.ts"
import type { WaitingLine } from "./WaitingLine.ts"

/** Hounds that examine one piece of evidence at the most, where each of them is lost. */
const maxAttempts = 3

export class PooledExamination implements Examination {
  readonly job: HoundJob
  readonly reserved: number | null
  readonly #line: WaitingLine<PooledExamination>
  readonly #report: ExaminationReport
  #span: OpenSpan | null = null
  #lost = 0

  constructor(
    job: HoundJob,
    reserved: number | null,
    line: WaitingLine<PooledExamination>,
    report: ExaminationReport
  ) {
    this.job = job
    this.reserved = reserved
    this.#line = line
    this.#report = report
  }

  begin(): void {
    this.#span ??= this.#report.openSpan(this.job)
  }

  /** A lost one goes back to the line, until it has been lost too often or the line is over. */
  settle(outcome: ExaminationOutcome): void {
    if (outcome.kind === "lost") {
      this.#lost += 1
      if (this.#lost < maxAttempts && !this.#line.isOver) {
        this.#report.retried()
        this.#line.putBack(this)
        return
      }
    }
    this.conclude(outcome)
    this.#line.done()
  }

  /**
   * Its end, which is reported. Where it is still lost it has failed, unless the pool has closed.
   */
  conclude(outcome: ExaminationOutcome): void {
    const kind = outcome.kind !== "lost" ? outcome.kind : this.#line.isOver ? "abandoned" : "error"
    this.begin()
    this.#report.ended(this.job, kind, outcome, this.#span)
  }
}
