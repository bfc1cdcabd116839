/**
 * Guesses by a few sampled bytes which slot holds some content, so that a duplicate is found by a
 * comparison and without a hash (RFC, "Signature"; CONFORMANCE D7).
 *
 * One slot for each place, the latest one. The index promises nothing but to be cheap: its caller
 * must compare the content with the slot that it names, and content that it does not know may still
 * be held. A seed decides which bytes are sampled, so that an attacker cannot aim at them; one who
 * could would gain one comparison, which costs a fraction of the hash that follows.
 */
import type { CategoryRank } from "../../domain/Scent.ts"

const samples = 8
/** Unpredictable words of a seed. */
export const sampleSeedWords = samples + 1
const maxPlaces = 1 << 20

/** Slots by a sample of their bytes. */
export class SampleIndex {
  /** By place, slot + 1; 0 where the place is free. */
  private places = new Int32Array(64)
  /** Offsets of the samples, as fractions of the length. */
  private readonly fractions: Float64Array
  private readonly seed: number

  /** `seed`: `sampleSeedWords` unpredictable words. */
  constructor(seed: Int32Array) {
    this.fractions = Float64Array.from(seed.subarray(0, samples), (word) => (word >>> 0) / 0x1_0000_0000)
    this.seed = seed[samples] ?? 0
  }

  /** Takes about `capacity` slots. Where the table has to grow, it forgets what it knew. */
  grow(capacity: number): void {
    let places = this.places.length
    while (places < 2 * capacity && places < maxPlaces) places *= 2
    if (places > this.places.length) this.places = new Int32Array(places)
  }

  /** The place of content with such samples. O(1). */
  placeOf(content: Uint8Array, category: CategoryRank): number {
    const length = content.length
    const { fractions } = this
    let mixed = Math.imul(length ^ this.seed, 0x9e37_79b1) + category
    if (length > 0) {
      for (let i = 0; i < samples; i++) {
        mixed = Math.imul(mixed ^ (content[((fractions[i] ?? 0) * length) | 0] ?? 0), 0x85eb_ca6b)
        mixed ^= mixed >>> 13
      }
    }
    return mixed & (this.places.length - 1)
  }

  /** The slot last put there, or -1. */
  at(place: number): number {
    return (this.places[place] ?? 0) - 1
  }

  put(place: number, slot: number): void {
    this.places[place] = slot + 1
  }
}
