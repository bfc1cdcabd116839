import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type AuditFacts, factsOf } from "../../../src/custody/audit/AuditFacts.ts"
import { genesis, type HashChain, makeHashChain } from "../../../src/custody/audit/HashChain.ts"
import { makeEncoder, verifyRecords } from "../../../src/custody/audit/Verify.ts"
import { type AuditRecord, CustodyRecord, PurgeReason } from "../../../src/domain/Records.ts"
import { threatCategories } from "../../../src/domain/Scent.ts"
import { severities } from "../../../src/domain/Severity.ts"
import { hash } from "./entries.ts"

interface Vector {
  readonly name: string
  readonly anchor?: string
  readonly from?: number
  readonly records: ReadonlyArray<AuditRecord>
}

interface GoodVector extends Vector {
  readonly texts: ReadonlyArray<string>
  readonly head: string
  readonly checkpoint: { readonly length: number; readonly head: string; readonly hash: string }
}

interface BadVector extends Vector {
  /** The head that the verifier knows. */
  readonly head?: string
  readonly firstBroken: number
}

const file = readFileSync(join(import.meta.dirname, "../../../spec/vectors/audit.json"))
const { bad, good } = JSON.parse(file.toString("utf8")) as {
  readonly good: ReadonlyArray<GoodVector>
  readonly bad: ReadonlyArray<BadVector>
}

const isWhole = ({ from }: Vector): boolean => from === undefined
const wholes = good.filter(isWhole)

const verify = ({ anchor = genesis, from = 0, records }: Vector) => verifyRecords(records, { anchor, from, hash })

const chainOf = (facts: Iterable<AuditFacts>, maxRecords = 1_000): HashChain => {
  const chain = makeHashChain({ chainEnabled: true, maxRecords, hash })
  for (const each of facts) chain.append(each)
  return chain
}
const factsIn = ({ records }: Vector) => records.map(({ entry }) => factsOf(entry))
const named = (name: string): GoodVector => good.find((vector) => vector.name === name) ?? assert.fail(name)

describe("the vectors of the audit chain", () => {
  it.each(good)("RFC A1 holds: $name", (vector) => {
    const { from = 0, head, records } = vector
    assert.deepStrictEqual(verify(vector), { valid: true, firstBroken: null, checked: records.length, head })
    assert.strictEqual(vector.checkpoint.length, from + records.length)
  })

  it.each(bad)("RFC A1 is broken: $name", (vector) => {
    const { anchor = genesis, firstBroken, from = 0, head, records } = vector
    const report = verify(vector)
    if (!report.valid) {
      assert.strictEqual(report.firstBroken, firstBroken)
      assert.strictEqual(report.checked, firstBroken - from + 1)
      assert.strictEqual(report.head, firstBroken === from ? anchor : records[firstBroken - from - 1]?.hash)
      return
    }
    // All that is there holds: only who knows the head can tell.
    assert.notStrictEqual(report.head, head ?? assert.fail("it holds, and no head is known"))
    assert.strictEqual(from + report.checked, firstBroken)
  })

  it.each(good)("RFC A2 has these texts: $name", ({ records, texts }) => {
    const encode = makeEncoder()
    const encoded = records.map(({ entry, sequence }) => Buffer.from(encode(sequence, entry)).toString("utf8"))
    assert.deepStrictEqual(encoded, texts.map((text) => `\0${text}`))
  })

  it.each(wholes)("RFC A1 is what the chain writes: $name", (vector) => {
    const chain = chainOf(factsIn(vector))
    assert.deepStrictEqual(chain.records(), vector.records)
    assert.strictEqual(chain.lastHash, vector.head)
    assert.isTrue(chain.inspect(vector.head).valid)
  })

  it.each(wholes)("RFC A1 has this checkpoint once its records have left: $name", (vector) => {
    const [one] = factsIn(named("each status"))
    const chain = chainOf([...factsIn(vector), one ?? assert.fail("no record")], 1)
    assert.deepStrictEqual(chain.checkpoint, vector.checkpoint)
  })

  it("RFC A1 a run from a checkpoint holds the records that the chain keeps beside it", () => {
    const run = named("from a checkpoint: each status, after two")
    const chain = chainOf(factsIn(named("each status")), run.records.length)
    assert.deepStrictEqual(chain.records(), run.records)
    assert.strictEqual(chain.checkpoint.length, run.from)
    assert.strictEqual(chain.checkpoint.head, run.anchor)
    assert.deepStrictEqual(chain.checkpoint, {
      ...chain.checkpoint,
      ...named("from a checkpoint: no records").checkpoint
    })
  })

  it.each(bad.filter((vector) => isWhole(vector) && vector.head !== undefined && verify(vector).valid))(
    "RFC A1 the chain itself finds it, given the head that is known: $name",
    (vector) => {
      const { firstBroken, valid } = chainOf(factsIn(vector)).inspect(vector.head)
      assert.deepStrictEqual({ firstBroken, valid }, { firstBroken: vector.firstBroken, valid: false })
    }
  )

  it("RFC A2 a destination with lone surrogates is written with U+FFFD in their places", () => {
    const vector = named("a destination that was given with lone surrogates")
    const given = factsIn(vector).map((facts) => ({ ...facts, destination: "file:\udc00\ud800/\ud83d😀" }))
    assert.deepStrictEqual(chainOf(given).records(), vector.records)
  })

  it("RFC A3 without a chain, its hashes are zeros and it has no checkpoint", () => {
    const vector = bad.find(({ name }) => name === "written without chaining") ?? assert.fail("no such vector")
    const chain = makeHashChain({ chainEnabled: false, maxRecords: 1_000, hash })
    for (const facts of factsIn(vector)) chain.append(facts)
    assert.deepStrictEqual(chain.records(), vector.records)
    assert.deepStrictEqual(chain.checkpoint, { length: 0, head: genesis, hash: genesis })
  })
})

describe("the vectors themselves", () => {
  it("RFC A2 each has a name and a question of its own, and the file is small", () => {
    const all = [...good, ...bad]
    assert.strictEqual(new Set(all.map(({ name }) => name)).size, all.length)
    const questions = [
      ...good.map(({ anchor, from, records }) => JSON.stringify([anchor, from, records])),
      ...bad.map(({ anchor, from, head, records }) => JSON.stringify([anchor, from, records, head]))
    ]
    assert.strictEqual(new Set(questions).size, all.length)
    assert.isBelow(file.length, 200_000)
  })

  it("RFC A1 meet a purge for every reason and severity, kept and lost", () => {
    const purges = good.flatMap(({ records }) =>
      records.flatMap(({ entry }) => entry.status === "purged" ? [entry] : [])
    )
    assert.sameMembers(
      [...new Set(purges.map(({ destination, reason }) => `${reason} ${destination === null}`))],
      PurgeReason.literals.flatMap((reason) => [`${reason} true`, `${reason} false`])
    )
    assert.sameMembers([...new Set(purges.map(({ severity }) => severity))], [...severities])
  })

  it("RFC A2 meet every status, category and severity, and every bound", () => {
    const entries = good.flatMap(({ records }) => records.map(({ entry }) => entry))
    assert.sameMembers(
      [...new Set(entries.map(({ status }) => status))],
      CustodyRecord.members.map(({ fields }) => fields.status.literal)
    )
    assert.sameMembers([...new Set(entries.map(({ signature }) => signature.split(":")[0]))], [...threatCategories])
    assert.sameMembers(
      [...new Set(entries.flatMap((entry) => entry.status === "evicted" ? [entry.severity] : []))],
      [...severities]
    )
    const sizes = entries.map(({ size }) => size)
    const compressed = entries.flatMap((entry) => entry.status === "evacuated" ? [entry.compressedSize] : [])
    for (const bound of [0, Number.MAX_SAFE_INTEGER]) {
      assert.include(sizes, bound)
      assert.include(compressed, bound)
    }
    assert.isTrue(entries.some(({ timestamp }) => timestamp < 0 && !Number.isInteger(timestamp)))
    const destinations = entries.map((entry) => "destination" in entry ? entry.destination : undefined)
    assert.includeMembers(destinations, [null, "", undefined])
    assert.isTrue(destinations.some((text) => (text?.length ?? 0) > 255))
  })
})
