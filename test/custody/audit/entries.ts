/**
 * Shared by the tests of the audit chain: entries as the rooms append them, chains of them, and
 * every way to bend a record.
 */
import { Arbitrary, Effect, Schema } from "effect"
import { factsOf } from "../../../src/custody/audit/AuditFacts.ts"
import { type HashChain, makeHashChain } from "../../../src/custody/audit/HashChain.ts"
import {
  type AuditRecord,
  CustodyRecord,
  EvacuateRecord,
  EvictionRecord,
  PurgedRecord,
  PurgeReason
} from "../../../src/domain/Records.ts"
import { Hash } from "../../../src/host/port/Hash.ts"
import { ports } from "../../support/ports.ts"

export const hash = Effect.runSync(Effect.provide(Hash, ports))

/**
 * An entry of any kind, with any values that its schema allows; -0 is left to a test of its own.
 */
export const anyEntry = Arbitrary.map(
  Arbitrary.schema(CustodyRecord),
  (entry) => ({ ...entry, timestamp: entry.timestamp + 0, size: entry.size + 0 })
)

export const entries = (maxLength: number, minLength = 1) => Arbitrary.array(anyEntry, { minLength, maxLength })

/** A chain of these entries. */
export const chainOf = (
  given: Iterable<CustodyRecord>,
  options: { readonly chainEnabled?: boolean; readonly maxRecords?: number } = {}
): HashChain => {
  const chain = makeHashChain({ chainEnabled: true, maxRecords: 1_000, hash, ...options })
  for (const entry of given) chain.append(factsOf(entry))
  return chain
}

const isReason = Schema.is(PurgeReason)

/** Another value of the same kind as the one given. */
const other = (value: unknown): unknown => {
  if (typeof value === "number") return !Number.isSafeInteger(value) ? -value : value > 0 ? value - 1 : 1
  if (value === null) return "file:elsewhere"
  if (typeof value !== "string") return undefined
  if (value === "low") return "critical"
  if (isReason(value)) return value === "panic" ? "timeout" : "panic"
  if (/^[0-9a-f]{64}$/.test(value)) return (value.startsWith("0") ? "1" : "0") + value.slice(1)
  // An id or a signature stays one: the last character is hexadecimal in both.
  if (/^[a-z]+:[0-9a-f]{64}$|-[0-9a-f]{8}$/.test(value)) return value.slice(0, -1) + (value.endsWith("0") ? "1" : "0")
  return `${value}x`
}

const isEvicted = Schema.is(EvictionRecord)
const isEvacuated = Schema.is(EvacuateRecord)
const isPurged = Schema.is(PurgedRecord)

/** An entry of another status, with the same values where they fit. */
const otherStatus = (entry: CustodyRecord): CustodyRecord => {
  const { hash, id, previousHash, signature, size, timestamp } = entry
  const common = { hash, id, previousHash, signature, size, timestamp }
  if (isEvacuated(entry)) return { ...common, status: "transferred" }
  if (isEvicted(entry)) return { ...common, status: "neutralized" }
  if (isPurged(entry)) {
    const { destination, severity } = entry
    return { ...common, status: "evicted", severity, reason: "capacity", destination }
  }
  return { ...common, status: entry.status === "transferred" ? "neutralized" : "transferred" }
}

/** The record with one field bent to another value of its type, for every field there is. */
export const bentFields = (record: AuditRecord): ReadonlyArray<readonly [field: string, bent: AuditRecord]> => {
  const bend = (bag: object, field: string): object => {
    const value: unknown = Reflect.get(bag, field)
    return { ...bag, [field]: field === "severity" && value !== "low" ? "low" : other(value) }
  }
  const ofRecord = ["sequence", "previousHash", "hash"].map((field) => [field, bend(record, field)] as const)
  const ofEntry = Object.keys(record.entry).map((field) =>
    [
      `entry.${field}`,
      { ...record, entry: field === "status" ? otherStatus(record.entry) : bend(record.entry, field) }
    ] as const
  )
  return [...ofRecord, ...ofEntry] as unknown as ReadonlyArray<readonly [string, AuditRecord]>
}
