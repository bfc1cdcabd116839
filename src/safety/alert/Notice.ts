/**
 * A notice: the fixed part of an alert. A room makes its notices once, so that raising one
 * allocates nothing but the alert that leaves, and no attacker's text is in it.
 */
import type { Alert } from "../../domain/Alert.ts"

/** The text of an alert, and how the alert may leave. */
export interface Notice extends Pick<Alert, "type" | "severity" | "message"> {
  /** Whether the limiter lets it through, however many alerts came before. */
  readonly alwaysPasses: boolean
  /** Whether it goes to the devopsEndpoint too. The log and all other sinks get every notice. */
  readonly isPosted: boolean
}

/** The parts of a notice; a usual one is limited and posted. */
export interface NoticeOptions extends Pick<Notice, "type" | "severity" | "message"> {
  readonly alwaysPasses?: boolean
  readonly isPosted?: boolean
}

export const notice = (
  { alwaysPasses = false, isPosted = true, message, severity, type }: NoticeOptions
): Notice => Object.freeze({ type, severity, message, alwaysPasses, isPosted })

/**
 * The alert that leaves: what the notice says, without how it may leave. `timestamp`: milliseconds
 * since the epoch.
 */
export const alertOf = ({ message, severity, type }: Notice, timestamp: number): Alert => ({
  type,
  severity,
  message,
  timestamp
})
