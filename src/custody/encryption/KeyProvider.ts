/**
 * Where the master secret comes from: a port. Settings give one (`runtime/MasterKeys.ts`); a
 * program may give its own, as from a key management service.
 *
 * **Gotchas**
 *
 * - It is asked again whenever the writer's thread starts anew, and before each rotation: nobody
 *   below keeps a secret.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { EncryptionError } from "./EncryptionError.ts"

/** Secrets of 32 to 1,024 bytes; `parseSecret` reads one from its text. */
export interface MasterSecrets {
  /** New keys are wrapped under it, after a rotation all keys. */
  readonly current: Redacted.Redacted<Uint8Array>
  /** Of which living keys may still be wrapped: at most three. */
  readonly former: ReadonlyArray<Redacted.Redacted<Uint8Array>>
}

/** Gives the master secret. */
export class KeyProvider extends Context.Service<KeyProvider, {
  /** Who asks copies the bytes and wipes the copy; what is given stays as it is. */
  readonly secrets: Effect.Effect<MasterSecrets, EncryptionError>
}>()("tracehound/custody/encryption/KeyProvider") {}
