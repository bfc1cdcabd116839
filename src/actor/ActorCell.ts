/**
 * The actor: an inbox, the handlers of the current incarnation, and a fiber while there are
 * messages to handle.
 *
 * Promises that messages are handled one at a time, in the mailbox's order, never on the sender's
 * turn; that every accepted message is settled exactly once; and that a message which crashed the
 * actor is never handled again.
 *
 * **Details**
 *
 * - `start` runs the behaviour and so begins an incarnation. The incarnation ends by itself, after
 *   a crash or `self.stop` (`#endByItself`), or from outside, by `halt` or `terminate`
 *   (`#endIncarnation`). Either way the behaviour's scope is closed, and then the watchers are
 *   told.
 * - An idle actor has no fiber. The first message schedules a burst: a fiber that handles all
 *   waiting messages and then ends.
 * - While a burst is under way, a crash, `self.stop` and `halt` are only noted: the burst takes no
 *   further message, and the end waits for it. `terminate` lets the burst handle all waiting
 *   messages within the deadline (the definition's `drain`).
 * - A burst is uninterruptible but for its handlers: between taking a message and settling it, no
 *   interruption can lose it.
 *
 * **Gotchas**
 *
 * - When the deadline of an end has passed, the handler is interrupted and then waited for until a
 *   second one (`abandonAfter`). What has not ended by then, a handler that cannot be interrupted
 *   or a finalizer that does not return, is abandoned: it may still run, beside the next
 *   incarnation, but nothing that it returns or does to its `self` counts.
 * - A handler that interrupts itself crashes the actor.
 * - Handlers run in the context of their incarnation: its Scope is theirs. What a handler forks as
 *   its child is interrupted before its message is settled.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Scope from "effect/Scope"
import { remember } from "../telemetry/RootSpans.ts"
import type { Tally } from "./ActorMetrics.ts"
import type { ActorRef, Down, Watched } from "./ActorRef.ts"
import { Address } from "./Address.ts"
import type { Deadlines } from "./Deadlines.ts"
import type { Definition } from "./Definition.ts"
import { Abandoned, ActorStopped, LinkBroken } from "./Errors.ts"
import { Feed, type Subscription } from "./Feed.ts"
import {
  type AnyHandlers,
  awaitWithin,
  childrenOf,
  handlerOf,
  inSpan,
  nextOf,
  parentOf,
  reportUnsafe
} from "./Handling.ts"
import { Inbox } from "./Inbox.ts"
import { type Host, Incarnation } from "./Incarnation.ts"
import { type ActorInspection, type CrashNote, describe, type Phase, type RestartKind } from "./Inspection.ts"
import type { Child, Grouped, Kernel, Parent } from "./Kernel.ts"
import { type Item, Letter, messageOf, originOf, type Signal } from "./Letter.ts"
import * as Lifecycle from "./Lifecycle.ts"
import { type Message, Stashed } from "./Message.ts"
import type { Worker } from "./Pool.ts"
import { type Follower, Followers, lastEventOf, type Peer, type Watch, watchBoth, Watchers } from "./Watchers.ts"

export interface CellOptions<M extends Message, R, E, RB> {
  readonly kernel: Kernel
  readonly parent: Parent
  readonly name: string
  readonly definition: Definition<M, R, E, RB>
  /** The context of the behaviour and of the handlers. */
  readonly context: Context.Context<R | Exclude<RB, Scope.Scope>>
  readonly restart: RestartKind
  /** Forked from the spawner's scope. Closing it ends the actor, and the actor's end closes it. */
  readonly owner: Scope.Closeable
}

export class ActorCell<M extends Message, R, E, RB> extends Address<M>
  implements Host<M>, Worker<M>, Peer, Child, Grouped
{
  readonly restartKind: RestartKind
  phase: Phase = "waiting"
  incarnation = 0

  readonly #kernel: Kernel
  readonly #parent: Parent
  readonly #definition: Definition<M, R, E, RB>
  readonly #context: Context.Context<R | Exclude<RB, Scope.Scope>>
  readonly owner: Scope.Closeable
  #watchers: Watchers | undefined
  #followers: Followers | undefined

  /** The current incarnation, from its start until its end begins, and its handlers. */
  #life: Incarnation<M> | undefined
  #handlers: AnyHandlers<M, R> | undefined
  /** The item that is being handled. */
  #current: Item<M> | undefined
  #burstFiber: Fiber.Fiber<unknown, unknown> | undefined
  #startFiber: Fiber.Fiber<unknown, unknown> | undefined
  /** Opens when the incarnation is closed. Exists only while it is being closed. */
  #closed: Latch.Latch | undefined
  /** Opens when the actor has ended for good. Exists from the beginning of that end on. */
  #ended: Latch.Latch | undefined
  /** The cause of the crash that must end the incarnation. */
  #crash: Cause.Cause<unknown> | undefined
  #lastCrash: CrashNote | null = null
  #restarts = 0
  #abandoned = 0
  #isSuspended: boolean
  #isBurstScheduled = false
  #isInBurst = false
  /** The burst has waited: it is not over on the turn on which it began. */
  #hasWaited = false
  /** The behaviour or a handler has called `self.stop`. */
  #isLeaving = false
  /**
   * The burst must take no further message: because of `halt`, or of a deadline that has passed.
   */
  #isHalting = false
  /** The actor itself has interrupted its handler: the interruption is no crash. */
  #isInterrupting = false

  constructor({ context, definition, kernel, name, owner, parent, restart }: CellOptions<M, R, E, RB>) {
    const path = `${parent.path}/${name}`
    super(name, path, new Inbox(definition, path, kernel))
    this.restartKind = restart
    this.#kernel = kernel
    this.#parent = parent
    this.#definition = definition
    this.#context = context
    this.owner = owner
    this.#isSuspended = definition.suspended
  }

  /**
   * Schedules a burst for a later turn, if there is a running incarnation and none is scheduled.
   */
  protected schedule(): void {
    if (this.#isBurstScheduled) return
    const isHeld = this.#isSuspended && !this.#isLeaving && this.#crash === undefined
    // A burst that has not waited reports at its end, or when it begins to wait.
    if (this.#isInBurst && !this.#hasWaited) return
    if (this.#isInBurst || this.phase !== "running" || isHeld) return this.#reportLater()
    this.#isBurstScheduled = true
    this.#kernel.turns.schedule(() => {
      this.#isBurstScheduled = false
      // The final end waits for the burst that it finds or begins, and for no other: one that
      // `resume` begins meanwhile would be cut off.
      if (this.#ended === undefined) this.#runBurst()
    })
  }
  /** Updates the metrics at the end of this turn: what waits for long must show while it waits. */
  #reportLater(): void {
    const { turns, unreported } = this.#kernel
    if (unreported.has(this.inbox)) return
    unreported.add(this.inbox)
    if (unreported.size > 1) return
    turns.schedule(() => {
      for (const inbox of unreported) inbox.report()
      unreported.clear()
    })
  }
  #runBurst(): void {
    if (this.#isInBurst || this.phase !== "running") return
    this.#isInBurst = true
    this.#hasWaited = false
    this.inbox.beginBurst()
    this.#fork(false)
  }
  /** Handles what waits, and then finishes the burst; or finishes it at once. */
  #fork(isFinishing: boolean): void {
    let own: Fiber.Fiber<unknown, unknown> | undefined
    let isLast = isFinishing
    let isOver = false
    const burst = Effect.whileLoop({
      while: () => {
        // In the fiber's own first step: a waiter that is answered may end the actor on that same
        // turn, and must find the burst under way.
        if (own === undefined) this.#burstFiber = own = Fiber.getCurrent()
        // A burst that was abandoned does nothing more when its handler ends after all.
        if (isOver || this.#burstFiber !== own) return false
        isLast ||= !this.#takeNext()
        return true
      },
      body: () => {
        if (!isLast) return this.#handle()
        isOver = true
        return this.#afterBurst()
      },
      step: nothing
    })
    const fiber = Effect.runForkWith(this.#context)(burst, uninterruptible)
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return this.#afterFiber(fiber, exit)
    this.#hasWaited = true
    this.inbox.waitInBurst()
    fiber.addObserver((exit) => this.#afterFiber(fiber, exit))
  }
  #afterFiber(fiber: Fiber.Fiber<void>, exit: Exit.Exit<void>): void {
    if (this.#burstFiber !== fiber) return
    this.#burstFiber = undefined
    if (Exit.isSuccess(exit)) return
    // A value that is not an Effect, where a handler should have one, ends the fiber at once and
    // skips the code around it. Settle the message here, and finish the burst.
    if (this.#current !== undefined) this.#settle(this.#current, exit)
    this.#finishBurst()
  }
  /** On a fiber of its own, as that of the burst is gone. */
  #finishBurst(): void {
    this.#fork(true)
  }
  /** Takes the next item into `#current`. False if the burst must end. */
  #takeNext(): boolean {
    if (this.#crash !== undefined || this.#isLeaving || this.#isHalting || this.#isSuspended) return false
    this.#current = this.inbox.take()
    return this.#current !== undefined
  }
  /** Handles `#current`, and settles it. */
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
      this.#enterScope()
      const span = originOf(item)
      const handling = Effect.interruptible(
        span === undefined ? effect : inSpan(effect, `${this.#definition.name}.${message._tag}`, this.path, span)
      )
      const fiber = this.#burstFiber
      return Effect.flatMap(Effect.exit(handling), (exit) => this.#afterHandler(fiber, item, exit))
    } catch (defect) {
      this.#settle(item, Exit.die(defect))
      return Effect.void
    }
  }
  /**
   * Gives the burst's fiber the incarnation's Scope: once a burst, as an idle actor has no room for
   * a context of its own.
   */
  #enterScope(): void {
    const fiber = this.#burstFiber
    if (this.#life === undefined || fiber?.context !== this.#context) return
    fiber.setContext(Context.add(this.#context, Scope.Scope, this.#life.scope))
  }
  /** Settles an item when nothing is left of its handler: what that has forked ends first. */
  #afterHandler(
    fiber: Fiber.Fiber<unknown, unknown> | undefined,
    item: Item<M>,
    exit: Exit.Exit<unknown, unknown>
  ): Effect.Effect<void> {
    const children = childrenOf(fiber)
    if (children !== undefined) {
      return Effect.flatMap(Fiber.interruptAll([...children]), () => this.#afterHandler(fiber, item, exit))
    }
    if (this.#burstFiber === fiber) this.#settle(item, exit)
    return Effect.void
  }
  /**
   * Settles an item by the exit of its handler: a success or a typed failure is the answer, a
   * defect is a crash. An interruption is a crash too, unless the actor itself has interrupted.
   */
  #settle(item: Item<M>, exit: Exit.Exit<unknown, unknown>): void {
    this.#current = undefined
    if (this.#hasWaited) this.#reportLater()
    if (Exit.isSuccess(exit)) return this.inbox.conclude(item, exit)
    const { cause } = exit
    const died = Cause.hasDies(cause)
    if (!died && Cause.hasFails(cause)) return this.#fail(item, exit)
    if (died || !this.#isInterrupting)
      this.#crash ??= item instanceof Letter && item.span !== undefined ? remember(cause, item.span) : cause
    this.inbox.bury(item, this.#crash === undefined ? "stopped" : "crashed", this.#crash)
  }
  /** Settles an item by a typed failure: the answer, or one of the two that are none. */
  #fail(item: Item<M>, exit: Exit.Failure<unknown, unknown>): void {
    const next = nextOf(exit.cause)
    if (next === undefined) return this.inbox.conclude(item, exit)
    if (next instanceof Stashed) return this.inbox.stash(item)
    // `define` requires the next handlers to be those of the same protocol.
    this.#handlers = next.handlers as unknown as AnyHandlers<M, R>
    this.inbox.conclude(item, Exit.succeed(next.answer))
  }
  #afterBurst(): Effect.Effect<void> {
    this.#isInBurst = false
    this.inbox.endBurst(this.#hasWaited)
    this.inbox.report()
    // Messages that came after the last look, or that a burst which ended early did not take.
    if (this.inbox.waiting > 0) this.schedule()
    else this.#life?.rest()
    return this.#isHalting || (this.#crash === undefined && !this.#isLeaving) ? Effect.void : this.#endByItself()
  }

  get suspend(): Effect.Effect<void> {
    return Effect.sync(() => {
      this.#isSuspended = true
    })
  }
  get resume(): Effect.Effect<void> {
    return Effect.sync(() => {
      this.#isSuspended = false
      if (this.inbox.waiting > 0) this.schedule()
    })
  }

  /**
   * Runs the behaviour on a fiber of its own, so that an end which comes meanwhile can interrupt
   * it.
   */
  get start(): Effect.Effect<Exit.Exit<void, unknown>> {
    return Effect.suspend(() => {
      const life = new Incarnation<M>(this, Scope.makeUnsafe())
      // One step from the check to `#startFiber`: an end finds the start either not begun or under
      // way.
      const building = Effect.withFiber<Exit.Exit<void, unknown>>((fiber) => {
        if (!this.inbox.isOpen) return Effect.succeed(Exit.fail(this.#stopped))
        // Two that restart it at the same time, its supervisor and an operator, want the same.
        if (this.phase !== "waiting") return Effect.succeed(Exit.void)
        this.phase = "starting"
        this.incarnation += 1
        this.#startFiber = fiber
        this.#life = life
        this.#crash = undefined
        this.#isLeaving = false
        this.#isInterrupting = false
        this.#kernel.grouped.delete(this)
        // Exclude<RB, Scope> and Scope together are RB, which the compiler does not see.
        const context = Context.add(this.#context, Scope.Scope, life.scope) as Context.Context<R | RB>
        const behaviour = Effect.provideContext(Effect.suspend(() => this.#definition.behaviour(life)), context)
        return Effect.flatMap(Effect.exit(Effect.interruptible(behaviour)), (exit) => this.#afterBuild(life, exit))
      })
      return Effect.flatMap(
        Effect.forkDetach(building, { startImmediately: true, uninterruptible: true }),
        // The fiber itself fails only if the behaviour returned something that is not an Effect.
        (fiber) =>
          Effect.flatMap(
            this.#awaitStart(life, fiber),
            (exit) => Exit.isSuccess(exit) ? exit : this.#afterBuild(life, exit)
          )
      )
    })
  }
  #awaitStart(life: Incarnation<M>, fiber: Fiber.Fiber<Exit.Exit<void, unknown>>) {
    return Effect.callback<Exit.Exit<Exit.Exit<void, unknown>>>((resume) => {
      life.onAbandoned = () => resume(Effect.succeed(Exit.succeed(Exit.fail(this.#stopped))))
      fiber.addObserver((exit) => {
        life.onAbandoned = undefined
        resume(Effect.succeed(exit))
      })
    })
  }
  /** Makes the incarnation run with the handlers that were built, or closes its scope again. */
  #afterBuild(life: Incarnation<M>, exit: Exit.Exit<unknown, unknown>): Effect.Effect<Exit.Exit<void, unknown>> {
    // It was abandoned, and nobody waits for what it had acquired.
    if (life.stage === "over") return Effect.as(Effect.exit(Scope.close(life.scope, exit)), Exit.fail(this.#stopped))
    if (Exit.isSuccess(exit) && this.inbox.isOpen) {
      this.#startFiber = undefined
      this.#handlers = exit.value as AnyHandlers<M, R>
      this.phase = "running"
      this.#publish(this.incarnation === 1 ? Lifecycle.started : Lifecycle.restarted)
      this.#followers?.restarted(this.incarnation)
      if (this.inbox.waiting > 0 || this.#isLeaving || this.#crash !== undefined) this.schedule()
      else life.rest()
      return Effect.succeed(Exit.void)
    }
    const cause = Exit.isFailure(exit) ? exit.cause : Cause.fail(this.#stopped)
    const failed = Exit.failCause(cause)
    return Effect.map(this.#close(life, failed), () => {
      this.#startFiber = undefined
      this.phase = "waiting"
      // The first start is its spawner's, who is told.
      if (this.incarnation > 1 && !Cause.hasInterruptsOnly(cause)) this.#report("could not be started", cause)
      this.#announceEnd(this.#ended === undefined && !this.#isHalting ? cause : undefined, "stopped")
      return failed
    })
  }

  get #stopped(): ActorStopped {
    return new ActorStopped({ actor: this.path })
  }

  get kernel(): Kernel {
    return this.#kernel
  }
  leave(life: Incarnation<M>): void {
    if (this.#life !== life) return
    this.#isLeaving = true
    this.schedule()
  }
  monitorFor(life: Incarnation<M>, other: ActorRef<never>, onDown: (down: Down) => void): void {
    const peer = peerOf(other)
    if (life.stage !== "over") watchBoth(this, peer, onDown, nothing)
  }
  linkFor(life: Incarnation<M>, other: ActorRef<never>): void {
    const partner = peerOf(other)
    const share = (down: Down) => partner.share(down)
    if (life.stage !== "over") return watchBoth(this, partner, (down) => this.share(down), share)
    share({ actor: this.path, reason: "gone" })
  }
  sendFor(life: Incarnation<M>, signal: Signal<M>): boolean {
    // A monitor ends with the last step of the incarnation's end: not before.
    if (signal.kind !== "down" && this.#life !== life) return false
    // Once the actor has begun to end, a timer is silent: nobody lost anything.
    if (signal.kind === "timer" && !this.inbox.isOpen) return false
    const isTaken = this.inbox.offerSignal(signal)
    if (isTaken) this.schedule()
    return isTaken
  }
  retract(signal: Signal<M>): void {
    this.inbox.retract(signal)
  }
  crashFor(life: Incarnation<M>, cause: Cause.Cause<unknown>): void {
    if (this.#life === life && this.#crashNow(cause)) return
    this.#report("was ending when a fiber of it failed", cause)
  }
  unstashFor(life: Incarnation<M>): void {
    if (this.#life !== life) return
    this.inbox.unstash()
    if (this.inbox.waiting > 0) this.schedule()
  }
  isIdle(): boolean {
    return this.phase === "running" && !this.#isInBurst && this.inbox.waiting === 0
  }
  followFor(life: Incarnation<M>, other: ActorRef<never>, onEvent: (event: Watched) => void): void {
    const peer = peerOf(other)
    if (life.stage === "over") return
    let unwatch = nothing
    const unfollow = peer.follow({
      onEvent: (event) => {
        if (event._tag !== "Restarted") unwatch()
        onEvent(event)
      }
    })
    unwatch = this.onDown(unfollow)
  }

  follow(follower: Follower): () => void {
    if (this.phase !== "ended") return (this.#followers ??= new Followers(this.path)).add(follower)
    follower.onEvent(lastEventOf(this.path, this.#parent.gaveUp))
    return nothing
  }
  get watch(): Effect.Effect<Subscription<Watched>, never, Scope.Scope> {
    return Effect.suspend(() => {
      const feed = new Feed<Watched>("events of an address", 64)
      const following = Effect.sync(() =>
        this.follow({
          onEvent: (event) => {
            feed.publish(event)
            if (event._tag !== "Restarted") feed.end()
          }
        })
      )
      return Effect.tap(feed.subscribe, () => Effect.acquireRelease(following, (unfollow) => Effect.sync(unfollow)))
    })
  }
  onPresence(listener: (isThere: boolean) => void): void {
    listener(this.phase === "running")
    this.follow({ onEnd: () => listener(false), onEvent: ({ _tag }) => listener(_tag === "Restarted") })
  }
  onLoad(listener: (pending: number) => void): void {
    listener(this.inbox.pending)
    this.inbox.onLoad = listener
  }
  onDown(watch: Watch): () => void {
    if (this.phase !== "ended") return (this.#watchers ??= new Watchers()).add(watch)
    watch({ actor: this.path, reason: "gone" })
    return nothing
  }
  get isThere(): boolean {
    return this.phase !== "waiting" && this.phase !== "ended"
  }
  get down(): Effect.Effect<Down> {
    return this.unlessOwn(Effect.callback<Down>((resume) => {
      const unwatch = this.onDown((down) => resume(Effect.succeed(down)))
      return Effect.sync(unwatch)
    }))
  }
  protected isOwn(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    const { closing } = this.#kernel
    // What a handler has forked as its child is waited for with it.
    for (let own: typeof fiber | undefined = fiber; own !== undefined; own = parentOf(own))
      if (own === this.#burstFiber || own === this.#startFiber || closing.get(own) === this) return true
    return false
  }
  protected get askTimeout(): number {
    return this.#definition.askTimeout ?? this.#kernel.askTimeout
  }
  protected get deadlines(): Deadlines {
    return this.#kernel.deadlines
  }
  protected get caller(): Kernel["caller"] {
    return this.#kernel.caller
  }
  holds(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    return this.isOwn(fiber)
  }
  /** Crashes, unless the linked actor has ended normally. */
  share({ actor, cause, reason }: Down): void {
    if (reason !== "normal")
      this.#crashNow(Cause.die(new LinkBroken({ actor, cause: cause === undefined ? reason : Cause.squash(cause) })))
  }

  /**
   * Crashes the incarnation from outside its handlers: interrupts the one that runs, if any. False
   * if it is ending already.
   */
  #crashNow(cause: Cause.Cause<unknown>): boolean {
    const isThere = this.phase === "running" || this.phase === "starting"
    if (!isThere || this.#crash !== undefined || this.#isHalting) return false
    this.#crash = cause
    if (this.#isInBurst) this.#interruptForCrash()
    else this.schedule()
    return true
  }
  #interruptForCrash(): void {
    this.#interruptHandler()
    const fiber = this.#burstFiber
    if (fiber === undefined) return
    const abandon = () =>
      Effect.map(this.#abandonBurst(fiber), () => {
        if (this.#burstFiber === undefined && this.phase === "running") this.#finishBurst()
      })
    const { abandonAfter } = this.#definition
    Effect.runForkWith(this.#kernel.context)(awaitWithin(fiber, { drain: 0, force: nothing, abandonAfter, abandon }))
  }
  #interruptHandler(): void {
    this.#isInterrupting = true
    this.#burstFiber?.interruptUnsafe()
  }

  /** Ends the incarnation after a crash or `self.stop`; the supervisor decides what follows. */
  #endByItself(): Effect.Effect<void> {
    const crash = this.#crash
    if (crash !== undefined) this.#report("crashed", crash)
    return Effect.map(this.#closeIncarnation(crash), () => {
      this.#announceEnd(crash, "normal")
      this.#parent.childEnded(this, this.incarnation, crash)
    })
  }
  #closeIncarnation(crash: Cause.Cause<unknown> | undefined): Effect.Effect<void> {
    const life = this.#life
    const closed = this.#closed = Latch.makeUnsafe(false)
    this.phase = "ending"
    this.#handlers = undefined
    const exit = crash === undefined ? Exit.void : Exit.failCause(crash)
    return Effect.map(life === undefined ? Effect.void : this.#close(life, exit), () => {
      this.phase = "waiting"
      this.#closed = undefined
      this.withdrawAsks()
      closed.openUnsafe()
    })
  }
  /**
   * Ends an incarnation's timers, and closes its scope. A finalizer that fails or does not return
   * is reported, and ends nothing.
   */
  #close(life: Incarnation<M>, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#life = undefined
      life.end()
      if (life.scope.state._tag === "Empty")
        return Effect.map(Scope.close(life.scope, exit), () => this.#afterClose(life))
      const { closing } = this.#kernel
      // On a fiber of its own, which may be left behind.
      const releasing = Effect.withFiber((fiber) => {
        closing.set(fiber, this)
        return Scope.close(life.scope, exit)
      })
      return Effect.flatMap(
        Effect.forkDetach(releasing, { startImmediately: true, uninterruptible: true }),
        (fiber) =>
          Effect.map(this.#awaitRelease(fiber), () => {
            closing.delete(fiber)
            this.#afterClose(life, fiber.pollUnsafe())
          })
      )
    })
  }
  #awaitRelease(fiber: Fiber.Fiber<void>): Effect.Effect<void> {
    const abandon = () => Effect.sync(() => this.#noteAbandoned("finalizer"))
    const { abandonAfter } = this.#definition
    return awaitWithin(fiber, { drain: 0, force: nothing, abandonAfter, abandon })
  }
  /** The scope is closed, unless there is no exit: then that was abandoned. */
  #afterClose(life: Incarnation<M>, exit?: Exit.Exit<void>): void {
    life.stage = "over"
    this.inbox.endIncarnation()
    if (exit === undefined || Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
    this.#noteCrash(exit.cause)
    this.#report("failed to release what it had acquired", exit.cause)
  }
  /** Tells of the end of an incarnation, and remembers a crash for `inspect`. */
  #announceEnd(crash: Cause.Cause<unknown> | undefined, otherwise: "normal" | "stopped"): void {
    const actor = this.path
    this.#followers?.ended(crash)
    if (crash !== undefined) {
      this.#noteCrash(crash)
      this.#tally.crashes += 1
      this.#publish(Lifecycle.crashed(crash))
      this.#watchers?.tell({ actor, reason: "crashed", cause: crash })
      return
    }
    // Of an actor that ends for good one hears once, when it is gone.
    if (otherwise === "normal" || this.#ended === undefined) this.#publish(Lifecycle.stopped(otherwise))
    this.#watchers?.tell({ actor, reason: otherwise })
  }

  #noteCrash(cause: Cause.Cause<unknown>): void {
    this.#lastCrash = { at: this.#kernel.clock.currentTimeMillisUnsafe(), message: describe(cause) }
  }
  get #tally(): Tally {
    return this.#kernel.tallyOf(this.#definition.name)
  }
  #publish(happening: Parameters<typeof Lifecycle.publish>[3]): void {
    Lifecycle.publish(this.#kernel, "actor", this, happening)
  }
  #report(text: string, cause: Cause.Cause<unknown>): void {
    reportUnsafe(this.#kernel, this, text, cause)
  }

  joinGroup(supervisor: Parent): void {
    // A wider group takes over the members of a narrower one, and not the other way round.
    const group = this.#group
    if (group === undefined || group.path.length >= supervisor.path.length) this.#kernel.grouped.set(this, supervisor)
  }
  get #group(): Parent | undefined {
    return this.#kernel.grouped.get(this)
  }
  leavesFor(supervisor: Parent, fiber: Fiber.Fiber<unknown, unknown>): boolean {
    if (this.#group !== supervisor) return false
    const scope = this.#life?.scope
    return fiber === this.#burstFiber
      || (scope !== undefined && Context.getOrUndefined(fiber.context, Scope.Scope) === scope)
  }
  protected isLostFor(asker: Fiber.Fiber<unknown, unknown>): boolean {
    const { leaving } = this.#kernel
    if (leaving.size === 0 || this.phase !== "waiting") return false
    const group = this.#group
    if (group !== undefined) { for (const other of leaving) if (other.leavesFor(group, asker)) return true }
    return false
  }
  withdrawAsks(): void {
    if (this.#kernel.leaving.size > 0 && this.phase === "waiting" && this.#group !== undefined)
      this.inbox.withdraw((asker) => this.isLostFor(asker))
  }
  /**
   * Runs the end of an incarnation. If it is that of a group, no ask into the group holds it up.
   */
  #leaving(ending: Effect.Effect<void>): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#group === undefined || this.phase !== "running") return ending
      const { grouped, leaving } = this.#kernel
      leaving.add(this)
      if (this.#isInBurst) { for (const other of grouped.keys()) other.withdrawAsks() }
      return Effect.map(ending, () => {
        leaving.delete(this)
      })
    })
  }

  get halt(): Effect.Effect<void> {
    return Effect.uninterruptible(Effect.suspend(() => {
      // The first start belongs to the spawner, who decides what becomes of the actor.
      if (this.phase === "starting" && this.incarnation === 1) return Effect.void
      this.#isHalting = true
      return Effect.map(this.#leaving(this.#endIncarnation()), () => {
        this.#isHalting = false
      })
    }))
  }
  get terminate(): Effect.Effect<void> {
    return Effect.uninterruptible(Effect.withFiber((fiber) => {
      // A handler that ends its own actor cannot wait for itself.
      const isOwn = this.#isWaitedFor(fiber)
      if (this.#ended !== undefined) return isOwn ? Effect.void : this.#ended.await
      this.#ended = Latch.makeUnsafe(false)
      this.inbox.close()
      if (!this.#isSuspended && this.inbox.waiting > 0) this.#runBurst()
      const ending = Effect.andThen(this.#leaving(this.#endIncarnation()), Effect.suspend(() => this.#finish()))
      return isOwn ? Effect.asVoid(Effect.forkDetach(ending, { uninterruptible: true })) : ending
    }))
  }
  /** Whether the end has to wait for the fiber: for a handler, or for a finalizer. */
  #isWaitedFor(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    return fiber === this.#burstFiber || this.#kernel.closing.get(fiber) === this
  }
  #finish(): Effect.Effect<void> {
    this.phase = "ended"
    this.#kernel.grouped.delete(this)
    this.inbox.buryAll()
    this.inbox.report()
    this.#publish(Lifecycle.stopped("gone"))
    this.#watchers?.tell({ actor: this.path, reason: "gone" })
    this.#followers?.gone(this.#parent.gaveUp)
    this.#parent.forget(this)
    this.#ended?.openUnsafe()
    return Scope.close(this.owner, Exit.void)
  }
  /**
   * Ends the incarnation from outside: interrupts a start, or waits for the burst until the
   * deadline and then forces it; then closes what is left.
   */
  #endIncarnation(): Effect.Effect<void> {
    const { incarnation } = this
    const waited = this.#startFiber !== undefined
      ? this.#endStart(this.#startFiber)
      : this.#burstFiber !== undefined
      ? this.#endBurst(this.#burstFiber)
      : Effect.void
    return Effect.flatMap(waited, () => {
      // Another end of the same incarnation was done first, and it has been started again.
      if (this.incarnation !== incarnation) return Effect.void
      // The burst may have ended the incarnation itself, or be about to.
      if (this.phase !== "running") return this.#closed?.await ?? Effect.void
      const crash = this.#crash
      if (crash !== undefined) this.#report("crashed", crash)
      return Effect.map(
        this.#closeIncarnation(crash),
        () => this.#announceEnd(crash, "stopped")
      )
    })
  }
  #endStart(fiber: Fiber.Fiber<unknown, unknown>): Effect.Effect<void> {
    const { abandonAfter } = this.#definition
    return awaitWithin(fiber, {
      drain: 0,
      force: () => fiber.interruptUnsafe(),
      abandonAfter,
      abandon: () => this.#abandonStart(fiber)
    })
  }
  #endBurst(fiber: Fiber.Fiber<unknown, unknown>): Effect.Effect<void> {
    const { abandonAfter, drain } = this.#definition
    const force = () => {
      this.#isHalting = true
      this.#interruptHandler()
    }
    return awaitWithin(fiber, { drain, force, abandonAfter, abandon: () => this.#abandonBurst(fiber) })
  }
  /** Goes on without a burst whose handler does not end. What that does from now on is ignored. */
  #abandonBurst(fiber: Fiber.Fiber<unknown, unknown>): Effect.Effect<void> {
    if (this.#burstFiber !== fiber) return Effect.void
    // It closes the incarnation itself, for which there is another deadline.
    if (this.phase !== "running") return Effect.asVoid(Fiber.await(fiber))
    const item = this.#current
    this.#burstFiber = undefined
    this.#isInBurst = false
    this.inbox.endBurst(this.#hasWaited)
    this.#current = undefined
    this.#noteAbandoned("handler")
    if (item !== undefined) this.inbox.bury(item, "abandoned", this.#crash)
    return Effect.void
  }
  /** Goes on without a start whose behaviour does not end. */
  #abandonStart(fiber: Fiber.Fiber<unknown, unknown>): Effect.Effect<void> {
    const life = this.#life
    if (this.#startFiber !== fiber) return Effect.void
    if (life === undefined) return Effect.asVoid(Fiber.await(fiber))
    this.#startFiber = undefined
    this.#life = undefined
    life.end()
    life.stage = "over"
    this.phase = "waiting"
    this.#noteAbandoned("behaviour")
    this.#announceEnd(undefined, "stopped")
    life.onAbandoned?.()
    return Effect.void
  }
  #noteAbandoned(what: Abandoned["what"]): void {
    this.#abandoned += 1
    this.#report("was abandoned", Cause.die(new Abandoned({ actor: this.path, what })))
    this.#publish(Lifecycle.abandoned)
  }
  /**
   * Runs `terminate` detached, so that the caller can be interrupted. A handler of this actor does
   * not wait: it would wait for itself.
   */
  get stop(): Effect.Effect<void> {
    return Effect.withFiber((own) => {
      const isOwn = this.#isWaitedFor(own)
      return Effect.flatMap(
        Effect.forkDetach(this.terminate),
        (fiber) => isOwn ? Effect.void : Effect.asVoid(Fiber.await(fiber))
      )
    })
  }

  countRestart(): void {
    this.#restarts += 1
    this.#tally.restarts += 1
  }
  inspect(): ActorInspection {
    return {
      kind: "actor",
      name: this.name,
      path: this.path,
      phase: this.phase,
      suspended: this.#isSuspended,
      restart: this.restartKind,
      incarnation: this.incarnation,
      restarts: this.#restarts,
      abandoned: this.#abandoned,
      lastCrash: this.#lastCrash,
      ...this.inbox.inspect()
    }
  }
}

/** Every ActorRef of this kernel is an ActorCell. */
const peerOf = (ref: ActorRef<never>): Peer => {
  if (ref instanceof ActorCell) return ref
  throw new TypeError("this is no actor of this kernel")
}

const nothing = (): void => undefined

const uninterruptible = { uninterruptible: true } as const
