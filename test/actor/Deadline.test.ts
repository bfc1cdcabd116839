import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { withDeadline } from "../../src/actor/Deadline.ts"

const within = <E>(write: Effect.Effect<void, E>) => withDeadline(write, 1_000, () => "overdue" as const)

describe("a write within its deadline", () => {
  it.effect("RFC C1 ends as the write does: well, with its error, with its defect", () =>
    Effect.gen(function*() {
      yield* within(Effect.void)
      assert.strictEqual(yield* Effect.flip(within(Effect.fail("disk full"))), "disk full")
      assert.deepStrictEqual(yield* Effect.exit(within(Effect.die("broken"))), Exit.die("broken"))
      yield* within(Effect.sleep(999)).pipe(
        Effect.forkChild,
        Effect.tap(TestClock.adjust(999)),
        Effect.flatMap(Fiber.join)
      )
    }))

  it.effect("RFC C1 runs once, and is not interrupted", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const write = Effect.sync(() => log.push("ran")).pipe(
        Effect.asVoid,
        Effect.onInterrupt(() => Effect.sync(() => log.push("interrupted")))
      )
      yield* within(write)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(log, ["ran"])
    }))
})

describe("a write past its deadline", () => {
  it.effect("RFC C1 is interrupted, and its clean-up is waited for", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const write = Effect.onInterrupt(Effect.never, () =>
        Effect.andThen(Effect.sleep(900), Effect.sync(() => log.push("clean"))))
      const fiber = yield* Effect.forkChild(Effect.flip(within(write)), { startImmediately: true })
      yield* TestClock.adjust(1_899)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* Fiber.join(fiber), "overdue")
      assert.deepStrictEqual(log, ["clean"])
    }))

  it.effect("RFC C1 is abandoned where it does not end, and nobody waits for what it does later", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const write = Effect.uninterruptible(Effect.andThen(Effect.sleep(60_000), Effect.sync(() => log.push("late"))))
      const fiber = yield* Effect.forkChild(Effect.flip(within(write)), { startImmediately: true })
      yield* TestClock.adjust(2_000)
      assert.strictEqual(yield* Fiber.join(fiber), "overdue")
      assert.deepStrictEqual(log, [])
      yield* TestClock.adjust(58_000)
      assert.deepStrictEqual(log, ["late"])
    }))
})

describe("a write whose waiter is interrupted", () => {
  it.effect("RFC S4 is interrupted too, and holds nobody up for more than the grace", () =>
    Effect.gen(function*() {
      for (const [write, ends] of [[Effect.never, 0], [Effect.uninterruptible(Effect.never), 1_000]] as const) {
        const fiber = yield* Effect.forkChild(within(write), { startImmediately: true })
        yield* TestClock.adjust(500)
        const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
        if (ends > 0) {
          yield* TestClock.adjust(ends - 1)
          assert.isUndefined(interrupting.pollUnsafe())
          yield* TestClock.adjust(1)
        }
        yield* Fiber.join(interrupting)
        const exit = yield* Fiber.await(fiber)
        assert.isTrue(Exit.isFailure(exit) && Exit.hasInterrupts(exit))
      }
    }))
})
