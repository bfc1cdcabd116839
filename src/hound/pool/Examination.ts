/**
 * An examination of one piece of evidence, and how an attempt at it ends (CONFORMANCE H4, H6).
 *
 * An attempt is one hound with the evidence. Where the hound is lost and the evidence is not to
 * blame, another hound makes another attempt.
 */
import type { ExitCause } from "./ExitCause.ts"
import type { HoundJob } from "./HoundPool.ts"

/**
 * `complete`, `error`: the hound's verdict, or its bad end over the evidence; `timeout`: it began
 * and did not end in time; `left`: the evidence had left custody; `lost`: the hound was lost and
 * the evidence is not to blame, so that another hound tries; `abandoned`: the caller gave it up, or
 * Tracehound was closed; `unavailable`: there are no hounds and there will be none.
 */
export type OutcomeKind = "complete" | "error" | "timeout" | "left" | "lost" | "abandoned" | "unavailable"

/** How an attempt ended. */
export interface ExaminationOutcome {
  readonly kind: OutcomeKind
  /** Whether it is the hound's own verdict. */
  readonly isVerdict: boolean
  /** Why the hound ended or was ended over it, where it was. */
  readonly cause: ExitCause | null
  /** The hound's name; empty where there was none. */
  readonly hound: string
  /** From handing over the evidence to the end, in ms; 0 where it was not handed over. */
  readonly took: number
}

/** An examination, to the pool core. */
export interface Examination {
  readonly job: HoundJob
  /**
   * The id of the hound that was activated for it on its caller's turn; null: any hound will do.
   */
  readonly reserved: number | null
  /** A hound has been found for it: once for each attempt, before the evidence is copied. */
  readonly begin: () => void
  /**
   * Ends an attempt: once for each time that the core took it out of the waiting line. Must not
   * throw.
   */
  readonly settle: (outcome: ExaminationOutcome) => void
}

/** The outcome where no hound had the evidence. */
export const withoutHound = (kind: OutcomeKind): ExaminationOutcome => ({
  kind,
  isVerdict: false,
  cause: null,
  hound: "",
  took: 0
})
