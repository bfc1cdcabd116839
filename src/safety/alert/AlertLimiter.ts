/**
 * Limits alerts (RFC, "Alert Rate Limiting"; CONFORMANCE W2): a number of them in each window, then
 * one escalation, then silence until the next window. O(1), two numbers of state.
 *
 * **Gotchas**
 *
 * - A window begins with the first alert after the last window ended, so quiet time costs nothing.
 * - When the clock goes back, the window stays open and ends no later than `windowMs` from the new
 *   time: a wrong clock that is corrected silences alerts no longer than that.
 */

/** The limiter's decision about an alert; `escalate`: it becomes the window's one `alert.flood`. */
export type Admission = "emit" | "suppress" | "escalate"

/** A limiter in the middle of a window. */
export interface AlertLimiter {
  /** Decides about one alert at `now`, in ms. */
  readonly admit: (now: number) => Admission
  /** Alerts in the current window, suppressed ones included. */
  readonly alertCount: number
}

/** The limits of CONFORMANCE W2. */
export interface AlertLimits {
  readonly maxAlertsPerWindow: number
  readonly windowMs: number
  /** The suppressed alert that escalates, counted from the first. */
  readonly escalationThreshold: number
}

/** A limiter whose first window begins with its first alert. */
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
