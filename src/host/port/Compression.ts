/**
 * Compression as the rooms ask for it (CONFORMANCE E6, E7). What one host presses, any other that
 * has the codec opens to the same bytes. The pressed bytes themselves may differ from host to host.
 *
 * Promises of every host:
 *
 * - what comes out is plain, in memory of its own, and the input stays as it was;
 * - `openSync` gives back no more than its limit, and stops a bomb there;
 * - it opens one stream that ends where the bytes end, and nothing else: for gzip (RFC 1952) one
 *   member without optional fields, for zstd (RFC 8878) one frame without a dictionary, whose
 *   window is 8 MiB at most, as that document advises.
 *
 * **Gotchas**
 *
 * - `stored` and brotli (RFC 7932) have no checksum, and a zstd frame of a foreign hand may have
 *   none: a flipped bit can then come out as other content. gzip, and zstd as it is pressed here,
 *   find it. The envelope's own hash finds all of it.
 * - `pressSync` holds its caller up: gzip takes about 31 ms for 1 MiB. It is for an operator's act
 *   on one piece of evidence, never for `intercept`.
 * - The portable gzip reads 16 KiB of input at a time, and may inflate as much as one such step
 *   holds (about 16 MiB) before it stops at the limit; Node's stops there at once.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import { type Codec, CompressionError, tooLarge } from "./CompressionError.ts"

export { CompressionError }

/** A compressor and its inverse. */
export class Compression extends Context.Service<Compression, {
  /** What this host can press and open. The portable one: stored and gzip. */
  readonly codecs: ReadonlyArray<Codec>
  /**
   * Copies the bytes at once, so that they are the caller's again when it returns, and presses them
   * off the caller's turn where the host can: about a microsecond of it for small evidence. The
   * effect waits for the result, which is the waiter's; run it once. Throws a RangeError, and keeps
   * nothing, where there is no memory for the copy.
   */
  readonly pressUnsafe: (codec: Codec, bytes: Uint8Array) => Effect.Effect<Uint8Array, CompressionError>
  /** Presses on the caller's turn. Throws `CompressionError`: `unsupported` or `host`. */
  readonly pressSync: (codec: Codec, bytes: Uint8Array) => Uint8Array
  /** The inverse, to at most `limit` bytes, on the caller's turn. Throws `CompressionError`. */
  readonly openSync: (codec: Codec, bytes: Uint8Array, limit: number) => Uint8Array
}>()("tracehound/host/port/Compression") {}

/** The bytes themselves, in memory of their own, if they are no more than the limit. */
export const openStored = (bytes: Uint8Array, limit: number): Uint8Array => {
  if (bytes.length > limit) throw tooLarge(limit)
  return new Uint8Array(bytes)
}
