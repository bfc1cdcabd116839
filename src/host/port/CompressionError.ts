/**
 * The errors of compression, worded alike on every host.
 */
import * as Schema from "effect/Schema"

/** The names of the codecs (spec/envelope.md). `domain/Codec.ts` has them as a schema. */
export type Codec = "stored" | "gzip" | "zstd" | "brotli"

/**
 * Why bytes were not compressed or opened: `corrupt`, they are not one whole stream of the codec;
 * `too_large`, more is inside than the limit; `unsupported`, this host has no such codec; `host`,
 * it failed for reasons of its own.
 */
export class CompressionError extends Schema.TaggedError<CompressionError>()("CompressionError", {
  reason: Schema.Literals(["corrupt", "too_large", "unsupported", "host"]),
  message: Schema.String
}) {}

export const tooLarge = (limit: number): CompressionError =>
  new CompressionError({ reason: "too_large", message: `more than ${limit} bytes inside` })

export const corruptStream = (codec: Codec): CompressionError =>
  new CompressionError({ reason: "corrupt", message: `not one whole ${codec} stream` })

/** `have`: the codecs that the host has. */
export const unsupported = (codec: Codec, have: ReadonlyArray<Codec>): CompressionError =>
  new CompressionError({
    reason: "unsupported",
    message: `this host has no ${codec}: choose ${have.join(" or ")}, or run on Node 22.15 or newer with its own ports`
  })

/** Wraps what a codec threw; a CompressionError stays itself. */
export const asCompressionError = (cause: unknown): CompressionError =>
  cause instanceof CompressionError
    ? cause
    : new CompressionError({ reason: "host", message: cause instanceof Error ? cause.message : String(cause) })
