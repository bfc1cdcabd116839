/**
 * How opening a store fails, and what SQLite's and the system's codes mean to it.
 */
import * as Schema from "effect/Schema"
import { LedgerStoreError } from "../ledger/LedgerStore.ts"

/**
 * A directory that could not be opened as a ledger's. `unsupported`, this host has no node:sqlite
 * that can do it; `held`, another store has the directory, in this process or another one; `newer`,
 * a later version wrote it; `foreign`, its `ledger.db` is another program's; `damaged`, it has not
 * what was once signed or written; `keys`, its evidence is sealed under another master secret than
 * was given, or none was; `full`, `io`, the system refused.
 */
export class StoreOpenError extends Schema.TaggedError<StoreOpenError>()("StoreOpenError", {
  reason: Schema.Literals(["unsupported", "held", "newer", "foreign", "damaged", "keys", "full", "io"]),
  message: Schema.String
}) {}

/** Why a database refused, or gave something that it should not have. */
export type Refusal = "full" | "io" | "busy" | "damaged"

/** The primary result codes of SQLite that say what is wrong with the disk or the file. */
const refusals: Readonly<Record<number, Refusal>> = {
  5: "busy", // SQLITE_BUSY
  6: "busy", // SQLITE_LOCKED
  8: "io", // SQLITE_READONLY
  10: "io", // SQLITE_IOERR
  11: "damaged", // SQLITE_CORRUPT
  13: "full", // SQLITE_FULL
  14: "io", // SQLITE_CANTOPEN
  19: "damaged", // SQLITE_CONSTRAINT: somebody else wrote
  26: "damaged" // SQLITE_NOTADB
}

const fieldOf = (cause: unknown, name: string): unknown =>
  typeof cause === "object" && cause !== null ? Reflect.get(cause, name) : undefined

/**
 * What a failure of node:sqlite or node:fs means. What says nothing of itself is `io`: it may be
 * tried again.
 */
export const refusalOf = (cause: unknown): Refusal => {
  const code = fieldOf(cause, "code")
  if (code === "ENOSPC" || code === "EDQUOT") return "full"
  const errcode = fieldOf(cause, "errcode")
  // The low byte is the primary code, the rest says more exactly where.
  return typeof errcode === "number" ? refusals[errcode & 0xff] ?? "io" : "io"
}

/** The failure in words, with SQLite's extended code where it has one: 1034 is a failed fsync. */
export const wordsOf = (cause: unknown): string => {
  const message = fieldOf(cause, "message")
  const errcode = fieldOf(cause, "errcode")
  const text = typeof message === "string" ? message : String(cause)
  return typeof errcode === "number" ? `${text} (SQLite ${errcode})` : text
}

/** The failure of a call to a store that is open. */
export const storeError = (cause: unknown): LedgerStoreError => {
  const reason = refusalOf(cause)
  return new LedgerStoreError({ reason: reason === "busy" ? "io" : reason, message: wordsOf(cause) })
}
