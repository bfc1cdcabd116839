/**
 * The audit chain for programs that must not be held up: the same as in `sync`, in slices, with a
 * turn of the event loop between any two (CONFORMANCE A4).
 *
 * **Details**
 *
 * What is appended meanwhile is not looked at. What leaves the chain meanwhile is as if it had left
 * before: the result is that of the records which were kept all the while. Their run has no gap.
 */
import * as Effect from "effect/Effect"
import type { AuditRange, ChainReport, HashChain } from "../custody/audit/HashChain.ts"
import type { AuditRecord } from "../domain/Records.ts"
import { inSlices } from "../scheduler/Slices.ts"

export interface AuditChainInSlices {
  /** The records kept, oldest first: all, or at most `limit` from the sequence `from` on. */
  readonly records: (range?: AuditRange) => Effect.Effect<ReadonlyArray<AuditRecord>>
  /** Whether no record kept is broken. */
  readonly verify: Effect.Effect<boolean>
  /**
   * The same with the first broken record, and checked against a head that the caller wrote down:
   * that of the newest record when the inspection begins.
   */
  readonly inspect: (head?: string) => Effect.Effect<ChainReport>
}

export const auditChainInSlices = ({ inspection, reading }: HashChain): AuditChainInSlices => ({
  records: (range) => inSlices(() => reading(range)),
  verify: Effect.map(inSlices(inspection), ({ valid }) => valid),
  inspect: (head) => inSlices(() => inspection(head))
})
