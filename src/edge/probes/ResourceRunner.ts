/**
 * Runs the attacks of ResourceProbes.ts, each in a hound of its own, and reports what ended it
 * (CONFORMANCE H4).
 *
 * Promises that the host lives. Times in the results are for people; no test looks at them.
 */
import * as Effect from "effect/Effect"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import type { ProbeEnd } from "./Probe.ts"
import { planFor, type ProbeTarget, workplace } from "./ProbeRunner.ts"
import type { ResourceProbe } from "./ResourceProbes.ts"
import { runTrial, type TrialReport } from "./Trial.ts"

/** Most bytes of resident memory that a hound may have held when it was ended. */
export const maxPeak = 350 * 1_048_576

/**
 * `contained`: the hound was ended, in whatever way, and held no more than it may; `open`: it held
 * more, or the attack came to its own end; `failed`: it never ran.
 */
export interface ResourceResult {
  readonly name: string
  readonly outcome: "contained" | "open" | "failed"
  readonly end: ProbeEnd
  /** Bytes; null where they cannot be read. */
  readonly peak: number | null
  /** From the deadline to the hound's end, in ms; null where it ended before. */
  readonly killedAfter: number | null
}

export interface ResourceReport {
  readonly results: ReadonlyArray<ResourceResult>
  /** How late the host's event loop was at the worst, and at the 99th percentile, in ms. */
  readonly lag: { readonly max: number; readonly p99: number }
}

export interface ResourceOptions {
  readonly onResult?: (result: ResourceResult, done: number, total: number) => void
  /** In ms. */
  readonly jobDeadline?: number
  /** In ms, for attacks on memory, which need longer to reach a limit. */
  readonly memoryDeadline?: number
}

const defaults = { jobDeadline: 400, memoryDeadline: 3_000 }
const readyDeadline = 15_000

/** Whether an attack was contained. Pure. */
export const contained = (
  { end, isGone, peak, wasReady }: Pick<TrialReport, "end" | "isGone" | "peak" | "wasReady">
): ResourceResult["outcome"] => {
  if (!wasReady) return "failed"
  if (!isGone) return "open"
  // A job that ends in an error was refused what it wanted: memory, or a module.
  return end === "complete" || end === "violation" || (peak ?? 0) > maxPeak ? "open" : "contained"
}

/** Runs all attacks, two at a time. */
export const runResourceProbes = Effect.fn("runResourceProbes")(
  function*(probes: ReadonlyArray<ResourceProbe>, target: ProbeTarget, given: ResourceOptions = {}) {
    const { jobDeadline, memoryDeadline } = { ...defaults, ...given }
    const root = yield* workplace
    const delay = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const delay = monitorEventLoopDelay({ resolution: 1 })
        delay.enable()
        return delay
      }),
      (delay) => Effect.sync(() => delay.disable())
    )
    let done = 0
    const results = yield* Effect.forEach(probes, (probe, index) =>
      Effect.gen(function*() {
        const { isOfMemory, name, source } = probe
        const dir = join(root, String(index))
        mkdirSync(dir)
        const plan = yield* planFor(target, join(dir, "analyzer.mjs"), source)
        const options = {
          jobs: 1,
          readyDeadline,
          jobDeadline: isOfMemory ? memoryDeadline : jobDeadline,
          isWatched: true
        }
        const trial = yield* Effect.scoped(runTrial(plan, options))
        const { end, killedAfter, peak } = trial
        const result: ResourceResult = { name, outcome: contained(trial), end, peak, killedAfter }
        given.onResult?.(result, ++done, probes.length)
        return result
      }), { concurrency: 2 })
    const report: ResourceReport = { results, lag: { max: delay.max / 1e6, p99: delay.percentile(99) / 1e6 } }
    return report
  },
  Effect.scoped
)
