import { NodeFileSystem, NodePath } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { loadConfig } from "../../src/config/ConfigFiles.ts"
import { mistakesOf, nested, settings, temporaryFile, variableOf } from "./configs.ts"

const host = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer)

/** The configuration under this provider. */
const loadFrom = (provider: ConfigProvider.ConfigProvider) =>
  Effect.provide(loadConfig(), Layer.mergeAll(host, ConfigProvider.layer(provider)))

const refusedFrom = (provider: ConfigProvider.ConfigProvider) => Effect.map(Effect.flip(loadFrom(provider)), mistakesOf)

const { constantCase, fromEnvRecord, fromUnknown, orElse } = ConfigProvider

const help = "`tracehound config print` lists every setting"

describe("a ConfigProvider", () => {
  /** The same two settings, as each provider has them. */
  const providers: ReadonlyArray<readonly [name: string, provider: ConfigProvider.ConfigProvider]> = [
    ["fromUnknown", fromUnknown({ tracehound: { quarantine: { maxCount: 2 }, hound: { enabled: false } } })],
    [
      "fromUnknown, of texts",
      fromUnknown({ tracehound: { quarantine: { maxCount: "2" }, hound: { enabled: "false" } } })
    ],
    [
      "fromUnknown with constantCase",
      constantCase(fromUnknown({ TRACEHOUND: { QUARANTINE: { MAX_COUNT: 2 }, HOUND: { ENABLED: false } } }))
    ],
    [
      "fromUnknown in capitals",
      fromUnknown({ TRACEHOUND: { QUARANTINE: { MAX_COUNT: 2 }, HOUND: { ENABLED: false } } })
    ],
    ["fromEnvRecord", fromEnvRecord({ TRACEHOUND_QUARANTINE_MAX_COUNT: "2", TRACEHOUND_HOUND_ENABLED: "false" })],
    [
      "fromEnvRecord with constantCase",
      constantCase(fromEnvRecord({ TRACEHOUND_QUARANTINE_MAX_COUNT: "2", TRACEHOUND_HOUND_ENABLED: "false" }))
    ],
    [
      "nested",
      ConfigProvider.nested(
        fromUnknown({ app: { tracehound: { quarantine: { maxCount: 2 }, hound: { enabled: false } } } }),
        "app"
      )
    ],
    [
      "nested in the environment",
      ConfigProvider.nested(
        fromEnvRecord({ APP_TRACEHOUND_QUARANTINE_MAX_COUNT: "2", APP_TRACEHOUND_HOUND_ENABLED: "false" }),
        "APP"
      )
    ],
    [
      "orElse, one setting in each",
      orElse(
        fromUnknown({ tracehound: { quarantine: { maxCount: 2 } } }),
        fromEnvRecord({ TRACEHOUND_HOUND_ENABLED: "false" })
      )
    ],
    [
      "orElse, one setting in each, in capitals",
      orElse(
        fromUnknown({ TRACEHOUND: { HOUND: { ENABLED: "false" } } }),
        fromEnvRecord({ TRACEHOUND_QUARANTINE_MAX_COUNT: "2", TRACEHOUND_HOUND_ENABLED: "true" })
      )
    ],
    [
      "orElse, the other way round",
      orElse(
        fromEnvRecord({ TRACEHOUND_HOUND_ENABLED: "false" }),
        fromUnknown({ TRACEHOUND: { QUARANTINE: { MAX_COUNT: 2 }, HOUND: { ENABLED: true } } })
      )
    ],
    [
      "orElse, the first one wins",
      orElse(
        fromUnknown({ tracehound: { quarantine: { maxCount: 2 } } }),
        constantCase(fromEnvRecord({ TRACEHOUND_QUARANTINE_MAX_COUNT: "7", TRACEHOUND_HOUND_ENABLED: "false" }))
      )
    ],
    [
      "orElse, the first one wins, the other way round",
      orElse(
        constantCase(fromEnvRecord({ TRACEHOUND_QUARANTINE_MAX_COUNT: "2", TRACEHOUND_HOUND_ENABLED: "false" })),
        fromUnknown({ tracehound: { quarantine: { maxCount: 7 }, hound: { enabled: true } } })
      )
    ]
  ]
  it.effect.each(providers)(
    "RFC R2 is read as other Effect code reads it: %s",
    ([, provider]) =>
      Effect.gen(function*() {
        const { hound, quarantine, ...others } = yield* loadFrom(provider)
        assert.deepStrictEqual([quarantine.maxCount, hound.enabled], [2, false])
        const { hound: _hound, quarantine: _quarantine, ...defaults } = yield* loadFrom(fromUnknown({}))
        assert.deepStrictEqual(others, defaults)
      })
  )

  it.effect("RFC R2 gives every setting, by its path and by its variable", () =>
    Effect.gen(function*() {
      for (const [path, [value, ...others]] of settings) {
        const base = path.startsWith("audit.coldStorage.")
          ? { TRACEHOUND_AUDIT_COLD_STORAGE_ENDPOINT: "file:base" }
          : path === "hound.analyzer.sha256"
          ? { TRACEHOUND_HOUND_ANALYZER_PATH: "/base.mjs" }
          : {}
        const byPath = orElse(fromUnknown({ tracehound: nested(path, value) }), fromEnvRecord(base))
        const byVariable = fromEnvRecord({ ...base, [variableOf(path)]: String(value) })
        const loaded = yield* loadFrom(byPath)
        assert.deepStrictEqual(loaded, yield* loadFrom(byVariable), path)
        // Three have one value, which is the default.
        if (others.some((other) => other !== value))
          assert.notDeepEqual(loaded, yield* loadFrom(fromEnvRecord(base)), path)
      }
    }).pipe(Effect.catchTag("InvalidConfig", (error) => Effect.die(error))))

  it.effect("RFC R2 names the file by its path too", () =>
    Effect.gen(function*() {
      const { path } = yield* temporaryFile("{\"maxDepth\":7}")
      assert.strictEqual((yield* loadFrom(fromUnknown({ tracehound: { config: path } }))).maxDepth, 7)
      assert.strictEqual((yield* loadFrom(fromEnvRecord({ TRACEHOUND_CONFIG: path }))).maxDepth, 7)
    }))

  it.effect("RFC R2 a directory of files is one", () =>
    Effect.gen(function*() {
      const { directory } = yield* temporaryFile("")
      const file = join(directory, "tracehound", "rateLimit", "maxRequests")
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, "5\n")
      const provider = yield* ConfigProvider.fromDir({ rootPath: directory })
      assert.strictEqual((yield* loadFrom(provider)).rateLimit.maxRequests, 5)
      writeFileSync(join(directory, "tracehound", "maxDepht"), "5")
      assert.deepStrictEqual(yield* refusedFrom(provider), [
        `tracehound.maxDepht (environment): unknown setting; ${help}`
      ])
    }).pipe(Effect.provide(host)))

  const self: Record<string, unknown> = { maxDepth: 1 }
  self["again"] = self
  const wrong: ReadonlyArray<readonly [name: string, root: unknown, mistakes: ReadonlyArray<string>]> = [
    ["a key that nobody knows", { quarantien: { maxCount: 2 } }, ["tracehound.quarantien.maxCount unknown"]],
    ["a key one level too deep", { maxDepth: { value: 2 } }, ["tracehound.maxDepth.value unknown"]],
    ["a value in place of a section", { quarantine: 5 }, ["tracehound.quarantine unknown"]],
    ["a list in place of a section", { quarantine: [1] }, ["tracehound.quarantine.0 unknown"]],
    ["a variable among paths", { MAX_DEPTH: 5 }, ["tracehound.MAX_DEPTH unknown"]],
    ["words that pollute", JSON.parse("{\"__proto__\":{\"maxDepth\":1},\"constructor\":1}"), [
      "tracehound.__proto__.maxDepth unknown",
      "tracehound.constructor unknown"
    ]],
    ["a wrong value", { rateLimit: { maxRequests: "many" }, maxKeys: 0 }, [
      "tracehound.maxKeys expected a whole number from 1 to 1000000",
      "tracehound.rateLimit.maxRequests expected number"
    ]],
    ["an unknown key and a wrong value", { x: 1, maxKeys: 0 }, [
      "tracehound.maxKeys expected a whole number from 1 to 1000000",
      "tracehound.x unknown"
    ]]
  ]
  it.effect.each(wrong)(
    "RFC R2 a mistake is told by the path that it has there: %s",
    ([, root, mistakes]) =>
      Effect.gen(function*() {
        const found = yield* refusedFrom(fromUnknown({ tracehound: root }))
        assert.sameMembers(
          found.map((line) =>
            line.replace(` (environment): unknown setting; ${help}`, " unknown").replace(" (environment):", "")
          ),
          [...mistakes]
        )
      })
  )

  it.effect("RFC R2 an object that contains itself, and one of more keys than anybody sets, end in a mistake", () =>
    Effect.gen(function*() {
      const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`TRACEHOUND_X${i}`, "1"]))
      for (
        const provider of [fromUnknown({ tracehound: self }), fromUnknown({ TRACEHOUND: self }), fromEnvRecord(many)]
      )
        assert.include(yield* refusedFrom(provider), " (environment): expected at most 10000 keys, 32 deep")
    }))

  it.effect("RFC R2 variables in small letters are other programs'", () =>
    Effect.gen(function*() {
      const defaults = yield* loadFrom(fromUnknown({}))
      const others = {
        tracehound: "/opt/tracehound",
        tracehound_config: "/etc/other",
        tracehound_hound_enabled: "false",
        tracehound_maxDepth: "7",
        tracehound_audit: "x",
        tracehound_audit_maxRecords: "x",
        tracehound_QUARANTINE_MAX_COUNT: "5"
      }
      assert.deepStrictEqual(yield* loadFrom(fromEnvRecord(others)), defaults)
      assert.deepStrictEqual(yield* loadFrom(constantCase(fromEnvRecord(others))), defaults)
      assert.deepStrictEqual(yield* loadFrom(orElse(fromEnvRecord(others), fromUnknown({}))), defaults)
    }))

  it.effect("RFC R2 a provider that fails is a mistake, and no value is in it", () =>
    Effect.gen(function*() {
      const failing = ConfigProvider.make(() =>
        Effect.fail(new ConfigProvider.SourceError({ message: "s3cr3t", cause: "s3cr3t" }))
      )
      assert.deepStrictEqual(yield* refusedFrom(failing), [" (environment): the environment cannot be read"])
    }))
})
