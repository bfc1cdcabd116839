/**
 * Bytes for tests: cut into chunks, compressed, and run through the streams under test.
 */
import { Effect, Stream } from "effect"
import { gzipSync } from "node:zlib"
import * as NodeInflate from "../../../src/host/node/NodeInflate.ts"
import {
  type Format,
  gunzipIfNeeded,
  type GzipError,
  type Inflate,
  type ScentEvent,
  scents
} from "../../../src/intake/signal/index.ts"
import { type Random } from "../../support/random.ts"

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Chunks of `size` bytes. */
export const chunksOf = (bytes: Uint8Array, size: number): Array<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
  return chunks
}

/** Chunks of any size, empty ones too, most of them small. */
export const randomChunks = (bytes: Uint8Array, { below, chance }: Random): Array<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  for (let at = 0; at < bytes.length;) {
    const size = chance(0.1) ? 0 : below(chance(0.5) ? 4 : 300)
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

/** A stream that gives one chunk at a time, as a file or a socket does. */
export const streamOf = (chunks: ReadonlyArray<Uint8Array>): Stream.Stream<Uint8Array> =>
  Stream.fromArray(chunks).pipe(Stream.rechunk(1))

/**
 * A scent whose payload hardly compresses, so that its bytes are spread over the compressed ones.
 */
export const scentLine = (n: number): string =>
  JSON.stringify({ id: `r-${n}`, source: "192.0.2.7", timestamp: n, payload: Math.sin(n + 1).toString(36) })

export const gzip = (text: string | Uint8Array): Uint8Array => gzipSync(text)

export const concat = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => Buffer.concat(parts)

const onNode = <A, E, R>(stream: Stream.Stream<A, E, R | Inflate>): Stream.Stream<A, E, Exclude<R, Inflate>> =>
  Stream.provide(stream, NodeInflate.layer)

/** Every event of a recording. */
export const eventsOf = (
  chunks: ReadonlyArray<Uint8Array>,
  format: Format = "scent"
): Effect.Effect<ReadonlyArray<ScentEvent>> => Stream.runCollect(onNode(scents(streamOf(chunks), { format })))

/** The bytes of a stream, and the reason for which it ended early. */
export const gunzipped = <E>(
  stream: Stream.Stream<Uint8Array, E>
): Effect.Effect<{ readonly text: string; readonly problem: E | GzipError | undefined }> =>
  Effect.gen(function*() {
    const parts: Array<Uint8Array> = []
    const problem = yield* onNode(gunzipIfNeeded(stream)).pipe(
      Stream.runForEach((part) => Effect.sync(() => parts.push(part))),
      Effect.match({ onSuccess: () => undefined, onFailure: (error) => error })
    )
    return { text: Buffer.concat(parts).toString("latin1"), problem }
  })
