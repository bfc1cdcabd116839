/**
 * The actor `hounds`: it has the pool core, and hands it whatever happens to a hound, one event
 * after the other (CONFORMANCE H1, S1).
 *
 * Promises that an incarnation owns its hounds: a crash is their end, the next incarnation has new
 * ones, and what the old ones were examining is settled as `lost`. One timer for all deadlines: the
 * earliest. Once the actor has begun to end it is told nothing more: closing leaves no dead letter.
 *
 * **Details**
 *
 * - What a hound says of its job reaches the core on the turn on which it was read: as a message it
 *   would cost a turn, for which the hound would have nothing to do. What the core throws over it
 *   is the actor's crash all the same.
 *
 * **Gotchas**
 *
 * - The core is the same one throughout; its hounds are not. A message names its hound by an id
 *   that is never used again, so one about a hound that is gone changes nothing.
 * - No job waits in this mailbox: `Serve` says only that the waiting line has a head.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Request from "effect/Request"
import type * as Scope from "effect/Scope"
import type { Socket } from "node:net"
import type { ActorRef } from "../../actor/ActorRef.ts"
import { define, type Self } from "../../actor/Definition.ts"
import { fifo } from "../../actor/Mailbox.ts"
import type { Handlers } from "../../actor/Message.ts"
import type { Supervisor } from "../../actor/Supervisor.ts"
import { MonotonicTime } from "../../host/port/MonotonicTime.ts"
import { Caller } from "../../telemetry/Caller.ts"
import type { ConnectionDecision, HoundConnection } from "../process/HoundConnection.ts"
import type { ProcessExit } from "../process/Spawner.ts"
import type { Examination } from "./Examination.ts"
import type { Launcher } from "./Launcher.ts"
import { PoolCore } from "./PoolCore.ts"
import type { Line, PoolHost, PoolSettings } from "./PoolHost.ts"

/** The waiting line has a head. */
class Serve extends Request.TaggedClass("Serve")<{}, void> {}
class Up extends Request.TaggedClass("Up")<{ readonly id: number; readonly pipe: Socket }, void> {}
class Heard extends Request.TaggedClass("Heard")<
  { readonly id: number; readonly decision: ConnectionDecision },
  void
> {}
class Down extends Request.TaggedClass("Down")<{ readonly id: number; readonly exit: ProcessExit }, void> {}
class Tick extends Request.TaggedClass("Tick")<{}, void> {}
/** The timer is to be set earlier. */
class Arm extends Request.TaggedClass("Arm")<{}, void> {}
/** The core threw over what a hound said of its job. */
class Fault extends Request.TaggedClass("Fault")<{ readonly defect: unknown }, void> {}
class Rotate extends Request.TaggedClass("Rotate")<{ readonly done: () => void }, void> {}

type Protocol = Serve | Up | Heard | Down | Tick | Arm | Fault | Rotate

/**
 * Messages that may wait: a few for each process that there can be. Nobody outside tells it
 * anything, so this is never reached.
 */
const capacity = 65_536

const never = Number.POSITIVE_INFINITY

/** The key of the one timer. */
const alarm = "alarm"

/** Where messages go before there is an actor. */
const nowhere: Pick<ActorRef<Protocol>, "tellUnsafe" | "refusalUnsafe"> = {
  tellUnsafe: () => false,
  refusalUnsafe: () => "closed"
}

/** What the actor tells its owner. Must not throw. */
export interface PoolHooks extends Pick<PoolHost, "newName" | "onLaunch" | "onExit" | "onViolation"> {
  readonly onReady: (core: PoolCore) => void
  /** A hound did not become ready; null: it was not in time. */
  readonly onBootFailure: (core: PoolCore, exit: ProcessExit | null) => void
  /** What a hound wrote to its stderr, where that is kept. */
  readonly onLastWords: (words: string) => Effect.Effect<void>
}

/** What the actor needs of its host. */
interface Surroundings {
  readonly caller: Pick<Caller, "within">
  readonly clock: Clock.Clock
  readonly time: MonotonicTime["Service"]
}

export class PoolActor {
  readonly core: PoolCore
  readonly #caller: Pick<Caller, "within">
  readonly #line: Line
  readonly #time: MonotonicTime["Service"]
  readonly #hooks: PoolHooks
  #ref = nowhere
  /** Where each incarnation has its hounds from; null: it has none. */
  #launcher: Launcher | null = null
  /** To be called when the rotation under way has ended. */
  #rotated: (() => void) | null = null
  /** When the timer goes off, in monotonic ms. */
  #alarm = never

  constructor({ caller, clock, time }: Surroundings, settings: PoolSettings, line: Line, hooks: PoolHooks) {
    this.#caller = caller
    this.#line = line
    this.#time = time
    this.#hooks = hooks
    this.core = new PoolCore(settings, line, {
      newName: hooks.newName,
      onLaunch: hooks.onLaunch,
      onExit: hooks.onExit,
      onViolation: hooks.onViolation,
      onReady: () => hooks.onReady(this.core),
      onBootFailure: (exit) => hooks.onBootFailure(this.core, exit),
      onUp: (id, pipe) => this.#isHeard(id) ? this.#tellOf(id, new Up({ id, pipe })) : pipe.destroy(),
      onDown: (id, exit) => this.#isHeard(id) && this.#tellOf(id, new Down({ id, exit })),
      now: time.nowMs,
      wallNow: () => clock.currentTimeMillisUnsafe()
    })
  }

  /** Starts the actor, which lives as long as the scope. Synchronous. */
  spawn(supervisor: Supervisor): Effect.Effect<void, never, Scope.Scope> {
    return Effect.asVoid(Effect.orDie(supervisor.spawn(
      define<Protocol>()("hounds", {
        mailbox: fifo({ capacity }),
        onDeadLetter: (message) => this.#buried(message),
        behaviour: (self) => this.#incarnate(self)
      })
    )))
  }

  /** Has hounds of this launcher from now on, across crashes. */
  open(launcher: Launcher): void {
    this.#launcher = launcher
    this.act(() => this.#open())
  }

  /** Ends all hounds, and has none; comes back when they are gone. Not to be called by a hook. */
  get shut(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#launcher = null
      return this.#end
    })
  }

  /** The waiting line has a head. */
  serve(): void {
    this.#tellFor(this.#line.first, new Serve())
  }

  get rotate(): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      this.#tell(new Rotate({ done: () => resume(Effect.void) }))
    })
  }

  /** Does something to the core outside of its messages. */
  act<A>(change: (core: PoolCore) => A): A {
    const result = change(this.core)
    // The timer is set where messages are handled. No tick: that would work out anew when the next
    // is due, so that a hound which rests for a moment after each job would cause one each time.
    if (this.core.due < this.#alarm) this.#tell(new Arm())
    return result
  }

  /**
   * Tells the actor of a hound, in the name of whose evidence that examines: it is nobody's turn.
   */
  #tellOf(id: number, message: Protocol): void {
    this.#tellFor(this.core.table.get(id)?.examination ?? null, message)
  }

  /** Tells the actor in the name of the call that an examination came from. */
  #tellFor(examination: Examination | null, message: Protocol): void {
    this.#caller.within(examination?.job.span, () => this.#tell(message))
  }

  /** Tells the actor, if it has not begun to end: then nobody has to know any more. */
  #tell(message: Protocol): void {
    if (this.#ref.refusalUnsafe() === "closed") this.#buried(message)
    else this.#ref.tellUnsafe(message)
  }

  #incarnate(self: Self<Protocol>): Effect.Effect<Handlers<Protocol>, never, Scope.Scope> {
    return Effect.gen({ self: this }, function*() {
      this.#ref = self.ref
      yield* Effect.addFinalizer(() => this.#end)
      // After a crash.
      this.#open()
      yield* this.#settle(self)
      return this.#handlers(self)
    })
  }

  #handlers(self: Self<Protocol>): Handlers<Protocol> {
    const { core } = this
    const on = <M extends Protocol>(handle: (message: M) => void) => (message: M): Effect.Effect<void> => {
      handle(message)
      return this.#settle(self)
    }
    return {
      Serve: on(() => core.serve()),
      Up: on<Up>(({ id, pipe }) => core.up(id, pipe)),
      Heard: on<Heard>(({ decision, id }) => core.heard(id, decision)),
      Down: ({ exit, id }) => {
        core.down(id, exit)
        const settled = this.#settle(self)
        return exit.message === "" ? settled : Effect.andThen(settled, this.#hooks.onLastWords(exit.message))
      },
      Tick: on(() => {
        this.#alarm = never
        core.tick()
      }),
      Arm: on(() => undefined),
      Fault: ({ defect }) => Effect.die(defect),
      Rotate: on<Rotate>(({ done }) => {
        this.#rotated?.()
        this.#rotated = done
        core.rotate()
      })
    }
  }

  #open(): void {
    const launcher = this.#launcher
    if (launcher === null || launcher.openSpawner === null || this.core.isOpen) return
    // An actor that is ending, or has ended, would end no hounds that came now.
    if (this.#ref.refusalUnsafe() === "closed") return
    const { openConnection, openSpawner } = launcher
    this.core.open({
      spawner: openSpawner(),
      connect: (id, pipe) => this.#connect(id, openConnection(pipe))
    })
  }

  /** The end of an incarnation's hounds. */
  get #end(): Effect.Effect<void> {
    return Effect.promise(() => {
      this.#endRotation()
      this.#alarm = never
      return this.core.shut()
    })
  }

  #connect(id: number, connection: HoundConnection): HoundConnection {
    connection.onDecision((decision) => {
      // A hound's own figures are worth nothing: the host timed it, and its memory was watched.
      if (decision.type === "metrics" || !this.#isHeard(id)) return
      // The end of a pipe keeps its place behind the exit that it came after, which says why.
      if (decision.type === "status") this.#hear(id, decision)
      else this.#tellOf(id, new Heard({ decision, id }))
    })
    return connection
  }

  /** At once, and not as a message. */
  #hear(id: number, decision: ConnectionDecision): void {
    const examination = this.core.table.get(id)?.examination ?? null
    try {
      this.#caller.within(examination?.job.span, () => this.act((core) => core.heard(id, decision)))
      if (this.core.isRotated) this.#endRotation()
    } catch (defect) {
      this.#tellFor(examination, new Fault({ defect }))
    }
  }

  /** Events from hounds that are shutting down are ignored; they must not become dead letters. */
  #isHeard(id: number): boolean {
    return this.core.table.get(id) !== undefined && this.#ref.refusalUnsafe() === null
  }

  /** Every event ends with this. */
  #settle(self: Self<Protocol>): Effect.Effect<void> {
    if (this.core.isRotated) this.#endRotation()
    return this.#arm(self, this.core.due)
  }

  #endRotation(): void {
    this.#rotated?.()
    this.#rotated = null
  }

  /** Sets the timer if that is earlier than it is set for. */
  #arm({ timers }: Self<Protocol>, due: number): Effect.Effect<void> {
    if (due >= this.#alarm) return Effect.void
    this.#alarm = due
    return timers.once(alarm, Math.max(1, Math.ceil(due - this.#time.nowMs())), new Tick())
  }

  #buried(message: Protocol): void {
    if (message._tag === "Up") message.pipe.destroy()
    else if (message._tag === "Rotate") message.done()
  }
}

/** An actor that lives as long as the scope, without hounds until `open`. Synchronous. */
export const makePoolActor = (
  supervisor: Supervisor,
  settings: PoolSettings,
  line: Line,
  hooks: PoolHooks
): Effect.Effect<PoolActor, never, MonotonicTime | Scope.Scope> =>
  Effect.gen(function*() {
    const around = { caller: yield* Caller, clock: yield* Clock.Clock, time: yield* MonotonicTime }
    const actor = new PoolActor(around, settings, line, hooks)
    yield* actor.spawn(supervisor)
    return actor
  })
