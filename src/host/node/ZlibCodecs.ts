/**
 * The compressors of node:zlib. The main thread and the compression worker both use them, and this
 * file loads nothing but Node, so that a worker starts in a few milliseconds.
 *
 * The levels are those at which compression is cheap for what it saves: for 1 MiB of JSON zstd 1
 * takes 3.5 ms and leaves 20 %, gzip 6 takes 31 ms and leaves 16 %.
 */
import { promisify } from "node:util"
import type { BrotliOptions, ZstdOptions } from "node:zlib"
import { zlib } from "./Zlib.ts"

/** Compresses on the caller's turn (`now`) or on libuv's thread pool (`later`). */
export interface Compressor {
  readonly now: (bytes: Uint8Array) => Uint8Array
  /** Reads the bytes until the promise settles. */
  readonly later: (bytes: Uint8Array) => Promise<Uint8Array>
}

/** Of 0 to 11: about as fast as gzip. */
const brotliQuality = 4

const brotliOptions = (bytes: Uint8Array): BrotliOptions => {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = zlib().constants
  return { params: { [BROTLI_PARAM_QUALITY]: brotliQuality, [BROTLI_PARAM_SIZE_HINT]: bytes.length } }
}

/** The checksum is off by default; without it a flipped bit would give other content. */
const zstdOptions = (): ZstdOptions => {
  const { ZSTD_c_checksumFlag, ZSTD_c_compressionLevel } = zlib().constants
  return { params: { [ZSTD_c_compressionLevel]: 1, [ZSTD_c_checksumFlag]: 1 } }
}

const gzip: Compressor = {
  now: (bytes) => zlib().gzipSync(bytes),
  later: (bytes) => promisify(zlib().gzip)(bytes)
}

const zstd: Compressor = {
  now: (bytes) => zlib().zstdCompressSync(bytes, zstdOptions()),
  later: (bytes) => promisify<Uint8Array, ZstdOptions, Uint8Array>(zlib().zstdCompress)(bytes, zstdOptions())
}

const brotli: Compressor = {
  now: (bytes) => zlib().brotliCompressSync(bytes, brotliOptions(bytes)),
  later: (bytes) => promisify<Uint8Array, BrotliOptions, Uint8Array>(zlib().brotliCompress)(bytes, brotliOptions(bytes))
}

/** By codec name. It lacks the codecs that this Node lacks, and `stored`, which needs none. */
export const compressors: Readonly<Record<string, Compressor | undefined>> = {
  gzip,
  // Node has had zstd since 22.15. The version of its library says so without loading zlib.
  zstd: "zstd" in process.versions ? zstd : undefined,
  brotli
}

/** Copies to a plain array of the right size: a small Buffer of zlib's keeps 64 KiB in memory. */
export const ofItsOwn = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)
