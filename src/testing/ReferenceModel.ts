/**
 * An executable specification: the answers and the state of a Tracehound, written with plain arrays
 * and without regard to cost (CONFORMANCE D2, D5 to D7, G1 to G4, E2 to E4, A1, Q1 to Q4, C1). A
 * test gives it and a real Tracehound the same commands, and compares them after each.
 *
 * The model has no bytes, hashes, files or clocks. A payload is its `content`: a name for its
 * canonical bytes, and their number. A source is its canonical key. The caller passes the time, in
 * ms that never go back. Every method is O(state).
 *
 * **Gotchas**
 *
 * - Cold storage is a number of envelopes that it takes, or null if none is configured.
 * - Do not pass malformed scents: Tracehound answers them with `error`, does not count them as
 *   requests and keeps nothing of them.
 */
import type { InterceptResult } from "../domain/InterceptResult.ts"
import type { CustodyRecord } from "../domain/Records.ts"
import type { ThreatSignal } from "../domain/Scent.ts"
import { type BySeverity, severities, type Severity } from "../domain/Severity.ts"

/** The part of the configuration that the model depends on. */
export interface ModelConfig {
  readonly maxPayloadSize: number
  readonly rateLimit: {
    readonly windowMs: number
    readonly maxRequests: number
    readonly blockDurationMs: number
    readonly maxSources: number
  }
  readonly quarantine: {
    readonly maxCount: number
    readonly maxBytes: number
    readonly evictionPolicy: "priority" | "lru"
  }
  /** How many envelopes cold storage takes before it refuses; null if there is none. */
  readonly coldStorage: number | null
}

/** The canonical bytes of a payload: the same name stands for the same bytes. */
export interface Content {
  readonly name: string
  /** Bytes. */
  readonly size: number
}

/** A piece of evidence, held or gone. */
export interface Evidence {
  /** The category and the content's name: two scents with the same signature are one threat. */
  readonly signature: string
  readonly size: number
  severity: Severity
}

/** A source in the rate limiter's table: blocked if it has more requests than allowed. */
interface Source {
  readonly key: string
  requests: number
  /** The end of its window or, if it is blocked, of its block. */
  until: number
}

/** The expected answer of `intercept`. */
export type Answer =
  | { readonly status: Exclude<InterceptResult["status"], "rate_limited" | "quarantined"> }
  | { readonly status: "rate_limited"; readonly retryAfter: number }
  | { readonly status: "quarantined"; readonly evidence: Evidence; readonly isEvicted: boolean }

const rank = (severity: Severity): number => severities.indexOf(severity)
const total = (evidence: ReadonlyArray<Evidence>): number => evidence.reduce((sum, { size }) => sum + size, 0)

/** One Tracehound from its start on. */
export class ReferenceModel {
  /** Oldest first. */
  private held: Array<Evidence> = []
  /**
   * Ordered by when an unblocked source was last seen, or a blocked one was blocked. Oldest first.
   */
  private table: Array<Source> = []
  /** The audit chain, oldest first. */
  readonly audit: Array<{ readonly status: CustodyRecord["status"]; readonly evidence: Evidence }> = []
  /** The evidence in cold storage, oldest first. */
  readonly stored: Array<Evidence> = []
  /** How often cold storage refused. */
  refused = 0
  /**
   * How often a full table had several blocks that were over, and could drop any of them. Answers
   * do not depend on the choice, but the number of sources may.
   */
  openChoices = 0
  hits = 0
  evictions = 0
  private readonly config: ModelConfig

  constructor(config: ModelConfig) {
    this.config = config
  }

  /**
   * Intercepts a well-formed scent. The rate is checked first, then the signal, and the payload
   * last (CONFORMANCE G4).
   */
  intercept(source: string, content: Content, threat: ThreatSignal | null, now: number): Answer {
    const retryAfter = this.request(source, now)
    if (retryAfter > 0) return { status: "rate_limited", retryAfter }
    if (threat === null) return { status: "clean" }
    if (content.size > this.config.maxPayloadSize) return { status: "payload_too_large" }
    const signature = `${threat.category}:${content.name}`
    const known = this.find(signature)
    if (known !== undefined) {
      this.hit(known, threat.severity)
      return { status: "ignored" }
    }
    const evidence = { signature, size: content.size, severity: threat.severity }
    return { status: "quarantined", evidence, isEvicted: !this.admit(evidence) }
  }

  /** The evidence that is held under this signature. */
  find(signature: string): Evidence | undefined {
    return this.held.find((evidence) => evidence.signature === signature)
  }

  isHeld(evidence: Evidence): boolean {
    return this.held.includes(evidence)
  }

  /** All held evidence, in the order of eviction (CONFORMANCE Q1). */
  order(): ReadonlyArray<Evidence> {
    return this.config.quarantine.evictionPolicy === "lru"
      ? this.held
      : severities.flatMap((severity) => this.held.filter((evidence) => evidence.severity === severity))
  }

  /** False if it was not held. */
  neutralize(evidence: Evidence): boolean {
    return this.leave(evidence, "neutralized")
  }

  /** False if it was not held. */
  transfer(evidence: Evidence): boolean {
    return this.leave(evidence, "transferred")
  }

  /**
   * False, with nothing changed, if it was not held or cold storage refused it (CONFORMANCE E4).
   */
  evacuate(evidence: Evidence): boolean {
    return this.isHeld(evidence) && this.store(evidence) && this.leave(evidence, "evacuated")
  }

  /** Neutralizes and returns all held evidence, in the order of eviction (CONFORMANCE Q4). */
  flush(): ReadonlyArray<Evidence> {
    const leaving = [...this.order()]
    for (const evidence of leaving) this.neutralize(evidence)
    return leaving
  }

  stats(): { readonly count: number; readonly bytes: number; readonly bySeverity: BySeverity } {
    const bySeverity = { low: 0, medium: 0, high: 0, critical: 0 }
    for (const { severity } of this.held) bySeverity[severity] += 1
    return { count: this.held.length, bytes: total(this.held), bySeverity }
  }

  /**
   * Counts a request. Returns 0 if it is allowed, else the ms to wait (CONFORMANCE G1). Requests
   * during a block change nothing.
   */
  request(key: string, now: number): number {
    const { blockDurationMs, maxRequests, maxSources, windowMs } = this.config.rateLimit
    const known = this.table.find((source) => source.key === key)
    if (known !== undefined && this.isBlocked(known, now)) return known.until - now
    if (known !== undefined) this.reset(key)
    else if (this.table.length === maxSources) this.reset(this.dropped(now))
    const source = known !== undefined && now < known.until ? known : { key, requests: 0, until: now + windowMs }
    this.table.push(source)
    source.requests += 1
    if (source.requests <= maxRequests) return 0
    if (blockDurationMs > 0) source.until = now + blockDurationMs
    return source.until - now
  }

  /** Forgets a source, its count and its block (CONFORMANCE G2). */
  reset(key: string): void {
    this.table = this.table.filter((source) => source.key !== key)
  }

  sources(now: number): { readonly sources: number; readonly blocked: number } {
    return { sources: this.table.length, blocked: this.table.filter((source) => this.isBlocked(source, now)).length }
  }

  /** The next time at which a window or a block ends. */
  nextEnd(now: number): number | undefined {
    return this.table.map(({ until }) => until).filter((until) => until > now).toSorted((a, b) => a - b)[0]
  }

  /**
   * The key that a full table drops (CONFORMANCE G3): one whose block is over; else the unblocked
   * one not seen for longest; if all are blocked, the one blocked longest ago.
   */
  private dropped(now: number): string {
    const ranOut = this.table.filter((source) => this.wasBlocked(source) && !this.isBlocked(source, now))
    if (ranOut.length > 1) this.openChoices += 1
    const unblocked = this.table.find((source) => !this.wasBlocked(source))
    return (ranOut[0] ?? unblocked ?? this.table[0])?.key ?? ""
  }

  private wasBlocked(source: Source): boolean {
    return source.requests > this.config.rateLimit.maxRequests
  }

  private isBlocked(source: Source, now: number): boolean {
    return this.wasBlocked(source) && now < source.until
  }

  /**
   * Counts a duplicate (CONFORMANCE D7). A worse severity becomes the evidence's, and makes it the
   * newest of that severity; under lru every duplicate makes it the newest.
   */
  private hit(evidence: Evidence, severity: Severity): void {
    this.hits += 1
    const isWorse = rank(severity) > rank(evidence.severity)
    if (isWorse) evidence.severity = severity
    if (isWorse || this.config.quarantine.evictionPolicy === "lru")
      this.held = [...this.held.filter((other) => other !== evidence), evidence]
  }

  /**
   * Holds a new piece of evidence, and evicts others if it must. Evidence of a worse severity is
   * never evicted for it: if there is no room otherwise, the newcomer itself is evicted, and the
   * result is false (CONFORMANCE Q1, Q3).
   */
  private admit(newcomer: Evidence): boolean {
    const isWorse = (evidence: Evidence): boolean => rank(evidence.severity) > rank(newcomer.severity)
    const fitsBeside = (others: ReadonlyArray<Evidence>): boolean =>
      others.length + 1 <= this.config.quarantine.maxCount &&
      total(others) + newcomer.size <= this.config.quarantine.maxBytes
    // If worse evidence alone leaves no room, evicting the rest would be in vain.
    let fits = fitsBeside(this.held.filter(isWorse))
    while (fits && !fitsBeside(this.held)) {
      const victim = this.order()[0]
      if (victim === undefined || isWorse(victim)) fits = false
      else this.evict(victim)
    }
    this.held.push(newcomer)
    if (!fits) this.evict(newcomer)
    return fits
  }

  private evict(evidence: Evidence): void {
    this.store(evidence)
    this.evictions += 1
    this.leave(evidence, "evicted")
  }

  /** False if cold storage refused it, or there is none. */
  private store(evidence: Evidence): boolean {
    if (this.config.coldStorage === null) return false
    if (this.stored.length >= this.config.coldStorage) {
      this.refused += 1
      return false
    }
    this.stored.push(evidence)
    return true
  }

  private leave(evidence: Evidence, status: CustodyRecord["status"]): boolean {
    if (!this.isHeld(evidence)) return false
    this.held = this.held.filter((other) => other !== evidence)
    this.audit.push({ status, evidence })
    return true
  }
}
