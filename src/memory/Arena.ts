/**
 * The memory that evidence lives in: a log of segments, so that taking a small piece of evidence
 * into custody is a copy and no allocation (CONFORMANCE E5, Q1).
 *
 * A region belongs to a slot, a small whole number. Regions are laid one after another into the
 * current segment; what is released is overwritten with zeros at once. A segment whose regions are
 * all gone is used again. Where at most half of all memory is in use, the emptiest segment is
 * cleaned: its regions move to a new one.
 *
 * Promises that memory is at most twice the most that was ever in use at once, and three segments;
 * and that nothing of what was in a released or moved region is left to read. Nobody outside keeps
 * a reference to this memory, which is what makes moving safe.
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

/** Bytes of a segment. */
export const segmentBytes = 1_048_576

/** The longest region, in bytes: what is longer deserves memory of its own. */
export const maxRegionBytes = 65_536

/** Before each region: its slot and its length, so that a segment can be walked. */
const headerBytes = 8
/** Segments kept ready once they are empty. */
const maxSpare = 1
const NONE = -1

class Segment {
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(segmentBytes)
  readonly words: Int32Array<ArrayBuffer> = new Int32Array(this.bytes.buffer)
  /** Where the next region begins. */
  top = 0
  /** Bytes of regions that were not released, with their headers. */
  live = 0
}

const roomFor = (size: number): number => headerBytes + ((size + 3) & ~3)

/** Regions of bytes by slot. */
export class Arena {
  private segments: Array<Segment> = []
  private current = new Segment()
  private spare: Array<Segment> = []
  /** By slot: the segment, the offset of the content in it, and its length. */
  private homes: Array<Segment | null> = []
  private offsets = new Int32Array(0)
  private lengths = new Int32Array(0)
  private live = 0
  /** Bytes that cleaning has moved so far. */
  moved = 0

  constructor() {
    this.segments.push(this.current)
  }

  /** Bytes of memory taken from the host, besides 16 for each slot. */
  get reserved(): number {
    return (this.segments.length + this.spare.length) * segmentBytes
  }

  /** Bytes in use, with the headers. */
  get used(): number {
    return this.live
  }

  /** Makes room for slots below `capacity`. */
  grow(capacity: number): void {
    const offsets = new Int32Array(capacity)
    offsets.set(this.offsets)
    this.offsets = offsets
    const lengths = new Int32Array(capacity)
    lengths.set(this.lengths)
    this.lengths = lengths
    while (this.homes.length < capacity) this.homes.push(null)
  }

  /** Gives a slot that has none a region of `length` bytes, 0 to maxRegionBytes. */
  allocate(slot: number, length: number): void {
    const room = roomFor(length)
    if (this.current.top + room > segmentBytes) this.advance()
    this.place(this.current, slot, length, room)
    this.live += room
  }

  /**
   * The memory that the slot's region is in. Read and write [at, at + length) of it, now and not
   * later.
   */
  memory(slot: number): Uint8Array<ArrayBuffer> {
    return (this.homes[slot] ?? this.current).bytes
  }

  /** Where the slot's region begins in its memory. */
  at(slot: number): number {
    return this.offsets[slot] ?? 0
  }

  /** Overwrites the slot's region and takes it back. */
  release(slot: number): void {
    const home = this.homes[slot] ?? null
    if (home === null) return
    const at = this.offsets[slot] ?? 0
    const length = this.lengths[slot] ?? 0
    home.bytes.fill(0, at, at + length)
    // The header stays for whoever walks the segment, but names no slot any more.
    home.words[(at - headerBytes) >> 2] = NONE
    this.homes[slot] = null
    const room = roomFor(length)
    home.live -= room
    this.live -= room
    if (home.live === 0) this.retire(home)
  }

  private place(segment: Segment, slot: number, length: number, room: number): void {
    const at = segment.top
    segment.words[at >> 2] = slot
    segment.words[(at >> 2) + 1] = length
    segment.top += room
    segment.live += room
    this.homes[slot] = segment
    this.offsets[slot] = at + headerBytes
    this.lengths[slot] = length
  }

  /** Puts a segment in use that has room for any region. */
  private advance(): void {
    const victim = 2 * this.live <= this.segments.length * segmentBytes ? this.emptiest() : null
    this.current = this.spare.pop() ?? new Segment()
    this.segments.push(this.current)
    if (victim !== null) this.clean(victim)
  }

  private emptiest(): Segment | null {
    let least: Segment | null = null
    for (const segment of this.segments) {
      if (2 * segment.live <= segmentBytes && (least === null || segment.live < least.live)) least = segment
    }
    return least
  }

  /** Moves what is left in the segment to the current one. */
  private clean(victim: Segment): void {
    const { bytes, top, words } = victim
    for (let header = 0; header < top;) {
      const slot = words[header >> 2] ?? NONE
      const length = words[(header >> 2) + 1] ?? 0
      const room = roomFor(length)
      if (slot !== NONE) {
        this.place(this.current, slot, length, room)
        this.current.bytes.set(bytes.subarray(header + headerBytes, header + headerBytes + length), this.at(slot))
        this.moved += room
      }
      header += room
    }
    bytes.fill(0, 0, top)
    victim.live = 0
    this.retire(victim)
  }

  /** An empty segment starts anew, is kept for later, or is given back to the host. */
  private retire(segment: Segment): void {
    segment.top = 0
    if (segment === this.current) return
    const last = this.segments.pop()
    if (last !== undefined && last !== segment) this.segments[this.segments.indexOf(segment)] = last
    if (this.spare.length < maxSpare) this.spare.push(segment)
  }
}
