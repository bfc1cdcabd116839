/**
 * Evidence in custody: what may be told about it (`EvidenceRecord`) and the handle that owns its
 * bytes (RFC, "Memory Model: Atomic Ownership").
 */
import * as Schema from "effect/Schema"
import type { EvacuateRecord, NeutralizationRecord } from "./Records.ts"
import { maxIdentifierBytes, ThreatCategory } from "./Scent.ts"
import { Severity } from "./Severity.ts"
import { BoundedString } from "./Text.ts"
import { Sha256Hex, Signature } from "./Threat.ts"

/**
 * All that is known of a piece of evidence but its bytes: what an envelope carries and an operator
 * may read.
 */
export const EvidenceRecord = Schema.Struct({
  signature: Signature,
  /** SHA-256 of the bytes. */
  hash: Sha256Hex,
  category: ThreatCategory,
  severity: Severity,
  /** Bytes. */
  size: Schema.Natural,
  /** When custody began, in ms since the epoch by the runtime's own clock. */
  captured: Schema.Finite,
  /** What the scent said of itself: untrusted. */
  scent: Schema.Struct({
    id: BoundedString(maxIdentifierBytes),
    source: BoundedString(maxIdentifierBytes),
    timestamp: Schema.Finite
  })
})
export type EvidenceRecord = typeof EvidenceRecord.Type

/**
 * The one owner of a piece of evidence (CONFORMANCE E1).
 *
 * **Gotchas**
 *
 * - `bytes` is the live buffer, not a copy. Whoever writes to it breaks the evidence, and is found
 *   out: bytes that were handed out are hashed again before they leave custody.
 * - Each of the three ways out works once. After it `disposed` is true, `bytes` is null, and every
 *   view of the buffer that someone kept has length 0.
 */
export interface EvidenceHandle {
  /** The evidence itself, or null when it is no longer held. */
  readonly bytes: ArrayBuffer | null
  /** Bytes. */
  readonly size: number
  /** SHA-256 of the bytes in lowercase hexadecimal. */
  readonly hash: string
  readonly signature: string
  /** Milliseconds since the epoch. */
  readonly captured: number
  readonly severity: Severity
  readonly disposed: boolean
  /**
   * Hands the buffer to the caller, who owns it from then on; null when it is no longer held
   * (CONFORMANCE E3).
   */
  transfer(): ArrayBuffer | null
  /**
   * Snapshot, destroy and audit in one synchronous step; null when it is no longer held
   * (CONFORMANCE E2).
   */
  neutralize(): NeutralizationRecord | null
  /**
   * Sends the evidence to cold storage, then destroys it; null when that could not begin
   * (CONFORMANCE E4).
   */
  evacuate(): EvacuateRecord | null
}

/**
 * A guard for the public union of results: any object that carries a handle's fields and methods.
 */
const isEvidenceHandle = (value: unknown): value is EvidenceHandle =>
  typeof value === "object" && value !== null && "disposed" in value && "signature" in value &&
  "neutralize" in value && "evacuate" in value && "transfer" in value

/** A live handle: it has no encoded form, as a handle cannot leave the process. */
export const EvidenceHandle = Schema.declare(isEvidenceHandle, { expected: "an EvidenceHandle" })
