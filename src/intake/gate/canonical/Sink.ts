/**
 * The canonical writer's output buffer, reused from write to write, and views of it. It grows by
 * doubling, and never past its limit.
 *
 * Promises that a writer which calls `reserve(n)` with n <= maxTokenBytes may then store n bytes
 * unchecked, and a comma or colon or two (spareBytes) after them; and that the limit is exact:
 * `fits()` is true for `limit` bytes and false for one more. The room past the limit exists so that
 * a short token can be stored first and checked afterwards.
 *
 * **Gotchas**
 *
 * - Growing replaces `bytes`: read the field again after `reserve`.
 */

import { type WriteUtf8, writeUtf8 } from "../../../host/port/Memory.ts"

/** The longest token that may be stored before the limit is looked at, in bytes. */
const maxTokenBytes = 448
/** Bytes left free after every reservation, for the punctuation up to the next one. */
const spareBytes = 4
/** Room past the limit: a token and its punctuation, stored where the limit was already reached. */
const slackBytes = maxTokenBytes + 2 * spareBytes

const initialBytes = 1024
const noPrefix = new Uint8Array(0)

export class Sink {
  /** The greatest length that counts as fitting, in bytes, the prefix included. */
  readonly limit: number
  /** The length of the prefix, which stays as it is. */
  readonly start: number
  readonly writeUtf8: WriteUtf8
  /** Backing store; [0, length) is written. */
  bytes: Uint8Array<ArrayBuffer>
  /** The same memory, to look at several bytes at once. */
  words: DataView<ArrayBuffer>
  /** The length up to which no growing is needed: asking `bytes` for its own takes longer. */
  private room: number
  /** Bytes written so far. May exceed `limit` by at most one token until the next `fits()`. */
  length = 0

  /** `limit` counts the bytes behind the prefix. */
  constructor(limit: number, prefix: Uint8Array = noPrefix, write: WriteUtf8 = writeUtf8) {
    this.writeUtf8 = write
    this.start = prefix.length
    this.limit = prefix.length + limit
    this.bytes = new Uint8Array(Math.min(this.limit, initialBytes) + slackBytes)
    this.bytes.set(prefix)
    this.words = new DataView(this.bytes.buffer)
    this.room = this.bytes.length - spareBytes
    this.length = prefix.length
  }

  /** Bytes that may still be written; negative when the limit is already crossed. */
  get remaining(): number {
    return this.limit - this.length
  }

  /** True while the limit holds. */
  fits(): boolean {
    return this.length <= this.limit
  }

  /**
   * Makes room for `count` more bytes, at most maxTokenBytes or at most `remaining`, and spareBytes
   * behind them.
   */
  reserve(count: number): void {
    if (this.length + count > this.room) this.grow(this.length + count + spareBytes)
  }

  /** Stores one byte in room that was reserved, or punctuation in the spare room. */
  byte(value: number): void {
    this.bytes[this.length++] = value
  }

  /**
   * Stores a short ASCII text (at most maxTokenBytes characters) and says whether the limit still
   * holds.
   */
  ascii(text: string): boolean {
    const count = text.length
    this.reserve(count)
    const bytes = this.bytes
    let at = this.length
    for (let i = 0; i < count; i++) bytes[at++] = text.charCodeAt(i)
    this.length = at
    return at <= this.limit
  }

  /**
   * Stores the bytes of other memory from `from` to `to`, of which at most one is past the limit:
   * four at a time, so that the other memory has three more, and what comes next overwrites as many
   * here.
   */
  copy(source: DataView, from: number, to: number): void {
    this.reserve(to - from)
    const { length, words } = this
    for (let at = from; at < to; at += 4) words.setInt32(length + at - from, source.getInt32(at, true), true)
    this.length = length + to - from
  }

  /** Overwrites all of its memory, the prefix too. */
  wipe(): void {
    this.bytes.fill(0)
  }

  private grow(needed: number): void {
    const grown = new Uint8Array(Math.min(Math.max(2 * this.bytes.length, needed), this.limit + slackBytes))
    grown.set(this.bytes.subarray(0, this.length))
    this.wipe()
    this.bytes = grown
    this.words = new DataView(grown.buffer)
    this.room = grown.length - spareBytes
  }
}

/** Views kept. The length decides the place, which lengths share. */
const places = 1024

type Kept = Array<Uint8Array<ArrayBuffer> | undefined>

const nothing = (): Kept => Array.from({ length: places }, () => undefined)

/**
 * Views of the bytes in a sink. A view of a length that was asked for lately is given again, so
 * that looking at what was written allocates nothing where the same comes again and again.
 *
 * At most twice 1,024 views of the same memory; they are forgotten when the sink grows.
 */
export class ScratchViews {
  private readonly sink: Sink
  private memory: Uint8Array<ArrayBuffer>
  private contents = nothing()
  private whole = nothing()

  constructor(sink: Sink) {
    this.sink = sink
    this.memory = sink.bytes
  }

  /** The bytes written, without the prefix. */
  content(): Uint8Array<ArrayBuffer> {
    this.refresh()
    return this.view(this.contents, this.sink.start)
  }

  /** The prefix and the bytes written. */
  prefixed(): Uint8Array<ArrayBuffer> {
    this.refresh()
    return this.view(this.whole, 0)
  }

  private refresh(): void {
    if (this.memory === this.sink.bytes) return
    this.memory = this.sink.bytes
    this.contents = nothing()
    this.whole = nothing()
  }

  private view(kept: Kept, from: number): Uint8Array<ArrayBuffer> {
    const { length } = this.sink
    const size = length - from
    const place = size & (places - 1)
    const known = kept[place]
    if (known !== undefined && known.length === size) return known
    return kept[place] = this.memory.subarray(from, length)
  }
}
