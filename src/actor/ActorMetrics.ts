/**
 * The metrics of actors: what a system counts of all actors of one definition, as pull metrics.
 * They cost a message nothing: counts are brought up to date once a burst, or once a turn where
 * messages wait for longer.
 *
 * | metric (`tracehound.actor.…`) | unit | what it says |
 * | --- | --- | --- |
 * | `messages.handled`, counter | `{message}` | messages handled to the end |
 * | `mailbox.depth`, gauge | `{message}` | messages that wait or are being handled |
 * | `mailbox.age`, gauge | `s` | how long the oldest of them has been there, at least |
 * | `handling.time`, counter | `s` | time in which actors were handling messages |
 * | `crashes`, counter | `{crash}` | incarnations that crashed, or could not be started |
 * | `restarts`, counter | `{restart}` | restarts that supervisors decided on |
 * | `dead_letters`, counter | `{message}` | dead letters, by `reason` |
 *
 * Each is labelled `actor`, the definition's name, and `system`, the system's. They are there from
 * the first actor of the definition until the scope of the system closes.
 *
 * **Details**
 *
 * - `mailbox.depth` is at most a turn old.
 * - `mailbox.age` is that of the actor whose oldest message is the oldest. It is measured from the
 *   end of the turn on which the message came, so 0 where it is handled on the next. For the
 *   message that has waited since the actor fell behind it is exact; for one behind it, it may be
 *   short by an eighth of that time (Marks.ts). The true age is never less.
 * - In a mailbox with lanes messages are counted as if they were handled in the order in which they
 *   came: one that many others overtake may be older than it says.
 * - `handling.time` is from the first message of a burst to the end of its last handler. A handler
 *   that waits counts, also while it still does; the time between two bursts does not. Bursts that
 *   wait are all measured; of those that end on their turn, which take microseconds, every
 *   sixteenth, and it counts sixteen times.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { pullAll, type Pulled, type PullMetric } from "../telemetry/PullMetric.ts"
import { type DeadLetterReason, deadLetterReasons } from "./DeadLetters.ts"

/** An actor that has pending messages for longer than a turn. Nanoseconds. */
export interface Busy {
  readonly ageUnsafe: (now: number) => number
  /** How long its burst has lasted. */
  readonly handlingUnsafe: (now: number) => number
}

/** The account of all actors of one definition in one system. */
export class Tally {
  handled = 0
  pending = 0
  crashes = 0
  restarts = 0
  /** Bursts that have begun. */
  bursts = 0
  /** Nanoseconds of bursts that are over. */
  handlingNanos = 0
  readonly deadLetters: Record<DeadLetterReason, number> = {
    full: 0,
    dropped: 0,
    closed: 0,
    stopped: 0,
    crashed: 0,
    abandoned: 0,
    failed: 0
  }
  readonly busy = new Set<Busy>()

  /** The age in ns of the oldest pending message. O(busy actors). */
  age(now: number): number {
    let oldest = 0
    for (const actor of this.busy) oldest = Math.max(oldest, actor.ageUnsafe(now))
    return oldest
  }
  /** Nanoseconds so far, with bursts that are under way. O(busy actors). */
  handling(now: number): number {
    let sum = this.handlingNanos
    for (const actor of this.busy) sum += actor.handlingUnsafe(now)
    return sum
  }
}

/** The tallies of one system by the names of definitions. */
export type Tallies = (definition: string) => Tally

const second = 1e9

/** Their names, kinds and units. */
export const actorMetrics = {
  handled: {
    name: "tracehound.actor.messages.handled",
    description: "Messages that actors handled to the end",
    unit: "{message}",
    kind: "counter"
  },
  depth: {
    name: "tracehound.actor.mailbox.depth",
    description: "Messages that wait for actors or are being handled",
    unit: "{message}",
    kind: "gauge"
  },
  age: {
    name: "tracehound.actor.mailbox.age",
    description: "How long the oldest pending message has been there, at least",
    unit: "s",
    kind: "gauge",
    combine: "max"
  },
  time: {
    name: "tracehound.actor.handling.time",
    description: "Time in which actors were handling messages",
    unit: "s",
    kind: "counter"
  },
  crashes: {
    name: "tracehound.actor.crashes",
    description: "Incarnations of actors that crashed, or could not be started",
    unit: "{crash}",
    kind: "counter"
  },
  restarts: {
    name: "tracehound.actor.restarts",
    description: "Restarts of actors that their supervisors decided on",
    unit: "{restart}",
    kind: "counter"
  },
  deadLetters: {
    name: "tracehound.actor.dead_letters",
    description: "Messages that were told and not handled to the end",
    unit: "{message}",
    kind: "counter"
  }
} as const satisfies Readonly<Record<string, Omit<PullMetric, "attributes">>>

/** The series of one definition. */
const seriesOf = (
  tally: Tally,
  now: () => number,
  attributes: Readonly<Record<"actor" | "system", string>>
): ReadonlyArray<Pulled> => [
  { metric: { ...actorMetrics.handled, attributes }, read: () => tally.handled },
  { metric: { ...actorMetrics.depth, attributes }, read: () => tally.pending },
  { metric: { ...actorMetrics.age, attributes }, read: () => tally.age(now()) / second },
  { metric: { ...actorMetrics.time, attributes }, read: () => tally.handling(now()) / second },
  { metric: { ...actorMetrics.crashes, attributes }, read: () => tally.crashes },
  { metric: { ...actorMetrics.restarts, attributes }, read: () => tally.restarts },
  ...deadLetterReasons.map((reason) => ({
    metric: { ...actorMetrics.deadLetters, attributes: { ...attributes, reason } },
    read: () => tally.deadLetters[reason]
  }))
]

/**
 * The tallies of a system of that name. `now` is in ns, and `run` registers series in the system's
 * registry, until its scope closes.
 */
export const makeTallies = (
  system: string,
  now: () => number,
  run: (registering: Effect.Effect<void, never, Scope.Scope>) => void
): Tallies => {
  const tallies = new Map<string, Tally>()
  return (actor) => {
    const known = tallies.get(actor)
    if (known !== undefined) return known
    const tally = new Tally()
    tallies.set(actor, tally)
    run(pullAll(seriesOf(tally, now, { actor, system })))
    return tally
  }
}
