/**
 * The internal interfaces of the kernel: what all cells of one system share (`Kernel`), and what a
 * supervisor and its children know of each other (`Child`, `Parent`). Actors are `ActorCell`s,
 * supervisors are `SupervisorCell`s; each of them is a `Child`.
 */
import type * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { Caller } from "../telemetry/Caller.ts"
import type { Tallies } from "./ActorMetrics.ts"
import type { DeadLetterOffice } from "./DeadLetters.ts"
import type { Deadlines } from "./Deadlines.ts"
import type { Feed } from "./Feed.ts"
import type { Inspection, Phase, RestartKind } from "./Inspection.ts"
import type { LifecycleEvent } from "./Lifecycle.ts"
import type { Turns } from "./Turns.ts"

/** Shared by all cells of one system. */
export interface Kernel {
  /** For the time of day. */
  readonly clock: Clock.Clock
  /**
   * Milliseconds since some fixed moment. Only goes forward: setting the time of day changes
   * nothing that is measured with it.
   */
  readonly elapsed: () => number
  /** The same in nanoseconds. */
  readonly nanos: () => number
  /** Knows the span of who tells an actor something outside of Effect. */
  readonly caller: Pick<Caller, "current">
  readonly deadLetters: DeadLetterOffice
  /** The timeout of asks that name none, in ms. */
  readonly askTimeout: number
  readonly deadlines: Deadlines
  /** What the actors of each definition have done. */
  readonly tallyOf: Tallies
  readonly lifecycle: Feed<LifecycleEvent>
  /** Runs tasks on a later turn. */
  readonly turns: Turns
  /** The context of the kernel's own effects: clock, randomness, loggers, metrics. */
  readonly context: Context.Context<never>
  /** The inboxes whose metrics are to be updated at the end of this turn. */
  readonly unreported: Set<{ readonly report: () => void }>
  /** The fibers that run the finalizers of an incarnation, with its actor. */
  readonly closing: Map<Fiber.Fiber<unknown, unknown>, Child>
  /**
   * The actors that a supervisor ends along with others, with the supervisor, from that on until
   * their next start.
   */
  readonly grouped: Map<Grouped, Parent>
  /** Those of them that are ending now. */
  readonly leaving: Set<Grouped>
  /** Ends an actor or supervisor for good, when the scope that it belongs to closes. */
  readonly ending: (child: Child) => Effect.Effect<void>
  /** The context of an actor, made from that of the fiber that spawns it. */
  readonly adapt: <R>(context: Context.Context<R>) => Context.Context<R>
}

/**
 * An actor that a supervisor ends along with others, to start all of them again after the last has
 * ended. An ask from one that is still ending to one that has ended can have no answer.
 */
export interface Grouped {
  /** Fails the asks that wait for an answer of this actor in vain. */
  readonly withdrawAsks: () => void
  /** Whether it is ending, with that supervisor's group, and the fiber is one of its handler's. */
  readonly leavesFor: (supervisor: Parent, fiber: Fiber.Fiber<unknown, unknown>) => boolean
}

/** An actor or a supervisor, as the supervisor above it sees it. */
export interface Child {
  readonly name: string
  readonly path: string
  readonly restartKind: RestartKind
  readonly phase: Phase
  /** False as soon as its final end has begun. */
  readonly isOpen: boolean
  /** Counts the starts. A report about an older incarnation is out of date. */
  readonly incarnation: number
  /** Starts a new incarnation. The exit is the failure if that did not work. */
  readonly start: Effect.Effect<Exit.Exit<void, unknown>>
  /** It will be ended with a group of the supervisor's, and started again when all have ended. */
  readonly joinGroup: (supervisor: Parent) => void
  /** Ends its incarnation within its deadline, and keeps its messages for the next one. */
  readonly halt: Effect.Effect<void>
  /**
   * Ends it for good: drains it within its deadline, and makes the remaining messages dead letters.
   * Later calls wait for the first.
   */
  readonly terminate: Effect.Effect<void>
  readonly inspect: () => Inspection
  /** Whether the fiber is one that its end waits for. */
  readonly holds: (fiber: Fiber.Fiber<unknown, unknown>) => boolean
  /** Counts a restart, in its own inspection and metrics. */
  readonly countRestart: () => void
}

/** A supervisor, as its children see it. */
export interface Parent {
  readonly path: string
  /** The supervisor that gave up, from here up, and was not started again. */
  readonly gaveUp: string | undefined
  /**
   * Reports that an incarnation has ended by itself: with the cause of the crash, or normally
   * without one.
   */
  readonly childEnded: (child: Child, incarnation: number, crash: Cause.Cause<unknown> | undefined) => void
  /** Removes a child that has ended for good. */
  readonly forget: (child: Child) => void
}

const nanosPerMilli = 1_000_000n

/**
 * The clock's monotonic time in ns, for `Kernel.nanos`. If the clock breaks its promise and goes
 * back, that counts as no time.
 */
export const nanosOf = (clock: Clock.Clock): Kernel["nanos"] => {
  let last = Number(clock.monotonicTimeNanosUnsafe())
  let passed = 0
  return () => {
    const now = Number(clock.monotonicTimeNanosUnsafe())
    if (now > last) passed += now - last
    last = now
    return passed
  }
}

/**
 * The clock's monotonic time in whole ms, for `Kernel.elapsed`. If the clock breaks its promise and
 * goes back, that counts as no time.
 */
export const elapsedOf = (clock: Clock.Clock): Kernel["elapsed"] => {
  let last = clock.monotonicTimeNanosUnsafe()
  let passed = 0n
  return () => {
    const now = clock.monotonicTimeNanosUnsafe()
    if (now > last) passed += now - last
    last = now
    return Number(passed / nanosPerMilli)
  }
}
