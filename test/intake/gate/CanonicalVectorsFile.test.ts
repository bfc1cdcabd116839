/**
 * `vectors/canonical.json`: the writer answers as the vectors say, and the vectors follow
 * spec/canonical.md.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import * as NodeIntrospection from "../../../src/host/node/NodeIntrospection.ts"
import * as Port from "../../../src/host/port/Introspection.ts"
import {
  type CanonicalLimits,
  type Introspection,
  makeCanonicalWriter,
  TOO_DEEP,
  TOO_LARGE,
  TOO_MANY_KEYS
} from "../../../src/intake/gate/Canonical.ts"
import { isRaw, samePayload } from "./payloads.ts"
import { parses, rawOf, type Tree, treeOf } from "./vectorTrees.ts"
import { build, hasTemporal, kinds, type Value, vectors, vectorsFile } from "./vectorValues.ts"
import { defaults } from "./writers.ts"

const sha256 = (bytes: string | Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

const hosts: ReadonlyArray<readonly [name: string, introspection: Introspection]> = [
  ["Node", Effect.runSync(Effect.provide(Port.Introspection, NodeIntrospection.layer))],
  [
    "a host that cannot tell a Proxy",
    Effect.runSync(Effect.provide(Port.Introspection, Port.Introspection.layerPortable))
  ]
]

const isUnreadable = (value: Value): boolean => JSON.stringify(value).includes("\"unreadable\":")
const needsTemporal = (value: Value): boolean => JSON.stringify(value).includes("\"temporal\":")

describe.each(hosts)("the vectors of canonical bytes on %s", (name, introspection) => {
  const { bad, good: all } = vectors
  const good = all.filter(({ value }) => hasTemporal || !needsTemporal(value))
  const answered = name === "Node"
    ? good
    : good.filter(({ value }) => !/"(?:proxy|revoked)":/.test(JSON.stringify(value)))
  const writer = (limits?: Partial<CanonicalLimits>) =>
    makeCanonicalWriter({ ...vectors.limits, ...limits }, introspection)

  it.each(answered)("RFC D3 writes: $name", ({ canonical, length, limits, sha256: hash, value }) => {
    const own = writer(limits)
    const payload = build(value)
    // What a writer wrote before must never show, but for the count of what it could not read.
    if (!isUnreadable(value)) {
      own.write(payload)
      own.write([payload])
    }
    const written = own.write(payload)
    assert.strictEqual(written, length ?? (canonical ?? "").length / 2)
    if (canonical !== undefined) assert.strictEqual(Buffer.from(own.content).toString("hex"), canonical)
    assert.strictEqual(sha256(own.content), hash)
  })

  it("RFC D5 writes each at exactly its size, and refuses it one below", () => {
    for (const { canonical, length, limits, name, value } of answered) {
      const size = length ?? (canonical ?? "").length / 2
      const payload = build(value)
      assert.strictEqual(writer({ ...limits, maxPayloadSize: size }).write(payload), size, name)
      if (size > 0) assert.strictEqual(writer({ ...limits, maxPayloadSize: size - 1 }).write(payload), TOO_LARGE, name)
    }
  })

  it.each(bad)("RFC D5 refuses: $name", ({ limits, refusal, value }) => {
    const code = { too_large: TOO_LARGE, too_deep: TOO_DEEP, too_many_keys: TOO_MANY_KEYS }[refusal]
    const own = writer(limits)
    const payload = build(value)
    for (const time of ["first", "second", "third"]) assert.strictEqual(own.write(payload), code, `the ${time} time`)
  })
})

describe("the vectors of canonical bytes themselves", () => {
  const { bad, good } = vectors
  const short = good.flatMap(({ canonical, ...vector }) => canonical === undefined ? [] : [{ ...vector, canonical }])

  it.each(short)("RFC D3 is parsed in one way only: $name", ({ canonical, sha256: hash, value }) => {
    const bytes = Buffer.from(canonical, "hex")
    assert.strictEqual(sha256(bytes), hash)
    const raw = rawOf(value)
    if (raw === undefined) assert.deepStrictEqual(parses(bytes), [treeOf(value)])
    else assert.strictEqual(canonical, raw.toString("hex"))
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
    for (const text of wrong) assert.deepStrictEqual(parses(Buffer.from(text)), [], text)
    assert.deepStrictEqual(parses(Buffer.from([0x22, 0xff, 0x22])), [])
  })

  it("RFC D3 have equal bytes exactly when the equalities say so", () => {
    // The model reads the memory of a view, which a detached one has not.
    const readable = short.filter(({ value }) =>
      !JSON.stringify(value).includes("\"detached\"") && (hasTemporal || !needsTemporal(value))
    )
    const payloads = readable.map(({ canonical, value }) => ({ canonical, payload: build(value) }))
    let equal = 0
    for (const [i, a] of payloads.entries()) {
      for (const b of payloads.slice(i + 1)) {
        const same = a.canonical === b.canonical
        equal += same ? 1 : 0
        if (isRaw(a.payload) === isRaw(b.payload) && !isRaw(a.payload))
          assert.strictEqual(same, samePayload(a.payload, b.payload), `${a.canonical} ${b.canonical}`)
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
    assert.isBelow(vectorsFile.length, 165_000)
  })

  it("RFC D3 meet every alternative of the grammar, every kind of bytes and every refusal", () => {
    const met = new Set<string>()
    const meet = ([name, ...parts]: Tree): void => {
      met.add(name)
      for (const part of parts) if (typeof part !== "string") meet(part)
    }
    for (const { canonical, value } of short) {
      if (rawOf(value) === undefined) parses(Buffer.from(canonical, "hex")).forEach(meet)
      else met.add("bytes" in value ? `raw ${value.bytes}` : "raw text")
    }
    const alternatives = [
      ..."literal number string array object member bigint date map pair set opaque".split(" "),
      ..."boxed regexp error url params headers temporal unreadable".split(" ")
    ]
    const raws = ["raw text", ...kinds.map((kind) => `raw ${kind}`)]
    assert.sameMembers([...met], [...alternatives, ...raws, ...kinds.map((kind) => `bytes ${kind}`)])
    assert.sameMembers([...new Set(bad.map(({ refusal }) => refusal))], ["too_large", "too_deep", "too_many_keys"])
  })

  it("RFC D3 use no tag but those of their notation, and spec/canonical.md explains each", () => {
    const specification = readFileSync(new URL("../../../spec/canonical.md", import.meta.url), "utf8")
    const used = new Set<string>()
    JSON.stringify([...good, ...bad].map(({ value }) => value), (key, part: unknown) => {
      if (/^[a-z]/.test(key)) used.add(key)
      return part
    })
    for (const tag of used) {
      assert.isTrue([`"${tag}"`, `\`${tag}\``].some((spelling) => specification.includes(spelling)), tag)
      assert.isTrue(Object.entries(vectors.notation).some((line) => line.join(" ").includes(tag)), tag)
    }
  })
})
