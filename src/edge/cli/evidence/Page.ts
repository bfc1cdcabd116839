/**
 * Chooses and orders what `evidence list` shows: one page, whatever there is.
 *
 * Promises memory for one page alone, and that pages that are asked for one after the other have
 * every piece once, as long as nothing is added or taken away.
 *
 * Cost: O(log page) for each piece, and O(page) for each that is among the first so far.
 */
import { type ThreatCategory } from "../../../domain/Scent.ts"
import { severities, type Severity, severityRank } from "../../../domain/Severity.ts"
import { isId } from "./ColdDirectory.ts"
import type { EvidenceItem } from "./EvidenceSource.ts"

/** The newest first; or the worst first, and of one severity the newest. */
export const orders = ["time", "severity"] as const
export type Order = typeof orders[number]

/** What is wanted. */
export interface Wanted {
  readonly category: ThreatCategory | null
  readonly severity: Severity | null
  /** The beginning of a signature, or of its digits. */
  readonly signature: string
}

/** The place of a piece in the order. */
export interface Place {
  /** -1 where the severity is not known, as of what is sealed. */
  readonly rank: number
  readonly time: number
  readonly id: string
}

/** Whether a text can be the beginning of a signature, or of its digits. */
export const isSignaturePrefix = (text: string): boolean => /^(?:[a-z]{3,9}:)?[0-9a-f]{0,64}$/.test(text)

/** Whether a piece is wanted. */
export const isWanted = (item: EvidenceItem, { category, severity, signature }: Wanted): boolean =>
  (category === null || item.category === category) && (severity === null || item.severity === severity) &&
  (item.signature.startsWith(signature) || item.signature.startsWith(signature, item.category.length + 1))

const placeOf = ({ id, severity, time }: EvidenceItem): Place => ({
  rank: severity === null ? -1 : severityRank(severity),
  time,
  id
})

/** Below 0 where `a` comes before `b`. Total: ids differ. */
export const compare = (order: Order, a: Place, b: Place): number => {
  if (order === "severity" && a.rank !== b.rank) return b.rank - a.rank
  if (a.time !== b.time) return b.time - a.time
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0
}

const unknownSeverity = "unknown"

/** The place as one word, from which the next page goes on. */
export const spellPlace = (order: Order, item: EvidenceItem): string =>
  `${order === "severity" ? `${item.severity ?? unknownSeverity}/` : ""}${item.time}/${item.id}`

/** Reads such a word; null where it is none of this order. */
export const readPlace = (order: Order, text: string): Place | null => {
  const parts = text.split("/")
  const named = order === "severity" ? parts.shift() ?? "" : unknownSeverity
  const [time = "", id = "", ...more] = parts
  const rank = severities.findIndex((severity) => severity === named)
  if ((rank < 0 && named !== unknownSeverity) || more.length > 0 || !isId(id)) return null
  const ms = Number(time)
  return time !== "" && String(ms) === time && Number.isFinite(ms) ? { rank, time: ms, id } : null
}

interface Entry extends Place {
  readonly item: EvidenceItem
}

/** The first pieces behind a place, out of any number that come in any order. */
export class Page {
  /** Wanted pieces so far, those before the page too. */
  total = 0
  readonly #order: Order
  readonly #after: Place | null
  readonly #limit: number
  readonly #entries: Array<Entry> = []
  /** Whether there is more behind the page. */
  hasMore = false

  constructor(order: Order, after: Place | null, limit: number) {
    this.#order = order
    this.#after = after
    this.#limit = limit
  }

  get items(): ReadonlyArray<EvidenceItem> {
    return this.#entries.map(({ item }) => item)
  }

  add(item: EvidenceItem): void {
    this.total += 1
    const entry: Entry = { ...placeOf(item), item }
    if (this.#after !== null && compare(this.#order, entry, this.#after) <= 0) return
    const at = this.#placeFor(entry)
    if (at === this.#limit) {
      this.hasMore = true
      return
    }
    this.#entries.splice(at, 0, entry)
    if (this.#entries.length > this.#limit) {
      this.#entries.pop()
      this.hasMore = true
    }
  }

  /** How many entries come before this one. */
  #placeFor(entry: Place): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.#entries[middle]
      if (other !== undefined && compare(this.#order, other, entry) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
