/**
 * Compression by node:zlib: `gzip` runs on libuv's thread pool, so that the event loop is free meanwhile.
 *
 * **Gotchas**
 *
 * - The thread reads its caller's memory, and nothing stops it. Were the buffer detached meanwhile, zlib would throw where
 *   nobody can catch it: therefore `gzip` cannot be interrupted.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as zlib from "node:zlib"
import { Compression, CompressionError } from "../port/Compression.ts"

/** The Node implementation of `Compression`. */
export const layer: Layer.Layer<Compression> = Layer.succeed(Compression, {
  gzip: (bytes) =>
    Effect.uninterruptible(Effect.callback((resume) => {
      zlib.gzip(bytes, (error, pressed) =>
        resume(
          error === null
            ? Effect.succeed(ofItsOwn(pressed))
            : Effect.fail(new CompressionError({ reason: "host", message: error.message }))
        ))
    })),
  gzipSync: (bytes) => ofItsOwn(zlib.gzipSync(bytes)),
  gunzipSync: (bytes, limit) => {
    const content = inflate(bytes, limit)
    // zlib takes no limit below 1.
    if (content.length > limit) throw tooLarge(limit)
    return ofItsOwn(content)
  }
})

/** A plain array of the right size: what zlib gives is a Buffer, and of a small one it keeps 64 KiB in memory. */
const ofItsOwn = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)

const inflate = (bytes: Uint8Array, limit: number): Uint8Array => {
  try {
    return zlib.gunzipSync(bytes, { maxOutputLength: Math.max(1, limit) })
  } catch (cause) {
    throw isTooLarge(cause)
      ? tooLarge(limit)
      : new CompressionError({ reason: "corrupt", message: "not a whole gzip stream" })
  }
}

const tooLarge = (limit: number): CompressionError =>
  new CompressionError({ reason: "too_large", message: `more than ${limit} bytes inside` })

const isTooLarge = (cause: unknown): boolean =>
  cause instanceof RangeError && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE"
