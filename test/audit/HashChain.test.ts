import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { createHash } from "node:crypto"
import { makeAuditEncoder } from "../../src/audit/Encoding.ts"
import { genesis, makeHashChain } from "../../src/audit/HashChain.ts"
import { AuditRecord } from "../../src/domain/Records.ts"
import { custody } from "../domain/samples.ts"
import { chainOf, entries, hash } from "./entries.ts"

const { previousHash: _, ...unlinked } = custody.neutralized

describe("a chain", () => {
  it("RFC A1 begins at genesis, and is sound when nothing is in it", () => {
    const chain = chainOf([])
    assert.strictEqual(genesis, "0".repeat(64))
    assert.strictEqual(chain.lastHash, genesis)
    assert.strictEqual(chain.length, 0)
    assert.deepStrictEqual(chain.records(), [])
    assert.deepStrictEqual(chain.inspect(), { valid: true, firstBroken: null, checked: 0 })
    assert.isTrue(chain.inspect(genesis).valid)
    assert.deepStrictEqual(chain.inspect("1".repeat(64)), { valid: false, firstBroken: 0, checked: 0 })
  })

  it.prop("RFC A1 links each record to the one before", [entries(12)], ([given]) => {
    const chain = chainOf(given)
    const records = chain.records()
    let head = genesis
    for (const [sequence, record] of records.entries()) {
      assert.strictEqual(record.sequence, sequence)
      assert.strictEqual(record.previousHash, head)
      assert.strictEqual(record.entry.previousHash, head)
      assert.deepStrictEqual(record.entry, { ...given[sequence], previousHash: head })
      // Anybody can recompute it: SHA-256 of the documented bytes.
      const bytes = makeAuditEncoder().encode(sequence, record.entry)
      assert.strictEqual(record.hash, createHash("sha256").update(bytes).digest("hex"))
      assert.isTrue(Schema.is(AuditRecord)(record))
      head = record.hash
    }
    assert.strictEqual(chain.lastHash, head)
    assert.strictEqual(chain.length, given.length)
    assert.deepStrictEqual(chain.inspect(head), { valid: true, firstBroken: null, checked: given.length })
  }, { arbitrary: { runs: 40, size: 12 } })

  it("RFC A1 gives the record back with the hash that it follows, and nobody can write to what it keeps", () => {
    const chain = chainOf([custody.evicted])
    const head = chain.lastHash
    const given = { ...unlinked }
    const entry = chain.append(given)
    assert.deepStrictEqual(entry, { ...custody.neutralized, previousHash: head })
    given.size = 99
    assert.throws(() => Object.assign(entry, { size: 99 }), TypeError)
    assert.throws(() => Object.assign(chain.records()[1] ?? assert.fail("no record"), { hash: genesis }), TypeError)
    assert.isTrue(chain.inspect().valid)
    const taken = chain.records() as Array<AuditRecord>
    taken.length = 0
    assert.strictEqual(chain.records().length, 2, "what it gives is an array of the caller's")
  })

  it("RFC A1 a head that was written down shows what was appended since, or cut off", () => {
    const chain = chainOf([custody.evicted, custody.transferred])
    const head = chain.lastHash
    assert.isTrue(chain.inspect(head).valid)
    chain.append(unlinked)
    assert.deepStrictEqual(chain.inspect(head), { valid: false, firstBroken: 3, checked: 3 })
    for (const bad of ["", head.toUpperCase(), `${head}0`, "é".repeat(64)]) assert.isFalse(chain.inspect(bad).valid)
  })

  it("RFC A2 every comparison of hashes takes the same time: it is timingSafeEqual's", () => {
    let compared = 0
    const spied = {
      sha256Hex: hash.sha256Hex,
      timingSafeEqual: (a: Uint8Array, b: Uint8Array) => {
        compared += 1
        return hash.timingSafeEqual(a, b)
      }
    }
    const chain = makeHashChain({ chainEnabled: true, maxRecords: 10, hash: spied })
    chain.append(unlinked)
    chain.append(unlinked)
    chain.inspect()
    assert.strictEqual(compared, 2 * 3, "previous hash, the entry's, and its own")
    chain.inspect(chain.lastHash)
    assert.strictEqual(compared, 2 * 2 * 3 + 1, "and the head")
  })

  it("RFC A3 without chaining records are kept as they are, and there is nothing that could break", () => {
    const chain = chainOf([custody.evicted, custody.evacuated, custody.neutralized], {
      chainEnabled: false,
      maxRecords: 2
    })
    assert.deepStrictEqual(
      chain.records(),
      [custody.evacuated, custody.neutralized].map((entry, i) => ({
        sequence: i + 1,
        previousHash: genesis,
        hash: genesis,
        entry
      }))
    )
    assert.strictEqual(chain.lastHash, genesis)
    assert.strictEqual(chain.length, 3)
    assert.deepStrictEqual(chain.inspect(), { valid: true, firstBroken: null, checked: 0 })
    assert.isTrue(chain.inspect("1".repeat(64)).valid)
  })

  it("RFC A3 without chaining nothing is hashed", () => {
    const chain = makeHashChain({
      chainEnabled: false,
      maxRecords: 2,
      hash: { timingSafeEqual: () => assert.fail("compared"), sha256Hex: () => assert.fail("hashed") }
    })
    chain.append(unlinked)
    assert.isTrue(chain.inspect().valid)
  })
})

describe("the ring", () => {
  it.each([1, 2, 7])(
    "RFC A1 of %d records keeps the newest in order, and verifies from its anchor at every step",
    (maxRecords) => {
      const endless = chainOf([], { maxRecords: 100 })
      const chain = chainOf([], { maxRecords })
      for (let n = 0; n < 60; n++) {
        const entry = { ...unlinked, size: n }
        endless.append(entry)
        chain.append(entry)
        const kept = Math.min(n + 1, maxRecords)
        assert.strictEqual(chain.length, n + 1)
        assert.deepStrictEqual(chain.records(), endless.records().slice(-maxRecords))
        assert.deepStrictEqual(chain.inspect(endless.lastHash), { valid: true, firstBroken: null, checked: kept })
      }
    }
  )

  it("RFC A1 of many appends stays as large as it is said to be", () => {
    const chain = chainOf([], { maxRecords: 7 })
    for (let n = 0; n < 20_000; n++) chain.append({ ...unlinked, size: n })
    assert.strictEqual(chain.length, 20_000)
    assert.deepStrictEqual(chain.records().map(({ sequence }) => sequence), [
      19_993,
      19_994,
      19_995,
      19_996,
      19_997,
      19_998,
      19_999
    ])
    assert.isTrue(chain.inspect(chain.lastHash).valid)
  })
})
