/**
 * A delivery: one piece of evidence on its way to cold storage.
 */
import type { Codec } from "../../domain/Codec.ts"
import type { EvidenceRecord } from "../../domain/Evidence.ts"

/** A delivery, as its sender gives it to cold storage. */
export interface Delivery {
  /** The custody record's id: the envelope's name, never used twice. */
  readonly id: string
  readonly record: EvidenceRecord
  /** The evidence. Cold storage reads it during the call alone; it stays the sender's. */
  readonly content: Uint8Array
  /**
   * The evidence under `codec`, where the sender has compressed it already. Cold storage owns it
   * from then on, if it takes the delivery.
   */
  readonly compressed: Uint8Array | null
  /** Cold storage's own codec when left out. */
  readonly codec?: Codec
  /** Whether the evidence left by being purged, which its sender reports; false when left out. */
  readonly isPurged?: boolean
}
