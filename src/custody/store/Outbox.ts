/**
 * Puts entries, evidence and requests into the ring, each as one frame (Frames.ts).
 *
 * What is refused was not taken: nobody is waited for here. Evidence is refused sooner than
 * entries, so that a flood of evidence leaves room for the record of it.
 */
import { maxEntryBytes } from "../ledger/Entry.ts"
import type { DeadLetter, JournalPiece, LedgerStoreError } from "../ledger/LedgerStore.ts"
import { FrameKind, type LetterTexts, noPiece } from "./Frames.ts"
import type { KeyOrder } from "./KeyMessages.ts"
import type { RingProducer } from "./Ring.ts"

/** How much may wait for the disk before evidence is refused. */
export interface EvidenceWindow {
  /** Of the ring, whatever is in it. */
  readonly bytes: number
  readonly pieces: number
}

/** Pieces on disk, and why nothing more will be; null as long as it will. */
interface Progress {
  readonly pieces: number
  readonly ended: LedgerStoreError | null
}

export class Outbox {
  readonly #ring: RingProducer
  readonly #window: EvidenceWindow
  readonly #progress: Progress
  #nextSequence: number
  #put = 0
  #isClosed = false

  /** Takes entries from `size` on. `progress` says what became of what it took. */
  constructor(ring: RingProducer, size: number, window: EvidenceWindow, progress: Progress) {
    this.#ring = ring
    this.#nextSequence = size
    this.#window = window
    this.#progress = progress
  }

  /** Whether nothing more is taken. */
  get isClosed(): boolean {
    return this.#isClosed || this.#progress.ended !== null
  }

  close(): void {
    this.#isClosed = true
  }

  /** Frames ever put into the ring. */
  get frames(): number {
    return this.#ring.frames
  }

  /** An entry; `piece` is what it ends. Throws where it is not the next one, or too long. */
  entry(sequence: number, text: Uint8Array, piece = noPiece): boolean {
    if (this.isClosed) return false
    const { length } = text
    if (sequence !== this.#nextSequence || length > maxEntryBytes) throw this.#misplaced(sequence, length)
    const ring = this.#ring
    const at = ring.claim(length)
    if (at < 0) return false
    ring.bytes.set(text, at)
    ring.publish(FrameKind.entry, length, sequence, piece)
    this.#nextSequence += 1
    return true
  }

  #misplaced(sequence: number, length: number): RangeError {
    return new RangeError(
      `entry ${sequence} of ${length} bytes was pushed where ${this.#nextSequence} of at most ${maxEntryBytes} is the next one`
    )
  }

  /** A piece of evidence. */
  piece({ content, facts, key }: JournalPiece): boolean {
    const ring = this.#ring
    const longest = 4 + 3 * facts.length + content.length
    if (this.isClosed || longest > ring.maxLength) return false
    const { bytes, pieces } = this.#window
    if (ring.used + longest > bytes || this.#put - this.#progress.pieces >= pieces) return false
    const at = ring.claim(longest)
    if (at < 0) return false
    const factsLength = ring.bytes.write(facts, at + 4)
    ring.bytes.writeUInt32LE(factsLength, at)
    ring.bytes.set(content, at + 4 + factsLength)
    this.#put += 1
    ring.publish(FrameKind.put, 4 + factsLength + content.length, key, this.#put)
    return true
  }

  /** The facts of the piece with this key are these now. */
  amendment(key: number, facts: string): boolean {
    return this.#framed(FrameKind.amend, [Buffer.from(facts)], key, 0)
  }

  /** The piece with this key is no longer in custody. */
  removal(key: number): boolean {
    return this.#bare(FrameKind.remove, key)
  }

  letter({ endpoint, envelope, name, reason, time }: DeadLetter): boolean {
    const texts = Buffer.from(JSON.stringify({ name, endpoint, reason } satisfies LetterTexts))
    return this.#framed(FrameKind.letter, [texts, envelope], time, texts.length)
  }

  letterRemoval(name: string): boolean {
    return this.#framed(FrameKind.unletter, [Buffer.from(name)], 0, 0)
  }

  checkpoint(request: number): boolean {
    return this.#bare(FrameKind.checkpoint, request)
  }

  keyOrder(request: number, order: KeyOrder, bytes: Uint8Array): boolean {
    const text = Buffer.from(JSON.stringify(order))
    return this.#framed(FrameKind.keys, [text, bytes], request, text.length)
  }

  /** Whether there can ever be room for an order with so many bytes, beside its few texts. */
  fitsOrder(bytes: Uint8Array): boolean {
    return bytes.length + 8_192 <= this.#ring.maxLength
  }

  /** Whether there can ever be room for a letter. */
  fitsLetter({ endpoint, envelope, name, reason }: DeadLetter): boolean {
    // A character of a text has at most six bytes in JSON.
    return envelope.length + 6 * (endpoint.length + name.length + reason.length) + 64 <= this.#ring.maxLength
  }

  wake(): void {
    this.#ring.wake()
  }

  #bare(kind: number, first: number): boolean {
    return this.#framed(kind, [], first, 0)
  }

  #framed(kind: number, parts: ReadonlyArray<Uint8Array>, first: number, second: number): boolean {
    if (this.isClosed) return false
    const ring = this.#ring
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    const at = ring.claim(length)
    if (at < 0) return false
    let to = at
    for (const part of parts) {
      ring.bytes.set(part, to)
      to += part.length
    }
    ring.publish(kind, length, first, second)
    return true
  }
}
