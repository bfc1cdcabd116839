/**
 * Time for tests of pools over hounds that a test plays: streams and microtasks come to rest, and
 * closing has the time it asks for.
 */
import { Effect, Scope } from "effect"
import { TestClock } from "effect/testing"
import { settle } from "../../support/FakeSpawner.ts"

/** Lets streams, microtasks and fibers come to rest. */
export const rest = Effect.gen(function*() {
  for (let i = 0; i < 8; i++) {
    yield* Effect.promise(settle)
    yield* Effect.yieldNow
  }
})

/** Moves time by so many ms, at rest before and after. */
export const after = (ms: number) => Effect.andThen(Effect.andThen(rest, TestClock.adjust(ms)), rest)

/** Runs a test, and moves time while its scope closes: closing waits for deadlines. */
export const inTime = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Effect.Effect<A, E> =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const exit = yield* Effect.exit(Scope.provide(effect, scope))
    const closing = yield* Effect.forkChild(Scope.close(scope, exit), { startImmediately: true })
    while (closing.pollUnsafe() === undefined) yield* after(500)
    return yield* exit
  })
