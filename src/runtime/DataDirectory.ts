/**
 * The data directory: where a host keeps what outlives the process, and how its ledger is opened.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { LedgerStore } from "../custody/ledger/LedgerStore.ts"
import type { Turns } from "../custody/ledger/StoreTurns.ts"
import type { StoreOpenError } from "../custody/store/StoreErrors.ts"

/** What an operator should hear of a store that is open; `failed` may pass, `writerLost` has. */
export type LedgerTrouble = "failed" | "recovered" | "writerLost" | "reserveUsed" | "checkpointFile" | "pieceLost"

export class DataDirectory extends Context.Service<DataDirectory, {
  /** Opens the ledger of a directory until the scope closes, and waits for the disk then. */
  readonly open: (
    directory: string,
    onTrouble: (trouble: LedgerTrouble) => void
  ) => Effect.Effect<LedgerStore["Service"], StoreOpenError, Scope.Scope>
  readonly turns: Turns
}>()("tracehound/runtime/DataDirectory") {}
