/**
 * Reads the configuration from the ConfigProvider: by default, from the process's environment
 * (CONFORMANCE R2). All of it is one `Config`, so that every provider is read as other Effect code
 * reads it.
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
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import {
  type ConfigMistake,
  type ConfigSource,
  InvalidConfig,
  type Leaf,
  leaves,
  merge,
  ownMistakes
} from "./ConfigSources.ts"

const name = "environment"

type Path = ReadonlyArray<string | number>

/** The roots of the settings: of variables, and of paths. */
const prefix = "TRACEHOUND"
const root = "tracehound"

const inCapitals = (key: string): string => key.replaceAll(/[A-Z]/g, "_$&").toUpperCase()

/** The environment variable of the setting at `path`. */
export const variableName = (path: ReadonlyArray<string>): string => [prefix, ...path.map(inCapitals)].join("_")

const configVariable = `${prefix}_CONFIG`

/** The path in words. */
const dotted = (path: Path): string => path.join(".")

/** The text at a path; undefined where there is none, whatever else is there. */
const textAt = (path: Path): Config.Config<string | undefined> =>
  Config.schema(Schema.UndefinedOr(Schema.String), [...path])

/** The text of the variable whose name is this path. */
const variableAt = (path: Path) => textAt([path.join("_")])

/** A setting as it was found. */
interface Found {
  readonly path: ReadonlyArray<string>
  /** The path that it has there. */
  readonly place: ReadonlyArray<string>
  readonly text: string
}

/** The setting at `path`, under the first of the paths that a provider may have it at. */
const find = (path: ReadonlyArray<string>): Config.Config<Found | undefined> => {
  const byPath = [root, ...path]
  const inWords = [prefix, ...path.map(inCapitals)]
  const byVariable = variableName(path).split("_")
  const texts = Config.all([textAt(byPath), variableAt(byPath), textAt(inWords), textAt(byVariable)])
  return Config.map(texts, ([ofPath, ofSmallVariable, ofWords, ofVariable]) => {
    // A variable in small letters is another program's: the environment makes a path of it too.
    if (ofPath !== undefined && ofPath !== ofSmallVariable) return { path, place: byPath, text: ofPath }
    if (ofWords !== undefined) return { path, place: inWords, text: ofWords }
    return ofVariable === undefined ? undefined : { path, place: byVariable, text: ofVariable }
  })
}

/** The file that the provider names, if any. */
export const configFileName = Effect.orElseSucceed(
  Effect.map(find(["config"]), (found) => found?.text),
  () => undefined
)

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

/** One place of a provider. */
interface Place {
  readonly text: string | undefined
  /** What it lists below itself. */
  readonly paths: ReadonlyArray<Path>
}

const Listed = Schema.Record(Schema.String, Schema.UndefinedOr(Schema.String))
const Counted = Schema.Array(Schema.UndefinedOr(Schema.String))

const placeAt = (path: Path): Config.Config<Place> => {
  const record = Config.withDefault(Config.schema(Listed, [...path]), {})
  const list = Config.withDefault(Config.schema(Counted, [...path]), [])
  return Config.map(Config.all([textAt(path), record, list]), ([text, record, list]) => ({
    text,
    paths: [...Object.keys(record), ...list.keys()].map((key) => [...path, key])
  }))
}

/** The paths that have a text; not all of them where there are more than are looked at. */
interface Listing {
  readonly found: ReadonlyArray<Path>
  readonly isAll: boolean
}

/** All paths at and below these, which have the same length. `looked`: how many were before. */
const pathsFrom = (level: ReadonlyArray<Path>, looked = 0): Config.Config<Listing> => {
  const [first] = level
  if (first === undefined) return Config.succeed({ found: [], isAll: true })
  if (first.length > maxDepth || looked + level.length > maxKeys) return Config.succeed({ found: [], isAll: false })
  return Config.flatMap(Config.all(level.map(placeAt)), (places) => {
    const here = level.filter((_, i) => places[i]?.text !== undefined)
    const below = pathsFrom(places.flatMap(({ paths }) => paths), looked + level.length)
    return Config.map(below, ({ found, isAll }) => ({ found: [...here, ...found], isAll }))
  })
}

const variables = new Set([configVariable, ...leaves().map((leaf) => variableName(leaf.path))])
const paths = new Set([[root, "config"], ...leaves().map((leaf) => [root, ...leaf.path])].map(dotted))

/**
 * Whether a value below `tracehound` is somebody else's: a variable in small letters, of which the
 * environment makes a path, or one that `constantCase` shows under both roots.
 */
const isVariable = (path: Path): Config.Config<boolean> =>
  Config.map(
    Config.all([textAt([prefix, ...path.slice(1)]), variableAt(path)]),
    (texts) => texts.some((text) => text !== undefined)
  )

/** What the provider lists and nobody knows, as it is spelled there. */
const unknown: Config.Config<ReadonlyArray<ConfigMistake>> = Config.flatMap(
  Config.all([pathsFrom([[prefix]]), pathsFrom([[root]])]),
  ([inVariables, inPaths]) => {
    const strange = inPaths.found.filter((path) => !paths.has(dotted(path)))
    return Config.map(Config.all(strange.map(isVariable)), (areVariables) => [
      ...inVariables.found.map((path) => path.join("_"))
        .filter((variable) => !variables.has(variable) && !isForeign(variable))
        .map((path) => mistake(path, `unknown variable; ${help}, and its name is the path in capitals`)),
      ...strange.filter((_, i) => areVariables[i] !== true)
        .map((path) => mistake(dotted(path), `unknown setting; ${help}`)),
      ...inVariables.isAll && inPaths.isAll ? [] : [mistake("", `expected at most ${maxKeys} keys, ${maxDepth} deep`)]
    ])
  }
)

const mistake = (path: string, expected: string): ConfigMistake => ({ source: name, path, expected })

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

const settings = leaves().map(({ ast, path }) =>
  Config.map(find(path), (found) => found === undefined ? [] : [{ ...found, ast }])
)

/** All that a provider has, with what nobody knows of it. */
export const provided: Config.Config<{
  readonly source: ConfigSource
  readonly unknown: ReadonlyArray<ConfigMistake>
}> = Config.map(Config.all([Config.all(settings), unknown]), ([found, unknown]) => ({
  source: sourceOf(found.flat()),
  unknown
}))

/** All that the ConfigProvider of the fiber has. */
export const fromEnvironment = Effect.gen(function*() {
  const { source, unknown } = yield* Effect.mapError(
    provided,
    () => new InvalidConfig({ mistakes: [mistake("", "the environment cannot be read")] })
  )
  if (unknown.length === 0) return source
  // Check the known settings as well, so that all mistakes are reported at once.
  return yield* new InvalidConfig({ mistakes: [...unknown, ...ownMistakes([source])] })
})
