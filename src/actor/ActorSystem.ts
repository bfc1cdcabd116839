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
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { type DeadLetterOffice, type DeadLetters, make as makeDeadLetters } from "./DeadLetters.ts"
import { Deadlines } from "./Deadlines.ts"
import type { Escalated, StartFailed } from "./Errors.ts"
import { Feed, InnerFeed } from "./Feed.ts"
import type { SupervisorInspection } from "./Inspection.ts"
import { elapsedOf, type Kernel } from "./Kernel.ts"
import type { Lifecycle, LifecycleEvent } from "./Lifecycle.ts"
import type { Supervisor, SupervisorOptions } from "./Supervisor.ts"
import { isName, SupervisorCell } from "./SupervisorCell.ts"

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

/** The service through which programs start actors. */
export class ActorSystem extends Context.Service<ActorSystem, {
  readonly root: Supervisor
  readonly deadLetters: DeadLetters
  /** What happens to actors and supervisors. */
  readonly lifecycle: Lifecycle
  /** Waits until the root gives up. */
  readonly escalated: Effect.Effect<Escalated>
  /** The whole tree as plain data. O(actors). */
  readonly inspect: () => SupervisorInspection
}>()("tracehound/actor/ActorSystem") {
  /** Makes a system that lives as long as the scope. */
  static readonly make = (
    options: ActorSystemOptions = {}
  ): Effect.Effect<ActorSystem["Service"], never, Scope.Scope> =>
    Effect.gen(function*() {
      const { name = "root" } = options
      if (!isName(name)) throw new RangeError("the name of a system is not empty and has no slash")
      const clock = yield* Clock.Clock
      const scheduler = yield* Scheduler.Scheduler
      const context = detach(yield* Effect.context())
      const deadLetters = yield* makeDeadLetters(options.deadLetters ?? 64)
      const escalated = yield* Deferred.make<Escalated>()
      const own = scheduler.executionMode === "sync" ? new Scheduler.MixedScheduler() : scheduler
      const dispatcher = own.makeDispatcher()
      const lifecycle = new Feed<LifecycleEvent>("lifecycle events", options.lifecycle ?? 256)
      const elapsed = elapsedOf(clock)
      const kernel: Kernel = {
        clock,
        elapsed,
        deadLetters,
        askTimeout: Duration.toMillis(options.askTimeout ?? "5 seconds"),
        deadlines: new Deadlines({ elapsed, context, dispatcher }),
        lifecycle,
        context,
        unreported: new Set(),
        closing: new Map(),
        grouped: new Map(),
        leaving: new Set(),
        adapt: makeAdapt(),
        dispatcher
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
      yield* Scope.addFinalizer(owner, Effect.map(Effect.suspend(() => root.terminate), () => lifecycle.end()))
      return { root, deadLetters, lifecycle, escalated: Deferred.await(escalated), inspect: root.inspect }
    })

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
      if (!(root instanceof SupervisorCell && outer instanceof Feed))
        throw new TypeError("a system is within one that ActorSystem made")
      const deadLetters = yield* makeDeadLetters(options.deadLetters ?? 64)
      const escalated = yield* Deferred.make<Escalated>()
      const lifecycle = new InnerFeed<LifecycleEvent>("lifecycle events", options.lifecycle ?? 256, outer)
      // Closed after the root has ended.
      yield* Effect.addFinalizer(() => Effect.sync(() => lifecycle.end()))
      const inner = yield* root.openWithin(
        name,
        (kernel) => kernelWithin(kernel, { deadLetters, lifecycle }, options),
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
        escalated: Deferred.await(escalated),
        inspect: inner.inspect
      }
    })

  static readonly layer = (options?: ActorSystemOptions) => Layer.effect(ActorSystem, ActorSystem.make(options))
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
 * context.
 */
const makeAdapt = (): Kernel["adapt"] => {
  let last: { readonly from: Context.Context<never>; readonly to: Context.Context<never> } | undefined
  return <R>(context: Context.Context<R>): Context.Context<R> => {
    if (last?.from !== context) last = { from: context, to: detach(context) }
    // `from` is `context`, so `to` has the services of R.
    return last.to as Context.Context<R>
  }
}
