/**
 * Compression as the core needs it from a host (CONFORMANCE E6, E7). Every host that has the codec
 * opens what any other host compressed, to the same bytes. The compressed bytes themselves may
 * differ from host to host.
 *
 * Every host promises:
 *
 * - results are plain Uint8Arrays in memory of their own, and the input stays as it was;
 * - `openSync` gives back no more than its limit, and stops a decompression bomb there;
 * - `openSync` opens one stream that ends where the bytes end, and nothing else: for gzip (RFC
 *   1952) one member without optional fields, for zstd (RFC 8878) one frame without a dictionary,
 *   whose window is 8 MiB at most, as that document advises.
 *
 * **Gotchas**
 *
 * - `stored` and brotli (RFC 7932) have no checksum, and a zstd frame that another program wrote
 *   may have none: a flipped bit can then come out as other content. gzip detects it, and so does
 *   zstd as it is compressed here. The envelope's own hash detects it under every codec.
 * - `compressSync` blocks its caller: gzip takes about 31 ms for 1 MiB. Use it for what an operator
 *   does with one piece of evidence, never for `intercept`.
 * - The portable gzip reads 16 KiB of input at a time, and may inflate as much as one such step
 *   holds (about 16 MiB) before it stops at the limit; Node's stops at the limit at once.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import { type Codec, CompressionError, tooLarge } from "./CompressionError.ts"

export { CompressionError }

/** A compressor and its inverse. */
export class Compression extends Context.Service<Compression, {
  /** The codecs of this host. The portable one has stored and gzip. */
  readonly codecs: ReadonlyArray<Codec>
  /**
   * Copies the bytes at once, so that they are the caller's again when it returns, and compresses
   * the copy off the caller's turn where the host can: the call then costs about a microsecond for
   * small evidence. The effect waits for the result, which belongs to whoever runs it; run it once.
   * Throws a RangeError, and keeps nothing, where there is no memory for the copy.
   */
  readonly compressUnsafe: (codec: Codec, bytes: Uint8Array) => Effect.Effect<Uint8Array, CompressionError>
  /** Compresses on the caller's turn. Throws `CompressionError`: `unsupported` or `host`. */
  readonly compressSync: (codec: Codec, bytes: Uint8Array) => Uint8Array
  /**
   * Decompresses to at most `limit` bytes, on the caller's turn. Throws `CompressionError`.
   */
  readonly openSync: (codec: Codec, bytes: Uint8Array, limit: number) => Uint8Array
}>()("tracehound/host/port/Compression") {}

/** Opens `stored`: a copy of the bytes. Throws `too_large` where they are more than the limit. */
export const openStored = (bytes: Uint8Array, limit: number): Uint8Array => {
  if (bytes.length > limit) throw tooLarge(limit)
  return new Uint8Array(bytes)
}
