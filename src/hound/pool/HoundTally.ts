/**
 * What a pool counts of its hounds besides its outcomes: launches, ends by cause, retries, and how
 * long examinations took. Nothing of evidence is in it.
 */
import type * as Metric from "effect/Metric"
import { Histogram } from "../../telemetry/Histogram.ts"
import { type ExitCause, exitCauses } from "./ExitCause.ts"

/** The upper ends of the buckets of `durations`, in seconds. */
const boundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** The counts so far, to be read. */
export interface HoundCounts {
  readonly launches: number
  /** Hounds that ended so. */
  readonly endings: (cause: ExitCause) => number
  /** Examinations that another hound took over because the first was lost. */
  readonly retries: number
  /** Seconds from handing evidence over to the hound's verdict, as the host timed it. */
  readonly durations: () => Metric.HistogramState
}

export class HoundTally implements HoundCounts {
  launches = 0
  retries = 0
  readonly #endings = new Float64Array(exitCauses.length)
  readonly #durations = new Histogram(boundaries)

  readonly endings = (cause: ExitCause): number => this.#endings[exitCauses.indexOf(cause)] ?? 0

  readonly durations = (): Metric.HistogramState => this.#durations.state()

  readonly countLaunch = (): void => {
    this.launches += 1
  }

  countEnding(cause: ExitCause): void {
    const place = exitCauses.indexOf(cause)
    this.#endings[place] = (this.#endings[place] ?? 0) + 1
  }

  countRetry(): void {
    this.retries += 1
  }

  /** A verdict came after so many ms. */
  recordVerdict(tookMs: number): void {
    this.#durations.record(tookMs / 1_000)
  }
}
