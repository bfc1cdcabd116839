/**
 * How hounds end, and who is to blame for it (CONFORMANCE H4, H6).
 */
import type { ProcessExit } from "../process/Spawner.ts"

/** Why a hound ended. */
export type ExitCause =
  | "boot"
  | "crashed"
  | "error"
  | "killed"
  | "lost"
  | "memory"
  | "retired"
  | "terminated"
  | "timeout"
  | "violation"

/** Why it ended, where nobody here had it ended. */
export const causeOf = (ending: ProcessExit): ExitCause =>
  ending.cause === "rss" ? "memory" : ending.cause === "lost" ? "lost" : isOwnDoing(ending) ? "crashed" : "killed"

/**
 * Whether a process ended by what it did itself: a SIGKILL and the end of its pipe are others'
 * doing.
 */
export const isOwnDoing = ({ cause, code, signal }: ProcessExit): boolean =>
  cause === "rss" || (cause === "exit" && code !== 0) || (cause === "signal" && signal !== "SIGKILL")
