/**
 * Guesses by a few sampled bytes which slot holds some content, so that a duplicate is found by a
 * comparison and without a hash (RFC, "Signature"; CONFORMANCE D7).
 *
 * Places stand in groups of four, which are one line of the processor's cache or two: the latest
 * slots whose samples lead to that group, the newest first. Beside each slot stand seven bits of
 * its samples, so that hardly any guess is made in vain. Where there are four places for each
 * content, some five in a hundred are not found while it grows, and one in a thousand later.
 *
 * The index promises nothing but to be cheap: its caller must compare the content with the slot
 * that it names, and content that it does not know may still be held. A seed decides which bytes
 * are sampled, so that an attacker cannot aim at them; one who could would gain one comparison,
 * which costs a fraction of the hash that follows.
 */
import type { CategoryRank } from "../../domain/Scent.ts"

const samples = 8
/** Unpredictable words of a seed. */
export const sampleSeedWords = samples + 1

/** Places of a group. */
export const ways = 4
const placesPerSlot = 4
const maxPlaces = 1 << 26
/** Bits of a place for slot + 1, of which 0 says that the place is free; the rest are the tag's. */
const slotBits = 25
const slotMask = (1 << slotBits) - 1

/** Slots, below 2^25 - 1, by a sample of their bytes. */
export class SampleIndex {
  private places = new Int32Array(64)
  /** Offsets of the samples, as fractions of the length. */
  private readonly fractions: Float64Array
  private readonly seed: number

  /** `seed`: `sampleSeedWords` unpredictable words. */
  constructor(seed: Int32Array) {
    this.fractions = Float64Array.from(seed.subarray(0, samples), (word) => (word >>> 0) / 0x1_0000_0000)
    this.seed = seed[samples] ?? 0
  }

  /**
   * Takes about `capacity` slots. Twice as many places are two copies of those there were: a key
   * that led to a group leads to one of its two copies, and what nobody finds in the other makes
   * room for what comes.
   */
  grow(capacity: number): void {
    while (this.places.length < placesPerSlot * capacity && this.places.length < maxPlaces) {
      const { length } = this.places
      const places = new Int32Array(2 * length)
      places.set(this.places)
      places.set(this.places, length)
      this.places = places
    }
  }

  /**
   * The key of `length` bytes with such samples, a number of 32 bits. Reads by index alone. O(1).
   */
  keyOf(content: Uint8Array, length: number, category: CategoryRank): number {
    const { fractions } = this
    let mixed = Math.imul(length ^ this.seed, 0x9e37_79b1) + category
    if (length > 0) {
      for (let i = 0; i < samples; i++) {
        mixed = Math.imul(mixed ^ (content[((fractions[i] ?? 0) * length) | 0] ?? 0), 0x85eb_ca6b)
        mixed ^= mixed >>> 13
      }
    }
    return mixed
  }

  /** A slot that was put there under this key or one much like it, or -1; `way` is 0 to 3. */
  at(key: number, way: number): number {
    const place = this.places[this.groupOf(key) + way] ?? 0
    return (place >>> slotBits) === (key >>> slotBits) ? (place & slotMask) - 1 : -1
  }

  /** Puts a slot where `at` finds it, in place of the oldest of its group. */
  put(key: number, slot: number): void {
    const { places } = this
    const group = this.groupOf(key)
    const place = ((key >>> slotBits) << slotBits) | (slot + 1)
    let way = group
    while (way < group + ways - 1 && places[way] !== place) way++
    for (; way > group; way--) places[way] = places[way - 1] ?? 0
    places[group] = place
  }

  private groupOf(key: number): number {
    return key & (this.places.length - ways)
  }
}
