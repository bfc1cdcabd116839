/**
 * The metrics of actors: messages handled, dead letters by reason, restarts, and pending messages.
 *
 * Series are labelled by the definition, never by the instance, so a hundred thousand actors of one
 * kind are one series, the sum of theirs. Messages are counted once a burst, and where they wait
 * for more than a turn once a turn: not once a message, so sending one costs no metric.
 */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import { type DeadLetterReason, deadLetterReasons } from "./DeadLetters.ts"

const handled = Metric.counter("actor_messages_handled", {
  description: "Messages that an actor handled to the end",
  incremental: true
})
const deadLetters = Metric.counter("actor_dead_letters", {
  description: "Messages that were told and not handled to the end",
  incremental: true
})
const restarts = Metric.counter("actor_restarts", {
  description: "Restarts of crashed actors",
  incremental: true
})
const pending = Metric.gauge("actor_messages_pending", {
  description: "Messages that wait or are being handled"
})

/** The series of one definition. `context` holds the metric registry. */
export interface ActorMetrics {
  readonly handledUnsafe: (count: number, context: Context.Context<never>) => void
  /** Adds to the pending messages of all actors of the definition. */
  readonly pendingUnsafe: (change: number, context: Context.Context<never>) => void
  readonly deadLetterUnsafe: (reason: DeadLetterReason, context: Context.Context<never>) => void
  readonly restartUnsafe: (context: Context.Context<never>) => void
}

/** The series labelled `name`. */
export const make = (name: string): ActorMetrics => {
  const attributes = { actor: name }
  const own = {
    handled: Metric.withAttributes(handled, attributes),
    restarts: Metric.withAttributes(restarts, attributes),
    pending: Metric.withAttributes(pending, attributes)
  }
  const buried = new Map(
    deadLetterReasons.map((reason) => [reason, Metric.withAttributes(deadLetters, { ...attributes, reason })])
  )
  return {
    handledUnsafe: (count, context) => own.handled.updateUnsafe(count, context),
    pendingUnsafe: (change, context) => own.pending.modifyUnsafe(change, context),
    restartUnsafe: (context) => own.restarts.updateUnsafe(1, context),
    deadLetterUnsafe: (reason, context) => buried.get(reason)?.updateUnsafe(1, context)
  }
}
