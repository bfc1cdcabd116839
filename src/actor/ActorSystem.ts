/**
 * An actor system: one root supervisor, one office of dead letters, one look at everything.
 *
 * It belongs to the scope that it was made in; closing that ends every actor of it, the last
 * started first, each drained within its own deadline.
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
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import type { Kernel } from "./Kernel.ts"
import { type DeadLetters, make as makeDeadLetters } from "./DeadLetters.ts"
import type { Escalated } from "./Errors.ts"
import type { SupervisorInspection } from "./Inspection.ts"
import type { Supervisor, SupervisorOptions } from "./Supervisor.ts"
import { SupervisorCell } from "./SupervisorCell.ts"

/** How a system is set up: its root is a supervisor like any other. */
export interface ActorSystemOptions extends SupervisorOptions {
  /** The root's name, first in all paths: `root` when left out. */
  readonly name?: string
  /** Dead letters remembered, and waiting for each subscriber: 64 when left out. */
  readonly deadLetters?: number
  /** Told on the turn on which the root gives up, before anything of it ends. Must not throw. */
  readonly onEscalation?: (escalated: Escalated) => void
}

/** Where actors live. */
export class ActorSystem extends Context.Service<ActorSystem, {
  readonly root: Supervisor
  readonly deadLetters: DeadLetters
  /** Waits until the root gives up: never, as long as all goes well. */
  readonly escalated: Effect.Effect<Escalated>
  /** One look at the whole tree: plain data. O(actors). */
  readonly inspect: () => SupervisorInspection
}>()("tracehound/actor/ActorSystem") {
  /** A system that lives as long as the scope. */
  static readonly make = (
    options: ActorSystemOptions = {}
  ): Effect.Effect<ActorSystem["Service"], never, Scope.Scope> =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const scheduler = yield* Scheduler.Scheduler
      const context = detach(yield* Effect.context())
      const deadLetters = yield* makeDeadLetters(options.deadLetters ?? 64)
      const escalated = yield* Deferred.make<Escalated>()
      const own = scheduler.executionMode === "sync" ? new Scheduler.MixedScheduler() : scheduler
      const kernel: Kernel = { clock, deadLetters, context, adapt: makeAdapt(), dispatcher: own.makeDispatcher() }
      const owner = Scope.forkUnsafe(yield* Effect.scope)
      const root = new SupervisorCell({
        ...options,
        kernel,
        parent: undefined,
        name: options.name ?? "root",
        restart: "permanent",
        owner,
        onEscalation: (escalation) => {
          Deferred.doneUnsafe(escalated, Effect.succeed(escalation))
          options.onEscalation?.(escalation)
        }
      })
      yield* Scope.addFinalizer(owner, Effect.suspend(() => root.terminate))
      return { root, deadLetters, escalated: Deferred.await(escalated), inspect: root.inspect }
    })

  static readonly layer = (options?: ActorSystemOptions) => Layer.effect(ActorSystem, ActorSystem.make(options))
}

/**
 * The context of a fiber that outlives the one it was taken from: without its span, and without the
 * scheduler of a `runSync`, which would never let anybody else have a turn.
 */
const detach = <R>(context: Context.Context<R>): Context.Context<R> => {
  const isSync = Context.get(context, Scheduler.Scheduler).executionMode === "sync"
  if (!isSync && Context.getOrUndefined(context, Tracer.ParentSpan) === undefined) return context
  const omitted = isSync ? Context.omit(Tracer.ParentSpan, Scheduler.Scheduler) : Context.omit(Tracer.ParentSpan)
  return omitted(context) as Context.Context<R>
}

/**
 * The same, remembering the last: many actors are spawned from one fiber, and need not have a
 * context each.
 */
const makeAdapt = (): Kernel["adapt"] => {
  let last: { readonly from: Context.Context<never>; readonly to: Context.Context<never> } | undefined
  return <R>(context: Context.Context<R>): Context.Context<R> => {
    if (last?.from !== context) last = { from: context, to: detach(context) }
    // What it was made of has R in it.
    return last.to as Context.Context<R>
  }
}
