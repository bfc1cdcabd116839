/**
 * The state of an actor system at one moment, as plain data: safe to serialise, and without
 * references into the system.
 *
 * **Gotchas**
 *
 * - The text of a crash is that of the thrown value, cut to 200 characters: it may hold text of an
 *   attacker. Never make it the label of a metric.
 */
import * as Cause from "effect/Cause"
import type { Lane, MailboxSpec } from "./Mailbox.ts"

/**
 * The phase of an actor or supervisor: its behaviour is being built (`starting`), it works
 * (`running`), its incarnation is being closed (`ending`), it has no incarnation but may get one
 * (`waiting`), or it has ended for good (`ended`).
 */
export type Phase = "starting" | "running" | "ending" | "waiting" | "ended"

/**
 * Whether a child that ends is restarted: always, only after a crash, or never.
 */
export type RestartKind = "permanent" | "transient" | "temporary"

/** When the last crash happened, and its bounded text. */
export interface CrashNote {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly message: string
}

/** One actor. At every moment `accepted = handled + buried + pending`. */
export interface ActorInspection {
  readonly kind: "actor"
  readonly name: string
  readonly path: string
  readonly phase: Phase
  readonly suspended: boolean
  readonly restart: RestartKind
  /** How often it was started. */
  readonly incarnation: number
  /** How often its supervisor counted a crash of it as a restart. */
  readonly restarts: number
  readonly mailbox: {
    readonly kind: MailboxSpec["kind"]
    readonly capacity: number
    /** Messages that wait or are being handled. */
    readonly pending: number
    /** Those of them that handlers have put aside. */
    readonly stashed: number
    /** The weight of the pending messages, without those that are put aside. */
    readonly weight: number
    /** `pending` by lane, if the mailbox has lanes. */
    readonly lanes?: Readonly<Record<Lane, number>>
  }
  /** Messages accepted so far. */
  readonly accepted: number
  /**
   * Accepted messages that were handled to the end: with success, or with a typed failure that
   * somebody waited for.
   */
  readonly handled: number
  /** Accepted messages that became dead letters. */
  readonly buried: number
  /**
   * How often something of it did not end, and was no longer waited for: a handler, a behaviour or
   * a finalizer. It may still run.
   */
  readonly abandoned: number
  readonly lastCrash: CrashNote | null
}

/** One supervisor with everything under it. Children are in the order of their first start. */
export interface SupervisorInspection {
  readonly kind: "supervisor"
  readonly name: string
  readonly path: string
  readonly phase: Phase
  readonly restart: RestartKind
  readonly strategy: "one_for_one" | "one_for_all" | "rest_for_one"
  readonly incarnation: number
  /** Restarts that it made, of its children. */
  readonly restarts: number
  readonly lastCrash: CrashNote | null
  readonly children: ReadonlyArray<Inspection>
}

export type Inspection = ActorInspection | SupervisorInspection

const maxText = 200

const cut = (text: string): string => text.length > maxText ? `${text.slice(0, maxText)}…` : text

/**
 * The class of the thrown value of a cause: an error's name, or else the value's type. Of bounded
 * length, and never throws.
 */
export const classOf = (cause: Cause.Cause<unknown>): string => {
  const thrown = Cause.squash(cause)
  try {
    const { name }: { readonly name?: unknown } = thrown instanceof Error ? thrown : {}
    return typeof name === "string" ? cut(name) : typeof thrown
  } catch {
    return typeof thrown
  }
}

/** The thrown value of a cause as text of bounded length. Never throws, whatever the value is. */
export const describe = (cause: Cause.Cause<unknown>): string => {
  const thrown = Cause.squash(cause)
  try {
    return cut(thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown))
  } catch {
    return "something that cannot be shown"
  }
}
