/**
 * Authenticated encryption and derived keys: AES-256-GCM (NIST SP 800-38D) and HKDF-SHA-256 (RFC
 * 5869). Synchronous, for a thread that may take its time: a small piece costs some 9 µs to seal.
 *
 * **Gotchas**
 *
 * - GCM commits to no key: whoever has two keys can make one text that opens under both. Name the
 *   key in the data, and look it up; never try keys.
 * - A nonce must never come twice under one key.
 */
import * as Context from "effect/Context"

/** Bytes of a key of AES-256. */
export const keyBytes = 32

/** Bytes of a nonce: what GCM is specified for (SP 800-38D 5.2.1.1). */
export const nonceBytes = 12

/** Bytes of a tag: the longest (SP 800-38D 5.2.1.2). */
export const tagBytes = 16

/** Seals and opens bytes, and derives keys. */
export class Aead extends Context.Service<Aead, {
  /**
   * The ciphertext, as long as the plaintext, and then the tag, in memory of its own. `data` is
   * authenticated and not in it. Throws a RangeError for a key or a nonce of another length.
   */
  readonly seal: (key: Uint8Array, nonce: Uint8Array, data: Uint8Array, plaintext: Uint8Array) => Uint8Array
  /**
   * The plaintext, in memory of its own, or null where the tag does not hold: the key, the nonce,
   * the data or the ciphertext is another. Nothing is given out before the tag holds, and what was
   * decrypted is wiped where it does not. Throws as `seal` does.
   */
  readonly open: (key: Uint8Array, nonce: Uint8Array, data: Uint8Array, sealed: Uint8Array) => Uint8Array | null
  /** HKDF-SHA-256: `length` bytes, at most 8,160, in memory of their own. */
  readonly derive: (secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number) => Uint8Array
}>()("tracehound/host/port/Aead") {}

/** The error of an implementation for a key or a nonce that is not as long as it has to be. */
export const wrongLength = (of: "key" | "nonce", found: number): RangeError =>
  new RangeError(`AES-256-GCM takes a ${of} of ${of === "key" ? keyBytes : nonceBytes} bytes, not ${found}`)
