/**
 * The store as a layer, on hosts that have what it needs. Importing it loads nothing of SQLite.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as NodeSqlite from "node:sqlite"
import { LedgerStore } from "../ledger/LedgerStore.ts"
import { StoreOpenError } from "./StoreErrors.ts"
import type { StoreOptions } from "./StoreOptions.ts"

/** What a module of SQLite lacks; null where it lacks nothing. Members may be each object's own. */
const lackOf = ({ DatabaseSync }: typeof NodeSqlite): string | null => {
  const db = new DatabaseSync(":memory:")
  try {
    if (!("isTransaction" in db)) return "node:sqlite with isTransaction"
    return "setReturnArrays" in db.prepare("SELECT 1") ? null : "node:sqlite with setReturnArrays"
  } finally {
    db.close()
  }
}

/** What this host lacks in order to keep a ledger on disk; null where it lacks nothing. */
const lacking = Effect.match(
  Effect.tryPromise(async () => lackOf(await import("node:sqlite"))),
  {
    onFailure: () => "node:sqlite that opens a database",
    onSuccess: (lack) => lack ?? (typeof Atomics.waitAsync === "function" ? null : "Atomics.waitAsync")
  }
)

/** Fails with `unsupported`, and says why, where a ledger cannot be kept on disk here. */
export const supported: Effect.Effect<void, StoreOpenError> = Effect.flatMap(
  lacking,
  (what) =>
    what === null ? Effect.void : Effect.fail(
      new StoreOpenError({
        reason: "unsupported",
        message: `custody cannot be durable here: this host has no ${what}; use Node 22.19 or newer`
      })
    )
)

/** The ledger of a directory, which this process owns until the scope closes. */
export const layer = (options: StoreOptions): Layer.Layer<LedgerStore, StoreOpenError> =>
  Layer.effect(
    LedgerStore,
    Effect.gen(function*() {
      yield* supported
      const { open } = yield* Effect.promise(() => import("./Store.ts"))
      return yield* open(options)
    })
  )
