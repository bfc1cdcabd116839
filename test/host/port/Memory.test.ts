import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as NodeMemory from "../../../src/host/node/NodeMemory.ts"
import { Memory } from "../../../src/host/port/Memory.ts"
import { random, Seed } from "../../support/random.ts"

const Small = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 300 }))

for (const [host, layer] of Object.entries({ portable: Memory.layerPortable, node: NodeMemory.layer })) {
  const { equal, writeUtf8 } = Effect.runSync(Effect.provide(Memory, layer))
  describe(`Memory, ${host}`, () => {
    it.prop(
      "RFC R5 says whether two ranges hold the same bytes",
      [Small, Small, Small, Small],
      ([aAt, bAt, length, wrong]) => {
        const { below } = random(aAt * 7 + bAt + 1)
        const content = Uint8Array.from({ length }, () => below(256))
        const a = new Uint8Array(aAt + length + 9).fill(1)
        const b = Buffer.alloc(bAt + length + 5, 2)
        a.set(content, aAt)
        b.set(content, bAt)
        assert.isTrue(equal(a, aAt, b, bAt, length))
        assert.isTrue(equal(b, bAt, a, aAt, length))
        if (wrong >= length) return
        a[aAt + wrong] = (a[aAt + wrong] ?? 0) ^ 1
        assert.isFalse(equal(a, aAt, b, bAt, length))
        assert.isFalse(equal(b, bAt, a, aAt, length))
      }
    )

    it("RFC D4 reads no property of arrays that are compared as a whole", () => {
      for (const length of [1, 95, 96, 1_000, 100_000]) {
        const touched: Array<PropertyKey> = []
        const mine = new Uint8Array(length).fill(7)
        const [same, other] = [mine.slice(), mine.slice()]
        other[length - 1] = 8
        for (const theirs of [same, other]) {
          for (const key of ["length", "byteLength", "byteOffset", "buffer", "constructor", "subarray"])
            Object.defineProperty(theirs, key, { get: () => touched.push(key) })
        }
        assert.isTrue(equal(mine, 0, same, 0, length))
        assert.isFalse(equal(mine, 0, other, 0, length))
        assert.isTrue(equal(same, 0, mine, 0, length))
        assert.deepStrictEqual(touched, [])
      }
    })

    it.prop(
      "RFC R5 writes the UTF-8 of a text into a room that has enough bytes, and says where it has not",
      { seed: Seed },
      ({ seed }) => {
        const { below, pick } = random(seed)
        const characters = ["a", "\u00e9", "\u20ac", "\u{1f600}", "\ud800", "\udc00", "text ".repeat(40)] as const
        const text = Array.from({ length: below(12) }, () => pick(characters)).join("")
        const utf8 = Buffer.from(text.toWellFormed())
        const at = below(9)
        for (const spare of [0, 1, 4, 500, -1, -2, -3, -4]) {
          const room = utf8.length + spare
          if (room < 0) continue
          const target = new Uint8Array(at + room + 5).fill(0xee)
          const written = writeUtf8(text, target, at, room)
          assert.strictEqual(written, spare < 0 ? -1 : utf8.length)
          assert.isTrue(target.subarray(0, at).every((byte) => byte === 0xee))
          assert.isTrue(target.subarray(at + room).every((byte) => byte === 0xee))
          if (spare >= 0) assert.isTrue(utf8.equals(target.subarray(at, at + written)))
        }
      }
    )
  })
}
