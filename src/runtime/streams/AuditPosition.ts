/**
 * Where a reader is in the audit chain. The records wait in the chain itself, and cost nothing more
 * until they are read: what the chain no longer keeps is missed.
 */
import type { HashChain } from "../../custody/audit/HashChain.ts"
import type { AuditRecord } from "../../domain/Records.ts"
import { type Backlog, type Missed, missed } from "../../telemetry/Reader.ts"

export class AuditPosition implements Backlog<AuditRecord> {
  readonly #chain: Pick<HashChain, "records">
  #next: number

  /** `from`: the sequence of the first record. */
  constructor(chain: Pick<HashChain, "records">, from: number) {
    this.#chain = chain
    this.#next = from
  }

  takeUnsafe(limit: number): ReadonlyArray<AuditRecord | Missed> {
    const records = this.#chain.records({ from: this.#next, limit })
    const first = records[0]
    if (first === undefined) return records
    const gap = first.sequence - this.#next
    this.#next = first.sequence + records.length
    return gap > 0 ? [missed(gap), ...records] : records
  }
}
