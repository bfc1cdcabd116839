/**
 * The facts that a room tells the audit chain about evidence on its way out.
 *
 * They are numbers and binary digests, as the rooms hold them; the chain makes the texts of a
 * record when a caller reads it.
 */
import { DigestBuffer } from "../../domain/Digest.ts"
import type { CustodyRecord, PurgeReason } from "../../domain/Records.ts"
import { categoryAt, type ThreatCategory } from "../../domain/Scent.ts"
import { secureIdFrom } from "../../domain/SecureIdText.ts"
import type { Severity } from "../../domain/Severity.ts"
import { parseSignature } from "../evidence/SignatureText.ts"

export type Status = CustodyRecord["status"]

/** One way out. The chain reads the facts during the call, and keeps none of the buffers. */
export interface AuditFacts {
  readonly status: Status
  /** Written for `evicted` and `purged`, as only those records have it. */
  readonly severity: Severity
  /** Written for `purged` alone, where null counts as `error`. */
  readonly purgeReason: PurgeReason | null
  readonly category: ThreatCategory
  /** Bytes. */
  readonly size: number
  /** Bytes of the compressed form. Written for `evacuated` alone, where null counts as 0. */
  readonly compressedSize: number | null
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  /** A secure id in binary: its first 20 bytes. */
  readonly id: Uint8Array
  /** The SHA-256 of the evidence: its first 32 bytes. */
  readonly hash: Uint8Array
  /** The digest in the signature: its first 32 bytes. The hash, unless signatures have a key. */
  readonly digest: Uint8Array
  /**
   * Written for `evicted` and `purged`, and for `evacuated`, where null counts as the empty text.
   */
  readonly destination: string | null
  /** Its key in the journal, where that has the evidence: what keeps the records is told of it. */
  readonly piece?: number | undefined
}

/** The destination that the record of these facts has. */
export const destinationOf = ({ destination, status }: AuditFacts): string | null =>
  status === "evacuated" ? destination ?? "" : status === "evicted" || status === "purged" ? destination : null

/** The facts that give this record. For records that fit their schema. */
export const factsOf = (entry: CustodyRecord): AuditFacts => {
  const hash = new DigestBuffer()
  hash.read(entry.hash, 0)
  const digest = new DigestBuffer()
  const category = parseSignature(entry.signature, digest)
  return {
    status: entry.status,
    severity: "severity" in entry ? entry.severity : "low",
    purgeReason: entry.status === "purged" ? entry.reason : null,
    category: category === null ? "unknown" : categoryAt(category),
    size: entry.size,
    compressedSize: entry.status === "evacuated" ? entry.compressedSize : null,
    timestamp: entry.timestamp,
    id: secureIdFrom(entry.id),
    hash: hash.bytes,
    digest: digest.bytes,
    destination: "destination" in entry ? entry.destination : null
  }
}
