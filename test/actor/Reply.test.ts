import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { Reply } from "../../src/actor/Reply.ts"

describe("Reply", () => {
  it("wakes who waits, on the turn of the first answer", () => {
    const reply = new Reply<string, string>()
    const fiber = Effect.runFork(reply.wait)
    assert.isUndefined(fiber.pollUnsafe())
    assert.isFalse(reply.isDone)
    reply.done(Exit.fail("no"))
    reply.done(Exit.succeed("too late"))
    assert.isTrue(reply.isDone)
    assert.deepStrictEqual(fiber.pollUnsafe(), Exit.fail("no"))
  })

  it("is there for who comes after it", () => {
    const reply = new Reply<number, never>()
    reply.done(Exit.succeed(1))
    assert.deepStrictEqual(Effect.runSyncExit(reply.wait), Exit.succeed(1))
  })

  it.live("does nothing to a fiber that was interrupted", () =>
    Effect.gen(function*() {
      const reply = new Reply<number, never>()
      let went = ""
      const fiber = yield* Effect.forkChild(
        Effect.onExit(reply.wait, () =>
          Effect.andThen(
            Effect.yieldNow,
            Effect.sync(() => {
              went += "released "
            })
          )),
        { startImmediately: true }
      )
      const interrupted = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      reply.done(Exit.succeed(1))
      yield* Fiber.join(interrupted)
      const exit = fiber.pollUnsafe()
      assert.isTrue(exit !== undefined && Exit.hasInterrupts(exit))
      assert.strictEqual(went, "released ")
    }))
})
