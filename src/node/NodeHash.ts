/**
 * SHA-256 by node:crypto's one-shot `hash`, the fastest there is at any size.
 */
import * as Layer from "effect/Layer"
import { Buffer } from "node:buffer"
import { hash, timingSafeEqual } from "node:crypto"
import { Hash } from "../port/Hash.ts"

/** A string of a byte a character is what `hash` makes fastest; with the length said, Node skips a check for XOF digests. */
const asLatin1 = { outputEncoding: "latin1", outputLength: 32 } as const

// Of the prototype, as it works on any Uint8Array.
const { write } = Buffer.prototype

/** The Node implementation of `Hash`. */
export const layer: Layer.Layer<Hash> = Layer.succeed(Hash, {
  // Not Node's Buffer, whose `slice` is a view: whoever asked has a plain array of its own.
  sha256: (bytes) => new Uint8Array(hash("sha256", bytes, "buffer")),
  sha256Into: (bytes, target) => {
    write.call(target, hash("sha256", bytes, asLatin1), 0, 32, "latin1")
  },
  sha256Hex: (bytes) => hash("sha256", bytes, "hex"),
  timingSafeEqual: (a, b) => a.length === b.length && timingSafeEqual(a, b)
})
