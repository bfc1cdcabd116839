/**
 * The audit chain in slices: bounded work between any two pauses, and a result that is true of one
 * moment, whatever is appended during the pauses.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { factsOf } from "../../../src/custody/audit/AuditFacts.ts"
import { AuditLog } from "../../../src/custody/audit/AuditLog.ts"
import { genesis, type HashChain, makeHashChain } from "../../../src/custody/audit/HashChain.ts"
import { verifyRecords, verifyRecordsEffect } from "../../../src/custody/audit/Verify.ts"
import type { Sliced } from "../../../src/scheduler/Slices.ts"
import { custody } from "../../domain/samples.ts"
import { random, Seed } from "../../support/random.ts"
import { chainOf, hash } from "./entries.ts"

const append = (chain: HashChain, count: number): void => {
  for (let n = 0; n < count; n++) chain.append(factsOf({ ...custody.neutralized, size: chain.length }))
}

const longChain = (count: number, options: Parameters<typeof chainOf>[1] = { maxRecords: count }): HashChain => {
  const chain = chainOf([], options)
  append(chain, count)
  return chain
}

/** Runs the work to its end, with something done in each pause; gives what it did. */
const paused = <A>(work: Sliced<A>, inPause: () => void): A => {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    inPause()
  }
}

/** The most that `count` grows by between two pauses. */
const mostBetween = (work: Sliced<unknown>, count: () => number): number => {
  let most = 0
  let before = count()
  paused(work, () => {
    most = Math.max(most, count() - before)
    before = count()
  })
  return Math.max(most, count() - before)
}

describe("records of a range", () => {
  it("RFC A4 gives at most `limit` records from `from` on, as slice would give them of all", () => {
    const chain = chainOf([], { maxRecords: 5 })
    append(chain, 8)
    const all = chain.records()
    assert.deepStrictEqual(all.map(({ sequence }) => sequence), [3, 4, 5, 6, 7])
    for (
      const [from, limit, expected] of [
        [4, 2, [4, 5]],
        [6, undefined, [6, 7]],
        [undefined, 2, [3, 4]],
        [0, 1, [3]],
        [7, 9, [7]],
        [8, 9, []],
        [Infinity, 9, []],
        [4.9, 1.9, [4]],
        [-3, 1, [3]],
        [NaN, 1, [3]],
        [4, 0, []],
        [4, -1, []],
        [4, NaN, []]
      ] as const
    ) {
      const range = { ...(from === undefined ? {} : { from }), ...(limit === undefined ? {} : { limit }) }
      assert.deepStrictEqual(chain.records(range).map(({ sequence }) => sequence), [...expected], `${from}, ${limit}`)
    }
    assert.deepStrictEqual(chain.records({ from: 5 }), all.slice(2))
  })

  it("RFC F5 takes what is no range for all records, and what is no number for 0", () => {
    const chain = longChain(2)
    for (const strange of [null, undefined, 7, "from", [], { from: "1" }, { from: 1n }, { from: Symbol("1") }])
      assert.lengthOf(chain.records(strange as never), 2)
    assert.deepStrictEqual(chain.records({ limit: "1" } as never), [])
  })

  it("RFC A4 decodes no more than it gives, however many are kept", () => {
    const log = new AuditLog(5_000)
    let read = 0
    const { read: original } = log
    log.read = (sequence) => {
      read += 1
      return original.call(log, sequence)
    }
    const chain = makeHashChain({ chainEnabled: true, maxRecords: 5_000, hash }, log)
    append(chain, 5_000)
    assert.lengthOf(chain.records({ from: 4_000, limit: 10 }), 10)
    assert.strictEqual(read, 10)
  })
})

describe("the chain in slices", () => {
  it.each([2_000, 6_000])(
    "RFC A4 of %d records verifies at most 2,048 and decodes at most 128 in a slice",
    (count) => {
      let hashed = 0
      const counting = {
        ...hash,
        sha256Into: (bytes: Uint8Array, target: Uint8Array) => {
          hashed += 1
          hash.sha256Into(bytes, target)
        }
      }
      const log = new AuditLog(count)
      let read = 0
      const { read: original } = log
      log.read = (sequence) => {
        read += 1
        return original.call(log, sequence)
      }
      const chain = makeHashChain({ chainEnabled: true, maxRecords: count, hash: counting }, log)
      append(chain, count)
      assert.isAtMost(mostBetween(chain.inspection(), () => hashed), 2_048)
      assert.isAtMost(mostBetween(chain.reading(), () => read), 128)
    }
  )

  it.prop(
    "RFC A4 reports what is true of the records that were kept all the while",
    [Seed],
    ([seed]) => {
      const { below } = random(seed)
      const maxRecords = 1 + below(3_000)
      const before = 1 + below(3_000)
      const chain = longChain(before, { maxRecords })
      const head = chain.lastHash
      const report = paused(chain.inspection(head), () => append(chain, below(3_000)))
      const summarised = Math.min(before, report.summarised)
      assert.deepStrictEqual(report, { valid: true, firstBroken: null, checked: before - summarised, summarised })
      const records = paused(chain.reading(), () => append(chain, below(200)))
      assert.deepStrictEqual(
        records.map(({ sequence }) => sequence),
        records.map((_, i) => (records[0]?.sequence ?? 0) + i),
        "the run has no gap"
      )
      const first = records[0]
      if (first === undefined) return
      const run = { anchor: first.previousHash, from: first.sequence, hash }
      assert.isTrue(verifyRecords(records.slice(0, 10), run).valid)
    },
    { arbitrary: { runs: 8 } }
  )

  it("RFC A4 begins anew where new records push out those that were still to be looked at", () => {
    /** Appends so many records in the first pause, and none in others. */
    const once = (chain: HashChain, count: number) => () => append(chain, chain.length === length ? count : 0)
    let length = 0
    const sequences = (chain: HashChain, appended: number) => {
      length = chain.length
      return paused(chain.reading(), once(chain, appended)).map(({ sequence }) => sequence)
    }
    const inspected = (chain: HashChain, appended: number) => {
      length = chain.length
      const { checked, summarised, valid } = paused(chain.inspection(), once(chain, appended))
      return { checked, summarised, valid }
    }
    // Of 5,000 records 2,048 are verified when 3,000 are pushed out: the rest is what is kept.
    assert.deepStrictEqual(inspected(longChain(5_000), 3_000), { checked: 2_000, summarised: 3_000, valid: true })
    // All are pushed out, the last one just so, and with others after it.
    assert.deepStrictEqual(inspected(longChain(5_000), 5_000), { checked: 0, summarised: 5_000, valid: true })
    assert.deepStrictEqual(inspected(longChain(5_000), 6_000), { checked: 0, summarised: 5_000, valid: true })
    // Of 300 records 128 are read when 200 are pushed out.
    assert.deepStrictEqual(sequences(longChain(300), 200), Array.from({ length: 100 }, (_, n) => 200 + n))
    assert.deepStrictEqual(sequences(longChain(300), 300), [])
    // Those that are pushed out have been read: nothing is missing.
    assert.deepStrictEqual(sequences(longChain(300), 50), Array.from({ length: 300 }, (_, n) => n))
  })

  it("RFC A4 finds a record that was changed before its slice, while others are appended", () => {
    const log = new AuditLog(10_000)
    const chain = makeHashChain({ chainEnabled: true, maxRecords: 10_000, hash }, log)
    append(chain, 9_000)
    let isBent = false
    const report = paused(chain.inspection(), () => {
      append(chain, 10)
      if (isBent) return
      isBent = true
      const { view } = log.chunkOf(7_000)
      const at = log.placeOf(7_000) * 112 + 12
      view.setUint8(at, view.getUint8(at) ^ 1)
    })
    assert.deepStrictEqual(report, { valid: false, firstBroken: 7_000, checked: 7_001, summarised: 0 })
  })

  it("RFC A4 compares with the head of the moment at which it begins", () => {
    const chain = longChain(5_000)
    const head = chain.lastHash
    assert.isTrue(paused(chain.inspection(head), () => append(chain, 1)).valid)
    const length = chain.length
    const report = paused(chain.inspection(head), () => append(chain, 1))
    assert.deepStrictEqual([report.valid, report.firstBroken], [false, length])
  })

  it("RFC A3 without chaining there is nothing to verify, in slices as well", () => {
    const chain = longChain(3, { chainEnabled: false })
    assert.deepStrictEqual(
      paused(chain.inspection(), () => assert.fail("paused")),
      { valid: true, firstBroken: null, checked: 0, summarised: 0 }
    )
  })
})

describe("verifyRecordsEffect", () => {
  it.effect("RFC A4 reports what verifyRecords does, and pulls no further than the slice that it is at", () =>
    Effect.gen(function*() {
      const records = longChain(1_000).records()
      const start = { anchor: genesis, from: 0, hash }
      assert.deepStrictEqual(yield* verifyRecordsEffect(records, start), verifyRecords(records, start))
      const bent = records.map((record) => record.sequence === 700 ? { ...record, hash: genesis } : record)
      assert.deepStrictEqual(yield* verifyRecordsEffect(bent, start), verifyRecords(bent, start))

      let pulled = 0
      let isClosed = false
      const counted = function*() {
        try {
          for (const record of records) {
            pulled += 1
            yield record
          }
        } finally {
          isClosed = true
        }
      }
      const fiber = yield* Effect.forkChild(verifyRecordsEffect(counted(), start), { startImmediately: true })
      assert.strictEqual(pulled, 32)
      yield* Effect.yieldNow
      assert.isAtMost(pulled, 64)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(isClosed)
    }))
})
