/**
 * `file:` endpoints: cold storage in a directory (CONFORMANCE C1).
 *
 * Promises that an envelope appears whole or not at all (it is written to a `.partial` file that is
 * then linked to its name), that no existing file is ever overwritten, and that only the owner can
 * read it: files have mode 0600, in a directory made with 0700.
 *
 * **Gotchas**
 *
 * - A directory that exists already keeps its mode: whoever may list it sees names and sizes, no
 *   content.
 * - The file system must support hard links.
 * - It does not call fsync: after a power failure the latest envelopes may be missing, or damaged,
 *   which their seal shows.
 * - A crash may leave a `.partial` file behind. Nothing reads it; it may be deleted.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import { ColdStorageEndpoint, ColdStorageError } from "./Endpoint.ts"

/** The ending of each envelope's name. */
export const extension = ".thev"

/**
 * The directory that a `file:` endpoint names: `file:///var/x`, `file:/var/x`, or `file:x` from the
 * working directory.
 */
export const directoryOf = (endpoint: string, path: Path.Path): Effect.Effect<string, ColdStorageError> => {
  if (!endpoint.startsWith("file://")) return Effect.succeed(path.resolve(endpoint.slice("file:".length)))
  return Effect.try({ try: () => new URL(endpoint), catch: () => unopenable(endpoint, "it is not a URL") }).pipe(
    Effect.flatMap((url) => Effect.mapError(path.fromFileUrl(url), (error) => unopenable(endpoint, error.message)))
  )
}

const unopenable = (endpoint: string, why: string): ColdStorageError =>
  new ColdStorageError({
    reason: "open",
    message:
      `cold storage ${endpoint} cannot be opened: ${why}; check that it names a directory this process may write to`
  })

/** The host's code in an error of its file system, such as ENOSPC. */
const codeOf = ({ reason }: PlatformError): string | undefined => {
  const { cause } = reason
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined
  return typeof code === "string" && /^[A-Z][A-Z0-9_]{1,31}$/.test(code) ? code : undefined
}

/** No room on the device, and none within the owner's quota. */
const noRoom: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT"])

const reasonOf = ({ reason }: PlatformError, code: string | undefined): ColdStorageError["reason"] =>
  noRoom.has(code) ? "full" : reason._tag === "AlreadyExists" ? "taken" : "write"

/** The error in words, with the host's code, which its message leaves out. */
const wordsOf = (error: PlatformError): string => {
  const code = codeOf(error)
  return code === undefined ? error.message : `${error.message}: ${code}`
}

/**
 * Makes a directory, with mode 0700, and those above it that are not there. One that is there
 * stays as it is.
 *
 * Step by step, each at most twice: where a file system says that a name is not there and cannot be
 * made (procfs does), Node's own recursive mkdir tries for ever, on a thread that nothing can stop.
 */
export const makeDirectories = (
  fs: FileSystem.FileSystem,
  path: Path.Path,
  directory: string
): Effect.Effect<void, PlatformError> => {
  const makeOne = fs.makeDirectory(directory, { mode: 0o700 }).pipe(
    Effect.catch((error) =>
      Effect.flatMap(isDirectory(fs, directory), (isThere) => isThere ? Effect.void : Effect.fail(error))
    )
  )
  const parent = path.dirname(directory)
  return makeOne.pipe(
    Effect.catch((error) =>
      error.reason._tag === "NotFound" && parent !== directory
        ? Effect.andThen(makeDirectories(fs, path, parent), makeOne)
        : Effect.fail(error)
    )
  )
}

const isDirectory = (fs: FileSystem.FileSystem, path: string): Effect.Effect<boolean> =>
  Effect.match(fs.stat(path), { onSuccess: ({ type }) => type === "Directory", onFailure: () => false })

/** Writes a file for each envelope, named by its id with the ending `.thev`. */
export const layer = (
  endpoint: string
): Layer.Layer<ColdStorageEndpoint, ColdStorageError, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    ColdStorageEndpoint,
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = yield* directoryOf(endpoint, path)
      const failed = (error: PlatformError) => {
        const code = codeOf(error)
        const message = `cold storage ${endpoint}: ${wordsOf(error)}`
        return new ColdStorageError({
          reason: reasonOf(error, code),
          message,
          ...(code === undefined ? {} : { code })
        })
      }
      return {
        destination: endpoint,
        open: Effect.mapError(makeDirectories(fs, path, directory), (error) => unopenable(endpoint, wordsOf(error))),
        write: Effect.fnUntraced(
          function*(name: string, bytes: Uint8Array) {
            const whole = path.join(directory, `${name}${extension}`)
            const partial = `${whole}.partial`
            let isOthers = false
            yield* fs.writeFile(partial, bytes, { flag: "wx", mode: 0o600 }).pipe(
              Effect.tapError((error) =>
                Effect.sync(() => {
                  isOthers = error.reason._tag === "AlreadyExists"
                })
              ),
              // A link fails where the name is taken; a rename would replace the file.
              Effect.andThen(fs.link(partial, whole)),
              // A `.partial` file of another writer of the same name stays: it is about to be
              // linked.
              Effect.ensuring(
                Effect.suspend(() => isOthers ? Effect.void : Effect.ignore(fs.remove(partial, { force: true })))
              )
            )
          },
          Effect.mapError(failed)
        )
      }
    })
  )
