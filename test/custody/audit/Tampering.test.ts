import { assert, describe, it } from "@effect/vitest"
import { isDeepStrictEqual } from "node:util"
import { genesis } from "../../../src/custody/audit/HashChain.ts"
import { verifyRecords } from "../../../src/custody/audit/Verify.ts"
import type { AuditRecord } from "../../../src/domain/Records.ts"
import { custody } from "../../domain/samples.ts"
import { random, Seed } from "../../support/random.ts"
import { bentFields, chainOf, entries, hash } from "./entries.ts"

const verify = (records: ReadonlyArray<AuditRecord>, from = 0, anchor = genesis) =>
  verifyRecords(records, { anchor, from, hash })

/** The report of a valid run. */
const sound = (records: ReadonlyArray<AuditRecord>) => ({
  valid: true,
  firstBroken: null,
  checked: records.length,
  head: records.at(-1)?.hash ?? genesis
})

const brokenAt = (records: ReadonlyArray<AuditRecord>, at: number) => ({
  valid: false,
  firstBroken: at,
  checked: at + 1,
  head: records[at - 1]?.hash ?? genesis
})

describe("verifyRecords", () => {
  it.prop("RFC A1 finds nothing wrong with the records of a chain, also after JSON", [entries(10, 0)], ([given]) => {
    const records = chainOf(given).records()
    assert.deepStrictEqual(verify(records), sound(records))
    assert.deepStrictEqual(verify(JSON.parse(JSON.stringify(records)) as typeof records), sound(records))
  }, { arbitrary: { runs: 40, size: 10 } })

  it.prop("RFC A1 finds an edit of any field of any record, at that record", [entries(5)], ([given]) => {
    const records = chainOf(given).records()
    for (const [at, record] of records.entries()) {
      for (const [field, bent] of bentFields(record))
        assert.deepStrictEqual(verify(records.with(at, bent)), brokenAt(records, at), field)
    }
  }, { arbitrary: { runs: 25, size: 5 } })

  it.prop("RFC A1 finds any deletion but that of the tail, which the head shows", [entries(8)], ([given]) => {
    const records = chainOf(given).records()
    for (let at = 0; at < records.length; at++) {
      for (let count = 1; at + count <= records.length; count++) {
        const cut = records.toSpliced(at, count)
        if (at + count < records.length) assert.deepStrictEqual(verify(cut), brokenAt(records, at))
        else {
          assert.deepStrictEqual(verify(cut), sound(cut))
          assert.notStrictEqual(verify(cut).head, records.at(-1)?.hash)
        }
      }
    }
  }, { arbitrary: { runs: 25, size: 8 } })

  it.prop(
    "RFC A1 finds the insertion of any record, of this chain or of another",
    { mine: entries(6), theirs: entries(6) },
    ({ mine, theirs }) => {
      const records = chainOf(mine).records()
      const foreign = chainOf([...theirs, custody.evicted]).records()
      for (let at = 0; at <= records.length; at++) {
        for (const inserted of [...records, ...foreign]) {
          const wide = records.toSpliced(at, 0, inserted)
          // One that fits where it stands, as the first of another chain does: then the one behind
          // it is one too many.
          const fits = inserted.sequence === at && inserted.previousHash === (records[at - 1]?.hash ?? genesis)
          const expected = !fits
            ? brokenAt(records, at)
            : at === records.length
            ? sound(wide)
            : { ...brokenAt(records, at + 1), head: inserted.hash }
          assert.deepStrictEqual(verify(wide), expected)
        }
      }
    },
    { arbitrary: { runs: 20, size: 6 } }
  )

  it.prop("RFC A1 finds any reordering, at the first record out of place", { given: entries(10, 2), seed: Seed }, ({
    given,
    seed
  }) => {
    const records = chainOf(given).records()
    const shuffled = random(seed).shuffle(records)
    const first = shuffled.findIndex((record, at) => record !== records[at])
    assert.deepStrictEqual(verify(shuffled), first === -1 ? sound(records) : brokenAt(records, first))
  }, { arbitrary: { runs: 60, size: 10 } })

  it.prop("RFC A1 after any run of random mutations only untouched records hold", {
    given: entries(12, 2),
    seed: Seed
  }, ({ given, seed }) => {
    const { below, pick } = random(seed)
    const records = chainOf(given).records()
    let bent: ReadonlyArray<AuditRecord> = records
    for (let n = 0; n <= below(4); n++) {
      const at = below(bent.length)
      const record = bent[at]
      if (record === undefined) break
      bent = pick([
        () => bent.toSpliced(at, 1),
        () => bent.toSpliced(at, 0, record),
        () => bent.toSpliced(below(bent.length), 0, record),
        () => bent.with(at, bentFields(record)[below(8)]?.[1] ?? record),
        () => bent.toReversed()
      ])()
    }
    // A field that was bent twice may be as it was.
    const first = bent.findIndex((record, at) => !isDeepStrictEqual(record, records[at]))
    assert.deepStrictEqual(verify(bent), first === -1 ? sound(bent) : brokenAt(records, first))
  }, { arbitrary: { runs: 150, size: 12 } })

  it("RFC A1 begins after the anchor that it is given, which is none of its records", () => {
    const records = chainOf([custody.evicted, custody.evacuated, custody.neutralized]).records()
    const tail = records.slice(1)
    const anchor = records[0]?.hash ?? assert.fail("no record")
    assert.deepStrictEqual(verify(tail, 1, anchor), { ...sound(tail), checked: 2 })
    assert.deepStrictEqual(verify(tail, 1), { valid: false, firstBroken: 1, checked: 1, head: genesis })
    assert.deepStrictEqual(verify(tail, 0, anchor), { valid: false, firstBroken: 0, checked: 1, head: anchor })
  })

  // What the hash would not show, as these values are written with the bytes of those that they
  // replace.
  const disguised: ReadonlyArray<readonly [name: string, bend: object]> = [
    ["a size that is text", { size: "11" }],
    ["a size that is an array", { size: [11] }],
    ["a size with a fraction", { size: 11.5 }],
    ["a size 2^64 above", { size: 11 + 2 ** 64 }],
    ["a size that is a bigint", { size: 11n }],
    ["a time that is text", { timestamp: "1760000000002" }],
    ["a time that is a Date", { timestamp: new Date(1_760_000_000_002) }],
    ["a reason that is none", { reason: "request" }],
    ["no reason", { reason: undefined }],
    ["a field too many", { note: "approved" }],
    ["a field of another record", { compressedSize: 5 }],
    ["a destination that is no text", { destination: ["file:\ufffd"] }],
    ["a destination of 4,097 bytes", { destination: `file:${"a".repeat(4_092)}` }],
    ["a lone surrogate for what it would be written as", { destination: "file:\ud800" }]
  ]
  it.each(disguised)("RFC A2 finds %s", (_name, bend) => {
    const records = chainOf([{ ...custody.evicted, destination: "file:\ufffd" }]).records()
    const [record] = records
    assert.isTrue(verify(records).valid)
    const bent = { ...record, entry: { ...record?.entry, ...bend } } as unknown as AuditRecord
    assert.deepStrictEqual(verify([bent]), brokenAt(records, 0))
  })

  const purge = custody.purged
  const bentPurges: ReadonlyArray<readonly [name: string, bend: object]> = [
    ["another reason", { reason: "panic" }],
    ["a reason that is none", { reason: "boredom" }],
    ["an eviction's reason", { reason: "capacity" }],
    ["a reason that is a number", { reason: 1 }],
    ["no reason", { reason: undefined }],
    ["another severity", { severity: "low" }],
    ["no severity", { severity: undefined }],
    ["a destination lost", { destination: null }],
    ["an eviction in its place", { status: "evicted", reason: "capacity" }],
    ["a compressed size", { compressedSize: 0 }]
  ]
  it.each(bentPurges)("RFC A1 of a purge finds %s", (_name, bend) => {
    const records = chainOf([purge, custody.neutralized]).records()
    const [record, next] = records
    assert.isTrue(verify(records).valid)
    const bent = { ...record, entry: { ...record?.entry, ...bend } } as unknown as AuditRecord
    assert.deepStrictEqual(verify([bent, next ?? bent]), brokenAt(records, 0))
  })

  it.each([custody.neutralized, custody.evacuated, custody.transferred, custody.evicted])(
    "RFC A1 finds a purge's reason on a record that is $status",
    (entry) => {
      const records = chainOf([entry]).records()
      const [record] = records
      const bent = { ...record, entry: { ...record?.entry, reason: "timeout" } } as unknown as AuditRecord
      assert.deepStrictEqual(verify([bent]), brokenAt(records, 0))
    }
  )

  it("RFC A1 refuses a value that is no record at all, and does not throw", () => {
    const records = chainOf([custody.evicted]).records()
    for (const value of [undefined, null, 0, "", [], {}, { entry: null }, { ...records[0], entry: undefined }])
      assert.deepStrictEqual(verify([...records, value as unknown as AuditRecord]), brokenAt(records, 1))
  })

  it("RFC A1 a field too many in the record itself is an edit", () => {
    const records = chainOf([custody.evicted]).records()
    const bent = { ...records[0], note: 1 } as unknown as AuditRecord
    assert.isFalse(verify([bent]).valid)
  })
})

describe("verifyRecords, given objects that JSON does not make", () => {
  const records = chainOf([custody.neutralized, custody.evicted, custody.purged]).records()
  const [, record] = records
  if (record === undefined) throw new Error("a chain without records")
  const { entry } = record
  const boom = (): never => {
    throw new Error("it runs code")
  }
  class Dressed {
    constructor(fields: object) {
      Object.assign(this, fields)
    }
    toJSON(): object {
      return { ...record, sequence: 7 }
    }
  }
  const hidden = (bag: object, field: PropertyKey, value: unknown = 1) =>
    Object.defineProperty({ ...bag }, field, { value, enumerable: false })
  const computed = (bag: object, field: string, get: () => unknown) =>
    Object.defineProperty({ ...bag }, field, { get, enumerable: true })

  /** Another answer at each reading: one to be checked, one to be hashed, one to be shown. */
  const wavering = () => {
    let reads = 0
    return computed(entry, "size", () => reads++ === 0 ? entry.size : entry.size + reads)
  }

  const odd: ReadonlyArray<readonly [name: string, value: unknown]> = [
    ["a hidden field beside", hidden(record, "note")],
    ["a hidden field beside those of its entry", { ...record, entry: hidden(entry, "note") }],
    ["a symbol beside", { ...record, [Symbol("note")]: 1 }],
    ["a symbol beside those of its entry", { ...record, entry: { ...entry, [Symbol.for("note")]: 1 } }],
    ["a field that is hidden", hidden(record, "hash", record.hash)],
    ["fields that are inherited", Object.create(record)],
    ["an entry whose fields are inherited", { ...record, entry: Object.create(entry) as object }],
    [
      "one field that is inherited",
      (() => {
        const { hash: inherited, ...rest } = record
        return Object.assign(Object.create({ hash: inherited }) as object, rest)
      })()
    ],
    ["a class", new Dressed(record)],
    ["an entry of a class", { ...record, entry: new Dressed(entry) }],
    ["a getter", computed(record, "hash", () => record.hash)],
    ["an entry that wavers", { ...record, entry: wavering() }],
    ["a getter that throws", computed(record, "hash", boom)],
    ["an entry that throws", computed(record, "entry", boom)],
    [
      "a Proxy that throws at everything",
      new Proxy(record, { get: boom, ownKeys: boom, getOwnPropertyDescriptor: boom })
    ],
    ["an array with its fields", Object.assign([], record)],
    ["a function with its fields", Object.assign(() => undefined, record)],
    ["null", null],
    ["undefined", undefined],
    ["a text", JSON.stringify(record)],
    ["a symbol", Symbol("record")],
    ["a number", 1]
  ]

  it.each(odd)("RFC A1 A2 is not deceived, and does not throw: %s", (_name, value) => {
    const given = records.with(1, value as AuditRecord)
    assert.deepStrictEqual(verify(given), brokenAt(records, 1))
  })

  it("RFC A1 takes fields in any order, and records without a prototype", () => {
    const turned = (bag: object) =>
      Object.assign(Object.create(null) as object, Object.fromEntries(Object.entries(bag).toReversed()))
    const given = records.map((each) => turned({ ...each, entry: turned(each.entry) }) as AuditRecord)
    assert.deepStrictEqual(verify(given), sound(records))
  })

  it("RFC A2 hashes what it has checked, whatever an object says the second time it is asked", () => {
    const other = { ...entry, size: entry.size + 1 }
    let reads = 0
    // It tells the truth to whoever reads it once.
    const two = new Proxy(record, {
      get: (target, key) => key === "entry" && reads++ > 1 ? other : Reflect.get(target, key) as unknown
    })
    const { firstBroken, valid } = verify(records.with(1, two))
    assert.strictEqual(valid, firstBroken === null)
  })

  const lists: ReadonlyArray<readonly [name: string, given: unknown, checked: number]> = [
    ["an object", {}, 1],
    ["undefined", undefined, 1],
    ["null", null, 1],
    ["a number", 7, 1],
    ["an iterator that throws at once", { [Symbol.iterator]: boom }, 1],
    ["an iterator that throws in the middle", {
      *[Symbol.iterator]() {
        yield* records.slice(0, 2)
        boom()
      }
    }, 3],
    ["a text", "records", 1],
    ["a Proxy that throws", new Proxy([], { get: boom }), 1]
  ]
  it.each(lists)("RFC A1 F5 no list of records: %s", (_name, given, checked) => {
    assert.deepStrictEqual(verify(given as ReadonlyArray<AuditRecord>), brokenAt(records, checked - 1))
  })

  it("RFC A1 F5 no anchor", () => {
    for (const anchor of [undefined, null, 7, Symbol("anchor"), {}, "", "0".repeat(63)]) {
      const report = verifyRecords(records, { anchor: anchor as string, from: 0, hash })
      assert.deepStrictEqual([report.valid, report.firstBroken, report.checked], [false, 0, 1])
    }
  })
})
