/**
 * The compressors of node:zlib. The main thread and the compression worker both use them, and this
 * file imports nothing but Node, so that a worker starts in a few milliseconds.
 *
 * The levels are those at which compression is cheap for what it saves: for 1 MiB of JSON zstd 1
 * takes 3.5 ms and leaves 20 %, gzip 6 takes 31 ms and leaves 16 %.
 */
import { promisify } from "node:util"
import * as zlib from "node:zlib"

/** Compresses on the caller's turn (`now`) or on libuv's thread pool (`later`). */
export interface Compressor {
  readonly now: (bytes: Uint8Array) => Uint8Array
  /** Reads the bytes until the promise settles. */
  readonly later: (bytes: Uint8Array) => Promise<Uint8Array>
}

const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT, ZSTD_c_checksumFlag, ZSTD_c_compressionLevel } = zlib.constants

/** Of 0 to 11: about as fast as gzip. */
const brotliQuality = 4

const brotliOptions = (bytes: Uint8Array): zlib.BrotliOptions => ({
  params: { [BROTLI_PARAM_QUALITY]: brotliQuality, [BROTLI_PARAM_SIZE_HINT]: bytes.length }
})

/** The checksum is off by default; without it a flipped bit would give other content. */
const zstdOptions = (): zlib.ZstdOptions => ({ params: { [ZSTD_c_compressionLevel]: 1, [ZSTD_c_checksumFlag]: 1 } })

const gzip = promisify(zlib.gzip)
const brotli = promisify<Uint8Array, zlib.BrotliOptions, Uint8Array>(zlib.brotliCompress)

/** Undefined before Node 22.15, which has no zstd. */
const zstd = (): Compressor | undefined => {
  if (!("zstdCompress" in zlib)) return undefined
  const compress = promisify<Uint8Array, zlib.ZstdOptions, Uint8Array>(zlib.zstdCompress)
  return {
    now: (bytes) => zlib.zstdCompressSync(bytes, zstdOptions()),
    later: (bytes) => compress(bytes, zstdOptions())
  }
}

/** By codec name. It lacks the codecs that this Node lacks, and `stored`, which needs none. */
export const compressors: Readonly<Record<string, Compressor | undefined>> = {
  gzip: { now: (bytes) => zlib.gzipSync(bytes), later: (bytes) => gzip(bytes) },
  zstd: zstd(),
  brotli: {
    now: (bytes) => zlib.brotliCompressSync(bytes, brotliOptions(bytes)),
    later: (bytes) => brotli(bytes, brotliOptions(bytes))
  }
}

/** Copies to a plain array of the right size: a small Buffer of zlib's keeps 64 KiB in memory. */
export const ofItsOwn = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)
