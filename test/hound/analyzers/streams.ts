/**
 * Streams and archives made by hand, for the tests of what opens them.
 */
import { assert } from "@effect/vitest"
import * as zlib from "node:zlib"
import { inflate, makeSink, makeWork, type Work } from "../../../src/hound/analyzers/builtin.mjs"
import { type Random } from "../../support/random.ts"

export const bytesOf = (
  ...parts: ReadonlyArray<Uint8Array | string | ReadonlyArray<number>>
): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    Buffer.concat(parts.map((part) => typeof part === "string" ? Buffer.from(part, "latin1") : Uint8Array.from(part)))
  )

export const u16 = (value: number): Array<number> => [value & 255, (value >>> 8) & 255]
export const u32 = (value: number): Array<number> => [...u16(value & 0xffff), ...u16(value >>> 16)]
export const u64 = (value: number): Array<number> => [...u32(value % 2 ** 32), ...u32(Math.floor(value / 2 ** 32))]

/** Bits in the order of RFC 1951, for streams that no library would write. */
export class Bits {
  readonly bytes: Array<number> = []
  private held = 0
  private count = 0

  /** A number of so many bits, the lowest first. */
  put(value: number, bits: number): this {
    for (let i = 0; i < bits; i++) {
      this.held |= ((value >>> i) & 1) << this.count
      if (++this.count === 8) this.align()
    }
    return this
  }

  /** A Huffman code: the highest bit first. */
  code(value: number, bits: number): this {
    for (let i = bits - 1; i >= 0; i--) this.put((value >>> i) & 1, 1)
    return this
  }

  align(): this {
    if (this.count > 0) this.bytes.push(this.held)
    this.held = 0
    this.count = 0
    return this
  }

  done(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.align().bytes)
  }
}

/** Bytes of every kind that compresses differently: noise, text, runs, far repetitions. */
export const anything = ({ below, chance, pick }: Random, most: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(below(most))
  const alphabet = pick([1, 2, 5, 30, 256])
  let repeats = 0
  let back = 0
  for (let i = 0; i < bytes.length; i++) {
    if (repeats === 0 && i > 0 && chance(0.02)) {
      repeats = below(pick([4, 300, 5000]))
      back = 1 + below(Math.min(i, pick([1, 40, 40_000])))
    }
    if (repeats > 0) {
      repeats--
      bytes[i] = bytes[i - back] ?? 0
    } else bytes[i] = below(alphabet)
  }
  return bytes
}

/** Everything that deflate can be told, and that changes what it writes. */
export const anySettings = ({ below, pick }: Random): zlib.ZlibOptions => ({
  level: below(10),
  memLevel: 1 + below(9),
  windowBits: 9 + below(7),
  strategy: pick([
    zlib.constants.Z_DEFAULT_STRATEGY,
    zlib.constants.Z_FILTERED,
    zlib.constants.Z_HUFFMAN_ONLY,
    zlib.constants.Z_RLE,
    zlib.constants.Z_FIXED
  ])
})

/** The output of the analyzer's inflate, without a bound; null where it is no raw stream. */
export const ours = (raw: Uint8Array, work: Work = makeWork(1e12)) => {
  const sink = makeSink(work)
  const status = inflate(raw, 0, raw.length, sink)
  assert.oneOf(status, ["done", "cut", "broken"])
  return status === "done" ? { size: sink.size, crc: sink.check, used: sink.at } : null
}

/** The same by zlib. */
export const theirs = (raw: Uint8Array) => {
  try {
    const { buffer, engine } = zlib.inflateRawSync(raw, { info: true }) as unknown as {
      readonly buffer: Buffer
      readonly engine: { readonly bytesWritten: number }
    }
    return { size: buffer.length, crc: zlib.crc32(buffer), used: engine.bytesWritten }
  } catch {
    return null
  }
}

/** One entry of a zip: what its headers say may be another thing than what it is. */
export interface Entry {
  readonly name: string
  readonly data?: Uint8Array
  readonly method?: number
  readonly crc?: number
  readonly csize?: number
  readonly usize?: number
  readonly flags?: number
  /** What its own header says, where that is another thing. */
  readonly local?: {
    readonly name?: string
    readonly usize?: number
    readonly csize?: number
    readonly crc?: number
    readonly method?: number
  }
  readonly descriptor?: Uint8Array
  /** Where the directory says that it begins; -1 for where it does. */
  readonly offset?: number
}

export const stored = (name: string, data: Uint8Array | string): Entry => {
  const bytes = bytesOf(data)
  return { name, data: bytes, crc: zlib.crc32(bytes), csize: bytes.length, usize: bytes.length, method: 0 }
}

export const deflated = (name: string, data: Uint8Array | string): Entry => {
  const bytes = bytesOf(data)
  const raw = new Uint8Array(zlib.deflateRawSync(bytes, { level: 9 }))
  return { name, data: raw, crc: zlib.crc32(bytes), csize: raw.length, usize: bytes.length, method: 8 }
}

/** The end of a zip: of so many entries and directory bytes, at this offset. */
export const zipEnd = (entries: number, size: number, offset: number, comment = ""): Uint8Array =>
  bytesOf(
    "PK\x05\x06",
    u16(0),
    u16(0),
    u16(entries),
    u16(entries),
    u32(size),
    u32(offset),
    u16(comment.length),
    comment
  )

/** A local header with what comes after it. */
export const localOf = (
  { crc = 0, csize = 0, data, descriptor, flags = 0, local = {}, method = 0, name, usize = 0 }: Entry
): Uint8Array =>
  bytesOf(
    "PK\x03\x04",
    u16(20),
    u16(flags),
    u16(local.method ?? method),
    u32(0),
    u32(local.crc ?? crc),
    u32(local.csize ?? csize),
    u32(local.usize ?? usize),
    u16((local.name ?? name).length),
    u16(0),
    local.name ?? name,
    data ?? [],
    descriptor ?? []
  )

export const centralOf = (
  { crc = 0, csize = 0, flags = 0, method = 0, name, usize = 0 }: Entry,
  offset: number
): Uint8Array =>
  bytesOf(
    "PK\x01\x02",
    u16(20),
    u16(20),
    u16(flags),
    u16(method),
    u32(0),
    u32(crc),
    u32(csize),
    u32(usize),
    u16(name.length),
    u16(0),
    u16(0),
    u16(0),
    u16(0),
    u32(0),
    u32(offset),
    name
  )

export const zipOf = (entries: ReadonlyArray<Entry>, comment = ""): Uint8Array<ArrayBuffer> => {
  const locals: Array<Uint8Array> = []
  const directory: Array<Uint8Array> = []
  let offset = 0
  for (const entry of entries) {
    const local = localOf(entry)
    directory.push(centralOf(entry, entry.offset ?? offset))
    locals.push(local)
    offset += local.length
  }
  const central = bytesOf(...directory)
  return bytesOf(...locals, central, zipEnd(entries.length, central.length, offset, comment))
}

/** One header of a tar with its content. `size` is what it says of it. */
export const tarEntry = (
  name: string,
  data: Uint8Array | string,
  size: string | null = null,
  type = "0"
): Uint8Array<ArrayBuffer> => {
  const content = bytesOf(data)
  const header = new Uint8Array(512)
  header.set(bytesOf(name))
  header.set(bytesOf("0000644\x000000000\x000000000\0"), 100)
  header.set(bytesOf(size ?? `${content.length.toString(8).padStart(11, "0")}\0`), 124)
  header.set(bytesOf("00000000000\0"), 136)
  header.set(bytesOf("        ", type), 148)
  header.set(bytesOf("ustar\x0000"), 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.set(bytesOf(`${sum.toString(8).padStart(6, "0")}\0 `), 148)
  return bytesOf(header, content, new Uint8Array((512 - content.length % 512) % 512))
}

export const tarOf = (...entries: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> =>
  bytesOf(...entries, new Uint8Array(1024))
