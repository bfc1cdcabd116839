/**
 * The memory of an audit chain: rows and their hashes in typed arrays, a ring of so many records
 * (CONFORMANCE A1).
 *
 * Memory is taken 256 records at a time, as they come, and never given back: 193 bytes a record.
 * What is written when the ring is full takes the place of the oldest record, of which only the
 * hash stays, until the next one leaves. O(1), and no allocation but that of a chunk.
 *
 * It knows nothing of chains, and compares nothing: who asks for a sequence asks for one that is
 * kept.
 */
import { digestBytes, DigestBuffer, digestWords, hexOf } from "../../domain/Digest.ts"
import type { AuditRecord } from "../../domain/Records.ts"
import { readRow, rowBytes, rowWords } from "./AuditRow.ts"
import { type Destination, Destinations, unlisted } from "./Destinations.ts"

/** Records of a chunk. */
export const chunkRecords = 256

/** Rows, and beside them their hashes. */
export class Chunk {
  readonly records: number
  readonly rows: Uint8Array<ArrayBuffer>
  readonly view: DataView<ArrayBuffer>
  readonly words: Int32Array<ArrayBuffer>
  readonly hashes: Uint8Array<ArrayBuffer>
  readonly hashWords: Int32Array<ArrayBuffer>
  /** Of each record its destination's number. */
  readonly destinations: Uint8Array<ArrayBuffer>
  /** Those that are not in the table, by place. */
  readonly others = new Map<number, Destination>()

  constructor(records: number) {
    this.records = records
    this.rows = new Uint8Array(records * rowBytes)
    this.view = new DataView(this.rows.buffer)
    this.words = new Int32Array(this.rows.buffer)
    this.hashes = new Uint8Array(records * digestBytes)
    this.hashWords = new Int32Array(this.hashes.buffer)
    this.destinations = new Uint8Array(records)
  }
}

/** A ring of records. */
export class AuditLog {
  readonly maxRecords: number
  readonly destinations = new Destinations()
  /** The hash of the last record that left; zeros while none has. */
  readonly anchor = new DigestBuffer()
  /** How many records were ever written. */
  length = 0
  private readonly chunks: Array<Chunk> = []
  /** Where in the ring the next record goes. */
  private next = 0

  constructor(maxRecords: number) {
    this.maxRecords = maxRecords
  }

  /** The sequence of the oldest record kept: so many have left. */
  get oldest(): number {
    return Math.max(0, this.length - this.maxRecords)
  }

  /** Bytes of memory taken, but for the texts of destinations. */
  get reserved(): number {
    return this.chunks.reduce((sum, { records }) => sum + records * (rowBytes + digestBytes + 1), 0)
  }

  /** Writes the next record. */
  push(row: Int32Array, hash: Int32Array, destination: Destination): void {
    const chunk = this.chunkAt(this.next)
    const place = this.next % chunkRecords
    const { destinations, hashWords, others, words } = chunk
    const hashAt = place * digestWords
    if (this.length >= this.maxRecords) this.anchor.copyFrom(hashWords, hashAt)
    for (let i = 0, at = place * rowWords; i < rowWords; i++) words[at + i] = row[i] ?? 0
    for (let i = 0; i < digestWords; i++) hashWords[hashAt + i] = hash[i] ?? 0
    if (destinations[place] === unlisted) others.delete(place)
    if (destination.number === unlisted) others.set(place, destination)
    destinations[place] = destination.number
    this.length += 1
    this.next = this.next + 1 === this.maxRecords ? 0 : this.next + 1
  }

  /** The chunk that a record is in. */
  chunkOf(sequence: number): Chunk {
    return this.chunkAt(sequence % this.maxRecords)
  }

  /** Its place there. */
  placeOf(sequence: number): number {
    return (sequence % this.maxRecords) % chunkRecords
  }

  /** Where the record at a place of a chunk says that the evidence went. */
  destinationOf({ destinations, others }: Chunk, place: number): Destination {
    const number = destinations[place] ?? 0
    return (number === unlisted ? others.get(place) : undefined) ?? this.destinations.at(number)
  }

  /** A record that is kept, decoded and frozen. */
  read(sequence: number): AuditRecord {
    const chunk = this.chunkOf(sequence)
    const place = this.placeOf(sequence)
    const entry = readRow(chunk.rows, chunk.view, place * rowBytes, this.destinationOf(chunk, place).text)
    const hash = hexOf(chunk.hashes, place * digestBytes)
    return Object.freeze({ sequence, previousHash: entry.previousHash, hash, entry })
  }

  private chunkAt(place: number): Chunk {
    const at = Math.floor(place / chunkRecords)
    return this.chunks[at] ??= new Chunk(Math.min(chunkRecords, this.maxRecords - at * chunkRecords))
  }
}
