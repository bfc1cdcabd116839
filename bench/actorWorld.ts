/**
 * Actors to measure: a counter with one message to add, one to crash it, and systems of their own.
 * A system is never closed unless somebody closes its scope: its process ends with the section.
 */
import * as Effect from "effect/Effect"
import * as Request from "effect/Request"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Actor from "../src/actor/index.ts"

/** Adds to the counter's sum, and is answered with it. */
export class Add extends Request.TaggedClass("Add")<{ readonly n: number }, number> {}

/** Crashes the counter. */
export class Crash extends Request.TaggedClass("Crash")<{}, never> {}

export type Protocol = Add | Crash
export type Counter = Actor.ActorRef<Protocol>
export type System = Actor.ActorSystem["Service"]

/** One of each for all: making a message is no part of telling it. */
export const add = new Add({ n: 1 })
export const crash = new Crash()

/** More than any turn tells. */
export const roomy = 1_048_576

/** Called after each message of every counter: how a whole crowd tells that it is done. */
const handled: { call: () => void } = { call: () => {} }

/** A counter: its handler is an Effect that runs, no value that is ready. */
export const counter = (mailbox: Actor.MailboxSpec = Actor.fifo({ capacity: roomy }), suspended = false) =>
  Actor.define<Protocol>()("counter", {
    mailbox,
    suspended,
    behaviour: () =>
      Effect.sync(() => {
        let sum = 0
        return {
          Add: ({ n }) =>
            Effect.sync(() => {
              handled.call()
              return sum += n
            }),
          Crash: () => Effect.die("a crash of the bench")
        }
      })
  })

/**
 * A system whose root lets its children crash as often as they like: a restart counts for one
 * millisecond.
 */
export const makeSystem = (scheduler: Scheduler.Scheduler = new Scheduler.MixedScheduler()): Promise<System> =>
  Effect.runPromise(
    Actor.ActorSystem.make({ intensity: roomy, period: "1 millis" }).pipe(
      Effect.provideService(Scope.Scope, Scope.makeUnsafe()),
      Effect.provideService(Scheduler.Scheduler, scheduler)
    )
  )

/** One counter of its own kind, whose fibers are run by this scheduler. */
export const spawnOne = (
  system: System,
  definition: ReturnType<typeof counter>,
  scheduler: Scheduler.Scheduler = new Scheduler.MixedScheduler()
): Promise<Counter> =>
  Effect.runPromise(
    system.root.spawn(definition).pipe(
      Effect.provideService(Scope.Scope, Scope.makeUnsafe()),
      Effect.provideService(Scheduler.Scheduler, scheduler)
    )
  )

/** So many counters under the root of a system; they belong to the scope. */
export const spawn = async (
  system: System,
  count: number,
  scope: Scope.Scope = Scope.makeUnsafe()
): Promise<ReadonlyArray<Counter>> => {
  const counters: Array<Counter> = []
  const definition = counter()
  await Effect.runPromise(
    Effect.gen(function*() {
      for (let i = 0; i < count; i++) counters.push(yield* system.root.spawn(definition))
    }).pipe(Effect.provideService(Scope.Scope, scope))
  )
  return counters
}

/** One counter in a system of its own. */
export const alone = async (): Promise<Counter> => spawnOne(await makeSystem(), counter())

/** Gives a promise of the moment at which so many more messages have been handled. */
export const handledMore = (count: number): Promise<void> =>
  new Promise((resolve) => {
    let left = count
    handled.call = () => {
      if (--left === 0) resolve()
    }
  })

/** Asks one counter after the other, each when the one before has answered. */
export const askInTurn = (
  next: () => Counter,
  calls: number,
  options?: Actor.AskOptions
): Promise<void> =>
  Effect.runPromise(Effect.gen(function*() {
    for (let i = 0; i < calls; i++) yield* next().ask(add, options)
  }))

/** Gives the next of them, the first after the last. */
export const roundRobin = <A>(all: ReadonlyArray<A>): () => A => {
  let at = 0
  return () => {
    const one = all[at]
    if (one === undefined) throw new Error("nobody is there")
    at = at + 1 === all.length ? 0 : at + 1
    return one
  }
}

/**
 * A scheduler whose tasks can be run at once: what was told in a turn is handled before the next
 * one, which the synchronous runner cannot wait for. Planning a task costs what it costs elsewhere.
 */
export class FlushedScheduler extends Scheduler.MixedScheduler {
  readonly #dispatchers: Array<Scheduler.SchedulerDispatcher> = []

  override makeDispatcher(): ReturnType<Scheduler.MixedScheduler["makeDispatcher"]> {
    const dispatcher = super.makeDispatcher()
    this.#dispatchers.push(dispatcher)
    return dispatcher
  }

  /** Runs all that is planned, and what that plans. */
  flush(): void {
    // The first is the system's own, which fibers that had to yield come back to; the others are
    // theirs, and end with them.
    for (let ran = 0; ran < this.#dispatchers.length; ran++) {
      this.#dispatchers[ran]?.flush()
      this.#dispatchers[0]?.flush()
    }
    this.#dispatchers.length = Math.min(1, this.#dispatchers.length)
  }
}
