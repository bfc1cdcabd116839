import { assert, describe, it } from "@effect/vitest"
import { makeEncoder } from "../../../src/custody/audit/Verify.ts"
import type { CustodyRecord } from "../../../src/domain/Records.ts"
import { custody } from "../../domain/samples.ts"
import { anyEntry, bentFields } from "./entries.ts"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const encode = (sequence: number, entry: CustodyRecord): string => hex(makeEncoder()(sequence, entry))

const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}
const f64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes
}

/** The table of AuditRow.ts, followed by hand. */
const byHand = (
  sequence: number,
  entry: CustodyRecord,
  [status, severity, flags]: readonly [status: number, severity: number, flags: number],
  compressedSize: number,
  destination: string
): string => {
  const [category = "", digest = ""] = entry.signature.split(":")
  const tail = Buffer.from(destination, "utf8")
  const length = Buffer.alloc(4)
  length.writeUInt32BE(tail.length)
  return Buffer.concat([
    Buffer.from("THA3", "latin1"),
    Buffer.from(entry.previousHash, "hex"),
    u64(sequence),
    Buffer.of(
      status,
      1 + ["injection", "ddos", "flood", "spam", "malware", "unknown"].indexOf(category),
      severity,
      flags
    ),
    f64(entry.timestamp),
    u64(entry.size),
    u64(compressedSize),
    Buffer.from(entry.hash, "hex"),
    Buffer.from(digest, "hex"),
    Buffer.from(entry.id.replaceAll("-", ""), "hex"),
    length,
    tail
  ]).toString("hex")
}

describe("an audit record as bytes", () => {
  it("RFC A2 is the table, for each of the five records", () => {
    const large = 2 ** 53 - 1
    const { evacuated, evicted, neutralized, purged, transferred } = custody
    const huge = { ...evacuated, size: large, compressedSize: 2 ** 32, timestamp: -1.5, destination: "file:é€😀" }
    assert.strictEqual(encode(0, neutralized), byHand(0, neutralized, [1, 0, 0], 0, ""))
    assert.strictEqual(encode(7, evacuated), byHand(7, evacuated, [2, 0, 3], 31, "file:./evidence"))
    assert.strictEqual(encode(large, huge), byHand(large, huge, [2, 0, 3], 2 ** 32, "file:é€😀"))
    assert.strictEqual(encode(1, transferred), byHand(1, transferred, [3, 0, 0], 0, ""))
    for (const category of ["injection", "ddos", "flood", "spam", "malware", "unknown"]) {
      const entry = { ...transferred, signature: `${category}:${"cd".repeat(32)}` }
      assert.strictEqual(encode(1, entry), byHand(1, entry, [3, 0, 0], 0, ""))
    }
    for (const [rank, severity] of (["low", "medium", "high", "critical"] as const).entries()) {
      const entry = { ...evicted, severity }
      assert.strictEqual(encode(2, entry), byHand(2, entry, [4, rank + 1, 0], 0, ""))
      assert.strictEqual(encode(2, { ...entry, destination: "" }), byHand(2, entry, [4, rank + 1, 2], 0, ""))
      for (const [place, reason] of (["timeout", "error", "abort", "panic"] as const).entries()) {
        const lost = { ...purged, severity, reason, destination: null }
        const kept = { ...lost, destination: "file:é" }
        assert.strictEqual(encode(3, lost), byHand(3, lost, [5, rank + 1, 16 * (place + 1)], 0, ""))
        assert.strictEqual(encode(3, kept), byHand(3, kept, [5, rank + 1, 16 * (place + 1) + 2], 0, "file:é"))
      }
    }
  })

  it("RFC A2 is this, byte for byte", () => {
    assert.strictEqual(
      encode(258, custody.evicted),
      [
        "54484133",
        "00".repeat(32),
        "0000000000000102",
        "04010100",
        "42799c82cc002000",
        "000000000000000b",
        "0000000000000000",
        "ab".repeat(32),
        "ab".repeat(32),
        "01890a5dac96774bbcceb302099a80570a1b2c3d",
        "00000000"
      ].join("")
    )
    assert.strictEqual(
      encode(1, { ...custody.purged, reason: "panic", destination: "é" }),
      [
        "54484133",
        "00".repeat(32),
        "0000000000000001",
        "05010342",
        "42799c82cc002000",
        "000000000000000b",
        "0000000000000000",
        "ab".repeat(32),
        "ab".repeat(32),
        "01890a5dac96774bbcceb302099a80570a1b2c3d",
        "00000002",
        "c3a9"
      ].join("")
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

  it("RFC A2 nothing, the empty text and -0 are told apart", () => {
    const { evicted } = custody
    assert.notStrictEqual(encode(0, { ...evicted, destination: null }), encode(0, { ...evicted, destination: "" }))
    assert.notStrictEqual(encode(0, { ...evicted, timestamp: -0 }), encode(0, { ...evicted, timestamp: 0 }))
  })

  it("RFC A2 one encoder used again leaves nothing of the record before, however long that was", () => {
    const encoder = makeEncoder()
    for (const length of [0, 10, 900, 1_000, 5_000, 100_000, 3, 0]) {
      const entry = { ...custody.evacuated, destination: "€".repeat(length) }
      assert.strictEqual(hex(encoder(1, entry)), byHand(1, entry, [2, 0, 3], 31, entry.destination))
      const { neutralized } = custody
      assert.strictEqual(hex(encoder(1, neutralized)), byHand(1, neutralized, [1, 0, 0], 0, ""))
      const purged = { ...custody.purged, destination: null }
      assert.strictEqual(hex(encoder(1, purged)), byHand(1, purged, [5, 3, 16], 0, ""))
      assert.strictEqual(hex(encoder(1, custody.transferred)), byHand(1, custody.transferred, [3, 0, 0], 0, ""))
    }
  })
})
