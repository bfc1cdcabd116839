/**
 * Objects whose content is in internal slots or private fields: what can be read is, what cannot is
 * never the same as anything else, and neither runs code of the payload or costs more than a
 * bounded number of exceptions.
 */
import { assert, describe, it } from "@effect/vitest"
import vm from "node:vm"
import { type CanonicalWriter, TOO_LARGE, TOO_MANY_KEYS } from "../../../src/intake/gate/Canonical.ts"
import { maxReads, maxTrials } from "../../../src/intake/gate/canonical/Brands.ts"
import { bytesFrom, canonicalText, nodeWriter, portableWriter } from "./writers.ts"

const hosts: ReadonlyArray<readonly [string, () => CanonicalWriter]> = [
  ["Node", nodeWriter],
  ["a host that cannot ask for slots", portableWriter]
]

const textFrom = (writer: CanonicalWriter, payload: unknown): string => bytesFrom(writer, payload).toString()
const foreign = (source: string): unknown => vm.runInNewContext(source)

/** Everything that is looked up on it fails the test. */
const untouchable = (): object => new Proxy({}, new Proxy({}, { get: () => assert.fail("a trap ran") }))

const armed = <T extends object>(value: T, keys: ReadonlyArray<PropertyKey>): T => {
  for (const key of keys) {
    Object.defineProperty(value, key, {
      configurable: true,
      enumerable: true,
      get: () => assert.fail(`${String(key)} was read`)
    })
  }
  return value
}

/** A text of half a gigabyte that takes no memory: a rope of halves. */
const rope = (): string => {
  let text = "x".repeat(1_953_125)
  for (let doubled = 0; doubled < 8; doubled++) text += text
  return text
}

describe.each(hosts)("content in slots on %s", (_, make) => {
  it("RFC D3 tells requests of the platform apart by what is in them", () => {
    const writer = make()
    const payloads: ReadonlyArray<() => unknown> = [
      () => ({}),
      () => new Headers(),
      () => new Headers({ cookie: "a=' OR 1=1" }),
      () => new Headers({ cookie: "a=1" }),
      () => new URL("http://h/?q=<script>"),
      () => new URL("http://h/"),
      () => new URLSearchParams("q=<script>"),
      () => new URLSearchParams("q=1&q=2"),
      () => new URLSearchParams("q=2&q=1"),
      () => new Error("x"),
      () => new Error("y"),
      () => new Error("x", { cause: "y" }),
      () => new TypeError("x"),
      () => new AggregateError([1], "x"),
      () => new AggregateError([2], "x"),
      () => /x/,
      () => /x/g,
      () => /y/,
      () => Object(1),
      () => Object(-0),
      () => Object("1"),
      () => Object(1n),
      () => Object(true),
      () => Object(Symbol("s"))
    ]
    const texts = payloads.map((payload) => textFrom(writer, payload()))
    assert.strictEqual(new Set(texts).size, payloads.length)
    assert.deepStrictEqual(payloads.map((payload) => textFrom(writer, payload())), texts, "the same content is equal")
    const nested = payloads.map((payload) => textFrom(writer, { q: [payload()] }))
    assert.strictEqual(new Set(nested).size, payloads.length)
    assert.strictEqual(writer.unreadable, 0)
    assert.strictEqual(writer.trials, 0)
  })

  it("RFC D3 never takes two objects that cannot be read for the same, and counts them", () => {
    const writer = make()
    const form = new FormData()
    form.set("q", "<script>")
    const payloads: ReadonlyArray<object> = [
      form,
      new Request("http://h/", { method: "POST", body: "x" }),
      new Response("x"),
      new Blob(["x"]),
      new File(["x"], "f"),
      Promise.resolve(1),
      new WeakMap(),
      new WeakRef({}),
      [1].values(),
      new Map([[1, 2]]).entries(),
      (function*() {
        yield 1
      })(),
      new Intl.NumberFormat("en"),
      new ReadableStream(),
      new AbortController().signal,
      new DOMException("x", "AbortError"),
      foreign("new WebAssembly.Memory({ initial: 1 })") as object
    ]
    const texts = new Set<string>()
    for (const payload of payloads) {
      for (const spelt of [payload, payload, [payload], { q: payload }, { q: payload }]) {
        const text = textFrom(writer, spelt)
        assert.match(text, /!o"[A-Za-z .]+"[0-9a-f]{32}\{/)
        texts.add(text)
      }
    }
    assert.strictEqual(texts.size, 5 * payloads.length)
    assert.strictEqual(writer.unreadable, 5 * payloads.length)
  })

  it("RFC D3 keeps what such an object shows besides", () => {
    const form = Object.assign(new FormData(), { b: 1, a: "<script>" })
    assert.match(textFrom(make(), form), /^!o"FormData"[0-9a-f]{32}\{"a":"<script>","b":1\}$/)
    const code = Object.assign(new Error("x"), { code: "E", inner: { a: [1] } })
    assert.strictEqual(textFrom(make(), code), "!e\"Error\"{\"code\":\"E\",\"inner\":{\"a\":[1]},\"message\":\"x\"}")
  })

  it("RFC D4 runs nothing that was hung on an object whose slots are read", () => {
    const writer = make()
    class Own extends Error {}
    armed(Own.prototype, ["name", "message", "toString", "constructor", "cause"])
    const named = Object.defineProperty(new Error("x"), "name", { get: () => assert.fail("the name was read") })
    const values: ReadonlyArray<readonly [object, string]> = [
      [armed(/x/g, ["flags", "source", "global", "exec", "toString", Symbol.toPrimitive, Symbol.match]), "!r\"x\"g"],
      [armed(Object(1), ["valueOf", "toString", Symbol.toPrimitive]), "!v1"],
      [armed(Object("ab"), ["valueOf", "toString", Symbol.iterator]), "!v\"ab\""],
      [new Own("x"), "!e!g{\"message\":\"x\"}"],
      [named, "!e!g{\"message\":\"x\",\"name\":!g}"]
    ]
    for (const [value, text] of values) assert.strictEqual(textFrom(writer, value), text)
  })

  it("RFC D4 reads nothing of the platform that has something of the payload's in its way", () => {
    const writer = make()
    const changed = new URL("http://h/?a=1")
    changed.searchParams.append("b", "2")
    armed(changed.searchParams, ["toString", "size", "forEach", Symbol.iterator])
    class Address extends URL {}
    armed(Address.prototype, ["href", "search", "searchParams", "toString"])
    class Own extends Headers {}
    armed(Own.prototype, ["forEach", "entries", "keys", "get", Symbol.iterator])
    const inner = Object.getOwnPropertySymbols(Headers.prototype)
    const payloads: ReadonlyArray<object> = [
      changed,
      new Address("http://h/"),
      armed(new URL("http://h/"), ["href", "search", "searchParams"]),
      armed(new URLSearchParams("a=1"), ["toString", "size", "forEach", "entries"]),
      armed(new Headers({ a: "1" }), ["forEach", "entries", ...inner]),
      new Own({ a: "1" }),
      Object.setPrototypeOf(new URL("http://h/"), Object.create(URL.prototype)),
      Object.setPrototypeOf(new Headers(), Object.create(Headers.prototype)),
      Object.create(URL.prototype),
      Object.create(URLSearchParams.prototype),
      Object.create(Headers.prototype),
      Object.setPrototypeOf(new Map(), URL.prototype),
      Object.create(FormData.prototype)
    ]
    for (const payload of payloads) {
      assert.match(textFrom(writer, payload), /^!o"[A-Za-z]+"[0-9a-f]{32}\{/)
      assert.match(
        textFrom(writer, ["before", payload, "after"]),
        /^\["before",!o"[A-Za-z]+"[0-9a-f]{32}\{.*\},"after"\]$/
      )
    }
  })

  it("RFC D4 a tag that is an accessor is not asked, and makes nothing unreadable", () => {
    class Tagged {
      field = 1
      get [Symbol.toStringTag](): string {
        return assert.fail("the tag was read")
      }
    }
    assert.strictEqual(textFrom(make(), new Tagged()), "{\"field\":1}")
  })

  it("RFC D5 lists no character of a wrapped string, whatever its prototypes say", () => {
    const writer = make()
    const prototypes = [
      String.prototype,
      null,
      Object.prototype,
      Object.create(null),
      class A {}.prototype,
      FormData.prototype,
      URL.prototype,
      Headers.prototype,
      Map.prototype,
      Error.prototype,
      Object.create(foreign("Object.create(null)") as object)
    ]
    for (const prototype of prototypes) {
      const text = Object.setPrototypeOf(Object(rope()), prototype)
      for (const payload of [text, [text], { a: text }, new Map([[text, text]]), new Error("x", { cause: text })])
        assert.strictEqual(writer.write(payload), TOO_LARGE)
      assert.strictEqual(textFrom(writer, Object.setPrototypeOf(Object("ab"), prototype)), "!v\"ab\"")
    }
  })

  it("RFC D5 has the limits of canonical bytes inside of what it reads", () => {
    const limited = (limits: object): CanonicalWriter =>
      make === nodeWriter ? nodeWriter(limits) : portableWriter(limits)
    const many = Object.assign(new Error("x"), Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`k${i}`, i])))
    assert.strictEqual(limited({ maxKeys: 9 }).write(many), TOO_MANY_KEYS)
    assert.isAbove(limited({ maxKeys: 10 }).write(many), 0)
    const params = new URLSearchParams(Array.from({ length: 1_000 }, (_, i) => ["a", `${i}`]))
    assert.strictEqual(limited({ maxPayloadSize: 5_000 }).write(params), TOO_LARGE)
    assert.strictEqual(limited({ maxPayloadSize: 100 }).write(new Headers({ a: "x".repeat(200) })), TOO_LARGE)
    assert.strictEqual(limited({ maxPayloadSize: 100 }).write(new RegExp("x".repeat(200))), TOO_LARGE)
    assert.strictEqual(limited({ maxPayloadSize: 100 }).write(new URL(`http://h/${"x".repeat(200)}`)), TOO_LARGE)
    assert.strictEqual(limited({ maxPayloadSize: 45 }).write(new FormData()), TOO_LARGE)
  })

  it("RFC D4 tries a bounded number of times in vain, whatever stands in a payload", () => {
    class Rootless {}
    Object.setPrototypeOf(Rootless.prototype, Object.create(null))
    const rootless = new Rootless()
    const frozenLength = (): object => Object.create({}, { length: { value: 1 } })
    const floods: Readonly<Record<string, unknown>> = {
      "instances of another realm": foreign("class F {}; Array.from({ length: 20000 }, () => new F())"),
      "one without a root, many times over": Array.from({ length: 50_000 }, () => rootless),
      "a proxy as prototype": new Array(50_000).fill(Object.create(new Proxy({}, {}))),
      "what pretends to be a Map": Array.from({ length: 20_000 }, () => Object.create(Map.prototype)),
      "what pretends to be a Date of another realm": foreign(
        "Array.from({ length: 20000 }, () => Object.create(Date.prototype))"
      ),
      "what pretends to be a URL": Array.from({ length: 5_000 }, () => Object.create(URL.prototype)),
      "what pretends to be Headers": Array.from({ length: 5_000 }, () => Object.create(Headers.prototype)),
      "what has the length of a string": Array.from({ length: 20_000 }, frozenLength),
      "a chain of 100 objects": new Array(20_000).fill(
        Array.from({ length: 100 }).reduce<object>((chain) => Object.create(chain), {})
      ),
      "errors without a slot": Array.from({ length: 20_000 }, () => Object.create(Error.prototype)),
      "all of them in turn": Array.from(
        { length: 5_000 },
        (_, i) =>
          [
            new Rootless(),
            Object.create(Map.prototype),
            Object.create(URL.prototype),
            frozenLength(),
            /x/,
            Object(1)
          ][i % 6]
      )
    }
    for (const [name, payload] of Object.entries(floods)) {
      const writer = make()
      assert.notStrictEqual(writer.write(payload), -4, name)
      assert.isAtMost(writer.trials, make === nodeWriter ? maxReads : maxTrials, name)
    }
  })
})

describe("content in slots of another realm, and behind proxies", () => {
  it("RFC D3 is read where it is told by a slot", () => {
    assert.strictEqual(
      canonicalText(foreign("[/x/gi, Object(1), Object('a'), new TypeError('x')]")),
      "[!r\"x\"gi,!v1,!v\"a\",!e\"TypeError\"{\"message\":\"x\"}]"
    )
    assert.match(canonicalText(foreign("new WeakMap()")), /^!o"WeakMap"[0-9a-f]{32}\{\}$/)
    assert.match(canonicalText(foreign("Promise.resolve(1)")), /^!o"Promise"[0-9a-f]{32}\{\}$/)
  })

  it("RFC D4 touches no proxy in the chain of an error, a pattern or a wrapped value", () => {
    const under = (value: object): object => Object.setPrototypeOf(value, untouchable())
    assert.strictEqual(canonicalText(under(new Error("x"))), "!e!u{\"message\":\"x\"}")
    assert.strictEqual(canonicalText(under(/x/g)), "!r\"x\"g")
    assert.strictEqual(canonicalText(under(Object(1n))), "!v!n1")
    assert.strictEqual(canonicalText(under(Object("a"))), "!v\"a\"")
    assert.strictEqual(canonicalText(under(new URL("http://h/"))), "{}")
  })

  it("RFC D3 never asks for a class that the host makes when it is first needed, but for its own", () => {
    class Mine {
      field = 1
    }
    for (const tag of ["Headers", "Temporal.Instant", "Temporal.__proto__", "Temporal.constructor", "Temporal.", "x"]) {
      Object.defineProperty(Mine.prototype, Symbol.toStringTag, { value: tag, configurable: true })
      assert.match(canonicalText(new Mine()), /^!o"[^"]*"[0-9a-f]{32}\{"field":1\}$/)
    }
  })
})

const temporal: unknown = Reflect.get(globalThis, "Temporal")

describe.skipIf(temporal === undefined)("Temporal", () => {
  it("RFC D3 tells all values of all kinds apart", () => {
    const make = (source: string): object => vm.runInThisContext(`Temporal.${source}`)
    const texts = [
      "Instant.from('1970-01-01T00:00:00.000000001Z')",
      "Instant.from('1970-01-01T00:00:00Z')",
      "PlainDate.from('2026-01-02')",
      "PlainDateTime.from('2026-01-02')",
      "PlainTime.from('01:02')",
      "PlainYearMonth.from('2026-01')",
      "PlainMonthDay.from('01-02')",
      "ZonedDateTime.from('2026-01-02T00:00[UTC]')",
      "Duration.from({ seconds: 1 })",
      "Duration.from({ milliseconds: 1000 })"
    ].map((source) => {
      const text = canonicalText(make(source))
      assert.match(text, /^!t"[A-Z][A-Za-z]+ [^"]+"$/)
      assert.strictEqual(canonicalText(armed(make(source), ["toString", "toJSON", "calendarId", "seconds"])), text)
      return text
    })
    assert.strictEqual(new Set(texts).size, texts.length)
  })
})
