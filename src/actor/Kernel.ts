/**
 * What a supervisor and its children know of each other, and of the system they live in: the
 * kernel's own interfaces.
 */
import type * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Scheduler from "effect/Scheduler"
import type { DeadLetterOffice } from "./DeadLetters.ts"
import type { Inspection, Phase, RestartKind } from "./Inspection.ts"

/** What all parts of one system share. */
export interface Kernel {
  readonly clock: Clock.Clock
  readonly deadLetters: DeadLetterOffice
  /** Runs tasks later, in the order in which they came; never on the turn of whoever asked. */
  readonly dispatcher: Scheduler.SchedulerDispatcher
  /** What the kernel's own effects run with: clock, randomness, loggers, metrics. */
  readonly context: Context.Context<never>
  /** The context of an actor, out of that of whoever spawns it. */
  readonly adapt: <R>(context: Context.Context<R>) => Context.Context<R>
}

/** A child as its supervisor sees it. */
export interface Child {
  readonly name: string
  readonly restart: RestartKind
  readonly phase: Phase
  /** Whether it is meant to go on: false as soon as its end for good has begun. */
  readonly isOpen: boolean
  /** Counts the starts. What is reported of an older one is out of date. */
  readonly incarnation: number
  /** Gives it a new incarnation. Fails, as an exit, with what the start died of. */
  readonly start: Effect.Effect<Exit.Exit<void, unknown>>
  /** Ends its incarnation, within its deadline, and keeps its mail for the next one. */
  readonly halt: Effect.Effect<void>
  /** Ends it for good: drains it within its deadline, and buries what is left. Once is enough. */
  readonly terminate: Effect.Effect<void>
  readonly inspect: () => Inspection
  /** Counts a restart for its metrics. */
  readonly countRestart: () => void
}

/** The supervisor as its children see it. */
export interface Parent {
  readonly path: string
  /** An incarnation ended by itself: normally, or with what it crashed of. */
  readonly childEnded: (child: Child, incarnation: number, crash: Cause.Cause<unknown> | undefined) => void
  /** The child is gone for good. */
  readonly forget: (child: Child) => void
}
