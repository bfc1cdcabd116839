/**
 * An actor system: a root supervisor with everything under it, and the dead letters of all actors.
 *
 * The system belongs to the scope in which it was made. Closing that scope ends every actor, the
 * last started first, each drained within its own deadline.
 *
 * **Example** (A system with one actor)
 *
 * ```ts
 * import { Effect, Ref, Request } from "effect"
 * import * as Actor from "tracehound/actor"
 *
 * class Add extends Request.TaggedClass("Add")<{ readonly n: number }, number> {}
 *
 * const Counter = Actor.define<Add>()("counter", {
 *   behaviour: () =>
 *     Effect.map(Ref.make(0), (sum) => ({ Add: ({ n }) => Ref.updateAndGet(sum, (old) => old + n) }))
 * })
 *
 * const program = Effect.gen(function*() {
 *   const system = yield* Actor.ActorSystem
 *   const counter = yield* system.root.spawn(Counter)
 *   counter.tellUnsafe(new Add({ n: 1 }))
 *   return yield* counter.ask(new Add({ n: 2 })) // => 3
 * })
 *
 * Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(Actor.ActorSystem.layer())))
 * ```
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { Caller, IsInBackground } from "../telemetry/Caller.ts"
import { ActorCell } from "./ActorCell.ts"
import { makeTallies } from "./ActorMetrics.ts"
import type { ActorRef } from "./ActorRef.ts"
import { type DeadLetterOffice, type DeadLetters, make as makeDeadLetters } from "./DeadLetters.ts"
import { Deadlines } from "./Deadlines.ts"
import type { Escalated, StartFailed } from "./Errors.ts"
import { Feed, InnerFeed } from "./Feed.ts"
import type { SupervisorInspection } from "./Inspection.ts"
import { elapsedOf, type Kernel, nanosOf } from "./Kernel.ts"
import type { Lifecycle, LifecycleEvent } from "./Lifecycle.ts"
import type { SupervisorOptions } from "./Restarts.ts"
import type { Supervisor } from "./Supervisor.ts"
import { isName, SupervisorCell } from "./SupervisorCell.ts"
import { Turns } from "./Turns.ts"

/** Options of a system, including those of its root supervisor. */
export interface ActorSystemOptions extends SupervisorOptions {
  /** The root's name, first in all paths: `root` when left out. Not empty, and without a slash. */
  readonly name?: string
  /** The most dead letters remembered, and waiting for each subscriber: 64 when left out. */
  readonly deadLetters?: number
  /** The most lifecycle events waiting for each subscriber: 256 when left out. */
  readonly lifecycle?: number
  /** The timeout of asks that name none: 5 seconds when left out, as in OTP. */
  readonly askTimeout?: Duration.Input
  /** Called synchronously when the root gives up, before anything ends. Must not throw. */
  readonly onEscalation?: (escalated: Escalated) => void
}

/** What is at a path. The messages of an actor are not known by its path. */
export type Found =
  | { readonly kind: "actor"; readonly ref: ActorRef<never> }
  | { readonly kind: "supervisor"; readonly supervisor: Supervisor }

/** The service through which programs start actors. */
export class ActorSystem extends Context.Service<ActorSystem, {
  readonly root: Supervisor
  readonly deadLetters: DeadLetters
  /** What happens to actors and supervisors. */
  readonly lifecycle: Lifecycle
  /** What is at a path from the root down, such as `root/bank/account`. O(names in the path). */
  readonly lookup: (path: string) => Option.Option<Found>
  /** Waits until the root gives up. */
  readonly escalated: Effect.Effect<Escalated>
  /**
   * The whole tree at one moment, as plain data. O(actors) on the caller's turn, some 2 µs each.
   */
  readonly inspect: () => SupervisorInspection
  /**
   * The same, 256 actors a turn. Each is shown as it is when its turn comes: one that has ended by
   * then as `ended`, and one that was started after its supervisor's turn not at all.
   */
  readonly inspection: Effect.Effect<SupervisorInspection>
}>()("tracehound/actor/ActorSystem") {
  /** Makes a system that lives as long as the scope. */
  static readonly make = (options?: ActorSystemOptions): Effect.Effect<ActorSystem["Service"], never, Scope.Scope> =>
    makeSystem(options, () => ({ terminate }) => terminate)

  /**
   * A system within another one, for a library that has actors of its own: its root is a supervisor
   * under the other's root, named `name`, with a number if that is taken. The other system shows
   * its tree, and has its lifecycle events and dead letters besides. Where it gives up, it ends,
   * its `escalated` says so, and the other goes on without it. It ends with its scope, or with the
   * other system if that ends first.
   *
   * Fails where the other is ending. Dies where `system` was not made by `ActorSystem`.
   */
  static readonly within = (
    system: ActorSystem["Service"],
    { name = "system", onEscalation, ...options }: ActorSystemOptions = {}
  ): Effect.Effect<ActorSystem["Service"], StartFailed, Scope.Scope> =>
    Effect.gen(function*() {
      const { lifecycle: outer, root } = system
      if (!(root instanceof SupervisorCell && isFeed(outer)))
        throw new TypeError("a system is within one that ActorSystem made")
      const deadLetters = yield* makeDeadLetters(options.deadLetters ?? 64)
      const escalated = yield* Deferred.make<Escalated>()
      const lifecycle = new InnerFeed<LifecycleEvent>(
        "lifecycle events",
        options.lifecycle ?? 256,
        outer
      )
      // Closed after the root has ended.
      yield* Effect.addFinalizer(() => Effect.sync(() => lifecycle.end()))
      const registering = yield* registerIn
      const caller = yield* Caller
      const inner = yield* root.openWithin(
        name,
        (kernel, name) => ({
          ...kernelWithin(kernel, { deadLetters, lifecycle }, options),
          caller,
          adapt: makeAdapt(caller),
          tallyOf: makeTallies(name, kernel.nanos, registering)
        }),
        {
          ...options,
          onEscalation: (escalation) => {
            Deferred.doneUnsafe(escalated, Effect.succeed(escalation))
            onEscalation?.(escalation)
          }
        }
      )
      return {
        ...system,
        root: inner,
        deadLetters,
        lifecycle,
        lookup: lookupIn(inner),
        escalated: Deferred.await(escalated),
        inspect: inner.inspect,
        inspection: inspectionOf(inner)
      }
    })

  static readonly layer = (options?: ActorSystemOptions) => Layer.effect(ActorSystem, ActorSystem.make(options))

  /**
   * A system for tests, under the test's TestClock, or under a new one if the test has none, which
   * then is the test's as well. Where a scope closes, that clock is moved as far as the ends of its
   * actors need, when nobody else has moved it for 100 ms of real time. What does not end even then
   * is left alone, with an error in the log: no actor hides how the test has ended.
   */
  static readonly layerTest = (options?: ActorSystemOptions): Layer.Layer<ActorSystem> =>
    Layer.unwrap(Effect.map(
      // Whoever runs no test loads nothing of it.
      Effect.promise(() => import("./TestTime.ts")),
      ({ endingOn, layer }) => Layer.provideMerge(Layer.effect(ActorSystem, makeSystem(options, endingOn)), layer)
    ))
}

const makeSystem = (
  options: ActorSystemOptions = {},
  endingOn: (clock: Clock.Clock) => Kernel["ending"]
): Effect.Effect<ActorSystem["Service"], never, Scope.Scope> =>
  Effect.gen(function*() {
    const { name = "root" } = options
    if (!isName(name)) throw new RangeError("the name of a system is not empty and has no slash")
    const clock = yield* Clock.Clock
    const ending = endingOn(clock)
    const scheduler = yield* Scheduler.Scheduler
    const context = detach(yield* Effect.context())
    const deadLetters = yield* makeDeadLetters(options.deadLetters ?? 64)
    const escalated = yield* Deferred.make<Escalated>()
    const own = scheduler.executionMode === "sync" ? new Scheduler.MixedScheduler() : scheduler
    const dispatcher = own.makeDispatcher()
    const lifecycle = new Feed<LifecycleEvent>("lifecycle events", options.lifecycle ?? 256)
    const elapsed = elapsedOf(clock)
    const nanos = nanosOf(clock)
    const caller = yield* Caller
    const kernel: Kernel = {
      clock,
      elapsed,
      nanos,
      caller,
      tallyOf: makeTallies(name, nanos, yield* registerIn),
      deadLetters,
      askTimeout: Duration.toMillis(options.askTimeout ?? "5 seconds"),
      deadlines: new Deadlines({ elapsed, context, dispatcher }),
      lifecycle,
      context,
      unreported: new Set(),
      closing: new Map(),
      grouped: new Map(),
      leaving: new Set(),
      ending,
      adapt: makeAdapt(caller),
      turns: new Turns(dispatcher)
    }
    const owner = Scope.forkUnsafe(yield* Effect.scope)
    const root = new SupervisorCell({
      ...options,
      kernel,
      parent: undefined,
      name,
      restart: "permanent",
      owner,
      onEscalation: (escalation) => {
        Deferred.doneUnsafe(escalated, Effect.succeed(escalation))
        options.onEscalation?.(escalation)
      }
    })
    yield* Scope.addFinalizer(owner, Effect.map(Effect.suspend(() => ending(root)), () => lifecycle.end()))
    return {
      root,
      deadLetters,
      lifecycle,
      lookup: lookupIn(root),
      escalated: Deferred.await(escalated),
      inspect: root.inspect,
      inspection: inspectionOf(root)
    }
  })

/**
 * Registers series of metrics in the context's registry, with its attributes. They are gone when
 * the scope has closed, and all that was made in it after this: the actors.
 */
const registerIn = Effect.contextWith((context: Context.Context<Scope.Scope>) =>
  Effect.sync(() => {
    const scope = Scope.forkUnsafe(Context.get(context, Scope.Scope))
    return (registering: Effect.Effect<void, never, Scope.Scope>): void =>
      Effect.runSyncWith(context)(Scope.provide(registering, scope))
  })
)

const lookupIn = (root: SupervisorCell) => (path: string): Option.Option<Found> => {
  const child = path === root.path ? root : root.find(path)?.child
  if (child instanceof SupervisorCell) return Option.some({ kind: "supervisor", supervisor: child })
  return child instanceof ActorCell ? Option.some({ kind: "actor", ref: child }) : Option.none()
}

/**
 * The kernel of a system within another one's: what it buries and publishes, the other does too.
 */
const kernelWithin = (
  kernel: Kernel,
  { deadLetters, lifecycle }: { readonly deadLetters: DeadLetterOffice; readonly lifecycle: Feed<LifecycleEvent> },
  { askTimeout }: ActorSystemOptions
): Kernel => ({
  ...kernel,
  lifecycle,
  askTimeout: askTimeout === undefined ? kernel.askTimeout : Duration.toMillis(askTimeout),
  deadLetters: {
    ...deadLetters,
    bury: (...letter) => {
      deadLetters.bury(...letter)
      kernel.deadLetters.bury(...letter)
    }
  }
})

const isFeed = (lifecycle: Lifecycle): lifecycle is Feed<LifecycleEvent> => lifecycle instanceof Feed

/** Actors that are inspected on one turn. */
const actorsPerTurn = 256

const inspectionOf = (root: SupervisorCell): Effect.Effect<SupervisorInspection> =>
  Effect.suspend(() => {
    let inspected = 0
    return root.inspectBy(Effect.suspend(() => ++inspected % actorsPerTurn === 0 ? Effect.yieldNow : Effect.void))
  })

/**
 * The context for a fiber that outlives the fiber it is taken from: without that one's span, and
 * without the scheduler of a `runSync`, which would never yield to anything else.
 */
const detach = <R>(context: Context.Context<R>): Context.Context<R> => {
  const isSync = Context.get(context, Scheduler.Scheduler).executionMode === "sync"
  if (!isSync && Context.getOrUndefined(context, Tracer.ParentSpan) === undefined) return context
  const omitted = isSync ? Context.omit(Tracer.ParentSpan, Scheduler.Scheduler) : Context.omit(Tracer.ParentSpan)
  return omitted(context) as Context.Context<R>
}

/**
 * `detach` with a memory of one: many actors are spawned from the same fiber, and can share one
 * context. Where the host can be asked for its span, it is not to be asked on an actor's turn.
 */
const makeAdapt = ({ isAsking }: Pick<Caller, "isAsking">): Kernel["adapt"] => {
  let last: { readonly from: Context.Context<never>; readonly to: Context.Context<never> } | undefined
  const adapted = (context: Context.Context<never>): Context.Context<never> =>
    isAsking ? Context.add(detach(context), IsInBackground, true) : detach(context)
  return <R>(context: Context.Context<R>): Context.Context<R> => {
    if (last?.from !== context) last = { from: context, to: adapted(context) }
    // `from` is `context`, so `to` has the services of R.
    return last.to as Context.Context<R>
  }
}
