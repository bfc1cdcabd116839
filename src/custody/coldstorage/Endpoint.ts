/**
 * An endpoint of cold storage: something that bytes can be written to, once, under a name (RFC,
 * "Cold Storage": one-way, write-only, append-only). There is no read in it, on purpose.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** An endpoint could not be opened or written to. */
export class ColdStorageError extends Schema.TaggedError<ColdStorageError>()("ColdStorageError", {
  reason: Schema.Literals(["open", "write"]),
  message: Schema.String
}) {}

/** Where envelopes go. */
export class ColdStorageEndpoint extends Context.Service<ColdStorageEndpoint, {
  /** What records call it: the endpoint as it was configured. */
  readonly destination: string
  /** Makes ready what writing needs; must succeed before the first write. */
  readonly open: Effect.Effect<void, ColdStorageError>
  /** Writes the whole of `bytes` under a name that was never used before, or nothing. */
  readonly write: (name: string, bytes: Uint8Array) => Effect.Effect<void, ColdStorageError>
}>()("tracehound/custody/coldstorage/ColdStorageEndpoint") {}
