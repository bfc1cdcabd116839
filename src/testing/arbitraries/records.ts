/**
 * Arbitraries of inputs and records: scents, threats, evidence, and the records of custody and of
 * the audit chain.
 *
 * Facts that occur twice in a value agree: a threat's signature has its category, its scent has its
 * signal, an audit record's entry has the record's `previousHash`, and the first record follows the
 * hash of zeros.
 *
 * **Gotchas**
 *
 * - Digests are random: a signature is not that of its payload, and a chain of generated audit
 *   records does not verify.
 */
import * as Arbitrary from "effect/Arbitrary"
import type { EvidenceRecord } from "../../domain/Evidence.ts"
import type {
  AuditRecord,
  CustodyRecord,
  EvacuateRecord,
  EvictionRecord,
  NeutralizationRecord,
  PurgedRecord,
  PurgeRecord,
  TransferRecord
} from "../../domain/Records.ts"
import type { Scent, ThreatSignal } from "../../domain/Scent.ts"
import type { Threat } from "../../domain/Threat.ts"
import { choice, coin, struct, structWith } from "./building.ts"
import { payload } from "./payloads.ts"
import { source } from "./sources.ts"
import {
  digest,
  identifier,
  purgeReason,
  secureId,
  severity,
  signature,
  size,
  threatCategory,
  timestamp,
  wellFormedText
} from "./values.ts"

/** A detector's signal: any category with any severity. */
export const threatSignal: Arbitrary.Arbitrary<ThreatSignal> = struct({ category: threatCategory, severity })

/** Arbitraries that replace the default ones. */
export interface ScentParts {
  readonly id?: Arbitrary.Arbitrary<string>
  readonly payload?: Arbitrary.Arbitrary<unknown>
  readonly source?: Arbitrary.Arbitrary<string>
  readonly timestamp?: Arbitrary.Arbitrary<number>
}

const parts = (own: ScentParts) => ({
  id: own.id ?? identifier,
  payload: own.payload ?? payload,
  source: own.source ?? source,
  timestamp: own.timestamp ?? timestamp
})

/** A scent with a detector's signal. */
export type ThreatScent = Scent & { readonly threat: ThreatSignal }

/** Scents without a signal: `threat` is missing or undefined. */
export const cleanScentOf = (own: ScentParts): Arbitrary.Arbitrary<Scent> =>
  structWith(parts(own), { threat: Arbitrary.Constant(undefined) })

/** Scents with a signal. With `threatScentOf({ source: ipv4 })` all come from IPv4 addresses. */
export const threatScentOf = (own: ScentParts): Arbitrary.Arbitrary<ThreatScent> =>
  struct({ ...parts(own), threat: threatSignal })

export const cleanScent: Arbitrary.Arbitrary<Scent> = cleanScentOf({})

export const threatScent: Arbitrary.Arbitrary<ThreatScent> = threatScentOf({})

/** One in four is clean. */
export const scent: Arbitrary.Arbitrary<Scent> = choice([1, cleanScent], [3, threatScent])

export const threat: Arbitrary.Arbitrary<Threat> = Arbitrary.map(
  struct({ scent: threatScent, digest }),
  ({ digest, scent }) => ({
    signature: `${scent.threat.category}:${digest}`,
    category: scent.threat.category,
    severity: scent.threat.severity,
    scent
  })
)

/** The fields that a record takes over from the scent. */
const fromScent = { id: identifier, source, timestamp }

/** Half of them as without `signature.key`: then the signature's digest is the evidence's hash. */
export const evidenceRecord: Arbitrary.Arbitrary<EvidenceRecord> = Arbitrary.map(
  struct({
    category: threatCategory,
    other: digest,
    isKeyed: coin,
    hash: digest,
    severity,
    size,
    captured: timestamp,
    scent: struct(fromScent)
  }),
  ({ isKeyed, other, ...record }) => ({ ...record, signature: `${record.category}:${isKeyed ? other : record.hash}` })
)

const common = { id: secureId, signature, hash: digest, size, timestamp, previousHash: digest }
const destination = choice([1, Arbitrary.Constant("file:./evidence")], [1, wellFormedText(40)])

export const neutralizationRecord: Arbitrary.Arbitrary<NeutralizationRecord> = struct({
  ...common,
  status: Arbitrary.Constant("neutralized")
})

export const transferRecord: Arbitrary.Arbitrary<TransferRecord> = struct({
  ...common,
  status: Arbitrary.Constant("transferred")
})

export const evacuateRecord: Arbitrary.Arbitrary<EvacuateRecord> = struct({
  ...common,
  status: Arbitrary.Constant("evacuated"),
  compressedSize: size,
  destination
})

/** In half of them the evidence was lost: `destination` is null. */
export const evictionRecord: Arbitrary.Arbitrary<EvictionRecord> = struct({
  ...common,
  status: Arbitrary.Constant("evicted"),
  severity,
  reason: Arbitrary.Constant("capacity"),
  destination: choice([1, Arbitrary.Constant(null)], [1, destination])
})

/** All reasons equally often. In half of them the evidence was lost: `destination` is null. */
export const purgedRecord: Arbitrary.Arbitrary<PurgedRecord> = struct({
  ...common,
  status: Arbitrary.Constant("purged"),
  severity,
  reason: purgeReason,
  destination: choice([1, Arbitrary.Constant(null)], [1, destination])
})

/** All five statuses equally often. */
export const custodyRecord: Arbitrary.Arbitrary<CustodyRecord> = choice(
  [1, neutralizationRecord],
  [1, transferRecord],
  [1, evacuateRecord],
  [1, evictionRecord],
  [1, purgedRecord]
)

const genesis = "0".repeat(64)

export const auditRecord: Arbitrary.Arbitrary<AuditRecord> = Arbitrary.map(
  struct({ sequence: size, hash: digest, entry: custodyRecord }),
  ({ entry, hash, sequence }) => {
    const previousHash = sequence === 0 ? genesis : entry.previousHash
    return { sequence, previousHash, hash, entry: { ...entry, previousHash } }
  }
)

export const purgeRecord: Arbitrary.Arbitrary<PurgeRecord> = struct({
  id: secureId,
  reason: purgeReason,
  scent: struct({ ...fromScent, payloadHash: digest, payloadSize: size }),
  PurgeTimestamp: timestamp
})
