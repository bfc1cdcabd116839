/**
 * A presser under observation: what it was given, and when it answers. Its one codec turns every
 * bit over, so that what comes out is never what went in; an envelope made of it is read by hand.
 */
import { Deferred, Effect, Layer } from "effect"
import type { Codec } from "../../../src/domain/Codec.ts"
import { Compression, CompressionError } from "../../../src/host/port/Compression.ts"

/** How the next pressing goes. */
export type Pressing = "at once" | "waits" | "fails" | "throws"

export interface FakeCompression {
  readonly layer: Layer.Layer<Compression>
  /** What was pressed, as it was then, with its codec. */
  readonly pressed: Array<{ readonly codec: Codec; readonly bytes: Uint8Array }>
  /** How pressings go from now on, first one first; when there is none left, at once. */
  readonly pressings: Array<Pressing>
  /** Ends all that wait. */
  readonly release: Effect.Effect<boolean>
}

export const inverted = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => ~byte)

export const makeFakeCompression = (codecs: ReadonlyArray<Codec> = ["stored", "gzip"]): FakeCompression => {
  const pressed: Array<{ readonly codec: Codec; readonly bytes: Uint8Array }> = []
  const pressings: Array<Pressing> = []
  const gate = Deferred.makeUnsafe<void>()
  const pressUnsafe = (codec: Codec, bytes: Uint8Array): Effect.Effect<Uint8Array, CompressionError> => {
    const copy = bytes.slice()
    pressed.push({ codec, bytes: copy })
    switch (pressings.shift()) {
      case "throws":
        throw new RangeError("Array buffer allocation failed")
      case "fails":
        return Effect.fail(new CompressionError({ reason: "host", message: "the presser is out of memory" }))
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
    pressed,
    pressings,
    release: Deferred.succeed(gate, undefined),
    layer: Layer.succeed(Compression, { codecs, pressUnsafe, pressSync: never, openSync: never })
  }
}
