/**
 * Base64 exactly as in RFC 4648 section 4: the standard alphabet, padding to whole groups of four,
 * no white space, no line breaks, and zero bits where the padding leaves some over (section 3.5).
 * So each sequence of bytes has one text, and any other text is refused.
 */

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/** Stands for a character outside the alphabet: it has more than six bits. */
const foreign = 64

const sextets = new Uint8Array(128).fill(foreign)
for (let i = 0; i < alphabet.length; i++) sextets[alphabet.charCodeAt(i)] = i

/** The bytes, or undefined where the text is not strict base64. O(length). */
export const decodeBase64 = (text: string): Uint8Array<ArrayBuffer> | undefined => {
  const length = text.length
  if (length % 4 !== 0) return undefined
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0
  const bytes = new Uint8Array((length / 4) * 3 - padding)
  const digits = length - padding
  let at = 0
  let bits = 0
  for (let i = 0; i < digits; i++) {
    const sextet = sextets[text.charCodeAt(i)] ?? foreign
    if (sextet === foreign) return undefined
    bits = (bits << 6) | sextet
    switch (i % 4) {
      case 1:
        bytes[at++] = bits >> 4
        bits &= 0xf
        break
      case 2:
        bytes[at++] = bits >> 2
        bits &= 0x3
        break
      case 3:
        bytes[at++] = bits
        bits = 0
        break
    }
  }
  return bits === 0 ? bytes : undefined
}
