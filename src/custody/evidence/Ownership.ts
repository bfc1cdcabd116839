/**
 * Evidence that belongs to a Scope: when the scope closes, what it still owns is neutralized
 * (CONFORMANCE E8).
 *
 * For whoever takes evidence in to look at it and must not forget to let it go: a request's scope,
 * a test's, a job's.
 *
 * **Gotchas**
 *
 * - Evidence that left before, whichever way, is not touched: its handle is dead. Evidence that
 *   somebody else took in with the same content (`ignored`) is not owned.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { EvidenceHandle } from "../../domain/Evidence.ts"

/** Makes the scope the owner of this evidence, and gives the handle back. */
export const own = (handle: EvidenceHandle): Effect.Effect<EvidenceHandle, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.succeed(handle), (held) =>
    Effect.sync(() => {
      held.neutralize()
    }))
