/**
 * Writes a file of signatures: `lineNumber<TAB>status<TAB>signature` for every line that was read,
 * with an empty signature where there is none.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
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

/** Opens the file, emptied, until the scope closes. */
export const open = Effect.fn("SignatureFile.open")(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  const unwritable = () => new WrongUse({ message: `${path} cannot be written: check that its directory exists` })
  const file = yield* Effect.mapError(fs.open(path, { flag: "w" }), unwritable)
  let waiting: Array<string> = []
  return {
    add: (line, status, signature) => {
      waiting.push(`${line}\t${status}\t${signature}\n`)
    },
    flush: Effect.suspend(() => {
      if (waiting.length === 0) return Effect.void
      const text = waiting.join("")
      waiting = []
      return Effect.mapError(file.writeAll(encoder.encode(text)), unwritable)
    })
  } satisfies SignatureFile
})

/** Writes nothing: for a replay without `--signatures`. */
export const none: SignatureFile = { add: () => undefined, flush: Effect.void }
