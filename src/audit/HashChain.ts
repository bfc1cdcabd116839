/**
 * The hash chain (RFC, "Audit Trail Integrity"; AUDIT.md; CONFORMANCE A1 to A3): each record's hash covers the hash before it,
 * so that an edit, a deletion, an insertion or a reordering shows.
 *
 * Promises bounded memory: it keeps the newest `maxRecords` records, and of those before them a checkpoint, which is how many
 * there were and the hash of the last. As that hash covers all of them, so does a verification that begins there.
 * Appending is O(1), one hash and no allocation; verifying is one hash for each record kept.
 *
 * **Gotchas**
 *
 * - A chain shows a cut-off tail only to somebody who knows its head: give `inspect` the head you wrote down.
 * - Whoever holds the whole chain can write another one. Against that, keep the head somewhere else.
 * - Without chaining, hashes are all zeros, and there is nothing that could break.
 */
import type { AuditRecord, CustodyRecord } from "../domain/Records.ts"
import { digestBytes, DigestBuffer, digestWords, hexOf } from "../evidence/Digest.ts"
import type { Hash } from "../port/Hash.ts"
import { AuditLog } from "./AuditLog.ts"
import { type AuditFacts, destinationOf, field, LongRow, readRow, rowBytes, writeRow } from "./AuditRow.ts"
import { type Checkpoint, checkpointHash } from "./Checkpoint.ts"
import { areSame, LogVerifier } from "./Verify.ts"

export type { AuditFacts } from "./AuditRow.ts"

/** The hash before the first record. */
export const genesis = "0".repeat(64)

/** What was found. */
export interface ChainReport {
  readonly valid: boolean
  /** The sequence of the first record that does not fit, or null. A missing head counts as the record after the last. */
  readonly firstBroken: number | null
  /** How many records were looked at. */
  readonly checked: number
  /** How many older ones the checkpoint stands for. */
  readonly summarised: number
}

/** An append-only chain of custody records. */
export interface HashChain {
  /** Of the newest record; `genesis` when there is none. */
  readonly lastHash: string
  /** How many records were ever appended. */
  readonly length: number
  /** What stands for the records that are no longer kept. */
  readonly checkpoint: Checkpoint
  /** Links a record to the chain. */
  readonly append: (facts: AuditFacts) => void
  /** The same, and gives the record back. */
  readonly record: <S extends CustodyRecord["status"]>(
    facts: AuditFacts & { readonly status: S }
  ) => Extract<CustodyRecord, { readonly status: S }>
  /** The records kept, oldest first. */
  readonly records: () => ReadonlyArray<AuditRecord>
  /** Verifies every record kept and, where given, that the newest one's hash is `head`. */
  readonly inspect: (head?: string) => ChainReport
}

/** What a chain is made of. */
export interface HashChainOptions {
  readonly chainEnabled: boolean
  /** The most records kept, at least 1. */
  readonly maxRecords: number
  readonly hash: Pick<Hash["Service"], "sha256Into" | "timingSafeEqual">
}

const utf8 = new TextEncoder()
const NO_BYTES = new Uint8Array(0)

/** An empty chain. `log` is where its records are kept; a new one when left out. */
export const makeHashChain = (options: HashChainOptions, log = new AuditLog(options.maxRecords)): HashChain => {
  const chain = new RingChain(options, log)
  return {
    get lastHash() {
      return chain.lastHash
    },
    get length() {
      return chain.length
    },
    get checkpoint() {
      return chain.checkpoint
    },
    append: (facts) => {
      chain.append(facts)
    },
    record: (facts) => chain.record(facts),
    records: () => chain.records(),
    inspect: (head) => chain.inspect(head)
  }
}

/** The chain behind its interface. */
class RingChain {
  private readonly chainEnabled: boolean
  private readonly maxRecords: number
  private readonly hash: HashChainOptions["hash"]
  private readonly log: AuditLog
  private readonly verifier: LogVerifier
  /** The hash of the newest record, and of the one before the oldest that is kept. */
  private readonly head = new DigestBuffer()
  private readonly anchor = new DigestBuffer()
  private readonly scratch = new LongRow()

  constructor({ chainEnabled, hash, maxRecords }: HashChainOptions, log: AuditLog) {
    this.chainEnabled = chainEnabled
    this.maxRecords = maxRecords
    this.hash = hash
    this.log = log
    this.verifier = new LogVerifier(log, hash)
  }

  get lastHash(): string {
    return hexOf(this.head.bytes)
  }

  get length(): number {
    return this.log.length
  }

  get checkpoint(): Checkpoint {
    const { oldest } = this.log
    return {
      length: oldest,
      head: hexOf(this.anchor.bytes),
      hash: checkpointHash(oldest, this.anchor.bytes, this.hash)
    }
  }

  append(facts: AuditFacts): void {
    const { anchor, head, log, maxRecords } = this
    const sequence = log.length
    const chunk = log.chunkOf(sequence)
    const place = log.placeOf(sequence)
    const at = place * rowBytes
    // The record whose place this is leaves its hash behind.
    if (sequence >= maxRecords) log.readHash(sequence - maxRecords, anchor.words)
    const destination = destinationOf(facts)
    const encoded = destination === null ? NO_BYTES : utf8.encode(destination)
    writeRow(chunk.rows, chunk.view, at, sequence, facts, encoded.length)
    chunk.destinations[place] = destination
    const link = (at + field.previousHash) >> 2
    for (let i = 0; i < digestWords; i++) chunk.rowWords[link + i] = head.words[i] ?? 0
    if (this.chainEnabled) {
      const row = chunk.rows.subarray(at, at + rowBytes)
      this.hash.sha256Into(encoded.length === 0 ? row : this.scratch.join(row, encoded), head.bytes)
    }
    for (let i = 0; i < digestWords; i++) chunk.hashWords[place * digestWords + i] = head.words[i] ?? 0
    log.length += 1
  }

  record<S extends CustodyRecord["status"]>(
    facts: AuditFacts & { readonly status: S }
  ): Extract<CustodyRecord, { readonly status: S }> {
    this.append(facts)
    // What was written with this status is read with it.
    return this.at(this.log.length - 1).entry as Extract<CustodyRecord, { readonly status: S }>
  }

  records(): Array<AuditRecord> {
    const records: Array<AuditRecord> = []
    for (let sequence = this.log.oldest; sequence < this.log.length; sequence++) records.push(this.at(sequence))
    return records
  }

  inspect(head?: string): ChainReport {
    if (!this.chainEnabled) return { valid: true, firstBroken: null, checked: 0, summarised: 0 }
    const { length, oldest: summarised } = this.log
    const firstBroken = this.verifier.firstBroken(this.anchor)
    if (firstBroken !== null) {
      return { valid: false, firstBroken, checked: firstBroken - summarised + 1, summarised }
    }
    const checked = length - summarised
    return head === undefined || areSame(this.hash, head, this.lastHash)
      ? { valid: true, firstBroken: null, checked, summarised }
      : { valid: false, firstBroken: length, checked, summarised }
  }

  private at(sequence: number): AuditRecord {
    const chunk = this.log.chunkOf(sequence)
    const place = this.log.placeOf(sequence)
    const entry = readRow(chunk.rows, chunk.view, place * rowBytes, chunk.destinations[place] ?? null)
    const hash = hexOf(chunk.hashes, place * digestBytes)
    return Object.freeze({ sequence, previousHash: entry.previousHash, hash, entry })
  }
}
