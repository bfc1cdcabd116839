/**
 * Archives of unusual kinds, made by hand.
 */
import * as zlib from "node:zlib"
import { bytesOf, centralOf, localOf, stored, u16, u32, u64 } from "./streams.ts"

/** An .xz whose one block is not one, and which declares this size. The size is below 2^21. */
export const xzOf = (size: number, records = 1): Uint8Array => {
  const sizes = [16, (size & 127) | 128, ((size >> 7) & 127) | 128, size >> 14]
  const index = bytesOf([0, records], sizes, [0, 0], [1, 2, 3, 4])
  return bytesOf("\xfd7zXZ\0", [0, 4, 1, 2, 3, 4], new Uint8Array(16), index, [1, 2, 3, 4], u32(index.length / 4 - 1), [
    0,
    4
  ], "YZ")
}

/** A gzip of so many MiB of zeros that nobody ever held: one deflate block again and again. */
export const gzipOfZeros = (mebibytes: number): Uint8Array<ArrayBuffer> => {
  const zeros = new Uint8Array(1_048_576)
  const block = zlib.deflateRawSync(zeros, { finishFlush: zlib.constants.Z_FULL_FLUSH })
  const header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
  const blocks = Array.from({ length: mebibytes }, () => block)
  // The CRC is not right: nobody is to come as far as that.
  return bytesOf(header, ...blocks, [3, 0], u32(0), u32((mebibytes * 1_048_576) % 2 ** 32))
}

/** A zip whose sizes and directory are all in zip64 records. */
export const withZip64 = (): Uint8Array => {
  const entry = stored("a.txt", "a text\n")
  const local = localOf({ ...entry, local: { csize: 0xffffffff, usize: 0xffffffff } })
  const wide = bytesOf(centralOf({ ...entry, csize: 0xffffffff, usize: 0xffffffff }, 0))
  const extra = bytesOf(u16(1), u16(16), u64(7), u64(7))
  wide.set(u16(extra.length), 30)
  const central = bytesOf(wide, extra)
  const at = local.length
  return bytesOf(
    local,
    central,
    "PK\x06\x06",
    u64(44),
    u16(45),
    u16(45),
    u32(0),
    u32(0),
    u64(1),
    u64(1),
    u64(central.length),
    u64(at),
    "PK\x06\x07",
    u32(0),
    u64(at + central.length),
    u32(1),
    "PK\x05\x06",
    u16(0),
    u16(0),
    u16(0xffff),
    u16(0xffff),
    u32(0xffffffff),
    u32(0xffffffff),
    u16(0)
  )
}
