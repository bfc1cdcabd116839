/**
 * Evidence that JSON.parse would make less of: its bytes are kept, and different bytes are never
 * one evidence.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { decodeModSecurity, decodeScent } from "../../../src/intake/signal/index.ts"
import { rawValue } from "../../../src/intake/signal/RawValue.ts"
import { type Random, random, Seed } from "../../support/random.ts"
import { concat, eventsOf, utf8 } from "./bytes.ts"

const start = "{\"id\":\"1\",\"source\":\"192.0.2.1\",\"timestamp\":1,\"payload\":"
const lineOf = (payload: string | Uint8Array): Uint8Array =>
  concat(utf8(start), typeof payload === "string" ? utf8(payload) : payload, utf8(",\"more\":[1e999]}\n"))

/** The payload's raw bytes as text, one character a byte; null where the payload is a value. */
const rawOf = (payload: string | Uint8Array) =>
  Effect.map(eventsOf([lineOf(payload)]), ([event]) => {
    assert(event?._tag === "Scent")
    const { scent: { payload: held } } = event
    assert.strictEqual(event.isRaw === true, held instanceof Uint8Array)
    return held instanceof Uint8Array ? Buffer.from(held).toString("latin1") : null
  })

const quoted = (...bytes: ReadonlyArray<number>): Uint8Array => Uint8Array.of(0x22, ...bytes, 0x22)

describe("a value that JSON.parse loses something of", () => {
  it.effect.each<readonly [string, string | Uint8Array]>([
    ["a byte that begins nothing", quoted(0x61, 0xff)],
    ["half a character", quoted(0xe2, 0x82)],
    ["an overlong slash", quoted(0x2e, 0xc0, 0xaf)],
    ["a surrogate as bytes", quoted(0xed, 0xa0, 0x80)],
    ["an invalid byte beside a real replacement character", quoted(0xef, 0xbf, 0xbd, 0xfe)],
    ["an invalid byte in a key", concat(utf8("{"), quoted(0xff), utf8(":1,"), quoted(0xfe), utf8(":2}"))],
    ["an invalid byte after an escaped quote", concat(utf8("\"\\\\\\\""), Uint8Array.of(0xff), utf8("\""))],
    ["a key that comes twice", "{\"Host\":\"h\",\"Cookie\":\"<script>\",\"Cookie\":\"a=1\"}"],
    ["a key that comes twice in two spellings", "{\"Cookie\":\"<script>\",\"\\u0043ookie\":\"a=1\"}"],
    ["a key that comes twice, deep down", "[{\"a\":[{\"b\":{\"c\":1,\"d\":[{}],\"c\":1}}]}]"],
    ["__proto__ twice", "{\"__proto__\":{\"a\":1},\"__proto__\":{}}"],
    ["the empty key twice", "{\"\":1, \"\" : 1}"],
    ["a key of which one is dropped with its own keys", "{\"a\":{\"b\":1,\"c\":2},\"a\":{\"d\":1,\"e\":2}}"],
    ["more digits than a double has", "{\"id\":12345678901234567890}"],
    ["a fraction with more digits", "0.1000000000000000055511151231257827"],
    ["the first whole number that no double has", "9007199254740993"],
    ["a number past all doubles", "[1e400]"],
    ["a negative one", "-1e400"],
    ["a number between 0 and all doubles", "1e-400"],
    ["a number whose power is past all numbers", `1e${"9".repeat(400)}`]
  ])("is held as its bytes: %s", ([, payload]) =>
    Effect.gen(function*() {
      const bytes = typeof payload === "string" ? utf8(payload) : payload
      assert.strictEqual(yield* rawOf(payload), Buffer.from(bytes).toString("latin1"))
    }))

  it.effect.each<readonly [string, string]>([
    ["a number with zeros", "[1.0,1.50,0.10,100,1e2,1E+2,0.1e3,-0,-0.0,0e999,1e21,1000000000000000000000]"],
    ["numbers as JavaScript writes them", "[5e-324,1.7976931348623157e308,0.1,9007199254740991,123456789012345680000]"],
    ["escapes", "\"\\u0061\\/\\n\\\\\\\"\\ud800\""],
    ["real replacement characters", "{\"\ufffd\":\"\ufffd\"}"],
    ["white space", " { \"a\" : [ 1 , { } , \"b\" ] , \"c\" : null } "],
    ["the same key in different objects", "[{\"a\":1},{\"a\":1,\"b\":{\"a\":{\"a\":[{\"a\":1}]}}}]"],
    ["text that looks like keys and numbers", "{\"a\":\"\\\"a\\\":1,\\\"a\\\":1e999{[\",\"b\":\"}]\"}"],
    ["own __proto__ keys", "{\"__proto__\":{\"__proto__\":1}}"],
    ["scalars", "[true,false,null,\"\"]"]
  ])("is nothing that is only written in another way: %s", ([, payload]) =>
    Effect.gen(function*() {
      assert.isNull(yield* rawOf(payload))
    }))

  it.effect("keeps different bytes apart, and text around the payload decoded", () =>
    Effect.gen(function*() {
      const line = (id: number, payload: number) =>
        concat(
          utf8("{\"source\":\"s\",\"timestamp\":1,\"id\":"),
          quoted(id),
          utf8(",\"payload\":"),
          quoted(payload),
          utf8("}\n")
        )
      const [first, second, third] = yield* eventsOf([concat(line(0xff, 0xff), line(0x61, 0xfe), line(0xff, 0x61))])
      assert(first?._tag === "Scent" && second?._tag === "Scent" && third?._tag === "Scent")
      assert.notDeepEqual(first.scent.payload, second.scent.payload)
      assert.strictEqual(first.scent.id, "\ufffd")
      assert.deepStrictEqual([third.scent.payload, third.isRaw], ["a", undefined])
    }))

  it("is the whole of what the payload's key comes twice in", () => {
    const twice = "{\"id\":\"1\",\"source\":\"s\",\"timestamp\":1,\"payload\":\"<script>\",\"p\\u0061yload\":\"a\"}"
    assert.deepStrictEqual(Result.getOrThrow(decodeScent(` ${twice} `)).payload, utf8(twice))
    const base64 =
      "{\"id\":\"1\",\"source\":\"s\",\"timestamp\":1,\"payloadBase64\":\"AAAA\",\"payloadBase64\":\"AAEC\"}"
    assert.deepStrictEqual(Result.getOrThrow(decodeScent(base64)).payload, utf8(base64))

    const request = "\"request\":{\"uri\":\"<script>\"},\"request\":{\"uri\":\"/\"}"
    const rest = "\"unique_id\":\"1\",\"client_ip\":\"s\",\"time_stamp\":\"Sat Nov 21 02:52:22 2026\",\"messages\":[{}]"
    const inner = `{${rest}, ${request}}`
    const { payload } = Result.getOrThrow(decodeModSecurity(`{"transaction": ${inner}}`))
    assert.deepStrictEqual(payload, utf8(inner))
    const outer = `{"transaction":{"request":{"uri":"<script>"}},"transaction":{"request":{},${rest}}}`
    assert.deepStrictEqual(Result.getOrThrow(decodeModSecurity(outer)).payload, utf8(outer))
  })

  it("is found whatever the depth, in work that grows linearly", () => {
    const deep = `${"{\"a\":".repeat(100_000)}1,"b":1,"b":1${"}".repeat(100_000)}`
    assert.deepStrictEqual(Result.getOrThrow(decodeScent(`${start}${deep}}`)).payload, utf8(deep))
    const zeros = `1${"0".repeat(2_000_000)}1`
    assert.deepStrictEqual(Result.getOrThrow(decodeScent(`${start}${zeros}}`)).payload, utf8(zeros))
    const escapes = `["${"\\\\".repeat(1_000_000)}","${"\\\"".repeat(1_000_000)}",${
      "[1],".repeat(500_000)
    }9007199254740993]`
    assert.deepStrictEqual(Result.getOrThrow(decodeScent(`${start}${escapes}}`)).payload, utf8(escapes))
  })

  it.prop("is told from all others, whatever the value", { seed: Seed }, ({ seed }) => {
    const { isExact, text } = valueText(random(seed), 4)
    const line = `{"payload":"x{\\"","other":{"payload":[]},"at":${text},"after":{"at":1}}`
    const value = (JSON.parse(line) as { readonly at: unknown }).at
    const raw = rawValue({ text: line }, ["at"], value)
    assert.deepStrictEqual(raw, isExact ? undefined : utf8(text.trim()), text)
    // The same with an invalid byte somewhere else in the line.
    const bytes = concat(utf8(`${line.slice(0, -1)},"bad":`), quoted(0xff), utf8("}"))
    const decoded = new TextDecoder().decode(bytes)
    const rawOfBytes = rawValue({ text: decoded, bytes: Uint8Array.from(bytes) }, ["at"], value)
    assert.deepStrictEqual(rawOfBytes, raw)
  }, { arbitrary: { runs: 2000 } })
})

/** A JSON value as text, and whether a parser keeps all of it, as its writer knows. */
const valueText = (choice: Random, depth: number): { readonly text: string; readonly isExact: boolean } => {
  const { below, chance, pick } = choice
  const space = () => pick(["", "", " ", "\t"])
  if (depth === 0 || chance(0.3)) {
    const exact = chance(0.9)
    return {
      isExact: exact,
      text: space() + (exact
        ? pick(["0", "-0", "1.0", "2e3", "0.25", "true", "null", "\"\"", "\"\\\"a\\\":\"", "\"é€\ufffd\"", "\"\\\\\""])
        : pick(["1e999", "0.30000000000000000000001", "12345678901234567891", "-1e-999"])) +
        space()
    }
  }
  const inner = Array.from({ length: below(4) }, () => valueText(choice, depth - 1))
  const isExact = inner.every((each) => each.isExact)
  if (chance(0.4)) return { isExact, text: `${space()}[${inner.map(({ text }) => text).join(",")}]${space()}` }
  const names = inner.map(() => pick(["a", "b", "c", "é", "\\\"", "__proto__", "\\u0061"]))
  const plain = names.map((name) => String(JSON.parse(`"${name}"`)))
  const members = inner.map(({ text }, at) => `${space()}"${names[at]}"${space()}:${text}`)
  return {
    isExact: isExact && new Set(plain).size === plain.length,
    text: `${space()}{${members.join(",")}}${space()}`
  }
}
