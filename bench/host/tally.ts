/**
 * What clients got: how many answers of which status, and how long they waited.
 */
import { createHistogram, type RecordableHistogram } from "node:perf_hooks"
import { type Kind, shares } from "./requests.ts"

/** How long was waited, in ms; all are 0 where nobody waited. */
export interface Waits {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly longest: number
}

/** What the clients of one host got. */
export interface Answers {
  /** By kind of request and status of its answer. */
  readonly statuses: Readonly<Record<Kind, Readonly<Record<string, number>>>>
  /** Requests without an answer. */
  readonly errors: number
  /** Of orders, which pass. */
  readonly passed: Waits
  /** Of all others. */
  readonly refused: Waits
}

/** What a histogram of nanoseconds says, in ms. */
export const waitsOf = (histogram: RecordableHistogram): Waits => {
  const { count, max } = histogram
  if (count === 0) return { count: 0, p50: 0, p99: 0, longest: 0 }
  return {
    count,
    p50: histogram.percentile(50) / 1e6,
    p99: histogram.percentile(99) / 1e6,
    longest: max / 1e6
  }
}

/** Records a wait of so many ms. A histogram takes nothing below 1. */
export const recordWait = (histogram: RecordableHistogram, ms: number): void =>
  histogram.record(Math.max(1, Math.round(ms * 1e6)))

const kinds = Object.keys(shares) as ReadonlyArray<Kind>

/** Counts the answers of one host. O(1) in memory, however long it runs. */
export class Tally {
  readonly #statuses = Object.fromEntries(kinds.map((kind) => [kind, {}])) as Record<Kind, Record<string, number>>
  readonly #passed = createHistogram()
  readonly #refused = createHistogram()
  #errors = 0

  answered(kind: Kind, status: number, ms: number): void {
    const statuses = this.#statuses[kind]
    statuses[status] = (statuses[status] ?? 0) + 1
    recordWait(kind === "order" ? this.#passed : this.#refused, ms)
  }

  failed(): void {
    this.#errors += 1
  }

  read(): Answers {
    return {
      statuses: this.#statuses,
      errors: this.#errors,
      passed: waitsOf(this.#passed),
      refused: waitsOf(this.#refused)
    }
  }
}

/** The statuses that a request of a kind may get, without custody and with it. */
const allowed = (kind: Kind, hasCustody: boolean): ReadonlyArray<string> => {
  if (kind === "order") return ["200"]
  if (!hasCustody) return ["403"]
  // A source is blocked after its first hundred requests, and for some minutes.
  return kind === "limited" ? ["403", "429"] : kind === "large" ? ["413"] : ["403"]
}

/** What should not have been: unanswered requests, and answers of another status. */
export const unexpected = ({ errors, statuses }: Answers, hasCustody: boolean): ReadonlyArray<string> => [
  ...(errors === 0 ? [] : [`${errors} requests had no answer`]),
  ...kinds.flatMap((kind) =>
    Object.entries(statuses[kind]).flatMap(([status, count]) =>
      allowed(kind, hasCustody).includes(status) ? [] : [`${count} of kind ${kind} were answered ${status}`]
    )
  ),
  ...(hasCustody && Object.keys(statuses.limited).length > 0 && statuses.limited["429"] === undefined &&
      (statuses.limited["403"] ?? 0) > 200
    ? ["no request of the source that sends too many was answered 429"]
    : [])
]
