/**
 * A long life: what a system keeps does not grow with what it has done. The sample has thousands of
 * messages and of actors that come and go, a long run a million and a hundred thousand.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Logger, Request, Scope } from "effect"
import * as Actor from "../../src/actor/index.ts"
import { heapAfterCollection } from "../support/garbage.ts"
import { amount } from "../support/tiers.ts"
import { isBalanced } from "./probe.ts"

/** Every thousandth crashes its worker. */
class Job extends Request.TaggedClass("Job")<{ readonly n: number }, number> {}
class Seen extends Request.TaggedClass("Seen")<{ readonly event: Actor.Watched }, void> {}

const Worker = Actor.define<Job>()("worker", {
  mailbox: Actor.lanes({ capacity: 4_096, overtakes: 8 }),
  behaviour: (self) =>
    Effect.as(self.timers.every("tick", "1 hour", new Job({ n: 1 })), {
      Job: ({ n }) => n % 1_000 === 999 ? Effect.die("as planned") : Effect.succeed(n)
    })
})
const watcher = (workers: ReadonlyArray<Actor.ActorRef<Job>>) =>
  Actor.define<Seen>()("watcher", {
    behaviour: (self) =>
      Effect.as(
        Effect.forEach(workers, (worker) => self.watch(worker, (event) => new Seen({ event })), { discard: true }),
        { Seen: () => Effect.void }
      )
  })

/** Does something in ten parts, and checks that the last nine leave nothing behind. */
const flat = <E>(count: number, most: number, part: (from: number, to: number) => Effect.Effect<void, E>) =>
  Effect.gen(function*() {
    const size = count / 10
    yield* part(0, size)
    const before = heapAfterCollection()
    for (let n = 1; n < 10; n++) yield* part(n * size, (n + 1) * size)
    assert.isBelow(heapAfterCollection() - before, most, `bytes after ${count}`)
  })

/** What is not the same each time, most of all in the beginning: a byte for each of a million. */
const noise = 1_000_000

describe("a long life", () => {
  it.live(
    "RFC S2 RFC S3 messages to a pool whose workers crash, watched by who reads and by who does not",
    () =>
      Effect.gen(function*() {
        const count = amount({ sample: 20_000, rest: 200_000, long: 1_000_000 })
        const { deadLetters, lifecycle, root } = yield* Actor.ActorSystem.make({ intensity: 1e6, lifecycle: 16 })
        const unread = yield* lifecycle.subscribe
        const pool = yield* root.pool(Worker, { size: 4, route: "least_busy", intensity: 1e6 })
        const seen = yield* root.spawn(watcher(pool.workers))
        yield* flat(count, noise, (from, to) =>
          Effect.gen(function*() {
            for (let n = from; n < to; n++) {
              const lane = Actor.laneOrder[n % 4]
              if (n % 10 === 0) yield* Effect.exit(pool.ask(new Job({ n }), lane === undefined ? {} : { lane }))
              else if (!pool.tellUnsafe(new Job({ n }), lane)) yield* pool.settled
            }
            yield* pool.settled
          }))
        yield* seen.settled
        const children = pool.inspect().children.filter((child) => child.kind === "actor")
        const handled = children.reduce((sum, child) => sum + child.handled, 0)
        assert.isTrue(children.every(isBalanced))
        assert.strictEqual(handled + deadLetters.total(), count)
        assert.strictEqual(deadLetters.counts().crashed, Math.floor(count / 1_000))
        assert.isAtMost(unread.takeUnsafe().length, 17)
      }).pipe(Effect.scoped),
    600_000
  )

  it.live("RFC S4 actors that are spawned, told, asked and stopped", () =>
    Effect.gen(function*() {
      const count = amount({ sample: 2_000, rest: 20_000, long: 100_000 })
      const { inspect, root } = yield* Actor.ActorSystem.make({ intensity: 1e6 })
      const other = yield* root.spawn(Worker, { name: "other" })
      yield* flat(count, noise, (from, to) =>
        Effect.gen(function*() {
          for (let n = from; n < to; n++) {
            const scope = yield* Scope.make()
            const worker = yield* Scope.provide(root.spawn(Worker, { name: `w${n}` }), scope)
            // It waits for more than a turn, and so has an age.
            yield* worker.suspend
            worker.tellUnsafe(new Job({ n }))
            yield* Scope.provide(other.watch, scope)
            yield* Effect.yieldNow
            yield* worker.resume
            yield* Effect.exit(worker.ask(new Job({ n: 1 })))
            yield* Scope.close(scope, Exit.void)
          }
        }))
      assert.lengthOf(inspect().children, 1)
    }).pipe(Effect.scoped, Effect.provide(Logger.layer([]))), 600_000)
})
