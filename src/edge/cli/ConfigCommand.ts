/**
 * The commands `tracehound config check` and `tracehound config print`.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { configSources } from "../../config/ConfigFiles.ts"
import { configNotes, describeNotes } from "../../config/ConfigNotes.ts"
import { explainConfig, type Explained, type InvalidConfig, resolveConfig } from "../../config/ConfigSources.ts"
import { AnswerIsNo } from "./Failure.ts"
import { configFile, json } from "./Options.ts"

const file = Argument.String("file").pipe(
  Argument.withDescription("A JSON configuration file; the same as --config"),
  Argument.optional
)

const options = { file, config: configFile, json }

/** The sources that the file and the environment give, or every mistake in them. */
const sourcesOf = (given: { readonly file: Option.Option<string>; readonly config: Option.Option<string> }) =>
  Effect.result(configSources({ file: Option.getOrUndefined(Option.orElse(given.file, () => given.config)) }))

/** Prints every mistake; the answer is no. */
const refuse = Effect.fnUntraced(function*(error: InvalidConfig, asJson: boolean) {
  yield* asJson
    ? Console.log(JSON.stringify({ valid: false, mistakes: error.mistakes }))
    : Console.error(error.message)
  return yield* new AnswerIsNo()
})

const check = Command.make("check", options, (given) =>
  Effect.gen(function*() {
    const resolved = Result.flatMap(yield* sourcesOf(given), resolveConfig)
    if (Result.isFailure(resolved)) return yield* refuse(resolved.failure, given.json)
    const notes = configNotes(resolved.success)
    yield* Console.log(
      given.json
        ? JSON.stringify({ valid: true, mistakes: [], notes })
        : ["the configuration is valid", ...describeNotes(notes)].join("\n")
    )
  })).pipe(
    Command.withDescription(
      "Check the configuration: all mistakes at once, each with its path, and notes on risky choices"
    )
  )

/**
 * A value as it may be shown: of a URL, its scheme and host alone. Webhooks are secrets by their
 * path or query, other endpoints by their user and password. Text that names a file stays.
 */
const shown = (_key: string, value: unknown): unknown => {
  if (typeof value !== "string") return value
  const parts = /^([a-z][a-z0-9+.-]*:)\/\/([^/?#\\]*)(.*)$/is.exec(value)
  const [, scheme = "", authority = "", rest = ""] = parts ?? []
  if (parts === null || scheme.toLowerCase() === "file:") return value
  const host = authority.slice(authority.lastIndexOf("@") + 1)
  return host === authority && rest === "" ? value : `${scheme}//${host}/<redacted>`
}

/** A line for each setting: its path, its value and its source, in columns. Pure. */
const table = (settings: ReadonlyArray<Explained>): string => {
  const width = Math.max(...settings.map(({ path }) => path.length))
  const values = settings.map(({ value }) => JSON.stringify(value, shown))
  const valueWidth = Math.max(...values.map((value) => value.length))
  return settings
    .map(({ path, source }, i) => `${path.padEnd(width)}  ${(values[i] ?? "").padEnd(valueWidth)}  ${source}`)
    .join("\n")
}

const print = Command.make("print", options, (given) =>
  Effect.gen(function*() {
    const sources = yield* sourcesOf(given)
    const resolved = Result.flatMap(sources, resolveConfig)
    if (Result.isFailure(resolved)) return yield* refuse(resolved.failure, given.json)
    const settings = Result.getOrElse(Result.flatMap(sources, explainConfig), () => [])
    yield* Console.log(given.json ? JSON.stringify(resolved.success, shown, 2) : table(settings))
  })).pipe(Command.withDescription("Print the configuration in effect, and where each setting comes from"))

export const configCommand = Command.make("config").pipe(
  Command.withDescription("Look at the configuration: defaults, then file, then environment"),
  Command.withSubcommands([check, print])
)
