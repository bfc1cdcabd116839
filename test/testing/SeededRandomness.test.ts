import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Layer } from "effect"
import { Randomness } from "../../src/host/port/Randomness.ts"
import { pick } from "../../src/testing/arbitraries/building.ts"
import * as SeededRandomness from "../../src/testing/SeededRandomness.ts"
import { randomnessContract } from "../host/port/contract.ts"

randomnessContract(SeededRandomness.layer(1))

const bytesOf = (seed: number | string, ...cuts: ReadonlyArray<number>): string => {
  const { fill } = SeededRandomness.make(seed)
  return cuts.map((length) => {
    const target = new Uint8Array(length)
    fill(target)
    return Buffer.from(target).toString("hex")
  }).join("")
}

/** sfc32 by its definition, on bigints; the seed's words are made by FNV-1a. */
const reference = (seed: string, count: number): string => {
  const low = (n: bigint): bigint => BigInt.asUintN(32, n)
  const word = (offset: bigint): bigint => {
    const hash = [...seed].reduce((h, unit) => low((h ^ BigInt(unit.charCodeAt(0))) * 0x01000193n), offset)
    // To a signed 32-bit number; the shift after it is unsigned.
    return hash ^ (hash >> 15n)
  }
  let [a, b, c, counter] = [word(0x811c9dc5n), word(0x9e3779b9n), word(0x85ebca6bn), 1n]
  const out = Buffer.alloc(count)
  for (let i = -12; i < count / 4; i++) {
    const sum = low(a + b + counter)
    counter = low(counter + 1n)
    a = b ^ (b >> 9n)
    b = low(c + (c << 3n))
    c = low((low(c << 21n) | (c >> 11n)) + sum)
    if (i >= 0) out.writeUInt32LE(Number(sum), 4 * i)
  }
  return out.toString("hex")
}

describe("SeededRandomness", () => {
  it("RFC S5 the same seed gives the same bytes, and those of sfc32", () => {
    for (const seed of [0, 1, -1, 0.5, 2 ** 53, "a seed", ""]) {
      assert.strictEqual(bytesOf(seed, 400), bytesOf(seed, 400))
      assert.strictEqual(bytesOf(seed, 400), reference(String(seed), 400))
    }
  })

  it.effect("RFC S5 the bytes do not depend on the sizes of the requests", () =>
    Effect.gen(function*() {
      const whole = bytesOf(7, 200)
      const lengths = Arbitrary.array(pick([0, 1, 2, 3, 4, 5, 7, 8]), { maxLength: 20 })
      const result = yield* Arbitrary.checkEffect(lengths, (cuts) => whole.startsWith(bytesOf(7, ...cuts)), { seed: 1 })
      assert.strictEqual(Arbitrary.formatCheckFailure(result), undefined)
    }))

  it("RFC S5 similar seeds give different bytes", () => {
    const starts = new Set(Array.from({ length: 2_000 }, (_, seed) => bytesOf(seed, 8)))
    assert.strictEqual(starts.size, 2_000)
    let same = 0
    const [one, other] = [Buffer.from(bytesOf(1, 4_096), "hex"), Buffer.from(bytesOf(2, 4_096), "hex")]
    for (let i = 0; i < one.length; i++) if (one[i] === other[i]) same += 1
    assert.isBelow(same, 40)
  })

  it("all bytes come up about equally often", () => {
    const counts = new Array<number>(256).fill(0)
    for (const byte of Buffer.from(bytesOf("spread", 256_000), "hex")) counts[byte] = (counts[byte] ?? 0) + 1
    for (const count of counts) assert.closeTo(count, 1_000, 200)
  })

  it.effect("RFC S5 each layer that is built starts from the beginning", () =>
    Effect.gen(function*() {
      const layer = SeededRandomness.layer("again")
      const eight = Effect.map(Randomness, ({ fill }) => {
        const target = new Uint8Array(8)
        fill(target)
        return target
      })
      const drawn = yield* Effect.provide(eight, layer)
      assert.deepStrictEqual(yield* Effect.provide(eight, Layer.fresh(layer)), drawn)
    }))
})
