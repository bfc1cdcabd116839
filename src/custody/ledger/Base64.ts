/**
 * Base64 (RFC 4648 4, with padding) as signed notes have it: each byte string has one text.
 */

/** Bytes that one call of `fromCharCode` takes. */
const step = 8_192

export const base64 = (bytes: Uint8Array): string => {
  let characters = ""
  for (let at = 0; at < bytes.length; at += step) characters += String.fromCharCode(...bytes.subarray(at, at + step))
  return btoa(characters)
}

/** The bytes of a text; null where it is not the one text of any. Never throws. */
export const fromBase64 = (text: string): Uint8Array<ArrayBuffer> | null => {
  // What atob refuses, and what it lets through: white space, padding left out, bits left over.
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null
  const characters = atob(text)
  const bytes = new Uint8Array(characters.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i)
  return base64(bytes) === text ? bytes : null
}
