/**
 * The memory that evidence lives in: a log of segments, so that taking a small piece of evidence
 * into custody is a copy and no allocation (CONFORMANCE E5, Q1).
 *
 * A region belongs to a slot, a small whole number. The arena lays regions one after another into
 * the current segment, overwrites a released region with zeros at once, and uses a segment again
 * when all of its regions are released. Where at most half of all memory is in use, it cleans the
 * emptiest segment: it moves that segment's regions to a new one.
 *
 * Promises that memory is at most twice the most that was ever in use at once, and three segments,
 * beside what its blocks keep (`Blocks.ts`); and that a released or moved region leaves nothing to
 * read where it was. Moving is safe because no caller keeps a reference to this memory.
 *
 * Cost: O(1) a call, beside the copy and the wiping. Cleaning happens at most once for each segment
 * that is filled and moves at most half a segment, so it adds at most half a copy to each (`moved`
 * counts the bytes).
 *
 * **Gotchas**
 *
 * - Ask for `memory` and `at` again after every `allocate`: it may have moved any region.
 * - A new region is not cleared: write all of it.
 */
import { Blocks } from "./Blocks.ts"
import { grown } from "./Grown.ts"

export const segmentBytes = 1_048_576

/** The longest region, in bytes. Give longer content a buffer of its own. */
export const maxRegionBytes = 65_536

/**
 * Bytes of the header before each region: its slot and its length, so that cleaning can walk a
 * segment.
 */
const headerBytes = 8
/** Empty segments that are kept for later; others go back to the blocks. */
const maxSpare = 1
const NONE = -1

class Segment {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly words: Int32Array<ArrayBuffer>
  /** Offset of the next region. */
  top = 0
  /** Bytes of regions that were not released, with their headers. */
  live = 0
  /** Its place among all segments, from 1, by which slots name it. */
  readonly number: number

  /** `bytes`: a block of `segmentBytes`. */
  constructor(bytes: Uint8Array<ArrayBuffer>, number: number) {
    this.bytes = bytes
    this.number = number
    this.words = new Int32Array(bytes.buffer)
  }
}

/** Bytes of a segment that a region of `size` bytes takes: its header, and whole words. */
const spanOf = (size: number): number => headerBytes + ((size + 3) & ~3)

/** Regions of bytes by slot. */
export class Arena {
  private readonly blocks: Blocks
  private segments: Array<Segment> = []
  private current: Segment
  private spare: Array<Segment> = []
  /** Segments by number, of which none is 0; and other numbers that none has. */
  private readonly numbered: Array<Segment | null> = [null]
  private readonly numbers: Array<number> = []
  /** By slot, two words: the segment's number, or 0, and the offset of the content in it. */
  private places = new Int32Array(0)
  private live = 0
  /** Bytes that cleaning has moved so far. */
  moved = 0

  /** `blocks`: where segments come from and go to; its own when left out. */
  constructor(blocks: Blocks = new Blocks()) {
    this.blocks = blocks
    this.current = this.segment()
    this.segments.push(this.current)
  }

  /** Bytes of memory in its hands, besides 8 for each slot. */
  get reserved(): number {
    return (this.segments.length + this.spare.length) * segmentBytes
  }

  /** Bytes in use, headers included. */
  get used(): number {
    return this.live
  }

  /** Takes slots below `capacity`. */
  grow(capacity: number): void {
    this.places = grown(this.places, new Int32Array(2 * capacity))
  }

  /** Gives a slot that has none a region of `length` bytes, 0 to maxRegionBytes. */
  allocate(slot: number, length: number): void {
    const span = spanOf(length)
    if (this.current.top + span > segmentBytes) this.advance()
    this.place(this.current, slot, length, span)
    this.live += span
  }

  /**
   * The memory that the slot's region is in. Read and write [at, at + length) of it, now and not
   * later.
   */
  memory(slot: number): Uint8Array<ArrayBuffer> {
    return (this.homeOf(slot) ?? this.current).bytes
  }

  /** Offset of the slot's region in its memory. */
  at(slot: number): number {
    return this.places[2 * slot + 1] ?? 0
  }

  /** Overwrites the slot's region and takes it back. */
  release(slot: number): void {
    const home = this.homeOf(slot)
    if (home === null) return
    const at = this.at(slot)
    const header = (at - headerBytes) >> 2
    const length = home.words[header + 1] ?? 0
    home.bytes.fill(0, at, at + length)
    // `clean` needs the length in the header to walk on; without a slot it moves nothing.
    home.words[header] = NONE
    this.places[2 * slot] = 0
    const span = spanOf(length)
    home.live -= span
    this.live -= span
    if (home.live === 0) this.retire(home)
  }

  private place(segment: Segment, slot: number, length: number, span: number): void {
    const at = segment.top
    segment.words[at >> 2] = slot
    segment.words[(at >> 2) + 1] = length
    segment.top += span
    segment.live += span
    this.places[2 * slot] = segment.number
    this.places[2 * slot + 1] = at + headerBytes
  }

  /** Makes a segment current that any region fits into. */
  private advance(): void {
    const victim = 2 * this.live <= this.segments.length * segmentBytes ? this.emptiest() : null
    this.current = this.spare.pop() ?? this.segment()
    this.segments.push(this.current)
    if (victim !== null) this.clean(victim)
  }

  /** The segment that the slot's region is in, or null. */
  private homeOf(slot: number): Segment | null {
    return this.numbered[this.places[2 * slot] ?? 0] ?? null
  }

  private segment(): Segment {
    const segment = new Segment(this.blocks.take(segmentBytes), this.numbers.pop() ?? this.numbered.length)
    this.numbered[segment.number] = segment
    return segment
  }

  private emptiest(): Segment | null {
    let least: Segment | null = null
    for (const segment of this.segments)
      if (2 * segment.live <= segmentBytes && (least === null || segment.live < least.live)) least = segment
    return least
  }

  /** Moves the regions that were not released to the current segment. */
  private clean(victim: Segment): void {
    const { bytes, top, words } = victim
    for (let header = 0; header < top;) {
      const slot = words[header >> 2] ?? NONE
      const length = words[(header >> 2) + 1] ?? 0
      const span = spanOf(length)
      if (slot !== NONE) {
        this.place(this.current, slot, length, span)
        this.current.bytes.set(bytes.subarray(header + headerBytes, header + headerBytes + length), this.at(slot))
        this.moved += span
      }
      header += span
    }
    bytes.fill(0, 0, top)
    victim.live = 0
    this.retire(victim)
  }

  /** Empties a segment: the current one starts anew, another is kept for later or given back. */
  private retire(segment: Segment): void {
    segment.top = 0
    if (segment === this.current) return
    const last = this.segments.pop()
    if (last !== undefined && last !== segment) this.segments[this.segments.indexOf(segment)] = last
    if (this.spare.length < maxSpare) this.spare.push(segment)
    else {
      this.numbered[segment.number] = null
      this.numbers.push(segment.number)
      this.blocks.give(segment.bytes)
    }
  }
}
