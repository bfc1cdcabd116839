/**
 * An incarnation of an actor: its life from one start to the next, as its own behaviour sees it
 * (`Self`).
 *
 * Whoever holds on to a `Self` may call it after that incarnation has ended: it then does nothing,
 * whether or not the actor lives on in another one.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import type { ActorRef, Down, Watched } from "./ActorRef.ts"
import type { Self } from "./Definition.ts"
import type { Kernel } from "./Kernel.ts"
import { Signal, type SignalKind } from "./Letter.ts"
import { type Message, stashed } from "./Message.ts"
import { type Timers, TimerTable } from "./Timers.ts"

/**
 * An actor, as its incarnations see it. Each method does nothing if that one is not the current.
 */
export interface Host<M extends Message> extends ActorRef<M> {
  readonly kernel: Kernel
  leave(life: Incarnation<M>): void
  monitorFor(life: Incarnation<M>, other: ActorRef<never>, onDown: (down: Down) => void): void
  followFor(life: Incarnation<M>, other: ActorRef<never>, onEvent: (event: Watched) => void): void
  linkFor(life: Incarnation<M>, other: ActorRef<never>): void
  /** Puts a signal into the inbox, and returns whether it took it. */
  sendFor(life: Incarnation<M>, signal: Signal<M>): boolean
  retract(signal: Signal<M>): void
  crashFor(life: Incarnation<M>, cause: Cause.Cause<unknown>): void
  unstashFor(life: Incarnation<M>): void
  isIdle(): boolean
}

export class Incarnation<M extends Message> implements Self<M> {
  /** Of what the behaviour acquires. */
  readonly scope: Scope.Closeable
  /** Its end has begun (`ending`), or is complete (`over`). */
  stage: "current" | "ending" | "over" = "current"
  /** Set while somebody waits for its start: to be called if that is abandoned. */
  onAbandoned: (() => void) | undefined
  readonly #host: Host<M>
  #timers: TimerTable<M> | undefined

  constructor(host: Host<M>, scope: Scope.Closeable) {
    this.#host = host
    this.scope = scope
  }

  get ref(): ActorRef<M> {
    return this.#host
  }
  get stop(): Effect.Effect<void> {
    return Effect.sync(() => this.#host.leave(this))
  }
  // Getters rather than methods, so that a behaviour may take them out of `self`; rather than
  // fields, so that an idle actor has no room for them.
  get monitor(): Self<M>["monitor"] {
    return (other, message) =>
      Effect.sync(() => this.#host.monitorFor(this, other, (down) => this.#send("down", () => message(down))))
  }
  get watch(): Self<M>["watch"] {
    return (other, message) =>
      Effect.sync(() => {
        let waiting: Signal<M> | undefined
        this.#host.followFor(this, other, (event) => {
          // Who is slow is told of the latest restart, however many there were.
          if (waiting !== undefined && event._tag === "Restarted") this.#host.retract(waiting)
          waiting = this.#send("down", () => message(event), undefined, () => {
            waiting = undefined
          })
        })
      })
  }
  get link(): Self<M>["link"] {
    return (other) => Effect.sync(() => this.#host.linkFor(this, other))
  }
  get fork(): Self<M>["fork"] {
    return (effect) =>
      this.#watch(effect, (exit) => {
        if (Exit.isFailure(exit)) this.#host.crashFor(this, exit.cause)
      })
  }
  get pipe(): Self<M>["pipe"] {
    return (effect, message) =>
      Effect.withFiber((fiber) => {
        const span = Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
        return Effect.asVoid(this.#watch(effect, (exit) => this.#send("outcome", () => message(exit), span)))
      })
  }
  get stash(): Self<M>["stash"] {
    return Effect.fail(stashed)
  }
  get unstash(): Effect.Effect<void> {
    return Effect.sync(() => this.#host.unstashFor(this))
  }
  get timers(): Timers<M> {
    return this.#table
  }
  get receiveTimeout(): Self<M>["receiveTimeout"] {
    return (after: Duration.Input, message: M) => Effect.suspend(() => this.#table.receiveTimeout(after, message))
  }
  get cancelReceiveTimeout(): Effect.Effect<void> {
    return Effect.suspend(() => this.#timers?.cancelReceiveTimeout ?? Effect.void)
  }

  get #table(): TimerTable<M> {
    if (this.#timers !== undefined) return this.#timers
    const host = this.#host
    const table = new TimerTable<M>({
      kernel: host.kernel,
      send: (signal) => host.sendFor(this, signal),
      retract: (signal) => host.retract(signal),
      isIdle: () => host.isIdle()
    })
    if (this.stage !== "current") table.close()
    return this.#timers = table
  }
  /** Must be called when the actor has become idle. */
  rest(): void {
    this.#timers?.rest()
  }
  /** Must be called when the end begins. */
  end(): void {
    this.stage = "ending"
    this.#timers?.close()
  }

  /**
   * Forks an effect that ends with the incarnation. Calls back with its exit, unless somebody has
   * interrupted it.
   */
  #watch<A, E, R>(effect: Effect.Effect<A, E, R>, onExit: (exit: Exit.Exit<A, E>) => void) {
    return Effect.suspend(() => {
      // Not reached by an interruption from outside, but by what the effect itself fails with: also
      // if that is the interruption of another fiber, which it has joined.
      let isOwn = false
      const marked = Effect.tapCause(effect, () =>
        Effect.sync(() => {
          isOwn = true
        }))
      return Effect.map(Effect.forkIn(marked, this.scope), (fiber) => {
        fiber.addObserver((exit) => {
          if (Exit.isSuccess(exit) || isOwn || !Cause.hasInterruptsOnly(exit.cause)) onExit(exit)
        })
        return fiber
      })
    })
  }
  /**
   * Sends itself a message, and returns its signal if that was taken. If the function that makes it
   * throws, the actor crashes.
   */
  #send(kind: SignalKind, message: () => M, span?: Tracer.AnySpan, onTaken?: () => void): Signal<M> | undefined {
    // The outcome of an incarnation that ends is nobody's.
    if (kind === "outcome" && this.stage !== "current") return undefined
    try {
      const signal = new Signal(message(), kind, span, onTaken)
      return this.#host.sendFor(this, signal) ? signal : undefined
    } catch (defect) {
      this.#host.crashFor(this, Cause.die(defect))
      return undefined
    }
  }
}
