/**
 * AES-256-GCM and HKDF by node:crypto.
 *
 * **Gotchas**
 *
 * - `update` of a decipher gives plaintext before the tag was checked: it stays in here until
 *   `final` has not thrown, and is wiped where it has.
 * - OpenSSL takes a nonce of another length without a word, so lengths are checked here.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto"
import { type Aead, keyBytes, nonceBytes, tagBytes, wrongLength } from "../port/Aead.ts"

const algorithm = "aes-256-gcm"
const tagLength = { authTagLength: tagBytes }

const checkLengths = (key: Uint8Array, nonce: Uint8Array): void => {
  if (key.length !== keyBytes) throw wrongLength("key", key.length)
  if (nonce.length !== nonceBytes) throw wrongLength("nonce", nonce.length)
}

/** The implementation: a plain object, for a thread that has no Effect runtime. */
export const nodeAead: Aead["Service"] = {
  seal: (key, nonce, data, plaintext) => {
    checkLengths(key, nonce)
    const cipher = createCipheriv(algorithm, key, nonce, tagLength)
    cipher.setAAD(data)
    const sealed = new Uint8Array(plaintext.length + tagBytes)
    sealed.set(cipher.update(plaintext))
    cipher.final()
    sealed.set(cipher.getAuthTag(), plaintext.length)
    return sealed
  },
  open: (key, nonce, data, sealed) => {
    checkLengths(key, nonce)
    if (sealed.length < tagBytes) return null
    const decipher = createDecipheriv(algorithm, key, nonce, tagLength)
    decipher.setAAD(data)
    const length = sealed.length - tagBytes
    decipher.setAuthTag(sealed.subarray(length))
    const unproven = decipher.update(sealed.subarray(0, length))
    try {
      decipher.final()
      return new Uint8Array(unproven)
    } catch {
      return null
    } finally {
      unproven.fill(0)
    }
  },
  derive: (secret, salt, info, length) => new Uint8Array(hkdfSync("sha256", secret, salt, info, length))
}
