/**
 * A delivery: one piece of evidence on its way to cold storage.
 */
import type * as Tracer from "effect/Tracer"
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
  /**
   * Called once with the end of a delivery that was taken: with the reason why it was lost, a fixed
   * word or an error's class, or with undefined where it was written. Must not throw.
   */
  readonly onEnd?: (lost: string | undefined) => void
}

/** What is known of a delivery on its way, for those who report on it. */
export interface Passage {
  /** Of the evidence. */
  readonly signature: string
  /** Of the evidence's scent. */
  readonly scentId: string
  /** The span that it came from. */
  readonly span: Tracer.AnySpan | undefined
  readonly onEnd: Delivery["onEnd"]
}

/** The passage of a delivery that is told within this span. */
export const passageOf = (
  { onEnd, record: { scent, signature } }: Pick<Delivery, "onEnd" | "record">,
  span: Tracer.AnySpan | undefined
): Passage => ({ signature, scentId: scent.id, span, onEnd })
