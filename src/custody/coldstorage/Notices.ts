/**
 * Cold storage's notices and errors: fixed objects, so that refusing a flood of deliveries
 * allocates nothing but the alerts that leave.
 */
import { problem, type TracehoundError } from "../../domain/TracehoundError.ts"
import { type Notice, notice } from "../../safety/alert/Notice.ts"

const refusal = (message: string): Notice => notice({ type: "coldstorage.refused", severity: "critical", message })

/** The alert for each reason why a delivery is not taken. */
export const refusals = {
  closed: refusal("the mailbox is closed"),
  full: refusal("the mailbox is full"),
  /** Its buffer was detached, or it is another record's: its envelope could not be opened. */
  mismatch: refusal("the evidence is not as long as its record says"),
  memory: refusal("the host could not take a copy of the evidence")
}
export type RefusalReason = keyof typeof refusals

export const failureNotice = notice({
  type: "coldstorage.failure",
  severity: "critical",
  message: "evidence was not written"
})

export const failureError = (message: string): TracehoundError =>
  problem({ state: "quarantine", code: "coldstorage_failure", message })

export const encodeError = problem({
  state: "quarantine",
  code: "encode_error",
  message: "evidence could not be compressed on its way to cold storage: its hash and its record are what is left"
})
