/**
 * An actor under observation: what it was told, and every end that a message came to.
 */
import { Deferred, type Duration, Effect, Exit, type Fiber, Scope } from "effect"
import * as FifoActor from "../../src/actor/FifoActor.ts"

export type Kind = "ok" | "slow" | "dies" | "throws" | "interrupts" | "stuck"

export interface Message {
  readonly id: number
  readonly kind: Kind
  readonly weight: number
}

export const message = (id: number, kind: Kind = "ok", weight = 1): Message => ({ id, kind, weight })

export interface Observed {
  readonly actor: FifoActor.FifoActor<Message>
  readonly scope: Scope.Closeable
  /** In the order in which handling began. */
  readonly begun: Array<number>
  /** `id handled`, `id crashed`, … in order. */
  readonly ends: Array<string>
  /** How many handlers were ever at work at once. */
  readonly most: () => number
  /** The fibers that handlers ran in. */
  readonly fibers: Set<Fiber.Fiber<unknown, unknown>>
  /** Ends the handlers of all "stuck" messages. */
  readonly release: Effect.Effect<boolean>
  readonly close: Effect.Effect<void>
}

export interface Options {
  readonly capacity?: number
  readonly maxWeight?: number
  readonly drain?: Duration.Input
  /** What a "slow" message takes, in ms. */
  readonly slow?: number
}

export const observe = Effect.fnUntraced(function*(options: Options = {}) {
  const scope = yield* Scope.make()
  const gate = yield* Deferred.make<void>()
  const begun: Array<number> = []
  const ends: Array<string> = []
  const fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  let working = 0
  let most = 0

  const work = ({ id, kind }: Message): Effect.Effect<void> => {
    switch (kind) {
      case "ok":
        return Effect.void
      case "slow":
        return Effect.sleep(options.slow ?? 10)
      case "dies":
        return Effect.andThen(Effect.yieldNow, Effect.die(`message ${id}`))
      case "throws":
        throw new Error(`message ${id}`)
      case "interrupts":
        return Effect.interrupt
      case "stuck":
        return Deferred.await(gate)
    }
  }

  const actor = yield* FifoActor.make<Message, never>({
    capacity: options.capacity ?? 1_000,
    drain: options.drain ?? "1 second",
    weigh: ({ weight }) => weight,
    ...(options.maxWeight === undefined ? {} : { maxWeight: options.maxWeight }),
    bury: ({ id }, reason) => {
      ends.push(`${id} ${reason}`)
    },
    handle: (told) => {
      begun.push(told.id)
      working += 1
      most = Math.max(most, working)
      return Effect.withFiber((fiber) => {
        fibers.add(fiber)
        return Effect.suspend(() => work(told))
      }).pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => {
            working -= 1
            if (Exit.isSuccess(exit)) ends.push(`${told.id} handled`)
          })
        )
      )
    }
  }).pipe(Scope.provide(scope))

  return {
    actor,
    scope,
    begun,
    ends,
    fibers,
    most: () => most,
    release: Deferred.succeed(gate, undefined),
    close: Scope.close(scope, Exit.void)
  } satisfies Observed
})

/** The ids from one number up to, not including, another. */
export const ids = (from: number, to: number): Array<number> => Array.from({ length: to - from }, (_, i) => from + i)
