/**
 * Compression by fflate, for hosts without node:zlib: stored and gzip. Compression.ts says what it
 * promises.
 *
 * **Gotchas**
 *
 * - gzip compresses on the turn of the fiber that runs the effect.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Compression, openStored } from "./Compression.ts"
import { asCompressionError, type Codec, unsupported } from "./CompressionError.ts"
import * as PortableGzip from "./PortableGzip.ts"

const portableCodecs: ReadonlyArray<Codec> = ["stored", "gzip"]

const compressSync = (codec: Codec, bytes: Uint8Array): Uint8Array => {
  if (codec === "stored") return new Uint8Array(bytes)
  if (codec === "gzip") return PortableGzip.compress(bytes)
  throw unsupported(codec, portableCodecs)
}

/** The portable implementation of `Compression`. */
export const layer: Layer.Layer<Compression> = Layer.sync(Compression, () => ({
  codecs: portableCodecs,
  compressSync,
  compressUnsafe: (codec, bytes) => {
    const copy = new Uint8Array(bytes)
    // The copy of the evidence is overwritten once it is compressed. Under `stored` it is the
    // result.
    if (codec === "stored") return Effect.succeed(copy)
    return Effect.suspend(() => {
      const compressed = Effect.try({ try: () => compressSync(codec, copy), catch: asCompressionError })
      return Effect.ensuring(compressed, Effect.sync(() => copy.fill(0)))
    })
  },
  openSync: (codec, bytes, limit) => {
    if (codec === "stored") return openStored(bytes, limit)
    if (codec === "gzip") return PortableGzip.open(bytes, limit)
    throw unsupported(codec, portableCodecs)
  }
}))
