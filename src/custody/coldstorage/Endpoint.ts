/**
 * The endpoint of cold storage, a port: it writes bytes once under a name (RFC, "Cold Storage":
 * one-way, write-only, append-only). It has no read, on purpose.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** An endpoint could not be opened or written to. */
export class ColdStorageError extends Schema.TaggedError<ColdStorageError>()("ColdStorageError", {
  reason: Schema.Literals(["open", "write"]),
  message: Schema.String,
  /** The host's own code for the failure, such as ENOSPC, where there is one. */
  code: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[A-Z][A-Z0-9_]{1,31}$/)))
}) {}

/** Writes envelopes to one place. */
export class ColdStorageEndpoint extends Context.Service<ColdStorageEndpoint, {
  /** The endpoint as it was configured; custody records name it so. */
  readonly destination: string
  /** Prepares for writing; must succeed before the first write. */
  readonly open: Effect.Effect<void, ColdStorageError>
  /** Writes all of `bytes`, or nothing, under a name that was never used before. */
  readonly write: (name: string, bytes: Uint8Array) => Effect.Effect<void, ColdStorageError>
}>()("tracehound/custody/coldstorage/ColdStorageEndpoint") {}
