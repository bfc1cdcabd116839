/**
 * How many pieces of evidence have left custody, by the way that they took and by their severity:
 * one typed array, so that counting allocates nothing.
 */
import type { CustodyRecord } from "../../domain/Records.ts"
import { severities, type Severity } from "../../domain/Severity.ts"

/** The ways out of custody: the status of the record that each leaves. */
export const exitReasons = [
  "neutralized",
  "evacuated",
  "transferred",
  "evicted",
  "purged"
] as const satisfies ReadonlyArray<
  CustodyRecord["status"]
>
export type ExitReason = (typeof exitReasons)[number]

export class ExitCounts {
  readonly #counts = new Float64Array(exitReasons.length * severities.length)

  count(reason: ExitReason, severity: Severity): void {
    const place = placeOf(reason, severity)
    this.#counts[place] = (this.#counts[place] ?? 0) + 1
  }

  /** Exits of this kind so far. O(1). */
  of(reason: ExitReason, severity: Severity): number {
    return this.#counts[placeOf(reason, severity)] ?? 0
  }
}

const placeOf = (reason: ExitReason, severity: Severity): number =>
  exitReasons.indexOf(reason) * severities.length + severities.indexOf(severity)
