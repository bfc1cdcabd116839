import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Arena, maxRegionBytes, segmentBytes } from "../../src/memory/Arena.ts"
import { Blocks } from "../../src/memory/Blocks.ts"
import { random } from "../support/random.ts"

/** An arena and what must be in it: for each slot its length, all bytes being the slot's mark. */
const makePair = (slots: number) => {
  const arena = new Arena()
  arena.grow(slots)
  const held = new Map<number, number>()
  const mark = (slot: number): number => (slot % 255) + 1
  return {
    arena,
    held,
    put: (slot: number, length: number): void => {
      arena.allocate(slot, length)
      arena.memory(slot).fill(mark(slot), arena.at(slot), arena.at(slot) + length)
      held.set(slot, length)
    },
    drop: (slot: number): void => {
      arena.release(slot)
      held.delete(slot)
    },
    /** Every region is where it says, and holds its own mark and nothing else. */
    check: (): void => {
      for (const [slot, length] of held) {
        const content = arena.memory(slot).subarray(arena.at(slot), arena.at(slot) + length)
        assert.isTrue(Buffer.alloc(length, mark(slot)).equals(content), `slot ${slot}`)
      }
    }
  }
}

const Seeds = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 0xffff }))

describe("Arena", () => {
  it.prop(
    "RFC E5 keeps each region's bytes as they were written, whatever comes and goes and is moved",
    [Seeds],
    ([seed]) => {
      const { below } = random(seed)
      const slots = 400
      const { arena, check, drop, held, put } = makePair(slots)
      let most = 0
      for (let step = 0; step < 1_500; step++) {
        const slot = below(slots)
        if (held.has(slot)) drop(slot)
        else put(slot, below(4) === 0 ? below(maxRegionBytes + 1) : below(200))
        most = Math.max(most, arena.used)
        if (step % 250 === 0) check()
      }
      check()
      assert.isAtMost(arena.reserved, 2 * most + 3 * segmentBytes)
      for (const slot of held.keys()) arena.release(slot)
      assert.strictEqual(arena.used, 0)
      assert.isAtMost(arena.reserved, 2 * segmentBytes)
    },
    { arbitrary: { runs: 25 } }
  )

  it("RFC E2 leaves zeros where a region was released", () => {
    const { arena, drop, put } = makePair(4)
    put(0, 100)
    put(1, 100)
    const memory = arena.memory(0)
    const at = arena.at(0)
    drop(0)
    assert.isTrue(memory.subarray(at, at + 100).every((byte) => byte === 0))
    assert.isTrue(arena.memory(1).subarray(arena.at(1), arena.at(1) + 100).every((byte) => byte === 2))
  })

  it("RFC E2 leaves zeros where a region was moved away", () => {
    const { arena, check, drop, put } = makePair(200)
    for (let slot = 0; slot < 200; slot++) put(slot, 60_000)
    const before = arena.memory(0)
    for (let slot = 1; slot < 200; slot++) if (slot % 17 !== 0) drop(slot)
    for (let slot = 1; slot < 60; slot++) if (slot % 17 !== 0) put(slot, 60_000)
    assert.isAbove(arena.moved, 0)
    assert.notStrictEqual(arena.memory(0), before)
    check()
    const own = arena.memory(0)
    assert.isTrue(own.includes(1))
    // What the segment was used for since then is other slots' marks.
    assert.isFalse(before.includes(1))
  })

  it("RFC Q1 moves at most half of what is allocated: the work is bounded by the traffic", () => {
    const { arena, drop, put } = makePair(2_000)
    const { below } = random(7)
    let allocated = 0
    for (let slot = 0; slot < 1_000; slot++) put(slot, 4_000)
    for (let step = 0; step < 30_000; step++) {
      const slot = below(1_000)
      drop(slot)
      put(slot, 4_000)
      allocated += 4_008
    }
    assert.isAbove(arena.moved, 0)
    assert.isAtMost(arena.moved, allocated / 2 + segmentBytes)
  })

  it("uses an emptied segment again: a first-in-first-out traffic takes no more memory and moves nothing", () => {
    const { arena, drop, put } = makePair(3_000)
    for (let slot = 0; slot < 1_000; slot++) put(slot, 2_000)
    const reserved = arena.reserved
    for (let round = 0; round < 10; round++) {
      for (let slot = 0; slot < 1_000; slot++) {
        drop(slot)
        put(slot, 2_000)
      }
    }
    assert.isAtMost(arena.reserved, reserved + segmentBytes)
    assert.strictEqual(arena.moved, 0)
  })

  it("gives segments that it does not need back to its blocks, and takes them from there", () => {
    const blocks = new Blocks()
    const arena = new Arena(blocks)
    arena.grow(200)
    const fill = (): void => {
      for (let slot = 0; slot < 150; slot++) arena.allocate(slot, 60_000)
    }
    fill()
    const { reserved } = arena
    for (let slot = 0; slot < 150; slot++) arena.release(slot)
    assert.isAtMost(arena.reserved, 2 * segmentBytes)
    assert.strictEqual(blocks.kept, reserved - arena.reserved)
    fill()
    assert.strictEqual(blocks.kept, 0)
    assert.strictEqual(arena.reserved, reserved)
  })

  it("takes regions of no bytes and of the most, and releasing what is not there does nothing", () => {
    const { arena, check, put } = makePair(3)
    put(0, 0)
    put(1, maxRegionBytes)
    arena.release(2)
    check()
    assert.strictEqual(arena.used, 8 + 8 + maxRegionBytes)
  })
})
