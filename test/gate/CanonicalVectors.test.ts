import { assert, describe, it } from "@effect/vitest"
import canonicalize from "canonicalize"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import vm from "node:vm"
import {
  type CanonicalLimits,
  type Introspection,
  makeCanonicalWriter,
  TOO_DEEP,
  TOO_LARGE,
  TOO_MANY_KEYS
} from "../../src/gate/Canonical.ts"
import * as NodeIntrospection from "../../src/node/NodeIntrospection.ts"
import * as Port from "../../src/port/Introspection.ts"
import { random, Seed } from "../support/random.ts"
import { needsSharedData } from "../support/sharedData.ts"
import { isRaw, randomJson, samePayload } from "./payloads.ts"
import { canonicalBytes, canonicalText, defaults, nodeWriter } from "./writers.ts"

type Kind = "array" | "object" | "map" | "set"
type Key = string | { readonly string: ReadonlyArray<number> }
type Beside = "null prototype" | "class" | "symbol" | "hidden" | "named"

/** A value as the vectors spell it; CANONICAL.md, Vectors, says what each tag means. */
type Value =
  & { readonly beside?: ReadonlyArray<Beside> }
  & (
    | { readonly json: string }
    | { readonly string: ReadonlyArray<number> }
    | { readonly text: string; readonly times: number }
    | { readonly number: string }
    | { readonly double: string }
    | { readonly bigint: string }
    | { readonly date: number | null }
    | { readonly undefined: true }
    | { readonly hole: true }
    | { readonly function: true }
    | { readonly symbol: string }
    | { readonly accessor: "get" | "set" | "both" }
    | { readonly proxy: Value }
    | { readonly revoked: Value }
    | { readonly array: ReadonlyArray<Value | Repeated>; readonly length?: number }
    | { readonly object: ReadonlyArray<readonly [key: Key, value: Value]> }
    | { readonly keys: number; readonly of: Value }
    | { readonly map: ReadonlyArray<readonly [key: Value, value: Value]> }
    | { readonly set: ReadonlyArray<Value> }
    | {
      readonly bytes: string
      readonly hex?: string
      readonly zeros?: number
      readonly before?: string
      readonly after?: string
      readonly detached?: true
    }
    | { readonly nest: number; readonly in: ReadonlyArray<Kind>; readonly of: Value }
    | { readonly cycle: ReadonlyArray<Kind> }
  )

interface Repeated {
  readonly times: number
  readonly of: Value
}

interface Vectors {
  readonly notation: Readonly<Record<string, string>>
  readonly limits: CanonicalLimits
  readonly good: ReadonlyArray<{
    readonly name: string
    readonly value: Value
    readonly limits?: Partial<CanonicalLimits>
    readonly canonical?: string
    readonly length?: number
    readonly sha256: string
  }>
  readonly bad: ReadonlyArray<{
    readonly name: string
    readonly value: Value
    readonly limits: Partial<CanonicalLimits>
    readonly refusal: "too_large" | "too_deep" | "too_many_keys"
  }>
}

const vectorsFile = readFileSync(new URL("../../vectors/canonical.json", import.meta.url))
const vectors: Vectors = JSON.parse(vectorsFile.toString())

const sha256 = (bytes: string | Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

describe("canonical bytes against what others computed", () => {
  const jcs = needsSharedData("vectors/jcs")
  const blns = needsSharedData("vectors/blns/blns.json")

  it.skipIf(jcs === undefined)("RFC D3 writes the RFC 8785 vectors byte for byte", () => {
    const root = jcs ?? ""
    const names = readdirSync(join(root, "input"))
    assert.isAtLeast(names.length, 6)
    for (const name of names) {
      const payload: unknown = JSON.parse(readFileSync(join(root, "input", name), "utf8"))
      const hex = readFileSync(join(root, "outhex", name.replace(".json", ".txt")), "utf8").replaceAll(/\s/g, "")
      assert.strictEqual(canonicalBytes(payload).toString("hex"), hex, name)
      assert.deepStrictEqual(canonicalBytes(payload), readFileSync(join(root, "output", name)), name)
    }
  })

  it.skipIf(blns === undefined)("RFC D3 writes naughty strings as payload, as value and as key", () => {
    const strings: ReadonlyArray<string> = JSON.parse(readFileSync(blns ?? "", "utf8"))
    assert.isAtLeast(strings.length, 500)
    for (const text of strings) {
      assert.deepStrictEqual(canonicalBytes(text), Buffer.from(text, "utf8"))
      assert.strictEqual(canonicalText({ a: text }), canonicalize({ a: text }))
      const keyed = Object.fromEntries([[text, 1], ["a", 2], ["~", 3]])
      assert.strictEqual(canonicalText(keyed), canonicalize(keyed))
    }
    assert.strictEqual(canonicalText(strings), canonicalize(strings))
  })

  it.skipIf(jcs === undefined)(
    "RFC D3 writes the 10,000 first numbers of the ES6 test file of RFC 8785's author",
    () => {
      // The file spells negative zero as 0; `!-0` is our declared exception.
      const lines = es6Numbers(jcs ?? "", 10_000).map((number) =>
        `${hexOf(number)},${canonicalText(number).replace("!-0", "0")}\n`
      )
      assert.strictEqual(
        sha256(lines.slice(0, 1000).join("")),
        "be18b62b6f69cdab33a7e0dae0d9cfa869fda80ddc712221570f9f40a5878687"
      )
      assert.strictEqual(sha256(lines.join("")), "b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892")
    }
  )

  it.prop(
    "RFC D3 equals an independent JCS library on any JSON value",
    { seed: Seed },
    ({ seed }) => {
      const value = [randomJson(random(seed), 5)]
      assert.strictEqual(canonicalText(value), canonicalize(value))
      assert.strictEqual(canonicalText(JSON.parse(JSON.stringify(value))), canonicalize(value))
    },
    { arbitrary: { runs: 2000 } }
  )

  it("RFC D3 sorts many keys and few keys alike, by UTF-16 code units", () => {
    for (const count of [2, 3, 8, 23, 24, 25, 100, 1000]) {
      const keys = Array.from({ length: count }, (_, i) => `k${(i * 7919) % count}`)
      keys.push("", "\u{1f600}", "\ufb33", "a", "aa", "A")
      const value = Object.fromEntries(random(count).shuffle(keys).map((key) => [key, 1]))
      assert.strictEqual(canonicalText(value), canonicalize(value))
    }
  })
})

describe("CANONICAL.md", () => {
  const text = readFileSync(new URL("../../CANONICAL.md", import.meta.url), "utf8")
  const rows = [...text.matchAll(/^\| `(.+?)` \| (?:`(.+?)`|hex ([0-9a-f ]+)|nothing) \| `([0-9a-f]{64})` \|$/gm)]

  it("RFC D3 has examples of every token", () => {
    assert.isAtLeast(rows.length, 30)
    const tokens = rows.map((row) => row[2] ?? "").join(" ")
    for (
      const token of [
        "!u",
        "!-0",
        "!NaN",
        "!Infinity",
        "!-Infinity",
        "!n",
        "!d",
        "!dNaN",
        "!m[",
        "!s[",
        "!f",
        "!y",
        "!g",
        "!p"
      ]
    ) {
      assert.include(tokens, token)
    }
    for (
      const kind of [
        "u8",
        "u8c",
        "i8",
        "u16",
        "i16",
        "u32",
        "i32",
        "f16",
        "f32",
        "f64",
        "i64",
        "u64",
        "dv",
        "ab",
        "sab"
      ]
    ) {
      assert.include(text, `\`${kind}\``)
    }
  })

  it.each(rows.map((row) => [row[1] ?? "", row] as const))("RFC D3 example %s", (expression, row) => {
    const payload: unknown = vm.runInThisContext(`(${expression})`)
    const bytes = canonicalBytes(payload)
    const expected = row[3] === undefined ? Buffer.from(row[2] ?? "") : Buffer.from(row[3].replaceAll(" ", ""), "hex")
    assert.strictEqual(bytes.toString("latin1"), expected.toString("latin1"))
    assert.strictEqual(sha256(bytes), row[4])
  })

  it("RFC D3 names all byte kinds of this host, and nothing else", () => {
    const kinds: ReadonlyArray<readonly [string, string]> = [
      ["Uint8Array", "u8"],
      ["Uint8ClampedArray", "u8c"],
      ["Int8Array", "i8"],
      ["Uint16Array", "u16"],
      ["Int16Array", "i16"],
      ["Uint32Array", "u32"],
      ["Int32Array", "i32"],
      ["Float16Array", "f16"],
      ["Float32Array", "f32"],
      ["Float64Array", "f64"],
      ["BigInt64Array", "i64"],
      ["BigUint64Array", "u64"],
      ["DataView", "dv"]
    ]
    for (const [name, kind] of kinds) {
      const view: unknown = vm.runInThisContext(`new ${name}(new Uint8Array([0, 9, 10, 255, 1, 2, 3, 4]).buffer)`)
      assert.strictEqual(canonicalText([view]), `[!b${kind}:00090aff01020304]`)
      assert.strictEqual(canonicalBytes(view).toString("hex"), "00090aff01020304")
    }
    assert.strictEqual(canonicalText([new ArrayBuffer(2)]), "[!bab:0000]")
    assert.strictEqual(canonicalText([new SharedArrayBuffer(2)]), "[!bsab:0000]")
    assert.strictEqual(canonicalText([Buffer.from("hi")]), "[!bu8:6869]")
    const bytes = new Uint8Array([1, 2, 3, 4, 5, 6])
    const views = [bytes.subarray(1, 3), new DataView(bytes.buffer, 1, 2), new Uint16Array(bytes.buffer, 2, 1)]
    assert.strictEqual(canonicalText(views), "[!bu8:0203,!bdv:0203,!bu16:0304]")
    assert.deepStrictEqual(views.map((view) => canonicalBytes(view).toString("hex")), ["0203", "0203", "0304"])
  })
})

describe("bytes and text stand for themselves", () => {
  it.prop(
    "RFC D3 a string is its UTF-8, lone surrogates as generalised UTF-8",
    { seed: Seed },
    ({ seed }) => {
      const r = random(seed)
      const units = Array.from(
        { length: r.below(200) },
        () => r.pick([r.below(0x80), r.below(0x10000), 0xd800 + r.below(0x800), 0xd83d, 0xde00])
      )
      const text = String.fromCharCode(...units)
      assert.deepStrictEqual(canonicalBytes(text), wtf8(text))
    },
    { arbitrary: { runs: 1000 } }
  )

  it.prop(
    "RFC D3 a nested string is what well-formed JSON.stringify makes of it",
    { seed: Seed },
    ({ seed }) => {
      const r = random(seed)
      const units = Array.from(
        { length: r.below(140) },
        () => r.pick([r.below(0x80), r.below(0x10000), 0xd800 + r.below(0x800)])
      )
      const text = String.fromCharCode(...units)
      assert.strictEqual(canonicalText([text]), JSON.stringify([text]))
      assert.strictEqual(canonicalText({ [text]: 1 }), JSON.stringify({ [text]: 1 }))
    },
    { arbitrary: { runs: 1000 } }
  )

  it("RFC D3 the first and last character of each length of UTF-8", () => {
    for (const point of [0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff]) {
      const text = String.fromCodePoint(point)
      assert.deepStrictEqual(canonicalBytes(text), Buffer.from(text))
      assert.deepStrictEqual(canonicalBytes([text]), Buffer.from(JSON.stringify([text])))
      assert.deepStrictEqual(canonicalBytes([text.repeat(70)]), Buffer.from(JSON.stringify([text.repeat(70)])))
    }
  })

  it("RFC D3 a payload file and its sha256sum agree, as Buffer, view, ArrayBuffer and text", () => {
    const file = readFileSync(new URL("../../package.json", import.meta.url))
    const sum = sha256(file)
    for (const payload of [file, new Uint8Array(file), new Uint8Array(file).buffer, file.toString("utf8")]) {
      assert.strictEqual(sha256(canonicalBytes(payload)), sum)
    }
  })

  it("gives the same bytes whatever the writer wrote before", () => {
    const writer = nodeWriter()
    for (const payload of ["x".repeat(5000), { a: 1 }, new Map([[2, 1], [1, 2]]), [], "", { b: { a: [] } }]) {
      const written = writer.write(payload)
      assert.deepStrictEqual(Buffer.from(writer.buffer.subarray(0, written)), canonicalBytes(payload))
    }
  })
})

const hosts: ReadonlyArray<readonly [name: string, introspection: Introspection]> = [
  ["Node", Effect.runSync(Effect.provide(Port.Introspection, NodeIntrospection.layer))],
  [
    "a host that cannot tell a Proxy",
    Effect.runSync(Effect.provide(Port.Introspection, Port.Introspection.layerPortable))
  ]
]

describe.each(hosts)("the vectors of canonical bytes on %s", (name, introspection) => {
  const { bad, good } = vectors
  const answered = name === "Node"
    ? good
    : good.filter(({ value }) => !/"(?:proxy|revoked)":/.test(JSON.stringify(value)))
  const writer = (limits?: Partial<CanonicalLimits>) =>
    makeCanonicalWriter({ ...vectors.limits, ...limits }, introspection)

  it.each(answered)("RFC D3 writes: $name", ({ canonical, length, limits, sha256: hash, value }) => {
    const own = writer(limits)
    const payload = build(value)
    // What a writer wrote before must never show.
    own.write(payload)
    own.write([payload])
    const written = own.write(payload)
    assert.strictEqual(written, length ?? (canonical ?? "").length / 2)
    if (canonical !== undefined) {
      assert.strictEqual(Buffer.from(own.content).toString("hex"), canonical)
    }
    assert.strictEqual(sha256(own.content), hash)
  })

  it("RFC D5 writes each at exactly its size, and refuses it one below", () => {
    for (const { canonical, length, limits, name, value } of answered) {
      const size = length ?? (canonical ?? "").length / 2
      const payload = build(value)
      assert.strictEqual(writer({ ...limits, maxPayloadSize: size }).write(payload), size, name)
      if (size > 0) {
        assert.strictEqual(writer({ ...limits, maxPayloadSize: size - 1 }).write(payload), TOO_LARGE, name)
      }
    }
  })

  it.each(bad)("RFC D5 refuses: $name", ({ limits, refusal, value }) => {
    const code = { too_large: TOO_LARGE, too_deep: TOO_DEEP, too_many_keys: TOO_MANY_KEYS }[refusal]
    const own = writer(limits)
    const payload = build(value)
    for (const time of ["first", "second", "third"]) {
      assert.strictEqual(own.write(payload), code, `the ${time} time`)
    }
  })
})

describe("the vectors of canonical bytes themselves", () => {
  const { bad, good } = vectors
  const short = good.flatMap(({ canonical, ...vector }) => canonical === undefined ? [] : [{ ...vector, canonical }])

  it.each(short)("RFC D3 is parsed in one way only: $name", ({ canonical, sha256: hash, value }) => {
    const bytes = Buffer.from(canonical, "hex")
    assert.strictEqual(sha256(bytes), hash)
    const raw = rawOf(value)
    if (raw === undefined) {
      assert.deepStrictEqual(parses(bytes), [treeOf(value)])
    } else {
      assert.strictEqual(canonical, raw.toString("hex"))
    }
  })

  it("RFC D3 the parser takes nothing that the grammar lacks, and each order and spelling once", () => {
    const wrong = [
      ..."! !x -0 01 +1 1.0 1e5 1E+21 .5 1e400 NaN Infinity tru nulll !n !n00 !nA !n- !n01 !d !d-0 !d01 !d1.5".split(
        " "
      ),
      ..."!b:00 !bu8:0 !bu8:0A !bu9:00 !bu800 !bu8:00,00 !m !m[1] !m{} !s !s{} !G !uu [ ] { [1,] [,1] [,] [1]]".split(
        " "
      ),
      ..."{a:1} {\"a\"} {\"a\":} {\"a\":1,} {1:1} \"a \"a\"b\" 'a' \"\\x\" 1,1".split(" "),
      "",
      " 1",
      "[1, 2]",
      "\"\\u0061\"",
      "\"\\/\"",
      "\"\\u000a\"",
      "\"\\u001F\"",
      "\"\\ud83d\\ude00\"",
      "\"\n\"",
      "{\"b\":1,\"a\":2}",
      "{\"a\":1,\"a\":1}",
      "!s[2,1]",
      "!s[10,1]",
      "!m[[2,1],[1,1]]",
      "!m[[1,2,3]]"
    ]
    for (const text of wrong) {
      assert.deepStrictEqual(parses(Buffer.from(text)), [], text)
    }
    assert.deepStrictEqual(parses(Buffer.from([0x22, 0xff, 0x22])), [])
  })

  it("RFC D3 have equal bytes exactly when the equalities say so", () => {
    // The model reads the memory of a view, which a detached one has not.
    const readable = short.filter(({ value }) => !JSON.stringify(value).includes("\"detached\""))
    const payloads = readable.map(({ canonical, value }) => ({ canonical, payload: build(value) }))
    let equal = 0
    for (const [i, a] of payloads.entries()) {
      for (const b of payloads.slice(i + 1)) {
        const same = a.canonical === b.canonical
        equal += same ? 1 : 0
        if (isRaw(a.payload) === isRaw(b.payload) && !isRaw(a.payload)) {
          assert.strictEqual(same, samePayload(a.payload, b.payload), `${a.canonical} ${b.canonical}`)
        }
      }
    }
    assert.isAbove(equal, 100)
  })

  it("RFC D3 each has a name of its own and asks something of its own, and the file is small", () => {
    const names = [...good, ...bad].map(({ name }) => name)
    assert.strictEqual(new Set(names).size, names.length)
    const questions = [...good, ...bad].map(({ limits, value }) => JSON.stringify([value, { ...defaults, ...limits }]))
    assert.strictEqual(new Set(questions).size, names.length)
    assert.deepStrictEqual(vectors.limits, defaults)
    assert.isBelow(vectorsFile.length, 150_000)
  })

  it("RFC D3 meet every alternative of the grammar, every kind of bytes and every refusal", () => {
    const met = new Set<string>()
    const meet = ([name, ...parts]: Tree): void => {
      met.add(name)
      for (const part of parts) {
        if (typeof part !== "string") {
          meet(part)
        }
      }
    }
    for (const { canonical, value } of short) {
      if (rawOf(value) === undefined) {
        parses(Buffer.from(canonical, "hex")).forEach(meet)
      } else {
        met.add("bytes" in value ? `raw ${value.bytes}` : "raw text")
      }
    }
    const alternatives = "literal number string array object member bigint date map pair set opaque".split(" ")
    const raws = ["raw text", ...kinds.map((kind) => `raw ${kind}`)]
    assert.sameMembers([...met], [...alternatives, ...raws, ...kinds.map((kind) => `bytes ${kind}`)])
    assert.sameMembers([...new Set(bad.map(({ refusal }) => refusal))], ["too_large", "too_deep", "too_many_keys"])
  })

  it("RFC D3 use no tag but those of their notation, and CANONICAL.md explains each", () => {
    const specification = readFileSync(new URL("../../CANONICAL.md", import.meta.url), "utf8")
    const used = new Set<string>()
    JSON.stringify([...good, ...bad].map(({ value }) => value), (key, part: unknown) => {
      if (/^[a-z]/.test(key)) {
        used.add(key)
      }
      return part
    })
    for (const tag of used) {
      assert.isTrue([`"${tag}"`, `\`${tag}\``].some((spelling) => specification.includes(spelling)), tag)
      assert.isTrue(Object.entries(vectors.notation).some((line) => line.join(" ").includes(tag)), tag)
    }
  })
})

const constructors: Readonly<Record<string, string>> = {
  u8: "Uint8Array",
  u8c: "Uint8ClampedArray",
  i8: "Int8Array",
  u16: "Uint16Array",
  i16: "Int16Array",
  u32: "Uint32Array",
  i32: "Int32Array",
  f16: "Float16Array",
  f32: "Float32Array",
  f64: "Float64Array",
  i64: "BigInt64Array",
  u64: "BigUint64Array",
  dv: "DataView",
  ab: "ArrayBuffer",
  sab: "SharedArrayBuffer"
}
const kinds = Object.keys(constructors)

const touched = (): never => assert.fail("code of the payload ran")

/** The value that a vector describes. */
function build(value: Value): unknown {
  const built = buildBare(value)
  for (const beside of value.beside ?? []) {
    const target = built as object
    switch (beside) {
      case "null prototype":
        Object.setPrototypeOf(target, null)
        break
      case "class":
        Object.setPrototypeOf(
          target,
          Object.create(Object.getPrototypeOf(target), { inherited: { value: 1, enumerable: true } })
        )
        break
      case "symbol":
        Object.defineProperty(target, Symbol("beside"), { value: 1, enumerable: true })
        break
      case "hidden":
      case "named":
        Object.defineProperty(target, beside, { value: 1, enumerable: beside === "named" })
    }
  }
  return built
}

function buildBare(value: Value): unknown {
  if ("json" in value) {
    return JSON.parse(value.json)
  } else if ("string" in value) {
    return keyOf(value)
  } else if ("text" in value) {
    return value.text.repeat(value.times)
  } else if ("number" in value) {
    return Number(value.number)
  } else if ("double" in value) {
    return doubleOf(BigInt(`0x${value.double}`))
  } else if ("bigint" in value) {
    return value.bigint.startsWith("-") ? -BigInt(`0x${value.bigint.slice(1)}`) : BigInt(`0x${value.bigint}`)
  } else if ("date" in value) {
    return new Date(value.date ?? NaN)
  } else if ("function" in value) {
    return () => touched()
  } else if ("symbol" in value) {
    return Symbol(value.symbol)
  } else if ("proxy" in value) {
    return new Proxy(build(value.proxy) as object, new Proxy({}, { get: touched }))
  } else if ("revoked" in value) {
    const { proxy, revoke } = Proxy.revocable(build(value.revoked) as object, {})
    revoke()
    return proxy
  } else if ("array" in value) {
    return buildArray(spread(value.array), value.length)
  } else if ("object" in value) {
    return value.object.reduce((object, [key, item]) => put(object, keyOf(key), item), {})
  } else if ("keys" in value) {
    return Object.fromEntries(Array.from({ length: value.keys }, (_, i) => [`${i}`, build(value.of)]))
  } else if ("map" in value) {
    return new Map(value.map.map(([key, item]) => [build(key), build(item)]))
  } else if ("set" in value) {
    return new Set(value.set.map(build))
  } else if ("bytes" in value) {
    return buildBytes(value)
  } else if ("nest" in value) {
    let built = build(value.of)
    for (let depth = value.nest; depth > 0; depth--) {
      built = fill(container(value.in[(depth - 1) % value.in.length]), built)
    }
    return built
  } else if ("cycle" in value) {
    const containers = value.cycle.map(container)
    for (const [i, each] of containers.entries()) {
      fill(each, containers[(i + 1) % containers.length])
    }
    return containers[0]
  } else if ("undefined" in value) {
    return undefined
  }
  return assert.fail(`${JSON.stringify(value)} stands nowhere but in an array or an object`)
}

function keyOf(key: Key): string {
  return typeof key === "string" ? key : String.fromCharCode(...key.string)
}

function spread(items: ReadonlyArray<Value | Repeated>): ReadonlyArray<Value> {
  return items.flatMap((item) =>
    "of" in item && "times" in item ? Array.from({ length: item.times }, () => item.of) : [item]
  )
}

function put<A extends object>(target: A, key: PropertyKey, value: Value): A {
  return Object.defineProperty(
    target,
    key,
    "accessor" in value
      ? {
        ...(value.accessor === "set" ? {} : { get: touched }),
        ...(value.accessor === "get" ? {} : { set: touched }),
        enumerable: true,
        configurable: true
      }
      : { value: build(value), enumerable: true, configurable: true, writable: true }
  )
}

function buildArray(items: ReadonlyArray<Value>, length = items.length): Array<unknown> {
  const array: Array<unknown> = []
  array.length = length
  for (const [index, item] of items.entries()) {
    if ("accessor" in item) {
      put(array, index, item)
    } else if (!("hole" in item)) {
      array[index] = build(item)
    }
  }
  return array
}

function buildBytes(value: Extract<Value, { readonly bytes: string }>): unknown {
  const [before, own, after] = [value.before, value.hex, value.after].map((hex = "") => Buffer.from(hex, "hex"))
  const size = value.zeros ?? own?.length ?? 0
  const offset = before?.length ?? 0
  const buffer = value.bytes === "sab"
    ? new SharedArrayBuffer(size)
    : new ArrayBuffer(offset + size + (after?.length ?? 0))
  new Uint8Array(buffer).set(Buffer.concat([before ?? [], own ?? [], after ?? []] as ReadonlyArray<Uint8Array>))
  let view: unknown = buffer
  if (value.bytes !== "ab" && value.bytes !== "sab") {
    const View = Reflect.get(globalThis, constructors[value.bytes] ?? "") as typeof Uint8Array
    view = new View(buffer, offset, size / (value.bytes === "dv" ? 1 : View.BYTES_PER_ELEMENT))
  }
  if (value.detached) {
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
  }
  return view
}

type Container = Array<unknown> | Map<unknown, unknown> | Set<unknown> | { a?: unknown }

function container(kind: Kind | undefined): Container {
  return kind === "array" ? [] : kind === "map" ? new Map() : kind === "set" ? new Set() : {}
}

function fill(target: Container, content: unknown): Container {
  if (Array.isArray(target)) {
    target.push(content)
  } else if (target instanceof Map) {
    target.set(null, content)
  } else if (target instanceof Set) {
    target.add(content)
  } else {
    target.a = content
  }
  return target
}

/** The bytes that a raw payload is, told from its description; none for any other value. */
function rawOf(value: Value): Buffer | undefined {
  if ("bytes" in value) {
    return value.detached ? Buffer.alloc(0) : Buffer.from(value.hex ?? "", "hex")
  }
  const tree = treeOf(value)
  return tree[0] === "string" ? wtf8(String(tree[1])) : undefined
}

/** What a value is up to the equalities: a name, and its parts in an order of no meaning. */
interface Tree extends ReadonlyArray<string | Tree> {
  readonly 0: string
}

const unordered = (name: string, parts: ReadonlyArray<Tree>): Tree => [
  name,
  ...parts.toSorted((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
]
const numberTree = (number: number): Tree => ["number", Number.isNaN(number) ? "NaN" : hexOf(number)]
const literal = (token: string): Tree => ["literal", token]
const opaque = (token: string): Tree => ["opaque", token]

/** The tree of a description. */
function treeOf(value: Value): Tree {
  if ("json" in value) {
    return jsonTree(JSON.parse(value.json))
  } else if ("string" in value || "text" in value) {
    return ["string", "text" in value ? value.text.repeat(value.times) : keyOf(value)]
  } else if ("number" in value || "double" in value) {
    return numberTree("number" in value ? Number(value.number) : doubleOf(BigInt(`0x${value.double}`)))
  } else if ("bigint" in value) {
    return ["bigint", value.bigint]
  } else if ("date" in value) {
    return ["date", `${value.date ?? "NaN"}`]
  } else if ("undefined" in value || "hole" in value) {
    return literal("!u")
  } else if ("function" in value) {
    return opaque("!f")
  } else if ("symbol" in value) {
    return opaque("!y")
  } else if ("accessor" in value) {
    return opaque("!g")
  } else if ("proxy" in value || "revoked" in value) {
    return opaque("!p")
  } else if ("array" in value) {
    const items = spread(value.array).map(treeOf)
    const holes = Array.from({ length: (value.length ?? items.length) - items.length }, () => literal("!u"))
    return ["array", ...items, ...holes]
  } else if ("object" in value) {
    return unordered("object", value.object.map(([key, item]) => ["member", keyOf(key), treeOf(item)]))
  } else if ("keys" in value) {
    return unordered("object", Array.from({ length: value.keys }, (_, i) => ["member", `${i}`, treeOf(value.of)]))
  } else if ("map" in value) {
    return unordered("map", value.map.map(([key, item]) => ["pair", treeOf(key), treeOf(item)]))
  } else if ("set" in value) {
    return unordered("set", value.set.map(treeOf))
  } else if ("bytes" in value) {
    return [`bytes ${value.bytes}`, value.detached ? "" : value.hex ?? ""]
  } else if ("nest" in value) {
    let tree = treeOf(value.of)
    for (let depth = value.nest; depth > 0; depth--) {
      const kind = value.in[(depth - 1) % value.in.length] ?? "array"
      tree = kind === "object"
        ? [kind, ["member", "a", tree]]
        : kind === "map"
        ? [kind, ["pair", literal("null"), tree]]
        : [kind, tree]
    }
    return tree
  }
  return assert.fail("a cycle has no tree")
}

function jsonTree(value: unknown): Tree {
  return typeof value === "string"
    ? ["string", value]
    : typeof value === "number"
    ? numberTree(value)
    : Array.isArray(value)
    ? ["array", ...value.map(jsonTree)]
    : typeof value === "object" && value !== null
    ? unordered("object", Object.entries(value).map(([key, item]) => ["member", key, jsonTree(item)]))
    : literal(String(value))
}

/** One way to read what stands at a place, and where it ends. */
type Parse = readonly [tree: Tree, end: number]

/**
 * All ways to read the bytes as one `value`: every alternative of the grammar is tried at every place, and whatever may be
 * cut short is tried at every length. Nothing is taken from what stands behind.
 */
function parses(bytes: Uint8Array): ReadonlyArray<Tree> {
  let text = ""
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return []
  }
  return valueAt(0).filter(([, end]) => end === text.length).map(([tree]) => tree)

  function valueAt(at: number): ReadonlyArray<Parse> {
    return [
      ...["null", "true", "false", "!u"].flatMap((token) => tokenAt(at, token, literal(token))),
      ...["!f", "!y", "!g", "!p"].flatMap((token) => tokenAt(at, token, opaque(token))),
      ...[-0, NaN, Infinity, -Infinity].flatMap((number) =>
        tokenAt(at, Object.is(number, -0) ? "!-0" : `!${number}`, numberTree(number))
      ),
      ...spelled(at, "", /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]\d+)?$/, (spelling) => numberTree(Number(spelling)))
        .filter(
          ([, end]) => `${Number(text.slice(at, end))}` === text.slice(at, end)
        ),
      ...spelled(at, "!n", /^-?(?:0|[1-9a-f][0-9a-f]*)$/, (hex) => ["bigint", hex]),
      ...spelled(at, "!d", /^(?:0|-?[1-9]\d*|NaN)$/, (milliseconds) => ["date", milliseconds]),
      ...kinds.flatMap((kind) => spelled(at, `!b${kind}:`, /^(?:[0-9a-f]{2})*$/, (hex) => [`bytes ${kind}`, hex])),
      ...stringAt(at),
      ...listAt(at, "[", "]", valueAt, () => true).map(([items, end]): Parse => [["array", ...items], end]),
      ...listAt(at, "{", "}", memberAt, (a, b) => String(a[0][1]) < String(b[0][1])).map(([items, end]): Parse => [
        unordered("object", items),
        end
      ]),
      ...listAt(at, "!m[", "]", pairAt, inOrder).map(([items, end]): Parse => [unordered("map", items), end]),
      ...listAt(at, "!s[", "]", valueAt, inOrder).map(([items, end]): Parse => [unordered("set", items), end])
    ]
  }

  function tokenAt(at: number, token: string, tree: Tree): ReadonlyArray<Parse> {
    return text.startsWith(token, at) ? [[tree, at + token.length]] : []
  }

  /** Every length at which what follows the prefix is of the pattern. */
  function spelled(
    at: number,
    prefix: string,
    pattern: RegExp,
    tree: (spelling: string) => Tree
  ): ReadonlyArray<Parse> {
    if (!text.startsWith(prefix, at)) {
      return []
    }
    const found: Array<Parse> = []
    const start = at + prefix.length
    for (let end = start; end <= text.length && /^[-+.\w]*$/.test(text.slice(end - 1, end)) || end === start; end++) {
      const spelling = text.slice(start, end)
      if (pattern.test(spelling)) {
        found.push([tree(spelling), end])
      }
    }
    return found
  }

  function stringAt(at: number): ReadonlyArray<Parse> {
    // A lone surrogate is an escape; one that another escape follows to make a pair would have been a character.
    const own = /"((?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\[btnfr"\\]|\\u00[01][0-9a-f]|\\ud[89a-f][0-9a-f]{2})*)"/uy
    own.lastIndex = at
    const [quoted] = own.exec(text) ?? []
    return quoted === undefined || JSON.stringify(JSON.parse(quoted)) !== quoted
      ? []
      : [[["string", String(JSON.parse(quoted))], at + quoted.length]]
  }

  function memberAt(at: number): ReadonlyArray<Parse> {
    return stringAt(at).flatMap(([key, end]) =>
      text[end] === ":"
        ? valueAt(end + 1).map(([item, last]): Parse => [["member", String(key[1]), item], last])
        : []
    )
  }

  function pairAt(at: number): ReadonlyArray<Parse> {
    return listAt(at, "[", "]", valueAt, () => true).flatMap(([items, end]): ReadonlyArray<Parse> =>
      items.length === 2 ? [[["pair", ...items], end]] : []
    )
  }

  /** By their bytes, where equal ones may follow one another. */
  function inOrder([, [fromA, toA]]: Item, [, [fromB, toB]]: Item): boolean {
    return Buffer.compare(Buffer.from(text.slice(fromA, toA)), Buffer.from(text.slice(fromB, toB))) <= 0
  }

  function listAt(
    at: number,
    open: string,
    close: string,
    itemAt: (at: number) => ReadonlyArray<Parse>,
    ordered: (a: Item, b: Item) => boolean
  ): ReadonlyArray<readonly [items: ReadonlyArray<Tree>, end: number]> {
    if (!text.startsWith(open, at)) {
      return []
    }
    const start = at + open.length
    const found: Array<readonly [ReadonlyArray<Tree>, number]> = text[start] === close ? [[[], start + 1]] : []
    const pending: Array<readonly [items: ReadonlyArray<Item>, at: number]> = [[[], start]]
    for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
      const [items, from] = state
      for (const [tree, end] of itemAt(from)) {
        const item: Item = [tree, [from, end]]
        const last = items.at(-1)
        if (last !== undefined && !ordered(last, item)) {
          continue
        }
        if (text[end] === close) {
          found.push([[...items, item].map(([each]) => each), end + 1])
        } else if (text[end] === ",") {
          pending.push([[...items, item], end + 1])
        }
      }
    }
    return found
  }
}

type Item = readonly [tree: Tree, place: readonly [from: number, to: number]]

function wtf8(text: string): Buffer {
  return Buffer.concat(
    [...text].map((point) => {
      const code = point.codePointAt(0) ?? 0
      return code >= 0xd800 && code <= 0xdfff
        ? Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)])
        : Buffer.from(point)
    })
  )
}

/** The sequence that the vectors' README describes: its own fixed values, then the smallest normals, then SHA-256. */
function es6Numbers(jcs: string, count: number): Array<number> {
  const source = readFileSync(join(jcs, "README.md"), "utf8")
  const fixed = [...source.matchAll(/0x([0-9a-f]{16})n,/g)].map(([, hex = "0"]) => doubleOf(BigInt(`0x${hex}`)))
  const serial = Array.from({ length: 2000 }, (_, i) => doubleOf(0x0010000000000000n + BigInt(i)))
  const sequence = [...fixed, ...serial]
  let block: Uint8Array = new Uint8Array(32)
  while (sequence.length < count) {
    block = createHash("sha256").update(block).digest()
    sequence.push(...new Float64Array(new Uint8Array(block).buffer).filter((x) => x !== 0 && Number.isFinite(x)))
  }
  return sequence.slice(0, count)
}

function doubleOf(bits: bigint): number {
  return new Float64Array(new BigUint64Array([bits]).buffer)[0] ?? 0
}

function hexOf(number: number): string {
  return (new BigUint64Array(new Float64Array([number]).buffer)[0] ?? 0n).toString(16)
}
