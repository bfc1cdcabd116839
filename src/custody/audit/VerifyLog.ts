/**
 * Verifies a chain that is in memory (spec/audit.md, "Verifying"; CONFORMANCE A1, A2).
 *
 * Hashes are compared by the port's timingSafeEqual, a chunk at a time, so that comparing costs
 * little beside hashing; one by one only in the chunk that holds a difference.
 *
 * The work comes in slices of 2,048 records. Records that are appended during a pause are not
 * looked at. Where they push out records that were still to be verified, the verification goes on
 * where the log begins by then: its report is that of the records which were kept all the while.
 */
import { DigestBuffer, digestBytes, digestWords } from "../../domain/Digest.ts"
import type { Hash } from "../../host/port/Hash.ts"
import type { Sliced } from "../../scheduler/Slices.ts"
import { type AuditLog, chunkRecords } from "./AuditLog.ts"
import { previousHashWord, RowBuffer, rowWords, sequenceAt } from "./AuditRow.ts"

/** The part of the host's Hash that verifying a log needs. */
export type Hasher = Pick<Hash["Service"], "sha256Into" | "timingSafeEqual">

/** What was found in the records from `summarised` up to `end`. */
export interface Verified {
  /** The first record that does not fit, or null; `end` where the one after the last is missing. */
  readonly firstBroken: number | null
  /** Records before those that were verified. */
  readonly summarised: number
  /** The length of the log when the verification began. */
  readonly end: number
}

/** Chunks that one slice verifies. */
const chunksPerSlice = 8

/** Digests side by side. */
class Column {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly words: Int32Array<ArrayBuffer>

  constructor(count: number) {
    this.bytes = new Uint8Array(count * digestBytes)
    this.words = new Int32Array(this.bytes.buffer)
  }
}

const slice = (bytes: Uint8Array, from: number, count: number): Uint8Array =>
  bytes.subarray(from * digestBytes, (from + count) * digestBytes)

/** Verifies a log from its beginning on, as many records at a time as lie together. */
class Run {
  /** The hash of the record before `first`. */
  readonly before = new DigestBuffer()
  first: number
  private readonly log: AuditLog
  private readonly hasher: Hasher
  // Of a chunk's records: the hashes that they must have, and the previous hashes that they name.
  private readonly found: Column
  private readonly links: Column
  private readonly digest = new DigestBuffer()
  private readonly row = new RowBuffer()

  constructor(log: AuditLog, hasher: Hasher) {
    this.log = log
    this.hasher = hasher
    this.first = log.oldest
    this.before.words.set(log.anchor.words)
    const largest = Math.min(chunkRecords, log.length - log.oldest)
    this.found = new Column(largest)
    this.links = new Column(largest)
  }

  /** Begins anew where the log begins by now. */
  restart(): void {
    this.first = this.log.oldest
    this.before.words.set(this.log.anchor.words)
  }

  /**
   * Verifies the records that lie together from `first` on, up to `end` at most, and moves `first`
   * behind them. Gives the first one that does not fit, or null.
   */
  advance(end: number): number | null {
    const { before, first, found, hasher: { timingSafeEqual }, links, log } = this
    const chunk = log.chunkOf(first)
    const place = log.placeOf(first)
    const count = Math.min(chunk.records - place, end - first)
    const { hashes, hashWords } = chunk
    const inOrder = this.readChunk(first, count)
    const agrees = (i: number, many: number): boolean =>
      timingSafeEqual(slice(found.bytes, i, many), slice(hashes, place + i, many))
    const follows = (i: number, many: number): boolean =>
      timingSafeEqual(slice(links.bytes, i, many), i === 0 ? before.bytes : slice(hashes, place + i - 1, many))
    if (inOrder < count || !agrees(0, count) || !follows(0, 1) || !follows(1, count - 1)) {
      for (let i = 0; i < inOrder; i++) if (!agrees(i, 1) || !follows(i, 1)) return first + i
      return first + inOrder
    }
    before.copyFrom(hashWords, (place + count - 1) * digestWords)
    this.first += count
    return null
  }

  /** Fills `found` and `links`, and gives the number of records before the first out of order. */
  private readChunk(first: number, count: number): number {
    const { digest, found, links, log, row } = this
    const chunk = log.chunkOf(first)
    const place = log.placeOf(first)
    const { view, words } = chunk
    let inOrder = count
    for (let i = 0; i < count; i++) {
      const at = (place + i) * rowWords
      for (let word = 0; word < rowWords; word++) row.words[word] = words[at + word] ?? 0
      this.hasher.sha256Into(row.with(log.destinationAt(chunk, place + i).bytes), digest.bytes)
      for (let word = 0, to = i * digestWords; word < digestWords; word++) {
        found.words[to + word] = digest.words[word] ?? 0
        links.words[to + word] = words[at + previousHashWord + word] ?? 0
      }
      if (inOrder === count && sequenceAt(view, at * 4) !== first + i) inOrder = i
    }
    return inOrder
  }
}

/**
 * Verifies that each record kept has its own sequence, the hash of the one before it (the first one
 * the log's anchor) and a hash that is its own, and that the last one's is `head`. Where that alone
 * does not hold, the record after the last is missing. One hash a record.
 */
export function* verification(log: AuditLog, head: DigestBuffer, hasher: Hasher): Sliced<Verified> {
  const end = log.length
  const last = new DigestBuffer()
  last.words.set(head.words)
  const run = new Run(log, hasher)
  let summarised = run.first
  for (let chunks = 1; run.first < end; chunks++) {
    const firstBroken = run.advance(end)
    if (firstBroken !== null) return { firstBroken, summarised, end }
    if (chunks % chunksPerSlice !== 0 || run.first === end) continue
    yield
    if (log.oldest <= run.first) continue
    run.restart()
    // Of the records that were there at the beginning none is left.
    if (run.first > end) return { firstBroken: null, summarised: end, end }
    summarised = run.first
  }
  return { firstBroken: hasher.timingSafeEqual(run.before.bytes, last.bytes) ? null : end, summarised, end }
}
