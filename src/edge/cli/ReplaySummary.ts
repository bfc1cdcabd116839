/**
 * The answer of a replay: one object, whose keys are a public contract.
 */
import * as Schema from "effect/Schema"
import type { InterceptResult } from "../../domain/InterceptResult.ts"
import type { Scent, ThreatCategory } from "../../domain/Scent.ts"
import { BySeverity } from "../../domain/Severity.ts"
import type { TracehoundSync } from "../../runtime/TracehoundSync.ts"

/**
 * The counts of a replay. Every line that is not blank is counted once: under `invalid`, or under
 * the status of its answer.
 */
export const ReplaySummary = Schema.Struct({
  lines: Schema.Natural,
  invalid: Schema.Natural,
  clean: Schema.Natural,
  quarantined: Schema.Natural,
  ignored: Schema.Natural,
  escalated: Schema.Natural,
  rateLimited: Schema.Natural,
  tooLarge: Schema.Natural,
  errors: Schema.Natural,
  /** New evidence: quarantined and escalated. */
  bySeverity: BySeverity,
  /** New evidence: quarantined and escalated. */
  byCategory: Schema.Struct({
    injection: Schema.Natural,
    ddos: Schema.Natural,
    flood: Schema.Natural,
    spam: Schema.Natural,
    malware: Schema.Natural,
    unknown: Schema.Natural
  }),
  /**
   * Lines whose payload is the bytes of the line, as JSON.parse would lose some of them.
   */
  raw: Schema.Natural,
  /** Lines more than an hour ahead of recorded time, which they did not move. */
  skewed: Schema.Natural,
  /** Whether ids, which records hold, were random: the head then differs from run to run. */
  randomIds: Schema.Boolean,
  /** False where the recording ended too early, or nothing in it could be read. */
  complete: Schema.Boolean,
  evictions: Schema.Natural,
  deadLetters: Schema.Natural,
  held: Schema.Struct({ count: Schema.Natural, bytes: Schema.Natural }),
  audit: Schema.Struct({ records: Schema.Natural, head: Schema.String, verified: Schema.Boolean })
})
export type ReplaySummary = typeof ReplaySummary.Type

/** Counts lines during a replay. */
export interface Tally {
  readonly lines: number
  readonly invalid: number
  /** `isCutOff`: the recording ends in this line, too early. */
  readonly addInvalid: (isCutOff: boolean) => void
  /** Counts a line, besides its status, whose payload is raw bytes. */
  readonly addRaw: () => void
  /** Counts a line, besides its status, whose time is too far ahead. */
  readonly addSkewed: () => void
  readonly add: (scent: Scent, result: InterceptResult) => void
  /** The counts, with those of the Tracehound itself. Verifies the chain: O(records). */
  readonly summary: (tracehound: TracehoundSync) => ReplaySummary
}

const counterOf = {
  clean: "clean",
  rate_limited: "rateLimited",
  payload_too_large: "tooLarge",
  ignored: "ignored",
  quarantined: "quarantined",
  escalated: "escalated",
  error: "errors"
} as const

/** Counts from zero. `randomIds`: whether ids are random in this replay. */
export const makeTally = (randomIds: boolean): Tally => {
  const counts = { clean: 0, rateLimited: 0, tooLarge: 0, ignored: 0, quarantined: 0, escalated: 0, errors: 0 }
  const bySeverity = { low: 0, medium: 0, high: 0, critical: 0 }
  const byCategory = { injection: 0, ddos: 0, flood: 0, spam: 0, malware: 0, unknown: 0 } satisfies Record<
    ThreatCategory,
    number
  >
  let lines = 0
  let invalid = 0
  let isWhole = true
  let raw = 0
  let skewed = 0
  return {
    get lines() {
      return lines
    },
    get invalid() {
      return invalid
    },
    addInvalid: (isCutOff) => {
      isWhole &&= !isCutOff
      lines += 1
      invalid += 1
    },
    addRaw: () => {
      raw += 1
    },
    addSkewed: () => {
      skewed += 1
    },
    add: ({ threat }, { status }) => {
      lines += 1
      counts[counterOf[status]] += 1
      if (threat !== undefined && (status === "quarantined" || status === "escalated")) {
        bySeverity[threat.severity] += 1
        byCategory[threat.category] += 1
      }
    },
    summary: ({ auditChain, deadLetters, quarantine }) => ({
      lines,
      invalid,
      ...counts,
      bySeverity: { ...bySeverity },
      byCategory: { ...byCategory },
      raw,
      skewed,
      randomIds,
      complete: isWhole && (invalid < lines || lines === 0),
      evictions: quarantine.evictions,
      deadLetters: deadLetters(),
      held: { count: quarantine.count, bytes: quarantine.bytes },
      audit: { records: auditChain.length, head: auditChain.lastHash, verified: auditChain.verify() }
    })
  }
}
