/**
 * Cuts bytes into lines: the plain data structure under `lines`.
 *
 * Promises, however the bytes are cut into chunks, that
 *
 * - the lines are the same: LF or CRLF ends one, and the end of the input ends the last; a CR by
 *   itself ends nothing;
 * - it holds no more than `maxLineBytes` and a CR, and between lines no more than 64 KiB;
 * - it reads each byte once and decodes each line once.
 *
 * A line is decoded as the WHATWG Encoding standard says: invalid UTF-8 becomes U+FFFD, and the
 * line then comes with its bytes. NULs around a line are dropped, and a byte order mark at its
 * start: log files that were truncated, preallocated or put together have them. A line of nothing
 * but ASCII white space and NULs has a number but is not given.
 */

/** A line that could be read. */
export interface TextLine {
  readonly _tag: "Text"
  /** Counts from 1; blank lines count. */
  readonly line: number
  /** Without its line break. */
  readonly text: string
  /**
   * Its bytes, where they are not valid UTF-8, so that `text` has U+FFFD in place of some of them.
   */
  readonly bytes?: Uint8Array<ArrayBuffer>
}

/** A line that was skipped. */
export interface RejectedLine {
  readonly _tag: "Rejected"
  readonly line: number
  /**
   * Its length without its line break and the NULs that it began with, with a byte order mark.
   */
  readonly bytes: number
  /** The message for people: what is wrong with the line, and what to do. */
  readonly problem: string
}

export type Line = TextLine | RejectedLine

/** Lines of more bytes than this are skipped, unless the caller says otherwise: 16 MiB. */
export const defaultMaxLineBytes = 16_777_216

/** A line is a JavaScript string in the end, and those end at 512 MiB in V8. */
const largestMaxLineBytes = 268_435_456

/** A buffer of this size is kept from line to line. */
const keptBytes = 65_536

const lf = 0x0a
const cr = 0x0d
const nul = 0x00

export class LineSplitter {
  readonly #maxLineBytes: number
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  #completed = 0
  /** The start of the line that has not ended, in its first `#heldLength` bytes. */
  #held = new Uint8Array(0)
  #heldLength = 0
  /**
   * Bytes of the line that has not ended; where they are more than are held, it is being skipped.
   */
  #length = 0
  #lastByte = 0
  #unended = 0

  /** Throws a RangeError where `maxLineBytes` is not from 1 byte to 256 MiB. */
  constructor(maxLineBytes: number = defaultMaxLineBytes) {
    if (!Number.isInteger(maxLineBytes) || maxLineBytes < 1 || maxLineBytes > largestMaxLineBytes)
      throw new RangeError(`maxLineBytes must be a whole number from 1 to ${largestMaxLineBytes}`)
    this.#maxLineBytes = maxLineBytes
  }

  /** Lines that ended so far, blank and rejected ones too. */
  get completed(): number {
    return this.#completed
  }

  /** The number of the last line, where the input ended before the line did; otherwise 0. */
  get unended(): number {
    return this.#unended
  }

  /** Bytes of memory held until a line ends. */
  get retainedBytes(): number {
    return this.#held.length
  }

  /** The lines that end in the chunk. Keeps no view of it. */
  push(chunk: Uint8Array): Array<Line> {
    const lines: Array<Line> = []
    let start = 0
    for (let end = chunk.indexOf(lf); end >= 0; end = chunk.indexOf(lf, start)) {
      if (this.#length === 0) this.#complete(chunk, start, end, lines)
      else {
        this.#hold(chunk, start, end)
        this.#completeHeld(lines)
      }
      start = end + 1
    }
    if (start < chunk.length) this.#hold(chunk, start, chunk.length)
    return lines
  }

  /** The last line, where the input does not end with a line break. */
  end(): Array<Line> {
    const lines: Array<Line> = []
    if (this.#length > 0) {
      this.#completeHeld(lines)
      this.#unended = this.#completed
    }
    return lines
  }

  #hold(chunk: Uint8Array, from: number, end: number): void {
    const start = this.#length === 0 ? afterNuls(chunk, from, end) : from
    if (end === start) return
    const limit = this.#maxLineBytes + 1
    const length = this.#length + (end - start)
    if (length > limit) {
      this.#held = new Uint8Array(0)
      this.#heldLength = 0
    } else {
      if (length > this.#held.length) {
        const larger = new Uint8Array(Math.min(limit, Math.max(length, this.#held.length * 2, keptBytes)))
        larger.set(this.#held.subarray(0, this.#heldLength))
        this.#held = larger
      }
      this.#held.set(chunk.subarray(start, end), this.#heldLength)
      this.#heldLength = length
    }
    this.#length = length
    this.#lastByte = chunk[end - 1] ?? 0
  }

  #completeHeld(lines: Array<Line>): void {
    if (this.#length > this.#heldLength) this.#reject(this.#length - (this.#lastByte === cr ? 1 : 0), lines)
    else this.#complete(this.#held, 0, this.#heldLength, lines)
    if (this.#held.length > keptBytes) this.#held = new Uint8Array(0)
    this.#heldLength = 0
    this.#length = 0
  }

  /** A whole line lies in `bytes` from `begin` up to its LF, or the input's end, at `end`. */
  #complete(bytes: Uint8Array, begin: number, end: number, lines: Array<Line>): void {
    const start = afterNuls(bytes, begin, end)
    let stop = end > start && bytes[end - 1] === cr ? end - 1 : end
    if (stop - start > this.#maxLineBytes) {
      this.#reject(stop - start, lines)
      return
    }
    const from = startsWithMark(bytes, start, stop) ? afterNuls(bytes, start + 3, stop) : start
    while (stop > from && bytes[stop - 1] === nul) stop -= 1
    this.#completed += 1
    if (isBlank(bytes, from, stop)) return
    const content = bytes.subarray(from, stop)
    const text = this.#decoder.decode(content)
    const line = { _tag: "Text", line: this.#completed, text } as const
    lines.push(text.includes("\ufffd") && !isTextOf(text, content) ? { ...line, bytes: content.slice() } : line)
  }

  #reject(bytes: number, lines: Array<Line>): void {
    this.#completed += 1
    const problem = `the line has ${bytes} bytes and the limit is ${this.#maxLineBytes}: ` +
      "split it, or allow longer lines with maxLineBytes"
    lines.push({ _tag: "Rejected", line: this.#completed, bytes, problem })
  }
}

/** Whether the text is these bytes in UTF-8. */
const isTextOf = (text: string, bytes: Uint8Array): boolean => {
  const encoded = new TextEncoder().encode(text)
  return encoded.length === bytes.length && encoded.every((byte, at) => byte === bytes[at])
}

/** U+FEFF in UTF-8. */
const startsWithMark = (bytes: Uint8Array, start: number, end: number): boolean =>
  end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf

/** The place of the first byte that is no NUL. */
const afterNuls = (bytes: Uint8Array, start: number, end: number): number => {
  let at = start
  while (at < end && bytes[at] === nul) at += 1
  return at
}

/** NUL, space, and tab to carriage return. */
const isBlank = (bytes: Uint8Array, start: number, end: number): boolean => {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0
    if (byte !== nul && byte !== 0x20 && (byte < 0x09 || byte > 0x0d)) return false
  }
  return true
}
