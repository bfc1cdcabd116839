/**
 * Strings as canonical bytes: quoted as RFC 8785 section 3.2.2.2 asks, or raw as UTF-8.
 *
 * A lone surrogate has no UTF-8. Quoted it becomes a `\udxxx` escape (as in ECMAScript's
 * well-formed JSON.stringify), raw it becomes the three bytes of generalised UTF-8 (WTF-8). Both
 * keep two different strings different.
 *
 * Cost: a string that cannot fit is refused by its length alone, before a character is read, so
 * that a 1 GB rope is never flattened. Short strings take one pass in JavaScript; long ones are
 * written in native code, and their bytes are looked at once, or twice where some are to be
 * escaped. Only a long string that has lone surrogates is copied on the way.
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
const SPACE = 0x20
const hexDigits = "0123456789abcdef"

const stringify: (text: string) => string = JSON.stringify
const { call } = Function.prototype
const isWellFormed: (text: string) => boolean = call.bind(String.prototype.isWellFormed)
const includes: (text: string, part: string) => boolean = call.bind(String.prototype.includes)

/**
 * Writes `text` as a JSON string. False when it does not fit; the sink's content is then undefined.
 */
export const writeQuoted = (sink: Sink, text: string): boolean => {
  if (text.length + 2 > sink.remaining) return false
  return text.length <= shortLength ? writeShortQuoted(sink, text) : writeLongQuoted(sink, text)
}

/** Writes `text` as its UTF-8 (WTF-8 for lone surrogates). False when it does not fit. */
export const writeRaw = (sink: Sink, text: string): boolean => {
  if (text.length > sink.remaining) return false
  if (text.length > shortLength) {
    // Whether it fits is known before the whole text is looked at for lone surrogates.
    const written = writeWellFormed(sink, text)
    if (written < 0) return false
    if (written === text.length || isWellFormed(text)) return true
    sink.length -= written
  }
  for (let from = 0; from < text.length; from += shortLength) {
    writeGeneralised(sink, text, from, Math.min(from + shortLength, text.length))
    if (!sink.fits()) return false
  }
  return true
}

/**
 * Writes a text as its UTF-8 and gives the number of bytes, -1 where they do not fit. Lone
 * surrogates become U+FFFD, of as many bytes as they have themselves.
 */
const writeWellFormed = (sink: Sink, text: string): number => {
  if (text.length > sink.remaining) return -1
  const room = Math.min(MAX_UTF8 * text.length, sink.remaining)
  sink.reserve(room)
  const written = sink.writeUtf8(text, sink.bytes, sink.length, room)
  if (written > 0) sink.length += written
  return written
}

const writeLongQuoted = (sink: Sink, text: string): boolean => {
  sink.reserve(1)
  sink.byte(QUOTE)
  const from = sink.length
  const written = writeWellFormed(sink, text)
  if (written < 0) return false
  if (written !== text.length && !isWellFormed(text)) {
    sink.length = from - 1
    // JSON.stringify of a primitive string looks up no toJSON, and escapes exactly what RFC 8785
    // 3.2.2.2 escapes, and lone surrogates.
    return writeWellFormed(sink, stringify(text)) >= 0
  }
  if (hasControls(sink, from) || includes(text, "\"") || includes(text, "\\")) {
    const more = bytesOfEscapes(sink.bytes, from, sink.length)
    if (more > sink.remaining) return false
    sink.reserve(more)
    escape(sink.bytes, sink.length, more)
    sink.length += more
  }
  sink.byte(QUOTE)
  return sink.fits()
}

/** Whether a byte below 0x20 is among those from `from` on: four at a time. */
const hasControls = ({ bytes, length, words }: Sink, from: number): boolean => {
  // The last four may end in the spare room.
  bytes.fill(SPACE, length, length + 3)
  for (let at = from; at < length; at += 4) {
    const word = words.getInt32(at, true)
    if (((word - 0x2020_2020) & ~word & 0x8080_8080) !== 0) return true
  }
  return false
}

/** How many bytes more these will have when they are escaped. */
const bytesOfEscapes = (bytes: Uint8Array, from: number, to: number): number => {
  let more = 0
  for (let at = from; at < to; at++) more += escapeBytes[bytes[at] ?? 0] ?? 0
  return more
}

/** Escapes the bytes that end at `to`, which become `more`, from the last to the first. */
const escape = (bytes: Uint8Array, to: number, more: number): void => {
  let gap = more
  for (let at = to - 1; gap > 0; at--) {
    const byte = bytes[at] ?? 0
    const growth = escapeBytes[byte] ?? 0
    gap -= growth
    if (growth === 0) bytes[at + gap] = byte
    else writeEscape(bytes, at + gap, byte)
  }
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

/** How many bytes more each byte has when it is escaped. */
const escapeBytes = Uint8Array.from(
  { length: 256 },
  (_, byte) =>
    byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH ? 0 : shortEscape(byte) === 0 ? maxEscapeBytes - 1 : 1
)

const writeUnicodeEscape = (bytes: Uint8Array, at: number, unit: number): number => {
  bytes[at] = BACKSLASH
  bytes[at + 1] = 0x75
  for (let digit = 0; digit < 4; digit++) bytes[at + 2 + digit] = hexDigits.charCodeAt((unit >> (12 - 4 * digit)) & 15)
  return at + 6
}
