import { assert, describe, it } from "@effect/vitest"
import { open, seal } from "../../src/evidence/Envelope.ts"
import { evidence } from "../domain/samples.ts"
import { byHand, fitted, gzip, hash, hosts, outcome, sha256 } from "./envelopes.ts"

const content = new TextEncoder().encode("evidence evidence evidence")
const record = fitted(evidence, content)
const [, ports] = hosts[0] ?? assert.fail("no host")

describe("the envelope's table", () => {
  it("RFC E6 seal writes every field where the table has it", () => {
    const body = gzip(content)
    const envelope = seal(record, "gzip", body, hash)
    const metadata = JSON.stringify(record)
    const at = Buffer.from(envelope)
    assert.strictEqual(at.toString("latin1", 0, 4), "THEV")
    assert.strictEqual(at.readUInt8(4), 1, "version")
    assert.strictEqual(at.readUInt8(5), 1, "codec")
    assert.strictEqual(at.readUInt16BE(6), metadata.length, "M")
    assert.strictEqual(at.readUInt32BE(8), content.length, "N")
    assert.strictEqual(at.readUInt32BE(12), body.length, "B")
    assert.strictEqual(at.toString("hex", 16, 48), record.hash)
    assert.strictEqual(at.toString("utf8", 48, 48 + metadata.length), metadata)
    assert.deepStrictEqual(envelope.subarray(48 + metadata.length, 48 + metadata.length + body.length), body)
    assert.strictEqual(at.length, 48 + metadata.length + body.length + 32)
    assert.deepStrictEqual(at.subarray(-32), sha256(envelope.subarray(0, -32)))
  })

  it("RFC E6 seal writes what the table, followed by hand, gives", () => {
    assert.deepStrictEqual(seal(record, "gzip", gzip(content), hash), byHand({ content }))
    assert.deepStrictEqual(seal(record, "stored", content, hash), byHand({ content, codec: 0 }))
    const empty = new Uint8Array(0)
    assert.deepStrictEqual(seal(fitted(evidence, empty), "stored", empty, hash), byHand({ content: empty, codec: 0 }))
  })

  it.each(hosts)("RFC E6 %s opens an envelope built by hand, under either codec", (_name, ports) => {
    for (const codec of [0, 1]) {
      const opened = open(byHand({ content, codec }), content.length, ports)
      assert.deepStrictEqual(opened.record, record)
      assert.deepStrictEqual(opened.content, content)
    }
  })

  it("RFC E6 the metadata is UTF-8, and has room for the largest record there is", () => {
    const widest = fitted({
      ...evidence,
      severity: "critical",
      captured: -Number.MAX_VALUE,
      // A control character takes six bytes in JSON, and is one of UTF-8.
      scent: { id: "\u0001".repeat(256), source: "\u001f".repeat(256), timestamp: -Number.MIN_VALUE }
    }, content)
    assert.isBelow(JSON.stringify(widest).length, 0xffff)
    assert.deepStrictEqual(open(seal(widest, "stored", content, hash), 1_000, ports).record, widest)
    const wide = { ...record, scent: { id: "é€😀", source: "\ud800", timestamp: 0.1 } }
    assert.deepStrictEqual(open(seal(wide, "stored", content, hash), 1_000, ports).record, wide)
  })

  it("a time of -0 comes back as 0, as the metadata is JSON", () => {
    const early = { ...record, scent: { ...record.scent, timestamp: -0 } }
    assert.isTrue(Object.is(open(seal(early, "stored", content, hash), 1_000, ports).record.scent.timestamp, 0))
  })
})

/** Each of these is sealed: only the field that is named is wrong. */
const unsound: ReadonlyArray<readonly [name: string, envelope: Uint8Array, reason: string]> = [
  ["another magic", byHand({ magic: "THEW" }), "not_an_envelope"],
  ["the magic in small letters", byHand({ magic: "thev" }), "not_an_envelope"],
  ["version 0", byHand({ version: 0 }), "unknown_version"],
  ["version 2", byHand({ version: 2 }), "unknown_version"],
  ["version 255", byHand({ version: 255 }), "unknown_version"],
  ["codec 2", byHand({ codec: 2 }), "unknown_codec"],
  ["codec 255", byHand({ codec: 255 }), "unknown_codec"],
  ["metadata said to be longer", byHand({ metadataLength: 0xffff }), "damaged"],
  ["metadata said to be shorter", byHand({ metadataLength: 0 }), "damaged"],
  ["a body said to be longer", byHand({ bodyLength: 0xffff_ffff }), "damaged"],
  ["a body said to be shorter", byHand({ bodyLength: 0 }), "damaged"],
  ["less evidence than there is", byHand({ size: 25 }), "damaged"],
  ["more evidence than there is", byHand({ size: 27 }), "damaged"],
  ["less stored evidence than there is", byHand({ size: 25, codec: 0 }), "damaged"],
  ["more stored evidence than there is", byHand({ size: 27, codec: 0 }), "damaged"],
  ["no evidence where there is some", byHand({ size: 0 }), "damaged"],
  ["4 GiB of evidence", byHand({ size: 0xffff_ffff }), "too_large"],
  ["the digest of other evidence", byHand({ digest: sha256(Uint8Array.of(1)) }), "damaged"],
  ["a seal of zeros", byHand({ seal: new Uint8Array(32) }), "damaged"],
  ["a body that is no gzip", byHand({ body: content }), "damaged"],
  ["no body", byHand({ body: new Uint8Array(0) }), "damaged"],
  ["a body pressed twice", byHand({ body: gzip(gzip(content)) }), "damaged"],
  ["no metadata", byHand({ metadata: new Uint8Array(0) }), "damaged"],
  ["metadata that is no JSON", byHand({ metadata: Buffer.from("{") }), "damaged"],
  ["metadata that is no record", byHand({ metadata: Buffer.from("{}") }), "damaged"],
  ["metadata that is no UTF-8", byHand({ metadata: Uint8Array.of(0x22, 0xff, 0x22) }), "damaged"],
  [
    "the metadata of evidence of another size",
    byHand({ metadata: Buffer.from(JSON.stringify({ ...record, size: record.size + 1 })) }),
    "damaged"
  ],
  [
    "the metadata of other evidence",
    byHand({ metadata: Buffer.from(JSON.stringify({ ...record, hash: "0".repeat(64) })) }),
    "damaged"
  ],
  [
    "metadata with a source past its bound",
    byHand({
      metadata: Buffer.from(JSON.stringify({ ...record, scent: { ...record.scent, source: "a".repeat(257) } }))
    }),
    "damaged"
  ],
  [
    "metadata nested 20,000 deep",
    byHand({ metadata: Buffer.from("[".repeat(20_000) + "]".repeat(20_000)) }),
    "damaged"
  ],
  ["nothing", new Uint8Array(0), "not_an_envelope"],
  ["the magic alone", Buffer.from("THEV"), "not_an_envelope"],
  ["79 bytes", byHand().subarray(0, 79), "not_an_envelope"]
]

describe("an envelope that is not sound", () => {
  it.each(unsound)("RFC E6 %s", (_name, envelope, reason) => {
    for (const [name, ports] of hosts) assert.strictEqual(outcome(() => open(envelope, 1_000_000, ports)), reason, name)
  })

  it("RFC E6 memory that was taken away is no envelope, and no exception of another kind", () => {
    const envelope = byHand()
    envelope.buffer.transfer()
    assert.strictEqual(outcome(() => open(envelope, 1_000, ports)), "not_an_envelope")
  })
})
