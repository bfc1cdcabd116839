/**
 * All arbitraries, each with the schema that it must satisfy and the value to which it shrinks.
 */
import { Arbitrary, Effect, Redacted, Schema } from "effect"
import {
  Alert,
  AuditRecord,
  CustodyRecord,
  EvacuateRecord,
  EvictionRecord,
  EvidenceRecord,
  failSafeActions,
  failSafeCauses,
  Hound,
  InterceptResult,
  NeutralizationRecord,
  panicActions,
  PanicContext,
  PurgedRecord,
  PurgeReason,
  PurgeRecord,
  Scent,
  SecureId,
  Severity,
  Sha256Hex,
  Signature,
  Threat,
  ThreatCategory,
  ThreatSignal,
  TracehoundConfig,
  TracehoundError,
  TransferRecord,
  WatcherSnapshot
} from "../../src/index.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"

const zeros = "0".repeat(64)
const id = "00000000-0000-7000-8000-000000000000-00000000"
const signature = `injection:${zeros}`
const common = { id, signature, hash: zeros, size: 0, timestamp: 0, previousHash: zeros }
const scent = { id: "", payload: undefined, source: "0.0.0.0", timestamp: 0 }
const signal = { category: "injection", severity: "low" }
const said = { id: "", source: "0.0.0.0", timestamp: 0 }
const error = { state: "quarantine", code: "malformed_scent", message: "", recoverable: false }
const none = { low: 0, medium: 0, high: 0, critical: 0 }

const Bytes = Schema.instanceOf(Uint8Array)
const identifier = Scent.fields.id

/**
 * Name in the module, arbitrary, schema, and the value to which it shrinks if every value fails.
 */
export const all: ReadonlyArray<
  readonly [
    name: string,
    arbitrary: Arbitrary.Arbitrary<unknown>,
    schema: Schema.ConstraintDecoder<unknown>,
    simplest: unknown
  ]
> = [
  ["severity", Arbitraries.severity, Severity, "low"],
  ["threatCategory", Arbitraries.threatCategory, ThreatCategory, "injection"],
  ["threatSignal", Arbitraries.threatSignal, ThreatSignal, signal],
  ["purgeReason", Arbitraries.purgeReason, PurgeReason, "timeout"],
  ["identifier", Arbitraries.identifier, identifier, ""],
  ["text", Arbitraries.text(20), Schema.String, ""],
  [
    "wellFormedText",
    Arbitraries.wellFormedText(20),
    Schema.String.check(Schema.makeFilter((s: string) => s.isWellFormed())),
    ""
  ],
  ["timestamp", Arbitraries.timestamp, Scent.fields.timestamp, 0],
  ["size", Arbitraries.size, EvidenceRecord.fields.size, 0],
  ["digest", Arbitraries.digest, Sha256Hex, zeros],
  ["secureId", Arbitraries.secureId, SecureId, id],
  ["signature", Arbitraries.signature, Signature, signature],
  ["ipv4", Arbitraries.ipv4, identifier, "0.0.0.0"],
  ["ipv6", Arbitraries.ipv6, identifier, "::"],
  ["mappedIpv4", Arbitraries.mappedIpv4, identifier, "::ffff:0.0.0.0"],
  ["sourceName", Arbitraries.sourceName, identifier, "tenant-a"],
  ["source", Arbitraries.source, identifier, "0.0.0.0"],
  ["bytes", Arbitraries.bytes, Bytes, new Uint8Array(0)],
  ["textPayload", Arbitraries.textPayload, Schema.String, ""],
  ["json", Arbitraries.json(3), Schema.Json, null],
  ["jsonPayload", Arbitraries.jsonPayload, Schema.Json, null],
  ["scent", Arbitraries.scent, Scent, scent],
  ["cleanScent", Arbitraries.cleanScent, Scent, scent],
  ["threatScent", Arbitraries.threatScent, Scent, { ...scent, threat: signal }],
  ["threat", Arbitraries.threat, Threat, { signature, ...signal, scent: { ...scent, threat: signal } }],
  ["evidenceRecord", Arbitraries.evidenceRecord, EvidenceRecord, {
    ...signal,
    signature,
    hash: zeros,
    size: 0,
    captured: 0,
    scent: said
  }],
  ["neutralizationRecord", Arbitraries.neutralizationRecord, NeutralizationRecord, {
    ...common,
    status: "neutralized"
  }],
  ["transferRecord", Arbitraries.transferRecord, TransferRecord, { ...common, status: "transferred" }],
  ["evacuateRecord", Arbitraries.evacuateRecord, EvacuateRecord, {
    ...common,
    status: "evacuated",
    compressedSize: 0,
    destination: "file:./evidence"
  }],
  ["evictionRecord", Arbitraries.evictionRecord, EvictionRecord, {
    ...common,
    status: "evicted",
    severity: "low",
    reason: "capacity",
    destination: null
  }],
  ["purgedRecord", Arbitraries.purgedRecord, PurgedRecord, {
    ...common,
    status: "purged",
    severity: "low",
    reason: "timeout",
    destination: null
  }],
  ["custodyRecord", Arbitraries.custodyRecord, CustodyRecord, { ...common, status: "neutralized" }],
  ["auditRecord", Arbitraries.auditRecord, AuditRecord, {
    sequence: 0,
    previousHash: zeros,
    hash: zeros,
    entry: { ...common, status: "neutralized" }
  }],
  ["purgeRecord", Arbitraries.purgeRecord, PurgeRecord, {
    id,
    reason: "timeout",
    scent: { ...said, payloadHash: zeros, payloadSize: 0 },
    PurgeTimestamp: 0
  }],
  ["alert", Arbitraries.alert, Alert, { severity: "info", type: "alert.flood", message: "", timestamp: 0 }],
  ["tracehoundError", Arbitraries.tracehoundError, TracehoundError, error],
  ["failSafeAction", Arbitraries.failSafeAction, Schema.Literals(failSafeActions), "Purge"],
  ["failSafeCause", Arbitraries.failSafeCause, Schema.Literals(failSafeCauses), "timeout"],
  ["panicAction", Arbitraries.panicAction, Schema.Literals(panicActions), "panic"],
  ["panicContext", Arbitraries.panicContext, PanicContext, {
    cause: "request",
    error: null,
    errors: 0,
    window: 1,
    timestamp: 0
  }],
  ["hound", Arbitraries.hound, Hound, { id, state: "dormant", createdAt: 0, activatedAt: null }],
  ["watcherSnapshot", Arbitraries.watcherSnapshot, WatcherSnapshot, {
    quarantine: { count: 0, bytes: 0, bySeverity: none },
    hound: { dormant: 0, active: 0, terminated: 0, sandbox: "none" },
    custody: { held: 0, durable: 0, notDurable: 0 },
    ledger: { size: 0, durable: 0 },
    rateLimit: { blocked: 0, sources: 0 },
    throughput: 0,
    lastActivity: 0,
    errors: []
  }],
  ["answerWithoutHandle", Arbitraries.answerWithoutHandle, InterceptResult, { status: "clean" }],
  ["configInput", Arbitraries.configInput, TracehoundConfig, {}],
  ["configInputTo", Arbitraries.configInputTo("file:./x"), TracehoundConfig, {
    audit: { coldStorage: { endpoint: "file:./x" } }
  }]
]

/** So many values, from a fixed seed. */
export const sample = <A>(arbitrary: Arbitrary.Arbitrary<A>, count = 500, seed: number | string = 1) =>
  Effect.orDie(Arbitrary.sampleEffect(arbitrary, { count, seed }))

/**
 * A text of a value for comparison, including secrets and bytes, with -0 different from 0. Not for
 * payloads, which may be tripwires.
 */
export const spelt = (value: unknown): string =>
  JSON.stringify(withoutPayload(value), (_, part: unknown) => {
    if (Redacted.isRedacted(part)) return { redacted: Redacted.value(part) }
    if (part instanceof Uint8Array) return { bytes: Buffer.from(part).toString("hex") }
    if (Object.is(part, -0)) return "-0"
    return part === undefined ? "undefined" : part
  })

const withoutPayload = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value
  if ("payload" in value) return { ...value, payload: typeof value.payload }
  return "scent" in value ? { ...value, scent: withoutPayload(value.scent) } : value
}
