/**
 * Counts how deliveries ended, and reports those that were lost to the alerts service.
 *
 * Each delivery ends once: written, a dead letter of an actor, or refused before any actor knew of
 * it, which is a dead letter too.
 */
import type { DeadLetterReason } from "../../actor/DeadLetters.ts"
import type { EvidenceRecord } from "../../domain/Evidence.ts"
import type { Alerts } from "../../safety/alert/Alerts.ts"
import type { Caller } from "../../telemetry/Caller.ts"
import { classOf } from "../../telemetry/Causes.ts"
import type { Passage } from "./Delivery.ts"
import type { Written } from "./Endpoint.ts"
import * as Notices from "./Notices.ts"

/** A delivery that was lost. */
export interface Loss {
  readonly passage: Passage
  /** For the alert: fixed text, or an error code of the host. */
  readonly why: string
  /** For the board of errors: all that is known. */
  readonly message: string
  /** A fixed word; where it is left out, the class of what was thrown. */
  readonly reason?: string
  /** The host's own code for it. */
  readonly code?: string
  readonly thrown?: unknown
}

/** The counters of one cold storage. */
export class Tally {
  readonly #destination: string
  readonly #alerts: Pick<Alerts["Service"], "alertUnsafe" | "errorUnsafe">
  readonly #caller: Pick<Caller, "within">
  #written = 0
  #unconfirmed = 0
  #deadLetters = 0
  #refused = 0

  /** `destination`: the endpoint as errors call it. */
  constructor(
    destination: string,
    alerts: Pick<Alerts["Service"], "alertUnsafe" | "errorUnsafe">,
    caller: Pick<Caller, "within">
  ) {
    this.#destination = destination
    this.#caller = caller
    this.#alerts = alerts
  }

  get written(): number {
    return this.#written
  }

  /** All deliveries that were lost, those that were refused among them. */
  get deadLetters(): number {
    return this.#deadLetters
  }

  get refused(): number {
    return this.#refused
  }

  /** Those that were written, as the endpoint could not confirm them. Counted in `written` too. */
  get unconfirmed(): number {
    return this.#unconfirmed
  }

  /** A delivery was written. The first that is unconfirmed is alerted. */
  countWrite({ onEnd, scentId, signature }: Passage, written: Written): void {
    this.#written += 1
    if (written === "unconfirmed") {
      if (this.#unconfirmed === 0)
        this.#alerts.alertUnsafe(Notices.unconfirmed, () => ({ signature, id: scentId }))
      this.#unconfirmed += 1
    }
    onEnd?.(undefined)
  }

  /**
   * A delivery was lost, and its end is told. `isAlert`: whether people are alerted besides the
   * error on the board. Call it within the delivery's span.
   */
  reportLoss({ code, message, passage, thrown, ...loss }: Loss, isAlert = true): void {
    const { onEnd, scentId, signature } = passage
    this.#deadLetters += 1
    this.#alerts.errorUnsafe(Notices.failureError(message, signature))
    const reason = loss.reason ?? classOf(thrown)
    if (isAlert) {
      this.#alerts.alertUnsafe(Notices.failureNotice(loss.why), () => ({
        signature,
        id: scentId,
        reason,
        ...(code === undefined ? {} : { code }),
        ...(thrown === undefined ? {} : { thrown })
      }))
    }
    onEnd?.(code ?? reason)
  }

  /** A delivery was not taken, and nothing was done with it. On the caller's turn. */
  reportRefusal(
    reason: Notices.RefusalReason,
    { scent, signature }: Pick<EvidenceRecord, "scent" | "signature">
  ): void {
    this.#deadLetters += 1
    this.#refused += 1
    this.#alerts.alertUnsafe(Notices.refusals[reason], () => ({ signature, id: scent.id }))
  }

  /**
   * An actor's message became a dead letter. Those that failed in a handler are not counted again:
   * handlers report their own failures.
   */
  reportDeadLetter(reason: DeadLetterReason, passage: Passage): void {
    if (reason === "failed") return
    const why = Notices.buried[reason]
    const message = `cold storage ${this.#destination}: ${why}`
    this.#caller.within(passage.span, () => this.reportLoss({ passage, why, message, reason }))
  }
}
