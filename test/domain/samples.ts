/**
 * One valid value of every shape that the RFC names, for tests to change.
 */
import type { AuditRecord, EvidenceRecord, PurgeRecord, Scent } from "../../src/index.ts"

export const digest = "ab".repeat(32)
export const signature = `injection:${digest}`
export const secureId = "01890a5d-ac96-774b-bcce-b302099a8057-0a1b2c3d"

/** The RFC's own example of a classified scent. */
export const scent: Scent = {
  id: "request-1",
  payload: { q: "' OR 1=1 --" },
  source: "192.0.2.7",
  timestamp: 1_760_000_000_000,
  threat: { category: "injection", severity: "high" }
}

export const evidence: EvidenceRecord = {
  signature,
  hash: digest,
  category: "injection",
  severity: "high",
  size: 11,
  captured: 1_760_000_000_001,
  scent: { id: "request-1", source: "192.0.2.7", timestamp: 1_760_000_000_000 }
}

const common = {
  id: secureId,
  signature,
  hash: digest,
  size: 11,
  timestamp: 1_760_000_000_002,
  previousHash: "0".repeat(64)
}

/** A record of each way out of custody. */
export const custody = {
  neutralized: { ...common, status: "neutralized" },
  evacuated: { ...common, status: "evacuated", compressedSize: 31, destination: "file:./evidence" },
  transferred: { ...common, status: "transferred" },
  evicted: { ...common, status: "evicted", severity: "low", reason: "capacity", destination: null },
  purged: { ...common, status: "purged", severity: "high", reason: "timeout", destination: "file:./evidence" }
} as const

export const audit: AuditRecord = {
  sequence: 0,
  previousHash: "0".repeat(64),
  hash: digest,
  entry: custody.neutralized
}

export const purge: PurgeRecord = {
  id: secureId,
  reason: "timeout",
  scent: { id: "request-1", source: "192.0.2.7", timestamp: 1, payloadHash: digest, payloadSize: 11 },
  PurgeTimestamp: 2
}
