import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { createHash } from "node:crypto"
import { factsOf } from "../../../src/custody/audit/AuditFacts.ts"
import { AuditLog } from "../../../src/custody/audit/AuditLog.ts"
import { genesis, makeHashChain } from "../../../src/custody/audit/HashChain.ts"
import { makeEncoder, verifyRecords } from "../../../src/custody/audit/Verify.ts"
import { AuditRecord, PurgeReason } from "../../../src/domain/Records.ts"
import { custody } from "../../domain/samples.ts"
import { chainOf, entries, hash } from "./entries.ts"

const unlinked = custody.neutralized

describe("a chain", () => {
  it("RFC A1 begins at genesis, and is sound when nothing is in it", () => {
    const chain = chainOf([])
    assert.strictEqual(genesis, "0".repeat(64))
    assert.strictEqual(chain.lastHash, genesis)
    assert.strictEqual(chain.length, 0)
    assert.deepStrictEqual(chain.records(), [])
    assert.deepStrictEqual(chain.inspect(), { valid: true, firstBroken: null, checked: 0, summarised: 0 })
    assert.isTrue(chain.inspect(genesis).valid)
    assert.deepStrictEqual(chain.inspect("1".repeat(64)), { valid: false, firstBroken: 0, checked: 0, summarised: 0 })
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
      const bytes = makeEncoder()(sequence, record.entry)
      assert.strictEqual(record.hash, createHash("sha256").update(bytes).digest("hex"))
      assert.isTrue(Schema.is(AuditRecord)(record))
      head = record.hash
    }
    assert.strictEqual(chain.lastHash, head)
    assert.strictEqual(chain.length, given.length)
    assert.deepStrictEqual(chain.inspect(head), {
      valid: true,
      firstBroken: null,
      checked: given.length,
      summarised: 0
    })
  }, { arbitrary: { runs: 40, size: 12 } })

  it("RFC A1 reading a long chain takes little more memory than its texts", () => {
    const count = 20_000
    const chain = makeHashChain({ chainEnabled: true, maxRecords: count, hash })
    const facts = factsOf(custody.neutralized)
    for (let n = 0; n < count; n++) chain.append(facts)
    const before = process.memoryUsage().heapUsed
    const records = chain.records()
    const taken = process.memoryUsage().heapUsed - before
    assert.strictEqual(records.length, count)
    // Some 400 characters, and three objects. Texts that are left in pieces take 4,200 bytes.
    assert.isBelow(taken / count, 2_000)
  })

  it("RFC A1 gives the record back with the hash that it follows, and no caller can write to the chain's records", () => {
    const chain = chainOf([custody.evicted])
    const head = chain.lastHash
    const given = { ...unlinked }
    const entry = chain.record(factsOf(given))
    assert.deepStrictEqual(entry, { ...custody.neutralized, previousHash: head })
    given.size = 99
    assert.throws(() => Object.assign(entry, { size: 99 }), TypeError)
    assert.throws(() => Object.assign(chain.records()[1] ?? assert.fail("no record"), { hash: genesis }), TypeError)
    assert.isTrue(chain.inspect().valid)
    const taken = chain.records() as Array<AuditRecord>
    taken.length = 0
    assert.strictEqual(chain.records().length, 2, "what it gives is an array of the caller's")
  })

  it("RFC A1 writes purges down as they are told: for each reason, with and without a destination", () => {
    const purges = PurgeReason.literals.flatMap((reason) =>
      [null, "", "file:é"].map((destination) => ({ ...custody.purged, reason, destination }))
    )
    const chain = chainOf([])
    for (const purge of purges) {
      const previousHash = chain.lastHash
      const told = { ...factsOf(purge), status: "purged" as const, compressedSize: 7 }
      assert.deepStrictEqual(chain.record(told), { ...purge, previousHash })
    }
    const records = chain.records()
    assert.deepStrictEqual(records.map(({ entry }) => ({ ...entry, previousHash: genesis })), purges)
    assert.isTrue(verifyRecords(records, { anchor: genesis, from: 0, hash }).valid)
    assert.isTrue(chain.inspect(chain.lastHash).valid)
  })

  it("RFC A1 records a purge without a reason as an error; on other records a reason is not written", () => {
    const chain = chainOf([])
    const told = factsOf(custody.purged)
    chain.append({ ...told, purgeReason: null })
    assert.deepStrictEqual(chain.records()[0]?.entry, { ...custody.purged, reason: "error" })
    for (const kind of [custody.neutralized, custody.evacuated, custody.transferred, custody.evicted]) {
      const previousHash = chain.lastHash
      chain.append({ ...factsOf(kind), purgeReason: "panic" })
      assert.deepStrictEqual(chain.records().at(-1)?.entry, { ...kind, previousHash })
    }
    assert.isTrue(verifyRecords(chain.records(), { anchor: genesis, from: 0, hash }).valid)
  })

  it("RFC A1 a head that was written down shows what was appended since, or cut off", () => {
    const chain = chainOf([custody.evicted, custody.transferred])
    const head = chain.lastHash
    assert.isTrue(chain.inspect(head).valid)
    chain.append(factsOf(unlinked))
    assert.deepStrictEqual(chain.inspect(head), { valid: false, firstBroken: 3, checked: 3, summarised: 0 })
    for (const bad of ["", head.toUpperCase(), `${head}0`, "é".repeat(64)]) assert.isFalse(chain.inspect(bad).valid)
  })

  it("RFC A2 every comparison of hashes takes the same time: it is timingSafeEqual's", () => {
    let compared = 0
    const spied = {
      sha256Into: hash.sha256Into,
      timingSafeEqual: (a: Uint8Array, b: Uint8Array) => {
        compared += a.length
        return hash.timingSafeEqual(a, b)
      }
    }
    const chain = makeHashChain({ chainEnabled: true, maxRecords: 10, hash: spied })
    for (let n = 0; n < 25; n++) chain.append(factsOf(unlinked))
    chain.inspect()
    const once = 10 * 32 + 32
    assert.strictEqual(
      compared,
      once,
      "of each record its hash, and the newest one's with the head"
    )
    chain.inspect(chain.lastHash)
    assert.strictEqual(compared, 2 * once + 64, "and the head that is known")
  })

  it("RFC A3 without chaining records are kept as they are, and inspect finds nothing", () => {
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
    assert.deepStrictEqual(chain.inspect(), { valid: true, firstBroken: null, checked: 0, summarised: 0 })
    assert.isTrue(chain.inspect("1".repeat(64)).valid)
  })

  it("RFC A3 without chaining nothing is hashed", () => {
    const chain = makeHashChain({
      chainEnabled: false,
      maxRecords: 2,
      hash: { timingSafeEqual: () => assert.fail("compared"), sha256Into: () => assert.fail("hashed") }
    })
    chain.append(factsOf(unlinked))
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
        endless.append(factsOf(entry))
        chain.append(factsOf(entry))
        const kept = Math.min(n + 1, maxRecords)
        assert.strictEqual(chain.length, n + 1)
        assert.deepStrictEqual(chain.records(), endless.records().slice(-maxRecords))
        assert.deepStrictEqual(chain.inspect(endless.lastHash), {
          valid: true,
          firstBroken: null,
          checked: kept,
          summarised: n + 1 - kept
        })
        const { head, length } = chain.checkpoint
        assert.strictEqual(length, n + 1 - kept)
        assert.strictEqual(head, endless.records()[length - 1]?.hash ?? genesis)
      }
    }
  )

  it("RFC A1 keeps no more than maxRecords after many appends", () => {
    const chain = chainOf([], { maxRecords: 7 })
    for (let n = 0; n < 20_000; n++) chain.append(factsOf({ ...unlinked, size: n }))
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

describe("the memory of a chain", () => {
  const filled = (maxRecords: number, count: number) => {
    const log = new AuditLog(maxRecords)
    const chain = makeHashChain({ chainEnabled: true, maxRecords, hash }, log)
    const { evacuated, evicted, neutralized, purged, transferred } = custody
    const kinds = [neutralized, evacuated, transferred, evicted, purged]
    for (let n = 0; n < count; n++) chain.append(factsOf(kinds[n % kinds.length] ?? neutralized))
    return { chain, log }
  }

  it("RFC A1 finds any flipped bit of any row and any hash that is kept, at its record", () => {
    const { chain, log } = filled(5, 13)
    const { hashes, rows } = log.chunkOf(0)
    const flipAll = (bytes: Uint8Array, perRecord: number): void => {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const at = bit >> 3
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7))
        const { firstBroken, valid } = chain.inspect()
        assert.isFalse(valid, `bit ${bit}`)
        // The ring of 5 holds 10, 11, 12, 8 and 9, in this order.
        assert.strictEqual(firstBroken, [10, 11, 12, 8, 9][Math.floor(at / perRecord)], `bit ${bit}`)
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7))
      }
    }
    flipAll(rows, rows.length / 5)
    flipAll(hashes, hashes.length / 5)
    assert.isTrue(chain.inspect().valid)
  })

  it("RFC A1 finds records that changed places, and a destination that is another", () => {
    const { chain, log } = filled(8, 8)
    const { hashes, rows } = log.chunkOf(0)
    rows.copyWithin(0, 160, 320)
    hashes.copyWithin(0, 32, 64)
    assert.strictEqual(chain.inspect().firstBroken, 0)
    const other = filled(8, 8)
    const chunk = other.log.chunkOf(0)
    const elsewhere = other.log.destination("file:elsewhere")
    chunk.destinations[1] = elsewhere.kind
    chunk.others.set(1, elsewhere)
    assert.strictEqual(other.chain.inspect().firstBroken, 1)
    assert.strictEqual(log.destinationAt(log.chunkOf(1), 1).text, custody.evacuated.destination)
  })

  it("RFC A1 keeps one destination once, and each other one with its record, for as long as that is kept", () => {
    const log = new AuditLog(4)
    const chain = makeHashChain({ chainEnabled: true, maxRecords: 4, hash }, log)
    const texts = ["file:own", "file:1", null, "file:own", "file:2", "", "file:1", "file:own", null]
    for (const [n, destination] of texts.entries()) {
      chain.append(factsOf({ ...custody.evicted, destination }))
      const kept = texts.slice(Math.max(0, n - 3), n + 1)
      const read = chain.records().map(({ entry }) => entry.status === "evicted" ? entry.destination : undefined)
      assert.deepStrictEqual(read, kept)
      assert.isTrue(chain.inspect().valid)
      const others = kept.filter((text) => text !== null && text !== "file:own")
      assert.strictEqual(log.chunkOf(0).others.size, others.length)
    }
    assert.strictEqual(log.destination("file:own"), log.destination("file:own"), "encoded once")
  })

  it("RFC A1 across chunks of memory finds the first broken record wherever it is", () => {
    const { chain, log } = filled(5_000, 3_000)
    assert.deepStrictEqual(chain.inspect(), { valid: true, firstBroken: null, checked: 3_000, summarised: 0 })
    for (const sequence of [2_999, 2_048, 2_047, 1_024, 1_023, 0]) {
      const { rows } = log.chunkOf(sequence)
      const at = log.placeOf(sequence) * 112 + 30
      rows[at] = (rows[at] ?? 0) ^ 1
      assert.strictEqual(chain.inspect().firstBroken, sequence)
    }
  })

  it("RFC A1 takes memory as records come, for no more than maxRecords", () => {
    assert.strictEqual(filled(1_000_000, 0).log.reserved, 0)
    assert.strictEqual(filled(1_000_000, 1).log.reserved, 256 * 145)
    assert.strictEqual(filled(1_000_000, 257).log.reserved, 2 * 256 * 145)
    assert.strictEqual(filled(1_500, 10_000).log.reserved, 1_500 * 145)
    assert.strictEqual(filled(1, 10).log.reserved, 145)
  })

  it("RFC A1 one hash for each record, and one for each that is verified", () => {
    let hashed = 0
    const counted = {
      timingSafeEqual: hash.timingSafeEqual,
      sha256Into: (bytes: Uint8Array, target: Uint8Array) => {
        hashed += 1
        hash.sha256Into(bytes, target)
      }
    }
    const chain = makeHashChain({ chainEnabled: true, maxRecords: 100, hash: counted })
    for (let n = 0; n < 1_000; n++) chain.append(factsOf(unlinked))
    assert.strictEqual(hashed, 1_000)
    chain.inspect()
    assert.strictEqual(hashed, 1_100)
  })

  it("RFC A1 a checkpoint continues what was written down before, and its hash ties both of its parts", () => {
    const { chain } = filled(10, 40)
    const older = filled(100, 40).chain.records()
    const { hash: tie, head, length } = chain.checkpoint
    assert.strictEqual(length, 30)
    // The records of before, kept elsewhere, lead to the checkpoint; from there the chain's own
    // lead on.
    assert.strictEqual(verifyRecords(older.slice(0, 30), { anchor: genesis, from: 0, hash }).head, head)
    assert.strictEqual(verifyRecords(chain.records(), { anchor: head, from: length, hash }).head, chain.lastHash)
    const bytes = Buffer.concat([Buffer.from("THK1"), Buffer.from("000000000000001e", "hex"), Buffer.from(head, "hex")])
    assert.strictEqual(tie, createHash("sha256").update(bytes).digest("hex"))
  })
})
