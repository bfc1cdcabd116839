import { assert, describe, it } from "@effect/vitest"
import * as zlib from "node:zlib"
import { EnvelopeError, type EnvelopePorts, open, seal } from "../../../src/custody/evidence/Envelope.ts"
import { codecs } from "../../../src/domain/Codec.ts"
import { CompressionError } from "../../../src/host/port/Compression.ts"
import { evidence } from "../../domain/samples.ts"
import { noise } from "../../host/port/contract.ts"
import { byHand, compress, fitted, gzip, hash, hosts, outcome, sha256 } from "./envelopes.ts"

const content = new TextEncoder().encode("evidence evidence evidence")
const record = fitted(evidence, content)
const [, ports] = hosts[0] ?? assert.fail("no host")

/** The error that this throws. */
const refusalOf = (open: () => unknown): EnvelopeError => {
  try {
    open()
  } catch (error) {
    if (error instanceof EnvelopeError) return error
  }
  return assert.fail("no EnvelopeError")
}

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
    for (const [number, codec] of codecs.entries())
      assert.deepStrictEqual(seal(record, codec, compress[codec](content), hash), byHand({ content, codec: number }))
    const empty = new Uint8Array(0)
    assert.deepStrictEqual(seal(fitted(evidence, empty), "stored", empty, hash), byHand({ content: empty, codec: 0 }))
  })

  it.each(hosts)("RFC E6 E7 %s opens an envelope built by hand, under each codec it has", (_name, ports) => {
    for (const codec of ports.compression.codecs.map((codec) => codecs.indexOf(codec))) {
      const opened = open(byHand({ content, codec }), content.length, ports)
      assert.deepStrictEqual(opened.record, record)
      assert.deepStrictEqual(opened.content, content)
    }
  })
})

describe("a host without a codec", () => {
  const [, portable] = hosts[1] ?? assert.fail("no second host")

  it.each(["zstd", "brotli"] as const)(
    "RFC E7 names the codec %s that it lacks, the codecs that it has, and what to do",
    (codec) => {
      const envelope = seal(record, codec, compress[codec](content), hash)
      const error = refusalOf(() => open(envelope, 1_000, portable))
      assert.strictEqual(error.reason, "codec_unavailable")
      assert.include(error.message, `its body is ${codec}`)
      assert.include(error.message, "stored, gzip")
      assert.include(error.message, "Node 22.15")
      assert.deepStrictEqual(open(envelope, 1_000, ports).content, content)
    }
  )

  it("RFC E7 reports damage of the envelope before a missing codec", () => {
    const over = { codec: 2, content }
    assert.strictEqual(outcome(() => open(byHand(over), content.length - 1, portable)), "too_large")
    assert.strictEqual(outcome(() => open(byHand(over).subarray(0, -1), 1_000, portable)), "damaged")
    assert.strictEqual(
      outcome(() => open(byHand({ ...over, metadata: Buffer.from("{}") }), 1_000, portable)),
      "inconsistent"
    )
  })
})

describe("a host that fails", () => {
  const failing = (error: Error): EnvelopePorts => ({
    hash,
    compression: {
      codecs,
      openSync: () => {
        throw error
      }
    }
  })
  const reasons = [
    ["corrupt", "inconsistent"],
    ["too_large", "inconsistent"],
    ["unsupported", "codec_unavailable"],
    ["host", "host"]
  ] as const

  it.each(reasons)("RFC F5 with a CompressionError of %s gives %s", (reason, expected) => {
    const error = new CompressionError({ reason, message: "secret" })
    const refusal = refusalOf(() => open(byHand(), 1_000, failing(error)))
    assert.strictEqual(refusal.reason, expected)
    assert.notInclude(refusal.message, "secret")
  })

  it("RFC F5 with anything else does not blame the envelope", () => {
    assert.strictEqual(outcome(() => open(byHand(), 1_000, failing(new RangeError("out of memory")))), "host")
  })
})

describe("an envelope in memory that is gone", () => {
  it("RFC E6 is no envelope, and no exception of another kind", () => {
    const envelope = byHand()
    envelope.buffer.transfer()
    assert.strictEqual(outcome(() => open(envelope, 1_000, ports)), "not_an_envelope")
  })
})

describe("a body of many blocks", () => {
  it.each(codecs)("RFC E6 opens under %s, whatever made it", (codec) => {
    for (const bytes of [noise(400_000), new Uint8Array(3_000_000).fill(7), noise(300_000).map((byte) => byte % 5)]) {
      const opened = open(seal(fitted(evidence, bytes), codec, compress[codec](bytes), hash), bytes.length, ports)
      assert.strictEqual(Buffer.compare(opened.content, bytes), 0)
    }
  })

  it("RFC E6 a zstd frame of every header that its writer can make", () => {
    const { ZSTD_c_checksumFlag, ZSTD_c_compressionLevel, ZSTD_c_contentSizeFlag } = zlib.constants
    for (const size of [0, 1, 255, 256, 65_791, 65_792, 200_000]) {
      const bytes = noise(size)
      for (const level of [1, 19]) {
        for (const flags of [0, 1, 2, 3]) {
          const params = {
            [ZSTD_c_compressionLevel]: level,
            [ZSTD_c_checksumFlag]: flags & 1,
            [ZSTD_c_contentSizeFlag]: flags >> 1
          }
          const body = zlib.zstdCompressSync(bytes, { params })
          const opened = open(seal(fitted(evidence, bytes), "zstd", body, hash), size, ports)
          assert.strictEqual(Buffer.compare(opened.content, bytes), 0, `${size} ${level} ${flags}`)
        }
      }
    }
  })
})
