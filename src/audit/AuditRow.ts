/**
 * An audit record as bytes: what its hash covers (AUDIT.md; CONFORMANCE A2). Version 2, all numbers big-endian:
 *
 * | at | bytes | field |
 * | --- | --- | --- |
 * | 0 | 4 | `THA2` |
 * | 4 | 32 | previous hash |
 * | 36 | 8 | sequence |
 * | 44 | 1 | status: 1 neutralized, 2 evacuated, 3 transferred, 4 evicted; 5 is kept for purged |
 * | 45 | 1 | category: 1 injection, 2 ddos, 3 flood, 4 spam, 5 malware, 6 unknown |
 * | 46 | 1 | severity: 0 not in this record, 1 low, 2 medium, 3 high, 4 critical |
 * | 47 | 1 | 1: there is a compressed size; 2: there is a destination |
 * | 48 | 8 | timestamp, binary64 |
 * | 56 | 8 | size |
 * | 64 | 8 | compressed size, 0 where there is none |
 * | 72 | 32 | SHA-256 of the evidence |
 * | 104 | 32 | the digest in the signature |
 * | 136 | 20 | id: the UUID's 16 bytes, then the suffix's 4 |
 * | 156 | 4 | N: bytes of the destination, 0 where there is none |
 * | 160 | N | destination, UTF-8 |
 *
 * Every field has a fixed place but the last, which says its length, so two records with the same bytes are the same record.
 *
 * **Gotchas**
 *
 * - `reason` is not written: `capacity` is the only one, and status 4 implies it.
 * - That holds of records that fit their schema: of those that the chain did not make, it checks that.
 */
import type { CustodyRecord } from "../domain/Records.ts"
import { threatCategories, type ThreatCategory } from "../domain/Scent.ts"
import { severities, type Severity } from "../domain/Severity.ts"
import { DigestBuffer, hexOf } from "../evidence/Digest.ts"
import { secureIdFrom, secureIdText } from "../evidence/SecureIds.ts"

/** Bytes of a row without its destination. */
export const rowBytes = 160

/** Where the fields are. */
export const field = {
  previousHash: 4,
  sequence: 36,
  status: 44,
  category: 45,
  severity: 46,
  flags: 47,
  timestamp: 48,
  size: 56,
  compressedSize: 64,
  hash: 72,
  digest: 104,
  id: 136,
  destinationBytes: 156
} as const

const magic = 0x5448_4132
const hasCompressedSize = 1
const hasDestination = 2
const statuses: ReadonlyArray<CustodyRecord["status"]> = ["neutralized", "evacuated", "transferred", "evicted"]

/** What is written down about evidence on its way out. Read at once: nothing of it is kept. */
export interface AuditFacts {
  readonly status: CustodyRecord["status"]
  readonly severity: Severity
  readonly category: ThreatCategory
  /** Bytes. */
  readonly size: number
  /** Bytes of the pressed form; for `evacuated`. */
  readonly compressedSize: number | null
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  /** 20 bytes: a secure id in binary. */
  readonly id: Uint8Array
  /** 32 bytes: the SHA-256 of the evidence. */
  readonly hash: Uint8Array
  /** 32 bytes: the digest in the signature. The hash, unless signatures have a key. */
  readonly digest: Uint8Array
  /** For `evacuated` and `evicted`. */
  readonly destination: string | null
}

/** Whether records of this status say where the evidence went. */
const tellsDestination = (status: CustodyRecord["status"]): boolean => status === "evacuated" || status === "evicted"

/** The destination that a record of these facts has. */
export const destinationOf = ({ destination, status }: AuditFacts): string | null =>
  tellsDestination(status) ? destination : null

/** A row with its destination behind it: a buffer that is used again. */
export class LongRow {
  private bytes = new Uint8Array(2 * rowBytes)

  /** Valid until the next call. O(length of the destination). */
  join(row: Uint8Array, destination: Uint8Array): Uint8Array {
    const length = rowBytes + destination.length
    if (this.bytes.length < length) this.bytes = new Uint8Array(2 * length)
    this.bytes.set(row)
    this.bytes.set(destination, rowBytes)
    return this.bytes.subarray(0, length)
  }
}

const setU64 = (view: DataView, at: number, value: number): void => {
  view.setUint32(at, Math.floor(value / 0x1_0000_0000))
  view.setUint32(at + 4, value >>> 0)
}

const getU64 = (view: DataView, at: number): number => view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4)

/** Writes the row at `at`, but its previous hash and its destination, which takes `destinationBytes`. */
export const writeRow = (
  bytes: Uint8Array,
  view: DataView,
  at: number,
  sequence: number,
  facts: AuditFacts,
  destinationBytes: number
): void => {
  const { status } = facts
  const compressedSize = status === "evacuated" ? facts.compressedSize : null
  view.setUint32(at, magic)
  setU64(view, at + field.sequence, sequence)
  view.setUint8(at + field.status, statuses.indexOf(status) + 1)
  view.setUint8(at + field.category, threatCategories.indexOf(facts.category) + 1)
  view.setUint8(at + field.severity, status === "evicted" ? severities.indexOf(facts.severity) + 1 : 0)
  view.setUint8(
    at + field.flags,
    (compressedSize === null ? 0 : hasCompressedSize) | (destinationOf(facts) === null ? 0 : hasDestination)
  )
  view.setFloat64(at + field.timestamp, facts.timestamp)
  setU64(view, at + field.size, facts.size)
  setU64(view, at + field.compressedSize, compressedSize ?? 0)
  bytes.set(facts.hash, at + field.hash)
  bytes.set(facts.digest, at + field.digest)
  bytes.set(facts.id, at + field.id)
  view.setUint32(at + field.destinationBytes, destinationBytes)
}

/** The record in the row at `at`, frozen. */
export const readRow = (bytes: Uint8Array, view: DataView, at: number, destination: string | null): CustodyRecord => {
  const category = threatCategories[view.getUint8(at + field.category) - 1] ?? "unknown"
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
      return Object.freeze({ ...common, status: "evacuated", compressedSize, destination: destination ?? "" })
    }
    case "evicted": {
      const severity = severities[view.getUint8(at + field.severity) - 1] ?? "low"
      return Object.freeze({ ...common, status: "evicted", severity, reason: "capacity", destination })
    }
    case "transferred":
      return Object.freeze({ ...common, status: "transferred" })
    default:
      return Object.freeze({ ...common, status: "neutralized" })
  }
}

/** What a record says, as the chain was told it. For records that fit their schema. */
export const factsOf = (entry: CustodyRecord): AuditFacts => {
  const hash = new DigestBuffer()
  hash.read(entry.hash, 0)
  const digest = new DigestBuffer()
  const colon = entry.signature.indexOf(":")
  digest.read(entry.signature, colon + 1)
  return {
    status: entry.status,
    severity: entry.status === "evicted" ? entry.severity : "low",
    category: threatCategories.find((name) => name === entry.signature.slice(0, colon)) ?? "unknown",
    size: entry.size,
    compressedSize: entry.status === "evacuated" ? entry.compressedSize : null,
    timestamp: entry.timestamp,
    id: secureIdFrom(entry.id),
    hash: hash.bytes,
    digest: digest.bytes,
    destination: "destination" in entry ? entry.destination : null
  }
}
