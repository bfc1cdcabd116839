/**
 * Evidence: the facts about a piece of content, and the handle of its one owner (RFC, "Memory
 * Model: Atomic Ownership"; CONFORMANCE E1 to E3, E5).
 *
 * A custodian holds the bytes and keeps the books; all others get a `Handle`. A handle names a slot
 * of its custodian and a generation of that slot, so it goes dead by itself when the evidence
 * leaves, whichever way, and keeps no bytes alive. No property of a handle leads to its custodian:
 * only the custodian can take bytes out.
 *
 * **Gotchas**
 *
 * - `bytes` of a handle is the live buffer. Reading it marks the evidence as exposed, and exposed
 *   evidence is hashed again before it leaves.
 * - The handle of evidence that has left tells the severity that it had when the handle was made.
 */
import * as Effect from "effect/Effect"
import { type Digest, digestBytes, digestHex } from "../../domain/Digest.ts"
import type { EvidenceHandle, EvidenceRecord } from "../../domain/Evidence.ts"
import { EvidenceNotDurable } from "../../domain/EvidenceNotDurable.ts"
import type { EvacuateRecord, NeutralizationRecord } from "../../domain/Records.ts"
import { categoryAt, type CategoryRank, type ThreatCategory } from "../../domain/Scent.ts"
import { type Severity, severityAt, type SeverityRank } from "../../domain/Severity.ts"
import { signatureOf } from "./SignatureText.ts"

/** The facts of a piece of evidence in custody, without its bytes and what its scent said. */
export interface CustodyFacts {
  readonly category: CategoryRank
  readonly severity: SeverityRank
  /** Bytes. */
  readonly size: number
  /** Milliseconds since the epoch. */
  readonly captured: number
  /** SHA-256 of the bytes. */
  readonly hash: Digest
  /** The digest in the signature: the hash, or with a key its HMAC. */
  readonly signed: Digest
}

/**
 * Holds evidence, and records how it leaves. A handle asks about a slot only after `holds` said
 * yes.
 */
export interface Custodian {
  /** Whether the slot still holds what it held at that generation. */
  readonly holds: (slot: number, generation: number) => boolean
  readonly severityOf: (slot: number) => Severity
  readonly scentOf: (slot: number) => EvidenceRecord["scent"]
  readonly isDurable: (slot: number) => boolean
  readonly whenDurable: (slot: number, generation: number) => Effect.Effect<void, EvidenceNotDurable>
  /** The live buffer; marks the evidence as exposed. */
  readonly expose: (slot: number) => ArrayBuffer
  readonly transfer: (slot: number) => ArrayBuffer | null
  readonly neutralize: (slot: number) => NeutralizationRecord | null
  readonly evacuate: (slot: number) => EvacuateRecord | null
}

const hasLeft = new EvidenceNotDurable({ reason: "left", message: "this evidence is no longer in custody" })

/** The slot of evidence that was never held. */
export const NEVER_HELD = -1

/**
 * A handle as JSON: without the bytes, so that a result that is logged or sent never shows them.
 * `scent` is missing once the evidence has left.
 */
export type HandleJson =
  & Omit<EvidenceRecord, "scent">
  & { readonly scent?: EvidenceRecord["scent"]; readonly disposed: boolean }

/** The bits of a severity's rank, below those of a category's. */
const severityBits = 2
const severityMask = (1 << severityBits) - 1

/**
 * The handle that a caller of `intercept` gets. All new evidence makes one, so it is small: it
 * keeps the facts as they came, and makes texts of them when a caller asks.
 */
export class Handle implements EvidenceHandle {
  readonly #custodian: Custodian
  readonly #slot: number
  readonly #generation: number
  readonly #size: number
  readonly #captured: number
  readonly #ranks: number
  /** The signature's digest and, where it is another one, the hash behind it. */
  readonly #digests: string

  constructor(
    custodian: Custodian,
    slot: number,
    generation: number,
    { captured, category, hash, severity, signed, size }: CustodyFacts
  ) {
    this.#custodian = custodian
    this.#slot = slot
    this.#generation = generation
    this.#size = size
    this.#captured = captured
    this.#ranks = (category << severityBits) | severity
    this.#digests = hash === signed ? signed : `${signed}${hash}`
  }

  get bytes(): ArrayBuffer | null {
    return this.disposed ? null : this.#custodian.expose(this.#slot)
  }
  get size(): number {
    return this.#size
  }
  get hash(): string {
    return digestHex(this.#digests.slice(-digestBytes) as Digest)
  }
  get signature(): string {
    return signatureOf(this.#category, digestHex(this.#digests as Digest))
  }
  get captured(): number {
    return this.#captured
  }
  get severity(): Severity {
    return this.disposed
      ? severityAt((this.#ranks & severityMask) as SeverityRank)
      : this.#custodian.severityOf(this.#slot)
  }
  get disposed(): boolean {
    return !this.#custodian.holds(this.#slot, this.#generation)
  }
  get isDurable(): boolean {
    return !this.disposed && this.#custodian.isDurable(this.#slot)
  }
  whenDurable(): Effect.Effect<void, EvidenceNotDurable> {
    return Effect.suspend(() =>
      this.disposed ? Effect.fail(hasLeft) : this.#custodian.whenDurable(this.#slot, this.#generation)
    )
  }
  get #category(): ThreatCategory {
    return categoryAt((this.#ranks >> severityBits) as CategoryRank)
  }
  toJSON(): HandleJson {
    const { captured, disposed, hash, severity, signature, size } = this
    const known = { signature, hash, category: this.#category, severity, size, captured, disposed }
    return disposed ? known : { ...known, scent: this.#custodian.scentOf(this.#slot) }
  }
  transfer(): ArrayBuffer | null {
    return this.disposed ? null : this.#custodian.transfer(this.#slot)
  }
  neutralize(): NeutralizationRecord | null {
    return this.disposed ? null : this.#custodian.neutralize(this.#slot)
  }
  evacuate(): EvacuateRecord | null {
    return this.disposed ? null : this.#custodian.evacuate(this.#slot)
  }
}
