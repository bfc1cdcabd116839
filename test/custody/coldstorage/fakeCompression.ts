/**
 * A compressor under observation: what it was given, and when it answers. Its one codec turns every
 * bit over, so that what comes out is never what went in; an envelope made of it is read by hand.
 */
import { Deferred, Effect, Layer } from "effect"
import type { Codec } from "../../../src/domain/Codec.ts"
import { Compression, CompressionError } from "../../../src/host/port/Compression.ts"

/** How the next compressing goes. */
export type Compressing = "at once" | "waits" | "fails" | "throws"

export interface FakeCompression {
  readonly layer: Layer.Layer<Compression>
  /** What was compressed, as it was then, with its codec. */
  readonly compressed: Array<{ readonly codec: Codec; readonly bytes: Uint8Array }>
  /** How compressings go from now on, first one first; when there is none left, at once. */
  readonly compressings: Array<Compressing>
  /** Ends all that wait. */
  readonly release: Effect.Effect<boolean>
}

export const inverted = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => ~byte)

export const makeFakeCompression = (codecs: ReadonlyArray<Codec> = ["stored", "gzip"]): FakeCompression => {
  const compressed: Array<{ readonly codec: Codec; readonly bytes: Uint8Array }> = []
  const compressings: Array<Compressing> = []
  const gate = Deferred.makeUnsafe<void>()
  const compressUnsafe = (codec: Codec, bytes: Uint8Array): Effect.Effect<Uint8Array, CompressionError> => {
    const copy = bytes.slice()
    compressed.push({ codec, bytes: copy })
    switch (compressings.shift()) {
      case "throws":
        throw new RangeError("Array buffer allocation failed")
      case "fails":
        return Effect.fail(new CompressionError({ reason: "host", message: "the compressor is out of memory" }))
      case "waits":
        return Effect.as(Deferred.await(gate), inverted(copy))
      default:
        return Effect.succeed(inverted(copy))
    }
  }
  const never = (): never => {
    throw new Error("not on the caller's turn")
  }
  return {
    compressed,
    compressings,
    release: Deferred.succeed(gate, undefined),
    layer: Layer.succeed(Compression, { codecs, compressUnsafe, compressSync: never, openSync: never })
  }
}
