/**
 * Turns a stream of bytes into a stream of lines. `LineSplitter.ts` says what a line is.
 *
 * Promises memory that does not grow with the input: it holds at most one line of `maxLineBytes`,
 * and gives lines in arrays, one for at most 64 KiB of input, however large the chunks are.
 *
 * Cost: about 1 ms for a megabyte of 2 KB lines.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { type Line, LineSplitter } from "./LineSplitter.ts"

export interface LineOptions {
  /**
   * Longer lines are skipped and reported. In bytes, from 1 to 268,435,456; 16,777,216 unless
   * given.
   */
  readonly maxLineBytes?: number | undefined
}

/** The most input that is turned into lines at a time. */
const sliceBytes = 65_536

/**
 * Cuts a byte stream into numbered lines. A line that is too long comes as a `Rejected` one, and
 * the next one is fine. Where the byte stream fails, the lines before the failure come first, and a
 * line that the failure cut off does not come. Dies with a RangeError where `maxLineBytes` is out
 * of its range.
 *
 * **Example** (Lines with their numbers)
 *
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { lines } from "tracehound/signal"
 *
 * const bytes = Stream.make("first\n\nthi", "rd").pipe(Stream.encodeText)
 *
 * Effect.runPromise(Stream.runCollect(lines(bytes))).then(console.log)
 * // => [{ _tag: "Text", line: 1, text: "first" }, { _tag: "Text", line: 3, text: "third" }]
 * ```
 */
export const lines = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>, options?: LineOptions): Stream.Stream<Line, E, R> =>
  Stream.suspend(() => splitWith(bytes, new LineSplitter(options?.maxLineBytes)))

/** The same as `lines`, with a splitter that the caller can ask how far it came. */
export const splitWith = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  splitter: LineSplitter
): Stream.Stream<Line, E, R> =>
  Stream.transformPull(bytes, (upstream) =>
    Effect.sync(() => {
      let chunks: ReadonlyArray<Uint8Array> = []
      let next = 0
      let rest: Uint8Array = new Uint8Array(0)
      let ended = false

      /** Lines of the chunks at hand; none where no line ends in them. */
      const split = (): ReadonlyArray<Line> => {
        for (;;) {
          while (rest.length === 0) {
            const chunk = chunks[next++]
            if (chunk === undefined) return []
            rest = chunk
          }
          const found = splitter.push(rest.subarray(0, sliceBytes))
          rest = rest.subarray(sliceBytes)
          if (found.length > 0) return found
        }
      }
      const pull: Pull.Pull<Arr.NonEmptyReadonlyArray<Line>, E> = Effect.suspend(() => {
        const found = split()
        if (Arr.isReadonlyArrayNonEmpty(found)) return Effect.succeed(found)
        if (ended) return Cause.done()
        return Pull.matchEffect(upstream, {
          onSuccess: (more) => {
            chunks = more
            next = 0
            return pull
          },
          onFailure: Effect.failCause,
          onDone: () => {
            ended = true
            const last = splitter.end()
            return Arr.isReadonlyArrayNonEmpty(last) ? Effect.succeed(last) : Cause.done()
          }
        })
      })
      return pull
    }))
