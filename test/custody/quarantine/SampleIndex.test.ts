import { assert, describe, it } from "@effect/vitest"
import { SampleIndex, sampleSeedWords, ways } from "../../../src/custody/quarantine/SampleIndex.ts"
import { categoryRank } from "../../../src/domain/Scent.ts"
import { random } from "../../support/random.ts"

const injection = categoryRank("injection")
const seedOf = (n: number): Int32Array => {
  const { below } = random(n)
  return Int32Array.from({ length: sampleSeedWords }, () => below(0x1_0000) * 0x1_0000 + below(0x1_0000))
}

const all = (index: SampleIndex, key: number): ReadonlyArray<number> =>
  Array.from({ length: ways }, (_, way) => index.at(key, way))

describe("SampleIndex", () => {
  it("RFC D7 names the latest four slots of one key, the newest first, and each once", () => {
    const index = new SampleIndex(seedOf(1))
    const key = index.keyOf(Uint8Array.of(1, 2, 3), 3, injection)
    assert.deepStrictEqual(all(index, key), [-1, -1, -1, -1])
    for (const slot of [7, 8, 9]) index.put(key, slot)
    assert.deepStrictEqual(all(index, key), [9, 8, 7, -1])
    index.put(key, 7)
    assert.deepStrictEqual(all(index, key), [7, 9, 8, -1])
    for (const slot of [0, 16_777_215]) index.put(key, slot)
    assert.deepStrictEqual(all(index, key), [16_777_215, 0, 7, 9])
  })

  it("RFC D7 the key depends on the length, the category and the bytes, and on nothing behind the length", () => {
    const index = new SampleIndex(seedOf(2))
    const content = Uint8Array.from({ length: 100 }, (_, i) => i)
    const key = index.keyOf(content, 50, injection)
    assert.strictEqual(index.keyOf(content.slice(0, 50), 50, injection), key)
    assert.notStrictEqual(index.keyOf(content, 51, injection), key)
    assert.notStrictEqual(index.keyOf(content, 50, categoryRank("ddos")), key)
    assert.notStrictEqual(index.keyOf(content.map((byte) => byte ^ 1), 50, injection), key)
  })

  for (const held of [1_000, 100_000]) {
    it(`RFC D7 names the slots of 94 in 100 of ${held}, and hardly ever one of other content`, () => {
      const index = new SampleIndex(seedOf(3))
      const content = new Uint8Array(64)
      const words = new Int32Array(content.buffer)
      const keyOf = (n: number): number => {
        for (let i = 0; i < words.length; i++) words[i] = Math.imul(n + 1, 0x9e37_79b1 + 2 * i)
        return index.keyOf(content, 64, injection)
      }
      for (let n = 0; n < held; n++) {
        // As its owner does, who doubles when all slots are used.
        if (n >= 64 && (n & (n - 1)) === 0) index.grow(2 * n)
        index.put(keyOf(n), n)
      }
      let hits = 0
      let wrong = 0
      for (let n = 0; n < held; n++) if (all(index, keyOf(n)).includes(n)) hits++
      for (let n = held; n < 2 * held; n++) if (all(index, keyOf(n)).some((slot) => slot >= 0)) wrong++
      assert.isAtLeast(hits, 0.94 * held)
      assert.isAtMost(wrong, held / 20)
    })
  }
})
