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
 * **Operators**
 *
 * `stop` and `restart` are OTP's `terminate_child` and `restart_child`, for all that is under a
 * supervisor, near or far: actors, and supervisors with everything under them. They are decided in
 * turn with the crashes of the other children, and count for no intensity. What an operator has
 * stopped comes back by `restart`, or when the strategy restarts it along with others.
 *
 * **Gotchas**
 *
 * - An actor's own `stop` ends it for good; a supervisor's `stop` of it does not: mail and address
 *   stay, and what it is told meanwhile waits.
 * - While one child is stopped, which may take its whole `drain`, the supervisor decides nothing
 *   else, as in OTP.
 * - Children are started one after the other: a behaviour that takes long to build delays the
 *   restarts of its siblings, as in OTP.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ActorRef } from "./ActorRef.ts"
import type { Definition } from "./Definition.ts"
import type { ControlRefused, StartFailed, WaitsForItself } from "./Errors.ts"
import type { RestartKind, SupervisorInspection } from "./Inspection.ts"
import type { Message } from "./Message.ts"
import type { Pool, PoolOptions } from "./Pool.ts"
import type { SupervisorOptions } from "./Restarts.ts"

/** Overrides of the child's definition. */
export interface SpawnOptions {
  /**
   * Unique among the siblings, not empty, and without a slash. When left out, the definition's
   * name, with a number if that is taken.
   */
  readonly name?: string
  readonly restart?: RestartKind
}

/** An actor or supervisor under a supervisor: itself, or its whole path from the root down. */
export type Target = string | { readonly path: string }

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
  /**
   * Starts a supervisor with so many actors of one definition under it, behind one face. Closing
   * the scope ends them. Dies with a RangeError if the size is out of range.
   */
  readonly pool: <M extends Message, R, E, RB>(
    definition: Definition<M, R, E, RB>,
    options: PoolOptions<M>
  ) => Effect.Effect<Pool<M>, StartFailed, R | Exclude<RB, Scope.Scope> | Scope.Scope>
  /**
   * Ends the child's incarnation, if it has one, within its deadline, and starts the next: at once,
   * whatever its backoff. Fails with `StartFailed` if that fails; the child then is stopped. OTP
   * would refuse to restart a child that runs. Interrupting it takes nothing back.
   */
  readonly restart: (child: Target) => Effect.Effect<void, ControlRefused | StartFailed | WaitsForItself>
  /**
   * Ends the child's incarnation, if it has one, within its deadline, and starts no other. A
   * temporary child ends for good. Interrupting it takes nothing back.
   */
  readonly stop: (child: Target) => Effect.Effect<void, ControlRefused | WaitsForItself>
  /** This supervisor and everything under it, as plain data. O(descendants). */
  readonly inspect: () => SupervisorInspection
}
