/**
 * Randomness that a number or a text decides: sfc32, so that ids and whatever else a Tracehound
 * draws are the same in every run.
 *
 * Promises one stream of bytes for each seed, however it is cut into requests: two fills of 3 bytes
 * give what one fill of 6 gives. A few nanoseconds a byte, and 32 bytes of state.
 *
 * **Gotchas**
 *
 * - **Not secure.** Whoever knows the seed, or has seen some of the bytes, knows the rest. For
 *   tests alone.
 * - A seed counts as its text: `7` and `"7"` are the same one, and so are `0` and `-0`.
 * - Each layer that is built begins the stream anew.
 */
import * as Layer from "effect/Layer"
import { Randomness } from "../host/port/Randomness.ts"

/** The bytes of this seed, from the first one on. */
export const make = (seed: number | string): Randomness["Service"] => {
  const next = words(String(seed))
  let word = 0
  let left = 0
  return {
    fill: (target) => {
      for (let at = 0; at < target.length; at++) {
        if (left === 0) {
          word = next()
          left = 4
        }
        target[at] = word & 0xff
        word >>>= 8
        left -= 1
      }
    }
  }
}

/** A `Randomness` of this seed. */
export const layer = (seed: number | string): Layer.Layer<Randomness> => Layer.sync(Randomness, () => make(seed))

/** As many as its authors run through before the state no longer looks like its seed. */
const warmUp = 12

/**
 * sfc32 (Chris Doty-Humphrey, PractRand; public domain): 32 bits at a time, and no cycle shorter
 * than 2^32 words.
 */
const words = (seed: string): () => number => {
  let [a, b, c] = spread(seed)
  let counter = 1
  const next = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let i = 0; i < warmUp; i++) next()
  return next
}

/**
 * Three words of a text, by FNV-1a with three offsets: neighbouring seeds shall not begin alike.
 */
const spread = (text: string): [number, number, number] => {
  const mix = (offset: number): number => {
    let hash = offset
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
    return hash ^ (hash >>> 15)
  }
  return [mix(0x811c9dc5), mix(0x9e3779b9), mix(0x85ebca6b)]
}
