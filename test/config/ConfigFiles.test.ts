import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import { variableName } from "../../src/config/ConfigVariables.ts"
import { load, refused, settings, temporaryFile, variableOf } from "./configs.ts"

const unreadable = "the file cannot be read: check its path and its permissions"
const unknown = "unknown variable; `tracehound config print` lists every setting, and its name is the path in capitals"

describe("the environment", () => {
  it("RFC R2 each setting has a variable of its own, and none is an orchestrator's", () => {
    const names = settings.map(([path]) => variableName(path.split(".")))
    assert.deepStrictEqual(names, settings.map(([path]) => variableOf(path)))
    assert.strictEqual(new Set(names).size, settings.length)
    assert.include(names, "TRACEHOUND_QUARANTINE_MAX_COUNT")
    for (const name of names) assert.notMatch(name, /^TRACEHOUND_(SERVICE|PORT|CONFIG)/)
  })

  it.effect("RFC R2 variables of orchestrators for a service called tracehound are ignored", () =>
    Effect.gen(function*() {
      const foreign = {
        TRACEHOUND_SERVICE_HOST: "10.0.0.1",
        TRACEHOUND_API_SERVICE_HOST: "10.0.0.2",
        TRACEHOUND_API_PORT_80_TCP: "tcp://10.0.0.2:80",
        TRACEHOUND_SERVICE_PORT: "4100",
        TRACEHOUND_SERVICE_PORT_HTTP: "4100",
        TRACEHOUND_PORT: "tcp://10.0.0.1:4100",
        TRACEHOUND_PORT_4100_TCP: "tcp://10.0.0.1:4100",
        TRACEHOUND_PORT_4100_TCP_PROTO: "tcp",
        TRACEHOUND_PORT_4100_TCP_PORT: "4100",
        TRACEHOUND_PORT_4100_TCP_ADDR: "10.0.0.1"
      }
      assert.deepStrictEqual(
        yield* load({ env: { ...foreign, TRACEHOUND_MAX_DEPTH: "9" } }),
        yield* load({
          argument: { maxDepth: 9 }
        })
      )
    }))

  const strangers = [
    "TRACEHOUND",
    "TRACEHOUND_",
    "TRACEHOUND__MAX_DEPTH",
    "TRACEHOUND_MAX_DEPTH_",
    "TRACEHOUND_MAX_DEPHT",
    "TRACEHOUND_MAX_DEPTH_MAX",
    "TRACEHOUND_QUARANTINE",
    "TRACEHOUND_0",
    "TRACEHOUND_quarantine_maxCount",
    "TRACEHOUND___PROTO__",
    "TRACEHOUND___proto__",
    "TRACEHOUND_CONSTRUCTOR",
    "TRACEHOUND_SERVICES",
    "TRACEHOUND_PORTAL"
  ]
  it.effect.each(strangers)("RFC R2 %s is refused by its name", (name) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* refused({ env: { [name]: "1" } }), [`${name} (environment): ${unknown}`])
    }))

  it.effect("RFC R2 all unknown variables together, and the mistakes in the known ones", () =>
    Effect.gen(function*() {
      const env = {
        ...Object.fromEntries(strangers.map((name) => [name, "1"])),
        TRACEHOUND_MAX_KEYS: "many",
        TRACEHOUND_RUNTIME_STRICT: "maybe"
      }
      const found = yield* refused({ env })
      assert.sameMembers([...found], [
        ...strangers.map((name) => `${name} (environment): ${unknown}`),
        "TRACEHOUND_MAX_KEYS (environment): expected number",
        "TRACEHOUND_RUNTIME_STRICT (environment): expected boolean"
      ])
    }))

  it.effect("RFC R2 other programs' variables are ignored", () =>
    Effect.gen(function*() {
      const { maxDepth } = yield* load({
        env: { TRACEHOUNDS_MAX_DEPTH: "x", tracehound_max_depth: "x", MY_TRACEHOUND_X: "x" }
      })
      assert.strictEqual(maxDepth, 256)
    }))

  const texts: ReadonlyArray<readonly [text: string, value: number | undefined]> = [
    ["12", 12],
    ["+12", 12],
    ["012", 12],
    ["1e2", 100],
    ["1E2", 100],
    ["120e-1", 12],
    ["12.0", 12],
    ["0x10", undefined],
    ["0b1", undefined],
    [" 5", undefined],
    ["5 ", undefined],
    ["5\n", undefined],
    ["1_000", undefined],
    ["1,000", undefined],
    ["5ms", undefined],
    ["NaN", undefined],
    ["Infinity", undefined],
    ["1e999", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["٣", undefined],
    ["1n", undefined],
    ["true", undefined],
    ["null", undefined],
    ["[12]", undefined]
  ]
  it.effect.each(texts)("RFC R2 %j as a number is %d", ([text, value]) =>
    Effect.gen(function*() {
      const env = { TRACEHOUND_MAX_DEPTH: text }
      if (value !== undefined) assert.strictEqual((yield* load({ env })).maxDepth, value)
      else {
        const [line, ...more] = yield* refused({ env })
        assert.match(
          line ?? "",
          /^TRACEHOUND_MAX_DEPTH \(environment\): expected (number|a whole number from 1 to 1000)$/
        )
        assert.deepStrictEqual(more, [])
      }
    }))

  it.effect("RFC R2 an empty variable counts as not set", () =>
    Effect.gen(function*() {
      const env = { TRACEHOUND_MAX_DEPTH: "", TRACEHOUND_CONFIG: "", TRACEHOUND_RUNTIME_STRICT: "" }
      assert.deepStrictEqual(yield* load({ env }), yield* load({}))
    }))

  it.effect("RFC R2 a boolean is true or false, in small letters", () =>
    Effect.gen(function*() {
      assert.isTrue((yield* load({ env: { TRACEHOUND_RUNTIME_STRICT: "true" } })).runtime.strict)
      assert.isFalse((yield* load({ env: { TRACEHOUND_AUDIT_CHAIN_ENABLED: "false" } })).audit.chainEnabled)
      for (const text of ["True", "1", "yes", "on", " true"]) {
        const found = yield* refused({ env: { TRACEHOUND_RUNTIME_STRICT: text } })
        assert.deepStrictEqual(found, ["TRACEHOUND_RUNTIME_STRICT (environment): expected boolean"])
      }
    }))

  it.effect("RFC R2 a setting of text takes text that looks like a number or a boolean", () =>
    Effect.gen(function*() {
      const found = yield* refused({ env: { TRACEHOUND_ALERTS_DEVOPS_ENDPOINT: "true" } })
      assert.deepStrictEqual(found, [
        "TRACEHOUND_ALERTS_DEVOPS_ENDPOINT (environment): expected an http: or https: URL"
      ])
    }))
})

describe("a file", () => {
  it.effect("RFC R2 is the requested one, else the one in TRACEHOUND_CONFIG", () =>
    Effect.gen(function*() {
      const one = yield* temporaryFile("{\"maxDepth\":1}")
      const two = yield* temporaryFile("\ufeff {\n\"maxDepth\":2}\n")
      const env = { TRACEHOUND_CONFIG: one.path }
      assert.strictEqual((yield* load({ env })).maxDepth, 1)
      assert.strictEqual((yield* load({ env, file: two.path })).maxDepth, 2, "with a byte order mark")
    }))

  it.effect("RFC R2 that is not there, or is a directory, or lies below a file", () =>
    Effect.gen(function*() {
      const { directory, path } = yield* temporaryFile("{}")
      const absent = join(directory, "absent.json")
      assert.deepStrictEqual(yield* refused({ file: absent }), [` (${absent}): ${unreadable}`])
      assert.deepStrictEqual(yield* refused({ env: { TRACEHOUND_CONFIG: absent } }), [` (${absent}): ${unreadable}`])
      assert.deepStrictEqual(yield* refused({ file: directory }), [` (${directory}): expected a file`])
      assert.deepStrictEqual(yield* refused({ file: join(path, "x") }), [` (${join(path, "x")}): ${unreadable}`])
    }))

  const contents: ReadonlyArray<readonly [name: string, content: string | Uint8Array, expected: string]> = [
    ["nothing", "", "expected JSON"],
    ["white space", " \n", "expected JSON"],
    ["no JSON", "maxDepth = 3", "expected JSON"],
    ["a word", "hunter2", "expected JSON"],
    ["a comment", "{ // none\n}", "expected JSON, and it is none at position 2 (line 1 column 3)"],
    ["a comma too many", "{\"maxDepth\": 3,\n}", "expected JSON, and it is none at position 16 (line 2 column 1)"],
    ["half of it", "{\"maxDepth\": ", "expected JSON"],
    ["bytes that are no text", Uint8Array.of(0xff, 0xfe, 0x00), "expected JSON"],
    ["an array", "[]", "expected object"],
    ["null", "null", "expected object"],
    ["a number", "3", "expected object"],
    ["text", "\"{}\"", "expected object"]
  ]
  it.effect.each(contents)("RFC R2 with %s in it", ([, content, expected]) =>
    Effect.gen(function*() {
      const { path } = yield* temporaryFile(content)
      assert.deepStrictEqual(yield* refused({ file: path }), [` (${path}): ${expected}`])
    }))

  it.effect("RFC R2 of 1 MiB is read, of one byte more is refused", () =>
    Effect.gen(function*() {
      const whole = yield* temporaryFile("{\"maxDepth\":4}".padEnd(1_048_576))
      assert.strictEqual((yield* load({ file: whole.path })).maxDepth, 4)
      const more = yield* temporaryFile("{\"maxDepth\":4}".padEnd(1_048_577))
      assert.deepStrictEqual(yield* refused({ file: more.path }), [` (${more.path}): expected at most 1048576 bytes`])
    }))

  it.effect("RFC R2 nested as deep as a file can be", () =>
    Effect.gen(function*() {
      const { path } = yield* temporaryFile(`{"rateLimit":${"[".repeat(500_000)}${"]".repeat(500_000)}}`)
      assert.deepStrictEqual(yield* refused({ file: path }), [`rateLimit (${path}): expected object`])
    }))
})

describe("all mistakes at once", () => {
  it.effect("RFC R2 of three sources, each with its source, its path as that source spells it, and what was expected", () =>
    Effect.gen(function*() {
      const { path: file } = yield* temporaryFile("{\"maxDepth\":0,\"quarantine\":{\"maxCount\":\"9\",\"size\":1}}")
      const env = { TRACEHOUND_HOUND_MAX_ACTIVE: "x", TRACEHOUND_RUNTIME_DISABLE_PROTO: "allow" }
      const argument = { scheduler: { skipIfBusy: 1 }, audit: { coldStorage: { retries: 101 } } }
      assert.sameMembers([...(yield* refused({ file, env, argument }))], [
        `maxDepth (${file}): expected a whole number from 1 to 1000`,
        `quarantine.maxCount (${file}): expected number`,
        `quarantine.size (${file}): unknown key; known here: maxCount, maxBytes, evictionPolicy`,
        "TRACEHOUND_HOUND_MAX_ACTIVE (environment): expected number",
        "TRACEHOUND_RUNTIME_DISABLE_PROTO (environment): expected \"throw\" | \"delete\"",
        "scheduler.skipIfBusy (argument): expected boolean",
        "audit.coldStorage.retries (argument): expected a whole number from 0 to 100",
        "audit.coldStorage.endpoint (all sources together): missing, and there is no default"
      ])
    }))

  it.effect("RFC R2 also if a source cannot be read", () =>
    Effect.gen(function*() {
      const env = { TRACEHOUND_TYPO: "1", TRACEHOUND_MAX_DEPTH: "x" }
      assert.deepStrictEqual(yield* refused({ file: "/nowhere.json", env, argument: { maxKeys: 0 } }), [
        ` (/nowhere.json): ${unreadable}`,
        `TRACEHOUND_TYPO (environment): ${unknown}`,
        "TRACEHOUND_MAX_DEPTH (environment): expected number",
        "maxKeys (argument): expected a whole number from 1 to 1000000"
      ])
    }))
})
