/**
 * Where a configuration comes from (CONFORMANCE R2): defaults, then a JSON file, then the environment, then an argument,
 * each over the one before.
 *
 * Promises that all mistakes of all sources are reported at once, each with its source, its path and what was expected, and
 * that no message repeats a value. Unknown keys are mistakes. What must be there may come from any source: only all of them
 * together can lack it.
 *
 * **Details**
 *
 * - An environment variable is the path in capitals: `quarantine.maxCount` is `TRACEHOUND_QUARANTINE_MAX_COUNT`.
 *   `TRACEHOUND_CONFIG` names the file. An empty variable is the same as none.
 *
 * **Gotchas**
 *
 * - Kubernetes and Docker put variables of their own beside a service called tracehound, or tracehound-api. Names with
 *   `SERVICE_HOST`, `SERVICE_PORT` or `PORT` in them, such as `TRACEHOUND_API_PORT_80_TCP`, are therefore left alone.
 * - `undefined` in an argument is the same as leaving the key out.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import { TracehoundConfig } from "./domain/TracehoundConfig.ts"

/** One source: its name for people, and what it says. */
export interface ConfigSource {
  readonly name: string
  readonly value: unknown
  /** How this source spells a path; as `a.b.c` when left out. */
  readonly spell?: (path: ReadonlyArray<string>) => string
}

/** One thing to mend. */
export const ConfigMistake = Schema.Struct({ source: Schema.String, path: Schema.String, expected: Schema.String })
export type ConfigMistake = typeof ConfigMistake.Type

/** The configuration cannot be used: every mistake in it. */
export class InvalidConfig extends Schema.TaggedError<InvalidConfig>()("InvalidConfig", {
  mistakes: Schema.Array(ConfigMistake)
}) {
  override get message(): string {
    const { length } = this.mistakes
    const lines = this.mistakes.map(({ expected, path, source }) =>
      `\n  ${path === "" ? source : `${path} (${source})`}: ${expected}`
    )
    return `the configuration has ${length === 1 ? "a mistake" : `${length} mistakes`}:${lines.join("")}`
  }
}

/** A setting of the schema: where it is, and what it takes. */
interface Leaf {
  readonly path: ReadonlyArray<string>
  readonly ast: SchemaAST.AST
}

/** A configuration file larger than this is no configuration. */
const maxFileBytes = 1_048_576

const decode = Schema.decodeUnknownResult(TracehoundConfig, { errors: "all", onExcessProperty: "error" })
const format = SchemaIssue.makeFormatterStandardSchemaV1()
const encodedAst = Schema.toEncoded(TracehoundConfig).ast

const leavesOf = (ast: SchemaAST.AST, path: ReadonlyArray<string>): ReadonlyArray<Leaf> =>
  ast._tag === "Objects"
    ? ast.propertySignatures.flatMap(({ name, type }) => leavesOf(type, [...path, String(name)]))
    : [{ path, ast }]

const leaves = leavesOf(encodedAst, [])

/** The names of the keys that may stand at a path. */
const keysAt = (path: ReadonlyArray<string>): ReadonlyArray<string> => {
  const depth = path.length
  const below = leaves.filter((leaf) => path.every((name, i) => leaf.path[i] === name) && leaf.path.length > depth)
  return [...new Set(below.map((leaf) => leaf.path[depth] ?? ""))]
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Deeper than any setting: what is below is no configuration, and is left as it is. */
const maxLevels = 4

/** The same without keys that are undefined, as deep as a configuration goes. */
const withoutUndefined = (value: unknown, depth = maxLevels): unknown =>
  depth === 0 || !isRecord(value)
    ? value
    : Object.fromEntries(
      Object.entries(value)
        .filter(([, inner]) => inner !== undefined)
        .map(([key, inner]) => [key, withoutUndefined(inner, depth - 1)])
    )

const mistakesOf = (source: ConfigSource, issue: SchemaIssue.Issue): ReadonlyArray<ConfigMistake> =>
  format(issue).issues.map(({ message, path = [] }) => {
    const names = path.map((segment) => String(typeof segment === "object" ? segment.key : segment))
    const spelled = names.length === 0 ? "" : (source.spell ?? dotted)(names)
    const expected = message === "Expected no excess property"
      ? `unknown key; known here: ${keysAt(names.slice(0, -1)).join(", ")}`
      : message === "Missing key"
      ? missing
      : message.replace(/^Expected/, "expected")
    return { source: source.name, path: spelled, expected }
  })

/** What is said of a key that has no default and was not given. */
const missing = "missing, and there is no default"
const isMissing = ({ expected }: ConfigMistake): boolean => expected === missing

const mistakesIn = (source: ConfigSource): ReadonlyArray<ConfigMistake> =>
  Result.match(decode(source.value), { onSuccess: () => [], onFailure: (error) => mistakesOf(source, error.issue) })

/** The mistakes that each source makes on its own. A key that one lacks may stand in another. */
const ownMistakes = (sources: ReadonlyArray<ConfigSource>): ReadonlyArray<ConfigMistake> =>
  sources.map(tidy).flatMap(mistakesIn).filter((found) => !isMissing(found))

const tidy = (source: ConfigSource): ConfigSource => ({ ...source, value: withoutUndefined(source.value) })

const dotted = (path: ReadonlyArray<string>): string => path.join(".")

/** The later over the earlier, as deep as a configuration goes. */
const merge = (under: unknown, over: unknown, depth = maxLevels): unknown =>
  depth > 0 && isRecord(under) && isRecord(over)
    ? {
      ...under,
      ...Object.fromEntries(Object.entries(over).map(([key, value]) => [key, merge(under[key], value, depth - 1)]))
    }
    : over

/** The configuration that the sources give, the later over the earlier, over the defaults. Pure. */
export const resolveConfig = (sources: ReadonlyArray<ConfigSource>): Result.Result<TracehoundConfig, InvalidConfig> => {
  const said = sources.map(tidy)
  const value = said.reduce<unknown>((under, over) => merge(under, over.value), {})
  const [only, ...others] = said.filter((source) => !isRecord(source.value) || Object.keys(source.value).length > 0)
  const whole = only === undefined || others.length > 0 ? { name: "all sources together", value } : { ...only, value }
  const mistakes = [...ownMistakes(sources), ...mistakesIn(whole).filter(isMissing)]
  if (mistakes.length > 0) return Result.fail(new InvalidConfig({ mistakes }))
  return Result.mapError(decode(value), (error) => new InvalidConfig({ mistakes: mistakesOf(whole, error.issue) }))
}

/** One setting with its value, and the source that set it. */
export interface Explained {
  readonly path: string
  readonly value: unknown
  readonly source: string
}

const lookUp = (value: unknown, path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((at, name) => isRecord(at) ? at[name] : undefined, value)

/** Every setting that has a value, and where it comes from. */
export const explainConfig = (
  sources: ReadonlyArray<ConfigSource>
): Result.Result<ReadonlyArray<Explained>, InvalidConfig> =>
  Result.map(resolveConfig(sources), (config) =>
    leaves.flatMap(({ path }) => {
      const value = lookUp(config, path)
      const setter = sources.findLast((source) => lookUp(source.value, path) !== undefined)
      return value === undefined ? [] : [{ path: dotted(path), value, source: setter?.name ?? "default" }]
    }))

/** The argument of a caller. */
export const fromArgument = (value: unknown): ConfigSource => ({ name: "argument", value })

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

/** Where the parser stopped, if it says so. The rest of its message quotes the file, which may hold a secret. */
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

/** An environment variable is text: what looks like what the setting takes becomes it, the rest is left to the schema. */
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

/** All sources, in rising order. Fails with the mistakes of every source that cannot even be read. */
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
