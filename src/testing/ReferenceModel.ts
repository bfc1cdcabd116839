/**
 * The runtime as a specification that runs: what a Tracehound answers and holds, written with plain
 * arrays and no thought for cost (CONFORMANCE D2, D5 to D7, G1 to G4, E2 to E4, A1, Q1 to Q4, C1).
 * A test drives it and the real one with the same commands and compares them after each.
 *
 * It knows nothing of bytes, hashes, files or clocks. A payload is its `content`, a name for its
 * canonical bytes and their number; a source is its canonical key; time is told, in ms that only go
 * on. Every method is O(what is remembered).
 *
 * **Gotchas**
 *
 * - Cold storage is the number of envelopes that it still takes, or null where none is configured.
 * - Malformed scents never reach it: they are answered `error`, count as no request and change
 *   nothing here.
 */
import type { InterceptResult } from "../domain/InterceptResult.ts"
import type { CustodyRecord } from "../domain/Records.ts"
import type { ThreatSignal } from "../domain/Scent.ts"
import { type BySeverity, severities, type Severity } from "../domain/Severity.ts"

/** What the model is to be told of the configuration. */
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
  /** How many envelopes cold storage takes before it refuses; null where there is none. */
  readonly coldStorage: number | null
}

/** Canonical bytes by name: the same name for the same bytes, and how many they are. */
export interface Content {
  readonly name: string
  readonly size: number
}

/** A piece of evidence, from its arrival on, wherever it is now. */
export interface Evidence {
  /** Category and content: what makes two scents the same threat. */
  readonly signature: string
  readonly size: number
  severity: Severity
}

/** A source in the table. Blocked where it has more requests than allowed. */
interface Source {
  readonly key: string
  requests: number
  /** When its window ends, or its block. */
  until: number
}

/** What is expected of an answer. */
export type Answer =
  | { readonly status: Exclude<InterceptResult["status"], "rate_limited" | "quarantined"> }
  | { readonly status: "rate_limited"; readonly retryAfter: number }
  | { readonly status: "quarantined"; readonly evidence: Evidence; readonly isEvicted: boolean }

const rank = (severity: Severity): number => severities.indexOf(severity)
const total = (evidence: ReadonlyArray<Evidence>): number => evidence.reduce((sum, { size }) => sum + size, 0)

/** One runtime from its start on. */
export class ReferenceModel {
  /** Oldest first. */
  private held: Array<Evidence> = []
  /**
   * Unblocked ones by when they were last seen, blocked ones by when they were blocked; the longest
   * ago first.
   */
  private table: Array<Source> = []
  /** The audit chain: how each piece of evidence left, oldest first. */
  readonly audit: Array<{ readonly status: CustodyRecord["status"]; readonly evidence: Evidence }> = []
  /** What cold storage took, oldest first. */
  readonly stored: Array<Evidence> = []
  refused = 0
  /**
   * How often a full table could forget any of several blocks that were over: no answer shows
   * which, only their number may.
   */
  openChoices = 0
  hits = 0
  evictions = 0
  private readonly config: ModelConfig

  constructor(config: ModelConfig) {
    this.config = config
  }

  /**
   * A well-formed scent: first the rate, then whether there is a signal, and only then the payload
   * (CONFORMANCE G4).
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

  /** Evidence that is held under this signature. */
  find(signature: string): Evidence | undefined {
    return this.held.find((evidence) => evidence.signature === signature)
  }

  isHeld(evidence: Evidence): boolean {
    return this.held.includes(evidence)
  }

  /** Everything held, in the order in which it would be evicted (CONFORMANCE Q1). */
  order(): ReadonlyArray<Evidence> {
    return this.config.quarantine.evictionPolicy === "lru"
      ? this.held
      : severities.flatMap((severity) => this.held.filter((evidence) => evidence.severity === severity))
  }

  /** Whether it was held until now. */
  neutralize(evidence: Evidence): boolean {
    return this.leave(evidence, "neutralized")
  }

  /** Whether it was held until now. */
  transfer(evidence: Evidence): boolean {
    return this.leave(evidence, "transferred")
  }

  /**
   * Whether it was held until now and cold storage took it; where not, it stays where it is
   * (CONFORMANCE E4).
   */
  evacuate(evidence: Evidence): boolean {
    return this.isHeld(evidence) && this.store(evidence) && this.leave(evidence, "evacuated")
  }

  /** Everything that was held, in the order of eviction (CONFORMANCE Q4). */
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
   * Counts a request; 0 where it is allowed, else the ms to wait (CONFORMANCE G1). Requests during
   * a block change nothing.
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

  /** The next moment at which a window or a block ends. */
  nextEnd(now: number): number | undefined {
    return this.table.map(({ until }) => until).filter((until) => until > now).toSorted((a, b) => a - b)[0]
  }

  /**
   * Whom a full table forgets (CONFORMANCE G3): a block that ran out, then the unblocked, the
   * blocked only when all are.
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
   * A duplicate (CONFORMANCE D7): a worse severity becomes the evidence's, as its newest; under lru
   * it is the newest anyway.
   */
  private hit(evidence: Evidence, severity: Severity): void {
    this.hits += 1
    const isWorse = rank(severity) > rank(evidence.severity)
    if (isWorse) evidence.severity = severity
    if (isWorse || this.config.quarantine.evictionPolicy === "lru") {
      this.held = [...this.held.filter((other) => other !== evidence), evidence]
    }
  }

  /**
   * Whether room was made. What is worse than the newcomer never goes for it: then it goes itself
   * (CONFORMANCE Q1, Q3).
   */
  private admit(newcomer: Evidence): boolean {
    const isWorse = (evidence: Evidence): boolean => rank(evidence.severity) > rank(newcomer.severity)
    const fitsBeside = (others: ReadonlyArray<Evidence>): boolean =>
      others.length + 1 <= this.config.quarantine.maxCount &&
      total(others) + newcomer.size <= this.config.quarantine.maxBytes
    // Where what is worse leaves no room, nobody else has to go for nothing.
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

  /** Whether cold storage took it; what it refuses is a dead letter. */
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
