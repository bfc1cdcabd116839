/**
 * Finds the slot that holds a signature: an open-addressing table over the digests in the rows
 * (RFC, "Quarantine"; CONFORMANCE D7, Q1).
 *
 * An attacker can search for digests that share bits, so the first place of a digest depends on a
 * seed. Linear probing, at most half full; removing a slot moves back the slots behind it, so that
 * no marks are left to step over.
 *
 * Cost: O(1), one probe or two. `probes` counts the places read: the only loop there is. The table
 * doubles when it is half full, and then every slot is placed anew.
 */
import { digestWords } from "../../domain/Digest.ts"
import type { CategoryRank } from "../../domain/Scent.ts"
import { type Rows, rowWords } from "./Rows.ts"

/** No slot holds the signature. */
export const ABSENT = -1

const initialSize = 64

/** Slots by digest and category. */
export class DigestIndex {
  /** By place, slot + 1; 0 where the place is free, so that a new table is ready as it is. */
  private table = new Int32Array(initialSize)
  private mask = initialSize - 1
  private readonly rows: Rows
  private readonly seed: number
  private readonly otherSeed: number
  size = 0
  probes = 0

  /** `seed`: two unpredictable words. */
  constructor(rows: Rows, seed: Int32Array) {
    this.rows = rows
    this.seed = (seed[0] ?? 0) | 1
    this.otherSeed = (seed[1] ?? 0) | 1
  }

  /** The slot that holds this digest in this category, or ABSENT. */
  find(words: Int32Array, category: CategoryRank): number {
    const { rows } = this
    for (let place = this.placeOf(words, 0, category);; place = (place + 1) & this.mask) {
      this.probes++
      const slot = (this.table[place] ?? 0) - 1
      if (slot < 0) return ABSENT
      if (areEqual(rows.words, slot * rowWords, words) && rows.categoryOf(slot) === category) return slot
    }
  }

  /** Makes room for one more, so that the next `add` needs no memory. */
  reserve(): void {
    if (2 * (this.size + 1) > this.table.length) this.double()
  }

  /** Adds a slot whose digest is in its row and not in the index. */
  add(slot: number): void {
    this.reserve()
    this.put(slot)
    this.size++
  }

  /** Removes a slot that is in the index, while its digest is still in its row. */
  remove(slot: number): void {
    const { mask, table } = this
    let hole = this.homeOf(slot)
    while (table[hole] !== slot + 1) hole = (hole + 1) & mask
    for (let place = (hole + 1) & mask;; place = (place + 1) & mask) {
      this.probes++
      const other = (table[place] ?? 0) - 1
      if (other < 0) break
      // A slot that is at least as far from its home as from the hole may move to the hole.
      if (((place - this.homeOf(other)) & mask) >= ((place - hole) & mask)) {
        table[hole] = other + 1
        hole = place
      }
    }
    table[hole] = 0
    this.size--
  }

  private put(slot: number): void {
    let place = this.homeOf(slot)
    while (this.table[place] !== 0) {
      this.probes++
      place = (place + 1) & this.mask
    }
    this.table[place] = slot + 1
  }

  private double(): void {
    const old = this.table
    this.table = new Int32Array(2 * old.length)
    this.mask = this.table.length - 1
    for (const entry of old) if (entry !== 0) this.put(entry - 1)
  }

  private homeOf(slot: number): number {
    return this.placeOf(this.rows.words, slot * rowWords, this.rows.categoryOf(slot))
  }

  private placeOf(words: Int32Array, at: number, category: number): number {
    const { otherSeed, seed } = this
    const mixed = Math.imul((words[at] ?? 0) ^ Math.imul(category + 1, otherSeed), seed) +
      Math.imul(words[at + 1] ?? 0, otherSeed)
    return (mixed ^ (mixed >>> 15)) & this.mask
  }
}

const areEqual = (rows: Int32Array, at: number, words: Int32Array): boolean => {
  for (let i = 0; i < digestWords; i++) if (rows[at + i] !== words[i]) return false
  return true
}
