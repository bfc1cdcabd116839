/**
 * Keeps the order of eviction (RFC, "Quarantine Eviction Policy"; CONFORMANCE Q1) in doubly linked
 * lists over slots: one for each severity under `priority`, one for all under `lru`. Everything but
 * `all` is O(1): nothing is searched, sorted or allocated.
 *
 * **Gotchas**
 *
 * - A slot is on at most one list. Remove it with the severity that it was added with.
 */
import { severities, type SeverityRank } from "../../domain/Severity.ts"
import { Links, NONE, SlotList } from "../../memory/SlotLists.ts"

/**
 * `priority` evicts the least severe evidence first, `lru` the one that was not seen for longest.
 */
export type EvictionPolicy = "priority" | "lru"

/** Slots in the order in which they would be evicted. */
export class EvictionLists {
  private readonly links = new Links()
  private readonly isLru: boolean
  private readonly lists: ReadonlyArray<SlotList>

  constructor(policy: EvictionPolicy) {
    this.isLru = policy === "lru"
    this.lists = (this.isLru ? ["all"] : severities).map(() => new SlotList(this.links))
  }

  /** Takes slots below `capacity`. */
  grow(capacity: number): void {
    this.links.grow(capacity)
  }

  /** The slot that would be evicted now, or NONE. */
  first(): number {
    for (const list of this.lists) if (list.first !== NONE) return list.first
    return NONE
  }

  /** Adds a slot as the newest. */
  add(slot: number, rank: SeverityRank): void {
    this.listOf(rank)?.pushLast(slot)
  }

  remove(slot: number, rank: SeverityRank): void {
    this.listOf(rank)?.remove(slot)
  }

  /**
   * Notes that the evidence was seen again: under `lru` it becomes the newest, under `priority` it
   * stays in its place. Whether its place may be another now.
   */
  touch(slot: number, rank: SeverityRank): boolean {
    if (this.isLru) this.listOf(rank)?.moveLast(slot)
    return this.isLru
  }

  /** All slots, in the order of eviction. O(n), some 5 ns a slot. */
  all(): Int32Array<ArrayBuffer> {
    const { next } = this.links
    const slots = new Int32Array(this.lists.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const list of this.lists)
      for (let slot = list.first; slot !== NONE; slot = next[slot] ?? NONE) slots[at++] = slot
    return slots
  }

  private listOf(rank: SeverityRank): SlotList | undefined {
    return this.lists[this.isLru ? 0 : rank]
  }
}
