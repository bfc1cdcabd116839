/**
 * `tracehound/config`: the configuration as a `Config`, made from the schema, setting by setting.
 *
 * It has what the ConfigProvider has and no defaults, so that a program can lay its own settings
 * over it. `Tracehound.layerConfigWith` and the part `config` of `Tracehound.layerWith` take it.
 *
 * **Gotchas**
 *
 * - It reads no file: `TRACEHOUND_CONFIG` is `Tracehound.layerConfig`'s.
 * - A module of its own, as Effect's Config brings its files and streams, which a program that
 *   embeds Tracehound without Effect would load for nothing.
 *
 * **Example** (A Tracehound below a prefix, with a setting of the program's own)
 *
 * ```ts
 * import { Config, ConfigProvider, Effect, Layer } from "effect"
 * import { Tracehound } from "tracehound"
 * import { config } from "tracehound/config"
 *
 * const layer = Tracehound.layerConfigWith(Config.nested(config, "app"), { hound: { enabled: false } })
 *
 * const provider = ConfigProvider.fromUnknown({ app: { tracehound: { quarantine: { maxCount: 2 } } } })
 * const program = Effect.map(Tracehound, ({ sync }) => sync.state()) // => "running"
 * Effect.runPromise(Effect.provide(program, Layer.provide(layer, ConfigProvider.layer(provider)))).then(console.log)
 * ```
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { type ConfigMistake, type ConfigSource, merge, ownMistakes } from "./ConfigSources.ts"
import { provided } from "./ConfigVariables.ts"
import { TracehoundConfig, type TracehoundConfigInput } from "./TracehoundConfig.ts"

/**
 * All settings that the ConfigProvider has, below `tracehound` or as `TRACEHOUND_…`, checked. Fails
 * with every mistake at once, each with its path and without the value; a key that nobody knows is
 * one, where the provider lists it. Secrets are Redacted.
 */
export const config: Config.Config<TracehoundConfigInput> = Config.mapEffect(provided, ({ source, unknown }) => {
  const [first, ...others] = [...unknown, ...ownMistakes([source])].map(issueOf)
  return first === undefined
    ? Effect.succeed(settingsOf(source))
    : Effect.fail(errorOf(new SchemaIssue.Composite(TracehoundConfig.ast, [first, ...others])))
})

const errorOf = (issue: SchemaIssue.Issue): Config.ConfigError => new Config.ConfigError(new Schema.SchemaError(issue))

const issueOf = ({ expected, path }: ConfigMistake): SchemaIssue.Issue => {
  const issue = new SchemaIssue.InvalidValue({ message: expected })
  return path === "" ? issue : new SchemaIssue.Pointer([path], issue)
}

/** The value was checked: it is a part of the schema's encoded side. */
const settingsOf = ({ value }: ConfigSource): TracehoundConfigInput => {
  const settings = value as TracehoundConfigInput
  const key = settings.signature?.key
  if (typeof key !== "string") return settings
  return merge(settings, { signature: { key: Redacted.make(key) } }) as TracehoundConfigInput
}
