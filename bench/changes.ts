/**
 * What changed between two reports, told from what the machine did meanwhile.
 *
 * A timed line is compared by its rounds: by its ratio to its floor in the same round, so that a
 * slower machine does not look like slower code, and by its time where it has no floor and the
 * machine is the same. It is called slower or faster where the whole range that holds the change
 * with 99 % confidence lies beyond `least`.
 *
 * **Gotchas**
 *
 * - The rounds of one process share its heap and its compiled code, which differ by some percent
 *   from process to process. What is called a change here has to be seen in a second run.
 * - A line that is measured once, or in fewer rounds than `fewest`, has no range. It is told where
 *   it moved by more than `leastOnce`, as unsure.
 */
import type { Row } from "./goals.ts"
import { isSameMachine } from "./machine.ts"
import type { Report } from "./report.ts"
import { type Shift, shiftOf } from "./statistics.ts"

/** A change of a timed line that matters: 3 %. */
const least = 1.03

/** A change of a line that is measured once: 15 %. */
const leastOnce = 1.15

/** So many rounds have a range to speak of. A quick run has seven. */
const fewest = 7

/** A change in bytes a call that is no rounding. */
const leastBytes = 16

/** A line that changed. */
export interface Change {
  readonly section: string
  readonly name: string
  readonly of: "ratio" | "time" | "value" | "bytes"
  readonly before: number
  readonly after: number
  /** How often the cost of before fits into that of after: above 1 is worse. */
  readonly cost: number
  /** The range of `cost`; null where there is none. */
  readonly range: readonly [number, number] | null
}

/** All that can be said of two reports. */
export interface Changes {
  /** The worst first, as all of these. */
  readonly worse: ReadonlyArray<Change>
  readonly better: ReadonlyArray<Change>
  /** Lines that are measured once and moved, in either direction. */
  readonly unsure: ReadonlyArray<Change>
  /** How many lines did not change. */
  readonly same: number
  /** Lines that only one of the reports has, or that no two figures of can be compared. */
  readonly apart: ReadonlyArray<string>
  /** Whether times were compared: not where the machines differ. */
  readonly isSameMachine: boolean
}

const rowsOf = ({ sections }: Report): ReadonlyMap<string, { readonly section: string; readonly row: Row }> =>
  new Map(sections.flatMap(({ name, rows }) => rows.map((row) => [`${name}: ${row.name}`, { section: name, row }])))

/** Whether more of this unit is better. */
const isRate = (unit: string | null): boolean => unit !== null && unit.endsWith("/s")

/** A change of a timed line; undefined where its figures cannot be compared. */
const timed = (section: string, before: Row, after: Row, times: boolean): Change | undefined => {
  if (before.rounds === null || after.rounds === null || before.floor !== after.floor) return undefined
  const isRatio = before.ratio !== null && after.ratio !== null
  if (!isRatio && (before.ratio !== after.ratio || !times)) return undefined
  const { factor, high, low }: Shift = shiftOf(before.rounds, after.rounds)
  if (!Number.isFinite(factor)) return undefined
  const figures = isRatio
    ? { before: before.ratio, after: after.ratio }
    : { before: before.median ?? before.value ?? 0, after: after.median ?? after.value ?? 0 }
  const range = Math.min(before.rounds.length, after.rounds.length) < fewest ? null : [low, high] as const
  return { section, name: after.name, of: isRatio ? "ratio" : "time", ...figures, cost: factor, range }
}

/** A change of a line that is measured once. */
const once = (section: string, before: Row, after: Row, times: boolean): Change | undefined => {
  if (before.value === null || after.value === null || before.value <= 0 || after.value <= 0) return undefined
  if (!times && after.unit !== "x" && after.unit !== "B" && after.unit !== "MiB") return undefined
  const cost = isRate(after.unit) ? before.value / after.value : after.value / before.value
  return { section, name: after.name, of: "value", before: before.value, after: after.value, cost, range: null }
}

/** A change of what a call allocates. */
const allocated = (section: string, before: Row, after: Row): Change | undefined => {
  if (before.bytes === null || after.bytes === null) return undefined
  if (Math.abs(after.bytes - before.bytes) < Math.max(leastBytes, before.bytes * (least - 1))) return undefined
  const cost = (after.bytes + 1) / (before.bytes + 1)
  return { section, name: after.name, of: "bytes", before: before.bytes, after: after.bytes, cost, range: null }
}

const isWorse = ({ cost, range }: Change): boolean => (range?.[0] ?? cost) > least
const isBetter = ({ cost, range }: Change): boolean => (range?.[1] ?? cost) < 1 / least
const isMoved = ({ cost }: Change): boolean => cost > leastOnce || cost < 1 / leastOnce
const worstFirst = (a: Change, b: Change): number => b.cost - a.cost

/** Compares two reports, line by line. O(lines x rounds²). */
export const changesOf = (before: Report, after: Report): Changes => {
  const [old, now] = [rowsOf(before), rowsOf(after)]
  const times = isSameMachine(before.machine, after.machine)
  const found: Array<Change> = []
  const single: Array<Change> = []
  const apart: Array<string> = [...old.keys()].filter((key) => !now.has(key))
  let same = 0
  for (const [key, { row, section }] of now) {
    const earlier = old.get(key)?.row
    const time = earlier && timed(section, earlier, row, times)
    const cost = time ?? (earlier && once(section, earlier, row, times))
    if (earlier === undefined || cost === undefined) {
      apart.push(key)
      continue
    }
    const isSure = cost.range !== null
    const changed = [isSure ? cost : undefined, allocated(section, earlier, row)].flatMap((change) =>
      change !== undefined && (isWorse(change) || isBetter(change)) ? [change] : []
    )
    found.push(...changed)
    if (!isSure && isMoved(cost)) single.push(cost)
    else if (changed.length === 0) same += 1
  }
  return {
    worse: found.filter(isWorse).toSorted(worstFirst),
    better: found.filter(isBetter).toSorted(worstFirst).toReversed(),
    unsure: single.toSorted(worstFirst),
    same,
    apart,
    isSameMachine: times
  }
}

const percent = (factor: number): string => `${factor >= 1 ? "+" : ""}${((factor - 1) * 100).toFixed(1)} %`

const figure = ({ of }: Change, value: number): string => {
  const text = Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)))
  return of === "ratio" ? `${text}x` : of === "bytes" ? `${text} B` : of === "time" ? `${text} ns` : text
}

const shown = (change: Change): string => {
  const { after, before, cost, name, range, section } = change
  const within = range === null ? "" : ` (${percent(range[0])} to ${percent(range[1])})`
  return `  ${section}: ${name}: ${figure(change, before)} -> ${figure(change, after)}, cost ${percent(cost)}${within}`
}

const listed = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", title, ...lines]

/** For a terminal, after the table. */
export const changesText = ({ apart, better, isSameMachine, same, unsure, worse }: Changes, file: string): string =>
  [
    `Beside ${file}: ${worse.length} worse, ${better.length} better, ${unsure.length} unsure, ${same} unchanged.`,
    ...(isSameMachine ? [] : ["The machines differ: only ratios, bytes and sizes are compared."]),
    ...listed("Worse", worse.map(shown)),
    ...listed("Better", better.map(shown)),
    ...listed("Moved, but measured once: see whether a second run says the same", unsure.map(shown)),
    ...listed("Not compared", apart.map((name) => `  ${name}`))
  ].join("\n")
