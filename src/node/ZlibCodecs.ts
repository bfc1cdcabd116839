/**
 * The codecs of node:zlib, as the main thread and the press worker both use them. It imports nothing but Node, so that a worker
 * starts in a few milliseconds.
 *
 * Levels are those at which pressing is cheap for what it saves: for 1 MiB of JSON zstd 1 takes 3.5 ms and leaves 20 %, gzip 6
 * takes 31 ms and leaves 16 %.
 */
import * as zlib from "node:zlib"

/** A codec under the name that the domain gives it. */
type Press = (bytes: Uint8Array) => Uint8Array

const brotliQuality = 4

/** Node has had zstd since 22.15. */
const hasZstd = "zstdCompressSync" in zlib

/** Presses at once; a codec that this Node lacks is not here. */
export const presses: Readonly<Record<string, Press | undefined>> = {
  stored: (bytes) => bytes,
  gzip: (bytes) => zlib.gzipSync(bytes),
  zstd: hasZstd
    ? (bytes) => zlib.zstdCompressSync(bytes, { params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } })
    : undefined,
  brotli: (bytes) =>
    zlib.brotliCompressSync(bytes, {
      params: {
        [zlib.constants.BROTLI_PARAM_QUALITY]: brotliQuality,
        [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length
      }
    })
}

/** A plain array of the right size: what zlib gives is a Buffer, and of a small one it keeps 64 KiB in memory. */
export const ofItsOwn = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)
