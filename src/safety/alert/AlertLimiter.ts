/**
 * How many alerts may pass (RFC, "Alert Rate Limiting"; CONFORMANCE W2): so many a window, then one
 * escalation, then silence until the next window. O(1), two numbers of state.
 *
 * **Gotchas**
 *
 * - A window begins with the first alert after the last one ended: a quiet hour costs nothing and
 *   counts for nothing.
 * - A clock that goes back stays in its window, which then ends no later than `windowMs` from
 *   there: a wrong time, once set right, silences no more than that.
 */

/** What becomes of an alert. */
export type Admission = "emit" | "suppress" | "escalate"

/** A limiter with its counters. */
export interface AlertLimiter {
  /** Decides about one alert at `now`, in ms. */
  readonly admit: (now: number) => Admission
  /** Alerts seen in the window that is open. */
  readonly alertCount: number
}

/** The limits of CONFORMANCE W2. */
export interface AlertLimits {
  readonly maxAlertsPerWindow: number
  readonly windowMs: number
  /** How many suppressed alerts raise the escalation. */
  readonly escalationThreshold: number
}

/** A limiter with its first window still to open. */
export const makeAlertLimiter = (limits: AlertLimits): AlertLimiter => {
  let windowStart = Number.NEGATIVE_INFINITY
  let alertCount = 0
  return {
    get alertCount() {
      return alertCount
    },
    admit: (now) => {
      if (now - windowStart >= limits.windowMs) {
        windowStart = now
        alertCount = 0
      } else if (now < windowStart) windowStart = now
      alertCount += 1
      if (alertCount <= limits.maxAlertsPerWindow) return "emit"
      return alertCount === limits.maxAlertsPerWindow + limits.escalationThreshold ? "escalate" : "suppress"
    }
  }
}
