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
import type { Digest } from "../../domain/Digest.ts"
import type { EvidenceHandle, EvidenceRecord } from "../../domain/Evidence.ts"
import type { EvacuateRecord, NeutralizationRecord } from "../../domain/Records.ts"
import type { ThreatCategory } from "../../domain/Scent.ts"
import type { Severity } from "../../domain/Severity.ts"
import { signatureOf } from "./SignatureText.ts"

/** The facts of a piece of evidence in custody, without its bytes and what its scent said. */
export interface CustodyFacts {
  readonly category: ThreatCategory
  readonly severity: Severity
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
  /** The live buffer; marks the evidence as exposed. */
  readonly expose: (slot: number) => ArrayBuffer
  readonly transfer: (slot: number) => ArrayBuffer | null
  readonly neutralize: (slot: number) => NeutralizationRecord | null
  readonly evacuate: (slot: number) => EvacuateRecord | null
}

/** The slot of evidence that was never held. */
export const NEVER_HELD = -1

/**
 * A handle as JSON: without the bytes, so that a result that is logged or sent never shows them.
 * `scent` is missing once the evidence has left.
 */
export type HandleJson =
  & Omit<EvidenceRecord, "scent">
  & { readonly scent?: EvidenceRecord["scent"]; readonly disposed: boolean }

/** The handle that a caller of `intercept` gets. */
export class Handle implements EvidenceHandle {
  readonly #custodian: Custodian
  readonly #slot: number
  readonly #generation: number
  readonly #facts: CustodyFacts

  constructor(custodian: Custodian, slot: number, generation: number, facts: CustodyFacts) {
    this.#custodian = custodian
    this.#slot = slot
    this.#generation = generation
    this.#facts = facts
  }

  get bytes(): ArrayBuffer | null {
    return this.disposed ? null : this.#custodian.expose(this.#slot)
  }
  get size(): number {
    return this.#facts.size
  }
  get hash(): string {
    return this.#facts.hash.hex()
  }
  get signature(): string {
    return signatureOf(this.#facts.category, this.#facts.signed)
  }
  get captured(): number {
    return this.#facts.captured
  }
  get severity(): Severity {
    return this.disposed ? this.#facts.severity : this.#custodian.severityOf(this.#slot)
  }
  get disposed(): boolean {
    return !this.#custodian.holds(this.#slot, this.#generation)
  }
  toJSON(): HandleJson {
    const { captured, disposed, hash, severity, signature, size } = this
    const known = { signature, hash, category: this.#facts.category, severity, size, captured, disposed }
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
