/**
 * Counts what many calls of one kind leave to the garbage collector, in a process of its own, so
 * that nothing else allocates.
 */
import { allocationOf, leastBytes } from "../../bench/allocation.ts"
import { type CaseName, cases } from "./allocationCases.ts"

/** What is printed, in JSON. */
export interface Count {
  /** Bytes a call; null on a Node that does not count them. */
  readonly bytes: number | null
  /** Collections in a million calls. */
  readonly gcs: number
  /** Calls that were answered in another way than they should be. */
  readonly others: number
}

const { calls, others, variant: unnamed } = await cases[process.argv[2] as CaseName]()
const variant = { name: "", ...unnamed }
// Compiled and sized by what comes first, which counts for nothing.
allocationOf(variant, Math.ceil(calls / 10), 8)
const { gcs } = allocationOf(variant, calls, 2)
const bytes = leastBytes(variant, calls, 2)
const count: Count = { bytes: bytes === null ? null : bytes / calls, gcs, others: others() }
process.stdout.write(JSON.stringify(count), () => process.exit(0))
