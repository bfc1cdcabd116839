import { assert, describe, it } from "@effect/vitest"
import { Blocks, maxKeptBytes } from "../../src/memory/Blocks.ts"

const mebi = 1_048_576

describe("Blocks", () => {
  it("RFC Q1 gives a block that fits and is at most a quarter longer", () => {
    const blocks = new Blocks()
    for (const size of [1, 2, 3, 5, 63, 64, 65, 1_000, 65_536, 65_537, 200_000, mebi - 1, mebi, mebi + 1]) {
      const { length } = blocks.take(size)
      assert.isAtLeast(length, size)
      assert.isAtMost(length, Math.max(size * 1.25, size + 1))
    }
    assert.strictEqual(blocks.take(mebi).length, mebi, "a power of two is a length")
  })

  it("RFC Q1 uses the memory of a block again for what is about as long", () => {
    const blocks = new Blocks()
    const block = blocks.take(200_000)
    blocks.give(block)
    assert.strictEqual(blocks.kept, block.length)
    const again = blocks.take(199_000)
    assert.strictEqual(again, block)
    assert.strictEqual(blocks.kept, 0)
    assert.notStrictEqual(blocks.take(199_000).buffer, block.buffer, "no two hold the same memory")
  })

  it("RFC Q1 keeps no more than its bound, whatever is given and in which lengths", () => {
    const blocks = new Blocks()
    const taken = [70_000, 300_000, mebi, 3 * mebi, 10 * mebi].flatMap((size) =>
      Array.from({ length: 40 }, () => blocks.take(size))
    )
    for (const block of taken) {
      blocks.give(block)
      assert.isAtMost(blocks.kept, maxKeptBytes)
    }
    assert.isAtLeast(blocks.kept, maxKeptBytes - 12 * mebi)
  })

  it("gives up first the length that was asked for longest ago", () => {
    const blocks = new Blocks()
    const old = Array.from({ length: 32 }, () => blocks.take(mebi))
    const young = blocks.take(2 * mebi)
    for (const block of old) blocks.give(block)
    blocks.give(young)
    assert.strictEqual(blocks.kept, maxKeptBytes)
    assert.strictEqual(blocks.take(2 * mebi), young)
    assert.strictEqual(blocks.kept, 30 * mebi)
  })

  it("keeps nothing that is longer than all that it may keep", () => {
    const blocks = new Blocks()
    blocks.give(blocks.take(mebi))
    blocks.give(blocks.take(maxKeptBytes + 1))
    assert.strictEqual(blocks.kept, mebi)
  })

  it("throws where the host has no memory", () => {
    assert.throws(() => new Blocks().take(2 ** 53), RangeError)
  })
})
