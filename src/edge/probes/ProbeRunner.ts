/**
 * Runs probes (CONFORMANCE H2): each in a hound of its own, with witnesses of its own, two hounds
 * at a time.
 *
 * Promises that every probe has exactly one result, in the order of the catalogue; that an attack
 * is `open` if it says so or if a witness saw it; that an attack which could not be tried is
 * `failed` and never `closed`; and that no process, listener or file is left.
 *
 * Cost: about a fifth of a second for each probe on a machine of two cores; a few MiB of temporary
 * files at the most.
 *
 * **Gotchas**
 *
 * - Probes really attack: on a machine whose sandbox does not hold they write files in the
 *   temporary directory, kill a `sleep` and the like. None of them harms anything else.
 */
import * as Effect from "effect/Effect"
import { chmodSync, copyFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { LaunchPlan } from "../../hound/process/Spawner.ts"
import type { SandboxRefused } from "../../hound/sandbox/Detect.ts"
import { type Probe, type ProbeEnd, type ProbeGroup, sourceOf } from "./Probe.ts"
import { runTrial, type TrialReport } from "./Trial.ts"
import { findLibrary, type HoundUser, standBy } from "./Witnesses.ts"

/**
 * `closed`: the attack failed; `open`: it got through; `works`: a control that must work, and does;
 * `failed`: it could not be tried, or is a control that does not work.
 */
export type ProbeOutcome = "closed" | "open" | "works" | "failed"

export interface ProbeResult {
  readonly name: string
  readonly group: ProbeGroup
  readonly outcome: ProbeOutcome
  /** Text for people. */
  readonly detail: string
}

/** How hounds are started. Paths are absolute and real. */
export interface ProbeTarget {
  /** The plan for a hound with the analyzer at this path. */
  readonly plan: (analyzer: string) => Effect.Effect<LaunchPlan, SandboxRefused>
  /** The hound's own program, as it would be attacked. */
  readonly entry: string
  readonly user: HoundUser
}

export interface ProbeRunOptions {
  /** Called after each probe, in the order in which they end. Must not throw. */
  readonly onResult?: (result: ProbeResult, done: number, total: number) => void
  readonly concurrency?: number
  /** In ms; generous, as the machine may be busy. */
  readonly readyDeadline?: number
  readonly jobDeadline?: number
}

const defaults = { concurrency: 2, readyDeadline: 15_000, jobDeadline: 15_000 }

/** Shorter deadlines, in ms, for attacks that are expected to run into them. */
const hangDeadlines = { unready: 4_000, deadline: 1_000 }

/** The outcome of one probe's trial; `seen` is what a witness reports. Pure. */
export const judge = (
  probe: Pick<Probe, "group" | "fails">,
  { end, isGone, message, wasReady }: Pick<TrialReport, "end" | "isGone" | "message" | "wasReady">,
  seen: string | null
): Pick<ProbeResult, "outcome" | "detail"> => {
  const told = (text: string): string => message === "" ? text : `${text}: ${message}`
  if (probe.group === "allow") {
    if (end === "complete" && seen === null) return { outcome: "works", detail: "works" }
    return { outcome: "failed", detail: told(`does not work: ${describeEnd(end, wasReady)}`) }
  }
  if (!isGone) return { outcome: "open", detail: "the hound outlived its end" }
  if (seen !== null) return { outcome: "open", detail: seen }
  if (end === "complete") return { outcome: "open", detail: "got through" }
  if (probe.fails.includes(end)) return { outcome: "closed", detail: describeEnd(end, wasReady) }
  if (
    !wasReady || end === "deadline" || end === "unready" || end === "rss" || end === "error" || end === "unloadable"
  ) {
    return { outcome: "failed", detail: told(`could not be tried: ${describeEnd(end, wasReady)}`) }
  }
  return { outcome: "open", detail: told(describeEnd(end, wasReady)) }
}

const describeEnd = (end: ProbeEnd, wasReady: boolean): string => {
  switch (end) {
    case "complete":
      return "completed"
    case "error":
      return "refused"
    case "unloadable":
      return "refused to load it"
    case "violation":
      return "broke the channel's rules, and was killed"
    case "deadline":
      return "killed at its deadline"
    case "unready":
      return "not ready in time, and killed"
    case "rss":
      return "held too much memory, and was killed"
    default:
      return wasReady ? `the hound ended by itself (${end})` : `the hound ended before it was ready (${end})`
  }
}

/** A directory for all files of a run, which everybody may read. */
export const workplace = Effect.acquireRelease(
  Effect.sync(() => {
    const dir = mkdtempSync(join(realpathSync(tmpdir()), "tracehound-probes-"))
    chmodSync(dir, 0o755)
    return dir
  }),
  (dir) => Effect.sync(() => rmSync(dir, { recursive: true, force: true }))
)

/** Writes an analyzer to a file, and makes the plan for its hound. */
export const planFor = (target: ProbeTarget, path: string, source: string) =>
  Effect.suspend(() => {
    writeFileSync(path, source)
    chmodSync(path, 0o644)
    return target.plan(path)
  })

const runProbe = Effect.fn("runProbe")(
  function*(
    probe: Probe,
    target: ProbeTarget,
    root: string,
    index: number,
    options: Required<Omit<ProbeRunOptions, "onResult">>
  ) {
    const dir = join(root, String(index))
    const analyzer = join(dir, "analyzer.mjs")
    const { entry, user } = target
    const { facts, seen } = yield* standBy(probe, { dir, analyzer, entry, addon: join(root, "library.node"), user })
    const plan = yield* planFor(target, analyzer, sourceOf(probe, facts))
    const once = (jobs: number) =>
      Effect.scoped(runTrial(plan, {
        jobs,
        readyDeadline: probe.fails.includes("unready") ? hangDeadlines.unready : options.readyDeadline,
        jobDeadline: probe.fails.includes("deadline") ? hangDeadlines.deadline : options.jobDeadline,
        isWatched: false
      }))
    const trial = yield* once(probe.jobs)
    const judged = judge(probe, trial, seen())
    if (!probe.isOfState || judged.outcome !== "open") return { name: probe.name, group: probe.group, ...judged }
    // State that a hound keeps from job to job is gone with the hound: two jobs with a hound each.
    yield* once(1)
    const fresh = judge(probe, yield* once(1), seen())
    const detail = fresh.outcome === "closed" ? "closed by maxJobs: 1; a hound of more jobs remembers" : fresh.detail
    return { name: probe.name, group: probe.group, outcome: fresh.outcome, detail }
  },
  Effect.scoped
)

/** Runs all probes. Results are in their order. */
export const runProbes = Effect.fn("runProbes")(
  function*(probes: ReadonlyArray<Probe>, target: ProbeTarget, given: ProbeRunOptions = {}) {
    const options = { ...defaults, ...given }
    const root = yield* workplace
    const library = findLibrary()
    if (library !== null) copyFileSync(library, join(root, "library.node"))
    let done = 0
    return yield* Effect.forEach(
      probes,
      (probe, index) =>
        Effect.map(runProbe(probe, target, root, index, options), (result): ProbeResult => {
          given.onResult?.(result, ++done, probes.length)
          return result
        }),
      { concurrency: options.concurrency }
    )
  },
  Effect.scoped
)
