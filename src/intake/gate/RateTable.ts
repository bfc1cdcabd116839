/**
 * A bounded table that counts how often each source came, in fixed windows, and blocks those that
 * come too often (CONFORMANCE G1, G2, G3).
 *
 * A source's window starts at its first request and lasts `windowMs`. Request number `maxRequests`
 * is allowed; the next one inside the window blocks the source for `blockDurationMs`, or until the
 * window ends when that is 0. At exactly the end of a block or a window the source is allowed again
 * and a new window starts. Requests during a block do not prolong it.
 *
 * Promises that at most `maxSources` sources are remembered. A new one in a full table drops, in
 * this order: a source whose block has run out (forgetting it changes nothing), the unblocked
 * source not seen for longest, and only when every source is blocked the one blocked longest ago.
 * So a flood of made-up sources never unblocks a blocked one while there is an unblocked one to
 * drop.
 *
 * Cost: O(1) a call, no loop over sources, no allocation but for a new source's key, and but for
 * the engine's Map: V8 lays it out anew when its places are used up. In a full table of 100,000
 * that is once in about 131,072 new sources, and takes 25 to 35 ms; of 2,000,000, 0.4 s. A table of
 * our own would have to hash each source itself, at every call. Blocks that ran out are found
 * lazily: each is looked at once, by a later call (`steps` counts them). `blocked` and, when
 * `blockDurationMs` is 0, an eviction may catch up with several at once; otherwise a call looks at
 * one. Memory grows by doubling, up to 28 bytes a source beside the Map and the key.
 *
 * Time must not go back: `MonotonicTime` sees to that, whatever the clock behind it does.
 *
 * **Gotchas**
 *
 * - Hand over the cell of one clock.
 * - A key is copied when it is first seen: a piece cut out of a large header may keep that header
 *   alive (in V8 before Node 26 it does, 500 such keys held 143 MB; newer ones copy the keys of a
 *   Map themselves).
 * - A source that was evicted and comes again starts a new window.
 */
import type { TimeCell } from "../../host/port/MonotonicTime.ts"
import { grown } from "../../memory/Grown.ts"
import { ownCopy } from "../../memory/OwnCopy.ts"
import { Links, NONE, SlotList } from "../../memory/SlotLists.ts"

export interface RateTableOptions {
  /** Length of a window in ms, more than 0. */
  readonly windowMs: number
  /** Requests allowed in one window. */
  readonly maxRequests: number
  /** Length of a block in ms; 0 blocks until the window ends. */
  readonly blockDurationMs: number
  /** Sources remembered at once, at least 1. */
  readonly maxSources: number
  /**
   * The key that a source is counted under; itself when left out. Must give a key for a key back.
   */
  readonly keyOf?: (source: string) => string
}

export interface RateTable {
  /**
   * Counts a request at the time in the cell `now`, in ms. 0 when it is allowed, else the whole ms,
   * rounded up, until the source may come again.
   */
  check(source: string, now: TimeCell): number
  /** Forgets a source, and with it its block. True when it was remembered. */
  reset(source: string): boolean
  /** Sources that are remembered. */
  readonly sources: number
  /**
   * Sources that are blocked at the time in the cell `now`. O(1) amortised over the checks that
   * blocked them.
   */
  blocked(now: TimeCell): number
  /** Sources that were dropped to make room, so far. */
  readonly evicted: number
  /** Sources looked at, so far, in search of blocks that ran out: the only loop there is. */
  readonly steps: number
}

/** Makes an empty table. Throws a RangeError that names the option which is out of range. */
export const makeRateTable = (options: RateTableOptions): RateTable => {
  requireThat("windowMs", options.windowMs > 0 && options.windowMs < Infinity)
  requireThat("maxRequests", isWhole(options.maxRequests, 0, maxRequestCount))
  requireThat("blockDurationMs", options.blockDurationMs >= 0 && options.blockDurationMs < Infinity)
  requireThat("maxSources", isWhole(options.maxSources, 1, maxSourceCount))
  return new BoundedRateTable(options)
}

const maxRequestCount = 0xfffffffe
const maxSourceCount = 0x7fffffff
const maxInt32 = 0x7fffffff
const initialCapacity = 64

const isWhole = (value: number, minimum: number, maximum: number): boolean =>
  Number.isInteger(value) && value >= minimum && value <= maximum

const requireThat = (name: string, holds: boolean): void => {
  if (!holds) throw new RangeError(`${name} is out of range`)
}

const itself = (source: string): string => source

class BoundedRateTable implements RateTable {
  private readonly windowMs: number
  private readonly maxRequests: number
  private readonly maxSources: number
  private readonly keyOf: (source: string) => string
  /** Whether blocks have a length of their own, rather than that of the window. */
  private readonly timedBlocks: boolean
  /** How long a block lasts, counted from `since`. */
  private readonly blockMs: number
  /** The cell that the call reads the time from. */
  private time: TimeCell = new Float64Array(1)

  private readonly slots = new Map<string, number>()
  private readonly keys: Array<string> = []
  /** When the window started or, with timed blocks, when the block did. */
  private since = new Float64Array(0)
  /** Requests in this window; more than maxRequests marks a blocked source. */
  private counts = new Uint32Array(0)
  private readonly links = new Links()
  /** Least recently seen first; before them those whose block ran out. */
  private readonly unblocked = new SlotList(this.links)
  /** Blocked longest ago first. With timed blocks that is also the order in which they run out. */
  private readonly blockedSlots = new SlotList(this.links)
  private readonly windowLinks = new Links()
  /**
   * Without timed blocks, the order in which blocks run out: every source by the start of its
   * window.
   */
  private readonly windows = new SlotList(this.windowLinks)
  /** Slots of forgotten sources, linked by `links.next`. */
  private free = NONE
  private used = 0

  evicted = 0
  steps = 0

  constructor(options: RateTableOptions) {
    this.windowMs = options.windowMs
    this.maxRequests = options.maxRequests
    this.maxSources = options.maxSources
    this.keyOf = options.keyOf ?? itself
    this.timedBlocks = options.blockDurationMs > 0
    this.blockMs = this.timedBlocks ? options.blockDurationMs : options.windowMs
  }

  get sources(): number {
    return this.slots.size
  }

  check(source: string, now: TimeCell): number {
    this.time = now
    // Most sources are spelled as their own key: those that are known need no second lookup.
    let known = this.slots.get(source)
    let key = source
    if (known === undefined) {
      key = this.keyOf(source)
      if (key !== source) known = this.slots.get(key)
    }
    const slot = known ?? this.admit(key)
    if (known !== undefined) {
      if (this.isBlocked(slot)) {
        const left = this.left(slot)
        if (left > 0) return left
        this.blockedSlots.remove(slot)
        this.unblocked.pushLast(slot)
        this.startWindow(slot)
      } else {
        this.unblocked.moveLast(slot)
        if ((this.time[0] ?? 0) - (this.since[slot] ?? 0) >= this.windowMs) this.startWindow(slot)
      }
    }
    const count = (this.counts[slot] ?? 0) + 1
    this.counts[slot] = count
    if (count <= this.maxRequests) return 0
    this.block(slot)
    return this.left(slot)
  }

  reset(source: string): boolean {
    const slot = this.slots.get(this.keyOf(source))
    if (slot === undefined) return false
    this.forget(slot)
    this.keys[slot] = ""
    this.links.next[slot] = this.free
    this.free = slot
    return true
  }

  blocked(now: TimeCell): number {
    this.time = now
    this.release(Infinity)
    return this.blockedSlots.length
  }

  private isBlocked(slot: number): boolean {
    return (this.counts[slot] ?? 0) > this.maxRequests
  }

  /**
   * Whole ms, rounded up, until a blocked source may come again; 0 or less when it may. Subtracts,
   * since `since + blockMs` could round.
   */
  private left(slot: number): number {
    const left = this.blockMs - ((this.time[0] ?? 0) - (this.since[slot] ?? 0))
    // As a 32-bit integer where it fits in one, as the longest block of the configuration does: V8
    // need not allocate it.
    return left <= maxInt32 ? Math.ceil(Math.max(left, -1)) | 0 : Math.ceil(left)
  }

  private startWindow(slot: number): void {
    this.since[slot] = this.time[0] ?? 0
    this.counts[slot] = 0
    if (!this.timedBlocks) {
      if (this.windows.has(slot)) this.windows.remove(slot)
      this.windows.pushLast(slot)
    }
  }

  private block(slot: number): void {
    this.unblocked.remove(slot)
    this.blockedSlots.pushLast(slot)
    if (this.timedBlocks) this.since[slot] = this.time[0] ?? 0
  }

  private admit(key: string): number {
    const slot = this.freeSlot()
    const own = ownCopy(key)
    this.keys[slot] = own
    this.slots.set(own, slot)
    this.unblocked.pushLast(slot)
    this.startWindow(slot)
    return slot
  }

  private freeSlot(): number {
    if (this.free !== NONE) {
      const slot = this.free
      this.free = this.links.next[slot] ?? NONE
      return slot
    }
    if (this.used === this.maxSources) return this.evict()
    if (this.used === this.since.length) this.grow(Math.min(Math.max(2 * this.used, initialCapacity), this.maxSources))
    return this.used++
  }

  private grow(capacity: number): void {
    this.since = grown(this.since, new Float64Array(capacity))
    this.counts = grown(this.counts, new Uint32Array(capacity))
    this.links.grow(capacity)
    if (!this.timedBlocks) this.windowLinks.grow(capacity)
  }

  private evict(): number {
    // With timed blocks only the first one matters: it is the first to run out.
    this.release(this.timedBlocks ? 1 : Infinity)
    const slot = this.unblocked.first === NONE ? this.blockedSlots.first : this.unblocked.first
    this.forget(slot)
    this.evicted++
    return slot
  }

  private forget(slot: number): void {
    this.slots.delete(this.keys[slot] ?? "")
    const list = this.isBlocked(slot) ? this.blockedSlots : this.unblocked
    list.remove(slot)
    if (!this.timedBlocks && this.windows.has(slot)) this.windows.remove(slot)
  }

  /** Moves sources whose block has run out to where they are dropped first, at most so many. */
  private release(atMost: number): void {
    const order = this.timedBlocks ? this.blockedSlots : this.windows
    for (let step = 0; step < atMost && order.first !== NONE; step++) {
      const slot = order.first
      if (this.left(slot) > 0) return
      this.steps++
      if (!this.timedBlocks) this.windows.remove(slot)
      if (this.isBlocked(slot)) {
        this.blockedSlots.remove(slot)
        this.unblocked.pushFirst(slot)
        this.counts[slot] = 0
        // Its next request starts a new window, however short the block was.
        this.since[slot] = -Infinity
      }
    }
  }
}
