import { assert, describe, it } from "@effect/vitest"
import { random, Seed } from "../../support/random.ts"
import { bytesOf, isRaw, nearMiss, randomPayload, respell, samePayload } from "./payloads.ts"
import { bytesFrom, canonicalBytes, canonicalText, nodeWriter } from "./writers.ts"

/** Inside an array, so that bytes and strings are told apart from what they spell. */
const inside = (value: unknown): string => canonicalBytes([value]).toString("latin1")

describe("canonical bytes are injective up to the declared equalities", () => {
  it.prop(
    "RFC D3 another spelling of the same payload has the same bytes",
    { seed: Seed },
    ({ seed }) => {
      const r = random(seed)
      const value = randomPayload(r)
      const other = respell(value, r)
      assert.isTrue(samePayload(value, other), "the model disagrees with respell")
      assert.strictEqual(inside(other), inside(value))
      assert.deepStrictEqual(canonicalBytes(other), canonicalBytes(value))
    },
    { arbitrary: { runs: 3000 } }
  )

  it.prop(
    "RFC D3 a near miss has the same bytes only if the model says it is the same",
    { seed: Seed },
    ({ seed }) => {
      const r = random(seed)
      const value = randomPayload(r)
      const other = nearMiss(value, r)
      assert.strictEqual(inside(other) === inside(value), samePayload(value, other))
      if (!isRaw(value) && !isRaw(other))
        assert.strictEqual(canonicalBytes(other).equals(canonicalBytes(value)), samePayload(value, other))
    },
    { arbitrary: { runs: 5000 } }
  )

  it("RFC D3 tells all pairs of a small universe apart, exactly as the model does", () => {
    const scalars = [
      null,
      true,
      undefined,
      0,
      -0,
      1,
      10,
      NaN,
      Infinity,
      0n,
      1n,
      -1n,
      16n,
      "",
      "0",
      "!u",
      "null",
      "\"",
      "\\",
      ",",
      "]",
      "\ud800",
      "\\ud800",
      "\ufffd",
      new Date(0),
      new Date(NaN),
      new Date(1),
      Symbol("a"),
      () => 1,
      new Proxy([], {}),
      new Uint8Array([0]),
      new Int8Array([0]),
      new Uint8Array([16]),
      new Uint8Array(0),
      new DataView(new ArrayBuffer(1)),
      new ArrayBuffer(1),
      new Float32Array(1),
      new Int32Array(1)
    ]
    const universe: Array<unknown> = [...scalars, [], {}, new Map(), new Set()]
    for (const a of scalars) {
      universe.push([a], { a }, { "": a }, new Set([a]), new Map([[a, 1]]), new Map([[1, a]]), [[a]], new Set([[a]]))
      universe.push([a, a], [a, 0], [0, a], { a: 0, b: a }, { a, b: 0 }, new Set([[a], [a]]), new Set([a, [a]]))
      universe.push(
        new Map([[[a, 1], 1]]),
        new Set([[1, a]]),
        Object.defineProperty({}, "a", { get: () => a, enumerable: true })
      )
    }
    const bytes = universe.map(inside)
    let equal = 0
    for (let i = 0; i < universe.length; i++) {
      for (let j = i + 1; j < universe.length; j++) {
        const same = bytes[i] === bytes[j]
        equal += same ? 1 : 0
        if (same !== samePayload(universe[i], universe[j])) assert.fail(`${i} and ${j}: ${bytes[i]} and ${bytes[j]}`)
      }
    }
    // Accessors are all alike, and nothing of this universe else but what `[0, 0]` and the like
    // repeat.
    assert.isAtLeast(equal, (scalars.length * (scalars.length - 1)) / 2)
  })

  it.prop(
    "RFC D3 raw payloads are equal exactly when their bytes are",
    { seed: Seed },
    ({ seed }) => {
      const r = random(seed)
      const raws = [randomPayload(r, 0), randomPayload(r, 0), randomPayload(r, 0)].filter(isRaw)
      for (const raw of raws) {
        if (typeof raw !== "string") {
          const own = bytesOf(raw as ArrayBufferView)
          assert.deepStrictEqual(canonicalBytes(raw), own)
          assert.deepStrictEqual(canonicalBytes(own.toString("latin1")), Buffer.from(own.toString("latin1"), "utf8"))
        }
      }
    },
    { arbitrary: { runs: 500 } }
  )

  it("RFC D3 declared equalities hold one by one", () => {
    const sparse: Array<unknown> = [1]
    sparse.length = 3
    const pairs: ReadonlyArray<readonly [unknown, unknown]> = [
      ["é", Buffer.from("é")],
      ["{}", {}],
      ["!u", undefined],
      [{ b: 1, a: 2 }, { a: 2, b: 1 }],
      [sparse, [1, undefined, undefined]],
      [Object.assign([1], { extra: 2 }), [1]],
      [Object.assign(Object.create({ inherited: 1 }), { a: 1 }), { a: 1 }],
      [{ a: 1, [Symbol("s")]: 2 }, { a: 1 }],
      [[Buffer.from("a")], [new Uint8Array([97])]],
      [[Math.max], [class {}]],
      [Symbol("a"), Symbol.iterator],
      [new Map<unknown, unknown>([[{ a: 1 }, 1], [2, 3]]), new Map<unknown, unknown>([[2, 3], [{ a: 1 }, 1]])],
      [new Set([1, 2, 3]), new Set([3, 1, 2])],
      [Object.assign(Object("a"), { extra: 2 }), Object("a")],
      [Object.assign(/x/g, { lastIndex: 3 }), /x/g],
      [Object.assign(new Error("a"), { stack: "other" }), new Error("a")]
    ]
    for (const [a, b] of pairs) assert.deepStrictEqual(canonicalBytes(a), canonicalBytes(b))
  })

  it("RFC D3 an entry that begins another comes first, whatever the buffer held behind it", () => {
    const writer = nodeWriter()
    for (const rubbish of ["~".repeat(50), " ".repeat(50)]) {
      for (const set of [new Set([12, 1]), new Set([1, 12])]) {
        writer.write(rubbish)
        assert.strictEqual(bytesFrom(writer, set).toString(), "!s[1,12]")
      }
    }
  })

  it("RFC D3 equal keys of a Map that are different objects stay two entries", () => {
    assert.strictEqual(canonicalText(new Map([[{}, 2], [{}, 1], [{}, 1]])), "!m[[{},1],[{},1],[{},2]]")
    assert.strictEqual(canonicalText(new Set([[1], [1]])), "!s[[1],[1]]")
    assert.strictEqual(canonicalText(new Set([12, 1, 11, 2])), "!s[1,11,12,2]")
    assert.strictEqual(
      canonicalText(new Map([[new Map([[2, 1], [1, 1]]), new Set([3, 2])]])),
      "!m[[!m[[1,1],[2,1]],!s[2,3]]]"
    )
  })
})
