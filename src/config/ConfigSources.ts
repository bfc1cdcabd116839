/**
 * What sources of configuration say, put together (CONFORMANCE R2): each over the one before, over
 * the defaults.
 *
 * Promises that all mistakes of all sources are reported at once, each with its source, its path
 * and what was expected, and that no message repeats a value. Unknown keys are mistakes. What must
 * be there may come from any source: only all of them together can lack it. Pure: `ConfigFiles.ts`
 * reads the sources.
 *
 * **Gotchas**
 *
 * - `undefined` in an argument is the same as leaving the key out.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import { TracehoundConfig } from "./TracehoundConfig.ts"

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
export interface Leaf {
  readonly path: ReadonlyArray<string>
  readonly ast: SchemaAST.AST
}

const decode = Schema.decodeUnknownResult(TracehoundConfig, { errors: "all", onExcessProperty: "error" })
const format = SchemaIssue.makeFormatterStandardSchemaV1()
const encodedAst = Schema.toEncoded(TracehoundConfig).ast

const leavesOf = (ast: SchemaAST.AST, path: ReadonlyArray<string>): ReadonlyArray<Leaf> =>
  ast._tag === "Objects"
    ? ast.propertySignatures.flatMap(({ name, type }) => leavesOf(type, [...path, String(name)]))
    : [{ path, ast }]

/** Every setting there is. */
export const leaves: ReadonlyArray<Leaf> = leavesOf(encodedAst, [])

/** The names of the keys that may stand at a path. */
const keysAt = (path: ReadonlyArray<string>): ReadonlyArray<string> => {
  const depth = path.length
  const below = leaves.filter((leaf) => path.every((name, i) => leaf.path[i] === name) && leaf.path.length > depth)
  return [...new Set(below.map((leaf) => leaf.path[depth] ?? ""))]
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !Redacted.isRedacted(value)

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
export const ownMistakes = (sources: ReadonlyArray<ConfigSource>): ReadonlyArray<ConfigMistake> =>
  sources.map(tidy).flatMap(mistakesIn).filter((found) => !isMissing(found))

const tidy = (source: ConfigSource): ConfigSource => ({ ...source, value: withoutUndefined(source.value) })

const dotted = (path: ReadonlyArray<string>): string => path.join(".")

/**
 * What a source says of a key itself: of a key `__proto__` any other reading gives a prototype, or
 * throws.
 */
const own = (source: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(source, key) ? source[key] : undefined

/** The later over the earlier, as deep as a configuration goes. */
export const merge = (under: unknown, over: unknown, depth = maxLevels): unknown =>
  depth > 0 && isRecord(under) && isRecord(over)
    ? {
      ...under,
      ...Object.fromEntries(Object.entries(over).map(([key, value]) => [key, merge(own(under, key), value, depth - 1)]))
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
