/**
 * The mailbox lanes of alerts: the alerts service and all sinks with an actor use the same.
 */
import type { Lane } from "../../actor/Mailbox.ts"
import type { Alert } from "../../domain/Alert.ts"

/**
 * The lane for alerts of each severity, so that the worst leave first. Log events wait in the lane
 * `low`, behind all alerts.
 */
export const laneOf: Record<Alert["severity"], Lane> = { critical: "critical", warning: "high", info: "medium" }
