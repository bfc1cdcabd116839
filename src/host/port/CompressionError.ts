/**
 * What can go wrong in pressing and opening, said alike by every host.
 */
import * as Schema from "effect/Schema"

/**
 * The codecs there are, by their names (spec/envelope.md): `domain/Codec.ts` has them as a schema.
 */
export type Codec = "stored" | "gzip" | "zstd" | "brotli"

/**
 * Why bytes were not pressed or opened: `corrupt`, they are not one whole stream of the codec;
 * `too_large`, more is inside than the limit; `unsupported`, this host has no such codec; `host`,
 * it failed for reasons of its own.
 */
export class CompressionError extends Schema.TaggedError<CompressionError>()("CompressionError", {
  reason: Schema.Literals(["corrupt", "too_large", "unsupported", "host"]),
  message: Schema.String
}) {}

/** More would come out than the reader allows. */
export const tooLarge = (limit: number): CompressionError =>
  new CompressionError({ reason: "too_large", message: `more than ${limit} bytes inside` })

/** They are not one whole stream of this codec. */
export const corruptStream = (codec: Codec): CompressionError =>
  new CompressionError({ reason: "corrupt", message: `not one whole ${codec} stream` })

/** The host has no such codec; `have` are those it has. */
export const unsupported = (codec: Codec, have: ReadonlyArray<Codec>): CompressionError =>
  new CompressionError({
    reason: "unsupported",
    message: `this host has no ${codec}: choose ${have.join(" or ")}, or run on Node 22.15 or newer with its own ports`
  })

/** What a codec threw, as the error that it is. */
export const asCompressionError = (cause: unknown): CompressionError =>
  cause instanceof CompressionError
    ? cause
    : new CompressionError({ reason: "host", message: cause instanceof Error ? cause.message : String(cause) })
