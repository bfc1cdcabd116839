/**
 * Compression by node:zlib: gzip, brotli and, from Node 22.15 on, zstd. Evidence on its way to cold storage is pressed by a worker
 * thread (`PressPool.ts`), which the first piece of it starts.
 *
 * **Gotchas**
 *
 * - The layer owns the worker: closing its scope ends it.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as zlib from "node:zlib"
import { type Codec, codecs } from "../domain/Codec.ts"
import {
  asCompressionError,
  Compression,
  CompressionError,
  corruptStream,
  openStored,
  tooLarge,
  unsupported
} from "../port/Compression.ts"
import { PressPool } from "./PressPool.ts"
import { ofItsOwn, presses } from "./ZlibCodecs.ts"

/** What this Node has. */
const available: ReadonlyArray<Codec> = codecs.filter((codec) => presses[codec] !== undefined)

const pressSync = (codec: Codec, bytes: Uint8Array): Uint8Array => {
  const press = presses[codec]
  if (press === undefined) throw unsupported(codec)
  return ofItsOwn(press(bytes))
}

/** The Node implementation of `Compression`. */
export const layer: Layer.Layer<Compression> = Layer.effect(
  Compression,
  Effect.gen(function*() {
    const pool = yield* Effect.acquireRelease(
      Effect.sync(() => new PressPool()),
      (pool) =>
        Effect.suspend(() => {
          const ended = pool.close()
          return ended === null ? Effect.void : Effect.promise(() => ended)
        })
    )
    return {
      codecs: available,
      pressSync,
      pressUnsafe: (codec, bytes) => {
        if (presses[codec] === undefined) return Effect.fail(unsupported(codec))
        const pressing = pool.press(codec, bytes)
        return Effect.callback((resume) => {
          pressing.onSettled((form) =>
            resume(form instanceof Error ? Effect.fail(asCompressionError(form)) : Effect.succeed(form))
          )
        })
      },
      openSync: (codec, bytes, limit) => {
        if (codec === "stored") return openStored(bytes, limit)
        if (presses[codec] === undefined) throw unsupported(codec)
        return codec === "gzip" ? openGzip(bytes, limit) : openWhole(codec, bytes, limit)
      }
    }
  })
)

/** What zlib gives when it is asked for `info`. */
interface Inflated {
  readonly buffer: Uint8Array
  /** How much of the input it read: to the end of the stream. */
  readonly engine: { readonly bytesWritten: number }
}

type Inflate = (bytes: Uint8Array, options: { readonly info: true; readonly maxOutputLength: number }) => Inflated

/** zlib's declarations leave out what `info` does. */
const withInfo = (inflate: unknown): Inflate => inflate as Inflate
const inflates: Readonly<Partial<Record<Codec, Inflate>>> = {
  gzip: withInfo(zlib.inflateRawSync),
  zstd: withInfo(zlib.zstdDecompressSync),
  brotli: withInfo(zlib.brotliDecompressSync)
}

/** The content of one stream, and how much of the input it took. */
const inflate = (codec: Codec, bytes: Uint8Array, limit: number): Inflated => {
  try {
    // zlib takes no limit below 1.
    const inflated = inflates[codec]?.(bytes, { info: true, maxOutputLength: Math.max(1, limit) })
    if (inflated === undefined) throw unsupported(codec)
    if (inflated.buffer.length > limit) throw tooLarge(limit)
    return inflated
  } catch (cause) {
    if (cause instanceof CompressionError) throw cause
    throw isTooLarge(cause) ? tooLarge(limit) : corruptStream(codec)
  }
}

const isTooLarge = (cause: unknown): boolean =>
  cause instanceof RangeError && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE"

/** zlib stops where a stream ends and does not say what follows. */
const openWhole = (codec: Codec, bytes: Uint8Array, limit: number): Uint8Array => {
  const { buffer, engine } = inflate(codec, bytes, limit)
  if (engine.bytesWritten !== bytes.length) throw corruptStream(codec)
  return ofItsOwn(buffer)
}

/** RFC 1952 section 2.3: deflate without optional fields, and the bytes of header and trailer. */
const gzip = { begin: 0x1f8b_0800, header: 10, trailer: 8 }

/** One member, read frame by frame: zlib's own gunzip would take further members, and zeros, for part of it. */
const openGzip = (bytes: Uint8Array, limit: number): Uint8Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = bytes.length - gzip.trailer
  if (end < gzip.header || view.getUint32(0) !== gzip.begin) throw corruptStream("gzip")
  const { buffer, engine } = inflate("gzip", bytes.subarray(gzip.header, end), limit)
  const isWhole = engine.bytesWritten === end - gzip.header && view.getUint32(end, true) === zlib.crc32(buffer) &&
    view.getUint32(end + 4, true) === buffer.length >>> 0
  if (!isWhole) throw corruptStream("gzip")
  return ofItsOwn(buffer)
}
