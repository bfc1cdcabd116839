/**
 * Compression as the rooms ask for it. What a host presses, any other host can open.
 *
 * **Gotchas**
 *
 * - `gzipSync` holds its caller up: about 31 ms for 1 MiB. It is for an operator's act on one piece of evidence, never for
 *   `intercept`.
 * - `gunzipSync` gives back no more than its limit. The portable one, which reads 16 KiB of input at a time, may inflate as
 *   much as one such step holds (about 16 MiB) before it stops; Node's stops at the limit.
 * - It opens what `gzip` makes: a whole stream of one member. What a host does with optional fields or further members is its
 *   own affair; the portable one does not see bytes that stand between the end of deflate and the trailer.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as fflate from "fflate"

/** The bytes could not be pressed or opened. */
export class CompressionError extends Schema.TaggedError<CompressionError>()("CompressionError", {
  reason: Schema.Literals(["corrupt", "too_large", "host"]),
  message: Schema.String
}) {}

/** A compressor and its inverse. */
export class Compression extends Context.Service<Compression, {
  /** RFC 1952, off the caller's turn where the host can. It reads the bytes until it ends: an interruption waits for it. */
  readonly gzip: (bytes: Uint8Array) => Effect.Effect<Uint8Array, CompressionError>
  /** RFC 1952, at once. */
  readonly gzipSync: (bytes: Uint8Array) => Uint8Array
  /** The inverse, to at most `limit` bytes; throws `CompressionError`. */
  readonly gunzipSync: (bytes: Uint8Array, limit: number) => Uint8Array
}>()("tracehound/port/Compression") {
  /** fflate: for hosts without node:zlib. It presses on the caller's turn. */
  static readonly layerPortable = Layer.sync(Compression, () => {
    const gzipSync = (bytes: Uint8Array): Uint8Array => fflate.gzipSync(bytes, { mtime: 0 })
    return { gzip: (bytes) => Effect.sync(() => gzipSync(bytes)), gzipSync, gunzipSync: gunzipBounded }
  })
}

/** How much compressed input fflate sees at a time: what it may inflate beyond the limit before it is stopped. */
const inflateStep = 16_384

/** RFC 1952 section 2.3: what `gzip` begins with (deflate, no optional field), and the bytes of the header and the trailer. */
const frame = { begin: 0x1f8b_0800, header: 10, trailer: 8 }

const corrupt = (): CompressionError => new CompressionError({ reason: "corrupt", message: "not a whole gzip stream" })

/**
 * fflate's streaming inflater, stopped at the limit: its one-call form would allocate what a bomb asks for. The frame is read
 * here, as fflate looks neither at the CRC nor at the size, and takes a stream that was cut for a whole one.
 */
const gunzipBounded = (bytes: Uint8Array, limit: number): Uint8Array => {
  if (bytes.length <= frame.header + frame.trailer) throw corrupt()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0) !== frame.begin) throw corrupt()
  const content = inflateBounded(bytes.subarray(frame.header, -frame.trailer), limit)
  const end = bytes.length - frame.trailer
  if (view.getUint32(end, true) !== crc32(content) || view.getUint32(end + 4, true) !== content.length >>> 0)
    throw corrupt()
  return content
}

const inflateBounded = (body: Uint8Array, limit: number): Uint8Array => {
  const chunks: Array<Uint8Array> = []
  let total = 0
  const inflater = new fflate.Inflate((chunk) => {
    total += chunk.length
    if (total > limit) throw new CompressionError({ reason: "too_large", message: `more than ${limit} bytes inside` })
    chunks.push(chunk)
  })
  try {
    for (let at = 0; at < body.length; at += inflateStep) {
      inflater.push(body.subarray(at, at + inflateStep), at + inflateStep >= body.length)
    }
  } catch (cause) {
    throw cause instanceof CompressionError ? cause : corrupt()
  }
  const whole = new Uint8Array(total)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** RFC 1952 section 8: the remainders of all bytes. */
const remainders = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) {
    remainder = (remainder & 1) === 1 ? 0xedb8_8320 ^ (remainder >>> 1) : remainder >>> 1
  }
  return remainder
})

const crc32 = (bytes: Uint8Array): number => {
  let crc = 0xffff_ffff
  for (const byte of bytes) crc = (remainders[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return (crc ^ 0xffff_ffff) >>> 0
}
