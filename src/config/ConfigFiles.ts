/**
 * Reads the configuration from a JSON file, the environment and an argument (CONFORMANCE R2). Each
 * of these overrides the one before, and all of them override the defaults. `ConfigVariables.ts`
 * reads the environment.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import { type ConfigSource, fromArgument, InvalidConfig, ownMistakes, resolveConfig } from "./ConfigSources.ts"
import { configFileName, fromEnvironment } from "./ConfigVariables.ts"

/** Larger files are refused before they are read. */
const maxFileBytes = 1_048_576

const mistake = (source: string, path: string, expected: string): InvalidConfig =>
  new InvalidConfig({ mistakes: [{ source, path, expected }] })

const fromFile = Effect.fn("ConfigFiles.fromFile")(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  const unreadable = () => mistake(path, "", "the file cannot be read: check its path and its permissions")
  const info = yield* Effect.mapError(fs.stat(path), unreadable)
  if (info.type !== "File") return yield* mistake(path, "", "expected a file")
  if (Number(info.size) > maxFileBytes) return yield* mistake(path, "", `expected at most ${maxFileBytes} bytes`)
  const text = yield* Effect.mapError(fs.readFileString(path), unreadable)
  const value = yield* Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: (cause) => mistake(path, "", `expected JSON${positionOf(cause)}`)
  })
  return { name: path, value } satisfies ConfigSource
})

/**
 * The position at which the parser stopped, if it names one. The rest of its message quotes the
 * file, which may hold a secret.
 */
const positionOf = (cause: unknown): string => {
  const position = cause instanceof SyntaxError
    ? / at position \d+(?: \(line \d+ column \d+\))?$/.exec(cause.message)
    : null
  return position === null ? "" : `, and it is none${position[0]}`
}

/** The sources that a program names itself; the environment is always read. */
export interface ConfigRequest {
  /** The path of a JSON file: the one in TRACEHOUND_CONFIG, if any, when left out. */
  readonly file?: string | undefined
  /** Any part of the configuration; overrides the file and the environment. */
  readonly argument?: unknown
}

/**
 * All sources, in the order in which they override each other. If a source cannot be read, fails
 * with every mistake of every source.
 */
export const configSources = Effect.fn("ConfigFiles.configSources")(function*(request: ConfigRequest = {}) {
  const file = request.file ?? (yield* configFileName)
  const attempts = yield* Effect.all([
    file === undefined ? Effect.succeed(Result.succeed(undefined)) : Effect.result(fromFile(file)),
    Effect.result(fromEnvironment)
  ])
  const mistakes = attempts.flatMap((attempt) => Result.isFailure(attempt) ? attempt.failure.mistakes : [])
  const sources = attempts.flatMap((attempt): ReadonlyArray<ConfigSource> =>
    Result.isSuccess(attempt) && attempt.success !== undefined ? [attempt.success] : []
  )
  const all = request.argument === undefined ? sources : [...sources, fromArgument(request.argument)]
  if (mistakes.length === 0) return all
  // Check the sources that could be read as well, so that all mistakes are reported at once.
  return yield* new InvalidConfig({ mistakes: [...mistakes, ...ownMistakes(all)] })
})

/** The whole configuration. Fails with every mistake of every source. */
export const loadConfig = Effect.fn("ConfigFiles.loadConfig")(function*(request: ConfigRequest = {}) {
  return yield* Effect.fromResult(resolveConfig(yield* configSources(request)))
})
