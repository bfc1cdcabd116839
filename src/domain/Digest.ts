/**
 * A SHA-256 as eight 32-bit words. The core compares words, keeps them in columns and uses them as
 * hash codes; hexadecimal is made only for people and records.
 *
 * The words are in the order of the digest's bytes, but each is in the byte order of the host: only
 * compare them, or turn them back into bytes.
 */
import { digitOf, textOf } from "./Hex.ts"

/** The length of a digest in words. */
export const digestWords = 8

/** The length of a digest in bytes. */
export const digestBytes = 32

/** The characters of a digest: one buffer for all calls, which are synchronous. */
const characters = Array.from({ length: 2 * digestBytes }, () => 0)

/** The 32 bytes from `at` on, in lowercase hexadecimal. */
export const hexOf = (bytes: Uint8Array, at = 0): string => {
  for (let i = 0; i < digestBytes; i++) {
    const byte = bytes[at + i] ?? 0
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

  /** Copies the digest that begins at word `at` of a column. */
  copyFrom(column: Int32Array, at: number): void {
    for (let i = 0; i < digestWords; i++) this.words[i] = column[at + i] ?? 0
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

/**
 * An immutable digest. It has 8 fields rather than an array, so that making one is a single small
 * allocation.
 */
export class Digest {
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
  readonly e: number
  readonly f: number
  readonly g: number
  readonly h: number

  constructor(words: Int32Array, at: number) {
    this.a = words[at] ?? 0
    this.b = words[at + 1] ?? 0
    this.c = words[at + 2] ?? 0
    this.d = words[at + 3] ?? 0
    this.e = words[at + 4] ?? 0
    this.f = words[at + 5] ?? 0
    this.g = words[at + 6] ?? 0
    this.h = words[at + 7] ?? 0
  }

  /** In lowercase hexadecimal. */
  hex(): string {
    const words = Int32Array.of(this.a, this.b, this.c, this.d, this.e, this.f, this.g, this.h)
    return hexOf(new Uint8Array(words.buffer))
  }
}
