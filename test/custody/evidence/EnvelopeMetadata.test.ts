import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { parse, spell } from "../../../src/custody/evidence/EnvelopeMetadata.ts"
import { EvidenceRecord } from "../../../src/domain/Evidence.ts"
import { evidence } from "../../domain/samples.ts"
import { content } from "../../host/port/contract.ts"

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const utf8 = (spelled: string): Uint8Array => new TextEncoder().encode(spelled)

/** JSON knows no -0. */
const anyRecord = Arbitrary.map(Arbitrary.schema(EvidenceRecord), (record) => ({
  ...record,
  captured: record.captured + 0,
  scent: { ...record.scent, timestamp: record.scent.timestamp + 0 }
}))

/** Other spellings of the same record that JSON has. */
const respellings: ReadonlyArray<readonly [name: string, respell: (spelled: string) => string]> = [
  ["a space before", (spelled) => ` ${spelled}`],
  ["a line feed after", (spelled) => `${spelled}\n`],
  ["a byte order mark", (spelled) => `\ufeff${spelled}`],
  ["indented", (spelled) => JSON.stringify(JSON.parse(spelled), null, 2)],
  ["keys backwards", (spelled) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(spelled)).toReversed()))],
  ["a key twice", (spelled) => `{"hash":0,${spelled.slice(1)}`],
  ["a key more", (spelled) => `${spelled.slice(0, -1)},"a":1}`],
  ["its first key escaped", (spelled) => spelled.replace("signature", "\\u0073ignature")],
  ["its size as a fraction", (spelled) => spelled.replace(/"size":(\d+)/, "\"size\":$1.0")],
  ["its size with an exponent", (spelled) => spelled.replace(/"size":(\d+)/, "\"size\":$1e0")]
]

describe("metadata", () => {
  it.prop("RFC E6 is read back as it was spelled, whatever the record", [anyRecord], ([record]) => {
    const spelled = spell(record)
    assert.deepStrictEqual(parse(spelled), record)
    assert.strictEqual(text(spelled), JSON.stringify(parse(spelled)))
  })

  it.prop("RFC E6 has one spelling: every other of the same record is refused", [anyRecord], ([record]) => {
    const spelled = text(spell(record))
    for (const [name, respell] of respellings) {
      const other = respell(spelled)
      assert.notStrictEqual(other, spelled, name)
      assert.isNull(parse(utf8(other)), name)
    }
  })

  it("RFC E6 the spelling does not depend on how the object was made", () => {
    const { captured, category, hash, scent, severity, signature, size } = evidence
    const { id, source, timestamp } = scent
    const made = {
      scent: { timestamp, source, id, note: 1 },
      size,
      severity,
      hash,
      signature,
      note: 2,
      category,
      captured
    }
    assert.strictEqual(text(spell(made)), JSON.stringify(evidence))
  })

  it("RFC E6 a time of -0 is spelled 0, and -0 is another spelling", () => {
    const spelled = text(spell({ ...evidence, captured: -0 }))
    assert.include(spelled, "\"captured\":0,")
    assert.isTrue(Object.is(parse(utf8(spelled))?.captured, 0))
    assert.isNull(parse(utf8(spelled.replace("\"captured\":0,", "\"captured\":-0,"))))
  })

  it("RFC E6 the longest has 3,402 bytes, as spec/envelope.md says", () => {
    const widest: EvidenceRecord = {
      ...evidence,
      signature: `injection:${evidence.hash}`,
      category: "injection",
      severity: "critical",
      size: 0xffff_ffff,
      captured: -Number.MAX_VALUE,
      // A control character takes six bytes in JSON, and is one of UTF-8.
      scent: { id: "\u0001".repeat(256), source: "\u001f".repeat(256), timestamp: -2.2250738585072014e-308 }
    }
    assert.strictEqual(spell(widest).length, 3_402)
    assert.deepStrictEqual(parse(spell(widest)), widest)
  })

  it.prop("RFC E6 garbage is no record, and no exception", [content], ([garbage]) => {
    assert.isNull(parse(garbage))
  })

  it("RFC E6 65,535 bytes of brackets are no record, and no exception", () => {
    assert.isNull(parse(utf8("[".repeat(65_535))))
    assert.isNull(parse(utf8("{\"scent\":".repeat(7_000))))
  })
})

/** Schema's own check of what spec/envelope.md's table says of each key. */
describe("the bounds of the metadata", () => {
  const accepts = Schema.is(EvidenceRecord)
  const scented = (over: object) => ({ ...evidence, scent: { ...evidence.scent, ...over } })
  it.each([
    ["an id of 256 bytes", scented({ id: "é".repeat(128) }), true],
    ["an id of 257 bytes", scented({ id: `${"é".repeat(128)}a` }), false],
    ["85 lone surrogates", scented({ id: "\ud800".repeat(85) }), true],
    ["86 lone surrogates", scented({ id: "\ud800".repeat(86) }), false],
    ["a negative size", { ...evidence, size: -1 }, false],
    ["a fraction of a size", { ...evidence, size: 0.5 }, false],
    ["a fraction of a time", { ...evidence, captured: 0.5 }, true],
    ["an infinite time", { ...evidence, captured: Number.POSITIVE_INFINITY }, false]
  ])("RFC E6 %s", (_name, record, isGood) => {
    assert.strictEqual(accepts(record), isGood)
    assert.strictEqual(parse(utf8(JSON.stringify(record))) !== null, isGood)
  })
})
