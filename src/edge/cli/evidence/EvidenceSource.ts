/**
 * A place that has evidence, as the commands `evidence …` see it: cold storage's directory today.
 * Whoever reads another place joins by giving the same.
 *
 * Everything in it is untrusted: `source` and `scentId` are an attacker's text, and whoever can
 * write to the place can make a file say anything. `open` is what proves.
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { Codec } from "../../../domain/Codec.ts"
import type { EvidenceRecord } from "../../../domain/Evidence.ts"
import type { ThreatCategory } from "../../../domain/Scent.ts"
import type { Severity } from "../../../domain/Severity.ts"

/** One piece of evidence, as its place describes it. */
export interface EvidenceItem {
  /** The name of this piece in its place: an id of letters, digits and hyphens. */
  readonly id: string
  readonly where: "cold"
  /** Whether it is encrypted: null then stands for what only its key's holder can read. */
  readonly isSealed: boolean
  /**
   * The beginning of custody, in ms since the epoch; of what is sealed its end, which is in its id.
   */
  readonly time: number
  readonly signature: string
  readonly category: ThreatCategory
  readonly severity: Severity | null
  /** Bytes of the evidence; null where it is sealed, with its envelope around it. */
  readonly size: number | null
  /** Bytes that it takes in its place. */
  readonly stored: number
  readonly hash: string | null
  readonly source: string | null
  readonly scentId: string | null
  readonly codec: Codec | null
}

/** Some pieces, in no order, and what was found beside them. */
export interface EvidenceBatch {
  readonly items: ReadonlyArray<EvidenceItem>
  /** Files that have the name of an envelope and are none that can be read. */
  readonly unreadable: number
}

/** A piece that was opened, and with it proven to be what its envelope says. */
export interface OpenedEvidence {
  readonly record: EvidenceRecord
  /** In memory of its own, which the caller wipes. */
  readonly content: Uint8Array
}

/**
 * Evidence was not given out:
 *
 * - `not_found`: there is no piece of this id.
 * - `sealed`: it is encrypted, and this command has no keys.
 * - `refused`: it is not what it says it is, or it is too large.
 * - `io`: the place cannot be read.
 */
export class EvidenceUnavailable extends Schema.TaggedError<EvidenceUnavailable>()("EvidenceUnavailable", {
  reason: Schema.Literals(["not_found", "sealed", "refused", "io"]),
  message: Schema.String
}) {}

/** Reads one place. */
export interface EvidenceSource {
  /** All pieces, a bounded number at a time. */
  readonly batches: Stream.Stream<EvidenceBatch, EvidenceUnavailable>
  /** What is said of the piece of this id. */
  readonly find: (id: string) => Effect.Effect<EvidenceItem, EvidenceUnavailable>
  /** The piece itself, checked whole. */
  readonly open: (id: string) => Effect.Effect<OpenedEvidence, EvidenceUnavailable>
}
