/**
 * A custody record as memory keeps it: 112 bytes. Its text is made from them when it is hashed or
 * read (EntryText.ts), so this format is nobody's but the chain's. Numbers are big-endian:
 *
 * | at | bytes | field |
 * | --- | --- | --- |
 * | 0 | 1 | status: 1 neutralized, 2 evacuated, 3 transferred, 4 evicted, 5 purged |
 * | 1 | 1 | category: 1 injection, 2 ddos, 3 flood, 4 spam, 5 malware, 6 unknown |
 * | 2 | 1 | severity: 0 not in this record, 1 low, 2 medium, 3 high, 4 critical |
 * | 3 | 1 | reason of a purge: 0 not in this record, 1 timeout, 2 error, 3 abort, 4 panic |
 * | 4 | 8 | time, binary64 |
 * | 12 | 8 | size |
 * | 20 | 8 | compressed size, 0 where there is none |
 * | 28 | 32 | SHA-256 of the evidence |
 * | 60 | 32 | the digest in the signature |
 * | 92 | 20 | id: the UUID's 16 bytes, then the suffix's 4 |
 *
 * What the place of a row says is not in it: its sequence, and the hash before it. Destinations are
 * kept beside the rows (AuditLog.ts).
 *
 * **Gotchas**
 *
 * - A reason of an eviction is not kept: `capacity` is the only one, and status 4 implies it.
 */
import { digestBytes, hexOf } from "../../domain/Digest.ts"
import type { CustodyRecord, PurgeReason } from "../../domain/Records.ts"
import { threatCategories } from "../../domain/Scent.ts"
import { secureIdBytes, secureIdText } from "../../domain/SecureIdText.ts"
import { severities } from "../../domain/Severity.ts"
import type { AuditFacts, Status } from "./AuditFacts.ts"

/** Bytes of a row, and the same in 32-bit words. */
export const rowBytes = 112
export const rowWords = rowBytes / 4

/** Offsets of the fields. All begin at a whole word but the four of one byte each. */
export const field = {
  status: 0,
  category: 1,
  severity: 2,
  reason: 3,
  time: 4,
  size: 12,
  compressedSize: 20,
  hash: 28,
  digest: 60,
  id: 92
} as const

/** By their numbers in a row less one. */
export const statuses: ReadonlyArray<Status> = ["neutralized", "evacuated", "transferred", "evicted", "purged"]
export const purgeReasons: ReadonlyArray<PurgeReason> = ["timeout", "error", "abort", "panic"]

/** Rows one behind the other, as bytes and as words of the same memory. */
export interface Rows {
  readonly rows: Uint8Array<ArrayBuffer>
  readonly view: DataView<ArrayBuffer>
  readonly words: Int32Array<ArrayBuffer>
}

const setU64 = (view: DataView, at: number, value: number): void => {
  view.setUint32(at, Math.floor(value / 0x1_0000_0000))
  view.setUint32(at + 4, value >>> 0)
}

/** The whole number of 8 bytes. Not exact past 2^53. */
export const getU64 = (view: DataView, at: number): number =>
  view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4)

/** Exactly `count` bytes, whatever the source has: a field never runs into the next one. */
const copy = (source: Uint8Array, target: Uint8Array, at: number, count: number): void => {
  for (let i = 0; i < count; i++) target[at + i] = source[i] ?? 0
}

/** Memory for one row at a time. */
export class RowBuffer implements Rows {
  readonly rows: Uint8Array<ArrayBuffer> = new Uint8Array(rowBytes)
  readonly words: Int32Array<ArrayBuffer> = new Int32Array(this.rows.buffer)
  readonly view: DataView<ArrayBuffer> = new DataView(this.rows.buffer)

  /** Writes every byte of the row. Allocates nothing. */
  write(facts: AuditFacts): void {
    const { rows, view } = this
    const { status, timestamp } = facts
    const isPurged = status === "purged"
    rows[field.status] = statuses.indexOf(status) + 1
    rows[field.category] = threatCategories.indexOf(facts.category) + 1
    rows[field.severity] = isPurged || status === "evicted" ? severities.indexOf(facts.severity) + 1 : 0
    rows[field.reason] = isPurged ? purgeReasons.indexOf(facts.purgeReason ?? "error") + 1 : 0
    // What JSON cannot say is 0: negative zero, and what is not finite.
    view.setFloat64(field.time, Number.isFinite(timestamp) ? timestamp + 0 : 0)
    setU64(view, field.size, facts.size)
    setU64(view, field.compressedSize, status === "evacuated" ? facts.compressedSize ?? 0 : 0)
    copy(facts.hash, rows, field.hash, digestBytes)
    copy(facts.digest, rows, field.digest, digestBytes)
    copy(facts.id, rows, field.id, secureIdBytes)
  }
}

/**
 * Whether the row at `at` is one that `RowBuffer` could have written: bytes that its text does not
 * have are 0, and it has a destination where its status demands one, and none where it has none.
 */
export const isSoundRow = ({ rows, view }: Rows, at: number, hasDestination: boolean): boolean => {
  const status = statuses[view.getUint8(at + field.status) - 1]
  const severity = view.getUint8(at + field.severity)
  const reason = view.getUint8(at + field.reason)
  const hasSeverity = status === "evicted" || status === "purged"
  return status !== undefined && threatCategories[(rows[at + field.category] ?? 0) - 1] !== undefined &&
    (hasSeverity ? severities[severity - 1] !== undefined : severity === 0) &&
    (status === "purged" ? purgeReasons[reason - 1] !== undefined : reason === 0) &&
    (status === "evacuated" ? hasDestination : getU64(view, at + field.compressedSize) === 0) &&
    (hasSeverity || status === "evacuated" || !hasDestination)
}

/**
 * The record in the row at `at`, frozen, behind the hash of the record before. `destination` is put
 * in where the record has one.
 */
export const readRow = (
  { rows, view }: Rows,
  at: number,
  previousHash: string,
  destination: string | null
): CustodyRecord => {
  const category = threatCategories[view.getUint8(at + field.category) - 1] ?? "unknown"
  const common = {
    id: secureIdText(rows.subarray(at + field.id)),
    signature: `${category}:${hexOf(rows, at + field.digest)}`,
    hash: hexOf(rows, at + field.hash),
    size: getU64(view, at + field.size),
    timestamp: view.getFloat64(at + field.time),
    previousHash
  }
  const severity = severities[view.getUint8(at + field.severity) - 1] ?? "low"
  switch (statuses[view.getUint8(at + field.status) - 1]) {
    case "evacuated": {
      const compressedSize = getU64(view, at + field.compressedSize)
      return Object.freeze({ ...common, status: "evacuated", compressedSize, destination: destination ?? "" })
    }
    case "evicted":
      return Object.freeze({ ...common, status: "evicted", severity, reason: "capacity", destination })
    case "purged": {
      const reason = purgeReasons[view.getUint8(at + field.reason) - 1] ?? "error"
      return Object.freeze({ ...common, status: "purged", severity, reason, destination })
    }
    case "transferred":
      return Object.freeze({ ...common, status: "transferred" })
    default:
      return Object.freeze({ ...common, status: "neutralized" })
  }
}
