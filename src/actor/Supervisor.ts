/**
 * Supervisors, with the semantics of Erlang/OTP: which children are restarted together, how often
 * within what time, and what happens after too many restarts.
 *
 * | strategy | when one child crashes |
 * | --- | --- |
 * | `one_for_one` | it is restarted alone |
 * | `one_for_all` | all children are ended, the last started first, and started again in order |
 * | `rest_for_one` | the child and those started after it are ended and started again in the same way |
 *
 * | kind of child | after a crash | after a normal end |
 * | --- | --- | --- |
 * | `permanent` | restarted | restarted |
 * | `transient` | restarted | removed |
 * | `temporary` | removed | removed |
 *
 * After more than `intensity` restarts within `period` the supervisor gives up: it ends all of its
 * children and itself. Its parent treats that as the crash of a child. If the root gives up, the
 * system's `escalated` and `onEscalation` tell its owner. A failed start counts as a crash.
 *
 * **Details**
 *
 * - Unlike in OTP, a restarted child keeps its address and its waiting messages, and a restart may
 *   be delayed (`backoff`).
 * - When a parent restarts a supervisor, that supervisor starts its own children again, except the
 *   temporary ones.
 *
 * **Gotchas**
 *
 * - Children are started one after the other: a behaviour that takes long to build delays the
 *   restarts of its siblings, as in OTP.
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

/** Which children are restarted together. */
export type Strategy = SupervisorInspection["strategy"]

/** The limits and delays of restarts. */
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

/** Overrides of the child's definition. */
export interface SpawnOptions {
  /**
   * Unique among the siblings, not empty, and without a slash. When left out, the definition's
   * name, with a number if that is taken.
   */
  readonly name?: string
  readonly restart?: RestartKind
}

/** A supervisor, as those who start actors under it see it. */
export interface Supervisor {
  readonly name: string
  readonly path: string
  /**
   * Starts an actor, and returns when its behaviour is built. The actor belongs to the scope:
   * closing it drains and ends the actor. Synchronous if the behaviour is.
   */
  readonly spawn: <M extends Message, R, E, RB>(
    definition: Definition<M, R, E, RB>,
    options?: SpawnOptions
  ) => Effect.Effect<ActorRef<M>, StartFailed, R | Exclude<RB, Scope.Scope> | Scope.Scope>
  /** Starts a supervisor under this one. Closing the scope ends it and everything under it. */
  readonly supervise: (
    name: string,
    options?: SupervisorOptions & { readonly restart?: RestartKind }
  ) => Effect.Effect<Supervisor, StartFailed, Scope.Scope>
  /** This supervisor and everything under it, as plain data. O(descendants). */
  readonly inspect: () => SupervisorInspection
}
