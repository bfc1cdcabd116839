/**
 * Passes payloads that are small to make and endless to read through the whole runtime: work is
 * bounded by maxPayloadSize, not by the payload (CONFORMANCE D4, D5). A test asserts this by ending
 * at all: reading 2^60 of anything does not end.
 */
import { assert, describe, it } from "@effect/vitest"
import { collectGarbage } from "../support/garbage.ts"
import { firstOfEach, sampled, shareOf } from "../support/tiers.ts"
import { bounds, intercept, interceptScent, smallTracehound } from "./runtime.ts"

/** Wraps a value `levels` times. */
const deep = (levels: number, wrap: (inner: unknown) => unknown): unknown => {
  let value: unknown = "core"
  for (let i = 0; i < levels; i++) value = wrap(value)
  return value
}

/** Levels of pairs that refer to the same value twice: 2^levels leaves in `levels` objects. */
const bomb = (levels: number, pair: (inner: unknown) => unknown): unknown => deep(levels, pair)

/**
 * Half a gigabyte of text that takes hardly any memory and no time: the engine keeps it as a rope
 * of halves. A slice would put it together, so there is none. Each test has a rope of its own, as
 * one that a test before had put together would prove nothing.
 */
const rope = (): string => {
  let text = "x".repeat(1_953_125)
  for (let doubled = 0; doubled < 8; doubled++) text += text
  return text
}

const cycle = (close: (self: Array<unknown>) => void): unknown => {
  const self: Array<unknown> = []
  close(self)
  return self
}

const sparse = (length: number): Array<unknown> => {
  const array: Array<unknown> = []
  array.length = length
  return array
}

const million = 1_000_000
const maxLength = 2 ** 32 - 1

type Bound = "maxDepth" | "maxKeys" | "size"

type Bomb = readonly [name: string, bound: Bound, make: () => unknown]

/** By kind. The sample has the first of each. */
const bombs: Readonly<Record<string, ReadonlyArray<Bomb>>> = {
  "what contains itself": [
    ["an array in itself", "maxDepth", () => cycle((self) => self.push(self))],
    ["an array in its own object", "maxDepth", () => cycle((self) => self.push({ self }))],
    ["an array in its own Map, as a key", "maxDepth", () => cycle((self) => self.push(new Map([[self, 1]])))],
    ["an array in its own Set", "maxDepth", () => cycle((self) => self.push(new Set([self])))]
  ],
  nesting: [
    ["10^6 arrays around one another", "maxDepth", () => deep(million, (inner) => [inner])],
    ["10^6 objects around one another", "maxDepth", () => deep(million, (a) => ({ a }))],
    ["10^6 Maps around one another", "maxDepth", () => deep(million, (inner) => new Map([[1, inner]]))],
    ["10^6 Maps around one another, as keys", "maxDepth", () => deep(million, (inner) => new Map([[inner, 1]]))],
    ["10^6 Sets around one another", "maxDepth", () => deep(million, (inner) => new Set([inner]))]
  ],
  sharing: [
    ["2^60 leaves in arrays", "size", () => bomb(60, (inner) => [inner, inner])],
    ["2^60 leaves in objects", "size", () => bomb(60, (inner) => ({ a: inner, b: inner }))],
    ["2^30 leaves in Maps", "size", () => bomb(30, (inner) => new Map([[1, inner], [2, inner]]))],
    ["2^60 leaves in arrays and Maps", "maxDepth", () => bomb(60, (inner) => [new Map([[1, inner], [2, inner]])])],
    ["2^60 empty arrays", "size", () => deep(60, (inner) => inner === "core" ? [] : [inner, inner])],
    ["1000 references to 1000 references to 1000", "size", () => deep(3, (inner) => new Array(1000).fill(inner))]
  ],
  "text that was never put together": [
    ["500 MB of text", "size", rope],
    ["500 MB of text in an object", "size", () => ({ a: rope() })],
    ["500 MB of text as a key of a Map", "size", () => new Map([[rope(), 1]])],
    ["500 MB of text in an object that wraps it", "size", () => Object(rope())],
    ["the same, inside and without a prototype", "size", () => [Object.setPrototypeOf(Object(rope()), null)]],
    ["500 MB of text as a message of an error", "size", () => new Error("x", { cause: Object(rope()) })]
  ],
  "claimed lengths": [
    ["an empty array of length 2^32 - 1", "size", () => sparse(maxLength)],
    ["an array with one element, at 2^32 - 2", "size", () => Object.assign(sparse(maxLength), { [maxLength - 1]: 1 })],
    ["an empty array of length 2^32 - 1 as a member", "size", () => ({ a: [sparse(maxLength)] })],
    ["an object that claims a length", "size", () => ({ length: maxLength, a: "x".repeat(5000) })]
  ],
  bytes: [
    ["a gigabyte of bytes", "size", () => new Uint8Array(2 ** 30)],
    ["a gigabyte of shared memory inside", "size", () => [new SharedArrayBuffer(2 ** 30)]],
    ["a gigabyte of a buffer that grew", "size", () => {
      const buffer = new ArrayBuffer(1, { maxByteLength: 2 ** 30 })
      const view = new Uint8Array(buffer)
      buffer.resize(2 ** 30)
      return view
    }]
  ],
  numbers: [
    ["a bigint of 2^20 bits", "size", () => 1n << 1_048_576n],
    ["a negative bigint of 2^24 bits inside", "size", () => [-(1n << 16_777_216n)]]
  ],
  crowds: [
    [
      "an object of a million keys",
      "maxKeys",
      () => Object.fromEntries(Array.from({ length: million }, (_, i) => [`k${i}`, i]))
    ],
    ["a Map of a million entries", "size", () => new Map(Array.from({ length: million }, (_, i) => [i, i]))],
    ["a Set of a million entries", "size", () => new Set(Array.from({ length: million }, (_, i) => i))]
  ],
  "what grows as it is written": [
    ["text that is six times as long escaped", "size", () => ["\u0001".repeat(1000)]],
    ["a key longer than the bound", "size", () => ({ ["k".repeat(5000)]: 1 })]
  ]
}

describe("bombs", () => {
  const ofTier = Object.values(bombs).flatMap((kind) => shareOf(kind, (_, index) => index === 0))
  for (const [name, bound, make] of ofTier) {
    it(`RFC D4 D5 ${name}: payload_too_large, and nothing is kept of it`, () => {
      const tracehound = smallTracehound()
      const result = intercept(tracehound, make())
      const limit = bound === "size" ? bounds.maxPayloadSize : bounds[bound]
      assert.deepStrictEqual(result, {
        status: "payload_too_large",
        limit,
        ...(bound === "size" ? {} : { bound })
      })
      assert.strictEqual(tracehound.quarantine.count, 0)
      assert.strictEqual(tracehound.auditChain.length, 0)
      // The next payload is read as usual.
      assert.strictEqual(intercept(tracehound, "after").status, "quarantined")
    })
  }

  const scent = (payload: unknown, other: object = {}) => ({
    id: "1",
    source: "s",
    timestamp: 1,
    payload,
    threat: { category: "spam", severity: "low" },
    ...other
  })
  const places: ReadonlyArray<readonly [string, string, (text: string) => unknown]> = [
    ["the payload", "payload_too_large", (text) => scent(text)],
    ["an element", "payload_too_large", (text) => scent([[text]])],
    ["a member", "payload_too_large", (text) => scent({ a: text })],
    ["an entry of a Set", "payload_too_large", (text) => scent(new Set([[text]]))],
    ["the id", "error", (text) => scent("x", { id: text })],
    ["the source", "error", (text) => scent("x", { source: text })],
    ["the timestamp", "error", (text) => scent("x", { timestamp: text })],
    ["the threat", "error", (text) => scent("x", { threat: text })],
    ["the category", "error", (text) => scent("x", { threat: { category: text, severity: "low" } })],
    ["the severity", "error", (text) => scent("x", { threat: { category: "spam", severity: text } })]
  ]
  for (const [place, status, put] of shareOf(places, firstOfEach(([, status]) => status))) {
    it(`RFC D4 half a gigabyte of text is not copied together where it is ${place}`, () => {
      const tracehound = smallTracehound()
      const text = rope()
      const given = put(text)
      collectGarbage()
      const before = process.memoryUsage().heapUsed
      const result = interceptScent(tracehound, given)
      const grown = process.memoryUsage().heapUsed - before
      assert.strictEqual(result.status, status)
      // A copy in one piece would take 500 MB.
      assert.isBelow(grown, 100_000_000)
      assert.strictEqual(text.length, 500_000_000)
    })
  }

  sampled(it)("RFC E5 a resizable payload that changes afterwards changes nothing", () => {
    const tracehound = smallTracehound()
    const buffer = new ArrayBuffer(4, { maxByteLength: 4096 })
    const view = new Uint8Array(buffer).fill(7)
    const result = intercept(tracehound, view)
    if (result.status !== "quarantined") return assert.fail(result.status)
    buffer.resize(4096)
    view.fill(9)
    assert.deepStrictEqual([...new Uint8Array(result.handle.bytes ?? new ArrayBuffer(0))], [7, 7, 7, 7])
    assert.strictEqual(result.handle.bytes?.resizable, false)
    buffer.resize(0)
    assert.strictEqual(result.handle.size, 4)
  })
})
