/**
 * Keeps the records of an audit chain in typed arrays: a ring of `maxRecords` rows and their hashes
 * (CONFORMANCE A1).
 *
 * The log takes memory for 256 records at a time, as they come, and gives none back: 145 bytes a
 * record. When the ring is full, a new record takes the place of the oldest one, whose hash stays
 * as the anchor until the next one leaves. O(1), and no allocation but that of a chunk.
 *
 * A Tracehound has one destination: cold storage's endpoint. So the log keeps that text once, and a
 * byte for each record that names it. A chain that is told another text as well is as sound; each
 * such record keeps its own, and gives it up when it leaves.
 *
 * **Gotchas**
 *
 * - It does not check a sequence: ask for one from `oldest` up to `length` alone.
 */
import { DigestBuffer, digestBytes, digestWords, hexOf } from "../../domain/Digest.ts"
import { type AuditRecord, maxDestinationBytes } from "../../domain/Records.ts"
import { readRow, rowBytes, type Rows, rowWords } from "./AuditRow.ts"

export const chunkRecords = 256

/** A destination of evidence: the text of a record, and what stands for it in the record's text. */
export interface Destination {
  /** The byte that a record keeps: NOWHERE, THE_ONE or ANOTHER. */
  readonly kind: number
  /** Null where there is none. */
  readonly text: string | null
  /** The text, or null, as JSON. */
  readonly json: Uint8Array
}

/**
 * The most bytes of a destination as JSON: in quotes, and each byte of it escaped with five more.
 */
export const maxDestinationText = 6 * maxDestinationBytes + 2

const NOWHERE = 0
const THE_ONE = 1
const ANOTHER = 2

const utf8 = new TextEncoder()

const nowhere: Destination = { kind: NOWHERE, text: null, json: utf8.encode("null") }

/** The most of the text that a record may name; U+FFFD for a lone surrogate, which UTF-8 lacks. */
const bounded = (text: string): string => {
  const { read } = utf8.encodeInto(text, new Uint8Array(maxDestinationBytes))
  return text.slice(0, read).toWellFormed()
}

/** Rows, and beside them their hashes. */
export class Chunk implements Rows {
  readonly records: number
  readonly rows: Uint8Array<ArrayBuffer>
  readonly view: DataView<ArrayBuffer>
  readonly words: Int32Array<ArrayBuffer>
  readonly hashes: Uint8Array<ArrayBuffer>
  readonly hashWords: Int32Array<ArrayBuffer>
  /** The `kind` of each record's destination. */
  readonly destinations: Uint8Array<ArrayBuffer>
  /** By place, the destinations that are not the log's own. */
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
  /** The hash of the last record that left; zeros while none has. */
  readonly anchor = new DigestBuffer()
  /** Records ever written, those before this log among them. */
  length = 0
  /** The sequence of the first record that this log was given. */
  private first = 0
  private readonly chunks: Array<Chunk> = []
  /** The first destination that a record named; `nowhere` before. */
  private own = nowhere
  /** The place of the next record in the ring. */
  private next = 0

  constructor(maxRecords: number) {
    this.maxRecords = maxRecords
  }

  /** The sequence of the oldest record kept: so many have left. */
  get oldest(): number {
    return Math.max(this.first, this.length - this.maxRecords)
  }

  /** Begins anew behind so many records, the last of which has this hash. */
  begin(length: number, head: DigestBuffer): void {
    this.length = length
    this.first = length
    this.next = length % this.maxRecords
    this.anchor.words.set(head.words)
  }

  /** Bytes of memory taken, but for the texts of destinations. */
  get reserved(): number {
    return this.chunks.reduce((sum, { records }) => sum + records * (rowBytes + digestBytes + 1), 0)
  }

  /** The destination of this text. Allocates nothing for null and for the log's own text. */
  destination(text: string | null): Destination {
    const { own } = this
    if (text === null) return nowhere
    if (own.kind === THE_ONE && own.text === text) return own
    // What is shown must be what was hashed.
    const shown = bounded(text)
    const json = utf8.encode(JSON.stringify(shown))
    if (own.kind === THE_ONE) return { kind: ANOTHER, text: shown, json }
    return this.own = { kind: THE_ONE, text: shown, json }
  }

  /** Writes the next record. `destination` is one that this log made. */
  push(row: Int32Array, hash: Int32Array, destination: Destination): void {
    const chunk = this.chunkAt(this.next)
    const place = this.next % chunkRecords
    const { destinations, hashWords, others, words } = chunk
    const hashAt = place * digestWords
    if (this.length - this.first >= this.maxRecords) this.anchor.copyFrom(hashWords, hashAt)
    for (let i = 0, at = place * rowWords; i < rowWords; i++) words[at + i] = row[i] ?? 0
    for (let i = 0; i < digestWords; i++) hashWords[hashAt + i] = hash[i] ?? 0
    if (destinations[place] === ANOTHER) others.delete(place)
    if (destination.kind === ANOTHER) others.set(place, destination)
    destinations[place] = destination.kind
    this.length += 1
    this.next = this.next + 1 === this.maxRecords ? 0 : this.next + 1
  }

  /** The chunk that a record is in. */
  chunkOf(sequence: number): Chunk {
    return this.chunkAt(sequence % this.maxRecords)
  }

  /** The record's place in its chunk. */
  placeOf(sequence: number): number {
    return (sequence % this.maxRecords) % chunkRecords
  }

  /** The destination of the record at a place of a chunk. */
  destinationAt({ destinations, others }: Chunk, place: number): Destination {
    const kind = destinations[place]
    return (kind === ANOTHER ? others.get(place) : kind === THE_ONE ? this.own : undefined) ?? nowhere
  }

  /** The hash of the record before one that is kept. */
  private hashBefore(sequence: number): string {
    if (sequence === this.oldest) return hexOf(this.anchor.bytes)
    return hexOf(this.chunkOf(sequence - 1).hashes, this.placeOf(sequence - 1) * digestBytes)
  }

  /** A record that is kept, decoded and frozen. */
  read(sequence: number): AuditRecord {
    const chunk = this.chunkOf(sequence)
    const place = this.placeOf(sequence)
    const previousHash = this.hashBefore(sequence)
    const entry = readRow(chunk, place * rowBytes, previousHash, this.destinationAt(chunk, place).text)
    return Object.freeze({ sequence, previousHash, hash: hexOf(chunk.hashes, place * digestBytes), entry })
  }

  private chunkAt(place: number): Chunk {
    const at = Math.floor(place / chunkRecords)
    return this.chunks[at] ??= new Chunk(Math.min(chunkRecords, this.maxRecords - at * chunkRecords))
  }
}
