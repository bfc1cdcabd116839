/**
 * The supervisor itself: its children in the order of starting, and a fiber while there is
 * something to decide.
 *
 * Whatever happens to the children is put in a queue and decided one after the other, so that the
 * tree is consistent between any two decisions. The queue holds at most one ended incarnation for
 * each child, and one timer's word for each restart.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Scope from "effect/Scope"
import { ActorCell } from "./ActorCell.ts"
import type { ActorRef } from "./ActorRef.ts"
import type { Child, Kernel, Parent } from "./Kernel.ts"
import type { Definition } from "./Definition.ts"
import { ActorStopped, Escalated, StartFailed } from "./Errors.ts"
import { type CrashNote, describe, type Phase, type RestartKind, type SupervisorInspection } from "./Inspection.ts"
import type { Message } from "./Message.ts"
import { type Backoff, delayOf, makeRestartWindow, type RestartWindow } from "./Restarts.ts"
import type { SpawnOptions, Strategy, Supervisor, SupervisorOptions } from "./Supervisor.ts"

/** How a supervisor came to be. */
export interface SupervisorCellOptions extends SupervisorOptions {
  readonly kernel: Kernel
  /** None for the root. */
  readonly parent: Parent | undefined
  readonly name: string
  readonly restart: RestartKind
  readonly owner: Scope.Closeable
  /** Told when the root gives up. Must not throw. */
  readonly onEscalation?: (escalated: Escalated) => void
}

/** What is to be decided. */
type Event =
  | {
    readonly _tag: "Ended"
    readonly child: Child
    readonly incarnation: number
    readonly crash: Cause.Cause<unknown> | undefined
  }
  | { readonly _tag: "Due"; readonly restart: Restart }

/** Children on their way back. */
interface Restart {
  readonly children: Set<Child>
  timer: Fiber.Fiber<void> | undefined
}

/**
 * How often a child crashed without having stayed up for a whole period, and since when it is up
 * again, in ms.
 */
interface Streak {
  readonly crashes: number
  readonly upSince: number
}

/** One supervisor. */
export class SupervisorCell implements Supervisor, Child, Parent {
  readonly name: string
  readonly path: string
  readonly restart: RestartKind
  phase: Phase = "running"
  incarnation = 1
  isOpen = true

  readonly #kernel: Kernel
  readonly #parent: Parent | undefined
  readonly #owner: Scope.Closeable
  readonly #onEscalation: ((escalated: Escalated) => void) | undefined
  readonly #strategy: Strategy
  readonly #period: number
  readonly #backoff: Backoff | undefined
  readonly #window: RestartWindow
  readonly #children = new Map<string, Child>()
  readonly #streaks = new WeakMap<Child, Streak>()
  readonly #restarts = new Set<Restart>()
  #events: Array<Event> = []
  #deciding = false
  /**
   * A restart of its own is under way: nothing is decided until all of its children had their
   * start.
   */
  #starting = false
  /** While its children are being halted. */
  #halting: Latch.Latch | undefined
  #ended: Latch.Latch | undefined
  #names = 0
  #restarted = 0
  #lastCrash: CrashNote | null = null

  constructor(options: SupervisorCellOptions) {
    const { backoff, intensity = 1, kernel, name, onEscalation, owner, parent, period, restart, strategy } = options
    this.name = name
    this.path = parent === undefined ? name : `${parent.path}/${name}`
    this.restart = restart
    this.#kernel = kernel
    this.#parent = parent
    this.#owner = owner
    this.#onEscalation = onEscalation
    this.#strategy = strategy ?? "one_for_one"
    this.#period = Duration.toMillis(period ?? "5 seconds")
    this.#backoff = backoff
    this.#window = makeRestartWindow({ intensity, period: this.#period })
  }

  readonly spawn = <M extends Message, R, E, RB>(
    definition: Definition<M, R, E, RB>,
    options: SpawnOptions = {}
  ): Effect.Effect<ActorRef<M>, StartFailed, R | Exclude<RB, Scope.Scope> | Scope.Scope> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function*() {
        const name = yield* this.#freeName(definition.name, options.name)
        const scope = yield* Effect.scope
        const owner = Scope.forkUnsafe(scope)
        const context = yield* Effect.context<R | Exclude<RB, Scope.Scope>>()
        const cell = new ActorCell<M, R, E, RB>({
          kernel: this.#kernel,
          parent: this,
          name,
          definition,
          context: this.#kernel.adapt(context),
          restart: options.restart ?? definition.restart,
          owner
        })
        this.#children.set(name, cell)
        yield* Scope.addFinalizerExit(owner, () => cell.terminate)
        const exit = yield* Effect.onInterrupt(restore(cell.start), () => cell.terminate)
        if (Exit.isSuccess(exit)) return cell
        yield* cell.terminate
        return yield* new StartFailed({ actor: cell.path, cause: Cause.squash(exit.cause) })
      })
    )

  readonly supervise = (
    name: string,
    options: SupervisorOptions & { readonly restart?: RestartKind } = {}
  ): Effect.Effect<Supervisor, StartFailed, Scope.Scope> =>
    Effect.uninterruptible(Effect.gen({ self: this }, function*() {
      yield* this.#freeName(name, name)
      const owner = Scope.forkUnsafe(yield* Effect.scope)
      const { restart = "permanent" } = options
      const cell = new SupervisorCell({ ...options, kernel: this.#kernel, parent: this, name, restart, owner })
      this.#children.set(name, cell)
      yield* Scope.addFinalizerExit(owner, () => cell.terminate)
      return cell
    }))

  #freeName(ordinary: string, wanted: string | undefined): Effect.Effect<string, StartFailed> {
    return Effect.suspend(() => {
      const failed = (cause: string) =>
        new StartFailed({ actor: `${this.path}/${wanted ?? ordinary}`, cause: new Error(cause) })
      if (this.phase !== "running") return Effect.fail(failed(`${this.path} is not running`))
      if (wanted !== undefined)
        return this.#children.has(wanted) ? Effect.fail(failed("the name is taken")) : Effect.succeed(wanted)
      let name = ordinary
      while (this.#children.has(name)) name = `${ordinary}-${++this.#names}`
      return Effect.succeed(name)
    })
  }

  childEnded(child: Child, incarnation: number, crash: Cause.Cause<unknown> | undefined): void {
    this.#submit({ _tag: "Ended", child, incarnation, crash })
  }
  forget(child: Child): void {
    if (this.#children.get(child.name) === child) this.#children.delete(child.name)
    for (const restart of this.#restarts) restart.children.delete(child)
  }

  #submit(event: Event): void {
    this.#events.push(event)
    this.#wake()
  }
  #wake(): void {
    if (this.#deciding || this.#starting || !this.isOpen || this.#events.length === 0) return
    this.#deciding = true
    this.#kernel.dispatcher.scheduleTask(() => {
      const deciding = Effect.whileLoop({ while: () => this.#next(), body: () => this.#decide(), step: nothing })
      Effect.runForkWith(this.#kernel.context)(deciding, { uninterruptible: true })
    }, 0)
  }
  #next(): boolean {
    if (!this.isOpen) this.#events = []
    this.#deciding = this.#events.length > 0 && !this.#starting
    return this.#deciding
  }
  #decide(): Effect.Effect<void> {
    const event = this.#events.shift()
    if (event === undefined || this.phase !== "running") return Effect.void
    if (event._tag === "Ended") return this.#afterEnd(event.child, event.incarnation, event.crash)
    // A crash that was decided meanwhile may have made it part of another restart.
    return this.#restarts.delete(event.restart) ? this.#bringBack(event.restart) : Effect.void
  }

  #afterEnd(child: Child, incarnation: number, crash: Cause.Cause<unknown> | undefined): Effect.Effect<void> {
    const isKnown = this.#children.get(child.name) === child && child.isOpen
    if (!isKnown || child.incarnation !== incarnation || child.phase !== "waiting") return Effect.void
    if (crash !== undefined) this.#noteCrash(crash)
    // It crashed together with one that took it along: that was decided for both.
    if (this.#isPlanned(child)) return Effect.void
    if (child.restart === "temporary" || (child.restart === "transient" && crash === undefined)) return child.terminate
    if (!this.#window.admit(this.#now())) return this.#escalate(child)
    this.#restarted += 1
    child.countRestart()
    const crashes = this.#crashesOf(child)
    return Effect.gen({ self: this }, function*() {
      const group = yield* this.#take(child)
      const delay = yield* delayOf(this.#backoff, crashes)
      this.#streaks.set(child, { crashes, upSince: this.#now() + delay })
      // Its own end may have come while the siblings were ended: a timer would outlive it.
      if (this.phase !== "running") return
      if (delay > 0) this.#plan(group, delay)
      else yield* this.#bringBack(group)
    })
  }
  /** Under `one_for_one` a child crashes alone; the others have one plan at most. */
  #isPlanned(child: Child): boolean {
    if (this.#strategy === "one_for_one") return false
    for (const planned of this.#restarts) if (planned.children.has(child)) return true
    return false
  }
  /** Ends whoever has to go with the child, and gives all who are to come back together. */
  #take(child: Child): Effect.Effect<Restart> {
    const restart: Restart = { children: new Set([child]), timer: undefined }
    if (this.#strategy === "one_for_one") return Effect.succeed(restart)
    const all = [...this.#children.values()]
    const group = this.#strategy === "one_for_all" ? all : all.slice(all.indexOf(child))
    // Those who are waiting already come back with this group, so that the order of starting holds.
    for (const planned of this.#restarts) {
      planned.timer?.interruptUnsafe()
      for (const waiting of planned.children) restart.children.add(waiting)
    }
    this.#restarts.clear()
    return Effect.as(
      Effect.forEach(group.toReversed(), (sibling) => {
        if (sibling === child) return Effect.void
        if (sibling.restart === "temporary") return sibling.terminate
        restart.children.add(sibling)
        return sibling.halt
      }, { discard: true }),
      restart
    )
  }
  #plan(restart: Restart, delay: number): void {
    this.#restarts.add(restart)
    const wait = Effect.map(Effect.sleep(delay), () => this.#submit({ _tag: "Due", restart }))
    restart.timer = Effect.runForkWith(this.#kernel.context)(wait)
  }
  /**
   * Starts them in the order in which they were started first; the first that fails is one more
   * crash.
   */
  #bringBack({ children }: Restart): Effect.Effect<void> {
    const ordered = children.size < 2
      ? [...children]
      : [...this.#children.values()].filter((child) => children.has(child))
    return Effect.asVoid(this.#startAll(ordered, (child, cause) => {
      this.#events.unshift({ _tag: "Ended", child, incarnation: child.incarnation, crash: cause })
    }))
  }
  /** Whether all of them started. */
  #startAll(children: ReadonlyArray<Child>, onFailure: (child: Child, cause: Cause.Cause<unknown>) => void) {
    return Effect.gen({ self: this }, function*() {
      for (const child of children) {
        if (this.phase !== "running" || !child.isOpen || child.phase !== "waiting") continue
        const exit = yield* child.start
        if (Exit.isSuccess(exit) || !child.isOpen) continue
        onFailure(child, exit.cause)
        return false
      }
      return true
    })
  }

  #escalate(child: Child): Effect.Effect<void> {
    const escalated = new Escalated({ supervisor: this.path, child: child.name, restarts: this.#restarted })
    const cause = Cause.die(escalated)
    const { incarnation } = this
    if (this.#parent === undefined) {
      this.#onEscalation?.(escalated)
      return this.#finish()
    }
    return Effect.map(this.#haltAll(), () => this.#parent?.childEnded(this, incarnation, cause))
  }
  #haltAll(): Effect.Effect<void> {
    if (this.#halting !== undefined) return this.#halting.await
    const halting = this.#halting = Latch.makeUnsafe(false)
    this.phase = "ending"
    this.#cancelPlans()
    const ends = Effect.forEach(
      [...this.#children.values()].toReversed(),
      (child) => child.restart === "temporary" ? child.terminate : child.halt,
      { discard: true }
    )
    return Effect.map(ends, () => {
      // Its end for good may have come meanwhile.
      if (this.isOpen) this.phase = "waiting"
      this.#events = []
      this.#halting = undefined
      halting.openUnsafe()
    })
  }
  #cancelPlans(): void {
    for (const { timer } of this.#restarts) timer?.interruptUnsafe()
    this.#restarts.clear()
  }

  get start(): Effect.Effect<Exit.Exit<void, unknown>> {
    return Effect.gen({ self: this }, function*() {
      if (!this.isOpen) return Exit.fail(new ActorStopped({ actor: this.path }))
      this.incarnation += 1
      this.phase = "running"
      this.#starting = true
      this.#window.clear()
      let failed: Exit.Exit<never, unknown> | undefined
      const started = yield* this.#startAll([...this.#children.values()], (_, cause) => {
        failed = Exit.failCause(cause)
      })
      if (!started && this.isOpen) yield* this.#haltAll()
      this.#starting = false
      this.#wake()
      return failed ?? Exit.void
    })
  }
  get halt(): Effect.Effect<void> {
    return Effect.suspend(() => this.phase === "running" || this.#halting !== undefined ? this.#haltAll() : Effect.void)
  }
  get terminate(): Effect.Effect<void> {
    return Effect.uninterruptible(Effect.suspend(() => {
      if (this.#ended !== undefined) return this.#ended.await
      return this.#finish()
    }))
  }
  /** Ends all children for good, the last started first. */
  #finish(): Effect.Effect<void> {
    const ended = this.#ended = Latch.makeUnsafe(false)
    this.isOpen = false
    this.phase = "ending"
    this.#cancelPlans()
    return Effect.gen({ self: this }, function*() {
      yield* Effect.forEach([...this.#children.values()].toReversed(), (child) => child.terminate, { discard: true })
      this.phase = "ended"
      this.#events = []
      this.#parent?.forget(this)
      ended.openUnsafe()
      yield* Scope.close(this.#owner, Exit.void)
    })
  }

  #now(): number {
    return this.#kernel.clock.currentTimeMillisUnsafe()
  }
  #noteCrash(cause: Cause.Cause<unknown>): void {
    this.#lastCrash = { at: this.#now(), message: describe(cause) }
  }
  /** This crash included. The time it waited for its restart is no time up. */
  #crashesOf(child: Child): number {
    const streak = this.#streaks.get(child)
    return streak === undefined || this.#now() - streak.upSince > this.#period ? 1 : streak.crashes + 1
  }

  countRestart(): void {}
  readonly inspect = (): SupervisorInspection => ({
    kind: "supervisor",
    name: this.name,
    path: this.path,
    phase: this.phase,
    restart: this.restart,
    strategy: this.#strategy,
    incarnation: this.incarnation,
    restarts: this.#restarted,
    lastCrash: this.#lastCrash,
    children: Array.from(this.#children.values(), (child) => child.inspect())
  })
}

const nothing = (): void => undefined
