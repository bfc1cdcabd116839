/**
 * An audit record as the bytes that its hash covers (spec/audit.md; CONFORMANCE A2). Version 3, all
 * numbers big-endian:
 *
 * | at | bytes | field |
 * | --- | --- | --- |
 * | 0 | 4 | `THA3` |
 * | 4 | 32 | previous hash |
 * | 36 | 8 | sequence |
 * | 44 | 1 | status: 1 neutralized, 2 evacuated, 3 transferred, 4 evicted, 5 purged |
 * | 45 | 1 | category: 1 injection, 2 ddos, 3 flood, 4 spam, 5 malware, 6 unknown |
 * | 46 | 1 | severity: 0 not in this record, 1 low, 2 medium, 3 high, 4 critical |
 * | 47 | 1 | present: 1 a compressed size, 2 a destination, 3 both; and 16 times the reason of a purge |
 * | 48 | 8 | timestamp, binary64 |
 * | 56 | 8 | size |
 * | 64 | 8 | compressed size, 0 where there is none |
 * | 72 | 32 | SHA-256 of the evidence |
 * | 104 | 32 | the digest in the signature |
 * | 136 | 20 | id: the UUID's 16 bytes, then the suffix's 4 |
 * | 156 | 4 | N: bytes of the destination, 0 where there is none |
 * | 160 | N | destination, UTF-8 |
 *
 * The reason of a purge is the upper half of its byte: 0 not in this record, 1 timeout, 2 error, 3
 * abort, 4 panic.
 *
 * Every field has a fixed place but the last, whose length is given, so two records with the same
 * bytes are the same record.
 *
 * **Gotchas**
 *
 * - The reason of an eviction is not written: `capacity` is the only one, and status 4 implies it.
 * - Two records with the same bytes are the same only if both fit their schema. `verifyRecords`
 *   checks that, as the chain did not make its records.
 */
import { type DigestBuffer, digestBytes, digestWords, hexOf } from "../../domain/Digest.ts"
import type { CustodyRecord, PurgeReason } from "../../domain/Records.ts"
import { threatCategories } from "../../domain/Scent.ts"
import { secureIdBytes, secureIdText } from "../../domain/SecureIdText.ts"
import { severities } from "../../domain/Severity.ts"
import { type AuditFacts, destinationOf, type Status } from "./AuditFacts.ts"

/** Bytes of a row without its destination, and the same in 32-bit words. */
export const rowBytes = 160
export const rowWords = rowBytes / 4

/** Offsets of the fields. All begin at a whole word but the four of one byte each. */
const field = {
  previousHash: 4,
  sequence: 36,
  status: 44,
  category: 45,
  severity: 46,
  present: 47,
  timestamp: 48,
  size: 56,
  compressedSize: 64,
  hash: 72,
  digest: 104,
  id: 136,
  destinationBytes: 156
} as const

/** The word of a row at which its previous hash begins. */
export const previousHashWord = field.previousHash / 4

const magic = 0x5448_4133
const hasCompressedSize = 1
const hasDestination = 2
/** The bits of the byte `present` below the reason of a purge. */
const reasonShift = 4
const statuses: ReadonlyArray<Status> = ["neutralized", "evacuated", "transferred", "evicted", "purged"]
const purgeReasons: ReadonlyArray<PurgeReason> = ["timeout", "error", "abort", "panic"]

const setU64 = (view: DataView, at: number, value: number): void => {
  view.setUint32(at, Math.floor(value / 0x1_0000_0000))
  view.setUint32(at + 4, value >>> 0)
}

const getU64 = (view: DataView, at: number): number => view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4)

/** Exactly `count` bytes, whatever the source has: a field never runs into the next one. */
const copy = (source: Uint8Array, target: Uint8Array, at: number, count: number): void => {
  for (let i = 0; i < count; i++) target[at + i] = source[i] ?? 0
}

/** The sequence in the row at `at`. */
export const sequenceAt = (view: DataView, at: number): number => getU64(view, at + field.sequence)

/** A buffer for one row at a time, and for its destination behind it. */
export class RowBuffer {
  private long = new Uint8Array(rowBytes)
  /** The row. Where there is no destination, it is all that is hashed. */
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(rowBytes)
  readonly words: Int32Array<ArrayBuffer> = new Int32Array(this.bytes.buffer)
  readonly view: DataView<ArrayBuffer> = new DataView(this.bytes.buffer)

  /** Writes every byte of the row. Allocates nothing. */
  write(sequence: number, previous: DigestBuffer, facts: AuditFacts, destinationBytes: number): void {
    const { bytes, view, words } = this
    const { status } = facts
    const isEvacuated = status === "evacuated"
    const isPurged = status === "purged"
    view.setUint32(0, magic)
    for (let i = 0; i < digestWords; i++) words[previousHashWord + i] = previous.words[i] ?? 0
    setU64(view, field.sequence, sequence)
    bytes[field.status] = statuses.indexOf(status) + 1
    bytes[field.category] = threatCategories.indexOf(facts.category) + 1
    bytes[field.severity] = isPurged || status === "evicted" ? severities.indexOf(facts.severity) + 1 : 0
    const reason = isPurged ? purgeReasons.indexOf(facts.purgeReason ?? "error") + 1 : 0
    bytes[field.present] = (isEvacuated ? hasCompressedSize : 0) |
      (destinationOf(facts) === null ? 0 : hasDestination) | (reason << reasonShift)
    view.setFloat64(field.timestamp, facts.timestamp)
    setU64(view, field.size, facts.size)
    setU64(view, field.compressedSize, isEvacuated ? facts.compressedSize ?? 0 : 0)
    copy(facts.hash, bytes, field.hash, digestBytes)
    copy(facts.digest, bytes, field.digest, digestBytes)
    copy(facts.id, bytes, field.id, secureIdBytes)
    view.setUint32(field.destinationBytes, destinationBytes)
  }

  /**
   * The bytes to hash: the row and its destination. Valid until the next call. O(length of the
   * destination).
   */
  with(destination: Uint8Array): Uint8Array {
    if (destination.length === 0) return this.bytes
    const length = rowBytes + destination.length
    if (this.long.length !== length) this.long = new Uint8Array(length)
    this.long.set(this.bytes)
    this.long.set(destination, rowBytes)
    return this.long
  }
}

/** The record in the row at `at`, frozen; `destination` is put in where the row has one. */
export const readRow = (bytes: Uint8Array, view: DataView, at: number, destination: string): CustodyRecord => {
  const category = threatCategories[view.getUint8(at + field.category) - 1] ?? "unknown"
  const present = view.getUint8(at + field.present)
  const common = {
    id: secureIdText(bytes.subarray(at + field.id)),
    signature: `${category}:${hexOf(bytes, at + field.digest)}`,
    hash: hexOf(bytes, at + field.hash),
    size: getU64(view, at + field.size),
    timestamp: view.getFloat64(at + field.timestamp),
    previousHash: hexOf(bytes, at + field.previousHash)
  }
  switch (statuses[view.getUint8(at + field.status) - 1]) {
    case "evacuated": {
      const compressedSize = getU64(view, at + field.compressedSize)
      return Object.freeze({ ...common, status: "evacuated", compressedSize, destination })
    }
    case "evicted":
      return Object.freeze({
        ...common,
        status: "evicted",
        severity: severities[view.getUint8(at + field.severity) - 1] ?? "low",
        reason: "capacity",
        destination: (present & hasDestination) === 0 ? null : destination
      })
    case "purged":
      return Object.freeze({
        ...common,
        status: "purged",
        severity: severities[view.getUint8(at + field.severity) - 1] ?? "low",
        reason: purgeReasons[(present >> reasonShift) - 1] ?? "error",
        destination: (present & hasDestination) === 0 ? null : destination
      })
    case "transferred":
      return Object.freeze({ ...common, status: "transferred" })
    default:
      return Object.freeze({ ...common, status: "neutralized" })
  }
}
