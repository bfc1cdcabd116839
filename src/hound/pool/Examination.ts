/**
 * One look of one hound at one piece of evidence, and how it ends (CONFORMANCE H4, H6).
 */
import type { HoundJob } from "./HoundPool.ts"

/**
 * `complete`, `error`: what the hound said, or that it came to a bad end over it; `timeout`: it
 * began and did not end in time; `left`: the evidence had left custody; `lost`: the hound was lost
 * and the evidence is not to blame, so that another one looks; `abandoned`: nobody wants to know
 * any more; `unavailable`: there are no hounds and there will be none.
 */
export type OutcomeKind = "complete" | "error" | "timeout" | "left" | "lost" | "abandoned" | "unavailable"

/** How a look ended. */
export interface Outcome {
  readonly kind: OutcomeKind
  /** Whether the hound said so itself. */
  readonly isVerdict: boolean
  /** The hound; empty where there was none. */
  readonly hound: string
  /** From handing over the evidence to the end, in ms; 0 where it was not handed over. */
  readonly took: number
}

/** A look that somebody waits for. */
export interface Examination {
  readonly job: HoundJob
  /** The hound that was activated for it already; null where it takes any. */
  readonly reserved: number | null
  /** Called once, whatever happens. Must not throw. */
  readonly settle: (outcome: Outcome) => void
}

/** How a look ends without a hound. */
export const withoutHound = (kind: OutcomeKind): Outcome => ({ kind, isVerdict: false, hound: "", took: 0 })
