/**
 * Randomness from node:crypto.
 */
import * as Layer from "effect/Layer"
import { randomFillSync } from "node:crypto"
import { Randomness } from "../port/Randomness.ts"

/** The Node implementation of `Randomness`. */
export const layer: Layer.Layer<Randomness> = Layer.succeed(Randomness, {
  fill: (target) => {
    randomFillSync(target)
  }
})
