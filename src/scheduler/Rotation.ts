/**
 * When to rotate next: an interval and a jitter that nobody can foretell (RFC, "Jittered Rotation";
 * CONFORMANCE H5).
 *
 * Promises a whole number of ms from `interval` to `interval + jitterMax`, both included, each as
 * likely as any other: bits that say more than `jitterMax` are drawn again, where a remainder would
 * make the small ones likelier. Ends whatever the source gives.
 *
 * Cost: at most seven bytes a draw. At least every second draw is taken, so two are expected, and
 * `maxDraws` are the end.
 *
 * **Gotchas**
 *
 * - A source that is broken in such a way that every draw is refused still gives a number in range,
 *   and always the same one. An honest source comes to that once in 2^64 times.
 */
import type { Randomness } from "../host/port/Randomness.ts"

/** How often bits are drawn for one delay. */
export const maxDraws = 64

/**
 * The next delay in ms. Throws a RangeError where `interval` is no whole number from 1 on,
 * `jitterMax` none from 0 on, or their sum is past what a number counts exactly.
 */
export const nextDelay = (interval: number, jitterMax: number, randomness: Randomness["Service"]): number => {
  if (!Number.isSafeInteger(interval) || interval < 1) throw new RangeError("interval: a whole number of ms from 1 on")
  if (!Number.isSafeInteger(jitterMax) || jitterMax < 0)
    throw new RangeError("jitterMax: a whole number of ms from 0 on")
  if (!Number.isSafeInteger(interval + jitterMax)) throw new RangeError("interval and jitterMax: too long together")
  return interval + (jitterMax === 0 ? 0 : upTo(jitterMax, randomness))
}

/**
 * A whole number from 0 to `max`, both included. Division instead of bit operations, since those
 * end at 32 bits.
 */
const upTo = (max: number, { fill }: Randomness["Service"]): number => {
  // The smallest power of two above `max`: less than half of what is drawn below it is refused.
  let span = 2
  while (span <= max) span *= 2
  let count = 1
  let topSpan = span
  while (topSpan > 256) {
    topSpan /= 256
    count += 1
  }
  const bytes = new Uint8Array(count)
  let drawn = 0
  for (let draw = 0; draw < maxDraws; draw++) {
    fill(bytes)
    drawn = bytes.reduce((value, byte, at) => value * 256 + (at === 0 ? byte % topSpan : byte), 0)
    if (drawn <= max) return drawn
  }
  // Below the span, so what is left of it is below `max` as well.
  return drawn - max - 1
}
