/**
 * Compression by node:zlib: `gzip` runs on libuv's thread pool, so that the event loop is free meanwhile.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as zlib from "node:zlib"
import { Compression, CompressionError } from "../port/Compression.ts"

/** The Node implementation of `Compression`. */
export const layer: Layer.Layer<Compression> = Layer.succeed(Compression, {
  gzip: (bytes) =>
    Effect.callback((resume) => {
      zlib.gzip(bytes, (error, pressed) =>
        resume(
          error === null
            ? Effect.succeed(pressed)
            : Effect.fail(new CompressionError({ reason: "host", message: error.message }))
        ))
    }),
  gzipSync: (bytes) => zlib.gzipSync(bytes),
  gunzipSync: (bytes, limit) => {
    try {
      return zlib.gunzipSync(bytes, { maxOutputLength: Math.max(1, limit) })
    } catch (cause) {
      throw isTooLarge(cause)
        ? new CompressionError({ reason: "too_large", message: `more than ${limit} bytes inside` })
        : new CompressionError({ reason: "corrupt", message: "not a whole gzip stream" })
    }
  }
})

const isTooLarge = (cause: unknown): boolean =>
  cause instanceof RangeError && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE"
