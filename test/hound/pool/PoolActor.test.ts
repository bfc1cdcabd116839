/**
 * The actor of the pool, over a spawner that a test plays: its one timer, and its end.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { ActorSystem } from "../../../src/actor/index.ts"
import { MonotonicTime } from "../../../src/host/port/MonotonicTime.ts"
import { makePoolActor } from "../../../src/hound/pool/PoolActor.ts"
import type { Spawner } from "../../../src/hound/process/Spawner.ts"
import { after, rest } from "./ownTime.ts"
import { settings } from "./poolCores.ts"

/** A pool of hounds that never become ready, whose spawner closes when the test lets it. */
const makePool = Effect.gen(function*() {
  const system = yield* ActorSystem.make({ intensity: 1000 })
  const scope = yield* Scope.make()
  const launches: Array<number> = []
  let letClose = (): void => undefined
  const closed = new Promise<void>((resolve) => {
    letClose = resolve
  })
  const spawner: Spawner = {
    launch: (id) => void launches.push(id),
    watch: () => undefined,
    kill: () => undefined,
    close: () => closed
  }
  yield* Effect.addFinalizer(() => Effect.sync(letClose))
  let bootFailures = 0
  const actor = yield* makePoolActor(system.root, settings, { first: null, waiting: 0, take: () => null }, {
    newName: () => "a hound",
    onLaunch: () => undefined,
    onExit: () => undefined,
    onViolation: () => undefined,
    onReady: () => undefined,
    onBootFailure: () => {
      bootFailures += 1
    },
    onLastWords: () => Effect.void
  }).pipe(Effect.provide(MonotonicTime.layerPortable), Scope.provide(scope))
  actor.open({ openSpawner: () => spawner, openConnection: () => assert.fail("nothing is up") } as never)
  yield* rest
  return { actor, scope, system, launches, letClose, bootFailures: () => bootFailures }
})

describe("the actor hounds", () => {
  it.effect("RFC H1 ticks when the first of its deadlines is due", () =>
    Effect.gen(function*() {
      const { bootFailures, launches } = yield* makePool
      assert.lengthOf(launches, settings.minimumDormant)
      yield* after(settings.readyTimeout - 1)
      assert.strictEqual(bootFailures(), 0)
      yield* after(1)
      assert.strictEqual(bootFailures(), settings.minimumDormant)
    }))

  it.effect("RFC S4 leaves no dead letter, whatever comes while its hounds end", () =>
    Effect.gen(function*() {
      const { actor, letClose, scope, system } = yield* makePool
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* rest
      assert.isUndefined(closing.pollUnsafe())
      // A deadline of a hound would have been due, the line has a head, and somebody looks for
      // hounds.
      yield* after(settings.readyTimeout)
      actor.serve()
      actor.act((core) => core.retire())
      yield* actor.rotate
      yield* rest
      letClose()
      yield* Fiber.join(closing)
      actor.serve()
      yield* actor.rotate
      assert.strictEqual(system.deadLetters.total(), 0)
    }))
})
