/**
 * The actor that has the keeper: whatever happens to a hound is a message, and the keeper decides
 * (CONFORMANCE H1, S1).
 *
 * Promises that an incarnation owns its hounds: a crash is their end, the next incarnation has new
 * ones, and what the old ones were looking at is settled as `lost`. One timer for all deadlines:
 * the earliest.
 *
 * **Gotchas**
 *
 * - A message names the keeper that it is about: one of an incarnation that is gone is nobody's.
 * - Looks that come before there are hounds wait, however many: whoever asks has a bound.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as Request from "effect/Request"
import type * as Scope from "effect/Scope"
import type { Socket } from "node:net"
import type { ActorRef } from "../../actor/ActorRef.ts"
import { define } from "../../actor/Definition.ts"
import { fifo } from "../../actor/Mailbox.ts"
import type { Supervisor } from "../../actor/Supervisor.ts"
import { MonotonicTime } from "../../host/port/MonotonicTime.ts"
import type { Launcher } from "./Launcher.ts"
import { PoolCore } from "./PoolCore.ts"
import type { PoolHost, PoolSettings } from "./PoolHost.ts"
import { type Examination, type OutcomeKind, withoutHound } from "./Examination.ts"
import type { ConnectionDecision } from "../process/HoundConnection.ts"
import type { ProcessExit } from "../process/Spawner.ts"

/** The den is there: have hounds. */
class Open extends Request.TaggedClass("Open")<{}, void> {}
/** Have none. */
class Shut extends Request.TaggedClass("Shut")<{}, void> {}
class Examine extends Request.TaggedClass("Examine")<{ readonly look: Examination }, void> {}
class Abandon extends Request.TaggedClass("Abandon")<{ readonly look: Examination }, void> {}
/** What the message is about. */
interface Whose {
  readonly core: PoolCore
  readonly id: number
}
/** A hound runs. */
class Up extends Request.TaggedClass("Up")<Whose & { readonly pipe: Socket }, void> {}
/** A hound spoke. */
class Heard extends Request.TaggedClass("Heard")<Whose & { readonly decision: ConnectionDecision }, void> {}
/** A hound is no more. */
class Fell extends Request.TaggedClass("Fell")<Whose & { readonly ending: ProcessExit }, void> {}
class Tick extends Request.TaggedClass("Tick")<{}, void> {}
class Rotate extends Request.TaggedClass("Rotate")<{ readonly done: () => void }, void> {}

type Protocol = Open | Shut | Examine | Abandon | Up | Heard | Fell | Tick | Rotate

/**
 * Messages that may wait: three for each job that can be at hand, and a few for each process that
 * there can be. Nobody outside tells it anything, so this is never reached.
 */
const capacity = 65_536

const never = Number.POSITIVE_INFINITY

/** What the actor tells whoever has it. Must not throw. */
export interface PoolHooks
  extends Pick<PoolHost, "newName" | "onLaunch" | "onReady" | "onEnding" | "onViolation" | "onBootFailure">
{
  /** After whatever happened. */
  readonly onChange: (core: PoolCore) => void
  /** What a hound wrote to its stderr, where that is kept. */
  readonly onLastWords: (words: string) => Effect.Effect<void>
}

/** The actor, to the pool. */
export interface PoolActor {
  /** Null while there are no hounds. */
  readonly core: () => PoolCore | null
  /** Has hounds of this den from now on, across crashes. */
  readonly open: (launcher: Launcher) => void
  /** Ends all hounds, and has none; comes back when they are gone. */
  readonly shut: Effect.Effect<void>
  readonly examine: (look: Examination) => void
  readonly abandon: (look: Examination) => void
  /** Settles what waits for hounds that will not come, and whatever comes from now on. */
  readonly giveUp: (kind: OutcomeKind) => void
  readonly rotate: Effect.Effect<void>
  /** Asks the keeper for something outside of its messages; `otherwise` where there is none. */
  readonly act: <A>(change: (core: PoolCore) => A, otherwise: A) => A
}

/** An actor that lives as long as the scope. Synchronous. */
export const makePoolActor = (
  supervisor: Supervisor,
  settings: PoolSettings,
  hooks: PoolHooks
): Effect.Effect<PoolActor, never, MonotonicTime | Scope.Scope> =>
  Effect.gen(function*() {
    const clock = yield* Clock.Clock
    const time = yield* MonotonicTime
    const early: Array<Examination> = []
    let launcher: Launcher | null = null
    let core: PoolCore | null = null
    let givenUp: OutcomeKind | null = null
    let rotating: (() => void) | null = null
    /** When the timer goes off, in monotonic ms. */
    let alarm = never

    const behaviour = (ref: ActorRef<Protocol>) =>
      Effect.gen(function*() {
        const runAlarm = yield* FiberHandle.makeRuntime<never>()
        const tell = (message: Protocol): boolean => ref.tellUnsafe(message)
        let closeSpawner = (): Promise<void> => Promise.resolve()
        const arm = (due: number): void => {
          if (due >= alarm) return
          alarm = due
          const wait = Duration.millis(Math.max(1, Math.ceil(due - time.nowMs())))
          runAlarm(Effect.andThen(clock.sleep(wait), Effect.sync(() => tell(new Tick()))))
        }
        /** What every event ends with. */
        const settle = (): void => {
          if (core === null) return
          hooks.onChange(core)
          if (rotating !== null && core.isRotated) {
            rotating()
            rotating = null
          }
          arm(core.due)
        }
        const open = ({ openLine, openSpawner }: Launcher): void => {
          if (openSpawner === null || core !== null) return
          const spawner = openSpawner()
          // What becomes of hounds that are being shut is nobody's news, and no dead letter.
          const isMine = (): boolean => core === made && ref.refusalUnsafe() === null
          const made: PoolCore = new PoolCore(settings, {
            ...hooks,
            spawner,
            openLine: (id, pipe) => {
              const line = openLine(pipe)
              line.onDecision((decision) => {
                // What a hound says of itself is worth no message: the host timed it, and its
                // memory was looked at.
                if (decision.type !== "metrics" && isMine()) tell(new Heard({ core: made, id, decision }))
              })
              return line
            },
            onUp: (id, pipe) => isMine() ? tell(new Up({ core: made, id, pipe })) : pipe.destroy(),
            onDown: (id, ending) => isMine() && tell(new Fell({ core: made, id, ending })),
            now: time.nowMs,
            wallNow: () => clock.currentTimeMillisUnsafe()
          })
          core = made
          closeSpawner = () => spawner.close()
          made.open()
          for (const look of early.splice(0)) made.look(look)
        }
        const shut = Effect.suspend(() => {
          const gone = core
          core = null
          rotating?.()
          rotating = null
          gone?.close("lost")
          alarm = never
          return Effect.promise(closeSpawner)
        })
        const on = <M extends Protocol>(handle: (message: M) => void) => (message: M): Effect.Effect<void> => {
          handle(message)
          settle()
          return Effect.void
        }
        const onMine = <M extends Whose & Protocol>(handle: (message: M) => void) =>
          on<M>((message) => {
            if (message.core === core) handle(message)
          })
        yield* Effect.addFinalizer(() => shut)
        // After a crash: there is a den already.
        if (launcher !== null) open(launcher)
        settle()
        return {
          Open: on(() => {
            if (launcher !== null) open(launcher)
          }),
          Shut: () => shut,
          Examine: on<Examine>(({ look }) => {
            if (givenUp !== null) look.settle(withoutHound(givenUp))
            else if (core === null) early.push(look)
            else core.look(look)
          }),
          Abandon: on<Abandon>(({ look }) => {
            const at = early.indexOf(look)
            if (at >= 0) early.splice(at, 1)
            core?.abandon(look)
          }),
          Up: on<Up>(({ id, core: whose, pipe }) => {
            if (whose === core) whose.up(id, pipe)
            else pipe.destroy()
          }),
          Heard: onMine<Heard>(({ decision, id, core: whose }) => whose.heard(id, decision)),
          Fell: (message: Fell) => {
            const { ending, id, core: whose } = message
            if (whose === core) whose.down(id, ending)
            settle()
            return ending.message === "" ? Effect.void : hooks.onLastWords(ending.message)
          },
          Tick: on(() => {
            alarm = never
            core?.tick()
          }),
          Rotate: on<Rotate>(({ done }) => {
            rotating?.()
            rotating = done
            if (core === null) {
              rotating = null
              return done()
            }
            core.rotate()
          })
        }
      })

    const actor = yield* Effect.orDie(supervisor.spawn(
      define<Protocol>()("hounds", {
        mailbox: fifo({ capacity }),
        onDeadLetter: (message) => {
          if (message._tag === "Examine") message.look.settle(withoutHound("lost"))
          else if (message._tag === "Up") message.pipe.destroy()
          else if (message._tag === "Rotate") message.done()
        },
        behaviour: ({ ref }) => behaviour(ref)
      })
    ))
    return {
      core: () => core,
      open: (from) => {
        launcher = from
        givenUp = null
        actor.tellUnsafe(new Open())
      },
      shut: Effect.suspend(() => {
        launcher = null
        return Effect.orDie(actor.ask(new Shut()))
      }),
      examine: (look) => {
        actor.tellUnsafe(new Examine({ look }))
      },
      abandon: (look) => {
        actor.tellUnsafe(new Abandon({ look }))
      },
      giveUp: (kind) => {
        givenUp = kind
        for (const look of early.splice(0)) look.settle(withoutHound(kind))
      },
      rotate: Effect.callback<void>((resume) => {
        actor.tellUnsafe(new Rotate({ done: () => resume(Effect.void) }))
      }),
      act: (change, otherwise) => {
        if (core === null) return otherwise
        const result = change(core)
        // The timer is set where messages are handled.
        if (core.due < alarm) actor.tellUnsafe(new Tick())
        return result
      }
    }
  })
