/**
 * The facts of evidence that have a fixed size, in rows: 64 bytes for each slot, side by side, so
 * that looking at one piece is one or two lines of the processor's cache. In columns each field
 * would be a line of its own, which at a million pieces is most of the time that a lookup takes.
 *
 * | word | field |
 * | --- | --- |
 * | 0 to 7 | the digest in the signature |
 * | 8 | bytes of the content |
 * | 9 | generation |
 * | 10 | bits 0 to 7 category, 8 to 15 severity, 16 exposed |
 * | 11 | bytes of the scent's id, and above them those of its source, as `textBytes` gives them |
 * | 12, 13 | when custody began, as a double |
 * | 14, 15 | the scent's own timestamp, as a double |
 */
import type { CategoryRank } from "../../domain/Scent.ts"
import type { SeverityRank } from "../../domain/Severity.ts"

/** Words of a row; the digest is at its beginning. */
export const rowWords = 16
const SIZE = 8
const GENERATION = 9
const MARKS = 10
const TEXTS = 11
/** In doubles of a row. */
const CAPTURED = 6
const TIMESTAMP = 7

const rowDoubles = rowWords / 2
const byteMask = 0xff
const severityShift = 8
const severityBits = byteMask << severityShift
const exposedBit = 1 << 16

/** Rows by slot. */
export class Rows {
  words: Int32Array<ArrayBuffer> = new Int32Array(0)
  private doubles: Float64Array<ArrayBuffer> = new Float64Array(0)

  /** Takes slots below `capacity`, and keeps what is there. */
  grow(capacity: number): void {
    const words = new Int32Array(capacity * rowWords)
    words.set(this.words)
    this.words = words
    this.doubles = new Float64Array(words.buffer)
  }

  /** Writes all but the digest, of content that is not exposed, under the next generation. */
  write(
    slot: number,
    { captured, category, severity, size, timestamp }: {
      readonly captured: number
      readonly category: CategoryRank
      readonly severity: SeverityRank
      readonly size: number
      readonly timestamp: number
    },
    idBytes: number,
    sourceBytes: number
  ): void {
    const { doubles, words } = this
    const at = slot * rowWords
    words[at + SIZE] = size
    words[at + MARKS] = category | (severity << severityShift)
    words[at + TEXTS] = (idBytes & 0xffff) | (sourceBytes << 16)
    doubles[slot * rowDoubles + CAPTURED] = captured
    doubles[slot * rowDoubles + TIMESTAMP] = timestamp
    this.renew(slot)
  }

  /** Odd generations are in use: the first is 1. */
  renew(slot: number): void {
    const at = slot * rowWords + GENERATION
    this.words[at] = (this.words[at] ?? 0) + 1
  }

  /** Overwrites all but the generations, of rows that are not in use. O(rows). */
  wipe(): void {
    const { words } = this
    for (let at = 0; at < words.length; at += rowWords) {
      const generation = words[at + GENERATION] ?? 0
      words.fill(0, at, at + rowWords)
      words[at + GENERATION] = generation
    }
  }

  sizeOf(slot: number): number {
    return this.words[slot * rowWords + SIZE] ?? 0
  }

  /** 0 before its first evidence; -1 of what is no slot, which nothing ever was held in. */
  generationOf(slot: number): number {
    return this.words[slot * rowWords + GENERATION] ?? -1
  }

  categoryOf(slot: number): CategoryRank {
    return (this.marksOf(slot) & byteMask) as CategoryRank
  }

  severityOf(slot: number): SeverityRank {
    return ((this.marksOf(slot) >> severityShift) & byteMask) as SeverityRank
  }

  setSeverity(slot: number, severity: SeverityRank): void {
    this.words[slot * rowWords + MARKS] = (this.marksOf(slot) & ~severityBits) | (severity << severityShift)
  }

  isExposed(slot: number): boolean {
    return (this.marksOf(slot) & exposedBit) !== 0
  }

  setExposed(slot: number): void {
    this.words[slot * rowWords + MARKS] = this.marksOf(slot) | exposedBit
  }

  /** Whether the slot holds content of this size and category that nobody was given. */
  mayBe(slot: number, size: number, category: CategoryRank): boolean {
    const { words } = this
    const at = slot * rowWords
    const marks = words[at + MARKS] ?? 0
    return words[at + SIZE] === size && (marks & ~severityBits) === category &&
      ((words[at + GENERATION] ?? 0) & 1) === 1
  }

  idBytesOf(slot: number): number {
    return ((this.words[slot * rowWords + TEXTS] ?? 0) << 16) >> 16
  }

  sourceBytesOf(slot: number): number {
    return (this.words[slot * rowWords + TEXTS] ?? 0) >> 16
  }

  capturedOf(slot: number): number {
    return this.doubles[slot * rowDoubles + CAPTURED] ?? 0
  }

  timestampOf(slot: number): number {
    return this.doubles[slot * rowDoubles + TIMESTAMP] ?? 0
  }

  private marksOf(slot: number): number {
    return this.words[slot * rowWords + MARKS] ?? 0
  }
}
