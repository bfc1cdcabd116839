/**
 * Decompresses a stream where its bytes are gzip, whatever its file is called.
 */
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { type GzipError, Inflate } from "../../host/port/Inflate.ts"

/**
 * Inflates a stream that begins with the two bytes that open every gzip member (RFC 1952, 2.3.1),
 * however it is cut into chunks; passes any other stream on as it is. Fails with `GzipError` where
 * a gzip stream breaks, after all that could be inflated before. Inflates once: gzip inside gzip
 * stays so.
 *
 * **Example** (A log that may be compressed)
 *
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { gzipSync } from "node:zlib"
 * import { NodeInflate } from "tracehound/node"
 * import { gunzipIfNeeded, lines } from "tracehound/signal"
 *
 * const log = Stream.make(gzipSync("first\nsecond\n"))
 * const program = Stream.runCollect(lines(gunzipIfNeeded(log)))
 *
 * Effect.runPromise(Effect.provide(program, NodeInflate.layer)).then(console.log)
 * ```
 */
export const gunzipIfNeeded = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>
): Stream.Stream<Uint8Array, E | GzipError, R | Inflate> =>
  Stream.unwrap(Effect.gen(function*() {
    const { gunzip } = yield* Inflate
    const pull = yield* Stream.toPull(bytes)
    const head: Array<Uint8Array> = []
    const opening: Array<number> = []
    let ended = false
    while (opening.length < 2 && !ended) {
      const chunks = yield* Pull.catchDone(pull, () => Effect.void)
      ended = chunks === undefined
      for (const chunk of chunks ?? []) {
        if (chunk.length === 0) continue
        head.push(chunk)
        if (opening.length < 2) opening.push(...chunk.subarray(0, 2 - opening.length))
      }
    }
    const rest = ended ? Stream.empty : Stream.fromPull(Effect.succeed(pull))
    const whole = Stream.concat(Stream.fromArray(head), rest)
    return opening[0] === 0x1f && opening[1] === 0x8b ? gunzip(whole) : whole
  }))
