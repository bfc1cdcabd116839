/**
 * What stands around the deflate stream of a gzip member (RFC 1952, 2.3): the header before it, the
 * trailer after it.
 *
 * Promises to look at each byte once, to keep none of the names in a header, and to give up on a
 * header whose name or comment goes on for more than 64 KiB.
 */
import * as zlib from "node:zlib"

/**
 * The end of a part: how many bytes of the chunk belonged to it, and what is wrong with it, if
 * anything.
 */
export interface FrameEnd {
  readonly consumed: number
  readonly mistake: "foreign" | "corrupt" | undefined
}

/**
 * A part of the frame, read as its bytes come. Undefined: all bytes belonged to it and it goes on.
 */
export type FramePart = (chunk: Uint8Array) => FrameEnd | undefined

const maxTextBytes = 65_536

const flag = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 }

/** A generator that takes bytes one by one, as a part of the frame. */
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

/** A header. `foreign` where it is not even the two bytes that open every gzip member. */
export const header = (): FramePart =>
  part(function*() {
    let crc = 0
    function* take(): Generator<void, number, number> {
      const byte = yield
      crc = zlib.crc32(Uint8Array.of(byte), crc)
      return byte
    }
    function* takeText(): Generator<void, boolean, number> {
      for (let length = 0; length <= maxTextBytes; length++) {
        if ((yield* take()) === 0) return true
      }
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

/** The trailer of a member that inflated to `size` bytes, modulo 2 to the 32, with that CRC-32. */
export const trailer = (crc: number, size: number): FramePart =>
  part(function*() {
    for (const word of [crc, size]) {
      for (let shift = 0; shift < 32; shift += 8) {
        if ((yield) !== ((word >>> shift) & 0xff)) return "corrupt"
      }
    }
    return undefined
  })
