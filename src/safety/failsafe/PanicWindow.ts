/**
 * Counts errors towards a panic (RFC, "Panic Threshold"; CONFORMANCE F2).
 *
 * The window slides: an error counts until a whole window has passed. At `min` errors the host is
 * asked, at `max` the panic happens. O(1) for each error, at most `max` numbers of memory.
 */

/** The bounds of CONFORMANCE F2. */
export interface PanicThreshold {
  readonly min: number
  readonly max: number
  /** Milliseconds. */
  readonly window: number
}

/** The result of counting one more error. */
export type PanicVerdict = "counted" | "ask" | "panic"

/** The errors of the last window. */
export interface PanicWindow {
  /** Counts an error at `now`, in ms of a clock that only goes forward. */
  readonly count: (now: number) => PanicVerdict
  /** Errors that count at `now`. */
  readonly errors: (now: number) => number
  /** Forgets all errors. */
  readonly reset: () => void
}

export const makePanicWindow = ({ max, min, window }: PanicThreshold): PanicWindow => {
  /** A ring of times in ms, the oldest at `first`. */
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
      // Nothing is counted past the maximum: the panic is due already.
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
