/**
 * gzip (RFC 1952) by fflate, for hosts without node:zlib.
 *
 * Promises to open only one member without optional fields that fills the bytes exactly and whose
 * CRC and size are right, and to stop a decompression bomb at the limit plus one step of input.
 *
 * **Gotchas**
 *
 * - fflate checks neither CRC nor size, accepts a truncated stream, and does not say where deflate
 *   ended. It does say where it finds a further member. So `open` appends one, an empty header
 *   after the last byte, and fflate has to find it exactly there. Bytes between deflate and
 *   trailer, or a member that an attacker added, make fflate find one elsewhere.
 */
import { Gunzip, gzipSync } from "fflate"
import { CompressionError, corruptStream, tooLarge } from "./CompressionError.ts"

/** Input that fflate gets at a time. It may inflate all of it before it is stopped at the limit. */
const stepBytes = 16_384

/**
 * RFC 1952 section 2.3: what a member begins with (deflate, no optional field), the bytes of its
 * header and its trailer.
 */
const frame = { begin: 0x1f8b_0800, header: 10, trailer: 8 }

/** The header that `open` appends: that of a member that never comes. */
const nextMember = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff)

/** At fflate's default level. The same bytes give the same stream, as it holds no time. */
export const compress = (bytes: Uint8Array): Uint8Array => gzipSync(bytes, { mtime: 0 })

/** Opens to at most `limit` bytes; throws `CompressionError`. */
export const open = (bytes: Uint8Array, limit: number): Uint8Array => {
  const end = bytes.length - frame.trailer
  if (end <= frame.header) throw corruptStream("gzip")
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0) !== frame.begin) throw corruptStream("gzip")
  const content = inflate(bytes, limit)
  if (view.getUint32(end, true) !== crc32(content) || view.getUint32(end + 4, true) !== content.length >>> 0)
    throw corruptStream("gzip")
  return content
}

const inflate = (bytes: Uint8Array, limit: number): Uint8Array => {
  const chunks: Array<Uint8Array> = []
  let total = 0
  let memberAt = -1
  const gunzip = new Gunzip((chunk) => {
    total += chunk.length
    if (total > limit) throw tooLarge(limit)
    chunks.push(chunk)
  })
  gunzip.onmember = (at) => {
    if (at !== bytes.length) throw corruptStream("gzip")
    memberAt = at
  }
  try {
    for (let at = 0; at < bytes.length; at += stepBytes) gunzip.push(bytes.subarray(at, at + stepBytes), false)
    gunzip.push(nextMember, false)
  } catch (cause) {
    throw cause instanceof CompressionError ? cause : corruptStream("gzip")
  }
  if (memberAt < 0) throw corruptStream("gzip")
  const whole = new Uint8Array(total)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** The table of RFC 1952 section 8: the remainder of each byte. */
const remainders = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) {
    remainder = (remainder & 1) === 1
      ? 0xedb8_8320 ^ (remainder >>> 1)
      : remainder >>> 1
  }
  return remainder
})

const crc32 = (bytes: Uint8Array): number => {
  let crc = 0xffff_ffff
  for (const byte of bytes) crc = (remainders[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return (crc ^ 0xffff_ffff) >>> 0
}
