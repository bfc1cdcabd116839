/**
 * Strings as canonical bytes: quoted as RFC 8785 section 3.2.2.2 asks, or raw as UTF-8.
 *
 * A lone surrogate has no UTF-8. Quoted it becomes a `\udxxx` escape (as in ECMAScript's
 * well-formed JSON.stringify), raw it becomes the three bytes of generalised UTF-8 (WTF-8). Both
 * keep two different strings different.
 *
 * Cost: a string that cannot fit is refused by its length alone, before a character is read, so
 * that a 1 GB rope is never flattened. Short strings take one pass in JavaScript; long ones two
 * passes in native code, which is faster from about 64 characters on.
 *
 * **Gotchas**
 *
 * - No regular expression may be used on payload text: `RegExp.input` would keep the text alive.
 */
import type { Sink } from "./Sink.ts"

const shortLength = 64
const maxEscapeBytes = 6
const MAX_UTF8 = 3

const QUOTE = 0x22
const BACKSLASH = 0x5c
const hexDigits = "0123456789abcdef"

const encoder = new TextEncoder()
const stringify: (text: string) => string = JSON.stringify
const isWellFormed: (text: string) => boolean = Function.prototype.call.bind(String.prototype.isWellFormed)

/**
 * Writes `text` as a JSON string. False when it does not fit; the sink's content is then undefined.
 */
export const writeQuoted = (sink: Sink, text: string): boolean => {
  if (text.length + 2 > sink.remaining) return false
  // JSON.stringify of a primitive string looks up no toJSON, and escapes exactly what RFC 8785
  // 3.2.2.2 escapes.
  return text.length <= shortLength ? writeShortQuoted(sink, text) : writeWellFormed(sink, stringify(text))
}

/** Writes `text` as its UTF-8 (WTF-8 for lone surrogates). False when it does not fit. */
export const writeRaw = (sink: Sink, text: string): boolean => {
  if (text.length > sink.remaining) return false
  if (text.length > shortLength) {
    // Lone surrogates become U+FFFD here, of as many bytes: whether it fits is known before the
    // whole text is looked at for them.
    const from = sink.length
    if (!writeWellFormed(sink, text)) return false
    if (isWellFormed(text)) return true
    sink.length = from
  }
  for (let from = 0; from < text.length; from += shortLength) {
    writeGeneralised(sink, text, from, Math.min(from + shortLength, text.length))
    if (!sink.fits()) return false
  }
  return true
}

const writeWellFormed = (sink: Sink, text: string): boolean => {
  if (text.length > sink.remaining) return false
  const room = Math.min(MAX_UTF8 * text.length, sink.remaining)
  sink.reserve(room)
  // The view ends where the limit ends, so that a character crossing it is left unread.
  const { read, written } = encoder.encodeInto(text, new Uint8Array(sink.bytes.buffer, sink.length, room))
  sink.length += written
  return read === text.length
}

const writeShortQuoted = (sink: Sink, text: string): boolean => {
  const { length } = text
  sink.reserve(maxEscapeBytes * length + 2)
  const { bytes } = sink
  const from = sink.length + 1
  bytes[from - 1] = QUOTE
  let plain = 0
  for (; plain < length; plain++) {
    const unit = text.charCodeAt(plain)
    if (unit < 0x20 || unit > 0x7f || unit === QUOTE || unit === BACKSLASH) break
    bytes[from + plain] = unit
  }
  const to = plain === length ? from + length : writeEscaped(bytes, from + plain, text, plain)
  bytes[to] = QUOTE
  sink.length = to + 1
  return sink.fits()
}

/** Writes the text from this unit on, and gives the position behind it. */
const writeEscaped = (bytes: Uint8Array, from: number, text: string, first: number): number => {
  let at = from
  for (let i = first; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) {
      if (unit > 0x1f && unit !== QUOTE && unit !== BACKSLASH) bytes[at++] = unit
      else at = writeEscape(bytes, at, unit)
    } else if (unit < 0x800) {
      bytes[at++] = 0xc0 | (unit >> 6)
      bytes[at++] = 0x80 | (unit & 0x3f)
    } else if (unit < 0xd800 || unit > 0xdfff) at = writeThree(bytes, at, unit)
    else if (isPair(text, i, unit)) at = writePair(bytes, at, unit, text.charCodeAt(++i))
    else at = writeUnicodeEscape(bytes, at, unit)
  }
  return at
}

/**
 * Writes the code points that start in [from, to); a pair may end one unit further, which the next
 * call then skips.
 */
const writeGeneralised = (sink: Sink, text: string, from: number, to: number): void => {
  sink.reserve(MAX_UTF8 * (to - from) + 1)
  const bytes = sink.bytes
  let at = sink.length
  const first = from > 0 && isPair(text, from - 1, text.charCodeAt(from - 1)) ? from + 1 : from
  for (let i = first; i < to; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) bytes[at++] = unit
    else if (unit < 0x800) {
      bytes[at++] = 0xc0 | (unit >> 6)
      bytes[at++] = 0x80 | (unit & 0x3f)
    } else if (isPair(text, i, unit)) at = writePair(bytes, at, unit, text.charCodeAt(++i))
    else at = writeThree(bytes, at, unit)
  }
  sink.length = at
}

/** Past the end of the text charCodeAt gives NaN, which is within no range. */
const isPair = (text: string, at: number, unit: number): boolean => {
  if (unit < 0xd800 || unit > 0xdbff) return false
  const next = text.charCodeAt(at + 1)
  return next >= 0xdc00 && next <= 0xdfff
}

const writeThree = (bytes: Uint8Array, at: number, unit: number): number => {
  bytes[at] = 0xe0 | (unit >> 12)
  bytes[at + 1] = 0x80 | ((unit >> 6) & 0x3f)
  bytes[at + 2] = 0x80 | (unit & 0x3f)
  return at + 3
}

const writePair = (bytes: Uint8Array, at: number, high: number, low: number): number => {
  const point = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)
  bytes[at] = 0xf0 | (point >> 18)
  bytes[at + 1] = 0x80 | ((point >> 12) & 0x3f)
  bytes[at + 2] = 0x80 | ((point >> 6) & 0x3f)
  bytes[at + 3] = 0x80 | (point & 0x3f)
  return at + 4
}

/**
 * RFC 8785 3.2.2.2: the five short escapes, quote and backslash; any other control character as
 * lowercase \u00xx.
 */
const writeEscape = (bytes: Uint8Array, at: number, unit: number): number => {
  const letter = shortEscape(unit)
  if (letter === 0) return writeUnicodeEscape(bytes, at, unit)
  bytes[at] = BACKSLASH
  bytes[at + 1] = letter
  return at + 2
}

const shortEscape = (unit: number): number => {
  switch (unit) {
    case 0x08:
      return 0x62
    case 0x09:
      return 0x74
    case 0x0a:
      return 0x6e
    case 0x0c:
      return 0x66
    case 0x0d:
      return 0x72
    case QUOTE:
    case BACKSLASH:
      return unit
    default:
      return 0
  }
}

const writeUnicodeEscape = (bytes: Uint8Array, at: number, unit: number): number => {
  bytes[at] = BACKSLASH
  bytes[at + 1] = 0x75
  for (let digit = 0; digit < 4; digit++) bytes[at + 2 + digit] = hexDigits.charCodeAt((unit >> (12 - 4 * digit)) & 15)
  return at + 6
}
