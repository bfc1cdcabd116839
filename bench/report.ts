/**
 * Shows what was measured: a table for a terminal, Markdown for a document.
 */
import type { Section } from "./catalogue.ts"
import { areMet, type Goal, isMet, isUnsure, type Row } from "./goals.ts"
import { described, type Machine } from "./machine.ts"
import { aligned, digits, markdownTable, nanos, wrapped } from "./text.ts"

export type { Machine }

/** A section with its rows. */
export interface Measured {
  readonly name: Section["name"]
  readonly title: string
  readonly rows: ReadonlyArray<Row>
}

/** A whole run. */
export interface Report {
  readonly machine: Machine
  readonly pace: "full" | "quick" | "smoke"
  /** Whether others used the machine, so that lines were timed by processor time. */
  readonly isBusy?: boolean
  readonly sections: ReadonlyArray<Measured>
}

/** Whether this is a report that this version wrote, as far as a look at its outside can tell. */
export const isReport = (value: unknown): value is Report =>
  typeof value === "object" && value !== null && "machine" in value && "sections" in value
  && Array.isArray(value.sections) && "pace" in value

const valued = (value: number, unit: string | null): string =>
  unit === "ns" ? nanos(value) : `${digits(value)}${unit === "x" || unit === "/s" ? "" : " "}${unit ?? ""}`

const shown = (value: number | null, show: (value: number) => string): string => value === null ? "" : show(value)

/** A figure with its unit. */
export const figureText = (of: Goal["of"], value: number, unit: string | null): string => {
  switch (of) {
    case "ratio":
      return `${digits(value)}x`
    case "median":
      return nanos(value)
    case "bytes":
      return `${digits(value)} B`
    case "gcs":
      return `${digits(value)} GCs`
    case "value":
      return valued(value, unit)
  }
}

/** A goal as text: `<= 1.3x`. */
export const goalText = (goal: Goal, unit: string | null): string => {
  if ("least" in goal) return `>= ${figureText(goal.of, goal.least, unit)}`
  return goal.most === 0 ? figureText(goal.of, 0, unit) : `<= ${figureText(goal.of, goal.most, unit)}`
}

/** What became of the goals of a row. */
export const verdict = (row: Row): string => {
  if (row.goals.length === 0) return ""
  const missed = row.goals.filter((goal) => isMet(goal, row) === false).map((goal) => goalText(goal, row.unit))
  if (missed.length > 0) return `MISSED ${missed.join(", ")}`
  if (row.met !== true) return "not measured"
  return row.further.length > 0 && areMet(row.further, row) === true ? "met, and the further one" : "met"
}

/** The goals of a line as text, the further ones after a "then". */
export const goalsText = (
  { further = [], goals = [], unit }: { readonly [K in "goals" | "further"]?: ReadonlyArray<Goal> } & {
    readonly unit?: string | null
  }
): string => {
  const text = (some: ReadonlyArray<Goal>): string => some.map((goal) => goalText(goal, unit ?? null)).join(", ")
  return further.length === 0 ? text(goals) : `${text(goals)}, then ${text(further)}`
}

const headings = ["line", "p10", "median", "ratio", "B/call", "GCs/M", "goal", ""] as const

/** Columns of words, which are set to the left. */
const isText = (column: number): boolean => column === 0 || column >= 6

const cells = (row: Row): ReadonlyArray<string> => [
  row.name,
  shown(row.p10, nanos),
  row.value === null ? shown(row.median, nanos) : valued(row.value, row.unit),
  shown(row.ratio, (ratio) => `${ratio.toFixed(2)}x`) + (isUnsure(row) ? " ~" : ""),
  shown(row.bytes, (bytes) => digits(Math.round(bytes))),
  shown(row.gcs, (gcs) => digits(Math.round(gcs))),
  goalsText(row),
  verdict(row)
]

/** What became of the lines that have a goal. */
export interface Score {
  readonly met: number
  readonly missed: number
  readonly unmeasured: number
}

/** Counts the lines that have a goal. */
export const score = ({ sections }: Report): Score => {
  const rows = sections.flatMap(({ rows }) => rows).filter(({ goals }) => goals.length > 0)
  const having = (met: boolean | null): number => rows.filter((row) => row.met === met).length
  return { met: having(true), missed: having(false), unmeasured: having(null) }
}

/** The lines of which nothing at all was measured: something is broken. */
export const failures = ({ sections }: Report): ReadonlyArray<string> =>
  sections.flatMap(({ name: section, rows }) =>
    rows.flatMap(({ median, name, value }) => median === null && value === null ? [`${section}: ${name}`] : [])
  )

const paces: Readonly<Record<Report["pace"], string>> = {
  full: "",
  quick: "; a quick run",
  smoke: "; each line once"
}

const machineLine = ({ isBusy = false, machine, pace }: Report): string =>
  described(machine) + paces[pace] + (isBusy ? "; timed by processor time" : "")

const summary = (report: Report): string => {
  const { met, missed, unmeasured } = score(report)
  const unsure = report.sections.flatMap(({ rows }) => rows).filter(isUnsure).length
  return `${met + missed + unmeasured} lines have a goal: ${met} met it, ${missed} missed it, ${unmeasured} not ` +
    `measured.${unsure === 0 ? "" : ` ${unsure} lines are marked ~: their rounds lie too far apart to be trusted.`}`
}

const notes = (rows: ReadonlyArray<Row>): ReadonlyArray<string> =>
  rows.flatMap(({ name, note }) => note === null ? [] : [`${name}: ${note}`])

/** For a terminal. Of lines that ran once only how many they were: no figure says anything. */
export const table = (report: Report): string => {
  if (report.pace === "smoke") {
    const ran = report.sections.flatMap(({ rows }) => rows).length - failures(report).length
    return `${machineLine(report)}\n\n${ran} lines ran.`
  }
  const line = aligned([headings, ...report.sections.flatMap(({ rows }) => rows.map(cells))], isText)
  return [
    machineLine(report),
    ...report.sections.flatMap(({ rows, title }) => [
      "",
      title,
      line(headings),
      ...rows.map((row) => line(cells(row))),
      ...notes(rows).map((note) => `  ${note}`)
    ]),
    "",
    summary(report)
  ].join("\n")
}

/** For a document. */
export const markdown = (report: Report): string => {
  return [
    wrapped(`${machineLine(report)}.`),
    "",
    wrapped(summary(report)),
    ...report.sections.flatMap(({ rows, title }) => {
      const said = notes(rows)
      return [
        "",
        `### ${title}`,
        "",
        ...markdownTable([headings, ...rows.map(cells)], isText),
        ...(said.length === 0 ? [] : ["", ...said.map((note) => wrapped(`- ${note}`, "  "))])
      ]
    })
  ].join("\n")
}
