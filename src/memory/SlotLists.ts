/**
 * Doubly linked lists over numbered slots: adding, moving and removing a slot is O(1) and allocates
 * nothing.
 *
 * Several lists may share one `Links`, as long as no slot is on two of them at once. A slot that
 * must be on two lists needs two `Links`.
 *
 * **Gotchas**
 *
 * - A list trusts its caller to remove only slots that are on it.
 */
import { grown } from "./Grown.ts"

/** No slot: the end of a list. */
export const NONE = -1
/** The predecessor of a slot that is on no list. */
const OFF = -2

/** The neighbours of each slot: 8 bytes a slot. */
export class Links {
  previous: Int32Array<ArrayBuffer> = new Int32Array(0)
  next: Int32Array<ArrayBuffer> = new Int32Array(0)

  /** Takes slots below `capacity`, and keeps the neighbours of those that were there. */
  grow(capacity: number): void {
    this.previous = grown(this.previous, new Int32Array(capacity).fill(OFF))
    this.next = grown(this.next, new Int32Array(capacity))
  }
}

/** One list. `first` is where slots are taken from. */
export class SlotList {
  private readonly links: Links
  first = NONE
  last = NONE
  length = 0

  constructor(links: Links) {
    this.links = links
  }

  pushLast(slot: number): void {
    this.links.previous[slot] = this.last
    this.links.next[slot] = NONE
    if (this.last === NONE) this.first = slot
    else this.links.next[this.last] = slot
    this.last = slot
    this.length++
  }

  pushFirst(slot: number): void {
    this.links.previous[slot] = NONE
    this.links.next[slot] = this.first
    if (this.first === NONE) this.last = slot
    else this.links.previous[this.first] = slot
    this.first = slot
    this.length++
  }

  /**
   * Moves a slot that is on the list to its end: the same as `remove` and `pushLast`, in half of
   * their writes.
   */
  moveLast(slot: number): void {
    const { last } = this
    if (slot === last) return
    const { next, previous } = this.links
    const before = previous[slot] ?? NONE
    const after = next[slot] ?? NONE
    if (before === NONE) this.first = after
    else next[before] = after
    previous[after] = before
    previous[slot] = last
    next[slot] = NONE
    next[last] = slot
    this.last = slot
  }

  /** Whether a slot is on a list of these links. */
  has(slot: number): boolean {
    return this.links.previous[slot] !== OFF
  }

  remove(slot: number): void {
    const previous = this.links.previous[slot] ?? NONE
    const next = this.links.next[slot] ?? NONE
    if (previous === NONE) this.first = next
    else this.links.next[previous] = next
    if (next === NONE) this.last = previous
    else this.links.previous[next] = previous
    this.links.previous[slot] = OFF
    this.length--
  }
}
