/**
 * Keeps a quarantine within its bounds (RFC, "Quarantine Eviction Policy"; CONFORMANCE Q1, Q3, F1):
 * evicts evidence to make room for an arrival, and asks the fail-safe first what to do while there
 * is none.
 *
 * It tells the fail-safe that there is room again only when the largest arrival that found none
 * would fit. Otherwise an attacker who sends large and small payloads in turn would make the
 * quarantine full once for each of them, and each time would count.
 *
 * Cost: O(1) beside the evictions.
 */
import { severities, type SeverityRank } from "../../domain/Severity.ts"
import type { QuarantineStats } from "../../domain/WatcherSnapshot.ts"
import type { FailSafe } from "../../safety/failsafe/FailSafe.ts"
import type { Evictions } from "./Evictions.ts"
import type { Vault } from "./Vault.ts"

export interface CapacityOptions {
  readonly bounds: { readonly maxCount: number; readonly maxBytes: number }
  readonly vault: Vault
  readonly failSafe: Pick<FailSafe["Service"], "fullUnsafe" | "roomUnsafe">
  readonly evictions: Pick<Evictions, "evict">
}

export class Capacity {
  readonly #maxCount: number
  readonly #maxBytes: number
  readonly #vault: Vault
  readonly #failSafe: CapacityOptions["failSafe"]
  readonly #evictions: CapacityOptions["evictions"]
  readonly #stats: () => QuarantineStats
  /** Bytes of the largest arrival that found no room since there was room for all; -1 for none. */
  #wanted = -1

  constructor({ bounds, evictions, failSafe, vault }: CapacityOptions) {
    this.#maxCount = bounds.maxCount
    this.#maxBytes = bounds.maxBytes
    this.#vault = vault
    this.#failSafe = failSafe
    this.#evictions = evictions
    this.#stats = () => vault.stats()
  }

  /** How full the vault is, from 0 to 1: by count or by bytes, whichever is more. O(1). */
  fill(): number {
    return Math.max(this.#vault.count / this.#maxCount, this.#vault.bytes / this.#maxBytes)
  }

  /**
   * Makes room for `size` bytes of this severity; false where that cannot be done. Under `lru`,
   * evidence may have been evicted even so.
   */
  makeRoom(severity: SeverityRank, size: number, now: number): boolean {
    const vault = this.#vault
    if (this.#wanted >= 0 && !this.#isFull(Math.min(this.#wanted, this.#maxBytes))) {
      this.#failSafe.roomUnsafe()
      this.#wanted = -1
    }
    if (!this.#isFull(size)) return true
    this.#wanted = Math.max(this.#wanted, size)
    if (this.#failSafe.fullUnsafe(this.#stats) === "turn_away" || !this.#couldFit(severity, size)) return false
    while (this.#isFull(size)) {
      const victim = vault.first()
      if (victim < 0 || vault.severityRankOf(victim) > severity) return false
      this.#evictions.evict(victim, now)
    }
    return true
  }

  #isFull(size: number): boolean {
    return this.#vault.count + 1 > this.#maxCount || this.#vault.bytes + size > this.#maxBytes
  }

  /**
   * Whether evicting all that is no worse than the arrival would make room for it (CONFORMANCE Q3).
   * O(1).
   */
  #couldFit(severity: SeverityRank, size: number): boolean {
    const { byteCounts, counts } = this.#vault
    let worseCount = 0
    let worseBytes = 0
    for (let rank = severities.length - 1; rank > severity; rank--) {
      worseCount += counts[rank] ?? 0
      worseBytes += byteCounts[rank] ?? 0
    }
    return worseCount + 1 <= this.#maxCount && worseBytes + size <= this.#maxBytes
  }
}
