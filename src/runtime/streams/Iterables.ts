/**
 * What happens in a Tracehound as async iterables, for code without Effect (CONFORMANCE V1).
 *
 * Iterating begins to listen; leaving the loop stops it. The loop ends when the Tracehound is
 * disposed of, after it has given what was waiting by then. A loop that waits keeps no process
 * alive.
 *
 * **Gotchas**
 *
 * - An iterator that somebody makes by hand and drops without `return()` listens until the
 *   Tracehound is disposed of: bounded by its capacity.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { DeadLetterNote } from "../../actor/DeadLetters.ts"
import type { Alert } from "../../domain/Alert.ts"
import type { Decision } from "../../domain/Decision.ts"
import type { Missed } from "../../domain/Missed.ts"
import type { AuditRecord } from "../../domain/Records.ts"
import type { Reader } from "../../telemetry/Reader.ts"
import type { ActorEvent, AuditOptions, DecisionOptions, Source, Sources, StreamOptions } from "./Sources.ts"

/** The streams of `TracehoundStreams` for `for await`. */
export interface TracehoundIterables {
  /** The alerts that pass the limiter, from the turn on that raises them. */
  readonly alerts: (options?: StreamOptions) => AsyncIterable<Alert | Missed>
  /** The records of the audit chain from a position on, each once and in order. */
  readonly audit: (options?: AuditOptions) => AsyncIterable<AuditRecord | Missed>
  /** Messages that an actor did not handle to the end, without the messages. */
  readonly deadLetters: (options?: StreamOptions) => AsyncIterable<DeadLetterNote | Missed>
  /** What `intercept` decides: all of it, or a sample. */
  readonly decisions: (options?: DecisionOptions) => AsyncIterable<Decision | Missed>
  /**
   * What happens to the actors: starts, crashes, restarts, ends. Without the texts of crashes,
   * which may be an attacker's.
   */
  readonly lifecycle: (options?: StreamOptions) => AsyncIterable<ActorEvent | Missed>
}

/** The async iterables over the sources of a Tracehound. */
export const iterablesOf = (sources: Sources): TracehoundIterables => ({
  alerts: (options) => iterableOf(sources.alerts(options)),
  audit: (options) => iterableOf(sources.audit(options)),
  deadLetters: (options) => iterableOf(sources.deadLetters(options)),
  decisions: (options) => iterableOf(sources.decisions(options)),
  lifecycle: (options) => iterableOf(sources.lifecycle(options))
})

const iterableOf = <A extends object>({ open }: Source<A>): AsyncIterable<A | Missed> => ({
  [Symbol.asyncIterator]: () => new Events(open())
})

/** One iteration. Calls of `next` are answered in their order. */
class Events<A extends object> implements AsyncIterator<A | Missed, undefined> {
  readonly #reader: Reader<A>
  #taken: ReadonlyArray<A | Missed> = []
  #at = 0
  /** The answer to the latest call of `next`. */
  #latest: Promise<unknown> = Promise.resolve()

  constructor(reader: Reader<A>) {
    this.#reader = reader
  }

  next(): Promise<IteratorResult<A | Missed, undefined>> {
    const answer = this.#latest.then(() => this.#next())
    this.#latest = answer
    return answer
  }

  return(): Promise<IteratorResult<A | Missed, undefined>> {
    this.#taken = []
    this.#reader.closeUnsafe()
    return Promise.resolve({ done: true, value: undefined })
  }

  async #next(): Promise<IteratorResult<A | Missed, undefined>> {
    if (this.#at >= this.#taken.length) {
      const pulled = await Effect.runPromiseExit(this.#reader.pull)
      if (Exit.isFailure(pulled)) return { done: true, value: undefined }
      this.#taken = pulled.value
      this.#at = 0
    }
    const value = this.#taken[this.#at++]
    // Nothing is left where `return` was called while this waited.
    return value === undefined ? { done: true, value: undefined } : { done: false, value }
  }
}
