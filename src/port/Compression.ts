/**
 * Compression as the rooms ask for it. What a host presses, any other host that has the codec can open (CONFORMANCE E6, E7).
 *
 * **Gotchas**
 *
 * - `pressSync` holds its caller up: gzip takes about 31 ms for 1 MiB. It is for an operator's act on one piece of evidence,
 *   never for `intercept`.
 * - `openSync` gives back no more than its limit. The portable gzip, which reads 16 KiB of input at a time, may inflate as
 *   much as one such step holds (about 16 MiB) before it stops; Node's stops at the limit.
 * - It opens one stream that ends where the bytes end, and for gzip a member without optional fields: what pressing makes.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as fflate from "fflate"
import type { Codec } from "../domain/Codec.ts"

/** The bytes could not be pressed or opened. */
export class CompressionError extends Schema.TaggedError<CompressionError>()("CompressionError", {
  reason: Schema.Literals(["corrupt", "too_large", "unsupported", "host"]),
  message: Schema.String
}) {}

/** A compressor and its inverse. */
export class Compression extends Context.Service<Compression, {
  /** What this host can press and open. */
  readonly codecs: ReadonlyArray<Codec>
  /**
   * Copies the bytes at once, so that they are the caller's again when it returns, and presses them off the caller's turn where
   * the host can. The effect waits for the result; it is to be run once.
   */
  readonly pressUnsafe: (codec: Codec, bytes: Uint8Array) => Effect.Effect<Uint8Array, CompressionError>
  /** On the caller's turn. Throws `CompressionError` for a codec that the host lacks. */
  readonly pressSync: (codec: Codec, bytes: Uint8Array) => Uint8Array
  /** The inverse, to at most `limit` bytes; throws `CompressionError`. */
  readonly openSync: (codec: Codec, bytes: Uint8Array, limit: number) => Uint8Array
}>()("tracehound/port/Compression") {
  /** fflate, for hosts without node:zlib: stored and gzip, pressed on the turn of whoever waits for it. */
  static readonly layerPortable = Layer.sync(Compression, () => ({
    codecs: ["stored", "gzip"],
    pressSync,
    pressUnsafe: (codec, bytes) => {
      const copy = new Uint8Array(bytes)
      return Effect.suspend(() => {
        const pressed = Effect.try({ try: () => pressSync(codec, copy), catch: asCompressionError })
        return Effect.ensuring(pressed, Effect.sync(() => copy.fill(0)))
      })
    },
    openSync: (codec, bytes, limit) => {
      if (codec === "stored") return openStored(bytes, limit)
      if (codec === "gzip") return gunzipBounded(bytes, limit)
      throw unsupported(codec)
    }
  }))
}

/** The bytes themselves, in memory of their own, if they are no more than the limit. */
export const openStored = (bytes: Uint8Array, limit: number): Uint8Array => {
  if (bytes.length > limit) throw tooLarge(limit)
  return new Uint8Array(bytes)
}

/** More would come out than the reader allows. */
export const tooLarge = (limit: number): CompressionError =>
  new CompressionError({ reason: "too_large", message: `more than ${limit} bytes inside` })

/** They are no whole stream of this codec. */
export const corruptStream = (codec: Codec): CompressionError =>
  new CompressionError({ reason: "corrupt", message: `not a whole ${codec} stream` })

/** The host has no such codec. */
export const unsupported = (codec: Codec): CompressionError =>
  new CompressionError({
    reason: "unsupported",
    message: `this host has no ${codec}: run on a Node that has it, or choose stored or gzip`
  })

/** What a codec threw, as the error that it is. */
export const asCompressionError = (cause: unknown): CompressionError =>
  cause instanceof CompressionError ? cause : new CompressionError({ reason: "host", message: String(cause) })

const pressSync = (codec: Codec, bytes: Uint8Array): Uint8Array => {
  if (codec === "stored") return new Uint8Array(bytes)
  if (codec === "gzip") return fflate.gzipSync(bytes, { mtime: 0 })
  throw unsupported(codec)
}

/** How much compressed input fflate sees at a time: what it may inflate beyond the limit before it is stopped. */
const inflateStep = 16_384

/** RFC 1952 section 2.3: what `gzip` begins with (deflate, no optional field), and the bytes of the header and the trailer. */
const frame = { begin: 0x1f8b_0800, header: 10, trailer: 8 }

const corrupt = (): CompressionError => corruptStream("gzip")

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
    if (total > limit) throw tooLarge(limit)
    chunks.push(chunk)
  })
  try {
    for (let at = 0; at < body.length; at += inflateStep) {
      inflater.push(body.subarray(at, at + inflateStep), at + inflateStep >= body.length)
    }
  } catch (cause) {
    throw cause instanceof CompressionError ? cause : corrupt()
  }
  if (unread(inflater) !== 0) throw corrupt()
  const whole = new Uint8Array(total)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/**
 * How many bytes of input stand behind the end of deflate. fflate has no word for it, and keeps them: `p` is what it has not
 * read, from a bit `s.p` of its first byte on. Its version is pinned; should the names change, every stream is refused.
 */
const unread = (inflater: fflate.Inflate): number => {
  const left: unknown = Reflect.get(inflater, "p")
  const state: unknown = Reflect.get(inflater, "s")
  if (!(left instanceof Uint8Array) || typeof state !== "object" || state === null) return Number.NaN
  return left.length - (Reflect.get(state, "p") === 0 ? 0 : 1)
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
