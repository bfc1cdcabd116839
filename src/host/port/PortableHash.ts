/**
 * SHA-256 in JavaScript by @noble/hashes, for hosts without node:crypto: three to four times its
 * time at 1 KiB.
 *
 * **Gotchas**
 *
 * - `timingSafeEqual` takes the same steps whatever the bytes are. What an engine makes of these
 *   steps is beyond JavaScript; Node's is in C and the safer one.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import * as Layer from "effect/Layer"
import { Hash, sha256Bytes, shortTarget } from "./Hash.ts"

/** Every byte of both is looked at, and no step depends on one. */
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
  sha256Hex: (bytes) => bytesToHex(sha256(bytes)),
  timingSafeEqual
})
