/**
 * Evidence: the one owner of a piece of content (RFC, "Memory Model: Atomic Ownership"; CONFORMANCE E1 to E3, E5).
 *
 * Promises that the bytes are either whole and here, or gone everywhere: the buffer is moved out by
 * `ArrayBuffer.prototype.transfer`, which leaves every view that someone kept with length 0, and what is not handed on is
 * overwritten first.
 *
 * Two sides: a `Custody` is what the room that holds the evidence works on, a `Handle` is what everybody else gets. From a
 * handle no path leads to its custody, so only the custodian can take the bytes out, and it keeps the books.
 *
 * **Gotchas**
 *
 * - `bytes` of a handle is the live buffer. Reading it marks the custody as exposed, and an exposed buffer is hashed again
 *   before it leaves: see `isIntact`.
 */
import type { EvidenceHandle, EvidenceRecord } from "../domain/Evidence.ts"
import type { EvacuateRecord, NeutralizationRecord } from "../domain/Records.ts"
import type { Severity } from "../domain/Severity.ts"

/** Evidence as its custodian holds it. */
export interface Custody {
  readonly record: EvidenceRecord
  /** Starts as the record's and may rise: a worse detector spoke. */
  severity: Severity
  /** Owned: nobody else has a reference, unless `exposed`. Null once it left. */
  bytes: ArrayBuffer | null
  /** Whether a handle gave the buffer to somebody. */
  exposed: boolean
}

/** The room that holds evidence, and writes down how it leaves. */
export interface Custodian<C extends Custody> {
  readonly transfer: (custody: C) => ArrayBuffer | null
  readonly neutralize: (custody: C) => NeutralizationRecord | null
  readonly evacuate: (custody: C) => EvacuateRecord | null
}

/** What a caller of `intercept` holds. */
export class Handle<C extends Custody> implements EvidenceHandle {
  readonly #custody: C
  readonly #custodian: Custodian<C>

  constructor(custody: C, custodian: Custodian<C>) {
    this.#custody = custody
    this.#custodian = custodian
  }

  get bytes(): ArrayBuffer | null {
    this.#custody.exposed = true
    return this.#custody.bytes
  }
  get size(): number {
    return this.#custody.record.size
  }
  get hash(): string {
    return this.#custody.record.hash
  }
  get signature(): string {
    return this.#custody.record.signature
  }
  get captured(): number {
    return this.#custody.record.captured
  }
  get severity(): Severity {
    return this.#custody.severity
  }
  get disposed(): boolean {
    return this.#custody.bytes === null
  }
  /** What may be told about it: a result that is logged or sent as JSON shows the evidence's record, never its bytes. */
  toJSON(): EvidenceRecord & { readonly disposed: boolean } {
    return { ...describe(this.#custody), disposed: this.disposed }
  }
  transfer(): ArrayBuffer | null {
    return this.#custodian.transfer(this.#custody)
  }
  neutralize(): NeutralizationRecord | null {
    return this.#custodian.neutralize(this.#custody)
  }
  evacuate(): EvacuateRecord | null {
    return this.#custodian.evacuate(this.#custody)
  }
}

/** What is known of the evidence, as it stands now. */
export const describe = (custody: Custody): EvidenceRecord => ({ ...custody.record, severity: custody.severity })

/**
 * Whether the bytes are those that were hashed; a buffer that somebody detached is not. One SHA-256 where somebody was given
 * the buffer, else free. Never throws.
 */
export const isIntact = ({ bytes, exposed, record }: Custody, sha256Hex: (bytes: Uint8Array) => string): boolean =>
  !exposed || bytes === null || (!bytes.detached && sha256Hex(new Uint8Array(bytes)) === record.hash)

/** Moves the buffer out and leaves the handle disposed; null when it was already. O(1), nothing is copied. */
export const release = (custody: Custody): ArrayBuffer | null => {
  if (custody.bytes === null) return null
  // Somebody who was given the live buffer may have detached it: what is left of it is what leaves.
  const moved = custody.bytes.detached ? new ArrayBuffer(0) : custody.bytes.transfer()
  custody.bytes = null
  return moved
}

/** Overwrites a released buffer and gives its memory back: nothing of it is left to read, whoever holds a view. */
export const wipe = (bytes: ArrayBuffer): void => {
  if (bytes.detached) return
  new Uint8Array(bytes).fill(0)
  bytes.transfer(0)
}
