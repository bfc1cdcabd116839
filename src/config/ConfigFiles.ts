/**
 * Where a configuration comes from (CONFORMANCE R2): defaults, then a JSON file, then the
 * environment, then an argument, each over the one before.
 *
 * **Details**
 *
 * - An environment variable is the path in capitals: `quarantine.maxCount` is
 *   `TRACEHOUND_QUARANTINE_MAX_COUNT`. `TRACEHOUND_CONFIG` names the file. An empty variable is the
 *   same as none.
 *
 * **Gotchas**
 *
 * - Kubernetes and Docker put variables of their own beside a service called tracehound, or
 *   tracehound-api. Names with `SERVICE_HOST`, `SERVICE_PORT` or `PORT` in them, such as
 *   `TRACEHOUND_API_PORT_80_TCP`, are therefore left alone.
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

/** A configuration file larger than this is no configuration. */
const maxFileBytes = 1_048_576

const mistake = (source: string, path: string, expected: string): InvalidConfig =>
  new InvalidConfig({ mistakes: [{ source, path, expected }] })

/** A JSON file. */
const fromFile = Effect.fn("ConfigSources.fromFile")(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  const unreadable = () => mistake(path, "", "the file cannot be read: check its path and its permissions")
  const info = yield* Effect.mapError(fs.stat(path), unreadable)
  if (info.type !== "File") return yield* mistake(path, "", "expected a file")
  if (Number(info.size) > maxFileBytes) return yield* mistake(path, "", `expected at most ${maxFileBytes} bytes`)
  const text = yield* Effect.mapError(fs.readFileString(path), unreadable)
  const value = yield* Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: (cause) => mistake(path, "", `expected JSON${placeOf(cause)}`)
  })
  return { name: path, value } satisfies ConfigSource
})

/**
 * Where the parser stopped, if it says so. The rest of its message quotes the file, which may hold
 * a secret.
 */
const placeOf = (cause: unknown): string => {
  const place = cause instanceof SyntaxError
    ? / at position \d+(?: \(line \d+ column \d+\))?$/.exec(cause.message)
    : null
  return place === null ? "" : `, and it is none${place[0]}`
}

const prefix = "TRACEHOUND"

const segmentsOf = (path: ReadonlyArray<string>): ReadonlyArray<string> =>
  path.flatMap((name) => name.replaceAll(/[A-Z]/g, "_$&").toUpperCase().split("_"))

/** The environment variable of a setting. */
export const variableName = (path: ReadonlyArray<string>): string => [prefix, ...segmentsOf(path)].join("_")

/**
 * An environment variable is text: what looks like what the setting takes becomes it, the rest is
 * left to the schema.
 */
const fromText = (text: string, ast: SchemaAST.AST): unknown => {
  if (ast._tag === "Number") return /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : text
  if (text === "true" || text === "false") return ast._tag === "String" ? text : text === "true"
  return text
}

/** Names beside ours that orchestrators set for a service called tracehound, or tracehound-api. */
const isForeign = (name: string): boolean => /^TRACEHOUND_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT|PORT)(?:_|$)/.test(name)

/** Every variable below a place in the environment. Bounded by the environment's own size. */
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

/** `TRACEHOUND_…` of the environment, or of whatever ConfigProvider stands in for it. */
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
  // The others are checked as well, so that everything is reported at once.
  return yield* new InvalidConfig({ mistakes: [...mistakes, ...ownMistakes([source])] })
})

/** The variable that names the configuration file. */
const configVariable = `${prefix}_CONFIG`

/** What a program asks for beside the environment. */
export interface ConfigRequest {
  /** A JSON file; where none is given, the one that TRACEHOUND_CONFIG names, if it does. */
  readonly file?: string | undefined
  /** What goes over everything else. */
  readonly argument?: unknown
}

/**
 * All sources, in rising order. Fails with the mistakes of every source that cannot even be read.
 */
export const configSources = Effect.fn("ConfigSources.configSources")(function*(request: ConfigRequest = {}) {
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
  // What could be read is checked as well, so that everything is reported at once.
  return yield* new InvalidConfig({ mistakes: [...mistakes, ...ownMistakes(all)] })
})

/** The configuration that file, environment and argument give over the defaults. */
export const loadConfig = Effect.fn("ConfigSources.loadConfig")(function*(request: ConfigRequest = {}) {
  return yield* Effect.fromResult(resolveConfig(yield* configSources(request)))
})
