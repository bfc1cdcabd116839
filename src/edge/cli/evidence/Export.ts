/**
 * `tracehound evidence export`: the raw bytes of one piece, to a file.
 *
 * Promises that raw evidence reaches no terminal, pipe or device; that a file appears whole or not
 * at all, readable by its owner alone; and that a file which is there is replaced only where the
 * user said so.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { constants, copyFile, link, lstat, open, rename, unlink } from "node:fs/promises"
import * as Descriptor from "../Descriptor.ts"
import { WrongUse } from "../Failure.ts"
import { idOf, sayNo, sourceAt, type Where } from "./Place.ts"
import { sizeText } from "./Shown.ts"

export interface ExportFlags extends Where {
  readonly evidence: string
  readonly file: string
  readonly force: boolean
}

const taken = "it is there already: name another file, or say --force"

/** Why a file was not written, and what to do. */
const adviceOn = (thrown: unknown): string => {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : ""
  switch (code) {
    case "EEXIST":
      return taken
    case "ENOENT":
    case "ENOTDIR":
      return "check that its directory exists"
    case "ENOSPC":
    case "EDQUOT":
      return "there is no space left for it"
    default:
      return `check its permissions${code === "" ? "" : ` (${code})`}`
  }
}

/** Refuses what is no file: a descriptor, and what is there and is a terminal, a pipe, a folder. */
const refuseOthers = Effect.fnUntraced(function*(file: string, force: boolean) {
  const noFile = new WrongUse({ message: "raw evidence goes to a file alone: name one that is not there yet" })
  if (file === "" || file === "-" || Descriptor.parse(file) !== undefined) return yield* noFile
  const info = yield* Effect.promise(() => lstat(file).catch(() => null))
  if (info === null) return
  if (!info.isFile()) return yield* noFile
  if (!force)
    return yield* new WrongUse({ message: `${file} cannot be written: ${taken}` })
})

/** Copies on a file system that has no links; fails where the name is taken. */
const copyUnlessTaken = (thrown: unknown, partial: string, file: string): Promise<void> => {
  if (thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST") throw thrown
  return copyFile(partial, file, constants.COPYFILE_EXCL)
}

/** Writes to a file beside it, which then gets the name. */
const writeWhole = async (file: string, bytes: Uint8Array, force: boolean): Promise<void> => {
  const partial = `${file}.${randomUUID()}.partial`
  const handle = await open(partial, "wx", 0o600)
  try {
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    if (force) await rename(partial, file)
    // A link fails where the name was taken meanwhile; a rename would replace that file.
    else await link(partial, file).catch((thrown: unknown) => copyUnlessTaken(thrown, partial, file))
  } finally {
    await unlink(partial).catch(() => undefined)
  }
}

/** Writes the piece, checked whole, to the file. */
export const exportTo = Effect.fn("evidence.export")(function*(flags: ExportFlags) {
  const { file, force } = flags
  yield* refuseOthers(file, force)
  const source = yield* sourceAt(flags)
  yield* Effect.gen(function*() {
    const id = yield* idOf(source, flags.evidence)
    yield* Effect.acquireUseRelease(
      source.open(id),
      ({ content, record }) =>
        Effect.tryPromise({
          try: () => writeWhole(file, content, force),
          catch: (thrown) => new WrongUse({ message: `${file} cannot be written: ${adviceOn(thrown)}` })
        }).pipe(
          Effect.andThen(
            Console.log(`${sizeText(record.size)} of ${record.signature} are in ${file}: handle with care`)
          )
        ),
      ({ content }) => Effect.sync(() => content.fill(0))
    )
  }).pipe(Effect.catchTag("EvidenceUnavailable", sayNo))
})
