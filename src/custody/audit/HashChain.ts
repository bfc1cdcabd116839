/**
 * The hash chain (RFC, "Audit Trail Integrity"; spec/ledger.md; CONFORMANCE A1 to A3): each
 * record's hash covers the hash before it, so that an edit, a deletion, an insertion or a
 * reordering shows.
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
import { atOnce, type Sliced } from "../../scheduler/Slices.ts"
import { Listeners } from "../../telemetry/Listeners.ts"
import { type AuditFacts, destinationOf, factsOf, type Status } from "./AuditFacts.ts"
import { AuditLog } from "./AuditLog.ts"
import { RowBuffer } from "./AuditRow.ts"
import { type Checkpoint, makeCheckpoint } from "./Checkpoint.ts"
import { EntryText } from "./EntryText.ts"
import { areSame } from "./Verify.ts"
import { type Hasher, verification } from "./VerifyLog.ts"

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

/**
 * A run of records. Both are taken as `Array.prototype.slice` takes its numbers, but that what is
 * below 0 counts as 0.
 */
export interface AuditRange {
  /** The sequence of the first: 0, or the oldest one kept where this one has left already. */
  readonly from?: number
  /** The most records: all there are when left out. */
  readonly limit?: number
}

/** Another place that keeps the records of a chain. */
export interface KeptChain {
  /**
   * Called on the turn of each append with the record's sequence, its text in UTF-8, which is valid
   * during the call alone, and the piece in the journal that it ends.
   */
  readonly keep: (sequence: number, text: Uint8Array, piece: number | undefined) => void
  /** Records that are on disk there. */
  readonly durable: () => number
}

/** The end of a chain: its length, and the hash of its last record. */
export interface ChainEnd {
  readonly size: number
  /** In hexadecimal; `genesis` where the size is 0. */
  readonly head: string
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
  /**
   * Goes on from the end of a chain that is kept elsewhere, and has another place keep each record
   * from now on. The records so far are linked anew behind that end, each is kept too, and their
   * number is given; those that had left memory by then are not among them. Of a chain that is
   * enabled.
   */
  readonly continueFrom: (end: ChainEnd, kept: KeptChain) => number
  /** Records that are on disk: 0 where no other place keeps them. O(1). */
  readonly durable: () => number
  /** The same, and gives the record. */
  readonly record: <S extends Status>(
    facts: AuditFacts & { readonly status: S }
  ) => Extract<CustodyRecord, { readonly status: S }>
  /**
   * The records kept, oldest first: decoded anew, in an array of the caller's. O(records given),
   * however many are kept.
   */
  readonly records: (range?: AuditRange) => ReadonlyArray<AuditRecord>
  /**
   * The same in slices of 128 records. Records that are appended during a pause are left out. Where
   * they push out records that were still to be read, the run begins where the chain begins by
   * then: it never has a gap.
   */
  readonly reading: (range?: AuditRange) => Sliced<ReadonlyArray<AuditRecord>>
  /**
   * Verifies every record kept and, where given, that the newest one's hash is `head`. O(records
   * kept), one hash each.
   */
  readonly inspect: (head?: string) => ChainReport
  /** The same in slices of 2,048 records; see VerifyLog.ts for what is appended during a pause. */
  readonly inspection: (head?: string) => Sliced<ChainReport>
  /**
   * Calls back on the turn of each append, after it, until the function that it gives is called.
   */
  readonly onAppend: (listener: () => void) => () => void
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
  const text = new EntryText()
  /** The hash of the newest record. */
  const head = new DigestBuffer()
  const appended = new Listeners<void>()
  let kept: KeptChain | null = null

  const append = (facts: AuditFacts): void => {
    const destination = log.destination(destinationOf(facts))
    row.write(facts)
    if (chainEnabled) {
      const bytes = text.write(row, 0, log.length, head.bytes, 0, destination)
      // Facts always make a sound row.
      if (bytes !== null) {
        hash.sha256Into(bytes, head.bytes)
        // Without the zero byte that only the hash covers.
        if (kept !== null) kept.keep(log.length, bytes.subarray(1), facts.piece)
      }
    }
    log.push(row.words, head.words, destination)
    if (appended.isHeard) appended.tellUnsafe()
  }
  const inspectionOfAll = inspectionOf(log, head, hash)
  const inspection = function*(wanted?: string): Sliced<ChainReport> {
    if (!chainEnabled) return { valid: true, firstBroken: null, checked: 0, summarised: 0 }
    return yield* inspectionOfAll(wanted)
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
    durable: () => kept?.durable() ?? 0,
    continueFrom: (end, elsewhere) => {
      const early = atOnce(reading(log)).map(({ entry }) => factsOf(entry))
      head.read(end.head, 0)
      log.begin(end.size, head)
      kept = elsewhere
      for (const facts of early) append(facts)
      return early.length
    },
    record: <S extends Status>(facts: AuditFacts & { readonly status: S }) => {
      append(facts)
      // A row that was written with this status is read with it.
      return log.read(log.length - 1).entry as Extract<CustodyRecord, { readonly status: S }>
    },
    records: (range) => atOnce(reading(log, range)),
    reading: (range) => reading(log, range),
    inspect: (wanted) => atOnce(inspection(wanted)),
    inspection,
    onAppend: (listener) => appended.add(listener)
  }
}

/** Records that one slice decodes: about 10 µs each. */
const recordsPerSlice = 128

function* reading(log: AuditLog, range?: AuditRange): Sliced<Array<AuditRecord>> {
  let at = Math.max(wholeOf(range?.from ?? 0), log.oldest)
  const end = Math.min(at + wholeOf(range?.limit ?? Infinity), log.length)
  let records: Array<AuditRecord> = []
  for (let read = 1; at < end; read++) {
    records.push(log.read(at))
    at += 1
    if (read % recordsPerSlice !== 0 || at >= end) continue
    yield
    if (at >= log.oldest) continue
    at = log.oldest
    records = []
  }
  return records
}

/** The number without what is behind its point; 0 for what is none, or below 0. */
const wholeOf = (value: unknown): number => typeof value === "number" ? Math.max(0, Math.trunc(value) || 0) : 0

const inspectionOf = (log: AuditLog, head: DigestBuffer, hash: Hasher): HashChain["inspection"] =>
  function*(wanted) {
    // Of now: the head moves on while the work pauses.
    const isWanted = wanted === undefined || areSame(hash, wanted, hexOf(head.bytes))
    const { end, firstBroken: broken, summarised } = yield* verification(log, head, hash)
    const firstBroken = broken ?? (isWanted ? null : end)
    return {
      valid: firstBroken === null,
      firstBroken,
      checked: Math.min(firstBroken === null ? end : firstBroken + 1, end) - summarised,
      summarised
    }
  }
