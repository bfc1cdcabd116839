/**
 * What takes long with large bytes, without holding the event loop up: SHA-256 and copies 2 MiB at
 * a time, inflating on libuv's thread pool, 256 KiB of output at a time.
 *
 * **Gotchas**
 *
 * - The bytes must stay as they are until the effect has ended.
 */
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import type { Codec } from "../../domain/Codec.ts"
import { asCompressionError, type CompressionError, corruptStream, tooLarge } from "../port/CompressionError.ts"
import { zlib } from "./Zlib.ts"
import { asZlibError, gzipMember, zstdParams } from "./ZlibOpen.ts"

/** Bytes that are hashed or copied on one turn: SHA-256 takes 1 to 10 ms for them. */
const sliceBytes = 2_097_152
/** Bytes of output that zlib hands over on one turn. */
const outputBytes = 262_144

/** Does something with each slice in order, and gives others a turn between any two. */
const eachSlice = (bytes: Uint8Array, use: (slice: Uint8Array, at: number) => void): Effect.Effect<void> => {
  const from = (at: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      use(bytes.subarray(at, at + sliceBytes), at)
      const next = at + sliceBytes
      return next < bytes.length ? Effect.andThen(Effect.yieldNow, from(next)) : Effect.void
    })
  return from(0)
}

/** The digest: 32 bytes in memory of their own. */
export const sha256 = (bytes: Uint8Array): Effect.Effect<Uint8Array> =>
  Effect.suspend(() => {
    const hasher = createHash("sha256")
    return Effect.map(eachSlice(bytes, (slice) => hasher.update(slice)), () => new Uint8Array(hasher.digest()))
  })

/**
 * Opens what `openSync` of the same codec opens, to at most `limit` bytes, in memory of their own:
 * room for all of them is taken at once. Fails as that throws. The caller has checked that this
 * Node has the codec, and that a zstd body is one frame.
 */
export const open = (codec: Codec, bytes: Uint8Array, limit: number): Effect.Effect<Uint8Array, CompressionError> =>
  Effect.suspend(() => {
    if (codec === "stored" && bytes.length > limit) return Effect.fail(tooLarge(limit))
    try {
      const content = new Uint8Array(codec === "stored" ? bytes.length : limit)
      if (codec !== "stored") return inflate(codec, bytes, content)
      return Effect.as(eachSlice(bytes, (slice, at) => content.set(slice, at)), content)
    } catch (cause) {
      return Effect.fail(asCompressionError(cause))
    }
  })

const engines = {
  gzip: () => zlib().createInflateRaw({ chunkSize: outputBytes }),
  zstd: () => zlib().createZstdDecompress({ chunkSize: outputBytes, params: zstdParams() }),
  brotli: () => zlib().createBrotliDecompress({ chunkSize: outputBytes })
}

/** Inflates one stream into `content`, and gives the part of it that was filled. */
const inflate = (
  codec: keyof typeof engines,
  bytes: Uint8Array,
  content: Uint8Array
): Effect.Effect<Uint8Array, CompressionError> => {
  const member = codec === "gzip" ? gzipMember(bytes) : undefined
  const body = member?.body ?? bytes
  return Effect.callback((resume) => {
    const engine = engines[codec]()
    let length = 0
    let crc = 0
    const fail = (error: CompressionError): void => {
      engine.destroy()
      resume(Effect.fail(error))
    }
    engine.on("data", (chunk: Uint8Array) => {
      if (length + chunk.length > content.length) {
        fail(tooLarge(content.length))
        return
      }
      content.set(chunk, length)
      length += chunk.length
      if (member !== undefined) crc = zlib().crc32(chunk, crc)
    })
    engine.on("error", (cause) => fail(asZlibError(cause, codec, content.length)))
    engine.on("end", () => {
      const isSound = member === undefined || (member.crc === crc && member.length === length >>> 0)
      // zlib stops where the stream ends, and does not report what follows.
      if (isSound && engine.bytesWritten === body.length) resume(Effect.succeed(content.subarray(0, length)))
      else fail(corruptStream(codec))
    })
    engine.end(body)
    return Effect.sync(() => {
      engine.destroy()
    })
  })
}
