/**
 * Compression by node:zlib: gzip, brotli and, from Node 22.15 on, zstd. A worker thread
 * (`CompressionPool.ts`) compresses evidence on its way to cold storage; the first piece of
 * evidence starts it. Under `stored` a piece of evidence is one copy on the caller's turn, and
 * nothing else.
 *
 * **Gotchas**
 *
 * - The layer owns the worker: closing its scope waits for what is still being compressed, and ends
 *   the worker. Compression fails afterwards. Where nothing was compressed there is nothing to wait
 *   for, and closing is synchronous.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Codec, codecs } from "../../domain/Codec.ts"
import { Compression, openStored } from "../port/Compression.ts"
import { asCompressionError, unsupported } from "../port/CompressionError.ts"
import { CompressionPool } from "./CompressionPool.ts"
import { compressors, ofItsOwn } from "./ZlibCodecs.ts"
import { open } from "./ZlibOpen.ts"

/** The codecs of this Node. */
const available: ReadonlyArray<Codec> = codecs.filter((codec) => codec === "stored" || compressors[codec] !== undefined)

const compressSync = (codec: Codec, bytes: Uint8Array): Uint8Array => {
  if (codec === "stored") return ofItsOwn(bytes)
  const compressor = compressors[codec]
  if (compressor === undefined) throw unsupported(codec, available)
  try {
    return ofItsOwn(compressor.now(bytes))
  } catch (cause) {
    throw asCompressionError(cause)
  }
}

const openSync = (codec: Codec, bytes: Uint8Array, limit: number): Uint8Array => {
  if (codec === "stored") return openStored(bytes, limit)
  if (!available.includes(codec)) throw unsupported(codec, available)
  return open(codec, bytes, limit)
}

/** The Node implementation of `Compression`. */
export const layer: Layer.Layer<Compression> = Layer.effect(
  Compression,
  Effect.gen(function*() {
    const pool = yield* Effect.acquireRelease(
      Effect.sync(() => new CompressionPool()),
      (open) =>
        Effect.suspend(() => {
          const ended = open.close()
          return ended === null ? Effect.void : Effect.promise(() => ended)
        })
    )
    return {
      codecs: available,
      compressSync,
      compressUnsafe: (codec, bytes) => {
        if (codec === "stored") return Effect.succeed(ofItsOwn(bytes))
        if (compressors[codec] === undefined) return Effect.fail(unsupported(codec, available))
        const compressing = pool.compress(codec, bytes)
        return Effect.callback((resume) => {
          compressing.onSettled((form) =>
            resume(form instanceof Error ? Effect.fail(asCompressionError(form)) : Effect.succeed(form))
          )
        })
      },
      openSync
    }
  })
)
