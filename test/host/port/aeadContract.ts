/**
 * The contract of authenticated encryption: published vectors, and what must be refused.
 */
import { assert, describe, it } from "@effect/vitest"
import { type Aead, nonceBytes, tagBytes } from "../../../src/host/port/Aead.ts"
import { noise } from "./contract.ts"

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"))

/** McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16. */
const gcm = [
  {
    name: "13: nothing",
    key: "00".repeat(32),
    nonce: "00".repeat(12),
    data: "",
    plaintext: "",
    sealed: "530f8afbc74536b9a963b4f1c4cb738b"
  },
  {
    name: "14: a block of zeros",
    key: "00".repeat(32),
    nonce: "00".repeat(12),
    data: "",
    plaintext: "00".repeat(16),
    sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
  },
  {
    name: "16: with additional data, and no whole block at the end",
    key: "feffe9928665731c6d6a8f9467308308".repeat(2),
    nonce: "cafebabefacedbaddecaf888",
    data: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    plaintext: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" +
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"
  }
]

/** RFC 5869, appendix A, test cases 1 and 3. */
const hkdf = [
  {
    name: "1",
    secret: "0b".repeat(22),
    salt: "000102030405060708090a0b0c",
    info: "f0f1f2f3f4f5f6f7f8f9",
    out: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
  },
  {
    name: "3",
    secret: "0b".repeat(22),
    salt: "",
    info: "",
    out: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
  }
]

export const aeadContract = (aead: Aead["Service"]): void => {
  describe("Aead", () => {
    it.each(gcm)("SYS L4 seals as AES-256-GCM's test case $name", ({ data, key, nonce, plaintext, sealed }) => {
      assert.deepStrictEqual(aead.seal(hex(key), hex(nonce), hex(data), hex(plaintext)), hex(sealed))
      assert.deepStrictEqual(aead.open(hex(key), hex(nonce), hex(data), hex(sealed)), hex(plaintext))
    })

    it.each(hkdf)("SYS L4 derives as HKDF-SHA-256's test case $name", ({ info, out, salt, secret }) => {
      assert.deepStrictEqual(aead.derive(hex(secret), hex(salt), hex(info), out.length / 2), hex(out))
    })

    const key = noise(32, 1)
    const nonce = noise(nonceBytes, 2)
    const data = noise(40, 3)
    const plaintext = noise(100, 4)
    const sealed = aead.seal(key, nonce, data, plaintext)
    const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
      const other = bytes.slice()
      other[at] = (other[at] ?? 0) ^ 1
      return other
    }

    it("SYS L4 gives nothing where a byte of the key, the nonce, the data or the ciphertext is another", () => {
      for (let i = 0; i < key.length; i++) assert.isNull(aead.open(flipped(key, i), nonce, data, sealed))
      for (let i = 0; i < nonce.length; i++) assert.isNull(aead.open(key, flipped(nonce, i), data, sealed))
      for (let i = 0; i < data.length; i++) assert.isNull(aead.open(key, nonce, flipped(data, i), sealed))
      for (let i = 0; i < sealed.length; i++) assert.isNull(aead.open(key, nonce, data, flipped(sealed, i)))
    })

    it("SYS L4 gives nothing where bytes are missing: a tag is whole or wrong", () => {
      for (let length = 0; length < sealed.length; length++)
        assert.isNull(aead.open(key, nonce, data, sealed.subarray(0, length)))
      assert.isNull(aead.open(key, nonce, data.subarray(1), sealed))
    })

    it("SYS L4 refuses a key or a nonce of another length, however OpenSSL takes it", () => {
      for (const length of [0, 8, 11, 13, 16]) {
        assert.throws(() => aead.seal(key, noise(length), data, plaintext), RangeError)
        assert.throws(() => aead.open(key, noise(length), data, sealed), RangeError)
      }
      for (const length of [0, 16, 24, 31, 33]) {
        assert.throws(() => aead.seal(noise(length), nonce, data, plaintext), RangeError)
        assert.throws(() => aead.open(noise(length), nonce, data, sealed), RangeError)
      }
    })

    it("gives memory of its own, and changes nothing that it was given", () => {
      const copies = [key, nonce, data, plaintext, sealed].map((bytes) => bytes.slice())
      const again = aead.seal(key, nonce, data, plaintext)
      const opened = aead.open(key, nonce, data, again)
      assert.strictEqual(again.length, plaintext.length + tagBytes)
      for (const bytes of [again, opened ?? assert.fail("it did not open"), aead.derive(key, nonce, data, 32)]) {
        assert.strictEqual(Object.getPrototypeOf(bytes), Uint8Array.prototype)
        assert.strictEqual(bytes.buffer.byteLength, bytes.length)
      }
      assert.deepStrictEqual([key, nonce, data, plaintext, sealed], copies)
    })
  })
}
