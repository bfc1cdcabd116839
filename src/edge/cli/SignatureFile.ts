/**
 * Writes a file of signatures: `lineNumber<TAB>status<TAB>signature` for every line that was read,
 * with an empty signature where there is none.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { WrongUse } from "./Failure.ts"

export interface SignatureFile {
  /** Adds a line to those that the next flush writes. */
  readonly add: (line: number, status: string, signature: string) => void
  /** Writes the lines added since the last flush. */
  readonly flush: Effect.Effect<void, WrongUse>
}

const encoder = new TextEncoder()

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
