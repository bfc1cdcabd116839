/**
 * The memory of an audit chain: rows and their hashes in typed arrays, in a ring of so many records (CONFORMANCE A1).
 *
 * Memory is taken 1024 records at a time, as they come: 192 bytes a record, beside what its destination takes as a reference. A row
 * that is written when the ring is full takes the place of the oldest.
 *
 * It knows nothing of chains: who asks for a sequence asks for one that is kept.
 */
import { digestBytes, digestWords } from "../evidence/Digest.ts"
import { rowBytes } from "./AuditRow.ts"

/** Records of a chunk. */
export const chunkRecords = 1024

/** Rows, and beside them their hashes. */
export class Chunk {
  readonly rows: Uint8Array<ArrayBuffer>
  readonly view: DataView<ArrayBuffer>
  readonly rowWords: Int32Array<ArrayBuffer>
  readonly hashes: Uint8Array<ArrayBuffer>
  readonly hashWords: Int32Array<ArrayBuffer>
  readonly destinations: Array<string | null>

  constructor(records: number) {
    this.rows = new Uint8Array(records * rowBytes)
    this.view = new DataView(this.rows.buffer)
    this.rowWords = new Int32Array(this.rows.buffer)
    this.hashes = new Uint8Array(records * digestBytes)
    this.hashWords = new Int32Array(this.hashes.buffer)
    this.destinations = Array.from({ length: records }, () => null)
  }
}

/** A ring of records. */
export class AuditLog {
  private readonly maxRecords: number
  private readonly chunks: Array<Chunk> = []
  /** How many records were ever written. */
  length = 0

  constructor(maxRecords: number) {
    this.maxRecords = maxRecords
  }

  /** The sequence of the oldest record kept. */
  get oldest(): number {
    return Math.max(0, this.length - this.maxRecords)
  }

  /** Bytes of memory taken, without the destinations. */
  get reserved(): number {
    return this.chunks.reduce((sum, { hashes, rows }) => sum + rows.length + hashes.length, 0)
  }

  /** The chunk that a sequence is in, or will be written to. */
  chunkOf(sequence: number): Chunk {
    const at = Math.floor((sequence % this.maxRecords) / chunkRecords)
    return this.chunks[at] ??= new Chunk(Math.min(chunkRecords, this.maxRecords - at * chunkRecords))
  }

  /** Its place in its chunk. */
  placeOf(sequence: number): number {
    return (sequence % this.maxRecords) % chunkRecords
  }

  /** How many records from this one on stand beside one another in its chunk. */
  runFrom(sequence: number): number {
    const { hashes } = this.chunkOf(sequence)
    return Math.min(hashes.length / digestBytes - this.placeOf(sequence), this.length - sequence)
  }

  /** Copies the hash of a record that is kept. */
  readHash(sequence: number, words: Int32Array): void {
    const { hashWords } = this.chunkOf(sequence)
    const at = this.placeOf(sequence) * digestWords
    for (let i = 0; i < digestWords; i++) words[i] = hashWords[at + i] ?? 0
  }
}
