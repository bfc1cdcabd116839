/**
 * What an actor system looks like at one moment: plain data, safe to serialise, with no way back
 * into the system.
 *
 * **Gotchas**
 *
 * - The text of a crash is whatever was thrown, cut to 200 characters: it may hold what an attacker
 *   wrote. Never make it the label of a metric.
 */
import * as Cause from "effect/Cause"
import type { Lane, MailboxSpec } from "./Mailbox.ts"

/**
 * Where a child is in its life: its behaviour is being built (`starting`), it handles messages
 * (`running`), its incarnation is being closed (`ending`), it has none and may get one (`waiting`),
 * or it will never run again (`ended`).
 */
export type Phase = "starting" | "running" | "ending" | "waiting" | "ended"

/**
 * What becomes of a child that ends: always restarted, restarted when it crashed, never restarted.
 */
export type RestartKind = "permanent" | "transient" | "temporary"

/** The crash that was the last. */
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
  /** How often it was started, and how often of that again. */
  readonly incarnation: number
  readonly restarts: number
  readonly mailbox: {
    readonly kind: MailboxSpec["kind"]
    readonly capacity: number
    /** What waits or is being handled, and its weight. */
    readonly pending: number
    readonly weight: number
    /** The same by lane, where there are lanes. */
    readonly lanes?: Readonly<Record<Lane, number>>
  }
  /** Messages taken into the mailbox so far. */
  readonly accepted: number
  /**
   * Of them, handled to the end: with an answer, a success or a typed failure that somebody waited
   * for.
   */
  readonly handled: number
  /** Of them, dead letters. */
  readonly buried: number
  readonly lastCrash: CrashNote | null
}

/** One supervisor and everything under it, in the order of starting. */
export interface SupervisorInspection {
  readonly kind: "supervisor"
  readonly name: string
  readonly path: string
  readonly phase: Phase
  readonly restart: RestartKind
  readonly strategy: "one_for_one" | "one_for_all" | "rest_for_one"
  readonly incarnation: number
  /** Restarts of children so far. */
  readonly restarts: number
  readonly lastCrash: CrashNote | null
  readonly children: ReadonlyArray<Inspection>
}

export type Inspection = ActorInspection | SupervisorInspection

const maxText = 200

/** What was thrown, as a bounded text. Never throws, whatever was thrown. */
export const describe = (cause: Cause.Cause<unknown>): string => {
  const thrown = Cause.squash(cause)
  try {
    const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
    return text.length > maxText ? `${text.slice(0, maxText)}…` : text
  } catch {
    return "something that cannot be shown"
  }
}
