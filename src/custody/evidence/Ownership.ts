/**
 * Makes a Scope the owner of evidence: when the scope closes, evidence that it still owns is
 * neutralized (CONFORMANCE E8).
 *
 * For a caller that takes evidence in to look at it and must not forget to let it go, such as the
 * scope of a request, a test or a job.
 *
 * **Gotchas**
 *
 * - Evidence that left before, whichever way, is not touched: its handle is dead. Evidence that
 *   another caller took in with the same content (`ignored`) is not owned.
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
