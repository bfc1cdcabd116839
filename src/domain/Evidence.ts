/**
 * Evidence in custody: its description (`EvidenceRecord`), and the handle that owns its bytes (RFC,
 * "Memory Model: Atomic Ownership").
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { EvidenceNotDurable } from "./EvidenceNotDurable.ts"
import type { EvacuateRecord, NeutralizationRecord } from "./Records.ts"
import { maxIdentifierBytes, ThreatCategory } from "./Scent.ts"
import { Severity } from "./Severity.ts"
import { BoundedString } from "./Text.ts"
import { Sha256Hex, Signature } from "./Threat.ts"

/**
 * The description of a piece of evidence, without its bytes. Envelopes carry it, and operators may
 * read it.
 */
export const EvidenceRecord = Schema.Struct({
  signature: Signature,
  /** SHA-256 of the bytes. */
  hash: Sha256Hex,
  category: ThreatCategory,
  severity: Severity,
  /** Bytes. */
  size: Schema.Natural,
  /** The beginning of custody, in ms since the epoch by the runtime's own clock. */
  captured: Schema.Finite,
  /** Fields of the scent, as it came: untrusted. */
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
 * - `bytes` is the live buffer, not a copy. Writing to it breaks the evidence, and is detected:
 *   bytes that were handed out are hashed again before they leave custody.
 * - `transfer`, `neutralize` and `evacuate` work once, and only one of them. After that `disposed`
 *   is true and `bytes` is null, and any view of the buffer that was kept has length 0.
 */
export interface EvidenceHandle {
  /** The evidence itself, or null if it is no longer held. */
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
   * Whether it is held and on disk: it survives this process, and a loss of power. Never so where
   * custody is in memory alone (CONFORMANCE E9).
   */
  readonly isDurable: boolean
  /**
   * Waits until it is on disk: a millisecond or two. Fails at once where that will not be.
   */
  whenDurable(): Effect.Effect<void, EvidenceNotDurable>
  /**
   * Gives the buffer to the caller, who owns it from then on. Null if it is no longer held
   * (CONFORMANCE E3).
   */
  transfer(): ArrayBuffer | null
  /**
   * Snapshots, destroys and records the evidence in one synchronous step. Null if it is no longer
   * held (CONFORMANCE E2).
   */
  neutralize(): NeutralizationRecord | null
  /**
   * Sends the evidence to cold storage, then destroys it. Null if it is no longer held, or
   * if cold storage refuses it or is not configured: the evidence then stays held (CONFORMANCE E4).
   */
  evacuate(): EvacuateRecord | null
}

/** Accepts any object with a handle's fields and methods: for the public union of results. */
const isEvidenceHandle = (value: unknown): value is EvidenceHandle =>
  typeof value === "object" && value !== null && "disposed" in value && "signature" in value &&
  "neutralize" in value && "evacuate" in value && "transfer" in value

/** The schema of live handles. It cannot encode: a handle cannot leave the process. */
export const EvidenceHandle = Schema.declare(isEvidenceHandle, { expected: "an EvidenceHandle" })
