/**
 * What a pool of hounds counts for the host's metrics. Labels are fixed words: nothing of evidence is ever one.
 */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import type { HoundOutcomes } from "./HoundPool.ts"
import type { EndingCause } from "./Endings.ts"

const jobs = Metric.counter("hound_jobs", {
  description: "Pieces of evidence that hounds were done with, by how that ended",
  incremental: true
})
const launches = Metric.counter("hound_launches", { description: "Hounds that were started", incremental: true })
const endings = Metric.counter("hound_endings", { description: "Hounds that ended, by why", incremental: true })
const retries = Metric.counter("hound_retries", {
  description: "Looks that another hound took over since the first was lost",
  incremental: true
})
const hounds = Metric.gauge("hounds", { description: "Hounds by state, when something last happened to one" })
const processing = Metric.histogram("hound_processing_milliseconds", {
  description: "From handing evidence over to the hound's verdict, as the host timed it",
  boundaries: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000]
})

/** The series of a pool, in the context that they are counted in. */
export interface HoundMetrics {
  readonly jobUnsafe: (outcome: keyof HoundOutcomes, tookMs: number) => void
  readonly launchUnsafe: () => void
  readonly endingUnsafe: (cause: EndingCause) => void
  readonly retryUnsafe: () => void
  readonly houndsUnsafe: (dormant: number, active: number) => void
}

/** The series, with their attributes ready. */
export const make = (context: Context.Context<never>): HoundMetrics => {
  const dormantNow = Metric.withAttributes(hounds, { state: "dormant" })
  const activeNow = Metric.withAttributes(hounds, { state: "active" })
  const byOutcome = new Map<keyof HoundOutcomes, Metric.Counter<number>>()
  const byCause = new Map<EndingCause, Metric.Counter<number>>()
  return {
    jobUnsafe: (outcome, tookMs) => {
      const series = byOutcome.get(outcome) ?? Metric.withAttributes(jobs, { outcome })
      byOutcome.set(outcome, series)
      series.updateUnsafe(1, context)
      if (outcome === "complete" || outcome === "error") processing.updateUnsafe(tookMs, context)
    },
    launchUnsafe: () => launches.updateUnsafe(1, context),
    endingUnsafe: (cause) => {
      const series = byCause.get(cause) ?? Metric.withAttributes(endings, { cause })
      byCause.set(cause, series)
      series.updateUnsafe(1, context)
    },
    retryUnsafe: () => retries.updateUnsafe(1, context),
    houndsUnsafe: (dormant, active) => {
      dormantNow.updateUnsafe(dormant, context)
      activeNow.updateUnsafe(active, context)
    }
  }
}
