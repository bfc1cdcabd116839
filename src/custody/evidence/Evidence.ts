/**
 * Evidence: what is known of a piece of content, and the handle of its one owner (RFC, "Memory
 * Model: Atomic Ownership"; CONFORMANCE E1 to E3, E5).
 *
 * Two sides: a custodian holds the bytes and keeps the books, a `Handle` is what everybody else
 * gets. A handle names a slot of its custodian and the generation of what was in it, so that it
 * goes dead by itself when the evidence leaves, however it leaves, and holds no bytes alive. From a
 * handle no property leads to its custodian: only the custodian can take bytes out.
 *
 * **Gotchas**
 *
 * - `bytes` of a handle is the live buffer. Whoever reads it is known to have it, and evidence that
 *   somebody has is hashed again before it leaves.
 * - A handle of evidence that left tells the severity that it had when the handle was made.
 */
import type { Digest } from "../../domain/Digest.ts"
import type { EvidenceHandle, EvidenceRecord } from "../../domain/Evidence.ts"
import type { EvacuateRecord, NeutralizationRecord } from "../../domain/Records.ts"
import type { ThreatCategory } from "../../domain/Scent.ts"
import type { Severity } from "../../domain/Severity.ts"

/** What is known of a piece of evidence, but its bytes and where they came from. */
export interface EvidenceFacts {
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
 * The room that holds evidence, and writes down how it leaves. A slot is only ever asked for while
 * it holds.
 */
export interface Custodian {
  /** Whether the slot still holds what it held at that generation. */
  readonly holds: (slot: number, generation: number) => boolean
  readonly severityOf: (slot: number) => Severity
  readonly scentOf: (slot: number) => EvidenceRecord["scent"]
  /** The live buffer: from now on somebody has it. */
  readonly expose: (slot: number) => ArrayBuffer
  readonly transfer: (slot: number) => ArrayBuffer | null
  readonly neutralize: (slot: number) => NeutralizationRecord | null
  readonly evacuate: (slot: number) => EvacuateRecord | null
}

/** No slot: for evidence that was never held. */
export const NEVER_HELD = -1

/**
 * What a handle shows of itself as JSON: a result that is logged or sent never shows the bytes.
 * What the scent said of itself leaves with the evidence.
 */
export type HandleJson =
  & Omit<EvidenceRecord, "scent">
  & { readonly scent?: EvidenceRecord["scent"]; readonly disposed: boolean }

/** The signature of content of this category. */
export const signatureOf = (category: ThreatCategory, signed: Digest): string => `${category}:${signed.hex()}`

/** What a caller of `intercept` holds. */
export class Handle implements EvidenceHandle {
  readonly #custodian: Custodian
  readonly #slot: number
  readonly #generation: number
  readonly #facts: EvidenceFacts

  constructor(custodian: Custodian, slot: number, generation: number, facts: EvidenceFacts) {
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

/**
 * Overwrites a buffer and gives its memory back: nothing of it is left to read, whoever holds a
 * view.
 */
export const wipe = (bytes: ArrayBuffer): void => {
  if (bytes.detached) return
  new Uint8Array(bytes).fill(0)
  bytes.transfer(0)
}
