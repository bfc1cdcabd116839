import { assert, describe, it } from "@effect/vitest"
import {
  makeCanonicalWriter,
  maxUnorderedDepth,
  TOO_DEEP,
  TOO_LARGE,
  TOO_MANY_KEYS,
  UNREADABLE
} from "../../../src/intake/gate/Canonical.ts"
import { random, Seed } from "../../support/random.ts"
import { randomPayload } from "./payloads.ts"
import { bytesFrom, canonicalBytes, defaults, nodeWriter, portableWriter } from "./writers.ts"

/** The payload is written at a limit of exactly its size, and refused at one byte less. */
const holdsExactly = (payload: unknown): void => {
  const expected = canonicalBytes(payload)
  const exact = nodeWriter({ maxPayloadSize: expected.length })
  assert.strictEqual(exact.write(payload), expected.length)
  assert.deepStrictEqual(Buffer.from(exact.buffer.subarray(0, expected.length)), expected)
  if (expected.length > 0) {
    const below = nodeWriter({ maxPayloadSize: expected.length - 1 })
    assert.strictEqual(below.write(payload), TOO_LARGE)
    assert.isAtMost(below.visited, expected.length)
    assert.strictEqual(exact.write(payload), expected.length, "a writer works again after a refusal")
  }
}

const nested = (depth: number): unknown => {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

const nestedSets = (depth: number): unknown => {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = new Set([value])
  return value
}

describe("the size limit", () => {
  it("RFC D5 is exact for every kind of value", () => {
    const long = "x".repeat(1000)
    const payloads: ReadonlyArray<unknown> = [
      "",
      "a",
      long,
      "€".repeat(20),
      `${long}€`,
      `${long}\u{1f600}`,
      `${"x".repeat(63)}\u{1f600}`,
      `${"x".repeat(64)}\u{1f600}`,
      "\ud800".repeat(70),
      `${long}\ud800`,
      new Uint8Array(300),
      new ArrayBuffer(1),
      null,
      true,
      0,
      -0,
      7,
      1.5e300,
      -123456789,
      undefined,
      10n,
      -(1n << 1023n),
      -(1n << 1024n),
      1n << 5000n,
      new Date(0),
      Symbol("a"),
      () => 1,
      new Proxy({}, {}),
      [],
      {},
      [[]],
      [0],
      [1, 2, 3],
      ["€".repeat(70)],
      [`${"x".repeat(70)}\u{1f600}`],
      [`${"x".repeat(60)}\u{1f600}`],
      ["\"".repeat(65)],
      ["\u0000".repeat(64)],
      ["\u0000".repeat(65)],
      { a: 1 },
      { "": 0 },
      { "€": "€" },
      { [long]: long },
      { ["\u0001".repeat(64)]: 1, b: [[[["x"]]]] },
      [new Uint8Array(0)],
      [new Uint8Array(200)],
      new Map(),
      new Map([[0, 0]]),
      new Map([[1, long], [0, long]]),
      new Set(),
      new Set([0]),
      new Set(["b", "a", "€"]),
      { a: [,], b: [undefined] },
      Array.from({ length: 300 }, () => ({ a: 1 }))
    ]
    for (const payload of payloads) holdsExactly(payload)
  })

  it.prop("RFC D5 is exact for any payload", { seed: Seed }, ({ seed }) => holdsExactly(randomPayload(random(seed))), {
    arbitrary: { runs: 1000 }
  })

  it.prop(
    "RFC D5 any smaller limit refuses, and visits no more values than it allows bytes",
    { seed: Seed },
    ({ seed }) => {
      const r = random(seed)
      const payload = [randomPayload(r), randomPayload(r)]
      const size = canonicalBytes(payload).length
      const writer = nodeWriter({ maxPayloadSize: r.below(size) })
      assert.strictEqual(writer.write(payload), TOO_LARGE)
      assert.isAtMost(writer.visited, size)
    },
    { arbitrary: { runs: 1000 } }
  )

  it("RFC D5 the default of 1,000,000 bytes is allowed and one more is not", () => {
    const writer = nodeWriter()
    assert.strictEqual(writer.write("x".repeat(1_000_000)), 1_000_000)
    assert.strictEqual(writer.write("x".repeat(1_000_001)), TOO_LARGE)
    assert.strictEqual(writer.write(["x".repeat(999_996)]), 1_000_000)
    assert.strictEqual(writer.write(["x".repeat(999_997)]), TOO_LARGE)
    assert.strictEqual(writer.write(new Uint8Array(1_000_000)), 1_000_000)
    assert.strictEqual(writer.write(new Uint8Array(1_000_001)), TOO_LARGE)
  })

  it("RFC D5 a limit of 0 allows empty bytes and empty text alone", () => {
    const writer = nodeWriter({ maxPayloadSize: 0 })
    assert.strictEqual(writer.write(""), 0)
    assert.strictEqual(writer.write(new Uint8Array(0)), 0)
    for (const payload of ["a", 0, null, [], {}, undefined, new Map(), [[]]])
      assert.strictEqual(writer.write(payload), TOO_LARGE)
  })

  it("the buffer grows with the bytes written, and never past the limit", () => {
    const writer = nodeWriter()
    assert.isBelow(writer.buffer.length, 2_000)
    for (let size = 1; size <= 900_000; size = 2 * size + 1) {
      assert.strictEqual(writer.write({ a: "y".repeat(size), b: [] }), size + 15)
      assert.isBelow(writer.buffer.length, 6 * size + 3_000)
    }
    const buffer = writer.buffer
    assert.isBelow(buffer.length, 1_001_000)
    assert.strictEqual(writer.write("z".repeat(1_000_001)), TOO_LARGE)
    assert.strictEqual(writer.write(["z".repeat(999_000), "€".repeat(1000)]), TOO_LARGE)
    assert.isAbove(writer.write({ a: 1 }), 0)
    assert.strictEqual(writer.buffer, buffer, "it is reused")
  })
})

describe("the depth limit", () => {
  it("RFC D4 counts arrays, objects, Maps and Sets, the outermost as 1", () => {
    for (const limit of [0, 1, 5, 256]) {
      const writer = nodeWriter({ maxDepth: limit })
      assert.isAtLeast(writer.write(nested(limit)), 0)
      assert.strictEqual(writer.write(nested(limit + 1)), TOO_DEEP)
    }
    const writer = nodeWriter({ maxDepth: 2 })
    for (const inner of [[], {}, new Map(), new Set()]) {
      assert.isAbove(writer.write([[new Date(0), new Uint8Array(1), () => 1, 1]]), 0)
      for (
        const outer of [
          [[inner]],
          { a: { b: inner } },
          new Map([[1, new Map([[inner, 1]])]]),
          new Set([new Set([inner])])
        ]
      ) {
        assert.strictEqual(writer.write(outer), TOO_DEEP)
      }
    }
  })

  it("RFC D4 survives a depth of a million", () => {
    assert.strictEqual(nodeWriter().write(nested(1_000_000)), TOO_DEEP)
    const writer = nodeWriter({ maxDepth: 10_000_000, maxPayloadSize: 10_000_000 })
    assert.strictEqual(writer.write(nested(1_000_000)), UNREADABLE)
    assert.strictEqual(writer.write([1]), 3)
  })

  it("RFC D4 bounds Maps and Sets around one another, since each may move what is inside it", () => {
    const writer = nodeWriter()
    assert.isAbove(writer.write(nestedSets(maxUnorderedDepth)), 0)
    assert.strictEqual(writer.write(nestedSets(maxUnorderedDepth + 1)), TOO_DEEP)
    assert.strictEqual(writer.write([nestedSets(maxUnorderedDepth), nestedSets(maxUnorderedDepth)]) > 0, true)
    assert.isAbove(writer.write([nestedSets(1), nested(100)]), 0)
    const portable = portableWriter()
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    for (let i = 0; i < maxUnorderedDepth; i++) assert.strictEqual(portable.write(new Set([proxy])), UNREADABLE)
    assert.isAbove(portable.write(nestedSets(1)), 0, "an interrupted write leaves nothing behind")
  })
})

describe("the key limit", () => {
  const wide = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]))

  it("RFC D4 allows exactly maxKeys keys in each object", () => {
    for (const limit of [0, 1, 30, 4096]) {
      const writer = nodeWriter({ maxKeys: limit })
      assert.isAbove(writer.write([wide(limit), wide(limit)]), 0)
      assert.strictEqual(writer.write([wide(limit + 1)]), TOO_MANY_KEYS)
      assert.strictEqual(writer.visited, 2, "its members are not looked at")
    }
  })

  it("arrays, Maps and Sets have no keys", () => {
    const writer = nodeWriter({ maxKeys: 0 })
    assert.isAbove(writer.write([1, new Map([[1, 2]]), new Set([1, 2]), new Uint8Array(9)]), 0)
  })
})

describe("the order of refusals", () => {
  const limits = { maxPayloadSize: 30, maxDepth: 2, maxKeys: 2 }
  const big = "x".repeat(100)

  it("RFC D4 names the bound that is met first, in canonical order", () => {
    const writer = nodeWriter(limits)
    const wide = { a: 1, b: 2, c: big }
    assert.strictEqual(writer.write([[wide]]), TOO_DEEP)
    assert.strictEqual(writer.write([[new Array(1e9)]]), TOO_DEEP)
    assert.strictEqual(writer.write([wide]), TOO_MANY_KEYS)
    assert.strictEqual(writer.write([big, wide]), TOO_LARGE)
    assert.strictEqual(writer.write([wide, big]), TOO_MANY_KEYS)
    assert.strictEqual(writer.write({ b: wide, a: [[[]]] }), TOO_DEEP)
    assert.strictEqual(writer.write({ a: [[[]]], b: wide }), TOO_DEEP)
    assert.strictEqual(writer.write({ a: wide, b: [[[]]] }), TOO_MANY_KEYS)
    assert.strictEqual(writer.write({ b: [[[]]], a: wide }), TOO_MANY_KEYS)
    assert.strictEqual(writer.write({ [big]: wide }), TOO_LARGE)
    assert.strictEqual(writer.write({ a: [[[]]], [big]: 1 }), TOO_LARGE)
    assert.strictEqual(writer.write([[], new Array(20)]), TOO_LARGE)
  })

  it("refuses limits that are no whole numbers, naming them", () => {
    for (const name of ["maxPayloadSize", "maxDepth", "maxKeys"]) {
      for (const value of [NaN, -1, 1.5, Infinity]) {
        assert.throws(
          () => makeCanonicalWriter({ ...defaults, [name]: value }, { isProxy: () => false, slots: null }),
          RangeError,
          name
        )
      }
    }
  })
})

describe("a writer at the end of its stack", () => {
  /**
   * Every outcome, from where the stack is used up one frame back at a time, until 20 writes went
   * well.
   */
  const outcomesAtTheEnd = (write: () => number): ReadonlySet<number> => {
    const outcomes = new Set<number>()
    let written = 0
    // Frames of several sizes, so that the writer runs out of stack at every place where it can.
    const dive = (...room: ReadonlyArray<number>): void => {
      try {
        dive(...room)
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
      }
      if (written < 20) {
        const outcome = write()
        outcomes.add(outcome)
        written += outcome >= 0 ? 1 : 0
      }
    }
    for (let size = 0; size < 24; size++) {
      written = 0
      dive(...Array.from({ length: size }, () => size))
    }
    return outcomes
  }

  it("RFC D4 writes the right bytes or none", () => {
    const writer = nodeWriter()
    const payload = {
      a: [new Map<unknown, unknown>([[new Date(0), new Set([new Uint8Array(2)])]]), "x".repeat(100), -(2n ** 2000n)]
    }
    const expected = canonicalBytes(payload)
    assert.deepStrictEqual(outcomesAtTheEnd(() => writer.write(payload)), new Set([UNREADABLE, expected.length]))
    assert.deepStrictEqual(bytesFrom(writer, payload), expected)
  })

  it.each([
    ["Date", new Date(0), 3],
    ["Map", new Map(), 4],
    ["Set", new Set(), 4],
    ["ArrayBuffer", new ArrayBuffer(5), 5],
    ["SharedArrayBuffer", new SharedArrayBuffer(5), 5],
    [
      "DataView in an array",
      [new DataView(new ArrayBuffer(5))],
      canonicalBytes([new DataView(new ArrayBuffer(5))]).length
    ]
  ])("RFC D4 takes a %s for nothing else", (_, payload, length) => {
    const writer = nodeWriter()
    assert.deepStrictEqual(outcomesAtTheEnd(() => writer.write(payload)), new Set([UNREADABLE, length]))
  })

  // Bytes alone are told before any other question. Once V8 has compiled that, it is one frame, and
  // no stack ends within it.
  it("RFC D4 takes a DataView for itself or for nothing", () => {
    const writer = nodeWriter()
    const payload = new DataView(new ArrayBuffer(5))
    const outcomes = outcomesAtTheEnd(() => writer.write(payload))
    assert.isTrue(outcomes.has(5))
    assert.isTrue([...outcomes].every((outcome) => outcome === 5 || outcome === UNREADABLE))
  })
})
