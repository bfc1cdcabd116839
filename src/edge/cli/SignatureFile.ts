/**
 * Writes a file of signatures: `lineNumber<TAB>status<TAB>signature` for every line that was read,
 * with an empty signature where there is none.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { type FileHandle, open as openFile } from "node:fs/promises"
import * as Descriptor from "./Descriptor.ts"
import { WrongUse } from "./Failure.ts"

export interface SignatureFile {
  /** Adds a line to those that the next flush writes. */
  readonly add: (line: number, status: string, signature: string) => void
  /** Writes the lines added since the last flush. */
  readonly flush: Effect.Effect<void, WrongUse>
}

const encoder = new TextEncoder()

/** A file that the replay reads. */
export interface Source {
  /** The name in messages. */
  readonly what: string
  readonly path: string
}

/** The regular file that a path leads to, by whatever link; undefined where there is none. */
const fileAt = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  const info = Option.getOrUndefined(yield* Effect.option(fs.stat(path)))
  return info?.type === "File" && Option.isSome(info.ino) ? `${info.dev}:${info.ino.value}` : undefined
})

/** Refuses a path under which a file is found that the replay reads: opening it would empty it. */
export const refuseSources = Effect.fnUntraced(function*(path: string, sources: ReadonlyArray<Source>) {
  const target = yield* fileAt(path)
  if (target === undefined) return
  for (const source of sources) {
    if (target === (yield* fileAt(source.path)))
      return yield* new WrongUse({ message: `--signatures would overwrite ${source.what}: name another file` })
  }
})

/** Why a write failed, and what to do; nothing of the error's own text. */
const adviceOn = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? String(error.code) : ""
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return "check that its directory exists"
    case "EISDIR":
      return "it is a directory: name a file in it"
    case "ENOSPC":
    case "EDQUOT":
      return "there is no space left for it"
    case "EPIPE":
      return "its reader has closed it"
    default:
      return `check its permissions (${code})`
  }
}

/** Writes all of the bytes, at no position: pipes and devices have none. */
const writeAll = async (file: FileHandle, bytes: Uint8Array): Promise<void> => {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, null)
    at += bytesWritten
  }
}

/** Opens the file, emptied, until the scope closes, and gives what writes to it. */
const writerTo = (path: string) => {
  const unwritable = (error: unknown) => new WrongUse({ message: `${path} cannot be written: ${adviceOn(error)}` })
  return Effect.acquireRelease(
    Effect.tryPromise({ try: () => openFile(path, "w"), catch: unwritable }),
    (file) => Effect.ignore(Effect.tryPromise(() => file.close()))
  ).pipe(
    Effect.map((file) => (text: string) =>
      Effect.tryPromise({ try: () => writeAll(file, encoder.encode(text)), catch: unwritable })
    )
  )
}

/**
 * Opens the file, emptied, until the scope closes. A path that names standard output or standard
 * error is that stream, so that nothing the command writes there is overwritten.
 */
export const open = Effect.fn("SignatureFile.open")(function*(path: string) {
  const print = [undefined, Console.log, Console.error][Descriptor.parse(path) ?? 0]
  const write = print === undefined ? yield* writerTo(path) : (text: string) => print(text.slice(0, -1))
  let waiting: Array<string> = []
  return {
    add: (line, status, signature) => {
      waiting.push(`${line}\t${status}\t${signature}\n`)
    },
    flush: Effect.suspend(() => {
      if (waiting.length === 0) return Effect.void
      const text = waiting.join("")
      waiting = []
      return write(text)
    })
  } satisfies SignatureFile
})

/** Writes nothing: for a replay without `--signatures`. */
export const none: SignatureFile = { add: () => undefined, flush: Effect.void }
