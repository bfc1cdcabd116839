/**
 * The lifecycle of a system: what happens to its actors and supervisors, as events.
 *
 * | event | what has happened |
 * | --- | --- |
 * | `Started` | the first incarnation runs |
 * | `Restarted` | another incarnation runs |
 * | `Crashed` | the incarnation has crashed, or could not be started |
 * | `Stopped` | the incarnation has ended otherwise: `normal`, by itself; `stopped`, from outside, and may be started again; `gone`, for good |
 * | `GaveUp` | a supervisor had one restart too many. Its parent decides what follows |
 * | `Abandoned` | the actor did not end within its last deadline, and is no longer waited for |
 *
 * An event is published when its effects have taken place: after `Restarted` the actor handles
 * messages, after `Stopped` what its behaviour had acquired is released.
 *
 * Where nobody subscribes, nothing is made.
 *
 * **Gotchas**
 *
 * - The texts of a crash may be an attacker's, as those of `inspect`: never make a metric's label
 *   of them.
 */
import type * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Feed, Subscription } from "./Feed.ts"
import { classOf, describe } from "./Inspection.ts"

/** To which actor or supervisor it has happened, and when. */
interface Subject {
  readonly kind: "actor" | "supervisor"
  readonly path: string
  /** How often it was started until then. */
  readonly incarnation: number
  /** Milliseconds since the epoch. */
  readonly at: number
}

type Happening =
  | { readonly _tag: "Started" | "Restarted" | "Abandoned" }
  | {
    readonly _tag: "Crashed"
    /** The class of what was thrown, of bounded length. */
    readonly error: string
    /** The text of what was thrown, as in an inspection's `lastCrash`. */
    readonly message: string
  }
  | { readonly _tag: "Stopped"; readonly reason: "normal" | "stopped" | "gone" }
  | {
    readonly _tag: "GaveUp"
    /** The name of the child whose crash was one too many. */
    readonly child: string
    /** The restarts that the supervisor has made in its life. */
    readonly restarts: number
  }

export type LifecycleEvent = Subject & Happening

/** The lifecycle events of one system. */
export interface Lifecycle {
  /**
   * Events from now on, until the scope closes or the system has ended. A reader that is too slow
   * is told how many it has missed.
   */
  readonly subscribe: Effect.Effect<Subscription<LifecycleEvent>, never, Scope.Scope>
  /**
   * Calls back on the turn of each event, until the function that it gives is called. The listener
   * must not throw, and must not wait.
   */
  readonly listen: (hear: (event: LifecycleEvent) => void) => () => void
}

/** Publishes what has happened, if anybody reads. */
export const publish = (
  { clock, lifecycle }: { readonly clock: Clock.Clock; readonly lifecycle: Feed<LifecycleEvent> },
  kind: Subject["kind"],
  { incarnation, path }: { readonly incarnation: number; readonly path: string },
  happening: () => Happening
): void => {
  if (!lifecycle.isRead) return
  lifecycle.publish({ ...happening(), kind, path, incarnation, at: clock.currentTimeMillisUnsafe() })
}

export const started = (): Happening => ({ _tag: "Started" })
export const restarted = (): Happening => ({ _tag: "Restarted" })
export const crashed = (cause: Cause.Cause<unknown>) => (): Happening => ({
  _tag: "Crashed",
  error: classOf(cause),
  message: describe(cause)
})
export const abandoned = (): Happening => ({ _tag: "Abandoned" })
export const stopped = (reason: "normal" | "stopped" | "gone") => (): Happening => ({ _tag: "Stopped", reason })
