/**
 * The records of evidence that leaves custody (RFC, "Memory Model" and "Audit Trail Integrity";
 * CONFORMANCE A1).
 *
 * A union tagged by `status`: each way out of custody has its own record, and the audit chain holds
 * them in order.
 */
import * as Schema from "effect/Schema"
import { maxIdentifierBytes } from "./Scent.ts"
import { Severity } from "./Severity.ts"
import { BoundedString, isWellFormed } from "./Text.ts"
import { Sha256Hex, Signature } from "./Threat.ts"

/** UUIDv7, a hyphen and 8 hexadecimal characters of further randomness (CONFORMANCE D9). */
export const SecureId = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}-[0-9a-f]{8}$/, {
    expected: "a UUIDv7 followed by a hyphen and 8 hexadecimal characters"
  })
)
export type SecureId = typeof SecureId.Type

/** The most bytes of a destination in UTF-8: so an entry of the ledger has room for any. */
export const maxDestinationBytes = 4_096

const Destination = BoundedString(maxDestinationBytes).check(isWellFormed)

const common = {
  id: SecureId,
  signature: Signature,
  /** SHA-256 of the evidence's bytes, not of the record. */
  hash: Sha256Hex,
  /** Bytes of the evidence. */
  size: Schema.Natural,
  /** Milliseconds since the epoch. */
  timestamp: Schema.Finite,
  /** The hash of the chain's last record before this one. */
  previousHash: Sha256Hex
}

/** Destroyed on request (RFC, "Atomic Neutralize"). */
export const NeutralizationRecord = Schema.Struct({ ...common, status: Schema.Literal("neutralized") })
export type NeutralizationRecord = typeof NeutralizationRecord.Type

/** Sent to cold storage on request, then destroyed (CONFORMANCE E4). */
export const EvacuateRecord = Schema.Struct({
  ...common,
  status: Schema.Literal("evacuated"),
  /** Bytes of the envelope's compressed body. */
  compressedSize: Schema.Natural,
  /** The cold storage endpoint that it was sent to. */
  destination: Destination
})
export type EvacuateRecord = typeof EvacuateRecord.Type

/** Given to a caller, who owns the bytes now (CONFORMANCE E3). */
export const TransferRecord = Schema.Struct({ ...common, status: Schema.Literal("transferred") })
export type TransferRecord = typeof TransferRecord.Type

/** Evicted for lack of room (CONFORMANCE Q2, Q3). */
export const EvictionRecord = Schema.Struct({
  ...common,
  status: Schema.Literal("evicted"),
  severity: Severity,
  reason: Schema.Literal("capacity"),
  /**
   * The cold storage endpoint that took it, or null if it was lost: none is configured, or it
   * refused.
   */
  destination: Schema.NullOr(Destination)
})
export type EvictionRecord = typeof EvictionRecord.Type

/** Why a hound was purged (RFC, "Purge + Replace Model"). */
export const PurgeReason = Schema.Literals(["timeout", "error", "abort", "panic"])
export type PurgeReason = typeof PurgeReason.Type

/**
 * Removed together with the hound that was examining it (CONFORMANCE A1). This is the evidence's
 * record in the chain; the hound's record is a PurgeRecord.
 */
export const PurgedRecord = Schema.Struct({
  ...common,
  status: Schema.Literal("purged"),
  severity: Severity,
  reason: PurgeReason,
  /**
   * The cold storage endpoint that took it, or null if it was lost: none is configured, or it
   * refused.
   */
  destination: Schema.NullOr(Destination)
})
export type PurgedRecord = typeof PurgedRecord.Type

/** A record as the audit chain holds it. */
export const CustodyRecord = Schema.Union([
  NeutralizationRecord,
  EvacuateRecord,
  TransferRecord,
  EvictionRecord,
  PurgedRecord
])
export type CustodyRecord = typeof CustodyRecord.Type

/**
 * An entry of the audit chain. `hash` covers the sequence, the previous hash and every field of the
 * entry (CONFORMANCE A2).
 */
export const AuditRecord = Schema.Struct({
  /** Counts from 0. */
  sequence: Schema.Natural,
  previousHash: Sha256Hex,
  hash: Sha256Hex,
  entry: CustodyRecord
})
export type AuditRecord = typeof AuditRecord.Type

/** The record of a purged hound, and of the evidence that it was examining, without the payload. */
export const PurgeRecord = Schema.Struct({
  id: SecureId,
  reason: PurgeReason,
  scent: Schema.Struct({
    id: BoundedString(maxIdentifierBytes),
    source: BoundedString(maxIdentifierBytes),
    timestamp: Schema.Finite,
    payloadHash: Sha256Hex,
    payloadSize: Schema.Natural
  }),
  /** Milliseconds since the epoch. The RFC spells it with a capital. */
  PurgeTimestamp: Schema.Finite
})
export type PurgeRecord = typeof PurgeRecord.Type
