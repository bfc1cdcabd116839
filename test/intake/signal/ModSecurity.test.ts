import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import type { Scent } from "../../../src/domain/Scent.ts"
import { decodeModSecurity, lines, SignalError } from "../../../src/intake/signal/index.ts"
import { random, Seed } from "../../support/random.ts"
import { needsSharedData } from "../../support/sharedData.ts"
import { chunksOf, eventsOf } from "./bytes.ts"

const request = { method: "GET", http_version: 1.1, uri: "/?q=1", body: "", headers: { Host: "localhost" } }

const transaction = {
  client_ip: "198.51.9.69",
  time_stamp: "Sat Nov 21 02:52:22 2026",
  unique_id: "179522954252.237230",
  request,
  messages: [] as ReadonlyArray<unknown>
}

const lineWith = (fields: Record<string, unknown>): string =>
  JSON.stringify({ transaction: { ...transaction, ...fields } })

const message = (severity: unknown, ...tags: ReadonlyArray<string>) => ({ message: "m", details: { severity, tags } })

const decoded = (fields: Record<string, unknown>): Scent => Result.getOrThrow(decodeModSecurity(lineWith(fields)))

const refusalOf = (line: string): string => {
  const result = decodeModSecurity(line)
  assert(Result.isFailure(result), "it was not refused")
  assert.instanceOf(result.failure, SignalError)
  return result.failure.message
}

const setJson = ": set SecAuditLogFormat JSON"
const haveB = ": have part B in SecAuditLogParts"
const haveH = ": have part H in SecAuditLogParts"
const isCut = ": the line was cut off while it was written, or something was written into it"
const isOther = ": give an audit log of ModSecurity v3"
const isAltered = ": see what else writes to this log, or changes it on its way"

describe("decodeModSecurity", () => {
  it("maps a clean transaction", () => {
    const scent = decoded({})
    assert.deepStrictEqual(scent, {
      id: "179522954252.237230",
      source: "198.51.9.69",
      timestamp: Date.parse("2026-11-21T02:52:22Z"),
      payload: request
    })
    assert.isFalse(Object.hasOwn(scent, "threat"))
  })

  it("leaves the request as it stands, own __proto__ keys and all", () => {
    const line = lineWith({}).replace("\"method\":\"GET\"", "\"__proto__\":{\"a\":1},\"n\":1e40")
    const { payload } = Result.getOrThrow(decodeModSecurity(line))
    assert.deepStrictEqual(Object.keys(payload as object), ["__proto__", "n", "http_version", "uri", "body", "headers"])
  })

  it("takes the request's bytes where JSON.parse would drop one of two headers of a name, or digits", () => {
    for (const written of ["\"d\":1,\"d\":2", "\"n\":1e400"]) {
      const line = lineWith({}).replace("\"method\":\"GET\"", written)
      const { payload } = Result.getOrThrow(decodeModSecurity(line))
      assert(payload instanceof Uint8Array)
      assert.strictEqual(
        Buffer.from(payload).toString(),
        JSON.stringify(request).replace("\"method\":\"GET\"", written)
      )
    }
  })

  it.each<readonly [ReadonlyArray<unknown>, string]>([
    [["0"], "low"],
    [["1"], "critical"],
    [["2"], "critical"],
    [["3"], "high"],
    [["4"], "medium"],
    [["5"], "low"],
    [["6"], "low"],
    [["7"], "low"],
    [[0], "low"],
    [[-0], "low"],
    [[2], "critical"],
    [[3], "high"],
    [[4], "medium"],
    [[5], "low"],
    [["5", "3", "4"], "high"],
    [["7", 2, "nonsense"], "critical"],
    [["8"], "low"],
    [[99], "low"],
    [["-1"], "low"],
    [[-1], "low"],
    [["2.0"], "low"],
    [[1.5], "low"],
    [[-1, "2"], "critical"],
    [[1.5, "3"], "high"],
    [[""], "low"],
    [[" 2"], "low"],
    [["02"], "low"],
    [["CRITICAL"], "low"],
    [[null], "low"],
    [[{ valueOf: 0 }], "low"],
    [[["2"]], "low"],
    [[undefined], "low"],
    [["5", "0"], "low"],
    [["0", "4", "0"], "medium"],
    [[0, "3"], "high"],
    [["2", "0"], "critical"],
    [["0", "0"], "low"],
    [["0", "CRITICAL"], "low"]
  ])("takes %j for %s", (numbers, severity) => {
    assert.strictEqual(decoded({ messages: numbers.map((number) => message(number)) }).threat?.severity, severity)
  })

  it.each<readonly [ReadonlyArray<ReadonlyArray<string>>, string]>([
    [[["attack-dos"]], "ddos"],
    ...[
      "sqli",
      "xss",
      "rce",
      "lfi",
      "rfi",
      "ssrf",
      "ldap",
      "injection-php",
      "injection-java",
      "injection-",
      "fixation"
    ].map((tag) => [[[`attack-${tag}`]], "injection"] as const),
    [[["attack-webshell"]], "malware"],
    [[["attack-malware"]], "malware"],
    [[["attack-reputation-scanner"]], "spam"],
    [[["attack-reputation-crawler"]], "spam"],
    [[["attack-reputation-script"]], "spam"],
    [[[]], "unknown"],
    [[["attack-protocol", "attack-generic", "OWASP_CRS"]], "unknown"],
    [[["attack-reputation-ip"]], "unknown"],
    [[["attack-injection"]], "unknown"],
    [[["xattack-sqli"]], "unknown"],
    [[["attack-sqli2"]], "unknown"],
    [[["ATTACK-SQLI"]], "unknown"],
    [[["__proto__", "constructor", "toString"]], "unknown"],
    [[["attack-reputation-scanner", "attack-malware"]], "malware"],
    [[["attack-malware"], ["attack-sqli"]], "injection"],
    [[["attack-sqli"], ["attack-dos"]], "ddos"],
    [[["attack-reputation-crawler"], [], ["attack-injection-x"], ["attack-webshell"]], "injection"]
  ])("takes the tags %j for %s", (tags, category) => {
    assert.strictEqual(decoded({ messages: tags.map((each) => message("2", ...each)) }).threat?.category, category)
  })

  it("has a threat for any message at all", () => {
    const unknown = { category: "unknown", severity: "low" }
    assert.deepStrictEqual(decoded({ messages: [{}] }).threat, unknown)
    assert.deepStrictEqual(decoded({ messages: [{ message: "m" }] }).threat, unknown)
    assert.deepStrictEqual(decoded({ messages: [{ details: {} }] }).threat, unknown)
  })

  it("gives a request that the WAF's own evaluation blocked the severity of what it found, and no more", () => {
    const found = message("5", "attack-protocol")
    const evaluation = message("0", "anomaly-evaluation")
    for (const messages of [[found, evaluation], [evaluation, found], [evaluation]])
      assert.deepStrictEqual(decoded({ messages }).threat, { category: "unknown", severity: "low" })
  })

  it("takes an interruption without a message for a threat", () => {
    const blocked = { category: "unknown", severity: "high" }
    assert.deepStrictEqual(decoded({ is_interrupted: true, response: { http_code: 403 } }).threat, blocked)
    assert.deepStrictEqual(decoded({ is_interrupted: true, messages: undefined }).threat, blocked)
  })

  it("lets the messages of an interrupted transaction say what it is", () => {
    const messages = [message("4", "attack-sqli")]
    for (const is_interrupted of [true, false, undefined]) {
      assert.deepStrictEqual(decoded({ is_interrupted, messages }).threat, {
        category: "injection",
        severity: "medium"
      })
    }
  })

  it("calls a transaction clean that was not interrupted, and one of a release that does not say", () => {
    for (const is_interrupted of [false, undefined])
      assert.isFalse(Object.hasOwn(decoded({ is_interrupted, response: { http_code: 403 } }), "threat"))
  })

  it.each([
    ["Thu Jan  1 00:00:00 1970", "1970-01-01T00:00:00Z"],
    ["Sun Nov  1 23:59:59 2026", "2026-11-01T23:59:59Z"],
    ["Sun Nov 01 23:59:59 2026", "2026-11-01T23:59:59Z"],
    ["Sun Nov 1 23:59:59 2026", "2026-11-01T23:59:59Z"],
    ["Thu Feb 29 12:00:00 2024", "2024-02-29T12:00:00Z"],
    ["Tue Feb 29 12:00:00 2000", "2000-02-29T12:00:00Z"],
    ["Fri Dec 31 23:59:59 9999", "9999-12-31T23:59:59Z"]
  ])("reads the time %j", (time_stamp, iso) => {
    assert.strictEqual(decoded({ time_stamp }).timestamp, Date.parse(iso))
  })

  it.each([
    "",
    "2026-11-21T02:52:22Z",
    "Sat Nov 31 02:52:22 2026",
    "Sun Feb 29 12:00:00 2026",
    "Thu Feb 29 12:00:00 1900",
    "Fri Feb 30 12:00:00 2024",
    "Sat Nov  0 02:52:22 2026",
    "Sat Nov 00 02:52:22 2026",
    "Sat Nov 32 02:52:22 2026",
    "Sat Nov 99 02:52:22 2026",
    "Sat Nov 21 24:00:00 2026",
    "Sat Nov 21 02:60:22 2026",
    "Sat Nov 21 02:52:60 2026",
    "Sat Nov 21 2:52:22 2026",
    "Sat Nov 21 02:52:22 0026",
    "Sat Nov 21 02:52:22 26",
    "Sat Nov 21 02:52:22 12026",
    "Sat Nov 21 02:52:22 2026 ",
    " Sat Nov 21 02:52:22 2026",
    "Sat Nov   1 02:52:22 2026",
    "Sat Nov 21 02:52:22 2026\n",
    "sat nov 21 02:52:22 2026",
    "Day Nov 21 02:52:22 2026",
    "Sat Foo 21 02:52:22 2026",
    "Sat Nov ٢١ 02:52:22 2026"
  ])("refuses the time %j", (time_stamp) => {
    assert.strictEqual(
      refusalOf(lineWith({ time_stamp })),
      `expected a date such as "Sat Nov 21 02:52:22 2026" at transaction.time_stamp${isAltered}`
    )
  })

  it.prop("reads every second of ten thousand years as the calendar has it", { seed: Seed }, ({ seed }) => {
    const { below } = random(seed)
    const time = Date.UTC(1000 + below(9000), below(12), 1 + below(31), below(24), below(60), below(60))
    const [weekday = "", day = "", month = "", year = "", clock = ""] = new Date(time).toUTCString().split(/,? /)
    const date = day.replace(/^0/, " ")
    assert.strictEqual(decoded({ time_stamp: `${weekday} ${month} ${date} ${clock} ${year}` }).timestamp, time)
  }, { arbitrary: { runs: 500 } })

  it.each<readonly [string, unknown, string]>([
    ["unique_id", 5, "expected string at transaction.unique_id"],
    ["unique_id", undefined, "missing key at transaction.unique_id"],
    ["unique_id", "x".repeat(257), "expected a string of at most 256 bytes in UTF-8 at transaction.unique_id"],
    ["client_ip", null, "expected string at transaction.client_ip"],
    ["client_ip", "x".repeat(1_000_000), "expected a string of at most 256 bytes in UTF-8 at transaction.client_ip"],
    ["time_stamp", 1_760_000_000_000, "expected string at transaction.time_stamp"],
    ["request", undefined, "missing key at transaction.request"],
    ["request", null, "expected object at transaction.request"],
    ["request", "GET /", "expected object at transaction.request"],
    ["request", [], "expected object at transaction.request"],
    ["messages", undefined, "missing key at transaction.messages"],
    ["is_interrupted", "true", "expected boolean at transaction.is_interrupted"],
    ["is_interrupted", 1, "expected boolean at transaction.is_interrupted"],
    ["is_interrupted", null, "expected boolean at transaction.is_interrupted"],
    ["messages", null, "expected array at transaction.messages"],
    ["messages", {}, "expected array at transaction.messages"],
    ["messages", "", "expected array at transaction.messages"],
    ["messages", [{}, "m"], "expected object at transaction.messages[1]"],
    ["messages", [{ details: [] }], "expected object at transaction.messages[0].details"],
    ["messages", [{ details: { tags: "attack-sqli" } }], "expected array at transaction.messages[0].details.tags"],
    ["messages", [{ details: { tags: ["a", 1] } }], "expected string at transaction.messages[0].details.tags[1]"]
  ])("RFC D1 refuses a %s of %.40j", (key, value, problem) => {
    const advice = problem.endsWith("transaction.request")
      ? haveB
      : problem.endsWith("transaction.messages")
      ? haveH
      : isAltered
    assert.strictEqual(refusalOf(lineWith({ [key]: value })), problem + advice)
  })

  it.each([
    ["", "expected JSON, which ended too early", setJson],
    ["--a1b2c3-A--", "expected JSON, which breaks at column 2", setJson],
    ["null", "expected object", isOther],
    ["[]", "expected object", isOther],
    ["\"text\"", "expected object", isOther],
    ["{}", "missing key at transaction", isOther],
    ["{\"transaction\":{\"client_ip\":\"192.0", "expected JSON, which breaks at column 35", isCut],
    ["{\"transaction\":{\"client_ip\":", "expected JSON, which ended too early", isCut],
    ["[".repeat(100_000), "expected JSON, which ended too early", setJson],
    [`{"transaction":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, "expected object at transaction", isOther]
  ])("RFC D1 refuses the line %.40j", (line, problem, advice) => {
    assert.strictEqual(refusalOf(line), problem + advice)
  })

  it.each([
    "{\"transaction\":{\"client_ip\":\"192.0",
    "{\"transaction\":{\"client_ip\":\"{\\\"transaction\\\":",
    "{\"transaction\":",
    "{\"transaction\":{\"a\":{\"transaction\":{\"b\":[1,",
    "...\"messages\":[]}}",
    "\u0000\u0000",
    "{"
  ])("says where a whole transaction stands behind %j", (torn) => {
    assert.include(
      refusalOf(torn + lineWith({})),
      `: a whole line begins at column ${torn.length + 1}: give it a line of its own`
    )
    assert.notInclude(refusalOf(torn + lineWith({}).slice(0, -1)), "a whole line")
  })

  it("says one thing of a line with a million mistakes", () => {
    assert.strictEqual(
      refusalOf(lineWith({ messages: Array.from({ length: 1_000_000 }, () => 1) })),
      `expected object at transaction.messages[0]${isAltered}`
    )
  })
})

describe("a recorded audit log", () => {
  const path = needsSharedData("modsecurity-audit.ndjson.gz")

  it.effect.skipIf(path === undefined)(
    "is read whole: each line, each threat, each category and severity",
    () =>
      Effect.gen(function*() {
        const compressed = readFileSync(path ?? "")
        const events = yield* eventsOf(chunksOf(compressed, 65_536), "modsecurity")
        const expected = byHand(gunzipSync(compressed))
        const scents = events.map((event, at) => {
          if (event._tag === "Invalid") return event
          // The bytes of one request are no UTF-8, or say more than JSON.parse keeps.
          const payload = event.isRaw === true ? expected[at]?.payload : event.scent.payload
          return { line: event.line, ...event.scent, payload }
        })
        assert.deepStrictEqual<ReadonlyArray<unknown>>(scents, expected)
        assert.lengthOf(events.filter((event) => event._tag === "Scent" && event.isRaw === true), 1)
        assert.lengthOf(events, 3049)
        assert.lengthOf(events.filter((event) => event._tag === "Scent" && event.scent.threat === undefined), 803)
        const totals: Record<string, number> = {}
        for (const { threat } of expected) {
          if (threat === undefined) continue
          totals[threat.category] = (totals[threat.category] ?? 0) + 1
          totals[threat.severity] = (totals[threat.severity] ?? 0) + 1
        }
        assert.deepStrictEqual(totals, { injection: 1121, spam: 4, unknown: 1121, critical: 2141, medium: 9, low: 96 })
      })
  )

  it.effect.skipIf(path === undefined)("has U+FFFD where its bytes are no UTF-8", () =>
    Effect.gen(function*() {
      const text = gunzipSync(readFileSync(path ?? ""))
      const strict = new TextDecoder("utf-8", { fatal: true })
      const invalid = text.toString("latin1").split("\n").flatMap((line, index) => {
        try {
          strict.decode(Buffer.from(line, "latin1"))
          return []
        } catch {
          return [index + 1]
        }
      })
      assert.lengthOf(invalid, 6)
      const found = yield* Stream.runCollect(lines(Stream.make(text)))
      const replaced = found.filter((line) => line._tag === "Text" && line.text.includes("\ufffd"))
      assert.deepStrictEqual(replaced.map(({ line }) => line), invalid)
      const events = yield* eventsOf([text], "modsecurity")
      for (const line of invalid) assert.strictEqual(events[line - 1]?._tag, "Scent")
    }))
})

interface ByHand {
  readonly line: number
  readonly id: string
  readonly source: string
  readonly timestamp: number
  readonly payload: unknown
  readonly threat?: { readonly category: string; readonly severity: string }
}

interface AuditMessage {
  readonly details: { readonly severity: string; readonly tags: ReadonlyArray<string> }
}

/** The mapping, implemented a second time from its description. */
const byHand = (log: Uint8Array): ReadonlyArray<ByHand> =>
  new TextDecoder().decode(log).trimEnd().split("\n").map((text, index) => {
    const parsed: unknown = JSON.parse(text)
    const { transaction } = parsed as {
      readonly transaction: {
        readonly unique_id: string
        readonly client_ip: string
        readonly time_stamp: string
        readonly request: unknown
        readonly messages: ReadonlyArray<AuditMessage>
      }
    }
    const scent = {
      line: index + 1,
      id: transaction.unique_id,
      source: transaction.client_ip,
      timestamp: Date.parse(`${transaction.time_stamp} UTC`),
      payload: transaction.request
    }
    if (transaction.messages.length === 0) return scent
    const tags = transaction.messages.flatMap(({ details }) => details.tags).join("\n")
    const category = /^attack-dos$/m.test(tags)
      ? "ddos"
      : /^attack-(?:sqli|xss|rce|lfi|rfi|ssrf|ldap|injection-.*|fixation)$/m.test(tags)
      ? "injection"
      : /^attack-(?:webshell|malware)$/m.test(tags)
      ? "malware"
      : /^attack-reputation-(?:scanner|crawler|script)$/m.test(tags)
      ? "spam"
      : "unknown"
    const set = transaction.messages.map(({ details }) => Number.parseInt(details.severity, 10)).filter((n) => n > 0)
    const worst = Math.min(7, ...set)
    const severity = worst <= 2 ? "critical" : worst === 3 ? "high" : worst === 4 ? "medium" : "low"
    return { ...scent, threat: { category, severity } }
  })
