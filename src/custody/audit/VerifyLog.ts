/**
 * Verifies a chain that is in memory (spec/ledger.md, "Verifying"; CONFORMANCE A1, A2).
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
import { rowBytes } from "./AuditRow.ts"
import { EntryText } from "./EntryText.ts"

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
  /** Of a chunk's records the hashes that they must have. */
  private readonly found: Column
  private readonly digest = new DigestBuffer()
  private readonly text = new EntryText()

  constructor(log: AuditLog, hasher: Hasher) {
    this.log = log
    this.hasher = hasher
    this.first = log.oldest
    this.before.words.set(log.anchor.words)
    this.found = new Column(Math.min(chunkRecords, log.length - log.oldest))
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
    const { before, first, found, hasher: { timingSafeEqual }, log } = this
    const chunk = log.chunkOf(first)
    const place = log.placeOf(first)
    const count = Math.min(chunk.records - place, end - first)
    const { hashes, hashWords } = chunk
    const sound = this.hashChunk(first, count)
    const agrees = (i: number, many: number): boolean =>
      timingSafeEqual(slice(found.bytes, i, many), slice(hashes, place + i, many))
    if (sound < count || !agrees(0, count)) {
      for (let i = 0; i < sound; i++) if (!agrees(i, 1)) return first + i
      return first + sound
    }
    before.copyFrom(hashWords, (place + count - 1) * digestWords)
    this.first += count
    return null
  }

  /** Fills `found`, and gives the number of records before the first whose row is none. */
  private hashChunk(first: number, count: number): number {
    const { before, digest, found, hasher, log, text } = this
    const chunk = log.chunkOf(first)
    const place = log.placeOf(first)
    let previous = before.bytes
    let previousAt = 0
    for (let i = 0; i < count; i++) {
      const destination = log.destinationAt(chunk, place + i)
      const bytes = text.write(chunk, (place + i) * rowBytes, first + i, previous, previousAt, destination)
      if (bytes === null) return i
      hasher.sha256Into(bytes, digest.bytes)
      for (let word = 0, to = i * digestWords; word < digestWords; word++)
        found.words[to + word] = digest.words[word] ?? 0
      previous = chunk.hashes
      previousAt = (place + i) * digestBytes
    }
    return count
  }
}

/**
 * Verifies that each record kept has the hash of its text at its place, behind the hash of the one
 * before it (the first one behind the log's anchor), and that the last one's is `head`. Where that
 * alone does not hold, the record after the last is missing. One hash a record.
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
