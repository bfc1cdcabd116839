/**
 * The endpoint of cold storage, a port: it writes bytes once under a name (RFC, "Cold Storage":
 * one-way, write-only, append-only). It has no read, on purpose.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** An endpoint could not be opened or written to. */
export class ColdStorageError extends Schema.TaggedError<ColdStorageError>()("ColdStorageError", {
  /**
   * `open`: it could not be opened. `full`: it has no room, which the next try will not change.
   * `taken`: it has something else under that name. `write`: a write failed for another reason.
   */
  reason: Schema.Literals(["open", "write", "full", "taken"]),
  message: Schema.String,
  /** The host's own code for the failure, such as ENOSPC, where there is one. */
  code: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[A-Z][A-Z0-9_]{1,31}$/)))
}) {}

/** What an endpoint says of a write that was done: nothing more, or that it is unconfirmed. */
export type Written = void | "unconfirmed"

/** Writes envelopes to one place. */
export class ColdStorageEndpoint extends Context.Service<ColdStorageEndpoint, {
  /** The endpoint as it was configured; custody records name it so. */
  readonly destination: string
  /** Prepares for writing; must succeed before the first write. */
  readonly open: Effect.Effect<void, ColdStorageError>
  /**
   * Writes all of `bytes`, or nothing, under a name that was never used before. `"unconfirmed"`
   * where it was written by a server that would have overwritten what was there.
   */
  readonly write: (name: string, bytes: Uint8Array) => Effect.Effect<Written, ColdStorageError>
}>()("tracehound/custody/coldstorage/ColdStorageEndpoint") {}
