/**
 * What Tracehound takes in and writes down: scents, threats, evidence, the records of custody and
 * of the audit chain.
 *
 * Coherent in what one value says twice: a threat's signature is of its category, its scent carries
 * its signal, an audit record's entry has the record's `previousHash`, and a record that is the
 * first follows the zeros.
 *
 * **Gotchas**
 *
 * - Digests are of nothing in particular: a signature is not that of its payload, and a chain of
 *   generated audit records does not verify.
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

/** What a detector may say. */
export const threatSignal: Arbitrary.Arbitrary<ThreatSignal> = struct({ category: threatCategory, severity })

/** Arbitraries to take the place of our own. */
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

/** A scent that a detector called a threat. */
export type ThreatScent = Scent & { readonly threat: ThreatSignal }

/** Scents of which no detector said anything: `threat` is missing, or there and undefined. */
export const cleanScentOf = (own: ScentParts): Arbitrary.Arbitrary<Scent> =>
  structWith(parts(own), { threat: Arbitrary.Constant(undefined) })

/**
 * Scents with a signal: `threatScentOf({ source: ipv4 })` has all of them come from IPv4 addresses.
 */
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

/** What a scent said of itself. */
const said = { id: identifier, source, timestamp }

/** Half of them as without a key, where the signature's digest is the evidence's hash. */
export const evidenceRecord: Arbitrary.Arbitrary<EvidenceRecord> = Arbitrary.map(
  struct({
    category: threatCategory,
    other: digest,
    isKeyed: coin,
    hash: digest,
    severity,
    size,
    captured: timestamp,
    scent: struct(said)
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

/** Half of them lost: with nowhere to go, `destination` is null. */
export const evictionRecord: Arbitrary.Arbitrary<EvictionRecord> = struct({
  ...common,
  status: Arbitrary.Constant("evicted"),
  severity,
  reason: Arbitrary.Constant("capacity"),
  destination: choice([1, Arbitrary.Constant(null)], [1, destination])
})

/** Each reason as often as the others, and half of them lost. */
export const purgedRecord: Arbitrary.Arbitrary<PurgedRecord> = struct({
  ...common,
  status: Arbitrary.Constant("purged"),
  severity,
  reason: purgeReason,
  destination: choice([1, Arbitrary.Constant(null)], [1, destination])
})

/** Each way out of custody as often as the others. */
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
  scent: struct({ ...said, payloadHash: digest, payloadSize: size }),
  PurgeTimestamp: timestamp
})
