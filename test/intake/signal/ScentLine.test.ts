import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { vi } from "vitest"
import { Scent, threatCategories } from "../../../src/domain/Scent.ts"
import { severities } from "../../../src/domain/Severity.ts"
import { decodeScent, SignalError } from "../../../src/intake/signal/index.ts"
import { random, Seed } from "../../support/random.ts"

const whole = { id: "r-1", source: "192.0.2.7", timestamp: 1_760_000_000_000, payload: "p" }

const decoded = (line: string): Scent => Result.getOrThrow(decodeScent(line))

const refusal = (line: string): string => {
  const result = decodeScent(line)
  assert(Result.isFailure(result), "it was not refused")
  assert.instanceOf(result.failure, SignalError)
  return result.failure.message
}

const advice = ": a scent is {id, source, timestamp in ms, payload or payloadBase64, threat?: {category, severity}}"

/** A line in which one key has this JSON text as its value. */
const lineWith = (key: string, json: string): string =>
  `{${
    Object.entries({ ...whole, [key]: undefined }).map(([name, value]) =>
      `${JSON.stringify(name)}:${name === key ? json : JSON.stringify(value)}`
    ).join(",")
  }}`

const lineWithout = (key: keyof typeof whole): string => JSON.stringify({ ...whole, [key]: undefined })

describe("decodeScent", () => {
  it("decodes a scent, with and without a threat", () => {
    assert.deepStrictEqual(decoded(JSON.stringify(whole)), whole)
    for (const category of threatCategories) {
      for (const severity of severities) {
        const scent = { ...whole, threat: { category, severity } }
        assert.deepStrictEqual(decoded(JSON.stringify(scent)), scent)
      }
    }
    assert.isFalse(Object.hasOwn(decoded(JSON.stringify(whole)), "threat"))
  })

  it("takes any JSON value as payload, as JSON.parse gives it", () => {
    const payloads = [
      "null",
      "false",
      "0",
      "-0",
      "1e40",
      "0.1",
      "\"\"",
      "[]",
      "{}",
      "\"\\ud800\""
    ]
    for (const json of payloads)
      assert.deepStrictEqual(decoded(lineWith("payload", json)).payload, JSON.parse(json), json)
  })

  it("strips nothing from the payload: own __proto__ keys survive", () => {
    const { payload } = decoded(lineWith("payload", `{"__proto__":{"admin":true},"a":{"__proto__":1},"constructor":2}`))
    assert.deepStrictEqual(Object.keys(payload as object), ["__proto__", "a", "constructor"])
    assert.strictEqual(
      JSON.stringify(payload),
      `{"__proto__":{"admin":true},"a":{"__proto__":1},"constructor":2}`
    )
    assert.strictEqual(Object.getPrototypeOf(payload), Object.prototype)
  })

  it("takes nothing from a __proto__ key of the line", () => {
    const message = refusal(`{"__proto__":${JSON.stringify(whole)}}`)
    assert.strictEqual(message, `missing key at id, missing key at source, missing key at timestamp${advice}`)
  })

  it("ignores keys that it does not know", () => {
    assert.deepStrictEqual(decoded(JSON.stringify({ ...whole, rule: 7, tags: ["a"] })), whole)
    const threat = { category: "spam", severity: "low" }
    assert.deepStrictEqual(decoded(JSON.stringify({ ...whole, threat: { ...threat, score: 9 } })).threat, threat)
  })

  it("lets the last of two equal keys count, as JSON.parse does", () => {
    assert.strictEqual(decoded(`{"id":"first",${JSON.stringify(whole).slice(1)}`).id, "r-1")
    assert.include(refusal(`${JSON.stringify(whole).slice(0, -1)},"id":1}`), "expected string at id")
  })

  it.each([
    ["", "expected JSON, which ended too early"],
    ["{\"id\":", "expected JSON, which ended too early"],
    ["{\"id\":\"r\n", "expected JSON, which breaks at column 9"],
    ["{} {}", "expected JSON, which breaks at column 4"],
    ["{,}", "expected JSON, which breaks at column 2"],
    ["hello", "expected JSON"],
    ["{\"timestamp\":NaN}", "expected JSON"],
    ["{\"timestamp\":Infinity}", "expected JSON"],
    ["\ufeff{}", "expected JSON"],
    ["\"at position 12", "expected JSON, which breaks at column 16"],
    ["null", "expected object"],
    ["true", "expected object"],
    ["1", "expected object"],
    ["\"text\"", "expected object"],
    ["[]", "expected object"],
    [`[${JSON.stringify(whole)}]`, "expected object"],
    ["{}", "missing key at id, missing key at source, missing key at timestamp"]
  ])("RFC D1 refuses the line %j", (line, problem) => {
    assert.strictEqual(refusal(line), problem + advice)
  })

  it("says where a whole scent stands behind a torn one", () => {
    for (const torn of ["{\"id\":\"r-1\",\"sou", "{\"id\":\"", "garbage"]) {
      assert.include(refusal(torn + JSON.stringify(whole)), `: a whole line begins at column ${torn.length + 1}: `)
    }
  })

  it("takes no position from the text that V8 quotes", () => {
    assert.strictEqual(refusal("{\"a\":x at position 99}"), `expected JSON${advice}`)
    assert.strictEqual(refusal("x at position 99"), `expected JSON${advice}`)
    assert.strictEqual(refusal("x at position 99 (line 1 column 1)"), `expected JSON${advice}`)
  })

  it.each([
    ["id", "1", "expected string at id"],
    ["id", "null", "expected string at id"],
    ["id", "[]", "expected string at id"],
    ["id", JSON.stringify("x".repeat(257)), "expected a string of at most 256 bytes in UTF-8 at id"],
    ["id", JSON.stringify("é".repeat(129)), "expected a string of at most 256 bytes in UTF-8 at id"],
    ["id", JSON.stringify("x".repeat(1_000_000)), "expected a string of at most 256 bytes in UTF-8 at id"],
    ["source", "{}", "expected string at source"],
    ["source", JSON.stringify("x".repeat(257)), "expected a string of at most 256 bytes in UTF-8 at source"],
    ["timestamp", "\"1760000000000\"", "expected number at timestamp"],
    ["timestamp", "null", "expected number at timestamp"],
    ["timestamp", "1e400", "expected a finite number at timestamp"],
    ["timestamp", "-1e400", "expected a finite number at timestamp"],
    ["threat", "null", "expected object | undefined at threat"],
    ["threat", "true", "expected object | undefined at threat"],
    ["threat", "{\"category\":\"spam\"}", "missing key at threat.severity"],
    ["threat", "{\"severity\":\"low\"}", "missing key at threat.category"],
    [
      "threat",
      "{\"category\":\"spam\",\"severity\":\"LOW\"}",
      "expected \"low\" | \"medium\" | \"high\" | \"critical\" at threat.severity"
    ],
    [
      "threat",
      "{\"category\":\"sqli\",\"severity\":\"low\"}",
      "expected \"injection\" | \"ddos\" | \"flood\" | \"spam\" | \"malware\" | \"unknown\" at threat.category"
    ],
    [
      "threat",
      "{\"category\":\"toString\",\"severity\":2}",
      "expected \"injection\" | \"ddos\" | \"flood\" | \"spam\" | \"malware\" | \"unknown\" at threat.category, " +
      "expected \"low\" | \"medium\" | \"high\" | \"critical\" at threat.severity"
    ]
  ])("RFC D1 refuses a %s of %.40s", (key, json, problem) => {
    assert.strictEqual(refusal(lineWith(key, json)), problem + advice)
  })

  it("RFC D1 refuses a line without one of its fields, and names three mistakes of many", () => {
    assert.strictEqual(refusal(lineWithout("id")), `missing key at id${advice}`)
    assert.strictEqual(refusal(lineWithout("source")), `missing key at source${advice}`)
    assert.strictEqual(refusal(lineWithout("timestamp")), `missing key at timestamp${advice}`)
    assert.strictEqual(
      refusal("{\"id\":1,\"source\":2,\"timestamp\":\"3\",\"payloadBase64\":4,\"threat\":5}"),
      `expected string at id, expected string at source, expected number at timestamp, and 2 more${advice}`
    )
  })

  it("wants the payload once", () => {
    assert.strictEqual(
      refusal(lineWithout("payload")),
      `expected payload or payloadBase64, found neither${advice}`
    )
    assert.strictEqual(
      refusal(JSON.stringify({ ...whole, payloadBase64: "" })),
      `expected one of payload and payloadBase64, found both${advice}`
    )
    assert.strictEqual(
      refusal(JSON.stringify({ ...whole, payload: null, payloadBase64: "AA==" })),
      `expected one of payload and payloadBase64, found both${advice}`
    )
  })

  it("decodes nesting of any depth", () => {
    const deep = "[".repeat(100_000)
    assert.strictEqual(refusal(deep), `expected JSON, which ended too early${advice}`)
    assert.strictEqual(refusal(deep + "]".repeat(100_000)), `expected object${advice}`)
    assert.lengthOf(decoded(lineWith("payload", deep + "]".repeat(100_000))).payload as Array<unknown>, 1)
    assert.strictEqual(refusal("{\"threat\":".repeat(100_000)), `expected JSON, which ended too early${advice}`)
    assert.isTrue(Result.isFailure(decodeScent(lineWith("threat", deep + "]".repeat(100_000)))))
  })

  it.skipIf(Object.isFrozen(JSON))(
    "has a mistake, and throws nothing, on a host whose JSON.parse runs out of stack",
    () => {
      const parse = vi.spyOn(JSON, "parse").mockImplementation(() => {
        throw new RangeError("Maximum call stack size exceeded")
      })
      try {
        assert.strictEqual(refusal("[]"), `expected JSON of a depth and length that this host can parse${advice}`)
      } finally {
        parse.mockRestore()
      }
    }
  )

  it.prop("RFC F5 never throws, and never repeats the text of the line", { seed: Seed }, ({ seed }) => {
    const { below, pick, shuffle } = random(seed)
    const values = [
      "\"SECRET\"",
      "[\"SECRET\"]",
      "{\"SECRET\":\"SECRET\"}",
      "SECRET",
      `"${"SECRET".repeat(100)}"`,
      "NaN",
      "1e999"
    ]
    const keys = ["id", "source", "timestamp", "payload", "payloadBase64", "threat", "SECRET", "__proto__"]
    const fields = shuffle(keys).slice(0, 1 + below(keys.length)).map((key) =>
      `"${key}":${pick([...values, "5"] as [string])}`
    )
    const line = `{${fields.join(",")}}`.slice(0, below(3) === 0 ? below(200) : undefined)
    const result = decodeScent(line)
    if (Result.isFailure(result)) {
      assert.notInclude(result.failure.message, "SECRET")
      assert.isAtMost(result.failure.message.length, 400)
    }
  }, { arbitrary: { runs: 2000 } })

  it.prop("RFC D1 accepts what the domain's own schema accepts", { seed: Seed }, ({ seed }) => {
    const { below, chance, pick } = random(seed)
    const scent = {
      ...whole,
      id: pick<unknown>(["r", "", 1, "é".repeat(126 + below(4))]),
      timestamp: pick<unknown>([0, -1.5, 1e308, "1", null]),
      ...(chance(0.5) ? {} : {
        threat: { category: pick<unknown>(["spam", "Spam", 1]), severity: pick<unknown>(["low", "worst", null]) }
      })
    }
    assert.strictEqual(Result.isSuccess(decodeScent(JSON.stringify(scent))), Schema.is(Scent)(scent))
  }, { arbitrary: { runs: 500 } })
})

describe("payloadBase64", () => {
  const lineOf = (base64: string): string =>
    lineWith("payloadBase64", JSON.stringify(base64)).replace(/"payload":"p",/, "")

  it.prop("gives the bytes that were encoded, in an array of their own", { seed: Seed }, ({ seed }) => {
    const { below } = random(seed)
    const bytes = Uint8Array.from({ length: below(100) }, () => below(256))
    const { payload } = decoded(lineOf(Buffer.from(bytes).toString("base64")))
    assert(payload instanceof Uint8Array)
    assert.deepStrictEqual(payload, bytes)
    assert.strictEqual(payload.buffer.byteLength, bytes.length)
  }, { arbitrary: { runs: 1000 } })

  it.each(["", "AA==", "AAA=", "AAAA", "+/+/", "zz8="])("takes %j", (base64) => {
    assert.deepStrictEqual(decoded(lineOf(base64)).payload, Uint8Array.from(Buffer.from(base64, "base64")))
  })

  it.each([
    "A",
    "AA",
    "AAA",
    "AA=",
    "A===",
    "====",
    "=",
    "AAAA=",
    "AAAA====",
    "AA==AA==",
    "AA=A",
    "A=AA",
    "AB==",
    "AAB=",
    "AA ==",
    "AAAA\n",
    "\nAAA",
    " AAA",
    "-_-_",
    "AAA\u0000",
    "AAAé",
    "AAA\u0141",
    "data:;base64,AAAA"
  ])("refuses %j", (base64) => {
    assert.strictEqual(
      refusal(lineOf(base64)),
      `expected base64 with its padding, RFC 4648 section 4, at payloadBase64${advice}`
    )
  })

  it.prop("takes exactly the texts that encoding gives", { seed: Seed }, ({ seed }) => {
    const { below, pick } = random(seed)
    const text = Array.from({ length: below(10) }, () => pick(["A", "B", "Q", "g", "/", "+", "=", "-", " "])).join("")
    const canonical = Buffer.from(text, "base64").toString("base64") === text
    assert.strictEqual(Result.isSuccess(decodeScent(lineOf(text))), canonical, JSON.stringify(text))
  }, { arbitrary: { runs: 3000 } })
})
