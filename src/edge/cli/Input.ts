/**
 * A file, a pipe or standard input as a stream of bytes. Mistakes that can be known beforehand are
 * told before the first byte is read.
 *
 * **Gotchas**
 *
 * - What is no regular file (a FIFO, a process substitution, a device) knows no position. It is
 *   read from where it is, and once.
 */
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as nodeFs from "node:fs"
import * as Descriptor from "./Descriptor.ts"
import { WrongUse } from "./Failure.ts"

export interface Input {
  /** The name in messages: the path, or `standard input`. */
  readonly name: string
  readonly bytes: Stream.Stream<Uint8Array, WrongUse>
  /** The part that was read, from 0 to 1; null where the length is not known. */
  readonly done: () => number | null
  /** Bytes read so far. */
  readonly read: () => number
}

const chunkSize = 65_536

/** Bytes of what knows no position. */
const streamed = (file: string): Stream.Stream<Uint8Array, unknown> =>
  NodeStream.fromReadable({
    evaluate: () => {
      const fd = Descriptor.parse(file)
      return nodeFs.createReadStream(file, { highWaterMark: chunkSize, ...(fd === undefined ? {} : { fd }) })
    },
    onError: (error) => error
  })

/** Opens the file, or standard input for `-`. Fails where there is no file that can be read. */
export const open = Effect.fn("Input.open")(function*(file: string) {
  let read = 0
  const counted = <E>(bytes: Stream.Stream<Uint8Array, E>, name: string) =>
    bytes.pipe(
      Stream.tap((chunk) =>
        Effect.sync(() => {
          read += chunk.length
        })
      ),
      Stream.mapError(() =>
        new WrongUse({ message: `${name} could not be read to its end: check the disk and try again` })
      )
    )
  if (file === "-" || Descriptor.parse(file) === 0) {
    const { stdin } = yield* Stdio.Stdio
    return { name: "standard input", bytes: counted(stdin, "standard input"), done: () => null, read: () => read }
  }
  const fs = yield* FileSystem.FileSystem
  const info = yield* Effect.mapError(fs.stat(file), (error) =>
    new WrongUse({
      message: error.reason._tag === "NotFound"
        ? `${file} does not exist: check the path`
        : `${file} cannot be read: ${error.reason._tag}`
    }))
  if (info.type === "Directory")
    return yield* new WrongUse({ message: `${file} is a directory: name a file in it, such as ${file}/audit.log` })
  if (info.type === "Socket" && Descriptor.parse(file) === undefined)
    return yield* new WrongUse({ message: `${file} is a socket: connect to it, and give what it says to -` })
  yield* Effect.mapError(
    fs.access(file, { readable: true }),
    () => new WrongUse({ message: `${file} cannot be read: check its permissions` })
  )
  const isRegular = info.type === "File"
  // The length of a pipe, or of anything else that is no regular file, is reported as 0.
  const size = isRegular ? Number(info.size) : 0
  return {
    name: file,
    bytes: counted(isRegular ? fs.stream(file, { chunkSize }) : streamed(file), file),
    done: () => size === 0 ? null : read / size,
    read: () => read
  } satisfies Input
})
