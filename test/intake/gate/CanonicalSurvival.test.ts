import { assert, describe, it } from "@effect/vitest"
import { setImmediate as nextTurn } from "node:timers/promises"
import { TOO_DEEP, TOO_LARGE } from "../../../src/intake/gate/Canonical.ts"
import { collectGarbage } from "../../support/garbage.ts"
import { canonicalText, nodeWriter } from "./writers.ts"

describe("canonical bytes survive what is built to break them", () => {
  const small = 10_000
  const writer = nodeWriter({ maxPayloadSize: small })

  /** Refused or written, with no more work than the limit allows. */
  const bounded = (payload: unknown): number => {
    const outcome = writer.write(payload)
    assert.isAtMost(writer.visited, small + 1)
    assert.isBelow(writer.buffer.length, 2 * small)
    return outcome
  }

  it("RFC D4 cycles", () => {
    const object: Record<string, unknown> = {}
    object["self"] = object
    const array: Array<unknown> = []
    array.push(array)
    const map = new Map<unknown, unknown>()
    map.set(map, map)
    const set = new Set<unknown>()
    set.add(set)
    for (const cycle of [object, array, map, set]) assert.strictEqual(bounded(cycle), TOO_DEEP)
    assert.strictEqual(nodeWriter({ maxDepth: 1_000_000, maxPayloadSize: 1000 }).write(object), TOO_LARGE)
  })

  it("RFC D4 sparse arrays of length 2^32 - 1 are refused by their length", () => {
    const sparse: Array<unknown> = []
    sparse.length = 2 ** 32 - 1
    assert.strictEqual(bounded(sparse), TOO_LARGE)
    assert.strictEqual(writer.visited, 1)
    assert.strictEqual(bounded([1, { a: sparse }]), TOO_LARGE)
    assert.strictEqual(writer.visited, 4)
    sparse.length = 4_999
    assert.strictEqual(bounded(sparse), TOO_LARGE)
    sparse.length = 3_333
    assert.strictEqual(bounded(sparse), 3_333 * 3 + 1)
  })

  it("RFC D4 bombs of shared references", () => {
    let array: unknown = 1
    let object: unknown = 1
    let set: unknown = 1
    for (let i = 0; i < 100; i++) {
      array = [array, array]
      object = { a: object, b: object }
      set = i < 30 ? new Set([[set], [set], [set]]) : set
    }
    assert.strictEqual(bounded(array), TOO_LARGE)
    assert.strictEqual(bounded(object), TOO_LARGE)
    assert.strictEqual(bounded(set), TOO_LARGE)
    assert.strictEqual(bounded(Array.from({ length: 4_000 }, () => "x".repeat(9_000))), TOO_LARGE)
  })

  it("RFC D4 giant strings are refused by their length, and a rope is not flattened", () => {
    // Flattened, each takes 2^28 bytes of heap.
    for (
      const [seed, length] of [[`${"x".repeat(2 ** 20)}y`, 2 ** 28], [`${"€".repeat(2 ** 20)}y`, 2 ** 27]] as const
    ) {
      let rope = seed
      while (rope.length < length) rope += rope
      collectGarbage()
      const before = process.memoryUsage().heapUsed
      for (const payload of [rope, [rope], { a: rope }, new Map([[1, rope]]), new Set([[rope]])])
        assert.strictEqual(bounded(payload), TOO_LARGE)
      assert.isBelow(process.memoryUsage().heapUsed - before, 2 ** 26)
      assert.isAbove(rope.charCodeAt(rope.length / 2), 0)
      assert.isAbove(process.memoryUsage().heapUsed - before, 2 ** 27, "flattening would have shown")
      assert.isAtLeast(rope.length, length, "the rope is alive up to here")
    }
  })

  it("RFC D4 giant keys are refused by their length", () => {
    const key = "k".repeat(2 ** 22)
    assert.strictEqual(bounded({ [key]: 1, [`${key}a`]: 2 }), TOO_LARGE)
    assert.strictEqual(writer.visited, 1)
  })

  it("RFC D4 giant bigints are refused before they are converted", () => {
    const giant = 1n << 100_000_000n
    const minusGiant = -giant
    const before = process.memoryUsage().heapUsed
    assert.strictEqual(bounded(giant), TOO_LARGE)
    assert.strictEqual(bounded(minusGiant), TOO_LARGE)
    assert.isBelow(process.memoryUsage().heapUsed - before, 10_000_000, "its digits alone take 25 MB")
    assert.strictEqual(bounded([1n << BigInt(4 * small)]), TOO_LARGE)
    assert.strictEqual(bounded((1n << BigInt(4 * (small - 2))) - 1n), small)
    assert.strictEqual(bounded(1n << BigInt(4 * (small - 2))), TOO_LARGE)
    assert.strictEqual(bounded(-(1n << BigInt(4 * (small - 3))) + 1n), small)
  })

  it("RFC D4 giant Maps, Sets and bytes are refused by their size", () => {
    const many = Array.from({ length: 100_000 }, (_, i) => i)
    assert.strictEqual(bounded(new Set(many)), TOO_LARGE)
    assert.strictEqual(writer.visited, 1)
    assert.strictEqual(bounded([new Map(many.map((i) => [i, i]))]), TOO_LARGE)
    assert.strictEqual(writer.visited, 2)
    assert.strictEqual(bounded(new Uint8Array(2 ** 28)), TOO_LARGE)
    assert.strictEqual(bounded([new Float64Array(2 ** 20)]), TOO_LARGE)
    assert.strictEqual(writer.visited, 2)
  })

  it("RFC D4 detached, shrunk, resizable and shared buffers", () => {
    const detached = new ArrayBuffer(8)
    const views = [
      new Uint8Array(detached),
      new Float64Array(detached),
      new DataView(detached),
      new DataView(detached, 4)
    ]
    structuredClone(detached, { transfer: [detached] })
    for (const value of [detached, ...views]) {
      assert.strictEqual(bounded(value), 0)
      assert.isAbove(bounded([value]), 0)
    }
    assert.strictEqual(canonicalText([views[2]]), "[!bdv:]")

    const resizable = new ArrayBuffer(8, { maxByteLength: 16 })
    const tracking = new Uint8Array(resizable)
    const fixed = new Uint8Array(resizable, 0, 8)
    const data = new DataView(resizable, 4)
    const fixedData = new DataView(resizable, 4, 4)
    const sizes = (): ReadonlyArray<number> =>
      [resizable, tracking, fixed, data, fixedData].map((value) => bounded(value))
    assert.deepStrictEqual(sizes(), [8, 8, 8, 4, 4])
    resizable.resize(16)
    assert.deepStrictEqual(sizes(), [16, 16, 8, 12, 4])
    resizable.resize(6)
    assert.deepStrictEqual(sizes(), [6, 6, 0, 2, 0])
    resizable.resize(0)
    assert.deepStrictEqual(sizes(), [0, 0, 0, 0, 0])

    const growable = new SharedArrayBuffer(2, { maxByteLength: 4 })
    const shared = new Uint8Array(growable)
    growable.grow(4)
    assert.strictEqual(bounded(growable), 4)
    assert.strictEqual(bounded(shared), 4)
  })

  it("RFC D4 modules, arguments, boxed values and other rarities", async () => {
    const text = canonicalText(await import("./writers.ts"))
    assert.include(text, "\"canonicalText\":!")
    const args = (function(..._rest: ReadonlyArray<unknown>) {
      return arguments
    })(1, 2)
    assert.strictEqual(canonicalText(args), "{\"0\":1,\"1\":2}")
    const rarities = [
      new WeakMap(),
      new WeakRef({}),
      Promise.resolve(1),
      /a/,
      new Error("a"),
      Object(1n),
      Object(Symbol()),
      new URL("http://a"),
      globalThis,
      process.env,
      Atomics,
      new (class {
        #secret = 1
        read() {
          return this.#secret
        }
      })(),
      (function*() {})()
    ]
    for (const rarity of rarities) {
      const outcome = writer.write(rarity)
      assert.isTrue(outcome > 0 || outcome === TOO_LARGE || outcome === TOO_DEEP, String(outcome))
    }
  })

  it("RFC D4 keeps no reference to the payload", async () => {
    const own = nodeWriter()
    const references = (() => {
      const inner = { text: "t" }
      const map = new Map<unknown, unknown>([[inner, [inner]], [1, 2]])
      const deep = { map, set: new Set([{ b: 1 }, { a: 1 }]), bytes: new Uint8Array(100) }
      assert.isAbove(own.write(deep), 0)
      const refused = { a: deep, z: new Array(2 ** 31) }
      assert.strictEqual(own.write(refused), TOO_LARGE)
      return [inner, map, deep, deep.set, deep.bytes, refused].map((value) => new WeakRef(value))
    })()
    for (let turn = 0; turn < 5; turn++) {
      await nextTurn()
      collectGarbage()
    }
    assert.deepStrictEqual(references.map((reference) => reference.deref() === undefined), references.map(() => true))
    assert.strictEqual(own.write([]), 2)
  })
})
