/**
 * The actor that has the keeper: whatever happens to a hound is a message, and the keeper decides (CONFORMANCE H1, S1).
 *
 * Promises that an incarnation owns its hounds: a crash is their end, the next incarnation has new ones, and what the old ones were
 * looking at is settled as `lost`. One timer for all deadlines: the earliest.
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
import type { Den } from "./Den.ts"
import { Keeper } from "./Keeper.ts"
import type { KeeperHost, KeeperSettings } from "./KeeperHost.ts"
import { type Look, type OutcomeKind, withoutHound } from "./Look.ts"
import type { LineDecision } from "../process/HoundLine.ts"
import type { Ending } from "../process/Spawner.ts"

/** The den is there: have hounds. */
class Open extends Request.TaggedClass("Open")<{}, void> {}
/** Have none. */
class Shut extends Request.TaggedClass("Shut")<{}, void> {}
class Examine extends Request.TaggedClass("Examine")<{ readonly look: Look }, void> {}
class Abandon extends Request.TaggedClass("Abandon")<{ readonly look: Look }, void> {}
/** What the message is about. */
interface Whose {
  readonly keeper: Keeper
  readonly id: number
}
/** A hound runs. */
class Up extends Request.TaggedClass("Up")<Whose & { readonly pipe: Socket }, void> {}
/** A hound spoke. */
class Heard extends Request.TaggedClass("Heard")<Whose & { readonly decision: LineDecision }, void> {}
/** A hound is no more. */
class Fell extends Request.TaggedClass("Fell")<Whose & { readonly ending: Ending }, void> {}
class Tick extends Request.TaggedClass("Tick")<{}, void> {}
class Rotate extends Request.TaggedClass("Rotate")<{ readonly done: () => void }, void> {}

type Protocol = Open | Shut | Examine | Abandon | Up | Heard | Fell | Tick | Rotate

/**
 * Messages that may wait: three for each job that can be at hand, and a few for each process that there can be. Nobody outside tells
 * it anything, so this is never reached.
 */
const capacity = 65_536

const never = Number.POSITIVE_INFINITY

/** What the actor tells whoever has it. Must not throw. */
export interface PoolHooks
  extends Pick<KeeperHost, "newName" | "onLaunch" | "onReady" | "onEnding" | "onViolation" | "onBootFailure">
{
  /** After whatever happened. */
  readonly onChange: (keeper: Keeper) => void
  /** What a hound wrote to its stderr, where that is kept. */
  readonly onLastWords: (words: string) => Effect.Effect<void>
}

/** The actor, to the pool. */
export interface PoolActor {
  /** Null while there are no hounds. */
  readonly keeper: () => Keeper | null
  /** Has hounds of this den from now on, across crashes. */
  readonly open: (den: Den) => void
  /** Ends all hounds, and has none; comes back when they are gone. */
  readonly shut: Effect.Effect<void>
  readonly examine: (look: Look) => void
  readonly abandon: (look: Look) => void
  /** Settles what waits for hounds that will not come, and whatever comes from now on. */
  readonly giveUp: (kind: OutcomeKind) => void
  readonly rotate: Effect.Effect<void>
  /** Asks the keeper for something outside of its messages; `otherwise` where there is none. */
  readonly act: <A>(change: (keeper: Keeper) => A, otherwise: A) => A
}

/** An actor that lives as long as the scope. Synchronous. */
export const makePoolActor = (
  supervisor: Supervisor,
  settings: KeeperSettings,
  hooks: PoolHooks
): Effect.Effect<PoolActor, never, MonotonicTime | Scope.Scope> =>
  Effect.gen(function*() {
    const clock = yield* Clock.Clock
    const time = yield* MonotonicTime
    const early: Array<Look> = []
    let den: Den | null = null
    let keeper: Keeper | null = null
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
          if (keeper === null) return
          hooks.onChange(keeper)
          if (rotating !== null && keeper.isRotated) {
            rotating()
            rotating = null
          }
          arm(keeper.due)
        }
        const open = ({ openLine, openSpawner }: Den): void => {
          if (openSpawner === null || keeper !== null) return
          const spawner = openSpawner()
          // What becomes of hounds that are being shut is nobody's news, and no dead letter.
          const isMine = (): boolean => keeper === made && ref.refusalUnsafe() === null
          const made: Keeper = new Keeper(settings, {
            ...hooks,
            spawner,
            openLine: (id, pipe) => {
              const line = openLine(pipe)
              line.onDecision((decision) => {
                // What a hound says of itself is worth no message: the host timed it, and its memory was looked at.
                if (decision.type !== "metrics" && isMine()) tell(new Heard({ keeper: made, id, decision }))
              })
              return line
            },
            onUp: (id, pipe) => isMine() ? tell(new Up({ keeper: made, id, pipe })) : pipe.destroy(),
            onDown: (id, ending) => isMine() && tell(new Fell({ keeper: made, id, ending })),
            now: time.nowMs,
            wallNow: () => clock.currentTimeMillisUnsafe()
          })
          keeper = made
          closeSpawner = () => spawner.close()
          made.open()
          for (const look of early.splice(0)) made.look(look)
        }
        const shut = Effect.suspend(() => {
          const gone = keeper
          keeper = null
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
            if (message.keeper === keeper) handle(message)
          })
        yield* Effect.addFinalizer(() => shut)
        // After a crash: there is a den already.
        if (den !== null) open(den)
        settle()
        return {
          Open: on(() => {
            if (den !== null) open(den)
          }),
          Shut: () => shut,
          Examine: on<Examine>(({ look }) => {
            if (givenUp !== null) look.settle(withoutHound(givenUp))
            else if (keeper === null) early.push(look)
            else keeper.look(look)
          }),
          Abandon: on<Abandon>(({ look }) => {
            const at = early.indexOf(look)
            if (at >= 0) early.splice(at, 1)
            keeper?.abandon(look)
          }),
          Up: on<Up>(({ id, keeper: whose, pipe }) => {
            if (whose === keeper) whose.up(id, pipe)
            else pipe.destroy()
          }),
          Heard: onMine<Heard>(({ decision, id, keeper: whose }) => whose.heard(id, decision)),
          Fell: (message: Fell) => {
            const { ending, id, keeper: whose } = message
            if (whose === keeper) whose.down(id, ending)
            settle()
            return ending.message === "" ? Effect.void : hooks.onLastWords(ending.message)
          },
          Tick: on(() => {
            alarm = never
            keeper?.tick()
          }),
          Rotate: on<Rotate>(({ done }) => {
            rotating?.()
            rotating = done
            if (keeper === null) {
              rotating = null
              return done()
            }
            keeper.rotate()
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
      keeper: () => keeper,
      open: (from) => {
        den = from
        givenUp = null
        actor.tellUnsafe(new Open())
      },
      shut: Effect.suspend(() => {
        den = null
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
        if (keeper === null) return otherwise
        const result = change(keeper)
        // The timer is set where messages are handled.
        if (keeper.due < alarm) actor.tellUnsafe(new Tick())
        return result
      }
    }
  })
