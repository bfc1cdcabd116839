/**
 * Tracehound as one plain synchronous object: the RFC's, but for its lifecycle (RFC, "API"). This
 * is the hot path.
 *
 * Each method is a room's own function, with nothing added on the way, unless the host's own
 * tracing is asked for the caller's span (`Doors.ts`). Numbers are getters: they are read from the
 * room when the caller asks for them.
 */
import * as Effect from "effect/Effect"
import { ActorSystem } from "../actor/ActorSystem.ts"
import type { SupervisorInspection } from "../actor/Inspection.ts"
import { AuditChain } from "../custody/audit/AuditChain.ts"
import type { Checkpoint } from "../custody/audit/Checkpoint.ts"
import type { AuditRange, ChainReport } from "../custody/audit/HashChain.ts"
import { ColdStorage, type ColdStorageStats, type KeptStats } from "../custody/coldstorage/ColdStorage.ts"
import { Quarantine } from "../custody/quarantine/Quarantine.ts"
import type { EvidenceHandle } from "../domain/Evidence.ts"
import type { Hound } from "../domain/Hound.ts"
import type { InterceptResult, InterceptTotals } from "../domain/InterceptResult.ts"
import type { AuditRecord, EvacuateRecord, NeutralizationRecord } from "../domain/Records.ts"
import type { Scent } from "../domain/Scent.ts"
import type { QuarantineStats, WatcherSnapshot } from "../domain/WatcherSnapshot.ts"
import { type HoundOutcomes, HoundPool } from "../hound/pool/HoundPool.ts"
import type { SandboxReport } from "../hound/sandbox/Sandbox.ts"
import { Agent } from "../intake/agent/Agent.ts"
import { Escalation } from "../intake/agent/Escalation.ts"
import { RateLimiter, type RateLimitResult } from "../intake/gate/RateLimiter.ts"
import { FailSafe } from "../safety/failsafe/FailSafe.ts"
import { Caller } from "../telemetry/Caller.ts"
import { makeIntercept } from "./Doors.ts"
import { iterablesOf, type TracehoundIterables } from "./streams/Iterables.ts"
import type { Sources } from "./streams/Sources.ts"
import { Watcher } from "./Watcher.ts"

/** The quarantine's numbers, and the way to a handle. */
export interface QuarantineView extends QuarantineStats {
  /** Pieces evicted for lack of room, so far. */
  readonly evictions: number
  /** Duplicates of held evidence, so far. */
  readonly hits: number
  /** The handle of evidence that is held, or null. O(1). */
  readonly get: (signature: string) => EvidenceHandle | null
}

/** The audit chain, to be read: only the rooms append to it. */
export interface AuditChainView {
  /** The hash of the newest record: write it down elsewhere, and a truncation shows. */
  readonly lastHash: string
  /** Records ever appended. */
  readonly length: number
  /** Whether there was a panic and all evidence has left: nothing will be appended any more. */
  readonly closed: boolean
  /**
   * Stands for the records that are no longer kept: a run of records from here on begins at its
   * head.
   */
  readonly checkpoint: Checkpoint
  /**
   * The records kept, oldest first: all, or at most `limit` from the sequence `from` on. Where that
   * one is no longer kept, the first record given has a higher `sequence`. O(records given) on
   * the caller's turn, about 10 µs each, however many are kept.
   */
  readonly records: (range?: AuditRange) => ReadonlyArray<AuditRecord>
  /**
   * Whether no record kept is broken. O(records kept) on the caller's turn: about 2 µs and one hash
   * each.
   */
  readonly verify: () => boolean
  /**
   * The same as `verify`, with the first broken record, and checked against a head that the caller
   * wrote down. The same cost.
   */
  readonly inspect: (head?: string) => ChainReport
}

/** The pool of hounds (RFC, "Hound Pool"; CONFORMANCE H1). Methods name a hound by its id. */
export interface HoundsView {
  readonly dormant: number
  readonly active: number
  /** Dormant, active and shutting down. */
  readonly total: number
  /** All of them, the oldest first. O(hounds), of which the configuration allows some thousand. */
  readonly list: () => ReadonlyArray<Hound>
  /** Examinations that have ended so far, by how they ended. */
  readonly outcomes: () => HoundOutcomes
  /**
   * The mechanisms of the sandbox on this machine; null before `init`, and where there are no
   * hounds.
   */
  readonly sandbox: () => SandboxReport | null
  /**
   * Has a hound examine evidence that is held, whatever its severity. Null where it is not held, or
   * where it waits for a hound.
   */
  readonly activate: (signature: string) => Hound | null
  /**
   * Discards the outcome of the examination that this hound is at; false where it is not active.
   */
  readonly deactivate: (hound: string) => boolean
  /** Kills a hound by force, and another one takes its work; false where there is no such hound. */
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
  /**
   * Neutralizes everything, in the order of eviction (CONFORMANCE Q4). O(pieces and bytes held) on
   * the caller's turn: some 30 µs a piece, and the time to overwrite its bytes.
   */
  readonly flush: () => Array<NeutralizationRecord>
  readonly watcher: { readonly snapshot: () => WatcherSnapshot }
  /** How many scents got each answer so far; after a panic they are `error` (CONFORMANCE W4). */
  readonly totals: () => InterceptTotals
  readonly quarantine: QuarantineView
  readonly auditChain: AuditChainView
  readonly rateLimiter: {
    readonly check: (source: string) => RateLimitResult
    readonly reset: (source: string) => void
  }
  /**
   * `refused`: signals that were not exactly a category and a severity, of a detector that is
   * verified (CONFORMANCE R3). `unreadable`: objects in payloads whose content could not be read
   * without running code, such as a FormData, each of which is new evidence (CONFORMANCE D3).
   */
  readonly detector: { readonly refused: () => number; readonly unreadable: () => number }
  readonly hounds: HoundsView
  /** `kept`: the dead letters that are kept to be sent again (CONFORMANCE C2). */
  readonly coldStorage: { readonly stats: () => ColdStorageStats; readonly kept: () => KeptStats }
  /**
   * Messages that a full mailbox refused, that were left behind or not done, over all actors, and
   * evidence that cold storage did not take.
   */
  readonly deadLetters: () => number
  /** `panicked` is final: make another Tracehound (CONFORMANCE F3). */
  readonly state: () => "running" | "panicked"
  /** Panics: evidence goes to cold storage, and no scent is looked at any more. */
  readonly panic: () => void
  /**
   * Overwrites evidence and keys in memory at once, without a record, and answers `disposed` from
   * then on: for the end of a process. What waits for cold storage, and what hounds were given,
   * stays; `dispose` drains those. O(pieces and bytes held), some 0.2 µs a piece beside its bytes.
   */
  readonly wipe: () => void
  /** What happens, for `for await`. Iterating begins to listen. */
  readonly streams: TracehoundIterables
  /** The tree of actors at this moment, as plain data. O(actors). */
  readonly actors: () => SupervisorInspection
}

/** The object over the rooms; `isClosed` says whether the audit chain is closed. */
export const makeSync = (isClosed: () => boolean, sources: Sources) =>
  Effect.gen(function*() {
    const agent = yield* Agent
    const coldStorage = yield* ColdStorage
    const escalation = yield* Escalation
    const failSafe = yield* FailSafe
    const limiter = yield* RateLimiter
    const quarantine = yield* Quarantine
    const system = yield* ActorSystem
    const sync: TracehoundSync = {
      intercept: makeIntercept(yield* Caller, agent.interceptUnsafe),
      neutralize: quarantine.neutralize,
      evacuate: quarantine.evacuate,
      flush: quarantine.flush,
      watcher: yield* Watcher,
      totals: agent.totals,
      quarantine: quarantineView(quarantine),
      auditChain: auditChainView(yield* AuditChain, isClosed),
      rateLimiter: { check: limiter.check, reset: limiter.reset },
      detector: { refused: agent.refusedSignals, unreadable: agent.unreadable },
      coldStorage: { stats: coldStorage.stats, kept: coldStorage.kept },
      hounds: houndsView(yield* HoundPool, escalation),
      deadLetters: () => system.deadLetters.total() + coldStorage.refusals(),
      state: () => failSafe.isPanicked() ? "panicked" : "running",
      panic: failSafe.panicUnsafe,
      wipe: () => {
        agent.dispose()
        quarantine.wipe()
      },
      streams: iterablesOf(sources),
      actors: system.inspect
    }
    return sync
  })

const quarantineView = (quarantine: Quarantine["Service"]): QuarantineView => ({
  get count() {
    return quarantine.stats().count
  },
  get bytes() {
    return quarantine.stats().bytes
  },
  get bySeverity() {
    return quarantine.stats().bySeverity
  },
  get evictions() {
    return quarantine.evictions()
  },
  get hits() {
    return quarantine.hits()
  },
  get: quarantine.get
})

const auditChainView = (chain: AuditChain["Service"], isClosed: () => boolean): AuditChainView => ({
  get lastHash() {
    return chain.lastHash
  },
  get length() {
    return chain.length
  },
  get closed() {
    return isClosed()
  },
  get checkpoint() {
    return chain.checkpoint
  },
  records: chain.records,
  verify: () => chain.inspect().valid,
  inspect: chain.inspect
})

const houndsView = (pool: HoundPool["Service"], escalation: Escalation["Service"]): HoundsView => ({
  get dormant() {
    return pool.stats().dormant
  },
  get active() {
    return pool.stats().active
  },
  get total() {
    return pool.hounds().length
  },
  list: pool.hounds,
  outcomes: pool.outcomes,
  sandbox: pool.sandbox,
  activate: escalation.activateUnsafe,
  deactivate: pool.deactivateUnsafe,
  terminate: pool.terminateUnsafe
})
