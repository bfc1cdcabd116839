import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { RefusalReason } from "../../../src/actor/ActorRef.ts"
import { Account, type Waiting } from "../../../src/custody/coldstorage/Account.ts"

/** A mailbox that a test fills and empties. */
const mailbox = (count = 0, bytes = 0) => {
  const state = { count, bytes, refusal: null as RefusalReason | null, settled: Effect.void }
  const waiting: Waiting = {
    pendingUnsafe: () => state.count,
    weightUnsafe: () => state.bytes,
    refusalUnsafe: () => state.refusal,
    settled: Effect.suspend(() => state.settled)
  }
  return { state, waiting }
}

const limits = { maxPendingCount: 10, maxPendingBytes: 1_000 }

describe("Account", () => {
  it("RFC S2 adds up what waits to be compressed and to be written", () => {
    const account = new Account(mailbox(2, 300).waiting, mailbox(3, 500).waiting, limits)
    assert.strictEqual(account.pending(), 5)
    assert.strictEqual(account.pendingBytes(), 800)
  })

  it("RFC S2 is full by the count of both mailboxes, and by their bytes to the byte", () => {
    const { state, waiting } = mailbox(6, 0)
    const account = new Account(waiting, mailbox(3, 600).waiting, limits)
    assert.isNull(account.refusalUnsafe(400))
    assert.strictEqual(account.refusalUnsafe(401), "full")
    state.count = 7
    assert.strictEqual(account.refusalUnsafe(0), "full")
  })

  it("RFC S4 is closed with the compressor, full or not", () => {
    const { state, waiting } = mailbox(10, 1_000)
    const account = new Account(waiting, mailbox().waiting, limits)
    state.refusal = "closed"
    assert.strictEqual(account.refusalUnsafe(1), "closed")
    // The account does not ask the mailbox whether it is full: its own bounds decide.
    state.refusal = "full"
    state.count = 0
    state.bytes = 0
    assert.isNull(account.refusalUnsafe(1))
  })

  it.effect("RFC S4 settled waits again for what the compressor passes to the writer meanwhile", () =>
    Effect.gen(function*() {
      const first = mailbox(1, 100)
      const second = mailbox()
      first.state.settled = Effect.sleep(100).pipe(Effect.andThen(Effect.sync(() => {
        first.state.count = 0
        second.state.count = 1
      })))
      let waits = 0
      second.state.settled = Effect.suspend(() => {
        waits += 1
        // The writer is empty when it is asked for the first time.
        return waits === 1 ? Effect.void : Effect.andThen(
          Effect.sleep(100),
          Effect.sync(() => {
            second.state.count = 0
          })
        )
      })
      const account = new Account(first.waiting, second.waiting, limits)
      const fiber = yield* Effect.forkChild(account.settled, { startImmediately: true })
      yield* TestClock.adjust(299)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(fiber)
      assert.strictEqual(account.pending(), 0)
    }))
})
