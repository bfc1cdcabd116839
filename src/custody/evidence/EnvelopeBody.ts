/**
 * Opens the body of an envelope: the evidence under a codec (spec/envelope.md, "Body").
 *
 * Promises that a body is one stream and nothing else, on every host. `Compression` promises that
 * the stream ends where the body does, and that a gzip member has no optional fields. This module
 * checks that a zstd body is one frame without a dictionary, as decoders take several frames, and
 * skip some, without an error.
 *
 * Cost: O(blocks) of a zstd frame, besides inflating to at most `size` bytes.
 */
import * as Effect from "effect/Effect"
import type { Codec } from "../../domain/Codec.ts"
import { type Compression, CompressionError } from "../../host/port/Compression.ts"

/** The part of the host's Compression that opening a body needs. */
export type Opener = Pick<Compression["Service"], "codecs" | "openSync">

/** Why a body was not opened. */
export type BodyRefusal = "inconsistent" | "codec_unavailable" | "host"

/** Gives the evidence, at most `size` bytes in memory of its own, or why there is none. */
export const openBody = (codec: Codec, body: Uint8Array, size: number, opener: Opener): Uint8Array | BodyRefusal => {
  // A copy whatever the class: `slice` of Node's Buffer would be a view of the envelope.
  if (codec === "stored") return body.length === size ? new Uint8Array(body) : "inconsistent"
  if (!opener.codecs.includes(codec)) return "codec_unavailable"
  if (codec === "zstd" && !isOneFrame(body)) return "inconsistent"
  try {
    return opener.openSync(codec, body, size)
  } catch (error) {
    return error instanceof CompressionError ? refusalOf(error) : "host"
  }
}

/** A host's codecs as effects, such as those that work off the caller's turn. */
export interface LaterOpener {
  readonly codecs: Opener["codecs"]
  /** Opens one stream that ends where the bytes do, to at most `limit` bytes. */
  readonly open: (codec: Codec, bytes: Uint8Array, limit: number) => Effect.Effect<Uint8Array, CompressionError>
}

/**
 * The same by effects. Only the blocks of a zstd frame are counted on the caller's turn: some 3 ns
 * each.
 */
export const openBodyLater = (
  codec: Codec,
  body: Uint8Array,
  size: number,
  { codecs, open }: LaterOpener
): Effect.Effect<Uint8Array | BodyRefusal> => {
  if (codec === "stored" && body.length !== size) return Effect.succeed("inconsistent")
  if (!codecs.includes(codec)) return Effect.succeed("codec_unavailable")
  if (codec === "zstd" && !isOneFrame(body)) return Effect.succeed("inconsistent")
  return Effect.match(open(codec, body, size), { onFailure: refusalOf, onSuccess: (content) => content })
}

const refusalOf = ({ reason }: CompressionError): BodyRefusal =>
  reason === "unsupported" ? "codec_unavailable" : reason === "host" ? "host" : "inconsistent"

/** RFC 8878 section 3.1.1: the magic number as bytes, and the parts of a frame. */
const zstdMagic = [0x28, 0xb5, 0x2f, 0xfd]
const blockHeaderBytes = 3
const rle = 1
const reserved = 3

/**
 * Whether the body is one zstd frame to its last byte, by its block headers. The decoder checks the
 * blocks themselves.
 */
const isOneFrame = (body: Uint8Array): boolean => {
  const descriptor = body[4]
  if (descriptor === undefined || zstdMagic.some((byte, i) => body[i] !== byte)) return false
  const isSingleSegment = (descriptor & 0x20) !== 0
  const hasChecksum = (descriptor & 0x04) !== 0
  const hasDictionary = (descriptor & 0x03) !== 0
  if (hasDictionary) return false
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeFlag
  let at = zstdMagic.length + 1 + (isSingleSegment ? 0 : 1) + sizeBytes
  for (let isLast = false; !isLast;) {
    if (at + blockHeaderBytes > body.length) return false
    const header = (body[at] ?? 0) | ((body[at + 1] ?? 0) << 8) | ((body[at + 2] ?? 0) << 16)
    const type = (header >> 1) & 3
    if (type === reserved) return false
    isLast = (header & 1) === 1
    at += blockHeaderBytes + (type === rle ? 1 : header >> 3)
  }
  return at + (hasChecksum ? 4 : 0) === body.length
}
