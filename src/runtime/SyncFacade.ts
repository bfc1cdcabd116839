/**
 * The rooms as one plain object (RFC, "API"): each of its methods is a room's own, and nothing is
 * added on the way.
 */
import * as Effect from "effect/Effect"
import { ActorSystem } from "../actor/ActorSystem.ts"
import { Agent } from "../intake/agent/Agent.ts"
import { Escalation } from "../intake/agent/Escalation.ts"
import { AuditChain } from "../custody/audit/AuditChain.ts"
import { ColdStorage } from "../custody/coldstorage/ColdStorage.ts"
import { FailSafe } from "../safety/failsafe/FailSafe.ts"
import { RateLimiter } from "../intake/gate/RateLimiter.ts"
import { HoundPool } from "../hound/pool/HoundPool.ts"
import { Quarantine } from "../custody/quarantine/Quarantine.ts"
import type { TracehoundSync } from "./TracehoundSync.ts"
import { Watcher } from "./Watcher.ts"

/**
 * The object over the rooms; `isClosed` says whether the audit chain is. Numbers are read when
 * somebody asks for them.
 */
export const makeSync = (isClosed: () => boolean) =>
  Effect.gen(function*() {
    const agent = yield* Agent
    const chain = yield* AuditChain
    const coldStorage = yield* ColdStorage
    const escalation = yield* Escalation
    const failSafe = yield* FailSafe
    const limiter = yield* RateLimiter
    const pool = yield* HoundPool
    const quarantine = yield* Quarantine
    const system = yield* ActorSystem
    const watcher = yield* Watcher
    const facade: TracehoundSync = {
      intercept: agent.interceptUnsafe,
      neutralize: quarantine.neutralize,
      evacuate: quarantine.evacuate,
      flush: quarantine.flush,
      watcher,
      quarantine: {
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
      },
      auditChain: {
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
      },
      rateLimiter: { check: limiter.check, reset: limiter.reset },
      detector: { refused: agent.refusedSignals },
      coldStorage: { stats: coldStorage.stats },
      hounds: {
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
      },
      deadLetters: () => system.deadLetters.total() + coldStorage.refusals(),
      state: () => failSafe.isPanicked() ? "panicked" : "running",
      panic: failSafe.panicUnsafe,
      actors: system.inspect
    }
    return facade
  })
