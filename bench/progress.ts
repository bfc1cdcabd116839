/**
 * Before and after: what the paths that a user pays for took when these goals were set, and what
 * they take now.
 *
 * **Gotchas**
 *
 * - What it was before was measured on one machine, an AMD EPYC with SHA extensions: on another
 *   only ratios, bytes and what the goals say can be held against it.
 */
import { catalogue } from "./catalogue.ts"
import { type Figure, type Goal, isMet, type Row } from "./goals.ts"
import { figureText, goalText, type Report } from "./report.ts"
import { markdownTable } from "./text.ts"

/** A figure of a line, and what it was before; null where it could not be measured then. */
interface Step {
  /** The line as `section: name`. */
  readonly line: string
  readonly of: Figure
  readonly before: number | null
}

const step = (line: string, of: Figure, before: number | null): Step => ({ line, of, before })

/** All of them, in the order of the catalogue. */
export const steps: ReadonlyArray<Step> = [
  step("gate: clean", "ratio", 1.31),
  step("gate: rate limited", "ratio", 1.46),
  step("gate: too large, bytes", "ratio", 2.13),
  step("bytes: new bytes, 64 B", "ratio", 3.54),
  step("bytes: new bytes, 64 B", "bytes", 489),
  step("bytes: new bytes, 1 KiB", "ratio", 2.44),
  step("bytes: new bytes, 16 KiB", "ratio", 1.33),
  step("bytes: new text, 16 KiB", "ratio", 1.51),
  step("bytes: new bytes, 1 MiB", "ratio", 1.12),
  step("bytes: new text, 1 MiB", "ratio", 1.28),
  step("objects: new object, 0.3 KiB", "ratio", 3.2),
  step("objects: new object, 1 KiB", "ratio", 3.8),
  step("objects: new object, 16 KiB", "ratio", 4.1),
  step("objects: new object, 256 KiB", "ratio", 4.8),
  step("objects: new object: allocated for each further byte", "value", 5.5),
  step("duplicates: duplicate object, 1 KiB", "ratio", 3),
  step("duplicates: duplicate object, 1 KiB", "bytes", 6500),
  step("duplicates: duplicate object, 1 KiB: beyond V8's own keys", "value", null),
  step("eviction: evicting beyond new, 10k held", "value", 7000),
  step("eviction: evicting beyond new, 10k held", "bytes", 4100),
  step("mix: calls a second", "value", null),
  step("mix: p99 of a call", "value", null),
  step("chain: verify", "ratio", null),
  step("chain: verify", "value", 1_900_000),
  step("start: import to first intercept", "ratio", 580 / 267),
  step("start: import to first intercept", "value", 580),
  step("start: command line: first output of --help", "ratio", null),
  step("growth: duplicate, 1M", "ratio", 7),
  step("actors: ask, 1k actors in turn", "ratio", 7),
  step("hounds: spawn to ready, default", "value", 139),
  step("hounds: round trip, 1 MiB: p50", "value", 2.1),
  step("hounds: two hounds kept busy, 1 KiB", "value", 9900),
  step("hounds: intercept, pool and two hounds, 1 KiB", "value", 2140),
  step("hounds: intercept, pool and two hounds, 1 KiB", "ratio", 4.6)
]

/** The line of the catalogue that a step is about. */
export const lineOf = ({ line }: Step) =>
  catalogue.flatMap(({ lines, name }) => lines.filter((one) => `${name}: ${one.name}` === line))[0]

const goalsOf = ({ of }: Step, goals: ReadonlyArray<Goal>): ReadonlyArray<Goal> =>
  goals.filter((goal) => goal.of === of)

const verdictOf = (step: Step, row: Row): string => {
  const [goal] = goalsOf(step, row.goals)
  const met = goal === undefined ? null : isMet(goal, row)
  return met === null ? "" : met ? "met" : "MISSED"
}

/** For a document. Of a step whose line was not measured there is no row. */
export const progressMarkdown = ({ sections }: Report): string => {
  const rows: ReadonlyMap<string, Row> = new Map(
    sections.flatMap(({ name, rows }) => rows.map((row) => [`${name}: ${row.name}`, row] as const))
  )
  const shown = steps.flatMap((step): ReadonlyArray<ReadonlyArray<string>> => {
    const row = rows.get(step.line)
    if (row === undefined) return []
    const now = row[step.of]
    const text = (value: number | null): string =>
      value === null ? "not measured" : figureText(step.of, value, row.unit)
    const goal = goalsOf(step, row.goals).map((one) => goalText(one, row.unit)).join(", ")
    return [[step.line, text(step.before), text(now), goal, verdictOf(step, row)]]
  })
  return markdownTable([["line", "before", "now", "goal", ""], ...shown], (column) => column === 0 || column > 2).join(
    "\n"
  )
}
