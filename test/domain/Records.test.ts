import { assert, describe, it } from "@effect/vitest"
import { Equal, Schema } from "effect"
import {
  Alert,
  AuditRecord,
  CustodyRecord,
  EvacuateRecord,
  EvictionRecord,
  EvidenceRecord,
  NeutralizationRecord,
  PurgedRecord,
  PurgeReason,
  PurgeRecord,
  SecureId,
  Sha256Hex,
  Signature,
  Threat,
  TracehoundError,
  TransferRecord,
  WatcherSnapshot
} from "../../src/index.ts"
import { audit, custody, digest, evidence, purge, scent, secureId, signature } from "./samples.ts"

const isDigest = Schema.is(Sha256Hex)
const isSignature = Schema.is(Signature)
const isId = Schema.is(SecureId)

describe("names", () => {
  it("RFC A2 a digest is 64 lowercase hexadecimal characters and nothing else", () => {
    assert.isTrue(isDigest(digest))
    for (
      const bad of ["", digest.toUpperCase(), digest.slice(1), `${digest}0`, `${digest}\n`, `\n${digest}`, ` ${digest}`]
    ) {
      assert.isFalse(isDigest(bad))
    }
    assert.isFalse(isDigest(`${"a".repeat(63)}\u0430`))
    assert.isFalse(isDigest([digest]))
  })

  it("RFC D3 a signature is a category of the RFC, a colon and a digest", () => {
    for (const category of ["injection", "ddos", "flood", "spam", "malware", "unknown"])
      assert.isTrue(isSignature(`${category}:${digest}`))
    const bad = [
      digest,
      `:${digest}`,
      `xss:${digest}`,
      `injection${digest}`,
      `${signature}\n`,
      `Spam:${digest}`,
      `spam::${digest}`
    ]
    for (const text of bad) assert.isFalse(isSignature(text))
  })

  it("RFC D9 a secure id is a UUIDv7, a hyphen and 8 hexadecimal characters", () => {
    assert.isTrue(isId(secureId))
    assert.isFalse(isId(secureId.replace("-774b-", "-474b-")), "version 4")
    assert.isFalse(isId(secureId.replace("-bcce-", "-ccce-")), "another variant")
    assert.isFalse(isId(secureId.slice(0, 36)), "no suffix")
    assert.isFalse(isId(secureId.slice(0, -1)), "a suffix of 7")
    assert.isFalse(isId(`${secureId}0`), "a suffix of 9")
    assert.isFalse(isId(`${secureId}\n`))
    assert.isFalse(isId(secureId.toUpperCase()))
    assert.isFalse(isId(`../${secureId}`), "a path")
  })
})

/** Every value with one wrong field must be refused. */
const refusesBent = (
  is: (value: unknown) => boolean,
  good: object,
  bends: Readonly<Record<string, ReadonlyArray<unknown>>>
) => {
  assert.isTrue(is(good))
  for (const [field, values] of Object.entries(bends)) {
    const { [field]: _, ...without } = good as Record<string, unknown>
    assert.isFalse(is(without), `${field} missing`)
    for (const value of values) assert.isFalse(is({ ...good, [field]: value }), `${field}: ${String(value)}`)
  }
}

const badSizes = [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "11", 11n, null, 2 ** 53]
const badTimes = [Number.NaN, Number.POSITIVE_INFINITY, "1", null]
const badDigests = [digest.toUpperCase(), "", null, 0]
const common = {
  id: ["", "x", null],
  signature: [digest, "", null],
  hash: badDigests,
  size: badSizes,
  timestamp: badTimes,
  previousHash: badDigests
}

describe("records", () => {
  it("RFC E2 a NeutralizationRecord has the RFC's fields", () => {
    refusesBent(Schema.is(NeutralizationRecord), custody.neutralized, {
      ...common,
      status: ["destroyed", "evicted", 1]
    })
  })

  it("RFC E4 an EvacuateRecord has hash, size, compressed size and destination", () => {
    refusesBent(Schema.is(EvacuateRecord), custody.evacuated, {
      ...common,
      compressedSize: badSizes,
      destination: [null, 1, "file:\ud800"],
      status: ["neutralized"]
    })
  })

  it("RFC E3 a TransferRecord says that the caller owns the bytes", () => {
    refusesBent(Schema.is(TransferRecord), custody.transferred, { ...common, status: ["neutralized"] })
  })

  it("RFC Q2 an EvictionRecord has severity, reason and destination", () => {
    const is = Schema.is(EvictionRecord)
    assert.isTrue(is({ ...custody.evicted, destination: "file:x" }))
    refusesBent(is, custody.evicted, {
      ...common,
      severity: ["worst", null],
      reason: ["", "request", null],
      destination: [1, "\udc00"],
      status: ["evacuated"]
    })
  })

  it("RFC A1 a PurgedRecord has severity, the reason why its hound was purged, and destination", () => {
    const is = Schema.is(PurgedRecord)
    for (const reason of ["timeout", "error", "abort", "panic"]) assert.isTrue(is({ ...custody.purged, reason }))
    assert.deepStrictEqual([...PurgeReason.literals], ["timeout", "error", "abort", "panic"])
    for (const destination of [null, ""]) assert.isTrue(is({ ...custody.purged, destination }))
    refusesBent(is, custody.purged, {
      ...common,
      severity: ["worst", null],
      reason: ["", "capacity", "Timeout", 1, null],
      destination: [1, "\udc00"],
      status: ["evicted", "purge"]
    })
  })

  it("RFC A1 the custody record is the union of the five, by status", () => {
    const is = Schema.is(CustodyRecord)
    assert.sameMembers(
      CustodyRecord.members.map(({ fields }) => fields.status.literal),
      ["neutralized", "evacuated", "transferred", "evicted", "purged"]
    )
    assert.sameMembers(Object.keys(custody), CustodyRecord.members.map(({ fields }) => fields.status.literal))
    for (const record of Object.values(custody)) assert.isTrue(is(record))
    assert.isFalse(is({ ...custody.neutralized, status: "evacuated" }), "evacuated without a destination")
    assert.isFalse(is({ ...custody.neutralized, status: "purged" }), "purged without a reason")
    assert.isFalse(is({ ...custody.evicted, status: "purged" }), "purged for lack of room")
    assert.isFalse(is({ ...custody.purged, status: "evicted" }), "evicted for a purge's reason")
  })

  it("RFC A1 an audit record has sequence, previousHash, hash and entry", () => {
    refusesBent(Schema.is(AuditRecord), audit, {
      sequence: badSizes,
      previousHash: badDigests,
      hash: badDigests,
      entry: [null, {}, custody.neutralized.id]
    })
  })

  it("RFC H4 a PurgeRecord keeps a hash and a size, never a payload", () => {
    refusesBent(Schema.is(PurgeRecord), purge, { reason: ["boredom"], PurgeTimestamp: badTimes, id: ["x"] })
    assert.isFalse(Schema.is(PurgeRecord)({ ...purge, scent: { ...purge.scent, payloadHash: "x" } }))
    assert.isFalse(Schema.is(PurgeRecord)({ ...purge, scent: { ...purge.scent, id: "a".repeat(257) } }))
    assert.notProperty(PurgeRecord.fields.scent.fields, "payload")
  })

  it("RFC E1 an EvidenceRecord refuses untrusted text past its bound", () => {
    refusesBent(Schema.is(EvidenceRecord), evidence, {
      signature: [digest],
      hash: badDigests,
      category: ["xss"],
      severity: ["worst"],
      size: badSizes,
      captured: badTimes
    })
    for (const bend of [{ id: "a".repeat(257) }, { source: "é".repeat(129) }, { timestamp: Number.NaN }])
      assert.isFalse(Schema.is(EvidenceRecord)({ ...evidence, scent: { ...evidence.scent, ...bend } }))
  })

  it("RFC D3 a Threat is a scent with its signature", () => {
    refusesBent(Schema.is(Threat), { signature, category: "injection", severity: "high", scent }, {
      signature: [digest],
      category: ["xss"],
      severity: [""],
      scent: [null, {}]
    })
  })
})

describe("errors, alerts and snapshots", () => {
  it("RFC F5 an error has the RFC's fields, and its state is a closed union", () => {
    const is = Schema.is(TracehoundError)
    const good = { state: "agent", code: "x", message: "y", recoverable: true }
    for (const state of ["quarantine", "hound", "agent", "scheduler", "ratelimit"])
      assert.isTrue(is({ ...good, state }))
    assert.isTrue(is({ ...good, context: { any: "thing" } }))
    refusesBent(is, good, { state: ["coldstorage", ""], code: [1], message: [null], recoverable: ["true", 1] })
  })

  it("RFC W2 an alert has no field that could hold attacker text", () => {
    const is = Schema.is(Alert)
    const good = { severity: "warning", type: "high_severity_eviction", message: "m", timestamp: 1, signature }
    assert.isTrue(is({ ...good, alertCount: 11 }))
    refusesBent(is, good, { severity: ["high"], type: ["anything"], message: [1], timestamp: badTimes })
    const evil = "<script>"
    for (
      const bent of [{ signature: evil }, { evidenceId: evil }, { reason: evil }, { code: evil }, { frames: [evil] }]
    )
      assert.isFalse(is({ ...good, ...bent }))
    const trace = { traceId: "ab".repeat(16), spanId: "cd".repeat(8) }
    assert.isTrue(
      is({ ...good, trace, evidenceId: "a\\u{3c}", reason: "timeout", code: "EIO", frames: ["f (a/B.ts:1)"] })
    )
    for (const bent of [{ traceId: evil }, { spanId: evil }])
      assert.isFalse(is({ ...good, trace: { ...trace, ...bent } }))
    assert.sameMembers(Object.keys(Alert.fields), [
      "severity",
      "type",
      "message",
      "timestamp",
      "signature",
      "evidenceId",
      "reason",
      "code",
      "frames",
      "trace",
      "alertCount"
    ])
  })

  it("RFC W1 a snapshot has exactly the RFC's fields, and the sandbox", () => {
    assert.deepStrictEqual(Object.keys(WatcherSnapshot.fields), [
      "quarantine",
      "hound",
      "custody",
      "ledger",
      "rateLimit",
      "throughput",
      "lastActivity",
      "errors"
    ])
    const good = {
      quarantine: { count: 0, bytes: 0, bySeverity: { low: 0, medium: 0, high: 0, critical: 0 } },
      hound: { dormant: 0, active: 0, terminated: 0, sandbox: "none" },
      custody: { held: 0, durable: 0, notDurable: 0 },
      ledger: { size: 0, durable: 0 },
      rateLimit: { blocked: 0, sources: 0 },
      throughput: 0.5,
      lastActivity: 0,
      errors: []
    }
    refusesBent(Schema.is(WatcherSnapshot), good, { throughput: badTimes, lastActivity: badTimes, errors: [null, [1]] })
    assert.isFalse(Schema.is(WatcherSnapshot)({ ...good, hound: { ...good.hound, active: -1 } }))
  })
})

/** Equal compares numbers by ===, because JSON has no -0. */
describe("records as JSON", () => {
  it.prop("RFC A1 every audit record comes back from JSON as it was", [AuditRecord], ([record]) => {
    const decode = Schema.decodeUnknownSync(AuditRecord, { onExcessProperty: "error" })
    assert.isTrue(Equal.equals(decode(JSON.parse(JSON.stringify(record))), record))
  }, { arbitrary: { runs: 60 } })

  it.prop("RFC E1 every evidence record comes back from JSON as it was", [EvidenceRecord], ([record]) => {
    const decode = Schema.decodeUnknownSync(EvidenceRecord, { onExcessProperty: "error" })
    assert.isTrue(Equal.equals(decode(JSON.parse(JSON.stringify(record))), record))
  }, { arbitrary: { runs: 60 } })
})
