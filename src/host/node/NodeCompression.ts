/**
 * Compression by node:zlib: gzip, brotli and, from Node 22.15 on, zstd. Evidence on its way to cold
 * storage is pressed by a worker thread (`CompressionPool.ts`), which the first piece of it starts.
 * On the caller's turn `stored` is one copy, and nothing else.
 *
 * **Gotchas**
 *
 * - The layer owns the worker: closing its scope waits for what is still in the press, and ends it.
 *   What is pressed afterwards fails. Where nothing was pressed there is nothing to wait for, and
 *   closing is synchronous.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Codec, codecs } from "../../domain/Codec.ts"
import { Compression, openStored } from "../port/Compression.ts"
import { asCompressionError, unsupported } from "../port/CompressionError.ts"
import { CompressionPool } from "./CompressionPool.ts"
import { ofItsOwn, presses } from "./ZlibCodecs.ts"
import { open } from "./ZlibOpen.ts"

/** What this Node has. */
const available: ReadonlyArray<Codec> = codecs.filter((codec) => codec === "stored" || presses[codec] !== undefined)

const pressSync = (codec: Codec, bytes: Uint8Array): Uint8Array => {
  if (codec === "stored") return ofItsOwn(bytes)
  const press = presses[codec]
  if (press === undefined) throw unsupported(codec, available)
  try {
    return ofItsOwn(press.now(bytes))
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
      pressSync,
      pressUnsafe: (codec, bytes) => {
        if (codec === "stored") return Effect.succeed(ofItsOwn(bytes))
        if (presses[codec] === undefined) return Effect.fail(unsupported(codec, available))
        const pressing = pool.press(codec, bytes)
        return Effect.callback((resume) => {
          pressing.onSettled((form) =>
            resume(form instanceof Error ? Effect.fail(asCompressionError(form)) : Effect.succeed(form))
          )
        })
      },
      openSync
    }
  })
)
