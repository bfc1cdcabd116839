/**
 * Opening by node:zlib: one stream that fills the bytes exactly, to a limit that is met to the
 * byte.
 *
 * **Gotchas**
 *
 * - zlib stops where a stream ends, and says nothing of what follows; or, for gzip and zstd, goes
 *   on with another stream as though it were the same. So each codec's frame is looked at here as
 *   well.
 */
import { constants as bufferConstants } from "node:buffer"
import * as zlib from "node:zlib"
import type { Codec } from "../../domain/Codec.ts"
import { asCompressionError, type CompressionError, corruptStream, tooLarge } from "../port/CompressionError.ts"
import { isOneZstdFrame } from "../port/ZstdFrame.ts"
import { ofItsOwn } from "./ZlibCodecs.ts"

/** What zlib gives when it is asked for `info`. */
interface Inflated {
  readonly buffer: Uint8Array
  /** How much of the input it read: to the end of the stream. */
  readonly engine: { readonly bytesWritten: number }
}

interface Options {
  readonly info: true
  readonly maxOutputLength: number
}

/** zlib's declarations leave out what `info` does. */
const withInfo = (inflate: unknown): (bytes: Uint8Array, options: Options) => Inflated =>
  inflate as (bytes: Uint8Array, options: Options) => Inflated

/** What RFC 8878 advises decoders to support, 8 MiB: zlib itself would take memory for 128 MiB. */
const zstdParams = { [zlib.constants.ZSTD_d_windowLogMax]: 23 }

const inflaters = {
  gzip: withInfo(zlib.inflateRawSync),
  zstd: withInfo((bytes: Uint8Array, options: Options) =>
    zlib.zstdDecompressSync(bytes, { ...options, params: zstdParams })
  ),
  brotli: withInfo(zlib.brotliDecompressSync)
}

/** The content of one stream, which must take the whole input. */
const inflate = (codec: keyof typeof inflaters, bytes: Uint8Array, limit: number): Uint8Array => {
  // zlib takes no limit below 1, and none above the most that a Buffer holds.
  const maxOutputLength = Math.min(Math.max(1, limit), bufferConstants.MAX_LENGTH)
  let inflated: Inflated
  try {
    inflated = inflaters[codec](bytes, { info: true, maxOutputLength })
  } catch (cause) {
    throw asRefusal(cause, codec, limit)
  }
  if (inflated.buffer.length > limit) throw tooLarge(limit)
  if (inflated.engine.bytesWritten !== bytes.length) throw corruptStream(codec)
  return inflated.buffer
}

/** RFC 1952 section 2.3: deflate without optional fields, and the bytes of header and trailer. */
const gzip = { begin: 0x1f8b_0800, header: 10, trailer: 8 }

/**
 * One member, its frame read here: zlib's gunzip would take further members, and zeros, for part of
 * it.
 */
const openGzip = (bytes: Uint8Array, limit: number): Uint8Array => {
  const end = bytes.length - gzip.trailer
  if (end <= gzip.header) throw corruptStream("gzip")
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0) !== gzip.begin) throw corruptStream("gzip")
  const content = inflate("gzip", bytes.subarray(gzip.header, end), limit)
  const isSound = view.getUint32(end, true) === zlib.crc32(content) &&
    view.getUint32(end + 4, true) === content.length >>> 0
  if (!isSound) throw corruptStream("gzip")
  return content
}

/**
 * Opens to at most `limit` bytes, in memory of their own; throws `CompressionError`. For codecs
 * that this Node has.
 */
export const open = (codec: Exclude<Codec, "stored">, bytes: Uint8Array, limit: number): Uint8Array => {
  if (codec === "zstd" && !isOneZstdFrame(bytes)) throw corruptStream(codec)
  return ofItsOwn(codec === "gzip" ? openGzip(bytes, limit) : inflate(codec, bytes, limit))
}

/**
 * What says nothing against the bytes: zlib's own codes for want of memory, in each codec's way of
 * writing them.
 */
const ofTheHost = /mem|alloc|initialization/i

const asRefusal = (cause: unknown, codec: Codec, limit: number): CompressionError => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  if (code === "ERR_BUFFER_TOO_LARGE") return tooLarge(limit)
  return code === "" || ofTheHost.test(code) ? asCompressionError(cause) : corruptStream(codec)
}
