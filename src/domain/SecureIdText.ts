/**
 * Converts a secure id between its two forms: 20 bytes (the 16 of a UUIDv7 and the 4 of its
 * suffix), and the text in records (CONFORMANCE D9).
 */
import { digitOf, textOf } from "./Hex.ts"

/** The length of an id in bytes. */
export const secureIdBytes = 20

const HYPHEN = 0x2d
const hyphens = 5

/** The characters of an id: one buffer for all calls, which are synchronous. */
const characters = Array.from({ length: 2 * secureIdBytes + hyphens }, () => HYPHEN)

/** The text of the first 20 bytes. */
export const secureIdText = (id: Uint8Array): string => {
  let at = 0
  for (let i = 0; i < secureIdBytes; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10 || i === 16) characters[at++] = HYPHEN
    const byte = id[i] ?? 0
    characters[at++] = digitOf(byte >> 4)
    characters[at++] = digitOf(byte & 15)
  }
  return textOf(characters)
}

/** The bytes of a text that `secureIdText` made; other texts give wrong bytes, not an error. */
export const secureIdFrom = (text: string): Uint8Array => {
  const digits = text.replaceAll("-", "")
  return Uint8Array.from({ length: secureIdBytes }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}
