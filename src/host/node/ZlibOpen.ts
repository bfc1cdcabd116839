/**
 * Decompression by node:zlib. It opens one stream that fills the bytes exactly, and enforces its
 * limit to the byte.
 *
 * **Gotchas**
 *
 * - zlib stops where a stream ends and does not report what follows; for gzip and zstd it even goes
 *   on with a following stream as though it were the same. So this file checks each codec's frame
 *   as well.
 */
import { constants as bufferConstants } from "node:buffer"
import type { Codec } from "../../domain/Codec.ts"
import { asCompressionError, type CompressionError, corruptStream, tooLarge } from "../port/CompressionError.ts"
import { isOneZstdFrame } from "../port/ZstdFrame.ts"
import { zlib } from "./Zlib.ts"
import { ofItsOwn } from "./ZlibCodecs.ts"

/** The result of zlib with the option `info`. */
interface Inflated {
  readonly buffer: Uint8Array
  /** Bytes of input up to the end of the stream. */
  readonly engine: { readonly bytesWritten: number }
}

interface Options {
  readonly info: true
  readonly maxOutputLength: number
}

/** Types the option `info`, which Node's declarations leave out. */
const withInfo = (inflate: unknown): (bytes: Uint8Array, options: Options) => Inflated =>
  inflate as (bytes: Uint8Array, options: Options) => Inflated

/** The window that RFC 8878 advises, 8 MiB: zlib itself would allocate up to 128 MiB. */
export const zstdParams = (): Readonly<Record<number, number>> => ({ [zlib().constants.ZSTD_d_windowLogMax]: 23 })

const inflaters = {
  gzip: () => withInfo(zlib().inflateRawSync),
  zstd: () =>
    withInfo((bytes: Uint8Array, options: Options) =>
      zlib().zstdDecompressSync(bytes, { ...options, params: zstdParams() })
    ),
  brotli: () => withInfo(zlib().brotliDecompressSync)
}

/** Fails where the stream ends before the input does. */
const inflate = (codec: keyof typeof inflaters, bytes: Uint8Array, limit: number): Uint8Array => {
  // zlib rejects a limit below 1, and one above the longest Buffer.
  const maxOutputLength = Math.min(Math.max(1, limit), bufferConstants.MAX_LENGTH)
  let inflated: Inflated
  try {
    inflated = inflaters[codec]()(bytes, { info: true, maxOutputLength })
  } catch (cause) {
    throw asZlibError(cause, codec, limit)
  }
  if (inflated.buffer.length > limit) throw tooLarge(limit)
  if (inflated.engine.bytesWritten !== bytes.length) throw corruptStream(codec)
  return inflated.buffer
}

/**
 * RFC 1952 section 2.3: the start of a header without optional fields, and the lengths in bytes.
 */
const gzip = { begin: 0x1f8b_0800, header: 10, trailer: 8 }

/**
 * Reads the frame itself, as zlib's gunzip would accept further members, and zeros, as part of it.
 */
const openGzip = (bytes: Uint8Array, limit: number): Uint8Array => {
  const { body, crc, length } = gzipMember(bytes)
  const content = inflate("gzip", body, limit)
  if (crc !== zlib().crc32(content) || length !== content.length >>> 0) throw corruptStream("gzip")
  return content
}

/** The parts of one gzip member without optional fields. Throws where the bytes are none. */
export const gzipMember = (
  bytes: Uint8Array
): { readonly body: Uint8Array; readonly crc: number; readonly length: number } => {
  const end = bytes.length - gzip.trailer
  if (end <= gzip.header) throw corruptStream("gzip")
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0) !== gzip.begin) throw corruptStream("gzip")
  return {
    body: bytes.subarray(gzip.header, end),
    crc: view.getUint32(end, true),
    length: view.getUint32(end + 4, true)
  }
}

/**
 * Opens to at most `limit` bytes, in memory of their own; throws `CompressionError`. The caller has
 * checked that this Node has the codec.
 */
export const open = (codec: Exclude<Codec, "stored">, bytes: Uint8Array, limit: number): Uint8Array => {
  if (codec === "zstd" && !isOneZstdFrame(bytes)) throw corruptStream(codec)
  return ofItsOwn(codec === "gzip" ? openGzip(bytes, limit) : inflate(codec, bytes, limit))
}

/** zlib's error codes for lack of memory, in each codec's spelling: the bytes are not at fault. */
const hostFailure = /mem|alloc|initialization/i

export const asZlibError = (cause: unknown, codec: Codec, limit: number): CompressionError => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  if (code === "ERR_BUFFER_TOO_LARGE") return tooLarge(limit)
  return code === "" || hostFailure.test(code) ? asCompressionError(cause) : corruptStream(codec)
}
