/**
 * Verifies a chain that is in memory (spec/audit.md, "Verifying"; CONFORMANCE A1, A2).
 *
 * Hashes are compared by the port's timingSafeEqual, a chunk at a time, so that comparing costs
 * little beside hashing; one by one only in the chunk that holds a difference.
 */
import { DigestBuffer, digestBytes, digestWords } from "../../domain/Digest.ts"
import type { Hash } from "../../host/port/Hash.ts"
import { type AuditLog, chunkRecords } from "./AuditLog.ts"
import { previousHashWord, RowBuffer, rowWords, sequenceAt } from "./AuditRow.ts"

/** The part of the host's Hash that verifying a log needs. */
export type Hasher = Pick<Hash["Service"], "sha256Into" | "timingSafeEqual">

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

/**
 * The sequence of the first record that does not fit, or null where all that are kept do: each has
 * its own sequence, the hash of the one before it (the first one the log's anchor) and a hash that
 * is its own, and the last one's is `head`. Where that alone does not hold, the record after the
 * last is missing. One hash a record.
 */
export const firstBrokenOf = (
  log: AuditLog,
  head: DigestBuffer,
  { sha256Into, timingSafeEqual }: Hasher
): number | null => {
  const largest = Math.min(chunkRecords, log.length - log.oldest)
  // Of a chunk's records: the hashes that they must have, and the previous hashes that they name.
  const found = new Column(largest)
  const links = new Column(largest)
  const digest = new DigestBuffer()
  const before = new DigestBuffer()
  const row = new RowBuffer()
  before.words.set(log.anchor.words)

  for (let first = log.oldest; first < log.length;) {
    const chunk = log.chunkOf(first)
    const place = log.placeOf(first)
    const count = Math.min(chunk.records - place, log.length - first)
    const { hashes, hashWords, view, words } = chunk
    let inOrder = count
    for (let i = 0; i < count; i++) {
      const at = (place + i) * rowWords
      for (let word = 0; word < rowWords; word++) row.words[word] = words[at + word] ?? 0
      sha256Into(row.with(log.destinationAt(chunk, place + i).bytes), digest.bytes)
      for (let word = 0, to = i * digestWords; word < digestWords; word++) {
        found.words[to + word] = digest.words[word] ?? 0
        links.words[to + word] = words[at + previousHashWord + word] ?? 0
      }
      if (inOrder === count && sequenceAt(view, at * 4) !== first + i) inOrder = i
    }

    const agrees = (i: number, many: number): boolean =>
      timingSafeEqual(slice(found.bytes, i, many), slice(hashes, place + i, many))
    const follows = (i: number, many: number): boolean =>
      timingSafeEqual(slice(links.bytes, i, many), i === 0 ? before.bytes : slice(hashes, place + i - 1, many))
    if (inOrder < count || !agrees(0, count) || !follows(0, 1) || !follows(1, count - 1)) {
      for (let i = 0; i < inOrder; i++) if (!agrees(i, 1) || !follows(i, 1)) return first + i
      return first + inOrder
    }
    before.copyFrom(hashWords, (place + count - 1) * digestWords)
    first += count
  }
  return timingSafeEqual(before.bytes, head.bytes) ? null : log.length
}
