/**
 * Pools: who gets which message, what a crash of a worker costs, and that no message is without an
 * end.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Request, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as Actor from "../../src/actor/index.ts"
import { random, Seed } from "../support/random.ts"
import { ids, isBalanced } from "./probe.ts"
import { calm, makeWorld } from "./supervised.ts"

/** The answer is the worker's name. */
class Job
  extends Request.TaggedClass("Job")<{ readonly id: number; readonly how?: How; readonly key?: string }, string>
{}
type How = "dies" | "hangs" | "slow" | "leaves"

const job = (id: number, how?: How, key?: string): Job =>
  new Job({ id, ...(how === undefined ? {} : { how }), ...(key === undefined ? {} : { key }) })

const workers = (log: Array<string>, options: Partial<Actor.DefinitionOptions<Job, never, never, never>> = {}) =>
  Actor.define<Job>()("worker", {
    drain: 0,
    onDeadLetter: ({ id }, reason) => {
      log.push(`${id} ${reason}`)
    },
    ...options,
    behaviour: ({ ref, stop }) =>
      Effect.succeed({
        Job: ({ how, id }) => {
          log.push(`${id} by ${ref.name}`)
          if (how === "dies") return Effect.die("on purpose")
          if (how === "leaves") return Effect.as(stop, ref.name)
          return Effect.as(how === "hangs" ? Effect.never : how === "slow" ? Effect.sleep(10) : Effect.void, ref.name)
        }
      })
  })

const pooled = Effect.fnUntraced(function*(
  options: Actor.PoolOptions<Job>,
  definition: Partial<Actor.DefinitionOptions<Job, never, never, never>> = {},
  system: Actor.ActorSystemOptions = {}
) {
  const world = yield* makeWorld(system)
  const log: Array<string> = []
  const pool = yield* Scope.provide(world.root.pool(workers(log, definition), options), world.scope)
  return { ...world, handled: () => log.splice(0).join(", "), pool }
})

describe("a pool", () => {
  it.effect("RFC S1 has its workers under a supervisor of its own, which paths lead to", () =>
    Effect.gen(function*() {
      const { pool, root, system } = yield* pooled({ size: 3 })
      assert.strictEqual(pool.path, "root/worker")
      assert.deepStrictEqual(pool.workers.map(({ path }) => path), ids(0, 3).map((n) => `root/worker/${n}`))
      assert.deepStrictEqual(pool.inspect(), root.inspect().children[0])
      assert.strictEqual(system.lookup("root/worker/1")._tag, "Some")
      const named = yield* root.pool(workers([]), { size: 1, name: "others" })
      assert.strictEqual(named.path, "root/others")
      assert.strictEqual((yield* root.pool(workers([]), { size: 1 })).path, "root/worker-1")
      assert.strictEqual((yield* Effect.flip(root.pool(workers([]), { size: 1, name: "others" })))._tag, "StartFailed")
    }))

  it.effect("RFC S1 needs a size, and starts whole or not at all", () =>
    Effect.gen(function*() {
      const { root } = yield* makeWorld()
      for (const size of [0, -1, 1.5, Number.NaN, 65_537]) {
        const exit = yield* Effect.exit(root.pool(workers([]), { size }))
        assert.isTrue(Exit.hasDies(exit), String(size))
      }
      let built = 0
      const third = Actor.define<Job>()("third", {
        behaviour: () => ++built === 3 ? Effect.fail("no room") : Effect.succeed({ Job: () => Effect.succeed("") })
      })
      const failed = yield* Effect.flip(root.pool(third, { size: 5 }))
      assert.deepInclude(failed, { actor: "root/third/2", cause: "no room" })
      assert.deepStrictEqual(root.inspect().children, [])
    }))

  it.effect("RFC S4 ends with its scope: each worker drains, and what is left is a dead letter", () =>
    Effect.gen(function*() {
      const { close, handled, pool } = yield* pooled({ size: 2 })
      for (const id of ids(0, 4)) pool.tellUnsafe(job(id, id === 0 ? "hangs" : undefined))
      yield* calm
      handled()
      yield* close
      assert.strictEqual(handled(), "0 stopped, 2 stopped")
      assert.isFalse(pool.tellUnsafe(job(9)))
      assert.strictEqual((yield* Effect.flip(pool.ask(job(9))))._tag, "ActorStopped")
    }))
})

describe("routes", () => {
  for (const route of ["round_robin", "least_busy"] as const) {
    it.effect(`RFC S1 RFC S3 ${route}: a worker that was lost while others began gets nothing before it is back`, () =>
      Effect.gen(function*() {
        const { root } = yield* makeWorld({ intensity: 9 })
        let lives = 0
        const definition = Actor.define<Job>()("worker", {
          behaviour: ({ fork, ref }) => {
            const handlers = { Job: () => Effect.succeed(ref.name) }
            if (ref.name === "1") return Effect.as(Effect.sleep(10), handlers)
            return Effect.as(
              ++lives === 1 ? fork(Effect.andThen(Effect.sleep(5), Effect.die("early"))) : Effect.void,
              handlers
            )
          }
        })
        const options = { size: 2, route, backoff: { base: 100, jitter: 0 } }
        const making = yield* Effect.forkChild(root.pool(definition, options), { startImmediately: true })
        yield* TestClock.adjust(10)
        const pool = yield* Fiber.join(making)
        const answers = yield* Effect.forEach(ids(0, 3), (id) => pool.ask(job(id)))
        assert.deepStrictEqual(answers, ["1", "1", "1"])
        yield* TestClock.adjust(100)
        assert.include(yield* Effect.forEach(ids(3, 6), (id) => pool.ask(job(id))), "0")
      }))
  }

  it.effect("RFC S1 round robin: each worker in its turn", () =>
    Effect.gen(function*() {
      const { pool } = yield* pooled({ size: 3 })
      const names = yield* Effect.forEach(ids(0, 7), (id) => pool.ask(job(id)))
      assert.deepStrictEqual(names, ["0", "1", "2", "0", "1", "2", "0"])
    }))

  it.effect("RFC S1 least busy: nobody waits behind a handler that hangs while another is free", () =>
    Effect.gen(function*() {
      const { handled, pool } = yield* pooled({ size: 3, route: "least_busy" })
      for (const id of [0, 1]) pool.tellUnsafe(job(id, "hangs"))
      for (const id of ids(2, 6)) yield* pool.ask(job(id))
      assert.strictEqual(handled(), "0 by 0, 1 by 1, 2 by 2, 3 by 2, 4 by 2, 5 by 2")
      pool.workers[2]?.tellUnsafe(job(6, "hangs"))
      pool.workers[2]?.tellUnsafe(job(7))
      for (const id of [8, 9]) pool.tellUnsafe(job(id))
      yield* calm
      assert.deepStrictEqual(
        pool.workers.map((worker) => worker.pendingUnsafe()),
        [2, 2, 2],
        "told directly counts too"
      )
    }))

  it.effect("RFC S1 by key: the same key, the same worker, before and after a crash", () =>
    Effect.gen(function*() {
      const { pool } = yield* pooled({ size: 4, route: ({ key = "" }) => key })
      const keys = ids(0, 40).map((n) => `k${n}`)
      const first = yield* Effect.forEach(keys, (key) => pool.ask(job(0, undefined, key)))
      assert.isAbove(new Set(first).size, 1)
      for (const key of keys.slice(0, 3)) pool.tellUnsafe(job(1, "dies", key))
      yield* calm
      assert.deepStrictEqual(yield* Effect.forEach(keys, (key) => pool.ask(job(2, undefined, key))), first)
    }))

  it.effect("RFC S1 broadcast: all workers, and how many took it", () =>
    Effect.gen(function*() {
      const { handled, pool } = yield* pooled({ size: 3 }, { mailbox: Actor.fifo({ capacity: 1 }) })
      pool.workers[1]?.tellUnsafe(job(0, "hangs"))
      assert.strictEqual(pool.broadcastUnsafe(job(1)), 2)
      yield* calm
      assert.strictEqual(handled(), "1 full, 0 by 1, 1 by 0, 1 by 2")
      assert.strictEqual(pool.pendingUnsafe(), 1)
    }))

  it.effect("RFC S2 a full worker refuses its turn; the least busy is refused only where all are full", () =>
    Effect.gen(function*() {
      const mailbox = Actor.fifo({ capacity: 1 })
      const turns = yield* pooled({ size: 2 }, { mailbox })
      turns.pool.workers[0]?.tellUnsafe(job(0, "hangs"))
      assert.strictEqual((yield* Effect.flip(turns.pool.tell(job(1))))._tag, "MailboxFull")
      yield* turns.pool.tell(job(2))
      const least = yield* pooled({ size: 2, route: "least_busy" }, { mailbox })
      least.pool.workers[0]?.tellUnsafe(job(0, "hangs"))
      assert.deepStrictEqual([1, 2].map((id) => least.pool.tellUnsafe(job(id, "hangs"))), [true, false])
    }))
})

describe("a worker that crashes", () => {
  it.effect("RFC S2 costs the message in hand, and no other", () =>
    Effect.gen(function*() {
      const { handled, pool } = yield* pooled({ size: 2 })
      for (const id of ids(0, 6)) pool.tellUnsafe(job(id, id === 0 ? "dies" : undefined))
      yield* pool.settled
      const log = handled().split(", ")
      assert.deepStrictEqual(log.filter((line) => !line.includes("by")), ["0 crashed"])
      for (const id of ids(1, 6)) assert.include(log, `${id} by ${id % 2}`)
    }))

  for (const route of ["round_robin", "least_busy"] as const) {
    it.effect(`RFC S3 ${route}: while it waits for its restart the others get what comes, then it is one of them`, () =>
      Effect.gen(function*() {
        const { handled, pool } = yield* pooled({ size: 3, route, backoff: { base: 100, jitter: 0 } })
        pool.workers[1]?.tellUnsafe(job(0, "dies"))
        pool.workers[1]?.tellUnsafe(job(1))
        yield* calm
        handled()
        for (const id of ids(2, 8)) yield* pool.ask(job(id))
        assert.notInclude(handled(), "by 1")
        yield* TestClock.adjust(100)
        yield* calm
        assert.strictEqual(handled(), "1 by 1", "what waited for it has waited")
        for (const id of ids(8, 14)) yield* pool.ask(job(id))
        assert.strictEqual(handled().split("by 1").length, 3)
      }))
  }

  it.effect("RFC S3 by key: its messages wait for it, in order", () =>
    Effect.gen(function*() {
      const { handled, pool } = yield* pooled({ size: 3, route: () => "one", backoff: { base: 100, jitter: 0 } })
      pool.tellUnsafe(job(0, "dies"))
      yield* calm
      for (const id of [1, 2]) pool.tellUnsafe(job(id))
      yield* calm
      handled()
      yield* TestClock.adjust(100)
      yield* calm
      assert.match(handled(), /^1 by (.), 2 by \1$/)
    }))

  it.effect("RFC S3 where all wait for their restart, messages wait as well, spread over all", () =>
    Effect.gen(function*() {
      const { handled, pool } = yield* pooled({ size: 2, route: "least_busy", backoff: { base: 100, jitter: 0 } })
      pool.broadcastUnsafe(job(0, "dies"))
      yield* calm
      for (const id of ids(1, 5)) assert.isTrue(pool.tellUnsafe(job(id)))
      handled()
      yield* TestClock.adjust(100)
      yield* pool.settled
      const log = handled()
      for (const id of ids(1, 5)) assert.include(log, `${id} by`)
    }))

  it.effect("RFC S3 so many restarts as there are workers are allowed; then the parent decides", () =>
    Effect.gen(function*() {
      const { pool, system } = yield* pooled({ size: 3 }, {}, { intensity: 10 })
      for (const id of ids(0, 3)) pool.tellUnsafe(job(id, "dies"))
      yield* calm
      assert.deepStrictEqual([pool.inspect().restarts, pool.inspect().incarnation], [3, 1])
      pool.tellUnsafe(job(4, "dies"))
      yield* calm
      assert.strictEqual(pool.inspect().incarnation, 2)
      assert.strictEqual(system.inspect().restarts, 1)
      assert.strictEqual(yield* pool.ask(job(5)), "1")
    }))

  it.effect("RFC S3 one that has left for good is left out, but by key", () =>
    Effect.gen(function*() {
      const { handled, pool } = yield* pooled({ size: 2 }, { restart: "transient" })
      assert.strictEqual(yield* pool.ask(job(0, "leaves")), "0")
      yield* calm
      handled()
      for (const id of ids(1, 4)) yield* pool.ask(job(id))
      assert.strictEqual(handled(), "1 by 1, 2 by 1, 3 by 1")
      const keyed = yield* pooled({ size: 1, route: () => "one" }, { restart: "transient" })
      yield* keyed.pool.ask(job(0, "leaves"))
      yield* calm
      assert.strictEqual((yield* Effect.flip(keyed.pool.tell(job(1))))._tag, "ActorStopped")
    }))

  it.effect("RFC S3 one that an operator stops is left out until it is started again", () =>
    Effect.gen(function*() {
      const { handled, pool, root } = yield* pooled({ size: 2 })
      yield* root.stop("root/worker/0")
      for (const id of ids(0, 2)) yield* pool.ask(job(id))
      assert.strictEqual(handled(), "0 by 1, 1 by 1")
      yield* root.restart("root/worker/0")
      for (const id of ids(2, 4)) yield* pool.ask(job(id))
      assert.include(handled(), "by 0")
    }))
})

describe("accounts", () => {
  it.effect.prop("RFC S2 every message that was told has one end, whatever crashes, hangs, stops and waits", {
    seed: Seed
  }, ({ seed }) =>
    Effect.gen(function*() {
      const { below, chance, pick } = random(seed)
      const ends = new Map<number, Array<string>>()
      const end = (id: number, how: string) => ends.set(id, [...ends.get(id) ?? [], how])
      const definition = Actor.define<Job>()("worker", {
        drain: pick([0, 20]),
        mailbox: Actor.fifo({ capacity: 1 + below(4) }),
        onDeadLetter: ({ id }, reason) => end(id, reason),
        behaviour: ({ ref, stop }) =>
          Effect.gen(function*() {
            if (chance(0.1)) return yield* Effect.fail("not today")
            return {
              Job: ({ how, id }) => {
                const act = how === "dies"
                  ? Effect.die("on purpose")
                  : how === "hangs"
                  ? Effect.never
                  : how === "leaves"
                  ? stop
                  : how === "slow"
                  ? Effect.sleep(below(20))
                  : Effect.void
                return Effect.map(act, () => {
                  end(id, "handled")
                  return ref.name
                })
              }
            }
          })
      })
      const world = yield* makeWorld({ intensity: 1_000, lifecycle: 8 })
      const route = pick<NonNullable<Actor.PoolOptions<Job>["route"]>>(["round_robin", "least_busy", (message: Job) =>
        message.id % 5])
      const size = 1 + below(5)
      const pooling = world.root.pool(definition, {
        size,
        route,
        intensity: pick([1, 1_000]),
        ...(chance(0.5) ? { backoff: { base: 1 + below(30) } } : {})
      })
      const exit = yield* Effect.exit(Scope.provide(pooling, world.scope))
      if (Exit.isFailure(exit))
        return assert.deepStrictEqual(world.root.inspect().children, [])
      const pool = exit.value
      let told = 0
      const asking: Array<Fiber.Fiber<unknown>> = []
      for (let step = 0; step < 80; step++) {
        const how = chance(0.6) ? undefined : pick(["dies", "slow", "leaves", "hangs", "dies"] as const)
        if (chance(0.8))
          pool.tellUnsafe(job(told++, how))
        else asking.push(yield* Effect.forkChild(Effect.exit(pool.ask(job(told++, how))), { startImmediately: true }))
        if (chance(0.3))
          yield* Effect.yieldNow
        if (chance(0.2))
          yield* TestClock.adjust(below(30))
        const target = `${pool.path}/${below(size)}`
        if (chance(0.05))
          yield* Effect.forkChild(Effect.ignore(pick([world.root.stop, world.root.restart])(target)))
        const { children } = pool.inspect()
        const accepted = children.map((child) =>
          child.kind === "actor" && isBalanced(child)
        )
        assert.notInclude(accepted, false)
      }
      const closing = yield* Effect.forkChild(world.close, { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(closing)
      for (const fiber of asking) yield* Fiber.join(fiber)
      for (const id of ids(0, told)) assert.lengthOf(ends.get(id) ?? [], 1, `#${id}: ${ends.get(id)?.join(", ")}`)
      assert.strictEqual(pool.pendingUnsafe(), 0)
    }), { arbitrary: { runs: 60 } })
})
