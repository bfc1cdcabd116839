/**
 * Compression by fflate, for hosts without node:zlib: stored and gzip. What it promises is in
 * Compression.ts.
 *
 * **Gotchas**
 *
 * - gzip is pressed on the turn of whoever waits for it.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Compression, openStored } from "./Compression.ts"
import { asCompressionError, type Codec, unsupported } from "./CompressionError.ts"
import * as PortableGzip from "./PortableGzip.ts"

const portableCodecs: ReadonlyArray<Codec> = ["stored", "gzip"]

const pressSync = (codec: Codec, bytes: Uint8Array): Uint8Array => {
  if (codec === "stored") return new Uint8Array(bytes)
  if (codec === "gzip") return PortableGzip.press(bytes)
  throw unsupported(codec, portableCodecs)
}

/** The portable implementation of `Compression`. */
export const layer: Layer.Layer<Compression> = Layer.sync(Compression, () => ({
  codecs: portableCodecs,
  pressSync,
  pressUnsafe: (codec, bytes) => {
    const copy = new Uint8Array(bytes)
    // The codec's result is another array, and the copy of evidence is overwritten: but `stored` is
    // the copy itself.
    if (codec === "stored") return Effect.succeed(copy)
    return Effect.suspend(() => {
      const pressed = Effect.try({ try: () => pressSync(codec, copy), catch: asCompressionError })
      return Effect.ensuring(pressed, Effect.sync(() => copy.fill(0)))
    })
  },
  openSync: (codec, bytes, limit) => {
    if (codec === "stored") return openStored(bytes, limit)
    if (codec === "gzip") return PortableGzip.open(bytes, limit)
    throw unsupported(codec, portableCodecs)
  }
}))
