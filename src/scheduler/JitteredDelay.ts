/**
 * The delay until the next tick: an interval plus a jitter that nobody can foretell (RFC,
 * "Jittered Rotation"; CONFORMANCE H5).
 *
 * Promises a whole number of ms from `interval` to `interval + jitterMax`, both included, each
 * equally likely: bits beyond `jitterMax` are drawn again, because taking their remainder would
 * favour the small numbers. Ends whatever bytes the source gives.
 *
 * Cost: at most seven bytes a draw. At least every second draw is accepted on average, so two are
 * expected; `maxDraws` is the limit.
 *
 * **Gotchas**
 *
 * - If every draw is refused, the result is still in range, but always the same. An honest source
 *   does that once in 2^64 times; a broken one may do it always.
 */
import type { Randomness } from "../host/port/Randomness.ts"

/** The most draws for one delay. */
export const maxDraws = 64

/**
 * The next delay in ms. Throws a RangeError if `interval` is not a whole number from 1 on, if
 * `jitterMax` is not one from 0 on, or if their sum is not a safe integer.
 */
export const nextDelay = (interval: number, jitterMax: number, randomness: Randomness["Service"]): number => {
  if (!Number.isSafeInteger(interval) || interval < 1) throw new RangeError("interval: a whole number of ms from 1 on")
  if (!Number.isSafeInteger(jitterMax) || jitterMax < 0)
    throw new RangeError("jitterMax: a whole number of ms from 0 on")
  if (!Number.isSafeInteger(interval + jitterMax)) throw new RangeError("interval and jitterMax: too long together")
  return interval + (jitterMax === 0 ? 0 : upTo(jitterMax, randomness))
}

/**
 * A random whole number from 0 to `max`, both included. Divides instead of shifting, because bit
 * operations end at 32 bits.
 */
const upTo = (max: number, { fill }: Randomness["Service"]): number => {
  // The smallest power of two above `max`: of the numbers below it, less than half are refused.
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
  // `drawn` is below `span`, which is at most 2 * max, so the difference is at most `max`.
  return drawn - max - 1
}
