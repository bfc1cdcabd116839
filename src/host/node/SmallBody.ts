/**
 * Inflates a small deflate stream (RFC 1951) at once, on the caller's turn: for gzip members that
 * lie whole in the bytes at hand, of which a log may have one a line.
 *
 * Cost: about 20 us and what zlib takes, at most 64 KiB that come out. A stream that is not small,
 * not whole or damaged costs as much and gives nothing.
 */
import * as zlib from "node:zlib"

/** The most input that is looked at, and the most output that is made. */
const maxBytes = { input: 16_384, output: 65_536 } as const

export interface SmallBody {
  readonly bytes: Uint8Array
  /** Bytes of the input that belong to the stream. */
  readonly consumed: number
  readonly crc: number
}

/** What node:zlib gives under its option `info`. */
interface Informed {
  readonly buffer: Uint8Array
  readonly engine: { readonly bytesWritten: number }
}

const options = { info: true, maxOutputLength: maxBytes.output, chunkSize: 16_384 }

/**
 * The stream at the start of the input, or undefined where it has to be inflated piece by piece.
 */
export const inflate = (input: Uint8Array): SmallBody | undefined => {
  try {
    const { buffer, engine }: Informed = zlib.inflateRawSync(input.subarray(0, maxBytes.input), options) as never
    return { bytes: buffer, consumed: engine.bytesWritten, crc: zlib.crc32(buffer) }
  } catch {
    return undefined
  }
}
