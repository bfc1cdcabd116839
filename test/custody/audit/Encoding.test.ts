import { assert, describe, it } from "@effect/vitest"
import canonicalize from "canonicalize"
import { makeEncoder } from "../../../src/custody/audit/Verify.ts"
import type { CustodyRecord } from "../../../src/domain/Records.ts"
import { custody } from "../../domain/samples.ts"
import { anyEntry, bentFields, entries } from "./entries.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const encode = (sequence: number, entry: CustodyRecord, encoder = makeEncoder()): string =>
  utf8.decode(encoder(sequence, entry))

/** The record as spec/ledger.md has it, by a library for canonical JSON. */
const byHand = (sequence: number, entry: CustodyRecord): string => {
  const { hash, previousHash, status, timestamp, ...rest } = entry
  const fields = { ...rest, action: status, actor: "tracehound", payloadHash: hash, previous: previousHash, sequence }
  return `\0${canonicalize({ ...fields, time: timestamp })}`
}

describe("an audit record as text", () => {
  it.prop("RFC A2 is canonical JSON, whatever came before it", [entries(30)], ([given]) => {
    const encoder = makeEncoder()
    for (const [at, entry] of given.entries()) {
      const sequence = at * 37
      assert.strictEqual(encode(sequence, entry, encoder), byHand(sequence, entry))
    }
  }, { arbitrary: { runs: 30, size: 30 } })

  it("RFC A2 is canonical JSON for each status, category, severity and reason, and at every bound", () => {
    const { evacuated, evicted, neutralized, purged, transferred } = custody
    const encoder = makeEncoder()
    const large = 2 ** 53 - 1
    const categories = ["injection", "ddos", "flood", "spam", "malware", "unknown"].map((category) => ({
      ...transferred,
      signature: `${category}:${"cd".repeat(32)}`
    }))
    const lost = (["low", "medium", "high", "critical"] as const).flatMap((severity) => [
      { ...evicted, severity },
      { ...evicted, severity, destination: "" },
      ...(["timeout", "error", "abort", "panic"] as const).flatMap((reason) =>
        [null, "file:é"].map((destination) => ({ ...purged, severity, reason, destination }))
      )
    ])
    const sizes = [0, 9, 10, 999_999_999, 1_000_000_000, 1_000_000_001, 2 ** 32, large].flatMap((size) => [
      { ...neutralized, size },
      { ...evacuated, size, compressedSize: size, destination: "file:\u0001\"\\/\u007fé€😀" }
    ])
    const times = [0, 1, 5e-324, -1.5, 0.1, 1e21, -large, large, 1.7976931348623157e308].map((timestamp) => ({
      ...neutralized,
      timestamp
    }))
    for (const entry of [neutralized, evacuated, ...categories, ...lost, ...sizes, ...times]) {
      for (const sequence of [0, 9, 10, 99, 100, 123_456_789, 9_999_999_999, large])
        assert.strictEqual(encode(sequence, entry, encoder), byHand(sequence, entry))
    }
  })

  it("RFC A2 is this, byte for byte", () => {
    assert.strictEqual(
      encode(1, { ...custody.purged, reason: "panic", destination: "é" }),
      `\0{"action":"purged","actor":"tracehound","destination":"é","id":"01890a5d-ac96-774b-bcce-b302099a8057-0a1b2c3d",` +
        `"payloadHash":"${"ab".repeat(32)}","previous":"${"00".repeat(32)}","reason":"panic","sequence":1,` +
        `"severity":"high","signature":"injection:${"ab".repeat(32)}","size":11,"time":1760000000002}`
    )
  })

  it.prop("RFC A2 two different entries never have the same bytes", [anyEntry, anyEntry], ([a, b]) => {
    assert.strictEqual(JSON.stringify(a) === JSON.stringify(b), encode(3, a) === encode(3, b))
  }, { arbitrary: { runs: 100 } })

  it.prop("RFC A2 no field can be bent without its bytes changing", [anyEntry], ([entry]) => {
    const record = { sequence: 5, previousHash: entry.previousHash, hash: entry.hash, entry }
    const before = encode(5, entry)
    for (const [field, bent] of bentFields(record)) {
      // An eviction has one reason only, which its status says.
      if (!field.startsWith("entry.") || (field === "entry.reason" && entry.status === "evicted")) continue
      assert.notStrictEqual(encode(5, bent.entry), before, field)
    }
    assert.notStrictEqual(encode(6, entry), before)
  }, { arbitrary: { runs: 60 } })

  it("RFC A2 nothing and the empty text are told apart; -0 is written as 0", () => {
    const { evicted } = custody
    assert.notStrictEqual(encode(0, { ...evicted, destination: null }), encode(0, { ...evicted, destination: "" }))
    assert.strictEqual(encode(0, { ...evicted, timestamp: -0 }), encode(0, { ...evicted, timestamp: 0 }))
  })

  it("RFC A2 one encoder used again leaves nothing of the record before, however long that was", () => {
    const encoder = makeEncoder()
    for (const length of [0, 10, 900, 1_000, 1_365, 3, 0]) {
      const entry = { ...custody.evacuated, destination: "€".repeat(length) }
      for (const each of [entry, custody.neutralized, { ...custody.purged, destination: null }, custody.transferred])
        assert.strictEqual(encode(1, each, encoder), byHand(1, each))
    }
  })
})
