/**
 * The ledger on disk, where a data directory is configured: each record of custody becomes an entry
 * of it (CONFORMANCE A5).
 *
 * The store is opened by the start, since a Tracehound is built synchronously. Records from before
 * are then linked anew, behind the ledger's end.
 *
 * **Gotchas**
 *
 * - The `previousHash` of a record that was given out before the start is not that of the ledger's
 *   entry.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { Settings } from "../config/Settings.ts"
import { AuditChain } from "../custody/audit/AuditChain.ts"
import { LedgerFeed } from "../custody/ledger/LedgerFeed.ts"
import type { LedgerStore } from "../custody/ledger/LedgerStore.ts"
import { StoreTurns } from "../custody/ledger/StoreTurns.ts"
import type { StoreOpenError } from "../custody/store/StoreErrors.ts"
import { problem, type TracehoundError } from "../domain/TracehoundError.ts"
import { Alerts } from "../safety/alert/Alerts.ts"
import { notice } from "../safety/alert/Notice.ts"
import { DataDirectory, type LedgerTrouble } from "./DataDirectory.ts"

/** A ledger that is open, and when what goes there is pushed. */
export interface Open {
  readonly store: LedgerStore["Service"]
  readonly turns: StoreTurns
  readonly feed: LedgerFeed
}

export class DurableLedger extends Context.Service<DurableLedger, {
  /**
   * Opens the store, where a data directory is configured, and gives it; null where none is. Once
   * it is open, at once.
   */
  readonly start: Effect.Effect<Open | null, StoreOpenError>
  /** Records that waited for room, and records that the ledger lost. */
  readonly delayed: () => number
  readonly lost: () => number
}>()("tracehound/runtime/DurableLedger") {
  static readonly layer = Layer.effect(
    DurableLedger,
    Effect.gen(function*() {
      const { dataDirectory } = yield* Settings
      const directory = yield* DataDirectory
      const chain = yield* AuditChain
      const alerts = yield* Alerts
      const scope = yield* Effect.scope
      const onTrouble = (trouble: LedgerTrouble): void => {
        alerts.errorUnsafe(troubles[trouble])
        if (trouble === "failed") alerts.alertUnsafe(failedNotice)
      }
      const onLost = (): void => alerts.alertUnsafe(lostNotice)
      let opened: Open | null = null
      const one = Semaphore.makeUnsafe(1)

      const open = Effect.fnUntraced(function*(path: string): Effect.fn.Return<Open, StoreOpenError> {
        if (opened !== null) return opened
        const store = yield* within(scope, directory.open(path, onTrouble))
        const turns = new StoreTurns(store, directory.turns)
        const feed = new LedgerFeed({ store, turns, onLost })
        chain.continueFrom(store.opened, { keep: feed.keep, durable: store.durableSize })
        opened = { store, turns, feed }
        yield* Scope.addFinalizer(scope, drained(feed, store, turns))
        return opened
      })
      return {
        start: dataDirectory === undefined ? Effect.succeed(null) : one.withPermit(open(dataDirectory)),
        delayed: () => opened?.feed.delayed ?? 0,
        lost: () => opened?.feed.lost ?? 0
      }
    })
  )
}

/** Acquires within the scope; where that fails, what it had acquired is released at once. */
const within = <A, E>(scope: Scope.Scope, acquire: Effect.Effect<A, E, Scope.Scope>): Effect.Effect<A, E> =>
  Effect.uninterruptible(Effect.gen(function*() {
    const inner = yield* Scope.fork(scope)
    const exit = yield* Effect.exit(Scope.provide(acquire, inner))
    if (Exit.isFailure(exit)) yield* Scope.close(inner, exit)
    return yield* exit
  }))

/** Pushes what waits, for as long as the store takes more. What has no room by then is lost. */
const drained = (
  feed: LedgerFeed,
  store: Pick<LedgerStore["Service"], "checkpoint">,
  turns: StoreTurns
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const before = feed.next
    if (before === null) return Effect.void
    turns.run()
    // There is room for anything once all that was pushed is on disk. A store that fails says so.
    return Effect.matchEffect(store.checkpoint, {
      onFailure: () => Effect.void,
      onSuccess: () => feed.next === before ? Effect.void : drained(feed, store, turns)
    })
  })

const notOnDisk = (code: string, message: string): TracehoundError => problem({ state: "quarantine", code, message })

const troubles: Record<LedgerTrouble, TracehoundError> = {
  failed: notOnDisk("ledger_failed", "the ledger could not be written to its disk: it is tried again"),
  recovered: notOnDisk("ledger_recovered", "the ledger is written to its disk again"),
  pieceLost: notOnDisk(
    "ledger_piece_lost",
    "a piece of evidence could not be sealed, or does not open: it is not on disk"
  ),
  writerLost: notOnDisk("ledger_writer_lost", "the thread that writes the ledger died: another one goes on"),
  reserveUsed: notOnDisk("ledger_reserve_used", "the ledger's disk is full: its reserve is in use, make room"),
  checkpointFile: notOnDisk("ledger_checkpoint_file", "the checkpoint beside the ledger could not be written")
}

/** The troubles that mean that what is held or recorded may not survive this process. */
const failedNotice = notice({
  type: "custody.notDurable",
  severity: "critical",
  message: "the ledger's disk refuses: records and evidence are in memory alone until it takes them",
  reason: "disk"
})

const lostNotice = notice({
  type: "custody.notDurable",
  severity: "critical",
  message: "records waited for the ledger's disk for too long: those of this process are in memory alone from now on",
  reason: "ledger"
})
