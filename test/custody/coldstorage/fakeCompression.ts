/**
 * A fake compression that records its input and answers as the test decides. It inverts every bit,
 * so that the output is never the input; an envelope made of it has to be read by hand.
 */
import { Deferred, Effect, Layer } from "effect"
import type { Codec } from "../../../src/domain/Codec.ts"
import { Compression, CompressionError } from "../../../src/host/port/Compression.ts"

/** How a compression answers. */
export type Answer = "at once" | "waits" | "fails" | "throws"

export interface FakeCompression {
  readonly layer: Layer.Layer<Compression>
  /** The inputs so far, copied at the call, with their codecs. */
  readonly compressed: Array<{ readonly codec: Codec; readonly bytes: Uint8Array }>
  /** The answers to the next calls, in order; when there is none left, at once. */
  readonly answers: Array<Answer>
  /** Lets all calls that wait end. */
  readonly release: Effect.Effect<boolean>
}

export const inverted = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => ~byte)

export const makeFakeCompression = (codecs: ReadonlyArray<Codec> = ["stored", "gzip"]): FakeCompression => {
  const compressed: Array<{ readonly codec: Codec; readonly bytes: Uint8Array }> = []
  const answers: Array<Answer> = []
  const gate = Deferred.makeUnsafe<void>()
  const compressUnsafe = (codec: Codec, bytes: Uint8Array): Effect.Effect<Uint8Array, CompressionError> => {
    const copy = bytes.slice()
    compressed.push({ codec, bytes: copy })
    switch (answers.shift()) {
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
    answers,
    release: Deferred.succeed(gate, undefined),
    layer: Layer.succeed(Compression, { codecs, compressUnsafe, compressSync: never, openSync: never })
  }
}
