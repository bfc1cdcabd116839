import { assert, describe, it } from "@effect/vitest"
import canonicalize from "canonicalize"
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import vm from "node:vm"
import { TOO_LARGE } from "../../../src/intake/gate/Canonical.ts"
import { random, Seed } from "../../support/random.ts"
import { needsSharedData } from "../../support/sharedData.ts"
import { doubleOf, hexOf } from "./doubles.ts"
import { randomJson } from "./payloads.ts"
import { wtf8 } from "./vectorTrees.ts"
import { bytesFrom, canonicalBytes, canonicalText, nodeWriter, portableWriter } from "./writers.ts"

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
    "RFC D3 D5 writes long strings as JSON.stringify does, whatever is to be escaped, up to the limit",
    { seed: Seed },
    ({ seed }) => {
      const { below, pick } = random(seed)
      const pieces = ["x".repeat(70), "a", "\"", "\\", "\n", "\u0001", "\u00e9", "\u20ac", "\u{1f600}"] as const
      const surrogates = ["\ud800", "\udc00"]
      const text = Array.from({ length: 10 }, () => below(40) === 0 ? surrogates[below(2)] : pick(pieces)).join("")
      const expected = JSON.stringify([text])
      for (const makeWriter of [nodeWriter, portableWriter]) {
        const { length } = Buffer.from(expected)
        assert.strictEqual(bytesFrom(makeWriter({ maxPayloadSize: length }), [text]).toString(), expected)
        for (let less = 1; less < 8; less++)
          assert.strictEqual(makeWriter({ maxPayloadSize: length - less }).write([text]), TOO_LARGE)
        assert.isTrue(bytesFrom(makeWriter(), text).equals(wtf8(text)))
      }
    },
    { arbitrary: { runs: 60 } }
  )

  it.prop(
    "RFC D3 writes numbers of few and of many digits as ECMAScript does",
    { seed: Seed },
    ({ seed }) => {
      const { below } = random(seed)
      const digits = below(2 ** 30) * 2 ** 23 + below(2 ** 23)
      const decimal = Math.floor(digits / 10 ** below(17)) / 10 ** below(9)
      const neighbour = decimal * (1 + (below(5) - 2) * Number.EPSILON)
      const edge = 10 ** (below(24) - 8) + below(3) - 1
      const bits = doubleOf(BigInt(below(2 ** 32)) << 32n | BigInt(below(2 ** 32)))
      for (const number of [decimal, neighbour, edge, digits, bits].flatMap((number) => [number, -number])) {
        if (number !== 0 && Number.isFinite(number)) assert.strictEqual(canonicalText([number]), `[${number}]`)
      }
    },
    { arbitrary: { runs: 1500 } }
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

describe("spec/canonical.md", () => {
  const text = readFileSync(new URL("../../../spec/canonical.md", import.meta.url), "utf8")
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
    const file = readFileSync(new URL("../../../package.json", import.meta.url))
    const sum = sha256(file)
    for (const payload of [file, new Uint8Array(file), new Uint8Array(file).buffer, file.toString("utf8")])
      assert.strictEqual(sha256(canonicalBytes(payload)), sum)
  })

  it("gives the same bytes whatever the writer wrote before", () => {
    const writer = nodeWriter()
    for (const payload of ["x".repeat(5000), { a: 1 }, new Map([[2, 1], [1, 2]]), [], "", { b: { a: [] } }]) {
      const written = writer.write(payload)
      assert.deepStrictEqual(Buffer.from(writer.buffer.subarray(0, written)), canonicalBytes(payload))
    }
  })
})

/**
 * The sequence that the vectors' README describes: its own fixed values, then the smallest normals,
 * then SHA-256.
 */
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
