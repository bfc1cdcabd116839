/**
 * The codecs of node:zlib that press, as the main thread and the press worker both use them. It
 * imports nothing but Node, so that a worker starts in a few milliseconds.
 *
 * Levels are those at which pressing is cheap for what it saves: for 1 MiB of JSON zstd 1 takes 3.5
 * ms and leaves 20 %, gzip 6 takes 31 ms and leaves 16 %.
 */
import { promisify } from "node:util"
import * as zlib from "node:zlib"

/** A codec that presses, on this turn or on libuv's thread pool. */
export interface Press {
  readonly now: (bytes: Uint8Array) => Uint8Array
  /** Reads the bytes until it ends. */
  readonly later: (bytes: Uint8Array) => Promise<Uint8Array>
}

const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT, ZSTD_c_checksumFlag, ZSTD_c_compressionLevel } = zlib.constants

/** Of 11: about as fast as gzip. */
const brotliQuality = 4

const brotliOptions = (bytes: Uint8Array): zlib.BrotliOptions => ({
  params: { [BROTLI_PARAM_QUALITY]: brotliQuality, [BROTLI_PARAM_SIZE_HINT]: bytes.length }
})

/** With the checksum, which zstd leaves out by itself: a flipped bit would give other content. */
const zstdOptions = (): zlib.ZstdOptions => ({ params: { [ZSTD_c_compressionLevel]: 1, [ZSTD_c_checksumFlag]: 1 } })

const gzip = promisify(zlib.gzip)
const brotli = promisify<Uint8Array, zlib.BrotliOptions, Uint8Array>(zlib.brotliCompress)

/** Node has zstd from 22.15 on. */
const zstd = (): Press | undefined => {
  if (!("zstdCompress" in zlib)) return undefined
  const compress = promisify<Uint8Array, zlib.ZstdOptions, Uint8Array>(zlib.zstdCompress)
  return {
    now: (bytes) => zlib.zstdCompressSync(bytes, zstdOptions()),
    later: (bytes) => compress(bytes, zstdOptions())
  }
}

/**
 * By the domain's names; a codec that this Node lacks is not here, nor is `stored`, which needs no
 * press.
 */
export const presses: Readonly<Record<string, Press | undefined>> = {
  gzip: { now: (bytes) => zlib.gzipSync(bytes), later: (bytes) => gzip(bytes) },
  zstd: zstd(),
  brotli: {
    now: (bytes) => zlib.brotliCompressSync(bytes, brotliOptions(bytes)),
    later: (bytes) => brotli(bytes, brotliOptions(bytes))
  }
}

/**
 * A plain array of the right size: what zlib gives is a Buffer, and of a small one it keeps 64 KiB
 * in memory.
 */
export const ofItsOwn = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)
