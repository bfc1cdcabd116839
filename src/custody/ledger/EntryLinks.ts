/**
 * What a verifier reads of an entry: its place, and the entry that it names (spec/ledger.md,
 * "Verifying a ledger").
 *
 * Reading JSON and writing it again costs several times an entry's hash. So custody's own entries,
 * by far the most, are compared byte by byte with what they must be; what `CustodyEntries` takes is
 * canonical, and anything else is read in full.
 */
import { hashBytes } from "./Merkle.ts"

const utf8 = new TextEncoder()
const bytesOf = (text: string): Uint8Array => utf8.encode(text)

/** What stands between the values of an entry of custody. */
const part = {
  heads: ["neutralized", "evacuated", "transferred", "evicted", "purged"].map((action) =>
    bytesOf(`{"action":"${action}","actor":"tracehound",`)
  ),
  compressedSize: bytesOf("\"compressedSize\":"),
  destination: bytesOf("\"destination\":"),
  none: bytesOf("null"),
  id: bytesOf("\"id\":\""),
  payloadHash: bytesOf("\",\"payloadHash\":\""),
  previous: bytesOf("\",\"previous\":\""),
  quote: bytesOf("\","),
  reason: bytesOf("\"reason\":\""),
  sequence: bytesOf("\"sequence\":"),
  severity: bytesOf("\"severity\":\""),
  signature: bytesOf("\"signature\":\""),
  size: bytesOf("\",\"size\":"),
  time: bytesOf(",\"time\":"),
  end: bytesOf("}")
} as const

/** Sets of characters, as bits of the table `classes`. */
const HEX = 1
const ID = 2
const LETTER = 4
const PLAIN = 8

/** By byte, the sets that it is in. PLAIN: ASCII that JSON writes as it is. */
const classes = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  return (/[0-9a-f]/.test(character) ? HEX : 0) | (/[0-9a-f-]/.test(character) ? ID : 0) |
    (/[a-z]/.test(character) ? LETTER : 0) | (/[ !#-[\]-~]/.test(character) ? PLAIN : 0)
})

/** The two digits of each byte, as one number of 16 bits. */
const digitPairs = Uint16Array.from({ length: 256 }, (_, byte) => {
  const [high = 0, low = 0] = bytesOf(byte.toString(16).padStart(2, "0"))
  return (high << 8) | low
})

const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const QUOTE = 0x22
const idLength = 45
/** Whole numbers of so many digits are exact. */
const maxDigits = 15

/** Reads bytes from left to right; once something does not fit, nothing does. */
class Cursor {
  at = 0
  private fits = true
  private readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  begin(at: number): void {
    this.at = at
    this.fits = true
  }

  /** Whether all has fit, and ends at this place. */
  endsAt(end: number): boolean {
    return this.fits && this.at === end
  }

  /** Whether these bytes come next; then they are read. */
  skips(part: Uint8Array): boolean {
    const { at, bytes } = this
    for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false
    this.at = at + part.length
    return true
  }

  expect(part: Uint8Array): void {
    if (!this.skips(part)) this.fits = false
  }

  /** So many bytes of a set. */
  expectAll(set: number, count: number): void {
    const { at, bytes } = this
    let common = set
    for (let i = 0; i < count; i++) common &= classes[bytes[at + i] ?? 0] ?? 0
    if (common === 0) this.fits = false
    this.at = at + count
  }

  /** As many bytes of a set as there are, at least `least`. */
  expectSome(set: number, least: number): void {
    const { at, bytes } = this
    let end = at
    while (((classes[bytes[end] ?? 0] ?? 0) & set) !== 0) end += 1
    if (end - at < least) this.fits = false
    this.at = end
  }

  /** One byte. */
  expectByte(byte: number): void {
    if (this.bytes[this.at] !== byte) this.fits = false
    this.at += 1
  }

  /** A whole number as JSON has it. */
  whole(): number {
    const { at, bytes } = this
    let value = 0
    let end = at
    for (let digit = bytes[end] ?? 0; digit >= ZERO && digit <= NINE; digit = bytes[++end] ?? 0)
      value = value * 10 + digit - ZERO
    if (end === at || end - at > maxDigits || (bytes[at] === ZERO && end - at > 1)) this.fits = false
    this.at = end
    return value
  }

  /** The digits of a hash. */
  expectHash(hash: Uint8Array): void {
    const { at, bytes } = this
    let difference = 0
    for (let i = 0; i < hashBytes; i++) {
      const pair = ((bytes[at + 2 * i] ?? 0) << 8) | (bytes[at + 2 * i + 1] ?? 0)
      difference |= pair ^ (digitPairs[hash[i] ?? 0] ?? 0)
    }
    if (difference !== 0) this.fits = false
    this.at = at + 2 * hashBytes
  }
}

/**
 * Compares texts in one buffer with entries of custody. It knows their plainest form alone: whole
 * numbers of at most 15 digits, and a destination of ASCII that JSON writes as it is.
 */
export class CustodyEntries {
  private readonly cursor: Cursor

  /** The buffer that all texts are in; behind the longest of them it has at least one byte. */
  constructor(bytes: Uint8Array) {
    this.cursor = new Cursor(bytes)
  }

  /**
   * Whether the text from `start` up to `end` is custody's entry at this place, behind the entry of
   * this hash. False says nothing of it. Reads nothing behind `end` that changes the answer.
   */
  has(start: number, end: number, sequence: number, previous: Uint8Array): boolean {
    const { cursor } = this
    cursor.begin(start)
    if (!this.head()) return false
    if (cursor.skips(part.compressedSize)) {
      cursor.whole()
      cursor.expectByte(0x2c)
    }
    if (cursor.skips(part.destination)) {
      if (cursor.skips(part.none)) cursor.expectByte(0x2c)
      else {
        cursor.expectByte(QUOTE)
        cursor.expectSome(PLAIN, 0)
        cursor.expect(part.quote)
      }
    }
    cursor.expect(part.id)
    cursor.expectAll(ID, idLength)
    cursor.expect(part.payloadHash)
    cursor.expectAll(HEX, 2 * hashBytes)
    cursor.expect(part.previous)
    cursor.expectHash(previous)
    cursor.expect(part.quote)
    this.word(part.reason)
    cursor.expect(part.sequence)
    const place = cursor.whole()
    cursor.expectByte(0x2c)
    this.word(part.severity)
    cursor.expect(part.signature)
    cursor.expectSome(LETTER, 1)
    cursor.expectByte(COLON)
    cursor.expectAll(HEX, 2 * hashBytes)
    cursor.expect(part.size)
    cursor.whole()
    cursor.expect(part.time)
    cursor.whole()
    cursor.expect(part.end)
    return place === sequence && cursor.endsAt(end)
  }

  private head(): boolean {
    for (const head of part.heads) if (this.cursor.skips(head)) return true
    return false
  }

  /** A field whose value is a word, where it is there. */
  private word(name: Uint8Array): void {
    if (!this.cursor.skips(name)) return
    this.cursor.expectSome(LETTER, 1)
    this.cursor.expect(part.quote)
  }
}
