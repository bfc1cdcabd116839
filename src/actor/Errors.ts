/**
 * What can go wrong between an actor and whoever talks to it, as values.
 */
import * as Data from "effect/Data"

/** The mailbox has no room: come again later, or do without. */
export class MailboxFull extends Data.TaggedError("MailboxFull")<{ readonly actor: string }> {
  override get message(): string {
    return `the mailbox of ${this.actor} is full`
  }
}

/** The actor takes no more messages, or left this one behind when it stopped. */
export class ActorStopped extends Data.TaggedError("ActorStopped")<{ readonly actor: string }> {
  override get message(): string {
    return `${this.actor} has stopped`
  }
}

/**
 * The actor crashed over this message, or while it was at it. The message is never handled again.
 */
export class ActorCrashed
  extends Data.TaggedError("ActorCrashed")<{ readonly actor: string; readonly cause: unknown }>
{
  override get message(): string {
    return `${this.actor} crashed over this message`
  }
}

/** No answer in time. The message may still be handled. */
export class AskTimeout extends Data.TaggedError("AskTimeout")<{ readonly actor: string; readonly tag: string }> {
  override get message(): string {
    return `${this.actor} did not answer ${this.tag} in time`
  }
}

/** Everything that asking may fail with, besides the message's own error. */
export type AskError = MailboxFull | ActorStopped | ActorCrashed | AskTimeout

/** A child could not be started; nothing is left of it. */
export class StartFailed extends Data.TaggedError("StartFailed")<{ readonly actor: string; readonly cause: unknown }> {
  override get message(): string {
    return `${this.actor} could not be started`
  }
}

/** A supervisor restarted more often than it may: its parent has to decide. */
export class Escalated extends Data.TaggedError("Escalated")<{
  readonly supervisor: string
  /** The child whose crash was one too many. */
  readonly child: string
  readonly restarts: number
}> {
  override get message(): string {
    return `${this.supervisor} gave up after ${this.restarts} restarts; the last to crash was ${this.child}`
  }
}

/** What a link brings: the other end is gone, so this one goes. */
export class LinkBroken extends Data.TaggedError("LinkBroken")<{ readonly actor: string; readonly cause: unknown }> {
  override get message(): string {
    return `${this.actor}, to which this actor is linked, is gone`
  }
}
