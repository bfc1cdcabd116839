/**
 * Why hounds end, and who is to blame for it (CONFORMANCE H4, H6).
 */
import type { ProcessExit } from "../process/Spawner.ts"

/**
 * `boot`: it did not become ready; `crashed`: by its own doing; `error`: its verdict; `killed`:
 * from outside, or its pipe was lost; `lost`: with its fork server; `memory`: it held too much;
 * `retired`: for its age or its number of jobs; `terminated`: by the caller; `timeout`: overdue;
 * `violation`: it broke the rules of its channel.
 */
export const exitCauses = [
  "boot",
  "crashed",
  "error",
  "killed",
  "lost",
  "memory",
  "retired",
  "terminated",
  "timeout",
  "violation"
] as const
export type ExitCause = (typeof exitCauses)[number]

/** The cause where the pool itself did not end the hound. */
export const causeOf = (exit: ProcessExit): ExitCause =>
  exit.cause === "rss" ? "memory" : exit.cause === "lost" ? "lost" : isOwnDoing(exit) ? "crashed" : "killed"

/**
 * Whether a process ended by what it did itself. A SIGKILL and an exit after the end of its pipe
 * are others' doing.
 */
export const isOwnDoing = ({ cause, code, signal }: ProcessExit): boolean =>
  cause === "rss" || (cause === "exit" && code !== 0) || (cause === "signal" && signal !== "SIGKILL")
