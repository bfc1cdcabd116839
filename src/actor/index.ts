/**
 * `tracehound/actor`: a small actor runtime on Effect, with the semantics of Erlang/OTP. It does
 * not depend on the rest of Tracehound.
 */
export type { ActorRef, AskOptions, Down, RefusalReason, Watched } from "./ActorRef.ts"
export { ActorSystem, type ActorSystemOptions, type Found } from "./ActorSystem.ts"
export {
  type DeadLetter,
  type DeadLetterNote,
  type DeadLetterReason,
  deadLetterReasons,
  type DeadLetters
} from "./DeadLetters.ts"
export { define, type Definition, type DefinitionOptions, type Self } from "./Definition.ts"
export {
  ActorCrashed,
  ActorRestarting,
  ActorStopped,
  type AskError,
  AskTimeout,
  type ControlRefusal,
  ControlRefused,
  Escalated,
  LinkBroken,
  MailboxFull,
  StartFailed,
  WaitsForItself
} from "./Errors.ts"
export type { Missed, Subscription } from "./Feed.ts"
export type { ActorInspection, CrashNote, Inspection, Phase, RestartKind, SupervisorInspection } from "./Inspection.ts"
export type { Lifecycle, LifecycleEvent } from "./Lifecycle.ts"
export { dropping, fifo, type Lane, laneOrder, lanes, type MailboxSpec, sliding } from "./Mailbox.ts"
export { become, type Become, type Handlers, type Message, type Stashed } from "./Message.ts"
export type { Pool, PoolOptions } from "./Pool.ts"
export { ExpectationFailed, probe, type Probe, type ProbeOptions } from "./Probe.ts"
export type { Backoff, Strategy, SupervisorOptions } from "./Restarts.ts"
export type { SpawnOptions, Supervisor, Target } from "./Supervisor.ts"
export type { Timers } from "./Timers.ts"
