/**
 * Pools: a number of actors of one definition, the workers, behind one face that is like an
 * ActorRef. `Supervisor.pool` makes one.
 *
 * | `route` | who gets a message |
 * | --- | --- |
 * | `round_robin` | the workers, each in its turn |
 * | `least_busy` | the worker with the fewest pending messages |
 * | a function | the worker of the key that it gives: the same key, the same worker |
 *
 * The workers are children of a supervisor of their own, which restarts one that crashes: that
 * costs the message in hand, and no other.
 *
 * **Details**
 *
 * - While a worker has no incarnation, because it waits for its restart or was stopped by an
 *   operator, messages by turn or by load go to the others. Those that wait for it stay, and so do
 *   those that come for it by key: they are handled after its restart, in order.
 * - Where no worker has an incarnation, all of them get messages, which wait.
 * - A choice costs O(1) by turn, O(log workers) by load, and O(length of the key) by key.
 *
 * **Gotchas**
 *
 * - `round_robin` looks at no mailbox: where that of the next worker is full, the message is
 *   refused, even if others have room. `least_busy` is refused where all that have an incarnation
 *   are full.
 * - A worker that asks its own pool may be chosen to answer, which fails with `WaitsForItself`.
 * - A hash says which worker has a key, from a seed of Effect's Random: which one it is changes
 *   with each pool.
 */
import * as Effect from "effect/Effect"
import type * as Request from "effect/Request"
import type { ActorRef, AskOptions } from "./ActorRef.ts"
import type { ActorStopped, AskError, MailboxFull } from "./Errors.ts"
import type { RestartKind, SupervisorInspection } from "./Inspection.ts"
import type { Lane } from "./Mailbox.ts"
import type { Message } from "./Message.ts"
import type { SupervisorOptions } from "./Restarts.ts"
import { ByKey, LeastBusy, RoundRobin, type Route } from "./Routes.ts"

/** How many workers, who gets a message, and the limits of their restarts. */
export interface PoolOptions<in M extends Message> extends Omit<SupervisorOptions, "strategy"> {
  /** The number of workers: a whole number from 1 to 65,536. */
  readonly size: number
  /** The name of the pool: the definition's name when left out, with a number if that is taken. */
  readonly name?: string
  /** `round_robin` when left out. */
  readonly route?: "round_robin" | "least_busy" | ((message: M) => string | number)
  /** Whether the pool's supervisor comes back when it has given up: `permanent` when left out. */
  readonly restart?: RestartKind
  /** Restarts allowed within the period, of all workers together: their number when left out. */
  readonly intensity?: number
}

/** A pool, as its callers see it. */
export interface Pool<in M extends Message> {
  readonly name: string
  /** The path of the supervisor above the workers. */
  readonly path: string
  /** The workers, whose names are their numbers. */
  readonly workers: ReadonlyArray<ActorRef<M>>
  /** As an ActorRef's, of the worker that is chosen. */
  tellUnsafe(message: M, lane?: Lane): boolean
  /** As an ActorRef's, of the worker that is chosen. */
  tell(message: M, lane?: Lane): Effect.Effect<void, MailboxFull | ActorStopped>
  /** As an ActorRef's, of the worker that is chosen. */
  ask<A extends M>(message: A, options?: AskOptions): Effect.Effect<Request.Success<A>, Request.Error<A> | AskError>
  /** Tells all workers, and returns how many accepted the message. O(workers). */
  broadcastUnsafe(message: M, lane?: Lane): number
  /** Messages accepted by all workers and not yet settled. O(workers). */
  pendingUnsafe(): number
  /** Waits until no worker has a pending message. */
  readonly settled: Effect.Effect<void>
  /** The supervisor with the workers, as plain data. O(workers). */
  inspect(): SupervisorInspection
}

/** A worker, as its pool sees it. */
export interface Worker<in M extends Message> extends ActorRef<M> {
  /**
   * Calls back at once, and whenever an incarnation begins or ends, as long as the actor lives.
   * Must not throw.
   */
  readonly onPresence: (listener: (isThere: boolean) => void) => void
  /**
   * Calls back at once, and whenever the number of pending messages has changed. Must not throw.
   */
  readonly onLoad: (listener: (pending: number) => void) => void
}

/** The route of a pool. Throws a RangeError if `size` is out of range. */
export const routeOf = <M extends Message>({ route, size }: PoolOptions<M>, seed: number): Route<M> => {
  if (!(Number.isSafeInteger(size) && size > 0 && size <= 65_536))
    throw new RangeError(`a pool needs a size: a whole number from 1 to 65,536, not ${size}`)
  if (typeof route === "function") return new ByKey(size, route, seed)
  return route === "least_busy" ? new LeastBusy(size) : new RoundRobin(size)
}

/** The face of a pool. */
export class WorkerPool<in M extends Message> implements Pool<M> {
  readonly name: string
  readonly path: string
  readonly workers: ReadonlyArray<ActorRef<M>>
  readonly inspect: () => SupervisorInspection
  readonly #route: Route<M>

  constructor(
    supervisor: { readonly name: string; readonly path: string; readonly inspect: () => SupervisorInspection },
    workers: ReadonlyArray<Worker<M>>,
    route: Route<M>
  ) {
    this.name = supervisor.name
    this.path = supervisor.path
    this.inspect = supervisor.inspect
    this.workers = workers
    this.#route = route
    const { setPending } = route
    for (const [number, worker] of workers.entries()) {
      worker.onPresence((isThere) => route.setReady(number, isThere))
      if (setPending !== undefined) worker.onLoad((pending) => setPending(number, pending))
    }
  }

  #chosen(message: M): ActorRef<M> {
    // A route gives the number of a worker.
    return this.workers[this.#route.choose(message)] as ActorRef<M>
  }
  tellUnsafe(message: M, lane?: Lane): boolean {
    return this.#chosen(message).tellUnsafe(message, lane)
  }
  tell(message: M, lane?: Lane): Effect.Effect<void, MailboxFull | ActorStopped> {
    return Effect.suspend(() => this.#chosen(message).tell(message, lane))
  }
  ask<A extends M>(message: A, options?: AskOptions): Effect.Effect<Request.Success<A>, Request.Error<A> | AskError> {
    return Effect.suspend(() => this.#chosen(message).ask(message, options))
  }
  broadcastUnsafe(message: M, lane?: Lane): number {
    return this.workers.reduce((accepted, worker) => worker.tellUnsafe(message, lane) ? accepted + 1 : accepted, 0)
  }
  pendingUnsafe(): number {
    return this.workers.reduce((sum, worker) => sum + worker.pendingUnsafe(), 0)
  }
  get settled(): Effect.Effect<void> {
    const each = Effect.forEach(this.workers, (worker) => worker.settled, { discard: true })
    // A worker that has settled may have been told more while the next one was waited for.
    const all: Effect.Effect<void> = Effect.flatMap(each, () => this.pendingUnsafe() === 0 ? Effect.void : all)
    return all
  }
}
