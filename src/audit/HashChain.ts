/**
 * The hash chain (RFC, "Audit Trail Integrity"; CONFORMANCE A1 to A3): each record's hash covers the hash before it, so
 * that an edit, a deletion, an insertion or a reordering shows.
 *
 * Promises bounded memory: of the records it keeps the newest `maxRecords`, and the hash before the oldest of them as its
 * anchor, from which it verifies. Appending is O(1) and one hash; verifying is O(records kept).
 *
 * **Gotchas**
 *
 * - A chain shows a cut-off tail only to somebody who knows its head: give `inspect` the head you wrote down.
 * - Whoever holds the whole chain can write another one. Against that, keep the head somewhere else.
 * - Without chaining, hashes are all zeros, and there is nothing that could break.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { AuditRecord, type CustodyRecord } from "../domain/Records.ts"
import type { Hash } from "../port/Hash.ts"
import { makeAuditEncoder } from "./Encoding.ts"

/** The hash before the first record. */
export const genesis = "0".repeat(64)

/** What was found. */
export interface ChainReport {
  readonly valid: boolean
  /** The sequence of the first record that does not fit, or null. A missing head counts as the record after the last. */
  readonly firstBroken: number | null
  /** How many records were looked at. */
  readonly checked: number
}

/** An append-only chain of custody records. */
export interface HashChain {
  /** Of the newest record; `genesis` when there is none. */
  readonly lastHash: string
  /** How many records were ever appended. */
  readonly length: number
  /** Links the record to the chain and gives it back with its `previousHash`. */
  readonly append: <Entry extends CustodyRecord>(entry: Omit<Entry, "previousHash">) => Entry
  /** The records kept, oldest first. */
  readonly records: () => ReadonlyArray<AuditRecord>
  /** Verifies every record kept and, where given, that the newest one's hash is `head`. */
  readonly inspect: (head?: string) => ChainReport
}

/** What a chain is made of. */
export interface HashChainOptions {
  readonly chainEnabled: boolean
  /** The most records kept, at least 1. */
  readonly maxRecords: number
  readonly hash: Pick<Hash["Service"], "sha256Hex" | "timingSafeEqual">
}

/** Where a run of records begins, and how to hash it. */
interface RunStart {
  /** The hash before its first record. */
  readonly anchor: string
  /** The sequence of its first record. */
  readonly from: number
  readonly hash: HashChainOptions["hash"]
}

const utf8 = new TextEncoder()

/** In time that depends on the lengths alone (CONFORMANCE A2). */
const areSame = (hash: HashChainOptions["hash"], a: string, b: string): boolean =>
  hash.timingSafeEqual(utf8.encode(a), utf8.encode(b))

const decodeRecord = Schema.decodeUnknownResult(AuditRecord, { onExcessProperty: "error" })
/** Only of such a record does the encoding cover every field, and is no other record's. */
const isExactly = (record: AuditRecord): boolean => Result.isSuccess(decodeRecord(record))

const inspectRun = (
  records: Iterable<AuditRecord>,
  { anchor, from, hash }: RunStart,
  isSound: (record: AuditRecord) => boolean
): ChainReport & { readonly head: string } => {
  const encoder = makeAuditEncoder()
  let head = anchor
  let sequence = from
  for (const record of records) {
    const holds = isSound(record) && record.sequence === sequence && areSame(hash, record.previousHash, head) &&
      areSame(hash, record.entry.previousHash, head) &&
      areSame(hash, record.hash, hash.sha256Hex(encoder.encode(sequence, record.entry)))
    if (!holds) return { valid: false, firstBroken: sequence, checked: sequence - from + 1, head }
    head = record.hash
    sequence += 1
  }
  return { valid: true, firstBroken: null, checked: sequence - from, head }
}

/**
 * Verifies a run of records that begins after `anchor` at `from`. Any array will do, of whatever origin: this is what finds
 * an edit, a deletion, an insertion and a reordering; a field too many or of another type is an edit. O(records), one hash
 * and one decode each.
 */
export const verifyRecords = (
  records: Iterable<AuditRecord>,
  start: RunStart
): ChainReport & { readonly head: string } => inspectRun(records, start, isExactly)

/** An empty chain. */
export const makeHashChain = ({ chainEnabled, hash, maxRecords }: HashChainOptions): HashChain => {
  const encoder = makeAuditEncoder()
  /** A ring: the record with sequence n is at n modulo its capacity. */
  const ring: Array<AuditRecord> = []
  let length = 0
  let lastHash = genesis
  let anchor = genesis

  const oldest = (): number => length - ring.length
  const records = (): Array<AuditRecord> => {
    const start = oldest() % maxRecords
    return ring.length < maxRecords ? ring.slice() : [...ring.slice(start), ...ring.slice(0, start)]
  }

  return {
    get lastHash() {
      return lastHash
    },
    get length() {
      return length
    },
    records,
    append: <Entry extends CustodyRecord>(unlinked: Omit<Entry, "previousHash">): Entry => {
      const entry = Object.freeze({ ...unlinked, previousHash: lastHash }) as Entry
      const record: AuditRecord = Object.freeze({
        sequence: length,
        previousHash: lastHash,
        hash: chainEnabled ? hash.sha256Hex(encoder.encode(length, entry)) : genesis,
        entry
      })
      const at = length % maxRecords
      const leaving = ring[at]
      if (leaving !== undefined) anchor = leaving.hash
      ring[at] = record
      lastHash = record.hash
      length += 1
      return entry
    },
    inspect: (head) => {
      if (!chainEnabled) return { valid: true, firstBroken: null, checked: 0 }
      // The chain made these records itself and froze them: their shape needs no second look.
      const { head: found, ...report } = inspectRun(records(), { anchor, from: oldest(), hash }, () => true)
      return report.valid && head !== undefined && !areSame(hash, head, found)
        ? { valid: false, firstBroken: length, checked: report.checked }
        : report
    }
  }
}
