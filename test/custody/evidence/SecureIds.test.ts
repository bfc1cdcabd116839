import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { makeSecureIds, SecureIds, type SecureIdSources } from "../../../src/custody/evidence/SecureIds.ts"
import { SecureId } from "../../../src/domain/Records.ts"
import { secureIdText } from "../../../src/domain/SecureIdText.ts"
import { Randomness } from "../../../src/host/port/Randomness.ts"

const isId = Schema.is(SecureId)

/** A generator of bytes that a test can repeat (xorshift32). */
const seeded = (seed: number) => {
  let state = seed | 1
  return (target: Uint8Array<ArrayBuffer>): void => {
    for (let i = 0; i < target.length; i++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      target[i] = state & 0xff
    }
  }
}

const textsOf = (sources: SecureIdSources) => makeSecureIds(sources).next

const many = (next: () => string, count: number): Array<string> => Array.from({ length: count }, next)

const assertRising = (ids: ReadonlyArray<string>): void => {
  for (let i = 1; i < ids.length; i++) assert.isTrue((ids[i - 1] ?? "") < (ids[i] ?? ""), `id ${i}: ${ids[i]}`)
}

const msOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)

describe("RFC D9 secure ids", () => {
  it("RFC D9 are a UUIDv7 of the clock's millisecond, a hyphen and 8 hexadecimal characters", () => {
    const now = 1_760_000_000_123
    for (const id of many(textsOf({ fill: seeded(1), now: () => now }), 100)) {
      assert.isTrue(isId(id), id)
      assert.strictEqual(msOf(id), now)
    }
  })

  it("RFC D9 10,000 ids of a clock that stands still are rising and unique", () => {
    const ids = many(textsOf({ fill: seeded(2), now: () => 1_760_000_000_000 }), 10_000)
    assertRising(ids)
    assert.isTrue(ids.every((id) => isId(id)))
    // 2049 at least fit in a millisecond; past that the time runs ahead of the clock.
    assert.isAtMost(msOf(ids.at(-1) ?? ""), 1_760_000_000_000 + 5)
  })

  it("RFC D9 at least 2048 ids bear the millisecond they were made in, whatever the counter starts from", () => {
    for (const fill of [(t: Uint8Array) => void t.fill(0xff), (t: Uint8Array) => void t.fill(0)]) {
      const ids = many(textsOf({ fill, now: () => 5 }), 2048)
      assert.isTrue(ids.every((id) => msOf(id) === 5))
      assertRising(ids)
    }
  })

  it("RFC D9 are rising when the clock goes back, and follow it again when it caught up", () => {
    let now = 1_000_000
    const next = textsOf({ fill: seeded(3), now: () => now })
    const ids = [next()]
    for (const step of [-1, -999_999, 0, 5, 999_994, 1, 7, -3, 100]) {
      now += step
      ids.push(next(), next())
    }
    assertRising(ids)
    assert.strictEqual(msOf(ids.at(-1) ?? ""), now)
  })

  it.prop(
    "RFC D9 are rising and well formed on any clock that stays below the year 10889",
    [
      Schema.Array(
        Schema.Union([
          Schema.Number.check(Schema.isBetween({ minimum: -1e13, maximum: 2e14 })),
          Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 })),
          Schema.Literals([-1e300, -0, 0.999, Number.MIN_VALUE]),
          Schema.Null
        ])
      ).check(Schema.isMaxLength(50))
    ],
    ([times]) => {
      let at = 0
      const next = textsOf({ fill: seeded(4), now: () => times[at++] ?? Number.NaN })
      const ids = many(next, times.length)
      assertRising(ids)
      assert.isTrue(ids.every((id) => isId(id)))
    },
    { arbitrary: { runs: 200, size: 50 } }
  )

  it("RFC D9 a clock past the 48 bits is held at their edge: the ids stay well formed and unique", () => {
    for (const hostile of [Number.POSITIVE_INFINITY, 1e300, 2 ** 48, Number.MAX_SAFE_INTEGER]) {
      let now = hostile
      const next = textsOf({ fill: seeded(5), now: () => now })
      const ids = many(next, 6_000)
      now = 1
      ids.push(...many(next, 10))
      assert.strictEqual(new Set(ids).size, ids.length)
      for (const id of ids) {
        assert.isTrue(isId(id), id)
        assert.strictEqual(msOf(id), 2 ** 48 - 1)
      }
    }
  })

  it("RFC D9 a clock before the epoch, or none at all, is held at 0", () => {
    for (const hostile of [Number.NaN, Number.NEGATIVE_INFINITY, -1, -1e300, -0.5]) {
      const ids = many(textsOf({ fill: seeded(6), now: () => hostile }), 10)
      assertRising(ids)
      for (const id of ids) assert.strictEqual(msOf(id), 0, id)
    }
  })

  it("RFC D9 the same randomness and clock give the same ids, other randomness gives others", () => {
    const run = (seed: number) => many(textsOf({ fill: seeded(seed), now: () => 9 }), 600)
    assert.deepStrictEqual(run(7), run(7))
    const others = new Set(run(8))
    assert.isTrue(run(7).every((id) => !others.has(id)))
  })

  it("RFC D9 all bits but those of the time, the version and the counter are the randomness that was given", () => {
    // Of 16 bytes an id takes the first 14: 2 start the counter, 8 are rand_b, 4 are the suffix.
    const fill = (target: Uint8Array): void => {
      for (let i = 0; i < target.length; i++) target[i] = i % 16
    }
    const next = textsOf({ fill, now: () => 0x0123_4567_89ab })
    assert.strictEqual(next(), "01234567-89ab-7001-8203-040506070809-0a0b0c0d")
    assert.strictEqual(next(), "01234567-89ab-7002-8203-040506070809-0a0b0c0d")
  })

  it("RFC D9 in binary are the same ids: the UUID's 16 bytes and the suffix's 4", () => {
    const sources = () => ({ fill: seeded(12), now: () => 1_760_000_000_000 })
    const texts = textsOf(sources())
    const { nextInto } = makeSecureIds(sources())
    const target = new Uint8Array(24).fill(0xee)
    for (let i = 0; i < 1_000; i++) {
      const text = texts()
      nextInto(target, 1_760_000_000_000)
      assert.strictEqual(secureIdText(target), text)
      assert.strictEqual(Buffer.from(target.subarray(0, 20)).toString("hex"), text.replaceAll("-", ""))
    }
    assert.deepStrictEqual([...target.subarray(20)], [0xee, 0xee, 0xee, 0xee])
  })

  it("RFC D9 asks for randomness once in 256 ids, and overwrites the bytes that it used", () => {
    const pools: Array<Uint8Array> = []
    const next = textsOf({
      fill: (target) => {
        pools.push(target)
        target.fill(0xa5)
      },
      now: () => 1
    })
    for (let used = 1; used <= 256; used++) {
      next()
      assert.strictEqual(pools.length, 1)
      const pool = pools[0] ?? assert.fail("no pool")
      const left = pool.length - used * 16
      assert.isTrue(pool.subarray(0, used * 16).every((byte) => byte === 0))
      assert.isTrue(pool.subarray(used * 16).every((byte) => byte === 0xa5) && left >= 0)
    }
    next()
    assert.strictEqual(pools.length, 2)
  })

  it.effect("RFC D9 the service uses the Clock and the Randomness of its host, one generator for all", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(42)
      const ids = yield* SecureIds
      const again = yield* SecureIds
      const made = [ids.next(), again.next()]
      yield* TestClock.adjust("1 minute")
      made.push(ids.next())
      assert.deepStrictEqual(made.map(msOf), [42, 42, 60_042])
      assertRising(made)
      let at = 0
      const expected = textsOf({ fill: seeded(11), now: () => [42, 42, 60_042][at++] ?? 0 })
      assert.deepStrictEqual(made, many(expected, 3))
    }).pipe(
      Effect.provide(SecureIds.layer.pipe(Layer.provide(Layer.succeed(Randomness, { fill: seeded(11) }))))
    ))
})
