/**
 * What a Tracehound lets its host read as streams (CONFORMANCE V1 to V3): one source for each kind
 * of event, which both doors read by their own means (`Streams.ts`, `Iterables.ts`).
 *
 * Nothing here holds evidence: alerts, records, notes and decisions are made of signatures, numbers
 * and fixed words.
 */
import * as Effect from "effect/Effect"
import { ActorSystem } from "../../actor/ActorSystem.ts"
import type { DeadLetterNote } from "../../actor/DeadLetters.ts"
import type { LifecycleEvent } from "../../actor/Lifecycle.ts"
import { AuditChain } from "../../custody/audit/AuditChain.ts"
import type { Alert } from "../../domain/Alert.ts"
import type { Decision } from "../../domain/Decision.ts"
import type { AuditRecord } from "../../domain/Records.ts"
import { Agent } from "../../intake/agent/Agent.ts"
import { Alerts } from "../../safety/alert/Alerts.ts"
import { EventBuffer, type Reader } from "../../telemetry/Reader.ts"
import { AuditPosition } from "./AuditPosition.ts"
import { Readers } from "./Readers.ts"

/** Something that can be read any number of times. Opening it begins to listen. */
export interface Source<A> {
  readonly open: () => Reader<A>
}

/** Options of a stream whose events wait in a buffer. */
export interface StreamOptions {
  /**
   * The most events that wait for this reader: 256 when left out, 65,536 at most. What comes to a
   * full buffer drops the oldest, and a `Missed` says how many.
   */
  readonly capacity?: number
}

export interface AuditOptions {
  /**
   * The sequence of the first record: 0 when left out. A position that the chain has not reached is
   * waited for; records that are no longer kept are `Missed`.
   */
  readonly from?: number
}

export interface DecisionOptions extends StreamOptions {
  /**
   * Takes the first decision of each status and then every so many-th of that status: 1 when left
   * out, which is all; 1,000,000,000 at most.
   */
  readonly every?: number
}

/**
 * What happened to an actor or supervisor: a lifecycle event, without the text of a crash, which
 * may be an attacker's.
 */
export type ActorEvent = Exclude<LifecycleEvent, { readonly _tag: "Crashed" }> | Omit<Crash, "message">
type Crash = Extract<LifecycleEvent, { readonly _tag: "Crashed" }>

/** The sources, each with its options. */
export interface Sources {
  readonly alerts: (options?: StreamOptions) => Source<Alert>
  readonly audit: (options?: AuditOptions) => Source<AuditRecord>
  readonly deadLetters: (options?: StreamOptions) => Source<DeadLetterNote>
  readonly decisions: (options?: DecisionOptions) => Source<Decision>
  readonly lifecycle: (options?: StreamOptions) => Source<ActorEvent>
}

const defaultCapacity = 256
const maxCapacity = 65_536
const maxEvery = 1_000_000_000

/** The number as a whole one from `least` to `most`; `otherwise` for what is no number. */
const within = (value: unknown, least: number, most: number, otherwise: number): number =>
  typeof value !== "number" || Number.isNaN(value) ? otherwise : Math.trunc(Math.min(most, Math.max(least, value)))

const withoutText = (event: LifecycleEvent): ActorEvent => {
  if (event._tag !== "Crashed") return event
  const { message: _, ...rest } = event
  return rest
}

/** The sources of the rooms in the context. */
export const makeSources = Effect.gen(function*() {
  const agent = yield* Agent
  const alerts = yield* Alerts
  const chain = yield* AuditChain
  const { deadLetters, lifecycle } = yield* ActorSystem
  const readers = yield* Readers

  /** A source of events that are heard as they come, and wait in a buffer of each reader's own. */
  const heard = <A>(
    options: StreamOptions | undefined,
    listen: (hear: (event: A) => void) => () => void
  ): Source<A> => {
    const capacity = within(options?.capacity, 1, maxCapacity, defaultCapacity)
    return {
      open: () => {
        const buffer = new EventBuffer<A>(capacity)
        return readers.open(buffer, (ready) =>
          listen((event) => {
            buffer.addUnsafe(event)
            ready()
          }))
      }
    }
  }
  const sources: Sources = {
    alerts: (options) => heard(options, alerts.onAlert),
    audit: (options) => {
      const from = within(options?.from, 0, Number.MAX_SAFE_INTEGER, 0)
      return { open: () => readers.open(new AuditPosition(chain, from), chain.onAppend) }
    },
    deadLetters: (options) => heard(options, deadLetters.listen),
    decisions: (options) => {
      const every = within(options?.every, 1, maxEvery, 1)
      return heard<Decision>(options, (hear) => agent.onDecision(every, hear))
    },
    lifecycle: (options) => heard<ActorEvent>(options, (hear) => lifecycle.listen((event) => hear(withoutText(event))))
  }
  return sources
})
