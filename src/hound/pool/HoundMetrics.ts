/**
 * The metrics of a pool of hounds. Labels are fixed words: nothing of evidence is ever one.
 */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import type { ExitCause } from "./ExitCause.ts"
import type { HoundOutcomes } from "./HoundPool.ts"

// One metric for each label: metrics that share one by `withAttributes` take its cache from each
// other, and look their own series up anew each time.
const jobs = (outcome: string) =>
  Metric.counter("hound_jobs", {
    description: "Examinations that have ended, by how",
    incremental: true,
    attributes: { outcome }
  })
const launches = Metric.counter("hound_launches", { description: "Hounds that were started", incremental: true })
const exits = (cause: string) =>
  Metric.counter("hound_endings", {
    description: "Hounds that ended, by cause",
    incremental: true,
    attributes: { cause }
  })
const retries = Metric.counter("hound_retries", {
  description: "Examinations that another hound took over because the first was lost",
  incremental: true
})
const hounds = (state: string) =>
  Metric.gauge("hounds", { description: "Hounds by state, of all pools together", attributes: { state } })
const processing = Metric.histogram("hound_processing_milliseconds", {
  description: "From handing evidence over to the hound's verdict, as the host timed it",
  boundaries: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000]
})

/** The series of a pool, in the context that they are counted in. */
export interface HoundMetrics {
  readonly jobUnsafe: (outcome: keyof HoundOutcomes, tookMs: number) => void
  readonly launchUnsafe: () => void
  readonly exitUnsafe: (cause: ExitCause) => void
  readonly retryUnsafe: () => void
  /** The hounds of this pool now: it adds to the gauge, which is shared, what changed. */
  readonly houndsUnsafe: (dormant: number, active: number) => void
}

/** The series, with their attributes ready. */
export const make = (context: Context.Context<never>): HoundMetrics => {
  const dormantNow = hounds("dormant")
  const activeNow = hounds("active")
  let lastDormant = 0
  let lastActive = 0
  const byOutcome = new Map<keyof HoundOutcomes, Metric.Counter<number>>()
  const byCause = new Map<ExitCause, Metric.Counter<number>>()
  return {
    jobUnsafe: (outcome, tookMs) => {
      const series = byOutcome.get(outcome) ?? jobs(outcome)
      byOutcome.set(outcome, series)
      series.updateUnsafe(1, context)
      if (outcome === "complete" || outcome === "error") processing.updateUnsafe(tookMs, context)
    },
    launchUnsafe: () => launches.updateUnsafe(1, context),
    exitUnsafe: (cause) => {
      const series = byCause.get(cause) ?? exits(cause)
      byCause.set(cause, series)
      series.updateUnsafe(1, context)
    },
    retryUnsafe: () => retries.updateUnsafe(1, context),
    houndsUnsafe: (dormant, active) => {
      if (dormant !== lastDormant) dormantNow.modifyUnsafe(dormant - lastDormant, context)
      if (active !== lastActive) activeNow.modifyUnsafe(active - lastActive, context)
      lastDormant = dormant
      lastActive = active
    }
  }
}
