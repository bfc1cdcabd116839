/**
 * Room for an arrival, within the quarantine's bounds (RFC, "Quarantine Eviction Policy";
 * CONFORMANCE Q1, Q3, F1).
 *
 * Evicts what must go, asks the fail-safe what is to be done while there is no room, and tells it
 * when there is room again: as much as what found none would have needed. Otherwise an attacker who
 * sends large and small payloads in turn would make the quarantine full once for each of them, and
 * have each one count.
 *
 * Cost: O(1) beside the evictions.
 */
import { severities } from "../../domain/Severity.ts"
import type { QuarantineStats } from "../../domain/WatcherSnapshot.ts"
import type { FailSafe } from "../../safety/failsafe/FailSafe.ts"
import type { Vault } from "./Vault.ts"

/** What room is made in, and with. */
export interface CapacityOptions {
  readonly bounds: { readonly maxCount: number; readonly maxBytes: number }
  readonly vault: Vault
  readonly failSafe: Pick<FailSafe["Service"], "fullUnsafe" | "roomUnsafe">
  /** Takes the slot's evidence out of the vault. */
  readonly evict: (slot: number, now: number) => void
  readonly stats: () => QuarantineStats
}

/** Makes room. */
export interface Room {
  /** Whether there is room now for so many bytes of this severity, a place in `severities`. */
  readonly make: (severity: number, size: number, now: number) => boolean
}

/** Room in a vault. */
export const makeCapacity = (
  { bounds: { maxBytes, maxCount }, evict, failSafe, stats, vault }: CapacityOptions
): Room => {
  /**
   * The bytes of the largest arrival that found no room since there was room for all; none where
   * there is.
   */
  let wanted = -1
  const isFull = (size: number): boolean => vault.count + 1 > maxCount || vault.bytes + size > maxBytes
  /**
   * Whether room could be made for the arrival out of what is no worse than it (CONFORMANCE Q3).
   * O(1).
   */
  const couldFit = (severity: number, size: number): boolean => {
    let worseCount = 0
    let worseBytes = 0
    for (let rank = severities.length - 1; rank > severity; rank--) {
      worseCount += vault.counts[rank] ?? 0
      worseBytes += vault.byteCounts[rank] ?? 0
    }
    return worseCount + 1 <= maxCount && worseBytes + size <= maxBytes
  }
  return {
    make: (severity, size, now) => {
      if (wanted >= 0 && !isFull(Math.min(wanted, maxBytes))) {
        failSafe.roomUnsafe()
        wanted = -1
      }
      if (!isFull(size)) return true
      wanted = Math.max(wanted, size)
      if (failSafe.fullUnsafe(stats) === "turn_away" || !couldFit(severity, size)) return false
      while (isFull(size)) {
        const victim = vault.first()
        if (victim < 0 || vault.rankOf(victim) > severity) return false
        evict(victim, now)
      }
      return true
    }
  }
}
