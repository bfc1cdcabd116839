/**
 * Randomness that is the same in every run: SHA-256 of a counter. Its bytes never repeat, and
 * anybody can predict them.
 *
 * **Gotchas**
 *
 * - For a replay only, where nothing has to be unpredictable.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Hash } from "../../host/port/Hash.ts"
import { Randomness } from "../../host/port/Randomness.ts"

/** Starts from zero each time that it is built. */
export const layer = Layer.effect(
  Randomness,
  Effect.map(Hash, ({ sha256 }) => {
    const block = new Uint8Array(16)
    const counter = new DataView(block.buffer)
    let next = 0
    return {
      fill: (target) => {
        for (let at = 0; at < target.length; at += 32) {
          counter.setFloat64(0, next++)
          target.set(sha256(block).subarray(0, Math.min(32, target.length - at)), at)
        }
      }
    }
  })
)
