/**
 * Verifying a chain: the log that is in memory, or records of whatever origin (AUDIT.md; CONFORMANCE A1, A2).
 *
 * Hashes are compared by the port's timingSafeEqual: those of the log in runs of up to 1024, so that comparing costs little
 * beside hashing, and one by one only in the run that holds a difference.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { AuditRecord, type CustodyRecord } from "../domain/Records.ts"
import { digestBytes, DigestBuffer, digestWords, hexOf } from "../evidence/Digest.ts"
import type { Hash } from "../port/Hash.ts"
import { type AuditLog, chunkRecords } from "./AuditLog.ts"
import { factsOf, field, LongRow, rowBytes, writeRow } from "./AuditRow.ts"

/** What verifying asks of its host. */
export type Hasher = Pick<Hash["Service"], "sha256Into" | "timingSafeEqual">

const utf8 = new TextEncoder()

/** In time that depends on the lengths alone (CONFORMANCE A2). */
export const areSame = (hash: Hasher, a: string, b: string): boolean =>
  hash.timingSafeEqual(utf8.encode(a), utf8.encode(b))

/** Verifies one log, again and again. */
export class LogVerifier {
  private readonly log: AuditLog
  private readonly hash: Hasher
  /** What the hashes of a run are, and what they must be; the same for the links between its records. */
  private readonly found = new Columns()
  private readonly links = new Columns()
  private readonly scratch = new LongRow()

  constructor(log: AuditLog, hash: Hasher) {
    this.log = log
    this.hash = hash
  }

  /** The sequence of the first record that does not fit, beginning after `anchor`; null where all do. O(records kept). */
  firstBroken(anchor: DigestBuffer): number | null {
    const { log } = this
    const before = new DigestBuffer()
    before.words.set(anchor.words)
    for (let sequence = log.oldest; sequence < log.length;) {
      const count = log.runFrom(sequence)
      this.rehash(sequence, count, before)
      if (!this.found.agree(count, this.hash) || !this.links.agree(count, this.hash)) {
        return sequence + Math.min(this.found.firstOther(count, this.hash), this.links.firstOther(count, this.hash))
      }
      log.readHash(sequence + count - 1, before.words)
      sequence += count
    }
    return null
  }

  /** Hashes a run of rows, and gathers what stands where. */
  private rehash(first: number, count: number, before: DigestBuffer): void {
    const { found, hash, links, log, scratch } = this
    const { destinations, hashes, hashWords, rows, rowWords } = log.chunkOf(first)
    const place = log.placeOf(first)
    const digest = new DigestBuffer()
    for (let i = 0; i < count; i++) {
      const at = (place + i) * rowBytes
      const row = rows.subarray(at, at + rowBytes)
      const destination = destinations[place + i] ?? null
      hash.sha256Into(destination === null ? row : scratch.join(row, utf8.encode(destination)), digest.bytes)
      const link = (at + field.previousHash) >> 2
      const previous = i === 0 ? before.words : hashWords
      const previousAt = i === 0 ? 0 : (place + i - 1) * digestWords
      for (let word = 0; word < digestWords; word++) {
        found.expected[i * digestWords + word] = digest.words[word] ?? 0
        links.actual[i * digestWords + word] = rowWords[link + word] ?? 0
        links.expected[i * digestWords + word] = previous[previousAt + word] ?? 0
      }
    }
    found.actual.set(new Int32Array(hashes.buffer, place * digestBytes, count * digestWords))
  }
}

/** Digests side by side, to be compared at once. */
class Columns {
  readonly actual = new Int32Array(chunkRecords * digestWords)
  readonly expected = new Int32Array(chunkRecords * digestWords)

  /** Whether the first `count` of both are the same. */
  agree(count: number, { timingSafeEqual }: Hasher): boolean {
    return timingSafeEqual(
      new Uint8Array(this.actual.buffer, 0, count * digestBytes),
      new Uint8Array(this.expected.buffer, 0, count * digestBytes)
    )
  }

  /** The first that differs, or `count`. */
  firstOther(count: number, { timingSafeEqual }: Hasher): number {
    for (let i = 0; i < count; i++) {
      const actual = new Uint8Array(this.actual.buffer, i * digestBytes, digestBytes)
      if (!timingSafeEqual(actual, new Uint8Array(this.expected.buffer, i * digestBytes, digestBytes))) return i
    }
    return count
  }
}

/** Where a run of records begins, and how to hash it. */
export interface RunStart {
  /** The hash before its first record: `genesis`, or the head of a checkpoint. */
  readonly anchor: string
  /** The sequence of its first record: 0, or the length of that checkpoint. */
  readonly from: number
  readonly hash: Hasher
}

/** What was found in a run of records. */
export interface RunReport {
  readonly valid: boolean
  readonly firstBroken: number | null
  readonly checked: number
  /** The hash of the last record that fits. */
  readonly head: string
}

const decodeRecord = Schema.decodeUnknownResult(AuditRecord, { onExcessProperty: "error" })
/** Only of such a record does the encoding cover every field, and is no other record's. */
const isExactly = (record: AuditRecord): boolean => Result.isSuccess(decodeRecord(record))

/**
 * Verifies a run of records that begins after `anchor` at `from`. Any array will do, of whatever origin: this is what finds
 * an edit, a deletion, an insertion and a reordering; a field too many or of another type is an edit. O(records), one hash
 * and one decode each.
 */
export const verifyRecords = (records: Iterable<AuditRecord>, { anchor, from, hash }: RunStart): RunReport => {
  const encoder = makeAuditEncoder()
  const digest = new DigestBuffer()
  let head = anchor
  let sequence = from
  for (const record of records) {
    const holds = isExactly(record) && record.sequence === sequence && areSame(hash, record.previousHash, head) &&
      areSame(hash, record.entry.previousHash, head)
    if (holds) hash.sha256Into(encoder.encode(sequence, record.entry), digest.bytes)
    if (!holds || !areSame(hash, record.hash, hexOf(digest.bytes))) {
      return { valid: false, firstBroken: sequence, checked: sequence - from + 1, head }
    }
    head = record.hash
    sequence += 1
  }
  return { valid: true, firstBroken: null, checked: sequence - from, head }
}

/** Encodes records, one at a time, into a buffer it uses again. */
export interface AuditEncoder {
  /** The row with its destination; valid until the next call. For records that fit their schema. */
  readonly encode: (sequence: number, entry: CustodyRecord) => Uint8Array
}

/** A new encoder with a buffer of its own. */
export const makeAuditEncoder = (): AuditEncoder => {
  const row = new Uint8Array(rowBytes)
  const view = new DataView(row.buffer)
  const long = new LongRow()
  const previous = new DigestBuffer()
  return {
    encode: (sequence, entry) => {
      const facts = factsOf(entry)
      const destination = facts.destination === null ? new Uint8Array(0) : utf8.encode(facts.destination)
      writeRow(row, view, 0, sequence, facts, destination.length)
      previous.read(entry.previousHash, 0)
      row.set(previous.bytes, field.previousHash)
      return long.join(row, destination)
    }
  }
}
