/**
 * The Watcher: a snapshot of all rooms, taken when the caller asks (RFC, "Watcher"; CONFORMANCE
 * W1).
 *
 * It has no state and changes none: two snapshots of the same moment are equal.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AuditChain } from "../custody/audit/AuditChain.ts"
import { Quarantine } from "../custody/quarantine/Quarantine.ts"
import type { WatcherSnapshot } from "../domain/WatcherSnapshot.ts"
import { HoundPool } from "../hound/pool/HoundPool.ts"
import { RateLimiter } from "../intake/gate/RateLimiter.ts"
import { Throughput } from "../intake/gate/Throughput.ts"
import { Alerts } from "../safety/alert/Alerts.ts"

export class Watcher extends Context.Service<Watcher, {
  /** O(1): nothing in custody is visited. */
  readonly snapshot: () => WatcherSnapshot
}>()("tracehound/runtime/Watcher") {
  static readonly layer = Layer.effect(
    Watcher,
    Effect.gen(function*() {
      const alerts = yield* Alerts
      const chain = yield* AuditChain
      const limiter = yield* RateLimiter
      const pool = yield* HoundPool
      const quarantine = yield* Quarantine
      const throughput = yield* Throughput
      return {
        snapshot: () => ({
          quarantine: quarantine.stats(),
          hound: pool.stats(),
          custody: { held: quarantine.stats().count, ...quarantine.journalled() },
          ledger: { size: chain.length, durable: chain.durable() },
          rateLimit: limiter.stats(),
          throughput: throughput.perSecond(),
          lastActivity: throughput.lastActivity(),
          errors: alerts.errors()
        })
      }
    })
  )
}
