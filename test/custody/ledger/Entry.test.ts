import { assert, describe, it } from "@effect/vitest"
import canonicalize from "canonicalize"
import { Arbitrary, Result, Schema } from "effect"
import { createHash } from "node:crypto"
import { canonicalJson, maxDepth } from "../../../src/custody/ledger/CanonicalJson.ts"
import { type Entry, entryText, genesis, maxEntryBytes, parseEntry } from "../../../src/custody/ledger/Entry.ts"
import { LeafHasher } from "../../../src/custody/ledger/LeafHash.ts"
import { hash } from "../audit/entries.ts"

const entry: Entry = { sequence: 0, time: 1_760_000_000_000, actor: "tracehound", action: "started", previous: genesis }
const text = `{"action":"started","actor":"tracehound","previous":"${genesis}","sequence":0,"time":1760000000000}`
const made = (given: Entry): string => Result.getOrElse(entryText(given), (fault) => `no entry: ${fault}`)
const read = (given: string): unknown => Result.getOrElse(parseEntry(given), (fault) => fault)
const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth)

const anyJson = Arbitrary.filter(Arbitrary.schema(Schema.Json), (value) =>
  JSON.stringify(value).isWellFormed() &&
  !JSON.stringify(value).includes("\\ud"))

describe("canonical JSON", () => {
  it.prop("SYS L1 is what canonicalize writes", [anyJson], ([value]) => {
    assert.strictEqual(canonicalJson(value), canonicalize(value))
  })

  it("SYS L1 orders fields by UTF-16 code units, and spells numbers and strings in one way", () => {
    assert.strictEqual(
      canonicalJson({ "\u{1f600}": 1, דּ: 2, "": -0, b: 1e21, a: "\u007f\u0001\b/\ud800" }),
      "{\"\":0,\"a\":\"\u007f\\u0001\\b/\ufffd\",\"b\":1e+21,\"\u{1f600}\":1,\"\ufb33\":2}"
    )
  })

  it("SYS L1 has no text for what is no JSON, nor for what is nested deeper than 32", () => {
    for (
      const value of [undefined, Number.NaN, Infinity, 1n, () => 1, Symbol.iterator, [undefined], { a: 1n }, {
        "\ud800": 1
      }]
    )
      assert.isNull(canonicalJson(value))
    const cyclic: Array<unknown> = []
    cyclic.push(cyclic)
    assert.isNull(canonicalJson(cyclic))
    assert.isNotNull(canonicalJson(JSON.parse(nested(maxDepth))))
    assert.isNull(canonicalJson(JSON.parse(nested(maxDepth + 1))))
  })
})

describe("the text of an entry", () => {
  it("SYS L1 is canonical JSON, and gives the same entry again", () => {
    assert.strictEqual(made(entry), text)
    assert.deepStrictEqual(read(text), entry)
    const polluted = text.replace("{", "{\"__proto__\":{},")
    assert.strictEqual(made(JSON.parse(polluted) as Entry), polluted)
    assert.deepStrictEqual(read(polluted), JSON.parse(polluted))
    const more = { ...entry, payloadHash: "ab".repeat(32), zone: { b: [1, null], a: "é😀" } }
    assert.deepStrictEqual(read(made(more)), more)
  })

  it.each([
    ["a sequence below 0", { sequence: -1 }],
    ["a sequence that is no whole number", { sequence: 1.5 }],
    ["a sequence past 2^53 - 1", { sequence: 2 ** 53 }],
    ["a time that is no number", { time: "now" }],
    ["an infinite time", { time: Infinity }],
    ["no actor", { actor: "" }],
    ["a long actor", { actor: "a".repeat(257) }],
    ["an action with a capital", { action: "Started" }],
    ["a long action", { action: "a".repeat(65) }],
    ["no action", { action: "" }],
    ["a short hash before", { previous: "00" }],
    ["a hash in capitals", { previous: "AB".repeat(32) }],
    ["a hash and a line feed", { previous: `${genesis}\n` }],
    ["a payload's hash that is none", { payloadHash: null }]
  ])("SYS L1 refuses %s, made and read", (_, field) => {
    const wrong = { ...entry, ...field } as unknown as Entry
    assert.strictEqual(made(wrong), "no entry: fields")
    const spelled = canonicalJson(wrong)
    if (spelled !== null) assert.strictEqual(read(spelled), "fields")
  })

  it("SYS L1 has at most 65,535 bytes, counted in UTF-8", () => {
    const room = maxEntryBytes - made({ ...entry, note: "" }).length
    for (const [character, bytes] of [["a", 1], ["é", 2], ["€", 3], ["😀", 4]] as const) {
      const full = { ...entry, note: character.repeat(Math.floor(room / bytes)) + "a".repeat(room % bytes) }
      assert.strictEqual(Buffer.byteLength(made(full)), maxEntryBytes)
      assert.deepStrictEqual(read(made(full)), full)
      const more = { ...full, note: `${full.note}a` }
      assert.strictEqual(made(more), "no entry: too_long")
      assert.strictEqual(read(canonicalJson(more) ?? ""), "too_long")
    }
  })

  it.each([
    ["", "not_json"],
    ["{", "not_json"],
    ["null", "fields"],
    ["[]", "fields"],
    ["1", "fields"],
    ["\"\"", "fields"],
    [`${text} `, "not_canonical"],
    [text.replace(",", ", "), "not_canonical"],
    [text.replace("1760000000000", "1.76e12"), "not_canonical"],
    [text.replace("1760000000000", "1e999"), "not_canonical"],
    [text.replace("\"sequence\":0", "\"sequence\":-0"), "not_canonical"],
    [text.replace("tracehound", "\\u0074racehound"), "not_canonical"],
    [text.replace("{", "{\"action\":\"a\","), "not_canonical"],
    [`{"time":1760000000000,${text.slice(1).replace(",\"time\":1760000000000", "")}`, "not_canonical"],
    [text.replace("tracehound", "\ud800"), "not_canonical"],
    [nested(30_000), "not_canonical"]
  ])("SYS L1 refuses what is not the one spelling: %#", (given, fault) => {
    assert.strictEqual(read(given), fault)
  })

  it("SYS L1 has for its hash SHA-256 of a zero byte and the text", () => {
    const hasher = new LeafHasher(hash)
    const utf8 = new TextEncoder()
    for (const given of [text, "", "é😀".repeat(10_000), "a".repeat(maxEntryBytes), text]) {
      const wanted = createHash("sha256").update("\0").update(given).digest("hex")
      const target = new Uint8Array(40)
      const bytes = utf8.encode(given)
      assert.strictEqual(hasher.ofText(given, target), bytes.length)
      assert.strictEqual(Buffer.from(target).toString("hex"), wanted + "00".repeat(8))
      hasher.ofBytes(Uint8Array.of(...bytes, 1, 2), bytes.length, target.fill(0))
      assert.strictEqual(Buffer.from(target).toString("hex"), wanted + "00".repeat(8))
      hasher.ofBytes(bytes, bytes.length, target.fill(0))
      assert.strictEqual(Buffer.from(target).toString("hex"), wanted + "00".repeat(8))
    }
    const untouched = new Uint8Array(32)
    assert.strictEqual(hasher.ofText("€".repeat(21_846), untouched), -1)
    assert.deepStrictEqual(untouched, new Uint8Array(32))
  })
})
