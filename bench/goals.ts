/**
 * A line of the benchmark as data: what it is measured against, what it should reach, and whether
 * it did.
 *
 * **Gotchas**
 *
 * - Bytes and collections are rounded to whole numbers before they are compared: see
 *   `allocation.ts` for what is noise.
 * - A goal that could not be measured is neither met nor missed.
 */
import { spread } from "./statistics.ts"

/**
 * What a goal is about: a ratio to the floor, a time per call in ns, bytes or collections per call,
 * or the line's own value.
 */
export type Figure = Exclude<keyof Figures, "p10" | "rounds">

/** A bound on one figure of a line. */
export type Goal =
  | { readonly of: Figure; readonly most: number }
  | { readonly of: Figure; readonly least: number }

/** What was measured. What a line does not have is null. */
export interface Figures {
  /** Nanoseconds a call. */
  readonly p10: number | null
  readonly median: number | null
  readonly ratio: number | null
  /** Bytes on V8's heap, a call. */
  readonly bytes: number | null
  /** Collections per million calls. */
  readonly gcs: number | null
  /** What the line is about, where that is no time: see its unit. */
  readonly value: number | null
  /**
   * What it takes in each round: the ratio to its floor where it has one, else nanoseconds a call.
   */
  readonly rounds: ReadonlyArray<number> | null
}

/** A line of the report. */
export interface Row extends Figures {
  readonly name: string
  readonly floor: string | null
  readonly unit: string | null
  readonly goals: ReadonlyArray<Goal>
  readonly further: ReadonlyArray<Goal>
  /** Null where there is no goal, or nothing to hold against it. */
  readonly met: boolean | null
  /** What a reader must know about this line, or why it could not be measured. */
  readonly note: string | null
}

/** Whether a figure is within its bound; null where it was not measured. */
export const isMet = (goal: Goal, figures: Figures): boolean | null => {
  const found = figures[goal.of]
  if (found === null || Number.isNaN(found)) return null
  const value = goal.of === "bytes" || goal.of === "gcs" ? Math.round(found) : found
  return "most" in goal ? value <= goal.most : value >= goal.least
}

/**
 * Whether all goals are met; null where there is none, or where one could not be measured and no
 * other is missed.
 */
export const areMet = (goals: ReadonlyArray<Goal>, figures: Figures): boolean | null => {
  const each = goals.map((goal) => isMet(goal, figures))
  if (each.includes(false)) return false
  return each.length === 0 || each.includes(null) ? null : true
}

const noFigures: Figures = {
  p10: null,
  median: null,
  ratio: null,
  bytes: null,
  gcs: null,
  value: null,
  rounds: null
}

/** Where half of the rounds lie further apart than this share of their median, nothing is sure. */
const mostSpread = 0.1

/** Whether the rounds of a line agree too little for its figures to be trusted. */
export const isUnsure = ({ rounds }: Pick<Figures, "rounds">): boolean => rounds !== null && spread(rounds) > mostSpread

/** What a line says of itself, measured or not. */
export interface Line {
  readonly name: string
  /** The line it is measured against. */
  readonly floor?: string
  readonly goals?: ReadonlyArray<Goal>
  /** What it should reach after these. Missing it is no miss. */
  readonly further?: ReadonlyArray<Goal>
  /** The unit of its value, where it has one. */
  readonly unit?: string
  readonly note?: string
  /**
   * Lines of one group have a process to themselves, where others of the section would disturb
   * them.
   */
  readonly group?: string
}

/** The row of a line with what was measured. */
export const rowOf = (line: Line, figures: Partial<Figures>, note?: string): Row => {
  const goals = line.goals ?? []
  const all = { ...noFigures, ...figures }
  return {
    name: line.name,
    floor: line.floor ?? null,
    ...all,
    unit: line.unit ?? null,
    goals,
    further: line.further ?? [],
    met: areMet(goals, all),
    note: note ?? line.note ?? null
  }
}
