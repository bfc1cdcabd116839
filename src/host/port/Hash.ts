/**
 * SHA-256: synchronous, one call, no state.
 *
 * **Gotchas**
 *
 * - No method keeps the bytes or returns a view of them.
 */
import * as Context from "effect/Context"
import type { Digest } from "../../domain/Digest.ts"

/** Hashes bytes, and compares them in constant time. */
export class Hash extends Context.Service<Hash, {
  /** The digest: 32 bytes in memory of their own. */
  readonly sha256: (bytes: Uint8Array) => Uint8Array
  /**
   * Writes the digest into the first 32 bytes of the target: the fastest way, as it leaves nothing
   * else behind. The bytes may lie within the target. Throws a RangeError, and writes nothing,
   * where the target is shorter.
   */
  readonly sha256Into: (bytes: Uint8Array, target: Uint8Array) => void
  /** The digest as a text of 32 characters, one for each byte. */
  readonly sha256Text: (bytes: Uint8Array) => Digest
  /** The digest in lowercase hexadecimal. */
  readonly sha256Hex: (bytes: Uint8Array) => string
  /**
   * Whether two byte strings are equal, in time that depends on their lengths alone (CONFORMANCE
   * A2).
   */
  readonly timingSafeEqual: (a: Uint8Array, b: Uint8Array) => boolean
}>()("tracehound/host/port/Hash") {}

/** Bytes of a digest. */
export const sha256Bytes = 32

/** The error of `sha256Into` for a target that has no room for a digest. */
export const shortTarget = (target: Uint8Array): RangeError =>
  new RangeError(`a SHA-256 needs a target of ${sha256Bytes} bytes, not ${target.length}`)
