/**
 * Keeps the latest error of each code for the Watcher to show (RFC, "WatcherSnapshot.errors").
 *
 * Bounded by the number of codes and by `maxErrors`, so that a flood of one error cannot push the
 * others out. O(1).
 */
import type { TracehoundError } from "../../domain/TracehoundError.ts"

/** The most errors that a snapshot shows. */
export const maxErrors = 32

export interface ErrorBoard {
  /** Replaces the error of the same code; drops the oldest one where there are too many. */
  readonly post: (error: TracehoundError) => void
  /** Oldest first. */
  readonly errors: () => ReadonlyArray<TracehoundError>
}

export const makeErrorBoard = (): ErrorBoard => {
  const latest = new Map<string, TracehoundError>()
  return {
    post: (error) => {
      latest.delete(error.code)
      if (latest.size >= maxErrors) {
        for (const oldest of latest.keys()) {
          latest.delete(oldest)
          break
        }
      }
      latest.set(error.code, error)
    },
    errors: () => Array.from(latest.values())
  }
}
