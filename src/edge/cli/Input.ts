/**
 * A file or standard input as bytes, with what can be said beforehand.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { WrongUse } from "./Failure.ts"

/** Where bytes come from. */
export interface Input {
  /** What people call it. */
  readonly name: string
  readonly bytes: Stream.Stream<Uint8Array, WrongUse>
  /** How much of it was read, between 0 and 1; null where its length is not known. */
  readonly done: () => number | null
  /** Bytes read so far. */
  readonly read: () => number
}

const chunkSize = 65_536

/** The file, or standard input for `-`. Fails at once where there is nothing to read. */
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
  if (file === "-") {
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
  if (info.type === "Directory") {
    return yield* new WrongUse({ message: `${file} is a directory: name a file in it, such as ${file}/audit.log` })
  }
  yield* Effect.mapError(
    fs.access(file, { readable: true }),
    () => new WrongUse({ message: `${file} cannot be read: check its permissions` })
  )
  // What is no regular file, such as a pipe, says that it has no length.
  const size = info.type === "File" ? Number(info.size) : 0
  return {
    name: file,
    bytes: counted(fs.stream(file, { chunkSize }), file),
    done: () => size === 0 ? null : read / size,
    read: () => read
  } satisfies Input
})
