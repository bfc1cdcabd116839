/**
 * SHA-256 by node:crypto's one-shot `hash`, the fastest way at any size.
 */
import * as Layer from "effect/Layer"
import { hash, timingSafeEqual } from "node:crypto"
import type { Digest } from "../../domain/Digest.ts"
import { Hash, sha256Bytes, shortTarget } from "../port/Hash.ts"

/** What `hash` is asked for: a newer Node takes the length as well, and then looks up nothing. */
type Output = Parameters<typeof hash>[2]

/** All that a Node reads of it, so that nothing is found on its prototype. */
const exactly = {
  outputEncoding: "latin1",
  outputLength: sha256Bytes,
  functionName: undefined,
  customization: undefined
} as const

/** Older Nodes take no object here. */
const outputOf = (wanted: Exclude<Output, string>): Output => {
  try {
    return hash("sha256", "", wanted).length === sha256Bytes ? wanted : "latin1"
  } catch {
    return "latin1"
  }
}

const output = outputOf(exactly)

/**
 * A latin1 string, one character per byte, is the fastest result of `hash`: a Buffer would double
 * the time for small evidence.
 */
const sha256Text = (bytes: Uint8Array): Digest => hash("sha256", bytes, output) as string as Digest

/**
 * The characters are read one by one: only newer Nodes let Buffer's `write` fill an array that is
 * no Buffer, and a Buffer over the target would be garbage.
 */
const sha256Into = (bytes: Uint8Array, target: Uint8Array): void => {
  if (target.length < sha256Bytes) throw shortTarget(target)
  const digest = sha256Text(bytes)
  for (let i = 0; i < sha256Bytes; i++) target[i] = digest.charCodeAt(i)
}

/** The Node implementation of `Hash`. */
export const layer: Layer.Layer<Hash> = Layer.succeed(Hash, {
  sha256: (bytes) => {
    const digest = new Uint8Array(sha256Bytes)
    sha256Into(bytes, digest)
    return digest
  },
  sha256Into,
  sha256Text,
  sha256Hex: (bytes) => hash("sha256", bytes, "hex"),
  timingSafeEqual: (a, b) => a.length === b.length && timingSafeEqual(a, b)
})
