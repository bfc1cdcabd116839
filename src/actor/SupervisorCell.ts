/**
 * The supervisor: its children in the order in which they were first started, and a fiber while
 * there is something to decide.
 *
 * The ends of children and the timers of delayed restarts are events in a queue. They are decided
 * one after the other, so that the tree is consistent between any two decisions. The queue holds at
 * most one ended incarnation of each child, and one timer event of each planned restart.
 *
 * **Details**
 *
 * - After a crash (`#afterEnd`), the supervisor ends the siblings that the strategy restarts
 *   together with the child (`#endGroup`), and starts the group again at once (`#startGroup`) or
 *   after the backoff (`#planStart`).
 * - After one restart too many (`#escalate`), it halts all of its children and reports its own
 *   crash to its parent, which may start it again. The root of a system ends for good, and tells
 *   its owner.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import { remember, spanOf, traceOf } from "../telemetry/RootSpans.ts"
import { ActorCell } from "./ActorCell.ts"
import type { Definition } from "./Definition.ts"
import { ActorStopped, type ControlRefusal, ControlRefused, Escalated, StartFailed, WaitsForItself } from "./Errors.ts"
import { reportUnsafe } from "./Handling.ts"
import { type CrashNote, describe, type Phase, type RestartKind, type SupervisorInspection } from "./Inspection.ts"
import type { Child, Kernel, Parent } from "./Kernel.ts"
import * as Lifecycle from "./Lifecycle.ts"
import type { Message } from "./Message.ts"
import { type Pool, type PoolOptions, routeOf, WorkerPool } from "./Pool.ts"
import {
  type Backoff,
  delayOf,
  makeRestartWindow,
  type RestartWindow,
  type Strategy,
  type SupervisorOptions
} from "./Restarts.ts"
import type { SpawnOptions, Supervisor, Target } from "./Supervisor.ts"

export interface SupervisorCellOptions extends SupervisorOptions {
  readonly kernel: Kernel
  /** Undefined for the root. */
  readonly parent: Parent | undefined
  readonly name: string
  readonly restart: RestartKind
  /** Forked from the creator's scope. Closing it ends the supervisor, and the end closes it. */
  readonly owner: Scope.Closeable
  /**
   * Of the root of a system: called when it gives up, before anything ends. Must not throw. No
   * parent is told then.
   */
  readonly onEscalation?: (escalated: Escalated) => void
}

/** Something that the supervisor must decide about. */
type Event =
  /** An incarnation has ended by itself. */
  | {
    readonly _tag: "Ended"
    readonly child: Child
    readonly incarnation: number
    readonly crash: Cause.Cause<unknown> | undefined
  }
  /** The delay of a planned restart is over. */
  | { readonly _tag: "Due"; readonly group: Group }
  | Command

/** What an operator wants. */
interface Command {
  readonly _tag: "Stop" | "Restart"
  readonly child: Child
  readonly done: Deferred.Deferred<void, ControlRefused | StartFailed>
}

const isCommand = (event: Event): event is Command => event._tag === "Stop" || event._tag === "Restart"

/** Children that have ended and are to be started again together. */
interface Group {
  readonly children: Set<Child>
  /** Set while the start is delayed. */
  timer: Fiber.Fiber<void> | undefined
}

/**
 * The crashes in a row of a child: without a whole period of being up in between. Times in ms of
 * `Kernel.elapsed`.
 */
interface Streak {
  readonly crashes: number
  readonly upSince: number
}

export class SupervisorCell implements Supervisor, Child, Parent {
  readonly name: string
  readonly path: string
  readonly restartKind: RestartKind
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
  /** The last incarnations that an operator has ended: nothing is left to decide about them. */
  readonly #stopped = new WeakMap<Child, number>()
  /** The groups whose start is delayed. */
  readonly #planned = new Set<Group>()
  #events: Array<Event> = []
  /** A fiber that decides the events is scheduled or running. */
  #isDeciding = false
  #hasGivenUp = false
  /** Its own restart is under way: nothing is decided before all children have been started. */
  #isStarting = false
  /** Opens when all children are halted. Exists only while they are being halted. */
  #halted: Latch.Latch | undefined
  /** Opens when the supervisor has ended for good. Exists from the beginning of that end on. */
  #ended: Latch.Latch | undefined
  /** The last number that was appended to a taken name. */
  #lastNumber = 0
  #restartCount = 0
  #lastCrash: CrashNote | null = null

  constructor(options: SupervisorCellOptions) {
    const { backoff, intensity = 1, kernel, name, onEscalation, owner, parent, period, restart, strategy } = options
    this.name = name
    this.path = parent === undefined ? name : `${parent.path}/${name}`
    this.restartKind = restart
    this.#kernel = kernel
    this.#parent = parent
    this.#owner = owner
    this.#onEscalation = onEscalation
    this.#strategy = strategy ?? "one_for_one"
    this.#period = Duration.toMillis(period ?? "5 seconds")
    this.#backoff = backoff
    this.#window = makeRestartWindow({ intensity, period: this.#period })
  }

  readonly spawn: Supervisor["spawn"] = (definition, options = {}) => this.#spawn(definition, options)

  #spawn<M extends Message, R, E, RB>(
    definition: Definition<M, R, E, RB>,
    options: SpawnOptions
  ): Effect.Effect<ActorCell<M, R, E, RB>, StartFailed, R | Exclude<RB, Scope.Scope> | Scope.Scope> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function*() {
        const scope = yield* Effect.scope
        const context = this.#kernel.adapt(yield* Effect.context<R | Exclude<RB, Scope.Scope>>())
        const cell = yield* this.#admit(definition.name, options.name, (name) =>
          new ActorCell<M, R, E, RB>({
            kernel: this.#kernel,
            parent: this,
            name,
            definition,
            context,
            restart: options.restart ?? definition.restart,
            owner: Scope.forkUnsafe(scope)
          }))
        yield* Scope.addFinalizerExit(cell.owner, () => this.#kernel.ending(cell))
        const exit = yield* Effect.onInterrupt(restore(cell.start), () => cell.terminate)
        if (Exit.isSuccess(exit)) return cell
        yield* cell.terminate
        return yield* new StartFailed({ actor: cell.path, cause: Cause.squash(exit.cause) })
      })
    )
  }

  readonly pool = <M extends Message, R, E, RB>(
    definition: Definition<M, R, E, RB>,
    options: PoolOptions<M>
  ): Effect.Effect<Pool<M>, StartFailed, R | Exclude<RB, Scope.Scope> | Scope.Scope> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function*() {
        const route = routeOf(options, yield* Random.nextInt)
        const scope = yield* Scope.fork(yield* Effect.scope)
        const spawning = Effect.gen({ self: this }, function*() {
          const above = yield* this.#supervise(definition.name, options.name, { intensity: options.size, ...options })
          const numbers = Array.from({ length: options.size }, (_, number) => String(number))
          const workers = yield* Effect.forEach(numbers, (number) => above.#spawn(definition, { name: number }))
          return new WorkerPool(above, workers, route)
        })
        return yield* Effect.onError(
          restore(Effect.provideService(spawning, Scope.Scope, scope)),
          (cause) => Scope.close(scope, Exit.failCause(cause))
        )
      })
    )

  readonly supervise: Supervisor["supervise"] = (name, options = {}) => this.#supervise(name, name, options)

  #supervise(
    defaultName: string,
    wanted: string | undefined,
    { restart = "permanent", ...options }: SupervisorOptions & { readonly restart?: RestartKind },
    kernelOf: (kernel: Kernel, name: string) => Kernel = (kernel) => kernel
  ): Effect.Effect<SupervisorCell, StartFailed, Scope.Scope> {
    return Effect.uninterruptible(Effect.gen({ self: this }, function*() {
      const scope = yield* Effect.scope
      const cell = yield* this.#admit(defaultName, wanted, (name) => {
        const owner = Scope.forkUnsafe(scope)
        return new SupervisorCell({
          ...options,
          kernel: kernelOf(this.#kernel, name),
          parent: this,
          name,
          restart,
          owner
        })
      })
      yield* Scope.addFinalizerExit(cell.#owner, () => this.#kernel.ending(cell))
      cell.#publish(Lifecycle.started)
      return cell
    }))
  }

  /**
   * The root of a system within this one, whose kernel is made of this one's: a supervisor that is
   * started again with its siblings, and gives up for itself. A number is appended to a taken name.
   */
  openWithin(
    wanted: string,
    kernelOf: (kernel: Kernel, name: string) => Kernel,
    options: SupervisorOptions & Required<Pick<SupervisorCellOptions, "onEscalation">>
  ): Effect.Effect<SupervisorCell, StartFailed, Scope.Scope> {
    return this.#supervise(wanted, undefined, options, kernelOf)
  }

  /**
   * Takes a child in, in one step: nobody else takes its name, and the supervisor's end does not
   * miss it, whenever the fiber has to yield.
   */
  #admit<C extends Child>(
    defaultName: string,
    wanted: string | undefined,
    make: (name: string) => C
  ): Effect.Effect<C, StartFailed> {
    return Effect.suspend(() => {
      const name = this.#freeName(defaultName, wanted)
      if (typeof name !== "string") return Effect.fail(name)
      const child = make(name)
      this.#children.set(name, child)
      return Effect.succeed(child)
    })
  }
  /** The wanted name if it is free; if none is wanted, the default name, with a number if taken. */
  #freeName(defaultName: string, wanted: string | undefined): string | StartFailed {
    const failed = (cause: string) =>
      new StartFailed({ actor: `${this.path}/${wanted ?? defaultName}`, cause: new Error(cause) })
    if (!isName(wanted ?? defaultName)) return failed("a name is not empty and has no slash")
    if (this.phase !== "running") return failed(`${this.path} is not running`)
    if (wanted !== undefined) return this.#children.has(wanted) ? failed("the name is taken") : wanted
    let name = defaultName
    while (this.#children.has(name)) name = `${defaultName}-${++this.#lastNumber}`
    return name
  }

  /** The actor or supervisor at a path from the root down, with the supervisor above it. */
  find(path: string): { readonly child: Child; readonly above: SupervisorCell } | undefined {
    if (!path.startsWith(`${this.path}/`)) return undefined
    const [name = "", ...rest] = path.slice(this.path.length + 1).split("/")
    const child = this.#children.get(name)
    if (child === undefined) return undefined
    if (rest.length === 0) return { child, above: this }
    return child instanceof SupervisorCell ? child.find(path) : undefined
  }
  readonly stop = (child: Target): Effect.Effect<void, ControlRefused | WaitsForItself> =>
    // Only a restart fails to start.
    Effect.catchTag(this.#command("Stop", child), "StartFailed", Effect.die)
  readonly restart = (child: Target): Effect.Effect<void, ControlRefused | StartFailed | WaitsForItself> =>
    this.#command("Restart", child)

  #command(
    tag: Command["_tag"],
    target: Target
  ): Effect.Effect<void, ControlRefused | StartFailed | WaitsForItself> {
    return Effect.withFiber<void, ControlRefused | StartFailed | WaitsForItself>((fiber) => {
      const path = typeof target === "string" ? target : target.path
      const found = this.find(path)
      // Another child may have the name of one that has ended.
      if (found === undefined || (typeof target !== "string" && found.child !== target))
        return Effect.fail(new ControlRefused({ path, reason: "not_found" }))
      if (found.child.holds(fiber)) return Effect.fail(new WaitsForItself({ actor: path }))
      const done = Deferred.makeUnsafe<void, ControlRefused | StartFailed>()
      found.above.#order({ _tag: tag, child: found.child, done })
      return Deferred.await(done)
    })
  }
  #order(command: Command): void {
    if (this.phase !== "running") this.#refuse(command, "not_supervised")
    else this.#submit(command)
  }
  #refuse({ child: { name }, done }: Command, reason: ControlRefusal): void {
    Deferred.doneUnsafe(done, Effect.fail(new ControlRefused({ path: `${this.path}/${name}`, reason })))
  }

  childEnded(child: Child, incarnation: number, crash: Cause.Cause<unknown> | undefined): void {
    this.#submit({ _tag: "Ended", child, incarnation, crash })
  }
  forget(child: Child): void {
    if (this.#children.get(child.name) === child) this.#children.delete(child.name)
    this.#unplan(child)
  }
  #unplan(child: Child): void {
    for (const group of this.#planned) group.children.delete(child)
  }

  #submit(event: Event): void {
    this.#events.push(event)
    this.#wake()
  }
  /** Schedules a fiber that decides all events, unless there is one. */
  #wake(): void {
    if (this.#isDeciding || this.#isStarting || !this.isOpen || this.#events.length === 0) return
    this.#isDeciding = true
    this.#kernel.turns.schedule(() => {
      const deciding = Effect.whileLoop({ while: () => this.#next(), body: () => this.#decide(), step: nothing })
      Effect.runForkWith(this.#kernel.context)(deciding, { uninterruptible: true })
    })
  }
  /** Whether there is an event to decide now. */
  #next(): boolean {
    if (!this.isOpen) this.#dropEvents()
    this.#isDeciding = this.#events.length > 0 && !this.#isStarting
    return this.#isDeciding
  }
  #decide(): Effect.Effect<void> {
    const event = this.#events.shift()
    if (event === undefined) return Effect.void
    if (isCommand(event)) return this.#obey(event)
    if (this.phase !== "running") return Effect.void
    if (event._tag === "Ended") return this.#afterEnd(event.child, event.incarnation, event.crash)
    // A crash that was decided meanwhile may have merged the group into another one.
    return this.#planned.delete(event.group) ? this.#startGroup(event.group) : Effect.void
  }

  /** Forgets what is to be decided, as the supervisor itself ends. */
  #dropEvents(): void {
    const events = this.#events
    this.#events = []
    for (const event of events) if (isCommand(event)) this.#refuse(event, "not_supervised")
  }

  /** Does what an operator wants. */
  #obey(command: Command): Effect.Effect<void> {
    const { _tag, child, done } = command
    return Effect.gen({ self: this }, function*() {
      if (this.phase !== "running") return this.#refuse(command, "not_supervised")
      if (this.#children.get(child.name) !== child || !child.isOpen) return this.#refuse(command, "not_found")
      if (child.phase === "starting") return this.#refuse(command, "starting")
      this.#unplan(child)
      this.#streaks.delete(child)
      const { incarnation } = child
      // If it ends by itself meanwhile, the supervisor hears of what is decided here.
      this.#stopped.set(child, incarnation)
      yield* _tag === "Stop" && child.restartKind === "temporary" ? child.terminate : child.halt
      // This supervisor itself may have been restarted meanwhile, and the child along with it.
      if (_tag === "Stop" || child.incarnation !== incarnation) return Deferred.doneUnsafe(done, Exit.void)
      if (this.phase !== "running") return this.#refuse(command, "not_supervised")
      if (!child.isOpen) return this.#refuse(command, "not_found")
      const exit = yield* child.start
      if (Exit.isSuccess(exit)) return Deferred.doneUnsafe(done, Exit.void)
      this.#stopped.set(child, incarnation + 1)
      const failed = new StartFailed({ actor: `${this.path}/${child.name}`, cause: Cause.squash(exit.cause) })
      return Deferred.doneUnsafe(done, Exit.fail(failed))
    })
  }

  #afterEnd(child: Child, incarnation: number, crash: Cause.Cause<unknown> | undefined): Effect.Effect<void> {
    const isKnown = this.#children.get(child.name) === child && child.isOpen
    if (this.#stopped.get(child) === incarnation) return Effect.void
    if (!isKnown || child.incarnation !== incarnation || child.phase !== "waiting") return Effect.void
    if (crash !== undefined) this.#noteCrash(crash)
    // It crashed at the same time as a sibling whose group it belongs to: that was decided for
    // both.
    if (this.#isPlanned(child)) return Effect.void
    if (child.restartKind === "temporary" || (child.restartKind === "transient" && crash === undefined))
      return child.terminate
    if (!this.#window.admit(this.#kernel.elapsed())) return this.#escalate(child, crash)
    this.#restartCount += 1
    child.countRestart()
    const crashes = this.#crashesInARow(child)
    return Effect.gen({ self: this }, function*() {
      const group = yield* this.#endGroup(child)
      const delay = yield* delayOf(this.#backoff, crashes)
      this.#streaks.set(child, { crashes, upSince: this.#kernel.elapsed() + delay })
      // The supervisor's own end may have begun while the siblings were ended: a timer would
      // outlive it.
      if (this.phase !== "running") return
      if (delay > 0) this.#planStart(group, delay)
      else yield* this.#startGroup(group)
    })
  }
  /**
   * Whether a planned group will start this child. Under `one_for_one` a crashed child is never in
   * one; under the other strategies there is at most one group.
   */
  #isPlanned(child: Child): boolean {
    if (this.#strategy === "one_for_one") return false
    for (const planned of this.#planned) if (planned.children.has(child)) return true
    return false
  }
  /**
   * Ends the siblings that the strategy restarts together with the crashed child, the last started
   * first. Returns the group to start again: the child, those siblings, and all children that were
   * waiting for a planned restart, so that the order of starting holds.
   */
  #endGroup(child: Child): Effect.Effect<Group> {
    const group: Group = { children: new Set([child]), timer: undefined }
    if (this.#strategy === "one_for_one") return Effect.succeed(group)
    for (const planned of this.#planned) {
      planned.timer?.interruptUnsafe()
      for (const waiting of planned.children) group.children.add(waiting)
    }
    this.#planned.clear()
    const all = [...this.#children.values()]
    const affected = this.#strategy === "one_for_all" ? all : all.slice(all.indexOf(child))
    for (const member of affected) member.joinGroup(this)
    return Effect.as(
      Effect.forEach(affected.toReversed(), (sibling) => {
        if (sibling === child) return Effect.void
        if (sibling.restartKind === "temporary") return sibling.terminate
        group.children.add(sibling)
        return sibling.halt
      }, { discard: true }),
      group
    )
  }
  #planStart(group: Group, delay: number): void {
    this.#planned.add(group)
    const wait = Effect.map(Effect.sleep(delay), () => this.#submit({ _tag: "Due", group }))
    group.timer = Effect.runForkWith(this.#kernel.context)(wait)
  }
  /**
   * Starts the children in the order in which they were first started. If one fails to start, that
   * is one more crash, and the rest waits for its decision.
   */
  #startGroup({ children }: Group): Effect.Effect<void> {
    const ordered = children.size < 2
      ? [...children]
      : [...this.#children.values()].filter((child) => children.has(child))
    return Effect.asVoid(this.#startAll(ordered, (child, cause) => {
      this.#events.unshift({ _tag: "Ended", child, incarnation: child.incarnation, crash: cause })
    }))
  }
  /** Starts the children until one fails. False if one did. */
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

  /**
   * Gives up: ends for good as the root of a system, otherwise halts the children and reports a
   * crash.
   */
  #escalate(child: Child, crash: Cause.Cause<unknown> | undefined): Effect.Effect<void> {
    const span = crash === undefined ? undefined : spanOf(crash)
    const { path: supervisor } = this
    const trace = span === undefined ? undefined : traceOf(span)
    const escalated = new Escalated({ supervisor, child: child.name, restarts: this.#restartCount, trace })
    const cause = span === undefined ? Cause.die(escalated) : remember(Cause.die(escalated), span)
    reportUnsafe(this.#kernel, this, "gave up", cause)
    this.#publish(() => ({ _tag: "GaveUp", child: child.name, restarts: this.#restartCount }))
    const { incarnation } = this
    this.#hasGivenUp = true
    if (this.#onEscalation !== undefined) {
      this.#onEscalation(escalated)
      return this.#endForGood()
    }
    this.joinGroup(this)
    return Effect.map(this.#haltAll(), () => this.#parent?.childEnded(this, incarnation, cause))
  }
  #haltAll(): Effect.Effect<void> {
    if (this.#halted !== undefined) return this.#halted.await
    const halting = this.#halted = Latch.makeUnsafe(false)
    this.phase = "ending"
    this.#cancelPlanned()
    const ends = Effect.forEach(
      [...this.#children.values()].toReversed(),
      (child) => child.restartKind === "temporary" ? child.terminate : child.halt,
      { discard: true }
    )
    return Effect.map(ends, () => {
      // Its final end may have begun meanwhile.
      if (this.isOpen) {
        this.phase = "waiting"
        this.#publish(Lifecycle.stopped("stopped"))
      }
      this.#dropEvents()
      this.#halted = undefined
      halting.openUnsafe()
    })
  }
  #cancelPlanned(): void {
    for (const { timer } of this.#planned) timer?.interruptUnsafe()
    this.#planned.clear()
  }

  get start(): Effect.Effect<Exit.Exit<void, unknown>> {
    return Effect.gen({ self: this }, function*() {
      if (!this.isOpen) return Exit.fail(new ActorStopped({ actor: this.path }))
      if (this.phase !== "waiting") return Exit.void
      this.incarnation += 1
      this.phase = "running"
      this.#hasGivenUp = false
      this.#isStarting = true
      this.#window.clear()
      let failed: Exit.Exit<never, unknown> | undefined
      const started = yield* this.#startAll([...this.#children.values()], (_, cause) => {
        failed = Exit.failCause(cause)
      })
      if (!started && this.isOpen) {
        this.joinGroup(this)
        yield* this.#haltAll()
      }
      this.#isStarting = false
      if (failed === undefined) this.#publish(Lifecycle.restarted)
      else if (Exit.isFailure(failed)) this.#publish(Lifecycle.crashed(failed.cause))
      this.#wake()
      return failed ?? Exit.void
    })
  }
  get halt(): Effect.Effect<void> {
    return Effect.suspend(() => this.phase === "running" || this.#halted !== undefined ? this.#haltAll() : Effect.void)
  }
  get terminate(): Effect.Effect<void> {
    return Effect.uninterruptible(Effect.withFiber((fiber) => {
      if (this.#ended === undefined) return this.#endForGood()
      return this.holds(fiber) ? Effect.void : this.#ended.await
    }))
  }
  /** Ends all children for good, the last started first. */
  #endForGood(): Effect.Effect<void> {
    const ended = this.#ended = Latch.makeUnsafe(false)
    this.isOpen = false
    this.phase = "ending"
    this.#cancelPlanned()
    const childrenEnd = Effect.suspend(() =>
      Effect.forEach([...this.#children.values()].toReversed(), (child) => child.terminate, { discard: true })
    )
    return Effect.flatMap(childrenEnd, () => {
      if (this.#children.size === 0) return this.#finish(ended)
      // The handler of an actor under it ends it, and cannot wait for itself: others do.
      return Effect.asVoid(
        Effect.forkDetach(Effect.andThen(childrenEnd, this.#finish(ended)), { uninterruptible: true })
      )
    })
  }
  #finish(ended: Latch.Latch): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.phase = "ended"
      this.#dropEvents()
      this.#publish(Lifecycle.stopped("gone"))
      this.#parent?.forget(this)
      ended.openUnsafe()
      return Scope.close(this.#owner, Exit.void)
    })
  }

  #publish(happening: Parameters<typeof Lifecycle.publish>[3]): void {
    Lifecycle.publish(this.#kernel, "supervisor", this, happening)
  }
  #noteCrash(cause: Cause.Cause<unknown>): void {
    this.#lastCrash = { at: this.#kernel.clock.currentTimeMillisUnsafe(), message: describe(cause) }
  }
  /** Includes this crash. The delay before a restart does not count as time up. */
  #crashesInARow(child: Child): number {
    const streak = this.#streaks.get(child)
    return streak === undefined || this.#kernel.elapsed() - streak.upSince > this.#period ? 1 : streak.crashes + 1
  }

  get gaveUp(): string | undefined {
    return this.#hasGivenUp ? this.path : this.#parent?.gaveUp
  }
  holds(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    for (const child of this.#children.values()) if (child.holds(fiber)) return true
    return false
  }
  /** All actors under it are of the group. */
  joinGroup(supervisor: Parent): void {
    for (const child of this.#children.values()) child.joinGroup(supervisor)
  }
  /** Nothing to count: `inspect` shows the restarts of its children, not its own. */
  countRestart(): void {}
  readonly inspect = (): SupervisorInspection => ({
    ...this.#inspectItself(),
    children: Array.from(this.#children.values(), (child) => child.inspect())
  })
  /** The same with `pause` before each child, which is shown as it is by then. */
  inspectBy(pause: Effect.Effect<void>): Effect.Effect<SupervisorInspection> {
    return Effect.suspend(() => {
      const itself = this.#inspectItself()
      const shown = Effect.forEach(
        [...this.#children.values()],
        (child) =>
          Effect.andThen(
            pause,
            Effect.suspend(() =>
              child instanceof SupervisorCell ? child.inspectBy(pause) : Effect.succeed(child.inspect())
            )
          )
      )
      return Effect.map(shown, (children) => ({ ...itself, children }))
    })
  }
  readonly #inspectItself = (): Omit<SupervisorInspection, "children"> => ({
    kind: "supervisor",
    name: this.name,
    path: this.path,
    phase: this.phase,
    restart: this.restartKind,
    strategy: this.#strategy,
    incarnation: this.incarnation,
    restarts: this.#restartCount,
    lastCrash: this.#lastCrash
  })
}

/** A path is the names with slashes between them: two actors would have the same one. */
export const isName = (name: string): boolean => name !== "" && !name.includes("/")

const nothing = (): void => undefined
