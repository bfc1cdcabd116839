/**
 * What a keeper knows of one hound besides its state: plain data, which only the keeper changes.
 * Times are monotonic, in ms.
 */
import type { ExitCause } from "./ExitCause.ts"
import type { Line } from "./PoolHost.ts"
import type { Examination } from "./Examination.ts"

/** A hound's life so far. */
export interface Life {
  line: Line | null
  look: Examination | null
  /** The number of the job it has; 0: none. */
  job: number
  /** It said that it began. */
  hasBegun: boolean
  /** When it must have done what it is about. */
  due: number
  sentAt: number
  jobs: number
  readonly retireAt: number
  /** It was deactivated before its look came. */
  isUnwanted: boolean
  isWatched: boolean
  restingSince: number
  /** Why it ends, once that is known and told. */
  cause: ExitCause | null
}

/** That of a hound which was launched now. */
export const newLife = (now: number, retireAt: number): Life => ({
  line: null,
  look: null,
  job: 0,
  hasBegun: false,
  due: Number.POSITIVE_INFINITY,
  sentAt: 0,
  jobs: 0,
  retireAt,
  isUnwanted: false,
  isWatched: false,
  restingSince: now,
  cause: null
})
