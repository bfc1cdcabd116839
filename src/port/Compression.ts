/**
 * Compression as the rooms ask for it. What a host presses, any other host can open.
 *
 * **Gotchas**
 *
 * - `gzipSync` holds its caller up: about 31 ms for 1 MiB. It is for an operator's act on one piece of evidence, never for
 *   `intercept`.
 * - `gunzipSync` gives back no more than its limit. The portable one, which reads 16 KiB of input at a time, may inflate as
 *   much as one such step holds (about 16 MiB) before it stops; Node's stops at the limit.
 * - It opens a whole stream of one member, as `gzip` makes it. What a host does with more than that is its own affair.
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

/** fflate's streaming inflater, stopped at the limit: its one-call form would allocate what a bomb asks for. */
const gunzipBounded = (bytes: Uint8Array, limit: number): Uint8Array => {
  const chunks: Array<Uint8Array> = []
  let total = 0
  const inflater = new fflate.Gunzip((chunk) => {
    total += chunk.length
    if (total > limit) throw new CompressionError({ reason: "too_large", message: `more than ${limit} bytes inside` })
    chunks.push(chunk)
  })
  try {
    for (let at = 0; at === 0 || at < bytes.length; at += inflateStep) {
      inflater.push(bytes.subarray(at, at + inflateStep), at + inflateStep >= bytes.length)
    }
  } catch (cause) {
    if (cause instanceof CompressionError) throw cause
    throw new CompressionError({ reason: "corrupt", message: "not a whole gzip stream" })
  }
  const whole = new Uint8Array(total)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  if (!isWhole(bytes, whole)) throw new CompressionError({ reason: "corrupt", message: "not a whole gzip stream" })
  return whole
}

/** RFC 1952 section 2.3.1: a stream ends in the CRC-32 and the size of what is inside. fflate looks at neither. */
const isWhole = (stream: Uint8Array, content: Uint8Array): boolean => {
  if (stream.length < trailerBytes) return false
  const trailer = new DataView(stream.buffer, stream.byteOffset + stream.length - trailerBytes, trailerBytes)
  return trailer.getUint32(0, true) === crc32(content) && trailer.getUint32(4, true) === content.length >>> 0
}

const trailerBytes = 8

/** RFC 1952 section 8: the remainders of all bytes. */
const remainders = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++)
    remainder = (remainder & 1) === 1
      ? 0xedb8_8320 ^ (remainder >>> 1)
      : remainder >>> 1
  return remainder
})

const crc32 = (bytes: Uint8Array): number => {
  let crc = 0xffff_ffff
  for (const byte of bytes) crc = (remainders[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return (crc ^ 0xffff_ffff) >>> 0
}
