/**
 * Converts a secure id between its two forms: 20 bytes (the 16 of a UUIDv7 and the 4 of its
 * suffix), and the text in records (CONFORMANCE D9).
 */

/** The length of an id in bytes. */
export const secureIdBytes = 20

const hexByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))

/** The text of the first 20 bytes. */
export const secureIdText = (id: Uint8Array): string => {
  let text = ""
  for (let i = 0; i < secureIdBytes; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10 || i === 16) text += "-"
    text += hexByte[id[i] ?? 0] ?? ""
  }
  return text
}

/** The bytes of a text that `secureIdText` made; other texts give wrong bytes, not an error. */
export const secureIdFrom = (text: string): Uint8Array => {
  const digits = text.replaceAll("-", "")
  return Uint8Array.from({ length: secureIdBytes }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}
