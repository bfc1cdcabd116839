import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect, Inspectable, Layer, Redacted } from "effect"
import { type StartError, Tracehound, type TracehoundConfigInput } from "tracehound"
import { config } from "tracehound/config"
import { nested, settings, variableOf } from "./configs.ts"

const { constantCase, fromDotEnvContents, fromEnvRecord, fromUnknown, orElse } = ConfigProvider

/** What the Config gives under this provider. */
const read = (provider: ConfigProvider.ConfigProvider, from = config) => from.parse(provider)

const wanted: TracehoundConfigInput = { quarantine: { maxCount: 2 }, hound: { enabled: false } }
const inWords = { TRACEHOUND: { QUARANTINE: { MAX_COUNT: "2" }, HOUND: { ENABLED: "false" } } }
const variables = { TRACEHOUND_QUARANTINE_MAX_COUNT: "2", TRACEHOUND_HOUND_ENABLED: "false" }
const prefixed = { APP_TRACEHOUND_QUARANTINE_MAX_COUNT: "2", APP_TRACEHOUND_HOUND_ENABLED: "false" }

describe("the Config of a Tracehound", () => {
  const providers: ReadonlyArray<readonly [name: string, provider: ConfigProvider.ConfigProvider]> = [
    ["fromUnknown", fromUnknown({ tracehound: wanted })],
    ["fromUnknown in capitals", fromUnknown(inWords)],
    ["fromUnknown with constantCase", constantCase(fromUnknown(inWords))],
    ["fromEnvRecord", fromEnvRecord(variables)],
    ["fromEnvRecord with constantCase", constantCase(fromEnvRecord(variables))],
    [
      "dotenv",
      fromDotEnvContents("TRACEHOUND_QUARANTINE_MAX_COUNT=2\nTRACEHOUND_HOUND_ENABLED=\"false\" # a comment\n")
    ],
    ["a provider that is nested", ConfigProvider.nested(fromEnvRecord(prefixed), "APP")],
    [
      "orElse",
      orElse(fromUnknown({ tracehound: { hound: { enabled: false } } }), fromEnvRecord(variables))
    ]
  ]
  it.effect.each(providers)("RFC R2 is read as other Effect code is: %s", ([, provider]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read(provider), wanted)
    }))

  it.effect("RFC R2 can be nested itself, and mapped", () =>
    Effect.gen(function*() {
      const below = Config.nested(config, "app")
      assert.deepStrictEqual(yield* read(fromUnknown({ app: { tracehound: wanted } }), below), wanted)
      assert.deepStrictEqual(yield* read(fromEnvRecord(prefixed), Config.nested(config, "APP")), wanted)
      const mapped = Config.map(config, (settings): TracehoundConfigInput => ({ ...settings, maxDepth: 3 }))
      assert.deepStrictEqual(yield* read(fromUnknown({ tracehound: wanted }), mapped), { ...wanted, maxDepth: 3 })
    }))

  it.effect("RFC R2 has every setting, and nothing that was not given", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read(fromUnknown({})), {})
      for (const [path, [value]] of settings) {
        const given = nested(path, value)
        assert.deepStrictEqual(yield* read(fromUnknown({ tracehound: given })), given, path)
        assert.deepStrictEqual(yield* read(fromEnvRecord({ [variableOf(path)]: String(value) })), given, path)
      }
    }))

  it.effect("RFC R2 fails with all mistakes at once, by their paths and without a value", () =>
    Effect.gen(function*() {
      const provider = fromUnknown({
        tracehound: { maxDepth: "s3cr3t", maxKeys: 0, quarantien: { maxCount: "s3cr3t" } }
      })
      const error = yield* Effect.flip(read(provider))
      assert.strictEqual(error._tag, "ConfigError")
      const { message } = error
      assert.include(message, "tracehound.maxDepth")
      assert.include(message, "expected number")
      assert.include(message, "tracehound.maxKeys")
      assert.include(message, "expected a whole number from 1 to 1000000")
      assert.include(message, "tracehound.quarantien.maxCount")
      assert.include(message, "unknown setting")
      assert.notInclude(`${message} ${Inspectable.toStringUnknown(error)}`, "s3cr3t")
      const inVariables = yield* Effect.flip(read(fromEnvRecord({ TRACEHOUND_MAX_DEPHT: "s3cr3t" })))
      assert.include(inVariables.message, "TRACEHOUND_MAX_DEPHT")
      assert.notInclude(inVariables.message, "s3cr3t")
    }))

  it.effect("RFC D8 has secrets that are Redacted", () =>
    Effect.gen(function*() {
      const key = "s3cr3t of at least thirty-two bytes, as it should"
      const { signature } = yield* read(fromEnvRecord({ TRACEHOUND_SIGNATURE_KEY: key }))
      assert.isTrue(Redacted.isRedacted(signature?.key))
      assert.notInclude(Inspectable.toStringUnknown(signature), "s3cr3t")
    }))

  it.effect("RFC R2 a provider that fails is an error of the provider's", () =>
    Effect.gen(function*() {
      const failing = ConfigProvider.make(() => Effect.fail(new ConfigProvider.SourceError({ message: "it is gone" })))
      assert.include((yield* Effect.flip(read(failing))).message, "it is gone")
    }))
})

describe("Tracehound.layerConfigWith", () => {
  const scents = ["1", "2", "3"].map((id) => ({
    id,
    source: "192.0.2.1",
    timestamp: 1,
    payload: id,
    threat: { category: "injection", severity: "low" } as const
  }))
  /** How many pieces of evidence it holds of three. */
  const held = Effect.map(Tracehound, ({ sync }) => {
    for (const scent of scents) sync.intercept(scent)
    return sync.quarantine.count
  })
  const under = <E>(layer: Layer.Layer<Tracehound, E>, value: unknown) =>
    Effect.provide(held, Layer.provide(layer, ConfigProvider.layer(fromUnknown(value))))

  it.effect("RFC R2 takes the Config of all, and what the program sets goes over it", () =>
    Effect.gen(function*() {
      const environment = { tracehound: { quarantine: { maxCount: 1, evictionPolicy: "lru" } } }
      const layer: Layer.Layer<Tracehound, StartError | Config.ConfigError> = Tracehound.layerConfigWith(config, {
        hound: { enabled: false }
      })
      assert.strictEqual(yield* under(layer, environment), 1)
      const over = Tracehound.layerConfigWith(config, {
        hound: { enabled: false },
        quarantine: { maxCount: 2 }
      })
      assert.strictEqual(yield* under(over, environment), 2)
    }))

  it.effect("RFC R2 takes a Config for each setting, of whatever name", () =>
    Effect.gen(function*() {
      const layer = Tracehound.layerConfigWith({
        hound: { enabled: Config.Boolean("HOUNDS").pipe(Config.withDefault(false)) },
        quarantine: { maxCount: Config.Int("EVIDENCE") },
        signature: { key: Config.Redacted("SECRET") }
      })
      assert.strictEqual(yield* under(layer, { EVIDENCE: 2, SECRET: "0123456789abcdef0123456789abcdef" }), 2)
      const error = yield* Effect.flip(under(layer, { EVIDENCE: "many", SECRET: "0123456789abcdef0123456789abcdef" }))
      assert.strictEqual(error._tag, "ConfigError")
      const weak = yield* Effect.flip(under(layer, { EVIDENCE: 2, SECRET: "s3cr3t" }))
      assert.strictEqual(weak._tag, "InvalidConfig")
      assert.include(weak.message, "signature.key (config)")
      assert.notInclude(weak.message, "s3cr3t")
    }))

  it.effect("RFC R7 Tracehound.layerWith takes it beside other parts", () =>
    Effect.gen(function*() {
      const written: Array<string> = []
      const layer = Tracehound.layerWith({
        config,
        overrides: { hound: { enabled: false } },
        coldStorage: {
          destination: "own",
          open: Effect.void,
          write: (name) => Effect.sync(() => void written.push(name))
        }
      })
      assert.strictEqual(yield* under(layer, { tracehound: { quarantine: { maxCount: 1 } } }), 1)
      assert.strictEqual(written.length, 2)
    }))
})
