/**
 * A scanner for JSON that is not trusted: one pass over the bytes, a bounded stack, and no values.
 *
 * `JSON.parse` would build whatever the evidence asks for, silently keep the last of two equal
 * keys, and run out of stack or memory where the sender wants it to. The scanner reads the shape
 * alone.
 *
 * Cost: O(bytes). Memory: O(keys of the objects that are open), of which there are at most
 * `bounds.keys`.
 */
import { noFindings, type Shape } from "./shape.ts"

/** Where the scanner stops, with the status `unbounded`. */
export interface Bounds {
  /** Objects and arrays within one another. */
  readonly depth: number
  /** Keys of all objects together. */
  readonly keys: number
}

export const defaultBounds: Bounds = { depth: 256, keys: 100_000 }

/** Characters of a key that are compared: two longer keys that begin alike count as equal. */
const maxKey = 256

const quote = 0x22
const backslash = 0x5c

const isSpace = (c: number): boolean => c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09
const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39

const hexValue = (c: number): number =>
  isDigit(c) ? c - 0x30 : c >= 0x61 && c <= 0x66 ? c - 0x57 : c >= 0x41 && c <= 0x46 ? c - 0x37 : -1

/** The character of the escape `\x`, by the code of x; -1 where there is no such escape. */
const unescaped = (c: number): number => {
  switch (c) {
    case quote:
    case backslash:
    case 0x2f:
      return c
    case 0x62:
      return 8
    case 0x66:
      return 12
    case 0x6e:
      return 10
    case 0x72:
      return 13
    case 0x74:
      return 9
    default:
      return -1
  }
}

/** An object or array that is not closed yet; `keys` is null for arrays. */
interface Open {
  readonly keys: Set<string> | null
  count: number
}

/** The tokens that JSON allows next. */
type Expected = "value" | "valueOrEnd" | "key" | "keyOrEnd" | "commaOrEnd" | "end"

class Scanner {
  readonly shape: Shape = noFindings()
  readonly #bytes: Uint8Array
  readonly #bounds: Bounds
  readonly #open: Array<Open> = []
  #at = 0

  constructor(bytes: Uint8Array, bounds: Bounds) {
    this.#bytes = bytes
    this.#bounds = bounds
  }

  run(): Shape {
    const { shape } = this
    const bytes = this.#bytes
    // A byte order mark is no part of JSON, and parsers differ about it.
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#at = 3
    let expected: Expected | null = "value"
    while (expected !== null && this.#at < bytes.length) {
      const c = this.#peek()
      if (isSpace(c)) this.#at++
      else expected = this.#step(expected, c)
    }
    if (expected !== "end") shape.status = shape.status === "unbounded" ? "unbounded" : "notJson"
    shape.scanned = this.#at
    return shape
  }

  #peek(): number {
    return this.#bytes[this.#at] ?? -1
  }

  /** One token; null where it does not fit. */
  #step(expected: Expected, c: number): Expected | null {
    switch (expected) {
      case "end":
        return null
      case "key":
      case "keyOrEnd":
        if (c === 0x7d && expected === "keyOrEnd") return this.#close(true)
        return c === quote ? this.#key() : null
      case "commaOrEnd":
        if (c === 0x2c) {
          this.#at++
          return this.#top().keys === null ? "value" : "key"
        }
        return c === 0x7d || c === 0x5d ? this.#close(c === 0x7d) : null
      case "valueOrEnd":
        if (c === 0x5d) return this.#close(false)
        return this.#value(c)
      case "value":
        return this.#value(c)
    }
  }

  #top(): Open {
    return this.#open[this.#open.length - 1] ?? { keys: null, count: 0 }
  }

  #afterValue(): Expected {
    return this.#open.length === 0 ? "end" : "commaOrEnd"
  }

  #value(c: number): Expected | null {
    const { shape } = this
    if (c === 0x7b || c === 0x5b) return this.#enter(c === 0x7b)
    if (c === quote) {
      const length = this.#text(null)
      if (length < 0) return null
      shape.longestString = Math.max(shape.longestString, length)
      return this.#afterValue()
    }
    if (c === 0x2d || isDigit(c)) return this.#number() ? this.#afterValue() : null
    return this.#word("true") || this.#word("false") || this.#word("null") ? this.#afterValue() : null
  }

  #enter(isObject: boolean): Expected | null {
    const { shape } = this
    const bounds = this.#bounds
    const open = this.#open
    if (open.length === bounds.depth) {
      shape.status = "unbounded"
      return null
    }
    open.push({ keys: isObject ? new Set() : null, count: 0 })
    if (isObject) shape.objects++
    else shape.arrays++
    shape.depth = Math.max(shape.depth, open.length)
    this.#at++
    return isObject ? "keyOrEnd" : "valueOrEnd"
  }

  #close(isObject: boolean): Expected | null {
    const closed = this.#open.pop()
    if (closed === undefined || (closed.keys !== null) !== isObject) return null
    this.#at++
    return this.#afterValue()
  }

  #key(): Expected | null {
    const { shape } = this
    const bounds = this.#bounds
    const units: Array<number> = []
    if (this.#text(units) < 0) return null
    const object = this.#top()
    const name = String.fromCharCode(...units)
    if (++shape.keys > bounds.keys) {
      shape.status = "unbounded"
      return null
    }
    shape.mostKeys = Math.max(shape.mostKeys, ++object.count)
    if (object.keys?.has(name) === true) shape.duplicateKeys++
    object.keys?.add(name)
    if (name === "__proto__" || name === "constructor" || name === "prototype") shape.dangerousKeys++
    while (isSpace(this.#peek())) this.#at++
    if (this.#peek() !== 0x3a) return null
    this.#at++
    return "value"
  }

  /**
   * Goes past a string, and collects the first of its characters; its length in bytes and escapes,
   * or -1 where it is none.
   */
  #text(units: Array<number> | null): number {
    const bytes = this.#bytes
    let length = 0
    for (this.#at++; this.#at < bytes.length; length++) {
      let unit = this.#peek()
      this.#at++
      if (unit === quote) return length
      if (unit < 0x20) return -1
      if (unit === backslash) {
        const escape = this.#peek()
        this.#at++
        unit = escape === 0x75 ? this.#unicode() : unescaped(escape)
        if (unit < 0) return -1
      }
      if (units !== null && units.length < maxKey) units.push(unit)
    }
    return -1
  }

  /** The four digits of an escape. */
  #unicode(): number {
    let unit = 0
    for (let i = 0; i < 4; i++) {
      const value = hexValue(this.#peek())
      if (value < 0) return -1
      unit = unit * 16 + value
      this.#at++
    }
    return unit
  }

  #digits(): number {
    const from = this.#at
    while (isDigit(this.#peek())) this.#at++
    return this.#at - from
  }

  /** Goes past a number, and counts it where parsers may read it as different numbers. */
  #number(): boolean {
    const { shape } = this
    const from = this.#at
    if (this.#peek() === 0x2d) this.#at++
    const isZero = this.#peek() === 0x30
    const whole = this.#digits()
    if (whole === 0 || (isZero && whole > 1)) return false
    let fraction = 0
    if (this.#peek() === 0x2e) {
      this.#at++
      fraction = this.#digits()
      if (fraction === 0) return false
    }
    let exponent = 0
    if ((this.#peek() | 0x20) === 0x65) {
      this.#at++
      if (this.#peek() === 0x2b || this.#peek() === 0x2d) this.#at++
      const start = this.#at
      if (this.#digits() === 0) return false
      for (let i = start; i < this.#at && exponent < 100_000; i++)
        exponent = exponent * 10 + (this.#bytes[i] ?? 0) - 0x30
    }
    shape.longestNumber = Math.max(shape.longestNumber, this.#at - from)
    // More digits than a double has, or an exponent that is too large for it.
    if (whole + fraction > 17 || exponent > 300) shape.inexactNumbers++
    return true
  }

  #word(text: string): boolean {
    for (let i = 0; i < text.length; i++) if (this.#bytes[this.#at + i] !== text.charCodeAt(i)) return false
    this.#at += text.length
    return true
  }
}

/** The shape of what may be JSON. */
export const scan = (bytes: Uint8Array, bounds: Bounds = defaultBounds): Shape => new Scanner(bytes, bounds).run()
