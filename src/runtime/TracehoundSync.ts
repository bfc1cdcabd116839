/**
 * The RFC's object but for its lifecycle (RFC, "API"): what plain code calls, and the hot path.
 */
import type { SupervisorInspection } from "../actor/Inspection.ts"
import type { Checkpoint } from "../custody/audit/Checkpoint.ts"
import type { ChainReport } from "../custody/audit/HashChain.ts"
import type { ColdStorageStats } from "../custody/coldstorage/ColdStorage.ts"
import type { EvidenceHandle } from "../domain/Evidence.ts"
import type { Hound } from "../domain/Hound.ts"
import type { InterceptResult } from "../domain/InterceptResult.ts"
import type { AuditRecord, EvacuateRecord, NeutralizationRecord } from "../domain/Records.ts"
import type { Scent } from "../domain/Scent.ts"
import type { QuarantineStats, WatcherSnapshot } from "../domain/WatcherSnapshot.ts"
import type { RateLimitResult } from "../intake/gate/RateLimiter.ts"
import type { HoundOutcomes } from "../hound/pool/HoundPool.ts"
import type { SandboxReport } from "../hound/sandbox/Sandbox.ts"

/** The quarantine as the roof shows it: its numbers, and the way to a handle. */
export interface QuarantineView extends QuarantineStats {
  /** Evicted for lack of room, so far. */
  readonly evictions: number
  /** Duplicates of held evidence, so far. */
  readonly hits: number
  /** The handle of evidence that is held, or null. O(1). */
  readonly get: (signature: string) => EvidenceHandle | null
}

/** The audit chain as the roof shows it: nobody but the rooms appends to it. */
export interface AuditChainView {
  /** The hash of the newest record: write it down elsewhere, and a truncation shows. */
  readonly lastHash: string
  /** Records ever appended. */
  readonly length: number
  /** Whether there was a panic and all evidence has left: nothing will be appended any more. */
  readonly closed: boolean
  /**
   * What stands for the records that are no longer kept: a run of records from here on begins at
   * its head.
   */
  readonly checkpoint: Checkpoint
  /** The records kept, oldest first. O(n). */
  readonly records: () => ReadonlyArray<AuditRecord>
  /** Whether no record kept is broken. O(records kept), one hash each. */
  readonly verify: () => boolean
  /** The same, naming the first broken record, and against a head that you wrote down. */
  readonly inspect: (head?: string) => ChainReport
}

/**
 * The pool of hounds as the roof shows it (RFC, "Hound Pool"; CONFORMANCE H1). Hounds are named by
 * their id.
 */
export interface HoundsView {
  readonly dormant: number
  readonly active: number
  /** Dormant, active and on their way out. */
  readonly total: number
  /** All of them, the oldest first. O(n). */
  readonly list: () => ReadonlyArray<Hound>
  /** Looks that have ended so far, by how. */
  readonly outcomes: () => HoundOutcomes
  /**
   * What their sandbox is made of on this machine; null before `init`, and where there are none.
   */
  readonly sandbox: () => SandboxReport | null
  /**
   * Has evidence that is held looked at, whatever its severity: the hound, or null where it is not
   * held or waits for one.
   */
  readonly activate: (signature: string) => Hound | null
  /** Nobody wants to know what comes of what this hound is at; false where it is not active. */
  readonly deactivate: (hound: string) => boolean
  /** Kills a hound by force, and another one takes its work; false where there is none. */
  readonly terminate: (hound: string) => boolean
}

/** The RFC's object but for its lifecycle. Everything in it is synchronous and never throws. */
export interface TracehoundSync {
  /** Decides about one scent, in one straight line (CONFORMANCE D6). */
  readonly intercept: (scent: Scent) => InterceptResult
  /** Destroys evidence and records it; null where it is not held (CONFORMANCE E2). */
  readonly neutralize: (signature: string) => NeutralizationRecord | null
  /**
   * Sends evidence to cold storage and records it; null where it is not held or cold storage took
   * nothing.
   */
  readonly evacuate: (signature: string) => EvacuateRecord | null
  /** Neutralizes everything, in the order of eviction (CONFORMANCE Q4). */
  readonly flush: () => Array<NeutralizationRecord>
  readonly watcher: { readonly snapshot: () => WatcherSnapshot }
  readonly quarantine: QuarantineView
  readonly auditChain: AuditChainView
  readonly rateLimiter: {
    readonly check: (source: string) => RateLimitResult
    readonly reset: (source: string) => void
  }
  /**
   * `refused`: signals that did not pass, of a detector that is to be verified (CONFORMANCE R3).
   */
  readonly detector: { readonly refused: () => number }
  readonly hounds: HoundsView
  readonly coldStorage: { readonly stats: () => ColdStorageStats }
  /**
   * What was refused by a full mailbox, left behind or not done: over all actors, and what cold
   * storage did not take.
   */
  readonly deadLetters: () => number
  /** `panicked` is for good: make another one (CONFORMANCE F3). */
  readonly state: () => "running" | "panicked"
  /**
   * Panics, because somebody asks for it: evidence goes to cold storage, and no scent is looked at
   * any more.
   */
  readonly panic: () => void
  /** One look at the actors that do what takes time: plain data. */
  readonly actors: () => SupervisorInspection
}
