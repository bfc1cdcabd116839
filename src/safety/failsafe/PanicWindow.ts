/**
 * When errors add up to a panic (RFC, "Panic Threshold"; CONFORMANCE F2).
 *
 * Counts errors within a sliding window: one counts until a whole window has passed. At `min` of
 * them somebody is asked, at `max` the panic happens. O(1) for each error, at most `max` numbers of
 * memory.
 */

/** The bounds of F2. */
export interface PanicThreshold {
  readonly min: number
  readonly max: number
  /** Milliseconds. */
  readonly window: number
}

/** What one more error comes to. */
export type PanicVerdict = "counted" | "ask" | "panic"

/** Errors that count. */
export interface PanicWindow {
  /** Counts an error at `now`, in ms of a clock that only goes forward. */
  readonly count: (now: number) => PanicVerdict
  /** Errors that count at `now`. */
  readonly errors: (now: number) => number
  /** Forgets them all. */
  readonly reset: () => void
}

/** A window without errors. */
export const makePanicWindow = ({ max, min, window }: PanicThreshold): PanicWindow => {
  /** A ring: the oldest at `first`. */
  const times: Array<number> = []
  let first = 0
  let size = 0
  const expire = (now: number): void => {
    while (size > 0 && now - (times[first] ?? 0) >= window) {
      first = (first + 1) % max
      size -= 1
    }
  }
  return {
    count: (now) => {
      expire(now)
      // Past the maximum there is no more to count: the panic was due.
      if (size < max) {
        times[(first + size) % max] = now
        size += 1
      }
      return size >= max ? "panic" : size === min ? "ask" : "counted"
    },
    errors: (now) => {
      expire(now)
      return size
    },
    reset: () => {
      size = 0
    }
  }
}
