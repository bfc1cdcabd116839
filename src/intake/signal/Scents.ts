/**
 * Reads Scents from the bytes of a recording: decompression, lines and a decoder in one stream.
 *
 * Promises that nothing in the bytes makes it fail or die: each line that is not blank gives one
 * event, in order, and a gzip stream that breaks gives one more, the last. Memory does not grow
 * with the input.
 */
import * as Arr from "effect/Array"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Scent } from "../../domain/Scent.ts"
import { GzipError, type Inflate } from "../../host/port/Inflate.ts"
import { type Format, readerFor } from "./Decoder.ts"
import { gunzipIfNeeded } from "./Gunzip.ts"
import { type LineOptions, splitWith } from "./Lines.ts"
import { type Line, LineSplitter } from "./LineSplitter.ts"

/**
 * A line that is a scent, or one that is none with the reason. The message is short and holds
 * nothing of the line.
 *
 * `isRaw` is there where JSON.parse would lose something of the payload: invalid UTF-8, a key that
 * comes twice, digits past a double. The payload is then the bytes of the value as they stand in
 * the line.
 *
 * `isCutOff` is there where the recording ends too early, in this line.
 */
export type ScentEvent =
  | { readonly _tag: "Scent"; readonly line: number; readonly scent: Scent; readonly isRaw?: true }
  | { readonly _tag: "Invalid"; readonly line: number; readonly message: string; readonly isCutOff?: true }

export interface ScentsOptions extends LineOptions {
  readonly format: Format
}

/**
 * Reads a recording, plain or gzip. Where the byte stream itself fails, this one fails with the
 * same error, after the events before. Needs the host's `Inflate`, for plain recordings too: only
 * their first bytes tell them apart.
 *
 * The events come in arrays, one for at most 64 KiB of input, which `Stream.runForEachArray` and
 * `Stream.mapArray` see.
 *
 * **Example** (Reading a recording)
 *
 * ```ts
 * import { Console, Effect, Stream } from "effect"
 * import { NodeInflate } from "tracehound/node"
 * import { scents } from "tracehound/signal"
 *
 * const line = JSON.stringify({ id: "1", source: "192.0.2.7", timestamp: 1, payload: "hello" })
 * const recording = Stream.make(`${line}\n`, "no scent\n").pipe(Stream.encodeText)
 *
 * const report = scents(recording, { format: "scent" }).pipe(
 *   Stream.provide(NodeInflate.layer),
 *   Stream.runForEach((event) =>
 *     event._tag === "Scent"
 *       ? Console.log(event.line, event.scent.threat?.severity ?? "clean")
 *       : Console.error(event.line, event.message)
 *   )
 * )
 *
 * Effect.runPromise(report)
 * ```
 */
export const scents = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  options: ScentsOptions
): Stream.Stream<ScentEvent, Exclude<E, GzipError>, R | Inflate> =>
  Stream.suspend(() => {
    const splitter = new LineSplitter(options.maxLineBytes)
    const decode = eventOf(options.format, splitter)
    return gunzipIfNeeded(bytes).pipe(
      (plain) => splitWith(plain, splitter),
      Stream.mapArray(Arr.map(decode)),
      Stream.catchIf<E | GzipError, GzipError, ScentEvent, never, never>(
        (error) => error instanceof GzipError,
        (error) => Stream.fromArray(lastEvents(error, splitter, decode))
      )
    )
  })

const eventOf = (format: Format, splitter: LineSplitter) => {
  const read = readerFor(format)
  return (line: Line): ScentEvent => {
    const decoded = line._tag === "Text" ? read(line) : Result.fail({ message: line.problem })
    if (Result.isSuccess(decoded)) {
      const { isRaw, scent } = decoded.success
      return { _tag: "Scent", line: line.line, scent, ...(isRaw ? { isRaw } : {}) }
    }
    const isCutOff = line.line === splitter.unended && !isWhole(line)
    const { message } = decoded.failure
    return { _tag: "Invalid", line: line.line, message, ...(isCutOff ? { isCutOff } : {}) }
  }
}

/** Whether a line that has no line break lacks nothing else. */
const isWhole = (line: Line): boolean => {
  if (line._tag === "Rejected") return false
  try {
    JSON.parse(line.text)
    return true
  } catch {
    return false
  }
}

/**
 * The events after a gzip stream broke. The line that was cut off is a scent after all where it
 * lacks nothing but its line break: a JSON object ends with its brace, so no part of one is one.
 * Otherwise the gzip stream's problem takes the place of that line.
 */
const lastEvents = (
  error: GzipError,
  splitter: LineSplitter,
  decode: (line: Line) => ScentEvent
): ReadonlyArray<ScentEvent> => {
  const whole = splitter.completed
  const [cut] = splitter.end().map(decode)
  const saved = cut?._tag === "Scent" ? [cut] : []
  const after = whole + saved.length
  return [...saved, { _tag: "Invalid", line: after + 1, message: problemAfter(error, after), isCutOff: true }]
}

const problemAfter = ({ reason }: GzipError, line: number): string => {
  const place = line === 0 ? "before the end of its first line" : `after line ${line}`
  switch (reason) {
    case "truncated":
      return `the gzip stream ends before its end ${place}: get the rest of the file and read it again from its start`
    case "corrupt":
      return `the gzip stream is damaged ${place}: check it with gzip -t and get a fresh copy`
    case "garbage":
      return `something that is not gzip follows the gzip stream ${place}: cut it off, or read it as a file of its own`
  }
}
