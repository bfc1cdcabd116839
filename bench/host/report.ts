/**
 * Shows what two Express hosts were like: a table for a terminal, Markdown for a document.
 */
import { described, type Machine } from "../machine.ts"
import { aligned, digits, markdownTable, wrapped } from "../text.ts"
import type { HostFigures, Look } from "./messages.ts"
import { shares } from "./requests.ts"
import type { HostReport, HostResult } from "./run.ts"
import type { Answers } from "./tally.ts"

/** A figure that both hosts have. */
export interface HostFigure {
  readonly name: string
  readonly unit: string
  readonly of: (result: HostResult) => number
}

const requests = ({ statuses }: Answers): number =>
  Object.values(statuses).reduce(
    (sum, counts) => sum + Object.values(counts).reduce((all, count) => all + count, 0),
    0
  )

const mebibytes = (bytes: number): number => bytes / 1_048_576

const last = ({ memory }: HostFigures): Look => memory.at(-1) ?? { seconds: 0, rss: 0, heapUsed: 0, external: 0 }

/** All of them, in the order in which they are shown. */
export const hostFigures: ReadonlyArray<HostFigure> = [
  { name: "event-loop delay, p50", unit: "ms", of: ({ figures }) => figures.delay.p50 },
  { name: "event-loop delay, p99", unit: "ms", of: ({ figures }) => figures.delay.p99 },
  { name: "event-loop delay, longest", unit: "ms", of: ({ figures }) => figures.delay.longest },
  { name: "wait for an order, p50", unit: "ms", of: ({ answers }) => answers.passed.p50 },
  { name: "wait for an order, p99", unit: "ms", of: ({ answers }) => answers.passed.p99 },
  { name: "wait for a refusal, p50", unit: "ms", of: ({ answers }) => answers.refused.p50 },
  { name: "wait for a refusal, p99", unit: "ms", of: ({ answers }) => answers.refused.p99 },
  {
    name: "processor time a request",
    unit: "us",
    of: ({ answers, figures }) => figures.processor * 1000 / requests(answers)
  },
  { name: "collections", unit: "GCs", of: ({ figures }) => figures.pauses.count },
  { name: "pauses of collections, p99", unit: "ms", of: ({ figures }) => figures.pauses.p99 },
  { name: "pauses of collections, longest", unit: "ms", of: ({ figures }) => figures.pauses.longest },
  { name: "pauses of collections, in all", unit: "ms", of: ({ figures }) => figures.pauses.total },
  { name: "resident at the end", unit: "MiB", of: ({ figures }) => mebibytes(last(figures).rss) },
  { name: "heap in use at the end", unit: "MiB", of: ({ figures }) => mebibytes(last(figures).heapUsed) },
  { name: "outside of the heap at the end", unit: "MiB", of: ({ figures }) => mebibytes(last(figures).external) }
]

const figureRows = (report: HostReport): ReadonlyArray<ReadonlyArray<string>> => [
  ["", "without", "with Tracehound", "ratio"],
  ...hostFigures.map(({ name, of, unit }) => {
    const [without, withIt] = [of(report.without), of(report.with)]
    const ratio = without > 0 ? `${(withIt / without).toFixed(2)}x` : ""
    return [name, `${digits(without)} ${unit}`, `${digits(withIt)} ${unit}`, ratio]
  })
]

/** Rows of the memory's curve: of a long run one a minute. */
const mostLooks = 13

/** The looks to show: the first, the last, and of those between as many as there is room for. */
export const shownLooks = <A>(looks: ReadonlyArray<A>): ReadonlyArray<A> => {
  const step = Math.max(1, Math.ceil((looks.length - 1) / (mostLooks - 1)))
  return looks.filter((_, at) => at % step === 0 || at === looks.length - 1)
}

const memoryRows = ({ with: withIt, without }: HostReport): ReadonlyArray<ReadonlyArray<string>> => {
  const of = ({ external, heapUsed, rss }: Look): ReadonlyArray<string> =>
    [rss, heapUsed, external].map((bytes) => mebibytes(bytes).toFixed(1))
  const beside = withIt.figures.memory
  const pairs = without.figures.memory.flatMap((look, at) => {
    const other = beside[at]
    return other === undefined ? [] : [[look, other] as const]
  })
  return [
    [
      "seconds",
      "without: resident, MiB",
      "heap",
      "outside",
      "with Tracehound: resident, MiB",
      "heap",
      "outside"
    ],
    ...shownLooks(pairs).map(([look, other]) => [look.seconds.toFixed(0), ...of(look), ...of(other)])
  ]
}

const hostile = 100 - shares.order

const title = ({ run: { hasHounds, rate, seconds } }: HostReport): string => {
  const time = seconds >= 120 ? `${digits(seconds / 60)} minutes` : `${digits(seconds)} seconds`
  const examined = hasHounds ? "" : "; nothing is examined"
  return `${
    digits(rate)
  } requests a second to each host for ${time}, ${hostile} % of them attacks; the quarantine is ` +
    `full from the start${examined}`
}

const counted = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts).map(([name, count]) => `${digits(count)} ${name}`).join(", ")

const statuses = ({ statuses }: Answers): string => {
  const all: Record<string, number> = {}
  for (const counts of Object.values(statuses)) {
    for (const [status, count] of Object.entries(counts)) all[status] = (all[status] ?? 0) + count
  }
  return Object.entries(all).map(([status, count]) => `${digits(count)} times ${status}`).join(", ")
}

const notes = ({ late, with: withIt, without }: HostReport): ReadonlyArray<string> => {
  const { custody } = withIt.figures
  return [
    `Answers: without Tracehound ${statuses(without.answers)}; with it ${statuses(withIt.answers)}.`,
    ...(custody === null
      ? []
      : [
        `Custody, since the host started: ${counted(custody.totals)}; it holds ${digits(custody.held)} pieces of ` +
        `${digits(custody.most)}, ${digits(custody.records)} records of what left verify, and ` +
        `${digits(custody.examined)} examinations were completed.`
      ]),
    `Requests were sent ${digits(late.p50)} ms late at p50 and ${
      digits(late.p99)
    } ms at p99, to both hosts: that is in ` +
    `what they waited.`
  ]
}

const isText = (column: number): boolean => column === 0
const isNoText = (): boolean => false

/** For a terminal. */
export const hostTable = (report: HostReport, machine: Machine): string => {
  const [figures, memory] = [figureRows(report), memoryRows(report)]
  return [
    described(machine),
    `${title(report)}.`,
    "",
    ...figures.map(aligned(figures, isText)),
    "",
    ...memory.map(aligned(memory, isNoText)),
    "",
    ...notes(report)
  ].join("\n")
}

/** For a document. */
export const hostMarkdown = (report: HostReport, machine: Machine): string =>
  [
    wrapped(`${title(report)}. ${described(machine)}.`),
    "",
    ...markdownTable(figureRows(report), isText),
    "",
    ...markdownTable(memoryRows(report), isNoText),
    "",
    ...notes(report).map((note) => wrapped(`- ${note}`, "  "))
  ].join("\n")
