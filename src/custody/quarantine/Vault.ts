/**
 * Holds evidence in columns: a slot for each piece, its bytes in an arena, everything else in typed
 * arrays (RFC, "Quarantine"; CONFORMANCE D7, E5, Q1, Q4).
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
 * - Columns double when they are full, which copies all of them once.
 */
import { Digest, type DigestBuffer, digestWords } from "../../domain/Digest.ts"
import type { EvidenceRecord } from "../../domain/Evidence.ts"
import { categoryAt, type CategoryRank, type ThreatCategory } from "../../domain/Scent.ts"
import { type BySeverity, severities, type Severity, severityAt, type SeverityRank } from "../../domain/Severity.ts"
import type { QuarantineStats } from "../../domain/WatcherSnapshot.ts"
import type { EqualBytes } from "../../host/port/Memory.ts"
import { Arena, maxRegionBytes } from "../../memory/Arena.ts"
import { copied, isDetached, moved, wipe } from "../../memory/Buffers.ts"
import { grown } from "../../memory/Grown.ts"
import type { CustodyFacts } from "../evidence/Evidence.ts"
import { signatureOf } from "../evidence/SignatureText.ts"
import { DigestIndex } from "./DigestIndex.ts"
import { EvictionLists, type EvictionPolicy } from "./EvictionLists.ts"
import { SampleIndex, sampleSeedWords } from "./SampleIndex.ts"
import { readText, textBytes, writeText } from "./Texts.ts"

/** Unpredictable words of a vault's seed. */
export const vaultSeedWords = 2 + sampleSeedWords

/**
 * Bytes of the longest content that lives in the arena, with the texts of its scent beside it.
 * Longer content has a buffer of its own.
 */
const maxInArena = maxRegionBytes - 1024
const initialCapacity = 64
const NONE = -1

export interface Arrival {
  readonly category: CategoryRank
  readonly severity: SeverityRank
  /** Copied. */
  readonly content: Uint8Array
  /** Milliseconds since the epoch. */
  readonly captured: number
  /** The claims of the scent: its id, its source and its own timestamp. */
  readonly id: string
  readonly source: string
  readonly timestamp: number
  /** The SHA-256 of the content. */
  readonly hash: DigestBuffer
  /** The digest in the signature: the same, or with a key its HMAC. */
  readonly signed: DigestBuffer
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
  private readonly arena = new Arena()
  private readonly order: EvictionLists
  private readonly samples: SampleIndex
  private readonly equal: EqualBytes
  readonly keyed: boolean
  private readonly index: DigestIndex
  /** The content that `findSame` was last asked for, and its place in the sample index. */
  private sampled: Uint8Array | null = null
  private place = 0
  /** Buffers of content that is not in the arena. */
  private readonly own = new Map<number, ArrayBuffer>()
  private capacity = 0
  private used = 0
  private free = new Int32Array(0)
  private freeCount = 0

  /**
   * The columns that the index reads: the signature's digest, eight words a slot, and its category.
   */
  digests = new Int32Array(0)
  categories = new Uint8Array(0)
  private hashes = new Int32Array(0)
  private severityRanks = new Uint8Array(0)
  private exposed = new Uint8Array(0)
  private generations = new Uint32Array(0)
  private sizes = new Int32Array(0)
  private captured = new Float64Array(0)
  private timestamps = new Float64Array(0)
  private idBytes = new Int16Array(0)
  private sourceBytes = new Int16Array(0)

  /** Evidence held, and its bytes, by severity. */
  readonly counts: Float64Array = new Float64Array(severities.length)
  readonly byteCounts: Float64Array = new Float64Array(severities.length)
  count = 0
  bytes = 0

  constructor({ equal, keyed, policy, seed }: VaultOptions) {
    this.order = new EvictionLists(policy)
    this.index = new DigestIndex(this, seed)
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

  /** The slot with this signature, or -1. */
  find(signed: DigestBuffer, category: CategoryRank): number {
    return this.index.find(signed.words, category)
  }

  /**
   * The slot that holds these very bytes in this category, or -1 where that is not known without
   * hashing them. One comparison with one candidate; exposed bytes are no candidate.
   */
  findSame(content: Uint8Array, category: CategoryRank): number {
    this.sampled = content
    this.place = this.samples.placeOf(content, category)
    const slot = this.samples.at(this.place)
    if (slot < 0 || this.sizes[slot] !== content.length || this.categories[slot] !== category) return NONE
    if (this.exposed[slot] !== 0 || !this.isInUse(slot)) return NONE
    const own = this.own.get(slot)
    const memory = own === undefined ? this.arena.memory(slot) : new Uint8Array(own)
    const at = own === undefined ? this.arena.at(slot) : 0
    return this.equal(memory, at, content, 0, content.length) ? slot : NONE
  }

  /** Makes the next `findSame` find this content, which is held in the slot. */
  remember(content: Uint8Array, slot: number): void {
    // Usually `findSame` was asked for it a moment ago. Where the place is of another content, the
    // worst that happens is that `findSame` does not find it.
    const place = content === this.sampled ? this.place : this.samples.placeOf(content, this.categoryRankOf(slot))
    this.samples.put(place, slot)
  }

  /**
   * Takes evidence whose signature is not held, and gives its slot. O(1) beside the copy. Nothing
   * is taken where it throws: all that may fail for lack of memory comes first.
   */
  insert(arrival: Arrival): number {
    const { captured, category, content, hash, id, severity, signed, source, timestamp } = arrival
    const size = content.length
    const inArena = size <= maxInArena ? size : 0
    const own = inArena === size ? null : copied(content)
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

    this.digests.set(signed.words, slot * digestWords)
    if (this.keyed) this.hashes.set(hash.words, slot * digestWords)
    this.categories[slot] = category
    this.severityRanks[slot] = severity
    this.exposed[slot] = 0
    this.sizes[slot] = size
    this.captured[slot] = captured
    this.timestamps[slot] = timestamp
    this.idBytes[slot] = idBytes
    this.sourceBytes[slot] = sourceBytes
    this.generations[slot] = (this.generations[slot] ?? 0) + 1
    this.index.add(slot)
    this.remember(content, slot)
    this.order.add(slot, severity)
    this.account(severity, 1, size)
    return slot
  }

  /** Overwrites the bytes that are left of the evidence and frees its slot. */
  remove(slot: number): void {
    const severity = this.severityRankOf(slot)
    const own = this.own.get(slot)
    if (own !== undefined) {
      wipe(own)
      this.own.delete(slot)
    }
    this.arena.release(slot)
    this.index.remove(slot)
    this.order.remove(slot, severity)
    this.account(severity, -1, -this.sizeOf(slot))
    // Odd generations are in use.
    this.generations[slot] = (this.generations[slot] ?? 0) + 1
    this.free[this.freeCount++] = slot
  }

  /** Gives the bytes to the caller, who owns them then. Call `remove` next. */
  take(slot: number): ArrayBuffer {
    const own = this.own.get(slot)
    if (own !== undefined) {
      this.own.delete(slot)
      // The holder of the live buffer may have detached it: then no bytes are left to give.
      return isDetached(own) ? new ArrayBuffer(0) : moved(own)
    }
    return copied(this.contentOf(slot))
  }

  /** Gives the live buffer of the evidence, which counts as exposed from then on. */
  expose(slot: number): ArrayBuffer {
    const own = this.own.get(slot)
    const buffer = own ?? copied(this.contentOf(slot))
    this.exposed[slot] = 1
    if (own === undefined) {
      this.contentOf(slot).fill(0)
      this.own.set(slot, buffer)
    }
    return buffer
  }

  isExposed(slot: number): boolean {
    return this.exposed[slot] !== 0
  }

  /**
   * The bytes as they are, not copied: read them at once. Empty where the holder of the live buffer
   * took it away.
   */
  contentOf(slot: number): Uint8Array<ArrayBuffer> {
    const own = this.own.get(slot)
    if (own !== undefined) return new Uint8Array(isDetached(own) ? new ArrayBuffer(0) : own)
    const at = this.arena.at(slot)
    return this.arena.memory(slot).subarray(at, at + this.sizeOf(slot))
  }

  /** Raises the severity; the evidence becomes the newest of its new severity. */
  raise(slot: number, severity: SeverityRank): void {
    const before = this.severityRankOf(slot)
    this.order.remove(slot, before)
    this.account(before, -1, -this.sizeOf(slot))
    this.severityRanks[slot] = severity
    this.order.add(slot, severity)
    this.account(severity, 1, this.sizeOf(slot))
  }

  /** Notes that the evidence was seen again: under `lru` it becomes the newest. */
  touch(slot: number): void {
    this.order.touch(slot, this.severityRankOf(slot))
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
    return this.generations[slot] === generation
  }

  generationOf(slot: number): number {
    return this.generations[slot] ?? 0
  }

  sizeOf(slot: number): number {
    return this.sizes[slot] ?? 0
  }

  severityRankOf(slot: number): SeverityRank {
    return (this.severityRanks[slot] ?? 0) as SeverityRank
  }

  severityOf(slot: number): Severity {
    return severityAt(this.severityRankOf(slot))
  }

  categoryOf(slot: number): ThreatCategory {
    return categoryAt(this.categoryRankOf(slot))
  }

  /** Copies the digest of the signature, and the hash, into these buffers. */
  readDigests(slot: number, signed: DigestBuffer, hash: DigestBuffer): void {
    signed.copyFrom(this.digests, slot * digestWords)
    hash.copyFrom(this.keyed ? this.hashes : this.digests, slot * digestWords)
  }

  /** The facts of the evidence, as objects of their own. */
  factsOf(slot: number): CustodyFacts {
    const signed = new Digest(this.digests, slot * digestWords)
    return {
      category: this.categoryOf(slot),
      severity: this.severityOf(slot),
      size: this.sizeOf(slot),
      captured: this.captured[slot] ?? 0,
      hash: this.keyed ? new Digest(this.hashes, slot * digestWords) : signed,
      signed
    }
  }

  /** The signature of the evidence. */
  signatureOf(slot: number): string {
    const { category, signed } = this.factsOf(slot)
    return signatureOf(category, signed)
  }

  /** The record of the evidence: all but its bytes. */
  recordOf(slot: number): EvidenceRecord {
    const { captured, category, hash, severity, signed, size } = this.factsOf(slot)
    const signature = signatureOf(category, signed)
    return { signature, hash: hash.hex(), category, severity, size, captured, scent: this.scentOf(slot) }
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
    const idBytes = this.idBytes[slot] ?? 0
    return {
      id: readText(memory, at, idBytes),
      source: readText(memory, at + Math.abs(idBytes), this.sourceBytes[slot] ?? 0),
      timestamp: this.timestamps[slot] ?? 0
    }
  }

  private categoryRankOf(slot: number): CategoryRank {
    return (this.categories[slot] ?? 0) as CategoryRank
  }

  private isInUse(slot: number): boolean {
    return (this.generationOf(slot) & 1) === 1
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
    this.digests = grown(this.digests, new Int32Array(capacity * digestWords))
    if (this.keyed) this.hashes = grown(this.hashes, new Int32Array(capacity * digestWords))
    this.categories = grown(this.categories, new Uint8Array(capacity))
    this.severityRanks = grown(this.severityRanks, new Uint8Array(capacity))
    this.exposed = grown(this.exposed, new Uint8Array(capacity))
    this.generations = grown(this.generations, new Uint32Array(capacity))
    this.sizes = grown(this.sizes, new Int32Array(capacity))
    this.captured = grown(this.captured, new Float64Array(capacity))
    this.timestamps = grown(this.timestamps, new Float64Array(capacity))
    this.idBytes = grown(this.idBytes, new Int16Array(capacity))
    this.sourceBytes = grown(this.sourceBytes, new Int16Array(capacity))
    // Last: where there was no memory for one of them, all are grown again.
    this.capacity = capacity
  }
}
