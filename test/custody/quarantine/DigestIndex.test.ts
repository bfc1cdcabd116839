import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { ABSENT, DigestIndex } from "../../../src/custody/quarantine/DigestIndex.ts"
import { Rows, rowWords } from "../../../src/custody/quarantine/Rows.ts"
import { digestWords } from "../../../src/domain/Digest.ts"
import { type CategoryRank, categoryRank, threatCategories } from "../../../src/domain/Scent.ts"
import { severityRank } from "../../../src/domain/Severity.ts"
import { random } from "../../support/random.ts"

const wordsOf = (seed: number): Int32Array => {
  const { below } = random(seed + 1)
  return Int32Array.from({ length: digestWords }, () => below(0x1_0000) * 0x1_0000 + below(0x1_0000))
}

const injection = categoryRank("injection")
const ddos = categoryRank("ddos")
const flood = categoryRank("flood")

/** The category that slot n is filled with. */
const categoryOf = (n: number): CategoryRank => categoryRank(threatCategories[n % 6] ?? "unknown")

const makeRows = (slots: number): Rows => {
  const rows = new Rows()
  rows.grow(slots)
  return rows
}

const fill = (rows: Rows, slot: number, words: Int32Array, category: CategoryRank): void => {
  rows.words.set(words, slot * rowWords)
  rows.write(slot, { captured: 1, category, severity: severityRank("low"), size: 1, timestamp: 1 }, 1, 1)
}

const Steps = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 127 })))

describe("DigestIndex", () => {
  it.prop("RFC D7 knows exactly what was added and not removed, after every step", [Steps], ([steps]) => {
    const rows = makeRows(128)
    const index = new DigestIndex(rows, Int32Array.of(3, 5))
    const held = new Set<number>()
    for (const slot of steps) {
      if (held.has(slot)) {
        index.remove(slot)
        held.delete(slot)
      } else {
        fill(rows, slot, wordsOf(slot), categoryOf(slot))
        index.add(slot)
        held.add(slot)
      }
      assert.strictEqual(index.size, held.size)
      for (let n = 0; n < 128; n++)
        assert.strictEqual(index.find(wordsOf(n), categoryOf(n)), held.has(n) ? n : ABSENT, `slot ${n}`)
    }
  }, { arbitrary: { runs: 40, size: 80 } })

  it("RFC D3 the same digest in two categories is two signatures", () => {
    const rows = makeRows(2)
    const index = new DigestIndex(rows, Int32Array.of(1, 1))
    fill(rows, 0, wordsOf(9), injection)
    fill(rows, 1, wordsOf(9), ddos)
    index.add(0)
    index.add(1)
    assert.deepStrictEqual([injection, ddos, flood].map((category) => index.find(wordsOf(9), category)), [0, 1, ABSENT])
  })

  it("RFC D7 compares the whole digest: one bit of any word makes another", () => {
    const rows = makeRows(1)
    const index = new DigestIndex(rows, Int32Array.of(1, 1))
    fill(rows, 0, wordsOf(1), injection)
    index.add(0)
    for (let word = 0; word < digestWords; word++) {
      const other = wordsOf(1)
      other[word] = (other[word] ?? 0) ^ 0x100
      assert.strictEqual(index.find(other, injection), ABSENT)
    }
  })

  it("RFC Q1 reads two places on average at any size, and removing leaves no marks to step over", () => {
    for (const size of [1_000, 10_000, 100_000]) {
      const rows = makeRows(size)
      const index = new DigestIndex(rows, Int32Array.of(-559_038_737, 305_419_897))
      const { below } = random(size)
      const wordsAt = (slot: number): Int32Array => rows.words.subarray(slot * rowWords, slot * rowWords + digestWords)
      for (let slot = 0; slot < size; slot++) {
        fill(rows, slot, wordsAt(slot).map(() => below(0x1_0000) * 0x1_0000 + below(0x1_0000)), injection)
        index.add(slot)
      }
      const findAll = (): number => {
        const before = index.probes
        for (let slot = 0; slot < size; slot++) {
          assert.strictEqual(index.find(wordsAt(slot), injection), slot)
        }
        return (index.probes - before) / size
      }
      assert.isBelow(findAll(), 2)
      // A hundred thousand go and come back in another order.
      for (let step = 0; step < size; step++) {
        const slot = below(size)
        index.remove(slot)
        index.add(slot)
      }
      assert.isBelow(findAll(), 2)
    }
  })

  it("RFC Q1 digests that an attacker made alike in their low bits do not collide, since their place depends on a seed", () => {
    const size = 4_096
    const probesWith = (seed: Int32Array): number => {
      const rows = makeRows(size)
      const index = new DigestIndex(rows, seed)
      for (let slot = 0; slot < size; slot++) {
        // All alike modulo 2 to the 16, as an attacker would make them who expects the low bits to
        // be the place.
        const words = wordsOf(slot)
        words[0] = ((words[0] ?? 0) & ~0xffff) | 0x1234
        fill(rows, slot, words, injection)
        index.add(slot)
      }
      return index.probes / size
    }
    for (let seed = 1; seed <= 10; seed++) assert.isBelow(probesWith(wordsOf(seed * 77).subarray(0, 2)), 8)
  })
})
