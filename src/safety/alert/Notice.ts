/**
 * A notice: the fixed part of an alert. A room makes its notices once, so that raising one
 * allocates nothing but the alert that leaves, and no attacker's text is in it.
 */
import type * as Tracer from "effect/Tracer"
import type { Alert } from "../../domain/Alert.ts"
import { classOf, framesOf } from "../../telemetry/Causes.ts"
import { escapedId } from "../../telemetry/Escaped.ts"
import { traceOf } from "../../telemetry/RootSpans.ts"

/** The text of an alert, and how the alert may leave. */
export interface Notice extends Pick<Alert, "type" | "severity" | "message" | "reason"> {
  /** Whether the limiter lets it through, however many alerts came before. */
  readonly alwaysPasses: boolean
  /** Whether it goes to the devopsEndpoint too. The log and all other sinks get every notice. */
  readonly isPosted: boolean
}

/** The parts of a notice; a usual one is limited and posted. */
export interface NoticeOptions extends Pick<Notice, "type" | "severity" | "message" | "reason"> {
  readonly alwaysPasses?: boolean
  readonly isPosted?: boolean
}

export const notice = (
  { alwaysPasses = false, isPosted = true, message, reason, severity, type }: NoticeOptions
): Notice =>
  Object.freeze({ type, severity, message, ...(reason === undefined ? {} : { reason }), alwaysPasses, isPosted })

/** What an alert is about, as the room knows it that raises it. */
export interface AlertDetails extends Pick<Alert, "signature" | "reason" | "code"> {
  /** The id of the evidence's scent, as it came: the alert has it escaped. */
  readonly id?: string
  /**
   * What was thrown. The alert has its class, as the reason where no other is given, and its frames
   * in our own code; never its message.
   */
  readonly thrown?: unknown
}

/**
 * The alert that leaves: what the notice says, without how it may leave, and what it is about.
 * `timestamp`: milliseconds since the epoch; `span`: the one that it came from.
 */
export const alertOf = (
  { message, reason: fixed, severity, type }: Notice,
  timestamp: number,
  details: AlertDetails = {},
  span?: Tracer.AnySpan
): Alert => {
  const { code, id, signature, thrown } = details
  const reason = details.reason ?? (thrown === undefined ? fixed : classOf(thrown))
  const frames = thrown === undefined ? [] : framesOf(thrown)
  const trace = span === undefined ? undefined : traceOf(span)
  return {
    type,
    severity,
    message,
    timestamp,
    ...(signature === undefined ? {} : { signature }),
    ...(id === undefined ? {} : { evidenceId: escapedId(id) }),
    ...(reason === undefined ? {} : { reason }),
    ...(code === undefined ? {} : { code }),
    ...(frames.length === 0 ? {} : { frames }),
    ...(trace === undefined ? {} : { trace })
  }
}
