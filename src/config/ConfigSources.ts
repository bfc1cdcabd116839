/**
 * Merges the sources of a configuration and decodes the result (CONFORMANCE R2): each source
 * overrides the one before, and all of them override the defaults.
 *
 * Promises that all mistakes of all sources are reported at once, each with its source, its path
 * and what was expected, and that no message repeats a value. Unknown keys are mistakes. A required
 * key may come from any source: it is missing only if all of them lack it. Pure: `ConfigFiles.ts`
 * reads the sources.
 *
 * **Gotchas**
 *
 * - `undefined` in an argument is the same as leaving the key out.
 * - Only plain objects are read: what an object inherits, hides or has under a symbol would be left
 *   out in silence, so it is a mistake.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import { TracehoundConfig } from "./TracehoundConfig.ts"

/** One source, as yet unchecked. */
export interface ConfigSource {
  /** Names the source in messages. */
  readonly name: string
  readonly value: unknown
  /** How this source spells a path in messages: as `a.b.c` when left out. */
  readonly spell?: (path: ReadonlyArray<string>) => string
}

/** What is wrong in which source, and what was expected instead. */
export const ConfigMistake = Schema.Struct({ source: Schema.String, path: Schema.String, expected: Schema.String })
export type ConfigMistake = typeof ConfigMistake.Type

/** The configuration cannot be used. Names every mistake in it. */
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

/** A setting of the schema: its path, and the type of its encoded value. */
export interface Leaf {
  readonly path: ReadonlyArray<string>
  readonly ast: SchemaAST.AST
}

const decode = Schema.decodeUnknownResult(TracehoundConfig, { errors: "all", onExcessProperty: "error" })
const format = SchemaIssue.makeFormatterStandardSchemaV1()

const leavesOf = (ast: SchemaAST.AST, path: ReadonlyArray<string>): ReadonlyArray<Leaf> =>
  ast._tag === "Objects"
    ? ast.propertySignatures.flatMap(({ name, type }) => leavesOf(type, [...path, String(name)]))
    : [{ path, ast }]

let known: ReadonlyArray<Leaf> | undefined

/** Every setting of the schema. They are listed when somebody first asks: a start does not. */
export const leaves = (): ReadonlyArray<Leaf> => known ??= leavesOf(Schema.toEncoded(TracehoundConfig).ast, [])

/** The keys that an object at `path` may have. */
const keysAt = (path: ReadonlyArray<string>): ReadonlyArray<string> => {
  const depth = path.length
  const below = leaves().filter((leaf) => path.every((name, i) => leaf.path[i] === name) && leaf.path.length > depth)
  return [...new Set(below.map((leaf) => leaf.path[depth] ?? ""))]
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !Redacted.isRedacted(value)

/** Deeper than any setting. Values below this depth are not looked at. */
const maxLevels = 4

/** A copy without keys that are undefined, down to `maxLevels`. */
const withoutUndefined = (value: unknown, depth = maxLevels): unknown =>
  depth === 0 || !isRecord(value)
    ? value
    : Object.fromEntries(
      Object.entries(value)
        .filter(([, inner]) => inner !== undefined)
        .map(([key, inner]) => [key, withoutUndefined(inner, depth - 1)])
    )

/**
 * What copying the value would leave out: keys that are symbols or hidden, and whatever an object
 * inherits from another than the one that all objects do.
 */
const leftOut = (
  source: ConfigSource,
  value: unknown,
  path: ReadonlyArray<string> = []
): ReadonlyArray<ConfigMistake> => {
  if (path.length >= maxLevels || !isRecord(value)) return []
  const told = (expected: string, at: ReadonlyArray<string>): ConfigMistake => ({
    source: source.name,
    path: at.length === 0 ? "" : (source.spell ?? dotted)(at),
    expected
  })
  const prototype: unknown = Object.getPrototypeOf(value)
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null
  const lost = Reflect.ownKeys(value).filter((key) =>
    typeof key === "string" ? !isListed(value, key) : isListed(value, key)
  )
  return [
    ...isPlain ? [] : [told("expected a plain object: nothing that this one inherits is read", path)],
    ...lost.map((key) =>
      typeof key === "string"
        ? told("expected a key that is enumerable: this one is not read", [...path, key])
        : told(`unknown key, a symbol; known here: ${keysAt(path).join(", ")}`, path)
    ),
    ...Object.entries(value).flatMap(([key, inner]) => leftOut(source, inner, [...path, key]))
  ]
}

const isListed = (value: object, key: PropertyKey): boolean => Object.prototype.propertyIsEnumerable.call(value, key)

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

/** Stands in `expected` for a key that has no default and was not given. */
const missing = "missing, and there is no default"
const isMissing = ({ expected }: ConfigMistake): boolean => expected === missing

const mistakesIn = (source: ConfigSource): ReadonlyArray<ConfigMistake> =>
  Result.match(decode(source.value), { onSuccess: () => [], onFailure: (error) => mistakesOf(source, error.issue) })

/** The mistakes that each source makes by itself. A missing key is none: another may have it. */
export const ownMistakes = (sources: ReadonlyArray<ConfigSource>): ReadonlyArray<ConfigMistake> => [
  ...sources.flatMap((source) => leftOut(source, source.value)),
  ...sources.map(tidy).flatMap(mistakesIn).filter((found) => !isMissing(found))
]

const tidy = (source: ConfigSource): ConfigSource => ({ ...source, value: withoutUndefined(source.value) })

const dotted = (path: ReadonlyArray<string>): string => path.join(".")

/** An own property, or undefined. Reading `__proto__` in any other way gives the prototype. */
const own = (source: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(source, key) ? source[key] : undefined

/** Both, with `over` overriding `under` key by key, down to `maxLevels`. */
export const merge = (under: unknown, over: unknown, depth = maxLevels): unknown =>
  depth > 0 && isRecord(under) && isRecord(over)
    ? {
      ...under,
      ...Object.fromEntries(Object.entries(over).map(([key, value]) => [key, merge(own(under, key), value, depth - 1)]))
    }
    : over

/** Merges the sources, later ones overriding earlier ones, and decodes the result. */
export const resolveConfig = (sources: ReadonlyArray<ConfigSource>): Result.Result<TracehoundConfig, InvalidConfig> => {
  const tidied = sources.map(tidy)
  const value = tidied.reduce<unknown>((under, over) => merge(under, over.value), {})
  const [only, ...others] = tidied.filter((source) => !isRecord(source.value) || Object.keys(source.value).length > 0)
  const whole = only === undefined || others.length > 0 ? { name: "all sources together", value } : { ...only, value }
  const decoded = Result.mapError(decode(value), ({ issue }) => mistakesOf(whole, issue))
  const found = Result.isFailure(decoded) ? decoded.failure : []
  // A single source is all that was decoded: once is enough.
  const own = sources.length === 1 ? found : tidied.flatMap(mistakesIn)
  const mistakes = [
    ...sources.flatMap((source) => leftOut(source, source.value)),
    ...own.filter((mistake) => !isMissing(mistake)),
    ...found.filter(isMissing)
  ]
  if (mistakes.length > 0) return Result.fail(new InvalidConfig({ mistakes }))
  return Result.flatMap(Result.mapError(decoded, (mistakes) => new InvalidConfig({ mistakes })), (config) => {
    const contradictions = contradictionsIn(config, whole)
    return contradictions.length === 0
      ? Result.succeed(config)
      : Result.fail(new InvalidConfig({ mistakes: contradictions }))
  })
}

/** Settings that are sound by themselves, and not together. */
const contradictionsIn = (
  { audit: { chainEnabled }, custody, dataDirectory }: TracehoundConfig,
  source: ConfigSource
): ReadonlyArray<ConfigMistake> => {
  const mistake = (path: ReadonlyArray<string>, expected: string): ConfigMistake => ({
    source: source.name,
    path: (source.spell ?? dotted)(path),
    expected
  })
  return [
    ...custody !== "durable" || dataDirectory !== undefined
      ? []
      : [mistake(["custody"], "durable needs a dataDirectory: set it, or leave custody out")],
    ...chainEnabled || dataDirectory === undefined
      ? []
      : [mistake(["audit", "chainEnabled"], "false leaves a dataDirectory without a ledger: leave one of them out")]
  ]
}

/** One setting with its value, and the name of the source that set it. */
export interface Explained {
  readonly path: string
  readonly value: unknown
  readonly source: string
}

const lookUp = (value: unknown, path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((at, name) => isRecord(at) ? at[name] : undefined, value)

/** Every setting that has a value, with the source of the value. */
export const explainConfig = (
  sources: ReadonlyArray<ConfigSource>
): Result.Result<ReadonlyArray<Explained>, InvalidConfig> =>
  Result.map(resolveConfig(sources), (config) =>
    leaves().flatMap(({ path }) => {
      const value = lookUp(config, path)
      const setter = sources.findLast((source) => lookUp(source.value, path) !== undefined)
      return value === undefined ? [] : [{ path: dotted(path), value, source: setter?.name ?? "default" }]
    }))

/** The source for the argument that a caller passes. */
export const fromArgument = (value: unknown): ConfigSource => ({ name: "argument", value })
