/**
 * Cold storage's notices and errors. Those of refusals are fixed objects, so that refusing a flood
 * of deliveries makes nothing but the alerts that leave.
 */
import type { DeadLetterReason } from "../../actor/DeadLetters.ts"
import { problem, type TracehoundError } from "../../domain/TracehoundError.ts"
import { type Notice, notice } from "../../safety/alert/Notice.ts"

const refusal = (reason: string, message: string): Notice =>
  notice({ type: "coldstorage.refused", severity: "critical", message, reason })

/** The alert for each reason why a delivery is not taken. */
export const refusals = {
  closed: refusal("closed", "the mailbox is closed"),
  full: refusal("full", "the mailbox is full"),
  /** Its buffer was detached, or it is another record's: its envelope could not be opened. */
  mismatch: refusal("mismatch", "the evidence is not as long as its record says"),
  memory: refusal("memory", "the host could not take a copy of the evidence")
}
export type RefusalReason = keyof typeof refusals

/** The alert for evidence that was lost. `why` is fixed text, or an error code of the host. */
export const failureNotice = (why: string): Notice =>
  notice({ type: "coldstorage.failure", severity: "critical", message: `evidence was not written: ${why}` })

/** The endpoint takes writes that it should refuse: told once. */
export const unconfirmed: Notice = notice({
  type: "coldstorage.unconfirmed",
  severity: "warning",
  message: "cold storage overwrites a name that is taken: nobody can say that what it has is what was written"
})

/** Why an actor's message, but one that failed, is a dead letter. */
export const buried: Record<Exclude<DeadLetterReason, "failed">, string> = {
  full: "the mailbox is full",
  dropped: "the mailbox dropped it",
  closed: "the mailbox is closed",
  stopped: "cold storage was closed before its turn",
  crashed: "the part that writes it crashed",
  abandoned: "the part that writes it did not end"
}

/** The error for the board, with the signature of the evidence that was lost. */
export const failureError = (message: string, signature: string): TracehoundError =>
  Object.freeze({
    ...problem({ state: "quarantine", code: "coldstorage_failure", message }),
    context: Object.freeze({ signature })
  })

export const encodeError = problem({
  state: "quarantine",
  code: "encode_error",
  message: "evidence could not be compressed on its way to cold storage: its hash and its record are what is left"
})
