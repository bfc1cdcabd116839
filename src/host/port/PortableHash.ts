/**
 * SHA-256 in JavaScript by @noble/hashes, for hosts without node:crypto. At 1 KiB it takes three to
 * four times as long as node:crypto.
 *
 * **Gotchas**
 *
 * - `timingSafeEqual` takes the same steps whatever the bytes are, but JavaScript cannot say what
 *   an engine makes of these steps. Node's is written in C and is the safer one.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import * as Layer from "effect/Layer"
import type { Digest } from "../../domain/Digest.ts"
import { textOf } from "../../domain/Hex.ts"
import { Hash, sha256Bytes, shortTarget } from "./Hash.ts"

/** Reads every byte of both, and no step depends on a byte. */
const timingSafeEqual = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}

/** The portable implementation of `Hash`. */
export const layer: Layer.Layer<Hash> = Layer.succeed(Hash, {
  sha256: (bytes) => sha256(bytes),
  sha256Into: (bytes, target) => {
    if (target.length < sha256Bytes) throw shortTarget(target)
    target.set(sha256(bytes))
  },
  sha256Text: (bytes) => textOf([...sha256(bytes)]) as Digest,
  sha256Hex: (bytes) => bytesToHex(sha256(bytes)),
  timingSafeEqual
})
