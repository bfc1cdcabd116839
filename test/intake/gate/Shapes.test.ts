import { assert, describe, it } from "@effect/vitest"
import { TOO_LARGE } from "../../../src/intake/gate/Canonical.ts"
import { maxMade, Shapes, shapeSeedWords } from "../../../src/intake/gate/canonical/Shapes.ts"
import { random, Seed } from "../../support/random.ts"
import { randomPayload } from "./payloads.ts"
import { bytesFrom, canonicalText, nodeWriter } from "./writers.ts"

const newShapes = (seed = 1): Shapes => {
  const r = random(seed)
  return new Shapes(Int32Array.from({ length: shapeSeedWords }, () => r.below(2 ** 32)))
}

/** One time more than a shape must come to be kept and found. */
const often = 3

describe("shapes that are known", () => {
  it.prop("RFC D3 a payload has the same bytes each time that it comes", { seed: Seed }, ({ seed }) => {
    const payload = randomPayload(random(seed))
    const writer = nodeWriter()
    const first = bytesFrom(writer, [payload])
    for (let time = 1; time < often; time++) assert.isTrue(bytesFrom(writer, [payload]).equals(first))
  }, { arbitrary: { runs: 500 } })

  it("RFC D3 are in canonical order, whatever the order they came in", () => {
    const writer = nodeWriter()
    const spelled: ReadonlyArray<readonly [string, () => unknown]> = [
      ["{\"a\":1,\"b\":2}", () => ({ b: 2, a: 1 })],
      ["{\"a\":1,\"b\":2}", () => ({ a: 1, b: 2 })],
      ["{\"\":0,\"\\u0001\":2,\"\\\"\":1}", () => ({ "\"": 1, "\u0001": 2, "": 0 })],
      ["{\"1\":0,\"10\":1,\"2\":2}", () => ({ 10: 1, 2: 2, 1: 0 })],
      ["{\"__proto__\":1,\"constructor\":2}", () => JSON.parse("{\"constructor\":2,\"__proto__\":1}")],
      ["{\"é\":1,\"😀\":2,\"\ufb33\":3}", () => ({ דּ: 3, "\u{1f600}": 2, é: 1 })]
    ]
    for (let time = 0; time < often; time++)
      for (const [text, make] of spelled) assert.strictEqual(bytesFrom(writer, make()).toString(), text)
  })

  it("RFC D4 have their values looked at each time: an accessor is never called, and a value is never remembered", () => {
    const writer = nodeWriter()
    let ran = 0
    const trap = (name: string): object =>
      Object.defineProperty({ a: 1, b: 2, c: 3 }, name, {
        enumerable: true,
        get: () => ran++
      })
    for (let time = 0; time < often; time++)
      assert.strictEqual(bytesFrom(writer, { a: time, b: "", c: null }).toString(), `{"a":${time},"b":"","c":null}`)
    assert.strictEqual(bytesFrom(writer, trap("b")).toString(), "{\"a\":1,\"b\":!g,\"c\":3}")
    assert.strictEqual(bytesFrom(writer, trap("a")).toString(), "{\"a\":!g,\"b\":2,\"c\":3}")
    assert.strictEqual(ran, 0)
  })

  it("RFC D5 meet the limit to the byte", () => {
    const payload = { key: [{ inner: 12, other: "x" }], longer: { inner: 3, other: "" } }
    const { length } = canonicalText(payload)
    for (let limit = 0; limit <= length; limit++) {
      const writer = nodeWriter({ maxPayloadSize: limit })
      for (let time = 0; time < often; time++)
        assert.strictEqual(writer.write(payload), limit === length ? length : TOO_LARGE)
    }
  })
})

describe("refusals", () => {
  it("RFC D5 name the bound that is met first, for a known shape as for a new one", () => {
    // The key takes all that is left, so that its value is met, and is too deep.
    const payload = { "\u20ac\u20ac": {} }
    for (let limit = 0; limit < 20; limit++) {
      const writer = nodeWriter({ maxPayloadSize: limit, maxDepth: 1 })
      const answers = Array.from({ length: often }, () => writer.write(payload))
      assert.deepStrictEqual(new Set(answers).size, 1, `${limit}: ${answers.join(" ")}`)
    }
  })
})

describe("the table of shapes", () => {
  const foundAfter = (keys: ReadonlyArray<string>, times: number): boolean => {
    const shapes = newShapes()
    for (let time = 1; time < times; time++) shapes.find(keys)
    return shapes.find(keys) !== undefined
  }

  it("keeps a shape that comes a second time", () => {
    assert.isFalse(foundAfter(["a", "b"], 1))
    assert.isTrue(foundAfter(["a", "b"], 2))
    assert.isTrue(foundAfter(["a", "b"], often))
    assert.isTrue(foundAfter([""], 2))
  })

  it("keeps no empty list of keys, and no long one", () => {
    const keys = (count: number, length: number) =>
      Array.from({ length: count }, (_, i) => `${i}`.padStart(length, "k"))
    assert.isFalse(foundAfter([], often))
    assert.isTrue(foundAfter(keys(32, 2), often))
    assert.isFalse(foundAfter(keys(33, 2), often))
    assert.isTrue(foundAfter(keys(2, 256), often))
    assert.isFalse(foundAfter(keys(2, 257), often))
  })

  it("gives the shape of exactly these keys, whatever shapes came before", () => {
    const shapes = newShapes()
    const r = random(7)
    for (let i = 0; i < 20_000; i++) {
      shapes.made = 0
      // Few letters and lengths, so that lists often have the same place.
      const keys = [
        ...new Set(Array.from({ length: 1 + r.below(4) }, () => "xyz"[r.below(3)] + "a".repeat(r.below(3))))
      ]
      const shape = shapes.find(keys)
      if (shape === undefined) continue
      assert.deepStrictEqual(shape.keys, keys)
      assert.deepStrictEqual(shape.sorted, keys.toSorted())
      assert.strictEqual(shape.starts.length, keys.length + 1)
      const text = Buffer.from(shape.written.buffer, 0, shape.starts.at(-1)).toString()
      assert.strictEqual(text, keys.toSorted().map((key) => `"${key}":`).join(","))
    }
  })

  it("keeps a list of its own: changing the keys afterwards changes nothing", () => {
    const shapes = newShapes()
    const keys = ["b", "a"]
    shapes.find(keys)
    const shape = shapes.find(keys)
    keys[0] = "z"
    assert.deepStrictEqual(shape?.keys, ["b", "a"])
    assert.strictEqual(shapes.find(["b", "a"]), shape)
  })
})

describe("the keys of an object", () => {
  const many = (count: number, length: number): object =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}`.padStart(length, "k"), i]))

  it("RFC D3 are listed as Object.keys lists them", () => {
    const shapes = newShapes()
    const values = [{}, { b: 1, a: 2, 7: 3, 3: 4 }, many(32, 2), Object.create(null, { a: { enumerable: false } }), {
      [Symbol("s")]: 1,
      "": 2
    }]
    for (const value of values) assert.deepStrictEqual(shapes.keys(shapes.list(value)), Object.keys(value))
  })

  it("RFC D4 are let go where no shape can have them", () => {
    const shapes = newShapes()
    for (const value of [many(33, 2), many(2, 257), many(1, 2 ** 20)]) {
      assert.strictEqual(shapes.list(value), -1)
      assert.deepStrictEqual(new Set(shapes.keys(32)), new Set([""]))
    }
  })
})

/** Lists of keys that differ in one character each, so that most have one place. */
const alike = (count: number): ReadonlyArray<ReadonlyArray<string>> =>
  Array.from({ length: count }, (_, i) => [`a${String.fromCharCode(0x100 + i)}${"c".repeat(40)}`])

describe("RFC D4 the price of a place", () => {
  const thousand = alike(1_000)
  const floods: Readonly<Record<string, (i: number) => ReadonlyArray<string>>> = {
    "two that take turns": (i) => thousand[i % 2] ?? [],
    "two that come twice each": (i) => thousand[(i >> 1) % 2] ?? [],
    "a thousand, each of which comes twice": (i) => thousand[(i >> 1) % 1_000] ?? [],
    "one that comes often, and then another": (i) => thousand[Math.trunc(i / 100) % 40] ?? [],
    "new ones without end, each twice": (i) => [`k${i >> 1}`],
    "many that share few places": (i) => ["xyz"[i % 3] ?? "", "a".repeat((i >> 1) % 500)]
  }
  for (const [name, keysAt] of Object.entries(floods)) {
    it(`RFC D4 is bounded for one write: ${name}`, () => {
      for (const seed of [1, 2, 3]) {
        const shapes = newShapes(seed)
        for (let write = 0; write < 5; write++) {
          shapes.made = 0
          for (let i = 0; i < 4_000; i++) shapes.find(keysAt(i))
          assert.isAtMost(shapes.made, maxMade)
        }
      }
    })
  }

  it("RFC D4 an attacker who alternates keeps nothing out but itself", () => {
    const shapes = newShapes()
    const [own = [], other = []] = alike(2)
    for (let i = 0; i < 10; i++) shapes.find(own)
    for (let i = 0; i < 1_000; i++) {
      assert.isDefined(shapes.find(own))
      shapes.find(other)
    }
    assert.isAtMost(shapes.made, 2)
  })

  it("a shape that does not come any more gives up its place", () => {
    const shapes = newShapes()
    const [first = [], second = []] = alike(2)
    for (let i = 0; i < 3; i++) shapes.find(first)
    assert.isDefined(shapes.find(first))
    for (let i = 0; i < 20; i++) shapes.find(second)
    assert.isDefined(shapes.find(second))
  })

  it("a seed decides which keys share a place", () => {
    const lists = alike(200)
    const shared = new Set([1, 2, 3, 4, 5].map((seed) => {
      const shapes = newShapes(seed)
      for (const keys of lists) for (let time = 0; time < 2; time++) shapes.find(keys)
      shapes.made = 0
      return lists.filter((keys) => shapes.find(keys) !== undefined).length
    }))
    assert.isAbove(shared.size, 1)
  })
})

describe("RFC D4 payloads of alternating shapes", () => {
  const parsed = (item: (i: number) => string, count: number): unknown =>
    JSON.parse(`[${Array.from({ length: count }, (_, i) => item(i)).join(",")}]`)

  it("RFC D4 make a bounded number of shapes a write, however large they are", () => {
    const payloads = [
      parsed((i) => i % 2 === 0 ? "{\"axc\":0}" : "{\"ayc\":0}", 40_000),
      parsed((i) => i % 4 < 2 ? "{\"aa\":0}" : "{\"ip\":0}", 40_000),
      parsed((i) => `{"k${i >> 1}":0}`, 40_000),
      parsed((i) => `{"${"z".repeat(i % 100)}":{"a":1,"b${i % 7}":2}}`, 5_000)
    ]
    for (const payload of payloads) {
      const writer = nodeWriter()
      const text = JSON.stringify(payload)
      for (let time = 0; time < 3; time++) {
        assert.strictEqual(bytesFrom(writer, payload).toString(), text)
        assert.isAtMost(writer.shapesMade, maxMade)
      }
    }
  })
})
