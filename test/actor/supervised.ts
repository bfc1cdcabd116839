/**
 * Supervised children under observation: each records its starts, crashes and stops in one log for
 * the whole system.
 */
import { Clock, type Duration, Effect, Exit, Request, Scope } from "effect"
import {
  type ActorRef,
  ActorSystem,
  type ActorSystemOptions,
  define,
  type Down,
  type Escalated,
  type Inspection,
  type MailboxSpec,
  type RestartKind,
  type Self,
  type SpawnOptions,
  type StartFailed,
  type Supervisor
} from "../../src/actor/index.ts"

/** The answer names the incarnation that handled it. */
export class Work extends Request.TaggedClass("Work")<{ readonly n: number }, string> {}
/** Crashes the actor. */
export class Crash extends Request.TaggedClass("Crash")<{ readonly why?: string }, void> {}
/** The actor stops itself normally. */
export class Leave extends Request.TaggedClass("Leave")<{}, void> {}
/** The handler hangs until it is interrupted. */
export class Hang extends Request.TaggedClass("Hang")<{}, void> {}
/** The handler takes so many milliseconds, and then so many turns. */
export class Slow extends Request.TaggedClass("Slow")<{ readonly ms: number; readonly turns?: number }, string> {}
/** The handler stops its own actor from outside, and waits for that. */
export class StopOwn extends Request.TaggedClass("StopOwn")<{}, void> {}
export class Monitor extends Request.TaggedClass("Monitor")<{ readonly other: ActorRef<never> }, void> {}
export class Link extends Request.TaggedClass("Link")<{ readonly other: ActorRef<never> }, void> {}
/** The message of a monitor. */
export class Heard extends Request.TaggedClass("Heard")<{ readonly down: Down }, void> {}

export type Protocol = Work | Crash | Leave | Hang | Slow | StopOwn | Monitor | Link | Heard
export type Ref = ActorRef<Protocol>

/** Options of a child. */
export interface ChildOptions {
  readonly restart?: RestartKind
  readonly drain?: number
  readonly suspended?: boolean
  readonly mailbox?: MailboxSpec
  /** Run in the behaviour, after its resource was acquired. */
  readonly onStart?: (incarnation: number, self: Self<Protocol>) => Effect.Effect<void, string | Error, Scope.Scope>
  /** Run when its resource is released, before the release is recorded. */
  readonly onStop?: Effect.Effect<void>
}

/** A definition whose actors write into the log. */
export const definitionOf = (log: Array<string>, name: string, options: ChildOptions = {}) =>
  define<Protocol>()(name, {
    restart: options.restart ?? "permanent",
    drain: options.drain ?? 5_000,
    suspended: options.suspended ?? false,
    ...(options.mailbox === undefined ? {} : { mailbox: options.mailbox }),
    behaviour: (self) =>
      Effect.gen(function*() {
        const { ref } = self
        const { incarnation } = ref.inspect()
        yield* Effect.acquireRelease(
          Effect.sync(() => log.push(`start ${ref.name}#${incarnation}`)),
          () => Effect.andThen(options.onStop ?? Effect.void, Effect.sync(() => log.push(`stop ${ref.name}`)))
        )
        if (options.onStart !== undefined) yield* options.onStart(incarnation, self)
        return {
          Work: ({ n }) =>
            Effect.sync(() => {
              log.push(`${ref.name}#${incarnation} works ${n}`)
              return `${n} by ${ref.name}#${incarnation}`
            }),
          Crash: ({ why }) =>
            Effect.suspend(() => {
              log.push(`crash ${ref.name}`)
              return Effect.die(new Error(why ?? "on purpose"))
            }),
          Leave: () => self.stop,
          Hang: () => Effect.never,
          Slow: ({ ms, turns = 0 }) =>
            Effect.gen(function*() {
              yield* Effect.sleep(ms)
              for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
              return `slow by ${ref.name}#${incarnation}`
            }),
          StopOwn: () => ref.stop,
          Monitor: ({ other }) => self.monitor(other, (down) => new Heard({ down })),
          Link: ({ other }) => self.link(other),
          Heard: ({ down }) => Effect.sync(() => log.push(`${ref.name}#${incarnation} heard ${textOf(down)}`))
        }
      })
  })

const textOf = ({ actor, reason }: Down): string => `${actor} ${reason}`

/** Runs everything that does not wait for time. */
export const calm: Effect.Effect<void> = Effect.forEach(Array.from({ length: 40 }), () => Effect.yieldNow, {
  discard: true
})

/** A clock whose time of day somebody sets, on top of the test's clock. */
export const settable = Effect.map(Clock.Clock, (inner) => {
  const hands = { ahead: 0 }
  const clock: Clock.Clock = Object.assign(Object.create(inner) as Clock.Clock, {
    currentTimeMillisUnsafe: () => inner.currentTimeMillisUnsafe() + hands.ahead,
    currentTimeNanosUnsafe: () => inner.currentTimeNanosUnsafe() + BigInt(hands.ahead) * 1_000_000n
  })
  return {
    clock,
    set: (ahead: number) => {
      hands.ahead = ahead
    }
  }
})

/** A clock that counts who sleeps. */
export const counting = Effect.map(Clock.Clock, (inner) => {
  const count = { asleep: 0, most: 0, ever: 0 }
  const clock: Clock.Clock = Object.assign(Object.create(inner) as Clock.Clock, {
    sleep: (duration: Duration.Duration) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          count.ever += 1
          count.most = Math.max(count.most, ++count.asleep)
        }),
        () => inner.sleep(duration),
        () =>
          Effect.sync(() => {
            count.asleep -= 1
          })
      )
  })
  return { clock, count }
})

/** A system of its own, with its own scope. */
export const makeWorld = Effect.fnUntraced(function*(options: ActorSystemOptions = {}) {
  const log: Array<string> = []
  const escalations: Array<Escalated> = []
  const scope = yield* Scope.make()
  const system = yield* Scope.provide(
    ActorSystem.make({ onEscalation: (escalated) => escalations.push(escalated), ...options }),
    scope
  )
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))

  /** Spawns under the root, or another supervisor, into the world's scope. */
  const child = (
    name: string,
    options: ChildOptions = {},
    under: Supervisor = system.root,
    spawning: SpawnOptions = { name }
  ): Effect.Effect<Ref, StartFailed> => Scope.provide(under.spawn(definitionOf(log, name, options), spawning), scope)

  return {
    system,
    root: system.root,
    scope,
    log,
    escalations,
    child,
    supervise: (name: string, options: Parameters<Supervisor["supervise"]>[1] = {}, under: Supervisor = system.root) =>
      Scope.provide(under.supervise(name, options), scope),
    /** The entries since the last call. */
    trace: (): string => log.splice(0).join(", "),
    /**
     * Makes all of them crash, one after the other on this turn, and waits until everything has
     * settled.
     */
    crash: (...refs: ReadonlyArray<Ref>) =>
      Effect.suspend(() => {
        for (const ref of refs) ref.tellUnsafe(new Crash({}))
        return calm
      }),
    close: Scope.close(scope, Exit.void)
  }
})

/**
 * All children with their phases and incarnations; those of a supervisor in brackets.
 */
export const shape = (inspection: Inspection): string => {
  const { incarnation, kind, name, phase } = inspection
  const own = `${name} ${phase}#${incarnation}`
  return kind === "actor" ? own : `${own} [${inspection.children.map(shape).join(", ")}]`
}
