/**
 * A SHA-256 as a text of 32 characters, as 32 bytes, and as eight 32-bit words. The core compares
 * words, keeps them in rows and uses them as hash codes; hexadecimal is made only for people and
 * records.
 *
 * The words are in the order of the digest's bytes, but each is in the byte order of the host: only
 * compare them, or turn them back into bytes.
 */
import type { Branded } from "effect/Brand"
import { digitOf, textOf } from "./Hex.ts"

/** The length of a digest in words. */
export const digestWords = 8

/** The length of a digest in bytes. */
export const digestBytes = 32

/**
 * A digest that nobody can change: a text of 32 characters, one for each byte. It is what a hash
 * function of the host gives for nothing, and takes a third of the memory that an object of eight
 * numbers does.
 */
export type Digest = Branded<string, "Digest">

/**
 * The characters of a digest in hexadecimal, and as they are: one buffer each for all calls, which
 * are synchronous.
 */
const characters = Array.from({ length: 2 * digestBytes }, () => 0)
const bytesAsCodes = Array.from({ length: digestBytes }, () => 0)

/** The 32 bytes from `at` on, in lowercase hexadecimal. */
export const hexOf = (bytes: Uint8Array, at = 0): string => {
  for (let i = 0; i < digestBytes; i++) {
    const byte = bytes[at + i] ?? 0
    characters[2 * i] = digitOf(byte >> 4)
    characters[2 * i + 1] = digitOf(byte & 15)
  }
  return textOf(characters)
}

/** The digest in lowercase hexadecimal. */
export const digestHex = (digest: Digest): string => {
  for (let i = 0; i < digestBytes; i++) {
    const byte = digest.charCodeAt(i)
    characters[2 * i] = digitOf(byte >> 4)
    characters[2 * i + 1] = digitOf(byte & 15)
  }
  return textOf(characters)
}

/** The value of a hexadecimal digit in lowercase, or -1. */
const nibble = (code: number): number =>
  code >= 0x30 && code <= 0x39 ? code - 0x30 : code >= 0x61 && code <= 0x66 ? code - 0x57 : -1

/** A reusable buffer for one digest, as bytes and as words of the same memory. */
export class DigestBuffer {
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(digestBytes)
  readonly words: Int32Array<ArrayBuffer> = new Int32Array(this.bytes.buffer)

  /** Copies the digest that begins at word `at`. */
  copyFrom(column: Int32Array, at: number): void {
    for (let i = 0; i < digestWords; i++) this.words[i] = column[at + i] ?? 0
  }

  /** Copies what it holds to the words from `at` on. */
  copyTo(words: Int32Array, at: number): void {
    for (let i = 0; i < digestWords; i++) words[at + i] = this.words[i] ?? 0
  }

  /** Copies a digest. */
  copy(digest: Digest): void {
    for (let i = 0; i < digestBytes; i++) this.bytes[i] = digest.charCodeAt(i)
  }

  /** What it holds, as a digest of its own. */
  digest(): Digest {
    for (let i = 0; i < digestBytes; i++) bytesAsCodes[i] = this.bytes[i] ?? 0
    return textOf(bytesAsCodes) as Digest
  }

  /**
   * Reads the rest of `text` after `from` as 64 lowercase hexadecimal characters. False, with
   * undefined contents of the buffer, if it is anything else.
   */
  read(text: string, from: number): boolean {
    if (text.length - from !== 2 * digestBytes) return false
    for (let i = 0; i < digestBytes; i++) {
      const high = nibble(text.charCodeAt(from + 2 * i))
      const low = nibble(text.charCodeAt(from + 2 * i + 1))
      if (high < 0 || low < 0) return false
      this.bytes[i] = (high << 4) | low
    }
    return true
  }
}
