/**
 * The actor itself: an inbox, an incarnation of its behaviour while there is one, and a fiber while
 * there is mail.
 *
 * Promises that messages are handled one at a time, in the mailbox's order, never on the teller's
 * turn; that every message accepted has one end; and that a message which crashed the actor is
 * never handled again.
 *
 * An idle actor has no fiber: the first message of a burst starts one, which handles what there is
 * and ends. Only the handler can be interrupted; between taking a message and settling it there is
 * no moment to lose it in.
 *
 * **Gotchas**
 *
 * - The deadline of an end interrupts the handler and then waits for it: one that cannot be
 *   interrupted holds the end up. So does a finalizer of the behaviour's scope that does not come
 *   back.
 * - A handler that interrupts itself crashes.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Scope from "effect/Scope"
import type { ActorRef, Down } from "./ActorRef.ts"
import { Address } from "./Address.ts"
import type { Child, Kernel, Parent } from "./Kernel.ts"
import type { Definition, Self } from "./Definition.ts"
import { ActorStopped, LinkBroken } from "./Errors.ts"
import { type AnyHandlers, awaitWithin, handlerOf, inSpan } from "./Handling.ts"
import { Envelope, Inbox, type Item, messageOf } from "./Inbox.ts"
import { type ActorInspection, type CrashNote, describe, type Phase, type RestartKind } from "./Inspection.ts"
import type { Message } from "./Message.ts"
import { type Peer, tie, type Watch, Watchers } from "./Watchers.ts"

/** How an actor came to be. */
export interface CellOptions<M extends Message, R, E, RB> {
  readonly kernel: Kernel
  readonly parent: Parent
  readonly name: string
  readonly definition: Definition<M, R, E, RB>
  readonly context: Context.Context<R | Exclude<RB, Scope.Scope>>
  readonly restart: RestartKind
  /**
   * Owned by whoever spawned the actor: closing it ends the actor, and the actor's end closes it.
   */
  readonly owner: Scope.Closeable
}

/** One actor. */
export class ActorCell<M extends Message, R, E, RB> extends Address<M> implements ActorRef<M>, Child {
  readonly restart: RestartKind
  phase: Phase = "waiting"
  incarnation = 0

  readonly #kernel: Kernel
  readonly #parent: Parent
  readonly #definition: Definition<M, R, E, RB>
  readonly #context: Context.Context<R | Exclude<RB, Scope.Scope>>
  readonly #owner: Scope.Closeable
  #watchers: Watchers | undefined

  #handlers: AnyHandlers<M, R> | undefined
  /** What the behaviour acquired. */
  #scope: Scope.Closeable | undefined
  #current: Item<M> | undefined
  /** The burst under way. */
  #fiber: Fiber.Fiber<unknown, unknown> | undefined
  #starting: Fiber.Fiber<unknown, unknown> | undefined
  /** While an incarnation is being closed. */
  #closing: Latch.Latch | undefined
  #ended: Latch.Latch | undefined
  /** Why the incarnation must end. */
  #doom: Cause.Cause<unknown> | undefined
  #lastCrash: CrashNote | null = null
  #restarts = 0
  #suspended: boolean
  /** A burst is planned. */
  #scheduled = false
  /** A burst is under way. */
  #busy = false
  /** It wants to stop by itself. */
  #leaving = false
  /** It takes no more messages out of its mailbox. */
  #halting = false
  /** An interruption of the handler is ours. */
  #interrupting = false

  constructor({ context, definition, kernel, name, owner, parent, restart }: CellOptions<M, R, E, RB>) {
    const path = `${parent.path}/${name}`
    super(name, path, new Inbox(definition, path, kernel))
    this.restart = restart
    this.#kernel = kernel
    this.#parent = parent
    this.#definition = definition
    this.#context = context
    this.#owner = owner
    this.#suspended = definition.suspended
  }

  protected schedule(): void {
    if (this.#scheduled || this.#busy || this.phase !== "running") return
    if (this.#suspended && !this.#leaving && this.#doom === undefined) return
    this.#scheduled = true
    this.#kernel.dispatcher.scheduleTask(() => {
      this.#scheduled = false
      this.#run()
    }, 0)
  }
  #run(): void {
    if (this.#busy || this.phase !== "running") return
    this.#busy = true
    const burst = Effect.andThen(
      Effect.whileLoop({ while: () => this.#take(), body: () => this.#handle(), step: nothing }),
      Effect.suspend(() => this.#afterBurst())
    )
    this.#fork(burst)
  }
  #fork(burst: Effect.Effect<void, never, R>): void {
    // Known from its first step on: who is answered may end the actor on that very turn, and must
    // find it at work.
    const known = Effect.withFiber<void, never, R>((fiber) => {
      this.#fiber = fiber
      return burst
    })
    const fiber = Effect.runForkWith(this.#context)(known, { uninterruptible: true })
    const exit = fiber.pollUnsafe()
    if (exit === undefined) fiber.addObserver((exit) => this.#afterFiber(fiber, exit))
    else this.#afterFiber(fiber, exit)
  }
  #afterFiber(fiber: Fiber.Fiber<void>, exit: Exit.Exit<void>): void {
    if (this.#fiber === fiber) this.#fiber = undefined
    if (Exit.isSuccess(exit)) return
    // What is no Effect, where one is wanted, ends a fiber there and then, without a word to
    // whoever waits inside.
    if (this.#current !== undefined) this.#settle(this.#current, exit)
    this.#fork(Effect.suspend(() => this.#afterBurst()))
  }
  #take(): boolean {
    if (this.#doom !== undefined || this.#leaving || this.#halting || this.#suspended) return false
    this.#current = this.inbox.take()
    return this.#current !== undefined
  }
  #handle(): Effect.Effect<void, never, R> {
    const item = this.#current
    if (item === undefined) return Effect.void
    const message = messageOf(item)
    try {
      const effect = handlerOf(this.#handlers, message._tag, this.path)(message)
      if (Exit.isExit(effect)) {
        this.#settle(item, effect)
        return Effect.void
      }
      const span = item instanceof Envelope ? item.span : undefined
      const handling = Effect.interruptible(
        span === undefined ? effect : inSpan(effect, `${this.#definition.name}.${message._tag}`, this.path, span)
      )
      return Effect.map(Effect.exit(handling), (exit) => this.#settle(item, exit))
    } catch (defect) {
      this.#settle(item, Exit.die(defect))
      return Effect.void
    }
  }
  #settle(item: Item<M>, exit: Exit.Exit<unknown, unknown>): void {
    this.#current = undefined
    if (Exit.isSuccess(exit)) return this.inbox.conclude(item, exit)
    const { cause } = exit
    const died = Cause.hasDies(cause)
    if (!died && Cause.hasFails(cause)) return this.inbox.conclude(item, exit)
    if (died || !this.#interrupting) this.#doom ??= cause
    this.inbox.letGo(item, this.#doom === undefined ? "stopped" : "crashed", this.#doom)
  }
  #afterBurst(): Effect.Effect<void> {
    this.#busy = false
    this.inbox.report()
    // What came since the last look, if the fiber had to yield in between.
    if (this.inbox.waiting > 0) this.schedule()
    return this.#halting || (this.#doom === undefined && !this.#leaving) ? Effect.void : this.#endByItself()
  }

  get suspend(): Effect.Effect<void> {
    return Effect.sync(() => {
      this.#suspended = true
    })
  }
  get resume(): Effect.Effect<void> {
    return Effect.sync(() => {
      this.#suspended = false
      if (this.inbox.waiting > 0) this.schedule()
    })
  }

  /** Builds the behaviour, on a fiber of its own: an end that comes meanwhile can take it back. */
  get start(): Effect.Effect<Exit.Exit<void, unknown>> {
    return Effect.suspend(() => {
      const scope = Scope.makeUnsafe()
      // All of it at one step, so that an end finds it either not begun or under way.
      const building = Effect.withFiber<Exit.Exit<void, unknown>>((fiber) => {
        if (!this.inbox.isOpen) return Effect.succeed(Exit.fail(new ActorStopped({ actor: this.path })))
        this.phase = "starting"
        this.incarnation += 1
        this.#starting = fiber
        this.#doom = undefined
        this.#leaving = false
        this.#interrupting = false
        // Scope and `Exclude<RB, Scope>` are RB, which the compiler does not see.
        const context = Context.add(this.#context, Scope.Scope, scope) as Context.Context<R | RB>
        const behaviour = Effect.provideContext(Effect.suspend(() => this.#definition.behaviour(this.#self)), context)
        return Effect.flatMap(Effect.exit(Effect.interruptible(behaviour)), (exit) => this.#built(scope, exit))
      })
      return Effect.flatMap(
        Effect.forkDetach(building, { startImmediately: true, uninterruptible: true }),
        // A fiber that fails itself came upon what is no Effect.
        (fiber) => Effect.flatMap(Fiber.await(fiber), (exit) => Exit.isSuccess(exit) ? exit : this.#built(scope, exit))
      )
    })
  }
  #built(scope: Scope.Closeable, exit: Exit.Exit<unknown, unknown>): Effect.Effect<Exit.Exit<void, unknown>> {
    if (Exit.isSuccess(exit) && this.inbox.isOpen) {
      this.#starting = undefined
      this.#handlers = exit.value as AnyHandlers<M, R>
      this.#scope = scope
      this.phase = "running"
      if (this.inbox.waiting > 0 || this.#leaving || this.#doom !== undefined) this.schedule()
      return Effect.succeed(Exit.void)
    }
    const cause = Exit.isFailure(exit) ? exit.cause : Cause.fail(new ActorStopped({ actor: this.path }))
    const failed = Exit.failCause(cause)
    return Effect.map(Effect.exit(Scope.close(scope, failed)), () => {
      this.#starting = undefined
      this.phase = "waiting"
      if (this.#ended === undefined && !this.#halting) this.#note("crashed", cause)
      else this.#note("stopped", undefined)
      return failed
    })
  }

  get #self(): Self<M> {
    return {
      ref: this,
      stop: Effect.sync(() => {
        this.#leaving = true
        this.schedule()
      }),
      monitor: (other, message) =>
        Effect.sync(() => tie(this, peerOf(other), (down) => this.#hear(message, down), nothing)),
      link: (other) =>
        Effect.sync(() => {
          const partner = peerOf(other)
          tie(this, partner, (down) => this.follow(down), (down) => partner.follow(down))
        })
    }
  }
  /** What makes a message of an end is the actor's own code: its mistake is the actor's crash. */
  #hear(message: (down: Down) => M, down: Down): void {
    try {
      this.tellUnsafe(message(down))
    } catch (defect) {
      this.#crash(Cause.die(defect))
    }
  }
  /**
   * Calls back once, when the incarnation ends; at once where there is none. Gives a function that
   * takes it back.
   */
  watch(watch: Watch): () => void {
    if (this.phase !== "waiting" && this.phase !== "ended") return (this.#watchers ??= new Watchers()).add(watch)
    watch({ actor: this.path, reason: "gone" })
    return nothing
  }
  get down(): Effect.Effect<Down> {
    return Effect.callback<Down>((resume) => {
      const unwatch = this.watch((down) => resume(Effect.succeed(down)))
      return Effect.sync(unwatch)
    })
  }
  /** What a link does when its other end is gone. */
  follow({ actor, cause, reason }: Down): void {
    if (reason !== "normal")
      this.#crash(Cause.die(new LinkBroken({ actor, cause: cause === undefined ? reason : Cause.squash(cause) })))
  }
  /** Has the incarnation end, whatever it is at. */
  #crash(cause: Cause.Cause<unknown>): void {
    const isThere = this.phase === "running" || this.phase === "starting"
    if (!isThere || this.#doom !== undefined || this.#halting) return
    this.#doom = cause
    if (this.#busy) this.#interrupt()
    else this.schedule()
  }
  #force(): void {
    this.#halting = true
    this.#interrupt()
  }
  #interrupt(): void {
    this.#interrupting = true
    this.#fiber?.interruptUnsafe()
  }

  /** After a crash, or when it has stopped itself. */
  #endByItself(): Effect.Effect<void> {
    const crash = this.#doom
    return Effect.map(this.#close(crash), () => {
      this.#note(crash === undefined ? "normal" : "crashed", crash)
      this.#parent.childEnded(this, this.incarnation, crash)
    })
  }
  #close(crash: Cause.Cause<unknown> | undefined): Effect.Effect<void> {
    const scope = this.#scope
    const closed = this.#closing = Latch.makeUnsafe(false)
    this.phase = "ending"
    this.#handlers = undefined
    this.#scope = undefined
    const exit = crash === undefined ? Exit.void : Exit.failCause(crash)
    return Effect.map(scope === undefined ? Effect.void : Effect.exit(Scope.close(scope, exit)), () => {
      this.phase = "waiting"
      this.#closing = undefined
      closed.openUnsafe()
    })
  }
  #note(reason: "normal" | "crashed" | "stopped", cause: Cause.Cause<unknown> | undefined): void {
    if (cause !== undefined)
      this.#lastCrash = { at: this.#kernel.clock.currentTimeMillisUnsafe(), message: describe(cause) }
    this.#watchers?.tell({ actor: this.path, reason, ...(cause === undefined ? {} : { cause }) })
  }

  get halt(): Effect.Effect<void> {
    return Effect.uninterruptible(Effect.suspend(() => {
      // What is started for the first time is its spawner's still.
      if (this.phase === "starting" && this.incarnation === 1) return Effect.void
      this.#halting = true
      return Effect.map(this.#endIncarnation(), () => {
        this.#halting = false
      })
    }))
  }
  get terminate(): Effect.Effect<void> {
    return Effect.uninterruptible(Effect.withFiber((fiber) => {
      // A handler that ends its own actor cannot wait for itself.
      const isOwn = fiber === this.#fiber
      if (this.#ended !== undefined) return isOwn ? Effect.void : this.#ended.await
      this.#ended = Latch.makeUnsafe(false)
      this.inbox.close()
      if (!this.#suspended && this.inbox.waiting > 0) this.#run()
      const ending = Effect.andThen(this.#endIncarnation(), Effect.suspend(() => this.#finish()))
      return isOwn ? Effect.asVoid(Effect.forkDetach(ending, { uninterruptible: true })) : ending
    }))
  }
  #finish(): Effect.Effect<void> {
    this.phase = "ended"
    this.inbox.abandon()
    this.#parent.forget(this)
    this.#ended?.openUnsafe()
    return Scope.close(this.#owner, Exit.void)
  }
  /**
   * Waits for the burst under way, as long as the deadline allows; then closes what is left of the
   * incarnation.
   */
  #endIncarnation(): Effect.Effect<void> {
    const waited = this.#starting !== undefined
      ? Fiber.interrupt(this.#starting)
      : this.#fiber !== undefined
      ? awaitWithin(this.#fiber, this.#definition.drain, () => this.#force())
      : Effect.void
    return Effect.flatMap(waited, () => {
      if (this.phase !== "running") return this.#closing?.await ?? Effect.void
      const crash = this.#doom
      return Effect.map(this.#close(crash), () => this.#note(crash === undefined ? "stopped" : "crashed", crash))
    })
  }
  /**
   * Detached, so that whoever waits can be interrupted. A handler of this actor does not wait: it
   * would for itself.
   */
  get stop(): Effect.Effect<void> {
    return Effect.withFiber((own) => {
      const isOwn = own === this.#fiber
      return Effect.flatMap(
        Effect.forkDetach(this.terminate),
        (fiber) => isOwn ? Effect.void : Effect.asVoid(Fiber.await(fiber))
      )
    })
  }

  countRestart(): void {
    this.#restarts += 1
    this.#definition.metrics.restartUnsafe(this.#kernel.context)
  }
  inspect(): ActorInspection {
    return {
      kind: "actor",
      name: this.name,
      path: this.path,
      phase: this.phase,
      suspended: this.#suspended,
      restart: this.restart,
      incarnation: this.incarnation,
      restarts: this.#restarts,
      lastCrash: this.#lastCrash,
      ...this.inbox.inspect()
    }
  }
}

/** Every address is a cell; there is no other way to get one. */
const peerOf = (ref: ActorRef<never>): Peer => {
  if (ref instanceof ActorCell) return ref
  throw new TypeError("this is no actor of this kernel")
}

const nothing = (): void => undefined
