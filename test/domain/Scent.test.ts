import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Scent, severities, Severity, threatCategories, ThreatCategory } from "../../src/index.ts"
import { scent } from "./samples.ts"

const is = Schema.is(Scent)
const decode = Schema.decodeUnknownSync(Scent)

describe("Scent", () => {
  it("RFC D1 takes a scent with a threat signal and one without", () => {
    const { threat: _, ...raw } = scent
    assert.isTrue(is(scent))
    assert.isTrue(is(raw))
    assert.isTrue(is({ ...raw, threat: undefined }))
  })

  const payloads: ReadonlyArray<unknown> = [
    undefined,
    null,
    0n,
    Symbol("s"),
    Number.NaN,
    "",
    new Uint8Array(3),
    () => 1,
    new Map(),
    Object.create(null)
  ]
  it("RFC D1 takes any payload, as it is", () => {
    for (const payload of payloads) assert.isTrue(Object.is(decode({ ...scent, payload }).payload, payload))
  })

  it("RFC D1 takes every category and severity of the RFC, and no other", () => {
    assert.deepStrictEqual(threatCategories, ["injection", "ddos", "flood", "spam", "malware", "unknown"])
    assert.deepStrictEqual(severities, ["low", "medium", "high", "critical"])
    for (const category of threatCategories)
      for (const severity of severities) assert.isTrue(is({ ...scent, threat: { category, severity } }))
    for (
      const word of ["", "Injection", "xss", "low ", "constructor", "__proto__", "toString", 0, null, ["injection"]]
    ) {
      assert.isFalse(Schema.is(ThreatCategory)(word))
      assert.isFalse(Schema.is(Severity)(word))
    }
  })

  const hostile: ReadonlyArray<readonly [name: string, bend: object]> = [
    ["no id", { id: undefined }],
    ["an id that is no string", { id: 7 }],
    ["an id that is an object with a toString", { id: { toString: () => "x" } }],
    ["an id of 257 bytes", { id: "a".repeat(257) }],
    ["an id of 129 characters and 258 bytes", { id: "é".repeat(129) }],
    ["an id of 1 MiB", { id: "a".repeat(1_048_576) }],
    ["no source", { source: null }],
    ["a source of 257 bytes", { source: "\ud800".repeat(85) + "aa" }],
    ["a timestamp that is text", { timestamp: "1760000000000" }],
    ["a timestamp that is a Date", { timestamp: new Date(0) }],
    ["a timestamp of NaN", { timestamp: Number.NaN }],
    ["a timestamp of Infinity", { timestamp: Number.POSITIVE_INFINITY }],
    ["a timestamp of -Infinity", { timestamp: Number.NEGATIVE_INFINITY }],
    ["a bigint for a timestamp", { timestamp: 1n }],
    ["a threat of null", { threat: null }],
    ["a threat of true", { threat: true }],
    ["a threat that is a list", { threat: ["injection", "high"] }],
    ["a threat without severity", { threat: { category: "injection" } }],
    ["a threat without category", { threat: { severity: "high" } }],
    ["a threat of another category", { threat: { category: "sqli", severity: "high" } }],
    ["a threat of another severity", { threat: { category: "injection", severity: "HIGH" } }]
  ]
  it.each(hostile)("RFC D1 refuses %s", (_name, bend) => {
    assert.isFalse(is({ ...scent, ...bend }))
  })

  it("RFC D1 refuses values that are not objects", () => {
    for (const value of [undefined, null, 0, "", true, [], [scent], Symbol("s"), 1n, () => scent])
      assert.isFalse(is(value))
  })

  it("RFC D1 drops unknown keys, and a __proto__ key pollutes nothing", () => {
    const decoded = decode(JSON.parse(
      `{"id":"a","source":"b","timestamp":1,"payload":2,"__proto__":{"threat":{"category":"spam","severity":"low"}},"x":1}`
    ))
    assert.deepStrictEqual(decoded, { id: "a", source: "b", timestamp: 1, payload: 2 })
    assert.strictEqual(Object.getPrototypeOf(decoded), Object.prototype)
  })

  it("RFC D1 takes a source of exactly 256 bytes", () => {
    assert.isTrue(is({ ...scent, source: "\ud800".repeat(85) + "a", id: "😀".repeat(64) }))
  })
})
