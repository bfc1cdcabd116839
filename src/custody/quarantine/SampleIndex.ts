/**
 * Which slot probably holds these bytes: found by a few sampled bytes, to be compared in full, so
 * that a duplicate is known without being hashed (RFC, "Signature"; CONFORMANCE D7).
 *
 * One slot for each place, the latest one. It promises nothing but to be cheap: what it names must
 * be compared, and what it does not know may still be held. Where samples are taken depends on a
 * seed, so that an attacker cannot aim at them; whoever could would gain one comparison, which
 * costs a fraction of the hash that follows.
 */

/** How many bytes are looked at. */
const samples = 8
/** Words of randomness that a seed takes. */
export const sampleSeedWords = samples + 1
const maxPlaces = 1 << 20

/** Slots by a sample of their bytes. */
export class SampleIndex {
  /** Slot + 1; 0 where a place is free. */
  private places = new Int32Array(64)
  /** Where samples are taken, as fractions of the length; and what places are mixed with. */
  private readonly fractions: Float64Array
  private readonly seed: number

  /** `seed`: as many unpredictable words as `sampleSeedWords`. */
  constructor(seed: Int32Array) {
    this.fractions = Float64Array.from(seed.subarray(0, samples), (word) => (word >>> 0) / 0x1_0000_0000)
    this.seed = seed[samples] ?? 0
  }

  /** Makes room for about `capacity` slots. What was known is forgotten. */
  grow(capacity: number): void {
    let places = this.places.length
    while (places < 2 * capacity && places < maxPlaces) places *= 2
    if (places > this.places.length) this.places = new Int32Array(places)
  }

  /** Where bytes with such a sample have their place. O(1). */
  placeOf(content: Uint8Array, category: number): number {
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
