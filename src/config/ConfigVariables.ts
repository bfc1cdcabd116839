/**
 * Reads the configuration from the ConfigProvider: by default, from the process's environment
 * (CONFORMANCE R2).
 *
 * **Details**
 *
 * - An environment variable is named by the setting's path in capitals: `quarantine.maxCount` is
 *   `TRACEHOUND_QUARANTINE_MAX_COUNT`. `TRACEHOUND_CONFIG` names the file. An empty variable counts
 *   as not set.
 * - A provider of another kind is asked as other Effect code asks it: for each setting by itself,
 *   `tracehound`, `quarantine`, `maxCount`. So `fromUnknown`, `constantCase`, `nested` and `orElse`
 *   do what they do elsewhere. A setting that is not there is asked for by its variable.
 *
 * **Gotchas**
 *
 * - Kubernetes and Docker set variables of their own for a service called tracehound or
 *   tracehound-api. Names that contain `SERVICE_HOST`, `SERVICE_PORT` or `PORT`, such as
 *   `TRACEHOUND_API_PORT_80_TCP`, are therefore ignored.
 * - Where one provider has a setting by its path and another has it by its variable, the path wins,
 *   whichever comes first in `orElse`. Give the environment `constantCase`, and the first wins.
 * - Unknown keys can be refused only where the provider lists them; `orElse` lists those of the
 *   first provider that has any.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import type * as SchemaAST from "effect/SchemaAST"
import { type ConfigSource, InvalidConfig, type Leaf, leaves, merge, ownMistakes } from "./ConfigSources.ts"

const name = "environment"

type Provider = ConfigProvider.ConfigProvider
type ProviderPath = ReadonlyArray<string | number>

/** The roots of the settings: of variables, and of paths. */
const prefix = "TRACEHOUND"
const root = "tracehound"

const inCapitals = (key: string): string => key.replaceAll(/[A-Z]/g, "_$&").toUpperCase()

/** The environment variable of the setting at `path`. */
export const variableName = (path: ReadonlyArray<string>): string => [prefix, ...path.map(inCapitals)].join("_")

const configVariable = `${prefix}_CONFIG`

/** The path in words. */
const dotted = (path: ProviderPath): string => path.join(".")

/** The paths under which a provider may have a setting, the first of which counts. */
const placesOf = (path: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> => [
  [root, ...path],
  [prefix, ...path.map(inCapitals)],
  variableName(path).split("_")
]

/** A setting as it was found. */
interface Found {
  readonly path: ReadonlyArray<string>
  /** Where: one of `placesOf`. */
  readonly place: ReadonlyArray<string>
  readonly text: string
}

const find = Effect.fnUntraced(function*(provider: Provider, path: ReadonlyArray<string>) {
  for (const place of placesOf(path)) {
    const text = (yield* provider.load([...place]))?.value
    // A variable in small letters is another program's: the environment makes a path of it too.
    const isSmall = place[0] === root && text !== undefined && text === (yield* valueOf(provider, place))
    if (text !== undefined && !isSmall) return { path, place, text } satisfies Found
  }
  return undefined
})

/** The value of the variable whose name is this path. */
const valueOf = (provider: Provider, path: ProviderPath) =>
  Effect.map(provider.load([path.join("_")]), (node) => node?.value)

/** The file that the provider names, if any. */
export const configFileName = Effect.gen(function*() {
  const provider = yield* ConfigProvider.ConfigProvider
  return yield* Effect.orElseSucceed(Effect.map(find(provider, ["config"]), (found) => found?.text), () => undefined)
})

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
const isForeign = (variable: string): boolean =>
  /^TRACEHOUND_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT|PORT)(?:_|$)/.test(variable)

/** The most keys that are looked at, and the longest path: an object may contain itself. */
const maxKeys = 10_000
const maxDepth = 32

/** The paths below `top` that have a value: all, or as many as are looked at. */
const pathsBelow = Effect.fnUntraced(function*(provider: Provider, top: ProviderPath) {
  const waiting: Array<ProviderPath> = [top]
  const found: Array<ProviderPath> = []
  let isAll = true
  for (let looked = 0; looked < maxKeys; looked++) {
    const path = waiting.pop()
    if (path === undefined) break
    const node = yield* provider.load([...path])
    if (node === undefined) continue
    if (node.value !== undefined) found.push(path)
    if (node._tag !== "Value" && path.length >= maxDepth) {
      isAll = false
      continue
    }
    const keys = node._tag === "Record"
      ? [...node.keys]
      : node._tag === "Array"
      ? Array.from({ length: Math.min(node.length, maxKeys) }, (_, i) => i)
      : []
    for (const key of keys.slice(0, maxKeys)) waiting.push([...path, key])
  }
  return { found, isAll: isAll && waiting.length === 0 }
})

const variables = new Set([configVariable, ...leaves.map((leaf) => variableName(leaf.path))])
const paths = new Set([[root, "config"], ...leaves.map((leaf) => [root, ...leaf.path])].map(dotted))

/**
 * Whether a value below `tracehound` is somebody else's: a variable in small letters, of which the
 * environment makes a path, or one that `constantCase` shows under both roots.
 */
const isVariable = Effect.fnUntraced(function*(provider: Provider, path: ProviderPath) {
  const inOther = yield* provider.load([prefix, ...path.slice(1)])
  return inOther?.value !== undefined || (yield* valueOf(provider, path)) !== undefined
})

/** What the provider lists and nobody knows, as it is spelled there. */
const findUnknown = Effect.fnUntraced(function*(provider: Provider) {
  const inVariables = yield* pathsBelow(provider, [prefix])
  const inPaths = yield* pathsBelow(provider, [root])
  const unknown = inVariables.found.map((path) => path.join("_"))
    .filter((variable) => !variables.has(variable) && !isForeign(variable))
    .map((path) => ({ path, expected: `unknown variable; ${help}, and its name is the path in capitals` }))
  for (const path of inPaths.found) {
    if (!paths.has(dotted(path)) && !(yield* isVariable(provider, path)))
      unknown.push({ path: dotted(path), expected: `unknown setting; ${help}` })
  }
  if (!inVariables.isAll || !inPaths.isAll)
    unknown.push({ path: "", expected: `expected at most ${maxKeys} keys, ${maxDepth} deep` })
  return unknown
})

const help = "`tracehound config print` lists every setting"

/** The source of these settings, which spells their paths as they were found. */
const sourceOf = (found: ReadonlyArray<Found & Pick<Leaf, "ast">>): ConfigSource => {
  const spellings = new Map(
    found.map(({ path, place }) => [dotted(path), place[0] === root ? dotted(place) : place.join("_")])
  )
  return {
    name,
    value: found.reduce<unknown>(
      (under, { ast, path, text }) =>
        merge(under, path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), fromText(text, ast))),
      {}
    ),
    spell: (path) => spellings.get(dotted(path)) ?? variableName(path)
  }
}

/** All that the ConfigProvider of the fiber has. */
export const fromEnvironment = Effect.gen(function*() {
  const provider = yield* ConfigProvider.ConfigProvider
  const read = Effect.gen(function*() {
    const found = yield* Effect.forEach(
      leaves,
      ({ ast, path }) => Effect.map(find(provider, path), (at) => at === undefined ? [] : [{ ...at, ast }])
    )
    return { source: sourceOf(found.flat()), unknown: yield* findUnknown(provider) }
  })
  const { source, unknown } = yield* Effect.mapError(
    read,
    () => new InvalidConfig({ mistakes: [{ source: name, path: "", expected: "the environment cannot be read" }] })
  )
  if (unknown.length === 0) return source
  const mistakes = unknown.map(({ expected, path }) => ({ source: name, path, expected }))
  // Check the known settings as well, so that all mistakes are reported at once.
  return yield* new InvalidConfig({ mistakes: [...mistakes, ...ownMistakes([source])] })
})
