/**
 * What happens in a Tracehound as Effect Streams (CONFORMANCE V1).
 *
 * A stream begins to listen when it is run, and stops when it is interrupted or has ended. It ends
 * when the Tracehound closes, after it has given what was waiting by then.
 *
 * **Gotchas**
 *
 * - This module brings effect/Stream along, nine modules and a twentieth of the time that importing
 *   Tracehound takes. So `Tracehound` imports it when the streams are first asked for.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { DeadLetterNote } from "../../actor/DeadLetters.ts"
import type { Alert } from "../../domain/Alert.ts"
import type { Decision } from "../../domain/Decision.ts"
import type { Missed } from "../../domain/Missed.ts"
import type { AuditRecord } from "../../domain/Records.ts"
import type { ActorEvent, AuditOptions, DecisionOptions, Source, Sources, StreamOptions } from "./Sources.ts"

/**
 * What happens, as it happens. Any number of readers may run each of them, at their own pace: one
 * that is too slow gets a `Missed` in the place of what it missed.
 */
export interface TracehoundStreams {
  /** The alerts that pass the limiter, from the turn on that raises them. */
  readonly alerts: (options?: StreamOptions) => Stream.Stream<Alert | Missed>
  /**
   * The records of the audit chain from a position on: those that are kept, and then each that is
   * appended, once and in order. They wait in the chain: what it no longer keeps is missed.
   */
  readonly audit: (options?: AuditOptions) => Stream.Stream<AuditRecord | Missed>
  /** Messages that an actor did not handle to the end, without the messages. */
  readonly deadLetters: (options?: StreamOptions) => Stream.Stream<DeadLetterNote | Missed>
  /** What `intercept` decides: all of it, or a sample. */
  readonly decisions: (options?: DecisionOptions) => Stream.Stream<Decision | Missed>
  /**
   * What happens to the actors: starts, crashes, restarts, ends. Without the texts of crashes,
   * which may be an attacker's.
   */
  readonly lifecycle: (options?: StreamOptions) => Stream.Stream<ActorEvent | Missed>
}

/** The streams over the sources of a Tracehound. */
export const streamsOf = (sources: Sources): TracehoundStreams => ({
  alerts: (options) => streamOf(sources.alerts(options)),
  audit: (options) => streamOf(sources.audit(options)),
  deadLetters: (options) => streamOf(sources.deadLetters(options)),
  decisions: (options) => streamOf(sources.decisions(options)),
  lifecycle: (options) => streamOf(sources.lifecycle(options))
})

const streamOf = <A>({ open }: Source<A>): Stream.Stream<A | Missed> =>
  Stream.scoped(Stream.fromPull(
    Effect.map(
      Effect.acquireRelease(Effect.sync(open), (reader) => Effect.sync(() => reader.closeUnsafe())),
      ({ pull }) => pull
    )
  ))
