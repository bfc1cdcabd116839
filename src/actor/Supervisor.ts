/**
 * Supervisors, with the meanings of Erlang/OTP: who is restarted together, how often within what
 * time, and who has to decide when it was too often.
 *
 * | strategy | when one child crashes |
 * | --- | --- |
 * | `one_for_one` | it is restarted |
 * | `one_for_all` | all are ended, the last started first, and started again in order |
 * | `rest_for_one` | so are it and those that were started after it |
 *
 * | kind of child | after a crash | after a normal end |
 * | --- | --- | --- |
 * | `permanent` | restarted | restarted |
 * | `transient` | restarted | gone |
 * | `temporary` | gone | gone |
 *
 * More than `intensity` restarts within `period`, and the supervisor ends all of its children and
 * itself: its parent treats that as the crash of a child, and the root's is told to whoever made
 * the system. A start that fails is a crash.
 *
 * **Details**
 *
 * - Unlike OTP's, a child keeps its address and its mail when it is restarted, and a restart may
 *   wait (`backoff`).
 * - A supervisor that its parent restarts starts its children again, but for the temporary ones.
 *
 * **Gotchas**
 *
 * - Starting is one after the other: a behaviour that takes long to build holds up its siblings'
 *   restarts, as in OTP.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ActorRef } from "./ActorRef.ts"
import type { Definition } from "./Definition.ts"
import type { StartFailed } from "./Errors.ts"
import type { RestartKind, SupervisorInspection } from "./Inspection.ts"
import type { Message } from "./Message.ts"
import type { Backoff } from "./Restarts.ts"

/** Who is restarted together. */
export type Strategy = SupervisorInspection["strategy"]

/** How a supervisor decides. */
export interface SupervisorOptions {
  /** `one_for_one` when left out. */
  readonly strategy?: Strategy
  /** Restarts allowed within the period: 1 when left out, as in OTP. */
  readonly intensity?: number
  /** 5 seconds when left out, as in OTP. */
  readonly period?: Duration.Input
  /** Restarts are immediate when left out, as in OTP. */
  readonly backoff?: Backoff
}

/** How one child differs from its definition. */
export interface SpawnOptions {
  /** The definition's own when left out, with a number where that is taken. */
  readonly name?: string
  readonly restart?: RestartKind
}

/** A supervisor, to whoever puts actors under it. */
export interface Supervisor {
  readonly name: string
  readonly path: string
  /**
   * Starts an actor: it is built when this returns. It belongs to the scope, whose closing drains
   * and ends it. Synchronous where the behaviour is.
   */
  readonly spawn: <M extends Message, R, E, RB>(
    definition: Definition<M, R, E, RB>,
    options?: SpawnOptions
  ) => Effect.Effect<ActorRef<M>, StartFailed, R | Exclude<RB, Scope.Scope> | Scope.Scope>
  /** Puts a supervisor under this one. It belongs to the scope. */
  readonly supervise: (
    name: string,
    options?: SupervisorOptions & { readonly restart?: RestartKind }
  ) => Effect.Effect<Supervisor, StartFailed, Scope.Scope>
  /** One look at all that is under it. O(children). */
  readonly inspect: () => SupervisorInspection
}
