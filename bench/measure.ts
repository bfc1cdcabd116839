/**
 * From the lines of a section to its rows: makes what each line runs, times all of them together,
 * and counts what they allocate.
 *
 * **Gotchas**
 *
 * - A line that cannot be made becomes a row that says why, and the others are still measured.
 */
import { allocationOf, allocationOfWaiting, callsWithin } from "./allocation.ts"
import { type Line, type Row, rowOf } from "./goals.ts"
import {
  compare,
  compareWaiting,
  type Nanoseconds,
  type Timing,
  type Turns,
  type Variant,
  type WaitingVariant
} from "./runner.ts"

/** What a section is told. */
export interface Context {
  /** Whether a minute must do for all sections. */
  readonly quick: boolean
  /** Whether lines that a minute has no room for are measured all the same. */
  readonly whole: boolean
  readonly turns: Turns
  /** What lines are timed by that nobody waits for. */
  readonly now: Nanoseconds
  /** The lines to measure. */
  readonly lines: ReadonlyArray<Line>
  /** Says on a terminal what is going on. */
  readonly progress: (what: string) => void
}

/** What the file of a section exports. */
export type Measure = (context: Context) => Promise<ReadonlyArray<Row>>

/** Makes what a line runs, when it is its turn to be made. */
export type Maker = () => Omit<Variant, "name"> | Promise<Omit<Variant, "name">>

/** The makers of lines by their names. */
export type Makers = Readonly<Record<string, Maker>>

/** The makers of each of many things, together. */
export const makersOf = <A>(things: ReadonlyArray<A>, make: (thing: A) => Makers): Makers => {
  const all: Record<string, Maker> = {}
  for (const thing of things) Object.assign(all, make(thing))
  return all
}

/** Timed lines, and those that could not be made. */
export interface Timed {
  readonly timings: ReadonlyMap<string, Timing>
  readonly variants: ReadonlyMap<string, Variant>
  readonly failures: ReadonlyMap<string, string>
}

const said = (error: unknown): string => `not measured: ${error instanceof Error ? error.message : String(error)}`

const made = async (line: Line, makers: Makers): Promise<Variant> => {
  const make = makers[line.name]
  if (make === undefined) throw new Error("no section knows how")
  return { ...await make(), name: line.name }
}

/** Times these lines together. */
export const timeLines = async (context: Context, lines: ReadonlyArray<Line>, makers: Makers): Promise<Timed> => {
  const variants = new Map<string, Variant>()
  const failures = new Map<string, string>()
  for (const line of lines) {
    context.progress(`making ready: ${line.name}`)
    try {
      const variant = await made(line, makers)
      // One call shows whether it works at all; it must not take the others with it.
      variant.before?.(1)
      variant.run(-1 - variants.size)
      variant.after?.()
      variants.set(line.name, variant)
    } catch (error) {
      failures.set(line.name, said(error))
    }
  }
  const paired = lines.flatMap((line) => {
    const variant = variants.get(line.name)
    if (variant === undefined) return []
    return line.floor !== undefined && variants.has(line.floor) ? [{ ...variant, floor: line.floor }] : [variant]
  })
  context.progress("warming up")
  const timings = compare(paired, context.turns, context.now, (round) => {
    context.progress(`round ${round + 1} of ${context.turns.rounds}`)
  })
  return { timings: new Map(timings.map((timing) => [timing.name, timing])), variants, failures }
}

/** How long to count what a line allocates: longer where it has a goal for that. */
const allocationMs = ({ quick, turns }: Context, { goals = [] }: Line): number => {
  const matters = goals.some(({ of }) => of === "bytes" || of === "gcs")
  return quick ? Math.min(40, turns.turnMs * 10) : matters ? 2000 : 200
}

/** The rows of timed lines, with what they allocate. */
export const rowsOf = (context: Context, lines: ReadonlyArray<Line>, timed: Timed): ReadonlyArray<Row> =>
  lines.map((line) => {
    const timing = timed.timings.get(line.name)
    const variant = timed.variants.get(line.name)
    if (timing === undefined || variant === undefined) return rowOf(line, {}, timed.failures.get(line.name))
    context.progress(`allocation: ${line.name}`)
    const { p10, median, ratio, ratios, rounds } = timing
    const calls = callsWithin(allocationMs(context, line), median, variant.maxCalls)
    return rowOf(line, {
      p10,
      median,
      ratio,
      rounds: ratios ?? rounds,
      ...allocationOf(variant, calls, calls === 1 ? 1 : 3)
    })
  })

/** A whole section of timed lines. */
export const measureLines = async (context: Context, makers: Makers): Promise<ReadonlyArray<Row>> =>
  rowsOf(context, context.lines, await timeLines(context, context.lines, makers))

/** Makes what a line runs that has to be waited for. */
export type WaitingMakers = Readonly<Record<string, () => Promise<Omit<WaitingVariant, "name">>>>

/**
 * Lines that have to be waited for, timed together. One whose unit is `/s` shows calls a second;
 * its ratio is of times all the same.
 */
export const measureWaiting = async (context: Context, makers: WaitingMakers): Promise<ReadonlyArray<Row>> => {
  const variants = new Map<string, WaitingVariant>()
  const failures = new Map<string, string>()
  for (const { floor, name } of context.lines) {
    context.progress(`making ready: ${name}`)
    try {
      const make = makers[name]
      if (make === undefined) throw new Error("no section knows how")
      const variant = await make()
      // One call shows whether it works at all; it must not take the others with it.
      await variant.run(variant.exactCalls ?? 1)
      variants.set(name, { ...variant, name, floor: floor !== undefined && variants.has(floor) ? floor : undefined })
    } catch (error) {
      failures.set(name, said(error))
    }
  }
  context.progress("warming up")
  const timings = await compareWaiting([...variants.values()], context.turns, undefined, (round) => {
    context.progress(`round ${round + 1} of ${context.turns.rounds}`)
  })
  const rows: Array<Row> = []
  for (const line of context.lines) {
    const timing = timings.find(({ name }) => name === line.name)
    const variant = variants.get(line.name)
    if (timing === undefined || variant === undefined) {
      rows.push(rowOf(line, {}, failures.get(line.name)))
      continue
    }
    context.progress(`allocation: ${line.name}`)
    const { p10, median, ratio, ratios, rounds } = timing
    const calls = variant.exactCalls ?? callsWithin(allocationMs(context, line), median)
    const allocation = await allocationOfWaiting(variant, calls)
    const time = line.unit === undefined ? { p10, median } : { value: 1e9 / median }
    rows.push(rowOf(line, { ...time, ratio, rounds: ratios ?? rounds, ...allocation }))
  }
  return rows
}

/** The rows of lines of which each is measured by itself, as a value. */
export const measureValues = async (
  context: Context,
  values: Readonly<Record<string, () => number | Promise<number>>>
): Promise<ReadonlyArray<Row>> => {
  const rows: Array<Row> = []
  for (const line of context.lines) {
    context.progress(line.name)
    const value = values[line.name]
    if (value === undefined) {
      rows.push(rowOf(line, {}, "not measured: no section knows how"))
      continue
    }
    try {
      rows.push(rowOf(line, { value: await value() }))
    } catch (error) {
      rows.push(rowOf(line, {}, said(error)))
    }
  }
  return rows
}
