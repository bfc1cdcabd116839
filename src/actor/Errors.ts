/**
 * The errors of telling, asking, starting and supervising, as values.
 */
import * as Data from "effect/Data"
import type { TraceIds } from "../telemetry/RootSpans.ts"

/** The mailbox has no room for the message; it may have later. */
export class MailboxFull extends Data.TaggedError("MailboxFull")<{ readonly actor: string }> {
  override get message(): string {
    return `the mailbox of ${this.actor} is full`
  }
}

/** The actor accepts no more messages, or stopped for good before it handled this one. */
export class ActorStopped extends Data.TaggedError("ActorStopped")<{ readonly actor: string }> {
  override get message(): string {
    return `${this.actor} has stopped`
  }
}

/**
 * The actor was stopped, to be started again along with others, before it handled this message: no
 * answer can come. Another message can be handled once it is back.
 */
export class ActorRestarting extends Data.TaggedError("ActorRestarting")<{ readonly actor: string }> {
  override get message(): string {
    return `${this.actor} was stopped to be restarted with others`
  }
}

/**
 * The actor waits for itself, which would be for ever: its own handler, behaviour or finalizer asks
 * it. The message was not sent. `settled` and `down` have no error, and die with this one.
 */
export class WaitsForItself extends Data.TaggedError("WaitsForItself")<{ readonly actor: string }> {
  override get message(): string {
    return `${this.actor} waits for itself`
  }
}

/**
 * The actor crashed while it handled this message, because of it or not. The message is never
 * handled again.
 */
export class ActorCrashed
  extends Data.TaggedError("ActorCrashed")<{ readonly actor: string; readonly cause: unknown }>
{
  override get message(): string {
    return `${this.actor} crashed over this message`
  }
}

/** What is logged when an actor is no longer waited for: what of it has not ended, and where. */
export class Abandoned extends Data.TaggedError("Abandoned")<{
  readonly actor: string
  readonly what: "handler" | "behaviour" | "finalizer"
}> {
  override get message(): string {
    return `a ${this.what} of ${this.actor} does not end`
  }
}

/** There was no answer within the timeout of `ask`. The message may still be handled. */
export class AskTimeout extends Data.TaggedError("AskTimeout")<{ readonly actor: string; readonly tag: string }> {
  override get message(): string {
    return `${this.actor} did not answer ${this.tag} in time`
  }
}

/** The failures of `ask`, besides the message's own error. */
export type AskError = MailboxFull | ActorStopped | ActorRestarting | ActorCrashed | AskTimeout | WaitsForItself

/** A child could not be started. Nothing of it remains. */
export class StartFailed extends Data.TaggedError("StartFailed")<{ readonly actor: string; readonly cause: unknown }> {
  override get message(): string {
    return `${this.actor} could not be started`
  }
}

/** Why an operator's `restart` or `stop` of a child is refused. */
export type ControlRefusal = "not_found" | "starting" | "not_supervised"

/**
 * An operator's `restart` or `stop` makes no sense: there is no such child (`not_found`), its first
 * start is under way and its spawner's (`starting`), or the supervisor above it does not run
 * (`not_supervised`).
 */
export class ControlRefused
  extends Data.TaggedError("ControlRefused")<{ readonly path: string; readonly reason: ControlRefusal }>
{
  override get message(): string {
    return `${this.path} ${controlRefusals[this.reason]}`
  }
}

const controlRefusals: Readonly<Record<ControlRefusal, string>> = {
  not_found: "is not under this supervisor",
  starting: "is being started for the first time",
  not_supervised: "has a supervisor that does not run"
}

/** A supervisor exceeded its restart intensity and gave up. Its parent decides what follows. */
export class Escalated extends Data.TaggedError("Escalated")<{
  readonly supervisor: string
  /** The child whose crash was one too many. */
  readonly child: string
  readonly restarts: number
  /** Of the span in which that child had crashed, where there is one. */
  readonly trace: TraceIds | undefined
}> {
  override get message(): string {
    return `${this.supervisor} gave up after ${this.restarts} restarts; the last to crash was ${this.child}`
  }
}

/** The crash of an actor whose linked partner has ended. */
export class LinkBroken extends Data.TaggedError("LinkBroken")<{ readonly actor: string; readonly cause: unknown }> {
  override get message(): string {
    return `${this.actor}, to which this actor is linked, is gone`
  }
}
