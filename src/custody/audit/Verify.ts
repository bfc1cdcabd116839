/**
 * Verifies records of any origin, such as those that somebody was sent (spec/ledger.md,
 * "Verifying"; CONFORMANCE A1, A2).
 */
import type * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { DigestBuffer } from "../../domain/Digest.ts"
import { AuditRecord, type CustodyRecord } from "../../domain/Records.ts"
import type { Hash } from "../../host/port/Hash.ts"
import { atOnce, inSlices, type Sliced } from "../../scheduler/Slices.ts"
import { destinationOf, factsOf } from "./AuditFacts.ts"
import { AuditLog } from "./AuditLog.ts"
import { RowBuffer } from "./AuditRow.ts"
import { EntryText } from "./EntryText.ts"

/** The start of a run of records, and the host's Hash. */
export interface RunStart {
  /** The hash before its first record: 64 zeros, or the `head` of a checkpoint. */
  readonly anchor: string
  /** The sequence of its first record: 0, or the `length` of that checkpoint. */
  readonly from: number
  readonly hash: Pick<Hash["Service"], "sha256Hex" | "timingSafeEqual">
}

/** The result of `verifyRecords`. */
export interface RunReport {
  readonly valid: boolean
  /** The sequence of the first record that does not fit, or null. */
  readonly firstBroken: number | null
  /** Records checked, the broken one included. */
  readonly checked: number
  /** The hash of the last record that fits. */
  readonly head: string
}

const utf8 = new TextEncoder()

/**
 * Whether both are the same text. Compares in a time that depends on the lengths alone
 * (CONFORMANCE A2). Never throws; reads nothing of texts of different lengths.
 */
export const areSame = (
  { timingSafeEqual }: Pick<Hash["Service"], "timingSafeEqual">,
  given: unknown,
  known: unknown
): boolean =>
  typeof given === "string" && typeof known === "string" && given.length === known.length &&
  timingSafeEqual(utf8.encode(given), utf8.encode(known))

/**
 * Gives the bytes that the hash of a record covers, a zero byte and its text, in a buffer that the
 * next call uses again. For records that fit their schema.
 */
export const makeEncoder = (): (sequence: number, entry: CustodyRecord) => Uint8Array => {
  const row = new RowBuffer()
  const text = new EntryText()
  const log = new AuditLog(1)
  const previous = new DigestBuffer()
  return (sequence, entry) => {
    const facts = factsOf(entry)
    row.write(facts)
    previous.read(entry.previousHash, 0)
    const bytes = text.write(row, 0, sequence, previous.bytes, 0, log.destination(destinationOf(facts)))
    if (bytes === null) throw new RangeError("the record does not fit its schema")
    return bytes
  }
}

const decodeRecord = Schema.decodeUnknownResult(AuditRecord, { onExcessProperty: "error" })

/** Whether the value is an object as JSON has them: it inherits nothing but what all objects do. */
const isPlain = (value: unknown): value is object => {
  if (typeof value !== "object" || value === null) return false
  const prototype: unknown = Reflect.getPrototypeOf(value)
  return prototype === null || (typeof prototype === "object" && Reflect.getPrototypeOf(prototype) === null)
}

/**
 * Whether `given` has each field of `read` as a value of its own, and no others, seen or unseen: a
 * field that is hidden, inherited or computed could show somebody else another record.
 */
const hasItsFields = (given: unknown, read: object): boolean => {
  if (!isPlain(given)) return false
  const fields = Object.keys(read)
  return Reflect.ownKeys(given).length === fields.length && fields.every((field) => {
    const property = Reflect.getOwnPropertyDescriptor(given, field)
    return property !== undefined && property.enumerable === true && "value" in property
  })
}

/**
 * A copy of the value where it is a record exactly, or null: of others the encoding might miss a
 * field, or be another record's as well. Never throws.
 */
const readRecord = (value: AuditRecord): AuditRecord | null => {
  try {
    const { entry } = value
    const read = decodeRecord(value)
    if (Result.isFailure(read)) return null
    return hasItsFields(value, read.success) && hasItsFields(entry, read.success.entry) ? read.success : null
  } catch {
    return null
  }
}

/** Each value as it was read, and null in place of what cannot be read or iterated over. */
function* readRecords(records: Iterable<AuditRecord>): Generator<AuditRecord | null> {
  try {
    for (const record of records) yield readRecord(record)
  } catch {
    yield null
  }
}

/**
 * Verifies a run of records that begins after `anchor` at `from`, whatever their origin. It finds
 * an edit, a deletion, an insertion and a reordering; a field too many or of another type is an
 * edit. A tail that was cut off shows when `head` is not the one you know. Whatever stands in place
 * of the records, it does not throw.
 *
 * O(records), one hash and one decode each, on the caller's turn: about 0.1 s for a thousand.
 * `verifyRecordsEffect` does the same without holding the event loop up.
 */
export const verifyRecords = (records: Iterable<AuditRecord>, start: RunStart): RunReport =>
  atOnce(verifying(records, start))

/**
 * The same as `verifyRecords`, 32 records at a time, with a turn of the event loop between any two
 * slices. It asks the records' iterator for no more than it is about to look at, and closes it
 * where it is interrupted.
 */
export const verifyRecordsEffect = (records: Iterable<AuditRecord>, start: RunStart): Effect.Effect<RunReport> =>
  inSlices(() => verifying(records, start))

const recordsPerSlice = 32

function* verifying(records: Iterable<AuditRecord>, { anchor, from, hash }: RunStart): Sliced<RunReport> {
  const encode = makeEncoder()
  let head = anchor
  let sequence = from
  for (const record of readRecords(records)) {
    const holds = record !== null && record.sequence === sequence && areSame(hash, record.previousHash, head) &&
      areSame(hash, record.entry.previousHash, head) &&
      areSame(hash, record.hash, hash.sha256Hex(encode(sequence, record.entry)))
    if (!holds) return { valid: false, firstBroken: sequence, checked: sequence - from + 1, head }
    head = record.hash
    sequence += 1
    if ((sequence - from) % recordsPerSlice === 0) yield
  }
  return { valid: true, firstBroken: null, checked: sequence - from, head }
}
