/**
 * Reads the frame around the deflate stream of a gzip member (RFC 1952, 2.3): the header before it,
 * the trailer after it.
 *
 * Promises to read each byte once, to keep none of the names in a header, and to reject a header
 * whose name or comment is longer than 64 KiB.
 */
import * as zlib from "node:zlib"

/**
 * The end of a header or trailer: how many bytes of the chunk belonged to it, and what is wrong
 * with it, if anything.
 */
export interface FrameEnd {
  readonly consumed: number
  readonly mistake: "foreign" | "corrupt" | undefined
}

/**
 * Reads a header or a trailer chunk by chunk. Undefined: all bytes of the chunk belonged to it, and
 * it goes on.
 */
export type FramePart = (chunk: Uint8Array) => FrameEnd | undefined

const maxTextBytes = 65_536

const flag = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 }

/** Feeds the bytes of chunks to a generator that takes them one by one. */
const part = (read: () => Generator<void, FrameEnd["mistake"], number>): FramePart => {
  const reading = read()
  reading.next()
  return (chunk) => {
    for (const [at, byte] of chunk.entries()) {
      const step = reading.next(byte)
      if (step.done === true) return { consumed: at + 1, mistake: step.value }
    }
    return undefined
  }
}

/** A header. `foreign`: it does not begin with the two bytes of every gzip member. */
export const header = (): FramePart =>
  part(function*() {
    let crc = 0
    function* take(): Generator<void, number, number> {
      const byte = yield
      crc = zlib.crc32(Uint8Array.of(byte), crc)
      return byte
    }
    function* takeText(): Generator<void, boolean, number> {
      for (let length = 0; length <= maxTextBytes; length++) if ((yield* take()) === 0) return true
      return false
    }
    if ((yield* take()) !== 0x1f) return "foreign"
    if ((yield* take()) !== 0x8b) return "foreign"
    const method = yield* take()
    const flags = yield* take()
    if (method !== 8 || (flags & flag.reserved) !== 0) return "corrupt"
    for (let time = 0; time < 6; time++) yield* take()
    if ((flags & flag.extra) !== 0) {
      for (let left = (yield* take()) | ((yield* take()) << 8); left > 0; left--) yield* take()
    }
    if ((flags & flag.name) !== 0 && !(yield* takeText())) return "corrupt"
    if ((flags & flag.comment) !== 0 && !(yield* takeText())) return "corrupt"
    if ((flags & flag.headerCrc) !== 0) {
      const expected = crc & 0xffff
      if (((yield* take()) | ((yield* take()) << 8)) !== expected) return "corrupt"
    }
    return undefined
  })

/** The trailer of a member with this CRC-32 and this inflated size in bytes, modulo 2^32. */
export const trailer = (crc: number, size: number): FramePart =>
  part(function*() {
    for (const word of [crc, size])
      for (let shift = 0; shift < 32; shift += 8) if ((yield) !== ((word >>> shift) & 0xff)) return "corrupt"
    return undefined
  })
