/**
 * A flush in slices: bounded work between any two pauses, and evidence that comes and goes
 * meanwhile.
 */
import { assert, describe, it } from "@effect/vitest"
import { severities } from "../../../src/domain/Severity.ts"
import type { Sliced } from "../../../src/scheduler/Slices.ts"
import { evidence, withRooms } from "../../support/rooms.ts"

const paused = <A>(work: Sliced<A>, inPause: () => void): A => {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    inPause()
  }
}

/** Distinct evidence of 4 bytes, each piece of the next severity. */
const piece = (n: number) => {
  const [, bytes] = evidence(0, "low", 4)
  new DataView(bytes).setUint32(0, n)
  const text = n.toString(16).padStart(8, "0").repeat(8)
  const [record] = evidence(0, severities[n % severities.length] ?? "low", 4)
  return [{ ...record, hash: text, signature: `injection:${text}` }, bytes] as const
}

describe("flushing", () => {
  it.each([1_000, 4_000])(
    "RFC Q4 neutralizes at most 64 of %d pieces in a slice, in the order of eviction",
    (count) => {
      withRooms({ quarantine: { maxCount: count } }, ({ chain, quarantine }) => {
        for (let n = 0; n < count; n++) quarantine.hold(...piece(n))
        let before = 0
        const records = paused(quarantine.flushing(), () => {
          assert.isAtMost(chain.length - before, 64)
          before = chain.length
        })
        assert.lengthOf(records, count)
        assert.strictEqual(quarantine.stats().count, 0)
        const order = Array.from({ length: count }, (_, n) => n).toSorted((a, b) => a % 4 - b % 4 || a - b)
        assert.deepStrictEqual(records.map(({ signature }) => signature), order.map((n) => piece(n)[0].signature))
        assert.deepStrictEqual(chain.records().map(({ entry }) => entry), records)
      })
    }
  )

  it("RFC Q4 neutralizes at most 4 MiB in a slice, or one piece that is larger", () => {
    const mebibyte = 1_048_576
    withRooms({ maxPayloadSize: 8 * mebibyte }, ({ chain, quarantine }) => {
      for (const [n, size] of [2, 2, 1, 5, 1, 1].entries()) quarantine.hold(...evidence(n, "low", size * mebibyte))
      const lengths: Array<number> = []
      paused(quarantine.flushing(), () => lengths.push(chain.length))
      assert.deepStrictEqual(lengths, [2, 3, 4])
      assert.strictEqual(chain.length, 6)
    })
  })

  it("RFC Q4 leaves what comes during a pause in custody, and what has left to its own record", () => {
    withRooms({ quarantine: { maxCount: 1_000 } }, ({ chain, quarantine }) => {
      for (let n = 0; n < 200; n++) quarantine.hold(...piece(n))
      let pauses = 0
      const records = paused(quarantine.flushing(), () => {
        pauses += 1
        quarantine.hold(...piece(1_000 + pauses))
        // The same content as one of those that were flushed first, in a slot that was one of
        // theirs.
        quarantine.hold(...piece(4 * pauses))
        quarantine.neutralize(piece(203 - 4 * pauses)[0].signature)
      })
      assert.isAbove(pauses, 1)
      assert.strictEqual(records.length, 200 - pauses)
      assert.strictEqual(chain.length, 200)
      assert.strictEqual(quarantine.stats().count, 2 * pauses)
      assert.isTrue(chain.inspect().valid)
    })
  })

  it("RFC Q4 passes over the piece at which it paused, where that has left meanwhile", () => {
    withRooms({}, ({ chain, quarantine }) => {
      for (let n = 0; n < 100; n++) quarantine.hold(...evidence(n, "low"))
      const [next] = evidence(64, "low")
      const records = paused(quarantine.flushing(), () => {
        assert.isNotNull(quarantine.neutralize(next.signature))
      })
      assert.lengthOf(records, 99)
      assert.strictEqual(chain.length, 100)
      assert.strictEqual(quarantine.stats().count, 0)
    })
  })

  it("RFC Q4 where nobody goes on, the rest stays in custody", () => {
    withRooms({}, ({ chain, quarantine }) => {
      for (let n = 0; n < 200; n++) quarantine.hold(...piece(n))
      const work = quarantine.flushing()
      work.next()
      work.return([])
      assert.strictEqual(chain.length, 64)
      assert.strictEqual(quarantine.stats().count, 136)
    })
  })
})
