/**
 * Says where JSON.parse loses something of a value, so that the bytes of the value become the
 * evidence in its place. Otherwise different attacks would be the same evidence.
 *
 * JSON.parse and the decoding before it lose bytes that are no UTF-8, all but the last of keys that
 * come twice in an object, and digits of numbers that no double has. They lose nothing where a
 * number or a string is only written in another way, as `1.0` or `"\u0061"`.
 *
 * Promises to give the bytes exactly as they stand in the line; to take time and memory that grow
 * linearly with the line, whatever its depth; and never to throw, for a line that JSON.parse takes.
 *
 * Cost: one pass over the line outside of its strings, and two over the value.
 *
 * **Gotchas**
 *
 * - Where a key on the way to the value comes twice, no one value is right: the bytes are those of
 *   the innermost value around it that is there once.
 */
import type { Scent } from "../../domain/Scent.ts"
import type { TextLine } from "./LineSplitter.ts"

/** A line as its decoder reads it. `bytes` is there where the line is not valid UTF-8. */
export type SourceLine = Pick<TextLine, "text" | "bytes">

/** A scent, and whether its payload is the bytes of a value that JSON.parse would lose some of. */
export interface DecodedLine {
  readonly scent: Scent
  readonly isRaw: boolean
}

/**
 * The bytes of the value at `path`, where JSON.parse loses something of it, otherwise undefined.
 * `value` is what JSON.parse made of it.
 */
export const rawValue = (
  line: SourceLine,
  path: ReadonlyArray<string>,
  value: unknown
): Uint8Array<ArrayBuffer> | undefined => {
  // Invalid bytes swallow no ASCII, so structure is the same where each byte is a character.
  const json = line.bytes === undefined ? line.text : latin1(line.bytes)
  const { end, isOnce, start } = locate(json, path)
  if (line.bytes === undefined) {
    const text = json.slice(start, end)
    return isOnce && isExact(text, value) ? undefined : new TextEncoder().encode(text)
  }
  const bytes = line.bytes.slice(start, end)
  const text = strictText(bytes)
  return isOnce && text !== undefined && isExact(text, value) ? undefined : bytes
}

const latin1 = (bytes: Uint8Array): string => {
  const parts: Array<string> = []
  for (let at = 0; at < bytes.length; at += 8192) parts.push(String.fromCharCode(...bytes.subarray(at, at + 8192)))
  return parts.join("")
}

/** The text, or undefined where the bytes are not valid UTF-8. */
const strictText = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const quote = 0x22
const backslash = 0x5c
const colon = 0x3a
const minus = 0x2d

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
const opens = (code: number): boolean => code === 0x7b || code === 0x5b
const closes = (code: number): boolean => code === 0x7d || code === 0x5d
const isSpace = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d

/** The place of the next character that is no white space. */
const skipSpace = (json: string, at: number): number => {
  let next = at
  while (isSpace(json.charCodeAt(next))) next += 1
  return next
}

/** The place after the string that begins at `at`. */
const stringEnd = (json: string, at: number): number => {
  for (let end = json.indexOf("\"", at + 1); end >= 0; end = json.indexOf("\"", end + 1)) {
    let escapes = end
    while (json.charCodeAt(escapes - 1) === backslash) escapes -= 1
    if ((end - escapes) % 2 === 0) return end + 1
  }
  return json.length
}

/** The place after the number, `true`, `false` or `null` that begins at `at`. */
const scalarEnd = (json: string, at: number): number => {
  let end = at
  while (end < json.length) {
    const code = json.charCodeAt(end)
    if (isSpace(code) || closes(code) || code === 0x2c) return end
    end += 1
  }
  return end
}

/** The place after the value that begins at `at`. */
const valueEnd = (json: string, at: number): number => {
  let depth = 0
  let next = at
  while (next < json.length) {
    const code = json.charCodeAt(next)
    if (code === quote) next = stringEnd(json, next)
    else if (opens(code)) {
      depth += 1
      next += 1
    } else if (closes(code)) {
      depth -= 1
      next += 1
    } else if (depth === 0) return scalarEnd(json, next)
    else next += 1
    if (depth === 0) return next
  }
  return next
}

interface Span {
  readonly start: number
  readonly end: number
}

/** The text of a string without its quotes, from its place in valid JSON. */
const keyAt = (json: string, start: number, end: number): string => {
  const key = json.slice(start + 1, end - 1)
  return key.includes("\\") ? String(JSON.parse(json.slice(start, end))) : key
}

/** The last member of this name in the object at `start`, and how many there are. */
const member = (json: string, start: number, name: string): Span & { readonly count: number } => {
  let found = { start, end: start, count: 0 }
  let at = skipSpace(json, start + 1)
  while (json.charCodeAt(at) === quote) {
    const keyEnd = stringEnd(json, at)
    const from = skipSpace(json, skipSpace(json, keyEnd) + 1)
    const end = valueEnd(json, from)
    if (keyAt(json, at, keyEnd) === name) found = { start: from, end, count: found.count + 1 }
    // Past the comma, or the closing brace.
    at = skipSpace(json, skipSpace(json, end) + 1)
  }
  return found
}

/** The value at `path` or, where a key on the way comes twice, the object that it is twice in. */
const locate = (json: string, path: ReadonlyArray<string>): Span & { readonly isOnce: boolean } => {
  let start = skipSpace(json, 0)
  let end = valueEnd(json, start)
  for (const name of path) {
    const found = member(json, start, name)
    if (found.count !== 1) return { start, end, isOnce: false }
    start = found.start
    end = found.end
  }
  return { start, end, isOnce: true }
}

/** Whether the value has every member and every digit of its text. */
const isExact = (json: string, value: unknown): boolean => {
  let keys = 0
  for (let at = 0; at < json.length;) {
    const code = json.charCodeAt(at)
    if (code === quote) at = stringEnd(json, at)
    else if (code === minus || isDigit(code)) {
      const end = scalarEnd(json, at)
      if (!isExactNumber(json.slice(at, end))) return false
      at = end
    } else {
      if (code === colon) keys += 1
      at += 1
    }
  }
  return keys === keysIn(value)
}

/** Keys of all objects in the value. A key that comes twice in the text is one fewer here. */
const keysIn = (value: unknown): number => {
  let keys = 0
  const waiting = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next !== "object" || next === null) continue
    const inner: ReadonlyArray<unknown> = Array.isArray(next) ? next : Object.values(next)
    if (inner !== next) keys += inner.length
    for (const each of inner) if (typeof each === "object" && each !== null) waiting.push(each)
  }
  return keys
}

/** Whether the double that JSON.parse makes of a number is written with the same digits. */
const isExactNumber = (text: string): boolean => {
  const number = Number(text)
  return Number.isFinite(number) && decimal(text) === decimal(String(number))
}

/** A number without its sign as its significant digits and a power of ten: `2500` is `25e2`. */
const decimal = (text: string): string => {
  const [mantissa = "", power = "0"] = text.replace(/^-/, "").split(/[eE]/)
  const [whole = "", fraction = ""] = mantissa.split(".")
  const digits = whole + fraction
  let start = 0
  while (digits.charCodeAt(start) === 0x30) start += 1
  let end = digits.length
  while (end > start && digits.charCodeAt(end - 1) === 0x30) end -= 1
  if (start === end) return "0"
  return `${digits.slice(start, end)}e${Number(power) - fraction.length + digits.length - end}`
}
