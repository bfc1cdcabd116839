/**
 * Holds evidence in slots: its bytes in an arena, everything else in rows of typed arrays (RFC,
 * "Quarantine"; CONFORMANCE D7, E5, Q1, Q4).
 *
 * Promises that looking up, inserting, removing, the next to evict and all numbers are O(1) at any
 * size, and that a held piece of evidence is no object: it costs the garbage collector nothing, and
 * about 150 bytes beside its own and those of its scent's id and source. Bytes are overwritten when
 * they leave.
 *
 * The vault keeps no bounds and writes no records; the quarantine does both.
 *
 * **Gotchas**
 *
 * - A slot is used again. To name evidence for longer than a call, keep the slot's `generation`
 *   too.
 * - The rows double when they are full, which copies all of them once.
 */
import { type Digest, DigestBuffer, digestHex, digestWords, hexOf } from "../../domain/Digest.ts"
import type { EvidenceRecord } from "../../domain/Evidence.ts"
import { categoryAt, type CategoryRank, type ThreatCategory } from "../../domain/Scent.ts"
import { type BySeverity, severities, type Severity, severityAt, type SeverityRank } from "../../domain/Severity.ts"
import type { QuarantineStats } from "../../domain/WatcherSnapshot.ts"
import type { EqualBytes } from "../../host/port/Memory.ts"
import { Arena, maxRegionBytes } from "../../memory/Arena.ts"
import { Blocks } from "../../memory/Blocks.ts"
import { copied, isDetached, moved, wipe } from "../../memory/Buffers.ts"
import { grown } from "../../memory/Grown.ts"
import type { CustodyFacts } from "../evidence/Evidence.ts"
import { signatureOf } from "../evidence/SignatureText.ts"
import { DigestIndex } from "./DigestIndex.ts"
import { EvictionLists, type EvictionPolicy } from "./EvictionLists.ts"
import { Rows, rowWords } from "./Rows.ts"
import { SampleIndex, sampleSeedWords, ways } from "./SampleIndex.ts"
import { readText, textBytes, writeText } from "./Texts.ts"

/** Unpredictable words of a vault's seed. */
export const vaultSeedWords = 2 + sampleSeedWords

/**
 * Bytes of the longest content that lives in the arena, with the texts of its scent beside it.
 * Longer content has a block of its own.
 */
const maxInArena = maxRegionBytes - 1024
const initialCapacity = 64
const NONE = -1

/** New evidence. `size` is the length of its content. */
export interface Arrival extends CustodyFacts {
  /** Copied. */
  readonly content: Uint8Array
  /** The claims of the scent: its id, its source and its own timestamp. */
  readonly id: string
  readonly source: string
  readonly timestamp: number
  /** Its key in the journal, where that has it from before. */
  readonly piece?: number
}

export interface VaultOptions {
  readonly policy: EvictionPolicy
  /** Whether signatures have a key: their digest then differs from the hash, and both are kept. */
  readonly keyed: boolean
  /** `vaultSeedWords` unpredictable words. */
  readonly seed: Int32Array
  readonly equal: EqualBytes
}

/** Evidence by slot. Every method that takes a slot needs one that is in use. */
export class Vault {
  private readonly blocks = new Blocks()
  private readonly arena = new Arena(this.blocks)
  private readonly order: EvictionLists
  private readonly samples: SampleIndex
  private readonly equal: EqualBytes
  readonly keyed: boolean
  private readonly rows = new Rows()
  private readonly index: DigestIndex
  /** The digest that `read` was last asked for. */
  private readonly wanted = new DigestBuffer()
  private wantedDigest: Digest | null = null
  /** The content that `findSame` was last asked for, and its key in the sample index. */
  private sampled: Uint8Array | null = null
  private key = 0
  /**
   * Content that is not in the arena: in blocks, and of exposed evidence in the buffers that were
   * given out.
   */
  private readonly own = new Map<number, Uint8Array<ArrayBuffer>>()
  private capacity = 0
  private used = 0
  private free = new Int32Array(0)
  private freeCount = 0

  /** Where signatures have a key: the hashes, eight words a slot. */
  private hashes = new Int32Array(0)

  /** Evidence held, and its bytes, by severity. */
  readonly counts: Float64Array = new Float64Array(severities.length)
  readonly byteCounts: Float64Array = new Float64Array(severities.length)
  count = 0
  bytes = 0

  constructor({ equal, keyed, policy, seed }: VaultOptions) {
    this.order = new EvictionLists(policy)
    this.index = new DigestIndex(this.rows, seed)
    this.samples = new SampleIndex(seed.subarray(2))
    this.equal = equal
    this.keyed = keyed
  }

  /** Places that the index has read so far: the work of finding and removing. */
  get probes(): number {
    return this.index.probes
  }

  /** Bytes of memory reserved for evidence in the arena. */
  get reserved(): number {
    return this.arena.reserved
  }

  /** The digest in a buffer that the next call uses again. */
  read(digest: Digest): DigestBuffer {
    if (digest !== this.wantedDigest) {
      this.wanted.copy(digest)
      this.wantedDigest = digest
    }
    return this.wanted
  }

  /** The slot with this signature, or -1. */
  find(signed: DigestBuffer, category: CategoryRank): number {
    return this.index.find(signed.words, category)
  }

  /**
   * The slot that holds these very bytes in this category, or -1 where that is not known without
   * hashing them. One comparison with one candidate; exposed bytes are no candidate. Of `content`
   * nothing is read but its first `size` bytes, by index and by the Memory port: no property.
   */
  findSame(content: Uint8Array, size: number, category: CategoryRank): number {
    // Long content may be a payload: nobody is kept waiting for its memory.
    this.sampled = size <= maxInArena ? content : null
    this.key = this.samples.keyOf(content, size, category)
    for (let way = 0; way < ways; way++) {
      const slot = this.samples.at(this.key, way)
      if (slot < 0 || !this.rows.mayBe(slot, size, category)) continue
      const own = size > maxInArena ? this.own.get(slot) : undefined
      const memory = own ?? this.arena.memory(slot)
      const at = own === undefined ? this.arena.at(slot) : 0
      return this.equal(memory, at, content, 0, size) ? slot : NONE
    }
    return NONE
  }

  /** Makes the next `findSame` find this content, which is held in the slot. */
  remember(content: Uint8Array, slot: number): void {
    // Usually `findSame` was asked for it a moment ago. Where the key is of another content, the
    // worst that happens is that `findSame` does not find it.
    const key = content === this.sampled
      ? this.key
      : this.samples.keyOf(content, content.length, this.rows.categoryOf(slot))
    this.samples.put(key, slot)
  }

  /**
   * Takes evidence whose signature is not held, and gives its slot. O(1) beside the copy. Nothing
   * is taken where it throws: all that may fail for lack of memory comes first.
   */
  insert(arrival: Arrival): number {
    const { content, id, severity, size, source } = arrival
    const inArena = size <= maxInArena ? size : 0
    const own = inArena === size ? null : this.copyOf(content, size)
    const idBytes = textBytes(id)
    const sourceBytes = textBytes(source)
    this.index.reserve()
    const slot = this.nextSlot()
    this.arena.allocate(slot, inArena + Math.abs(idBytes) + Math.abs(sourceBytes))
    this.takeSlot()
    const memory = this.arena.memory(slot)
    const at = this.arena.at(slot)
    if (own === null) memory.set(content, at)
    else this.own.set(slot, own)
    writeText(memory, at + inArena, id, idBytes)
    writeText(memory, at + inArena + Math.abs(idBytes), source, sourceBytes)

    this.read(arrival.signed).copyTo(this.rows.words, slot * rowWords)
    if (this.keyed) this.read(arrival.hash).copyTo(this.hashes, slot * digestWords)
    this.rows.write(slot, arrival, idBytes, sourceBytes)
    this.index.add(slot)
    this.remember(content, slot)
    this.order.add(slot, severity)
    this.account(severity, 1, size)
    return slot
  }

  /** Overwrites the bytes that are left of the evidence and frees its slot. */
  remove(slot: number): void {
    const severity = this.severityRankOf(slot)
    this.destroy(slot)
    this.arena.release(slot)
    this.index.remove(slot)
    this.order.remove(slot, severity)
    this.account(severity, -1, -this.sizeOf(slot))
    this.rows.renew(slot)
    this.free[this.freeCount++] = slot
  }

  /**
   * Removes everything, and overwrites what is known of it besides: digests, sizes and times.
   * O(pieces and bytes held), some 0.2 µs a piece beside its bytes.
   */
  wipe(): void {
    for (const slot of this.all()) this.remove(slot)
    this.rows.wipe()
    this.hashes.fill(0)
    this.sampled = null
    this.wantedDigest = null
    this.wanted.words.fill(0)
  }

  /** Gives the bytes to the caller, who owns them then. Call `remove` next. */
  take(slot: number): ArrayBuffer {
    if (!this.isExposed(slot)) return copied(this.contentOf(slot))
    const buffer = this.bufferOf(slot)
    this.own.delete(slot)
    // The holder of the live buffer may have detached it: then no bytes are left to give.
    return isDetached(buffer) ? new ArrayBuffer(0) : moved(buffer)
  }

  /** Gives the live buffer of the evidence, which counts as exposed from then on. */
  expose(slot: number): ArrayBuffer {
    if (this.isExposed(slot)) return this.bufferOf(slot)
    const buffer = copied(this.contentOf(slot))
    this.contentOf(slot).fill(0)
    this.destroy(slot)
    this.own.set(slot, new Uint8Array(buffer))
    this.rows.setExposed(slot)
    return buffer
  }

  isExposed(slot: number): boolean {
    return this.rows.isExposed(slot)
  }

  /**
   * The bytes as they are, not copied: read them at once. Empty where the holder of the live buffer
   * took it away.
   */
  contentOf(slot: number): Uint8Array<ArrayBuffer> {
    const own = this.own.get(slot)
    if (own !== undefined) return this.isExposed(slot) && isDetached(own.buffer) ? new Uint8Array(0) : own
    const at = this.arena.at(slot)
    return this.arena.memory(slot).subarray(at, at + this.sizeOf(slot))
  }

  /** Raises the severity; the evidence becomes the newest of its new severity. */
  raise(slot: number, severity: SeverityRank): void {
    const before = this.severityRankOf(slot)
    this.order.remove(slot, before)
    this.account(before, -1, -this.sizeOf(slot))
    this.rows.setSeverity(slot, severity)
    this.order.add(slot, severity)
    this.account(severity, 1, this.sizeOf(slot))
  }

  /**
   * Notes that the evidence was seen again: under `lru` it becomes the newest. Whether its place in
   * the order of eviction may be another now.
   */
  touch(slot: number): boolean {
    return this.order.touch(slot, this.severityRankOf(slot))
  }

  /** The slot that would be evicted now, or -1. */
  first(): number {
    return this.order.first()
  }

  /** All slots in use, in the order of eviction. O(n), some 5 ns a slot. */
  all(): Int32Array<ArrayBuffer> {
    return this.order.all()
  }

  /** Whether the slot still holds what it held at that generation. */
  holds(slot: number, generation: number): boolean {
    return this.rows.generationOf(slot) === generation
  }

  generationOf(slot: number): number {
    return this.rows.generationOf(slot)
  }

  sizeOf(slot: number): number {
    return this.rows.sizeOf(slot)
  }

  severityRankOf(slot: number): SeverityRank {
    return this.rows.severityOf(slot)
  }

  severityOf(slot: number): Severity {
    return severityAt(this.severityRankOf(slot))
  }

  categoryOf(slot: number): ThreatCategory {
    return categoryAt(this.rows.categoryOf(slot))
  }

  /** Copies the digest of the signature, and the hash, into these buffers. */
  readDigests(slot: number, signed: DigestBuffer, hash: DigestBuffer): void {
    signed.copyFrom(this.rows.words, slot * rowWords)
    if (this.keyed) hash.copyFrom(this.hashes, slot * digestWords)
    else hash.copyFrom(this.rows.words, slot * rowWords)
  }

  /** The facts of the evidence, as objects of their own. */
  factsOf(slot: number): CustodyFacts {
    const signed = digestAt(this.rows.words, slot * rowWords)
    return {
      category: this.rows.categoryOf(slot),
      severity: this.rows.severityOf(slot),
      size: this.rows.sizeOf(slot),
      captured: this.rows.capturedOf(slot),
      hash: this.keyed ? digestAt(this.hashes, slot * digestWords) : signed,
      signed
    }
  }

  /** The signature of the evidence. */
  signatureOf(slot: number): string {
    found.copyFrom(this.rows.words, slot * rowWords)
    return signatureOf(this.categoryOf(slot), hexOf(found.bytes))
  }

  /** The record of the evidence: all but its bytes. */
  recordOf(slot: number): EvidenceRecord {
    return recordOf(this.factsOf(slot), this.scentOf(slot))
  }

  /** O(1). */
  stats(): QuarantineStats {
    const [low = 0, medium = 0, high = 0, critical = 0] = this.counts
    return { count: this.count, bytes: this.bytes, bySeverity: { low, medium, high, critical } }
  }

  /** Bytes of the evidence held, by severity. O(1). */
  bytesBySeverity(): BySeverity {
    const [low = 0, medium = 0, high = 0, critical = 0] = this.byteCounts
    return { low, medium, high, critical }
  }

  /** The claims of the scent. */
  scentOf(slot: number): EvidenceRecord["scent"] {
    const memory = this.arena.memory(slot)
    const inArena = this.sizeOf(slot) <= maxInArena ? this.sizeOf(slot) : 0
    const at = this.arena.at(slot) + inArena
    const idBytes = this.rows.idBytesOf(slot)
    return {
      id: readText(memory, at, idBytes),
      source: readText(memory, at + Math.abs(idBytes), this.rows.sourceBytesOf(slot)),
      timestamp: this.rows.timestampOf(slot)
    }
  }

  /** A copy in a block, of which the next bytes stay unused. */
  private copyOf(content: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
    const own = this.blocks.take(size).subarray(0, size)
    own.set(content)
    return own
  }

  /** The buffer that was given out, of exposed evidence. */
  private bufferOf(slot: number): ArrayBuffer {
    return this.own.get(slot)?.buffer ?? new ArrayBuffer(0)
  }

  /** Overwrites content that is not in the arena, and gives its memory back. */
  private destroy(slot: number): void {
    const own = this.own.get(slot)
    if (own === undefined) return
    this.own.delete(slot)
    if (this.isExposed(slot)) {
      wipe(own.buffer)
      return
    }
    own.fill(0)
    this.blocks.give(new Uint8Array(own.buffer))
  }

  private account(severity: SeverityRank, count: number, size: number): void {
    this.counts[severity] = (this.counts[severity] ?? 0) + count
    this.byteCounts[severity] = (this.byteCounts[severity] ?? 0) + size
    this.count += count
    this.bytes += size
  }

  /** The slot that `takeSlot` takes. */
  private nextSlot(): number {
    if (this.freeCount > 0) return this.free[this.freeCount - 1] ?? 0
    if (this.used === this.capacity) this.grow(Math.max(2 * this.capacity, initialCapacity))
    return this.used
  }

  private takeSlot(): void {
    if (this.freeCount > 0) this.freeCount--
    else this.used++
  }

  private grow(capacity: number): void {
    this.arena.grow(capacity)
    this.order.grow(capacity)
    this.samples.grow(capacity)
    this.sampled = null
    this.free = grown(this.free, new Int32Array(capacity))
    this.rows.grow(capacity)
    if (this.keyed) this.hashes = grown(this.hashes, new Int32Array(capacity * digestWords))
    // Last: where there was no memory for one of them, all are grown again.
    this.capacity = capacity
  }
}

const found = new DigestBuffer()

/** The digest that begins at word `at`. */
const digestAt = (words: Int32Array, at: number): Digest => {
  found.copyFrom(words, at)
  return found.digest()
}

/** The record of evidence with these facts: all but its bytes. */
export const recordOf = (
  { captured, category, hash, severity, signed, size }: CustodyFacts,
  scent: EvidenceRecord["scent"]
): EvidenceRecord => {
  const name = categoryAt(category)
  const signature = signatureOf(name, digestHex(signed))
  return { signature, hash: digestHex(hash), category: name, severity: severityAt(severity), size, captured, scent }
}
