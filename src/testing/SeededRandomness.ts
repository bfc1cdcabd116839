/**
 * Deterministic randomness from a seed, by sfc32, so that ids and all else that a Tracehound draws
 * are the same in every run.
 *
 * Promises one stream of bytes for each seed, however it is requested: two fills of 3 bytes give
 * the same as one fill of 6. A few nanoseconds a byte, and 32 bytes of state.
 *
 * **Gotchas**
 *
 * - **Not secure.** The seed, or a few of the bytes, reveal all the others. For tests only.
 * - A seed is taken as text: `7` and `"7"` are the same, and so are `0` and `-0`.
 * - Each layer that is built starts the stream from the beginning.
 */
import * as Layer from "effect/Layer"
import { Randomness } from "../host/port/Randomness.ts"

/** The stream of this seed, from its first byte. */
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

export const layer = (seed: number | string): Layer.Layer<Randomness> => Layer.sync(Randomness, () => make(seed))

/** The number of words that sfc32's author discards, until the state no longer shows the seed. */
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
 * Three words of state from a text, by FNV-1a with three offsets: similar seeds must not give
 * similar streams.
 */
const spread = (text: string): [number, number, number] => {
  const mix = (offset: number): number => {
    let hash = offset
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
    return hash ^ (hash >>> 15)
  }
  return [mix(0x811c9dc5), mix(0x9e3779b9), mix(0x85ebca6b)]
}
