/**
 * Opens the body of an envelope: the evidence under a codec (spec/envelope.md, "Body").
 *
 * Promises that a body is one stream and nothing else, on every host. `Compression` promises that
 * the stream ends where the body does, and that a gzip member has no optional fields; that a zstd
 * body is one frame without a dictionary is checked here, as decoders take several frames, and skip
 * some, without an error.
 *
 * Cost: O(blocks) of a zstd frame, besides inflating to at most `size` bytes.
 */
import * as Effect from "effect/Effect"
import type { Codec } from "../../domain/Codec.ts"
import { type Compression, CompressionError } from "../../host/port/Compression.ts"
import { isOneZstdFrame } from "../../host/port/ZstdFrame.ts"

/** The part of the host's Compression that opening a body needs. */
export type Opener = Pick<Compression["Service"], "codecs" | "openSync">

/** Why a body was not opened. */
export type BodyRefusal = "inconsistent" | "codec_unavailable" | "host"

/** Gives the evidence, at most `size` bytes in memory of its own, or why there is none. */
export const openBody = (codec: Codec, body: Uint8Array, size: number, opener: Opener): Uint8Array | BodyRefusal => {
  // A copy whatever the class: `slice` of Node's Buffer would be a view of the envelope.
  if (codec === "stored") return body.length === size ? new Uint8Array(body) : "inconsistent"
  if (!opener.codecs.includes(codec)) return "codec_unavailable"
  if (codec === "zstd" && !isOneZstdFrame(body)) return "inconsistent"
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
  if (codec === "zstd" && !isOneZstdFrame(body)) return Effect.succeed("inconsistent")
  return Effect.match(open(codec, body, size), { onFailure: refusalOf, onSuccess: (content) => content })
}

const refusalOf = ({ reason }: CompressionError): BodyRefusal =>
  reason === "unsupported" ? "codec_unavailable" : reason === "host" ? "host" : "inconsistent"
