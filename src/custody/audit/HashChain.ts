/**
 * The hash chain (RFC, "Audit Trail Integrity"; spec/audit.md; CONFORMANCE A1 to A3): each record's
 * hash covers the hash before it, so that an edit, a deletion, an insertion or a reordering shows.
 *
 * Promises bounded memory: the chain keeps the newest `maxRecords` records as bytes, and a
 * checkpoint of those before them: their number, and the hash of the last. That hash covers all of
 * them, and so does a verification that begins there. Appending is O(1) and one hash; it allocates
 * nothing but the memory for another 256 records, when there is none left. Verifying is one hash
 * for each record kept. A record becomes an object when a caller reads it.
 *
 * **Gotchas**
 *
 * - A chain shows a cut-off tail only to a caller who knows its head: give `inspect` the head that
 *   you wrote down.
 * - An attacker who holds the whole chain can write another one. Against that, keep the head
 *   somewhere else.
 * - Without chaining, all hashes are zeros, and `inspect` finds nothing.
 */
import { DigestBuffer, hexOf } from "../../domain/Digest.ts"
import type { AuditRecord, CustodyRecord } from "../../domain/Records.ts"
import { type AuditFacts, destinationOf, type Status } from "./AuditFacts.ts"
import { AuditLog } from "./AuditLog.ts"
import { RowBuffer } from "./AuditRow.ts"
import { type Checkpoint, makeCheckpoint } from "./Checkpoint.ts"
import { areSame } from "./Verify.ts"
import { firstBrokenOf, type Hasher } from "./VerifyLog.ts"

export type { AuditFacts } from "./AuditFacts.ts"

/** The hash before the first record. */
export const genesis = "0".repeat(64)

export interface ChainReport {
  readonly valid: boolean
  /**
   * The sequence of the first record that does not fit, or null. A missing head counts as the
   * record after the last.
   */
  readonly firstBroken: number | null
  /** Records checked, the broken one included. */
  readonly checked: number
  /** Older records that the checkpoint stands for. */
  readonly summarised: number
}

/** An append-only chain of custody records. */
export interface HashChain {
  /** Of the newest record; `genesis` when there is none. */
  readonly lastHash: string
  /** Records ever appended. */
  readonly length: number
  /** Stands for the records that are no longer kept. */
  readonly checkpoint: Checkpoint
  /** Links a record to the chain. O(1), one hash. */
  readonly append: (facts: AuditFacts) => void
  /** The same, and gives the record. */
  readonly record: <S extends Status>(
    facts: AuditFacts & { readonly status: S }
  ) => Extract<CustodyRecord, { readonly status: S }>
  /** The records kept, oldest first: decoded anew, in an array of the caller's. O(records kept). */
  readonly records: () => ReadonlyArray<AuditRecord>
  /**
   * Verifies every record kept and, where given, that the newest one's hash is `head`. O(records
   * kept), one hash each.
   */
  readonly inspect: (head?: string) => ChainReport
}

export interface HashChainOptions {
  readonly chainEnabled: boolean
  /** The most records kept, at least 1. */
  readonly maxRecords: number
  readonly hash: Hasher
}

/** An empty chain. `log` keeps its records and must be empty too: a new one when left out. */
export const makeHashChain = (
  { chainEnabled, hash, maxRecords }: HashChainOptions,
  log: AuditLog = new AuditLog(maxRecords)
): HashChain => {
  const row = new RowBuffer()
  /** The hash of the newest record. */
  const head = new DigestBuffer()

  const append = (facts: AuditFacts): void => {
    const destination = log.destination(destinationOf(facts))
    row.write(log.length, head, facts, destination.bytes.length)
    if (chainEnabled) hash.sha256Into(row.with(destination.bytes), head.bytes)
    log.push(row.words, head.words, destination)
  }

  return {
    get lastHash() {
      return hexOf(head.bytes)
    },
    get length() {
      return log.length
    },
    get checkpoint() {
      return chainEnabled
        ? makeCheckpoint(log.oldest, log.anchor.bytes, hash)
        : Object.freeze({ length: log.oldest, head: genesis, hash: genesis })
    },
    append,
    record: <S extends Status>(facts: AuditFacts & { readonly status: S }) => {
      append(facts)
      // A row that was written with this status is read with it.
      return log.read(log.length - 1).entry as Extract<CustodyRecord, { readonly status: S }>
    },
    records: () => Array.from({ length: log.length - log.oldest }, (_, i) => log.read(log.oldest + i)),
    inspect: (wanted) => {
      const { length, oldest: summarised } = log
      if (!chainEnabled) return { valid: true, firstBroken: null, checked: 0, summarised: 0 }
      const broken = firstBrokenOf(log, head, hash)
      const firstBroken = broken === null && wanted !== undefined && !areSame(hash, wanted, hexOf(head.bytes))
        ? length
        : broken
      return {
        valid: firstBroken === null,
        firstBroken,
        checked: Math.min(firstBroken === null ? length : firstBroken + 1, length) - summarised,
        summarised
      }
    }
  }
}
