/**
 * SHA-256 by node:crypto's one-shot `hash`, the fastest there is at any size.
 */
import * as Layer from "effect/Layer"
import { hash, timingSafeEqual } from "node:crypto"
import { Hash } from "../port/Hash.ts"

/** The Node implementation of `Hash`. */
export const layer: Layer.Layer<Hash> = Layer.succeed(Hash, {
  // Not Node's Buffer, whose `slice` is a view: whoever asked has a plain array of its own.
  sha256: (bytes) => new Uint8Array(hash("sha256", bytes, "buffer")),
  sha256Hex: (bytes) => hash("sha256", bytes, "hex"),
  timingSafeEqual: (a, b) => a.length === b.length && timingSafeEqual(a, b)
})
