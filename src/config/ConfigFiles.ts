/**
 * Reads the configuration from a JSON file, the environment and an argument (CONFORMANCE R2). Each
 * of these overrides the one before, and all of them override the defaults.
 *
 * **Details**
 *
 * - An environment variable is named by the setting's path in capitals: `quarantine.maxCount` is
 *   `TRACEHOUND_QUARANTINE_MAX_COUNT`. `TRACEHOUND_CONFIG` names the file. An empty variable counts
 *   as not set.
 *
 * **Gotchas**
 *
 * - Kubernetes and Docker set variables of their own for a service called tracehound or
 *   tracehound-api. Names that contain `SERVICE_HOST`, `SERVICE_PORT` or `PORT`, such as
 *   `TRACEHOUND_API_PORT_80_TCP`, are therefore ignored.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as SchemaAST from "effect/SchemaAST"
import {
  type ConfigSource,
  fromArgument,
  InvalidConfig,
  leaves,
  merge,
  ownMistakes,
  resolveConfig
} from "./ConfigSources.ts"

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

const prefix = "TRACEHOUND"

const segmentsOf = (path: ReadonlyArray<string>): ReadonlyArray<string> =>
  path.flatMap((name) => name.replaceAll(/[A-Z]/g, "_$&").toUpperCase().split("_"))

/** The environment variable of the setting at `path`. */
export const variableName = (path: ReadonlyArray<string>): string => [prefix, ...segmentsOf(path)].join("_")

/**
 * The value of a variable for a setting of this type: text that looks like a number or a boolean is
 * converted if the setting takes one. Other text is left for the schema to refuse.
 */
const fromText = (text: string, ast: SchemaAST.AST): unknown => {
  if (ast._tag === "Number") return /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : text
  if (text === "true" || text === "false") return ast._tag === "String" ? text : text === "true"
  return text
}

/** Whether an orchestrator sets a variable of this name for a service called tracehound…. */
const isForeign = (name: string): boolean => /^TRACEHOUND_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT|PORT)(?:_|$)/.test(name)

/** Every variable whose name begins with `path`. Bounded by the size of the environment. */
const variablesBelow = (
  provider: ConfigProvider.ConfigProvider,
  path: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<{ readonly name: string; readonly text: string }>, ConfigProvider.SourceError> =>
  Effect.gen(function*() {
    const node = yield* provider.load([...path])
    if (node === undefined) return []
    const own = node.value === undefined ? [] : [{ name: path.join("_"), text: node.value }]
    const names = node._tag === "Record"
      ? [...node.keys]
      : node._tag === "Array"
      ? Array.from({ length: node.length }, (_, i) => String(i))
      : []
    const below = yield* Effect.forEach(names, (name) => variablesBelow(provider, [...path, name]))
    return [...own, ...below.flat()]
  })

/** The `TRACEHOUND_…` variables of the ConfigProvider: by default, the process's environment. */
const fromEnvironment = Effect.gen(function*() {
  const provider = yield* ConfigProvider.ConfigProvider
  const variables = yield* Effect.mapError(
    variablesBelow(provider, [prefix]),
    () => mistake("environment", "", "the environment cannot be read")
  )
  const known = new Map(leaves.map((leaf) => [variableName(leaf.path), leaf]))
  const unknown = variables.filter(({ name }) => name !== configVariable && !known.has(name) && !isForeign(name))
  const value = variables.reduce<unknown>((under, { name, text }) => {
    const leaf = known.get(name)
    if (leaf === undefined) return under
    const nested = leaf.path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), fromText(text, leaf.ast))
    return merge(under, nested)
  }, {})
  const source = { name: "environment", value, spell: variableName } satisfies ConfigSource
  if (unknown.length === 0) return source
  const mistakes = unknown.map(({ name }) => ({
    source: source.name,
    path: name,
    expected: "unknown variable; `tracehound config print` lists every setting, and its name is the path in capitals"
  }))
  // Check the known variables as well, so that all mistakes are reported at once.
  return yield* new InvalidConfig({ mistakes: [...mistakes, ...ownMistakes([source])] })
})

const configVariable = `${prefix}_CONFIG`

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
  const provider = yield* ConfigProvider.ConfigProvider
  const named = yield* Effect.option(provider.load(configVariable.split("_")))
  const file = request.file ?? Option.getOrUndefined(named)?.value
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
