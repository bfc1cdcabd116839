import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { runInNewContext } from "node:vm"
import { configSources } from "../../src/config/ConfigFiles.ts"
import { explainConfig, fromArgument, resolveConfig } from "../../src/config/ConfigSources.ts"
import { TracehoundConfig } from "../../src/config/TracehoundConfig.ts"
import {
  hostWith,
  leavesOf,
  load,
  mistakesIn,
  mistakesOf,
  nested,
  refused,
  resolveArgument,
  settings,
  temporaryFile,
  variableOf
} from "./configs.ts"

const defaults = Schema.decodeUnknownSync(TracehoundConfig)({})
const coldStorage = { audit: { coldStorage: { endpoint: "file:base" } } }

describe("defaults", () => {
  it.effect("RFC R2 are those of the schema if no source sets anything", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* load({}), defaults)
      assert.deepStrictEqual(yield* load({ argument: {}, env: { HOME: "/root", PATH: "/bin" } }), defaults)
      assert.deepStrictEqual(Result.getOrThrow(resolveConfig([])), defaults)
    }))

  it("RFC R2 the list of settings in these tests is complete", () => {
    const everything = Object.assign({}, ...settings.map(([path]) => ({ [path]: 0 }))) as object
    const optional = [
      "alerts.devopsEndpoint",
      "custody",
      "dataDirectory",
      "runtime.secureHeap",
      "trustBoundary.coldStorage.endpoint",
      "audit.coldStorage.s3.endpoint",
      "hound.analyzer.path",
      "hound.analyzer.sha256"
    ]
    const withColdStorage = Schema.decodeUnknownSync(TracehoundConfig)(coldStorage)
    const known = [...leavesOf(withColdStorage).map(([path]) => path), ...optional]
    assert.sameMembers(Object.keys(everything), known)
  })
})

describe("rising order", () => {
  it.effect.each(settings)(
    "RFC R2 %s: default, file, environment, argument",
    ([path, [inFile, inEnvironment, inArgument]]) =>
      Effect.gen(function*() {
        const needsEndpoint = path.startsWith("audit.coldStorage.") && path !== "audit.coldStorage.endpoint"
        const base = needsEndpoint
          ? { [variableOf("audit.coldStorage.endpoint")]: "file:base" }
          : path === "hound.analyzer.sha256"
          ? { [variableOf("hound.analyzer.path")]: "/base.mjs" }
          : {}
        const { path: file } = yield* temporaryFile(JSON.stringify(nested(path, inFile)))
        const env = { ...base, [variableOf(path)]: String(inEnvironment) }
        const argument = nested(path, inArgument)
        const shown = (given: Parameters<typeof load>[0]) =>
          Effect.gen(function*() {
            const sources = yield* Effect.provide(configSources(given), hostWith(given.env ?? {}))
            const explained = Result.getOrThrow(explainConfig(sources)).find((each) => each.path === path)
            const loaded = leavesOf(yield* load(given)).find(([leaf]) => leaf === path)?.[1]
            assert.deepStrictEqual(explained?.value, loaded, "explained as it is")
            return [explained?.value, explained?.source]
          })
        assert.deepStrictEqual(yield* shown({ file, env: base }), [inFile, file])
        assert.deepStrictEqual(yield* shown({ file, env }), [inEnvironment, "environment"])
        assert.deepStrictEqual(yield* shown({ file, env, argument }), [inArgument, "argument"])
        assert.deepStrictEqual(yield* shown({ env: base, file, argument }), [inArgument, "argument"])
        const [, source] = yield* shown({ env: base })
        assert.include(["default", undefined], source)
      })
  )

  it.effect("RFC R2 sources are merged setting by setting, not section by section", () =>
    Effect.gen(function*() {
      const { path: file } = yield* temporaryFile(JSON.stringify({
        quarantine: { maxCount: 1, maxBytes: 2 },
        audit: { coldStorage: { endpoint: "file:a" } }
      }))
      const env = { TRACEHOUND_QUARANTINE_MAX_COUNT: "3", TRACEHOUND_AUDIT_COLD_STORAGE_RETRIES: "4" }
      const { audit, quarantine } = yield* load({ file, env, argument: { quarantine: { evictionPolicy: "lru" } } })
      assert.deepStrictEqual(quarantine, { maxCount: 3, maxBytes: 2, evictionPolicy: "lru" })
      assert.strictEqual(audit.coldStorage?.endpoint, "file:a")
      assert.strictEqual(audit.coldStorage?.retries, 4)
    }))

  it.effect("RFC R2 a key without a default may be in any source, but must be in one", () =>
    Effect.gen(function*() {
      const { path: file } = yield* temporaryFile("{\"audit\":{\"coldStorage\":{\"retries\":1}}}")
      const argument = { audit: { coldStorage: { endpoint: "file:x" } } }
      assert.strictEqual((yield* load({ file, argument })).audit.coldStorage?.retries, 1)
      const missing = "missing, and there is no default"
      assert.deepStrictEqual(yield* refused({ file }), [`audit.coldStorage.endpoint (${file}): ${missing}`])
      assert.deepStrictEqual(yield* refused({ file, env: { TRACEHOUND_AUDIT_COLD_STORAGE_RETRIES: "2" } }), [
        `audit.coldStorage.endpoint (all sources together): ${missing}`
      ])
      assert.deepStrictEqual(yield* refused({ env: { TRACEHOUND_AUDIT_COLD_STORAGE_RETRIES: "2" } }), [
        `TRACEHOUND_AUDIT_COLD_STORAGE_ENDPOINT (environment): ${missing}`
      ])
    }))
})

describe("an argument", () => {
  it("RFC R2 undefined counts as left out, at every depth", () => {
    const holes = {
      maxDepth: undefined,
      quarantine: undefined,
      rateLimit: { windowMs: undefined, maxRequests: 7 },
      audit: { coldStorage: undefined, maxRecords: undefined },
      alerts: { devopsEndpoint: undefined },
      runtime: { secureHeap: undefined }
    }
    assert.deepStrictEqual(Result.getOrThrow(resolveArgument(holes)), {
      ...defaults,
      rateLimit: { ...defaults.rateLimit, maxRequests: 7 }
    })
    assert.deepStrictEqual(
      Result.getOrThrow(resolveArgument({ audit: { coldStorage: { endpoint: "file:x", retries: undefined } } })).audit
        .coldStorage?.retries,
      3
    )
  })

  it("RFC R2 null does not count as left out", () => {
    assert.deepStrictEqual(mistakesIn({ maxDepth: null, quarantine: null }), [
      "maxDepth (argument): expected number",
      "quarantine (argument): expected object"
    ])
  })

  it("RFC R2 unknown keys are mistakes with their path, whatever they are called, and pollute nothing", () => {
    const evil = JSON.parse(`{
      "__proto__": {"maxDepth": 1}, "constructor": {}, "toString": 1, "max_depth": 3,
      "rateLimit": {"__proto__": {"windowMs": 1}, "hasOwnProperty": 1},
      "audit": {"coldStorage": {"endpoint": "file:x", "region": "eu", "__proto__": 1}}
    }`) as object
    const paths = mistakesIn(evil).map((line) => line.split(" (")[0])
    assert.sameMembers(paths, [
      "__proto__",
      "constructor",
      "toString",
      "max_depth",
      "rateLimit.__proto__",
      "rateLimit.hasOwnProperty",
      "audit.coldStorage.region",
      "audit.coldStorage.__proto__"
    ])
    assert.strictEqual(({} as { maxDepth?: number }).maxDepth, undefined)
    assert.deepStrictEqual(Result.getOrThrow(resolveArgument({})), defaults)
  })

  it("RFC R2 the mistake of an unknown key lists the known ones", () => {
    assert.deepStrictEqual(mistakesIn({ quarantine: { maxcount: 1 } }), [
      "quarantine.maxcount (argument): unknown key; known here: maxCount, maxBytes, evictionPolicy"
    ])
    assert.include(mistakesIn({ x: 1 })[0], "known here: maxPayloadSize, maxDepth, maxKeys, rateLimit, ")
  })

  it("RFC R2 a value that is not an object is one mistake", () => {
    for (const value of [null, 0, "", "{}", true, [], [{}], Symbol("s"), 1n, () => ({})])
      assert.deepStrictEqual(mistakesIn(value), [" (argument): expected object"])
  })

  it("RFC R2 what would be left out in silence is a mistake", () => {
    class Settings {
      readonly quarantine = { maxCount: 1 }
    }
    const hidden = Object.defineProperty({}, "maxDepth", { value: 1, enumerable: false })
    const plain = "expected a plain object: nothing that this one inherits is read"
    const symbol = "unknown key, a symbol; known here: "
    const cases: ReadonlyArray<readonly [argument: unknown, mistakes: ReadonlyArray<string>]> = [
      [Object.create({ quarantine: { maxCount: 1 } }), [` (argument): ${plain}`]],
      [{ quarantine: Object.create({ maxCount: 1 }) as object }, [`quarantine (argument): ${plain}`]],
      [new Settings(), [` (argument): ${plain}`]],
      [{ quarantine: new Map([["maxCount", 1]]) }, [`quarantine (argument): ${plain}`]],
      [{ quarantine: new Date(0) }, [`quarantine (argument): ${plain}`]],
      [{ audit: { coldStorage: Object.create({ endpoint: "file:x" }) as object } }, [
        `audit.coldStorage (argument): ${plain}`,
        "audit.coldStorage.endpoint (argument): missing, and there is no default"
      ]],
      [hidden, ["maxDepth (argument): expected a key that is enumerable: this one is not read"]],
      [{ quarantine: { [Symbol("maxCount")]: 1 } }, [
        `quarantine (argument): ${symbol}maxCount, maxBytes, evictionPolicy`
      ]],
      [{ failSafe: { panic: { threshold: { [Symbol.for("max")]: 1 } } } }, [
        `failSafe.panic.threshold (argument): ${symbol}min, max, window`
      ]]
    ]
    for (const [argument, mistakes] of cases) assert.sameMembers([...mistakesIn(argument)], [...mistakes])
    assert.match(
      mistakesIn({ [Symbol.iterator]: 1 })[0] ?? "",
      /^ \(argument\): unknown key, a symbol; known here: max/
    )
  })

  it("RFC R2 plain objects of any make are read: frozen, without a prototype, of another realm, of a module", () => {
    const given = { quarantine: { maxCount: 3 } }
    const bare = Object.assign(Object.create(null) as object, given)
    const foreign: unknown = runInNewContext("({ quarantine: { maxCount: 3 } })")
    const module = Object.defineProperty(Object.assign(Object.create(null) as object, given), Symbol.toStringTag, {
      value: "Module"
    })
    for (const argument of [given, Object.freeze(given), bare, foreign, module])
      assert.strictEqual(Result.getOrThrow(resolveArgument(argument)).quarantine.maxCount, 3)
  })

  it("RFC R2 endless nesting is a mistake like others", () => {
    let deep: unknown = {}
    for (let n = 0; n < 100_000; n++) deep = n % 2 === 0 ? [deep] : { maxDepth: deep }
    assert.strictEqual(mistakesIn({ x: deep, rateLimit: { windowMs: deep }, maxDepth: deep, audit: deep }).length, 4)
    let objects: object = {}
    for (let n = 0; n < 100_000; n++) objects = { audit: objects }
    assert.isTrue(Result.isFailure(resolveConfig([fromArgument(objects), fromArgument(objects)])))
  })

  it("RFC R2 is not changed", () => {
    const argument = Object.freeze({ quarantine: Object.freeze({ maxCount: 3 }) })
    resolveConfig([fromArgument(argument), fromArgument({ quarantine: { maxBytes: 4 } })])
    assert.deepStrictEqual(argument, { quarantine: { maxCount: 3 } })
  })
})

describe("explainConfig", () => {
  it("RFC R2 names every setting that has a value, and the source that set it", () => {
    const sources = [
      { name: "first", value: { maxDepth: 5, maxKeys: 6 } },
      { name: "second", value: { maxDepth: 7, alerts: { devopsEndpoint: undefined } } }
    ]
    const explained = Result.getOrThrow(explainConfig(sources))
    assert.deepStrictEqual(explained.filter(({ source }) => source !== "default"), [
      { path: "maxDepth", value: 7, source: "second" },
      { path: "maxKeys", value: 6, source: "first" }
    ])
    assert.deepStrictEqual(
      Object.fromEntries(explained.map(({ path, value }) => [path, value])),
      Object.fromEntries(leavesOf(Result.getOrThrow(resolveConfig(sources))))
    )
  })

  it("RFC R2 fails with the same mistakes as resolveConfig", () => {
    const broken = explainConfig([fromArgument({ maxDepth: 0 })])
    assert.deepStrictEqual(Result.isFailure(broken) ? mistakesOf(broken.failure) : [], mistakesIn({ maxDepth: 0 }))
  })
})
