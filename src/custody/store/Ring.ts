/**
 * A ring of frames in shared memory, from one thread to one other: how entries and evidence reach
 * the thread that writes them, for a fraction of a microsecond each.
 *
 * The producer copies a frame in and moves the head. The consumer reads frames up to the head and
 * moves the tail only when they are on disk, so a consumer that dies loses nothing: the next one
 * begins at the same tail. Frames never wrap; what is left at the end of the memory is skipped.
 *
 * **Details**
 *
 * - A frame is 32 bytes of header (length, kind, its own number, and two numbers more), then its
 *   bytes, up to a multiple of 8.
 * - Positions count bytes from the beginning and wrap at 2^32, as does all that the threads tell
 *   each other: `widened` makes a whole number of it again, next to one that is known.
 *
 * **Gotchas**
 *
 * - `publish` wakes nobody: waking a thread that sleeps costs 13 µs and more. Call `wake` once a
 *   turn.
 * - The memory holds what was last written into it until something else comes there: evidence
 *   among it. `wipe` overwrites all of it.
 * - A frame that the consumer gives is a view of the ring: it is valid until `release`.
 */

/** Words of the control block that a thread may wait for. */
const HEAD = 0
const TAIL = 1
const PARKED = 2
const STOPPED = 3
/** What the consumer has committed, each modulo 2^32: frames, entries, pieces of evidence. */
const FRAMES = 4
const ENTRIES = 5
const PIECES = 6

const controlBytes = 64

export const headerBytes = 32

/** In place of a length: the rest of the memory is not used, the next frame is at its beginning. */
const skipped = -1

/** Memory for a ring of so many bytes, a power of two from 64 KiB to 1 GiB. */
export const ringMemory = (bytes: number): SharedArrayBuffer => {
  if (bytes < 65_536 || bytes > 2 ** 30 || !Number.isInteger(Math.log2(bytes)))
    throw new RangeError(`a ring needs a power of two of bytes, from 64 KiB to 1 GiB, not ${bytes}`)
  return new SharedArrayBuffer(controlBytes + bytes)
}

/** The whole number next to `known` that is `low` modulo 2^32. */
export const widened = (known: number, low: number): number => known + ((low - known) | 0)

/** The bytes that a frame takes of the ring. */
const taken = (length: number): number => headerBytes + ((length + 7) & ~7)

/** What both sides see of the memory. */
class Ring {
  protected readonly control: Int32Array
  readonly bytes: Buffer
  protected readonly words: Int32Array
  protected readonly numbers: Float64Array
  protected readonly mask: number

  constructor(shared: SharedArrayBuffer) {
    this.control = new Int32Array(shared, 0, controlBytes / 4)
    this.bytes = Buffer.from(shared, controlBytes)
    this.words = new Int32Array(shared, controlBytes)
    this.numbers = new Float64Array(shared, controlBytes)
    this.mask = this.bytes.length - 1
  }
}

/** The side that writes frames. */
export class RingProducer extends Ring {
  private head = Atomics.load(this.control, HEAD)
  /** The tail as it was when it was last looked at. */
  private tail = Atomics.load(this.control, TAIL)
  private claimed = this.head
  /** Frames ever published. */
  frames = 0

  /** The longest frame: half of the ring, so that it fits wherever the head is. */
  get maxLength(): number {
    return this.bytes.length / 2 - headerBytes
  }

  /** Bytes of the ring that hold frames which are not yet on disk. */
  get used(): number {
    this.tail = Atomics.load(this.control, TAIL)
    return (this.head - this.tail) | 0
  }

  /**
   * Where in `bytes` the next frame's bytes go, or -1 where there is no room for so many. Nothing
   * is taken before `publish`.
   */
  claim(length: number): number {
    const { mask } = this
    const at = this.head & mask
    const need = taken(length)
    const rest = mask + 1 - at
    const skip = need > rest ? rest : 0
    if (((this.head - this.tail) | 0) + need + skip > mask + 1 && this.used + need + skip > mask + 1) return -1
    this.claimed = (this.head + skip) | 0
    return (this.claimed & mask) + headerBytes
  }

  /** Makes a frame of what was written where the last `claim` said; `length` is at most its. */
  publish(kind: number, length: number, first: number, second: number): void {
    if (this.claimed !== this.head) this.words[(this.head & this.mask) >> 2] = skipped
    const at = this.claimed & this.mask
    const number = at >> 3
    this.words[at >> 2] = length
    this.words[(at >> 2) + 1] = kind
    this.numbers[number + 1] = ++this.frames
    this.numbers[number + 2] = first
    this.numbers[number + 3] = second
    this.head = (this.claimed + taken(length)) | 0
    Atomics.store(this.control, HEAD, this.head)
  }

  /** Wakes the consumer where it sleeps. */
  wake(): void {
    if (Atomics.exchange(this.control, PARKED, 0) === 1) Atomics.notify(this.control, PARKED)
  }

  /** Tells the consumer to end once it has read all. */
  stop(): void {
    Atomics.store(this.control, STOPPED, 1)
    Atomics.notify(this.control, STOPPED)
    Atomics.store(this.control, PARKED, 0)
    Atomics.notify(this.control, PARKED)
  }

  /** Frames, entries and pieces on disk, each modulo 2^32. */
  get committedFrames(): number {
    return Atomics.load(this.control, FRAMES)
  }
  get committedEntries(): number {
    return Atomics.load(this.control, ENTRIES)
  }
  get committedPieces(): number {
    return Atomics.load(this.control, PIECES)
  }

  /**
   * Resolves when the committed frames are no longer `seen`, or with `nudge`; at once where they
   * already are not. Keeps no process alive.
   */
  changed(seen: number): Promise<unknown> | undefined {
    const wait = Atomics.waitAsync(this.control, FRAMES, seen)
    return wait.async ? wait.value : undefined
  }

  /** Resolves every `changed`. */
  nudge(): void {
    Atomics.notify(this.control, FRAMES)
  }

  /** Overwrites all frames. The consumer must have ended. */
  wipe(): void {
    this.bytes.fill(0)
  }
}

/** One frame, as the consumer finds it. One object serves for all. */
export interface Frame {
  readonly kind: number
  readonly number: number
  readonly first: number
  readonly second: number
  /** Where its bytes are in the ring. */
  readonly from: number
  readonly to: number
}

/** The side that reads frames. */
export class RingConsumer extends Ring implements Frame {
  kind = 0
  number = 0
  first = 0
  second = 0
  from = 0
  to = 0
  private tail = Atomics.load(this.control, TAIL)

  /** The position behind all frames that are there now. */
  get end(): number {
    return Atomics.load(this.control, HEAD)
  }

  get isStopped(): boolean {
    return Atomics.load(this.control, STOPPED) === 1
  }

  /**
   * Moves on to the next frame before `end`, and has it in its fields; false where there is none.
   */
  next(end: number): boolean {
    const { mask, numbers, words } = this
    while (this.tail !== end) {
      const at = this.tail & mask
      const length = words[at >> 2] ?? 0
      if (length === skipped) {
        this.tail = (this.tail + mask + 1 - at) | 0
        continue
      }
      this.kind = words[(at >> 2) + 1] ?? 0
      this.number = numbers[(at >> 3) + 1] ?? 0
      this.first = numbers[(at >> 3) + 2] ?? 0
      this.second = numbers[(at >> 3) + 3] ?? 0
      this.from = at + headerBytes
      this.to = this.from + length
      this.tail = (this.tail + taken(length)) | 0
      return true
    }
    return false
  }

  /** Goes back to the first frame that was not released. */
  rewind(): void {
    this.tail = Atomics.load(this.control, TAIL)
  }

  /** Gives up the frames that were read. */
  release(): void {
    Atomics.store(this.control, TAIL, this.tail)
  }

  /** The frames and pieces that were said to be on disk, each modulo 2^32. */
  get committed(): { frame: number; pieces: number } {
    return { frame: Atomics.load(this.control, FRAMES), pieces: Atomics.load(this.control, PIECES) }
  }

  /** Says how much is on disk, and tells who waits for it. */
  commit(frames: number, entries: number, pieces: number): void {
    Atomics.store(this.control, ENTRIES, entries | 0)
    Atomics.store(this.control, PIECES, pieces | 0)
    Atomics.store(this.control, FRAMES, frames | 0)
    Atomics.notify(this.control, FRAMES)
  }

  /** Waits for a frame, a stop, or so many milliseconds. True where there is a frame to read. */
  park(ms: number): boolean {
    if (this.end !== this.tail) return true
    if (this.isStopped) return false
    Atomics.store(this.control, PARKED, 1)
    // Whoever publishes or stops after this look finds PARKED set, and clears it: then the wait
    // ends at once.
    if (this.end === this.tail && !this.isStopped) Atomics.wait(this.control, PARKED, 1, ms)
    Atomics.store(this.control, PARKED, 0)
    return this.end !== this.tail
  }

  /** Waits so many milliseconds, frames or none; less where it is stopped meanwhile. */
  pause(ms: number): void {
    Atomics.wait(this.control, STOPPED, 0, ms)
  }
}
