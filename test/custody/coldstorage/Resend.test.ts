import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Breaker } from "../../../src/custody/coldstorage/Breaker.ts"
import { DeadLetterBox, memoryLetters } from "../../../src/custody/coldstorage/DeadLetterBox.ts"
import { type ColdStorageEndpoint, ColdStorageError, type Written } from "../../../src/custody/coldstorage/Endpoint.ts"
import { makeResend, type Resent } from "../../../src/custody/coldstorage/Resend.ts"
import { makeFakeEndpoint } from "./fakeEndpoint.ts"
import { letter } from "./lettersContract.ts"

type Write = ColdStorageEndpoint["Service"]["write"]

/** A box with these letters, and a fake endpoint to send them to. */
const opened = (names: ReadonlyArray<string>, write?: Write) =>
  Effect.gen(function*() {
    const fake = makeFakeEndpoint()
    const letters = memoryLetters()
    const box = new DeadLetterBox(letters, { maxKeptCount: 1_000, maxKeptBytes: 1_000_000 })
    for (const name of names) yield* box.keep(letter(name))
    const breaker = new Breaker(() => 0)
    const endpoint = { destination: "file:fake", write: write ?? fake.endpoint.write }
    const resend = makeResend({ box, breaker, endpoint, config: { writeTimeoutMs: 1_000 } })
    return { ...fake, box, breaker, letters, resend }
  })

const none: Resent = { sent: 0, unconfirmed: 0, failed: 0, taken: 0, elsewhere: 0, kept: 0 }

describe("sending dead letters again", () => {
  it.effect("RFC C2 takes out what the endpoint has then, in order, and says how far it is", () =>
    Effect.gen(function*() {
      const names = Array.from({ length: 40 }, (_, i) => `name-${i}`)
      const { attempts, box, resend, stored } = yield* opened(names)
      const progress: Array<Resent> = []
      const all = yield* resend({ onProgress: (soFar) => progress.push(soFar) })
      assert.deepStrictEqual(all, { ...none, sent: 40 })
      assert.deepStrictEqual(attempts, names.toSorted())
      assert.deepStrictEqual(stored.get("name-7"), letter("name-7").envelope)
      assert.deepStrictEqual(progress.map(({ kept, sent }) => kept + sent), names.map(() => 40))
      assert.deepStrictEqual(box.stats(), { kept: 0, keptBytes: 0, unkept: 0, resent: 40 })
      assert.deepStrictEqual(yield* resend(), none)
    }))

  it.effect("RFC C2 tries each once, leaves what fails where it is, and comes to the rest", () =>
    Effect.gen(function*() {
      const { attempts, box, faults, resend } = yield* opened(["a", "b", "c", "d"])
      faults.push("fails", "dies")
      assert.deepStrictEqual(yield* resend(), { ...none, sent: 2, failed: 2, kept: 2 })
      assert.deepStrictEqual(attempts, ["a", "b", "c", "d"])
      assert.deepStrictEqual(yield* resend(), { ...none, sent: 2 })
      assert.strictEqual(box.stats().resent, 4)
    }))

  it.effect("RFC C2 stops where the breaker spares the endpoint, and closes it where a letter gets through", () =>
    Effect.gen(function*() {
      const { attempts, breaker, faults, resend } = yield* opened(["a", "b", "c", "d", "e"])
      faults.push("fails", "fails", "fails")
      assert.deepStrictEqual(yield* resend(), { ...none, failed: 3, kept: 5 })
      assert.strictEqual(attempts.length, 3)
      assert.isTrue(breaker.isOpen)
      assert.deepStrictEqual(yield* resend(), { ...none, sent: 5 })
      assert.isFalse(breaker.isOpen)
    }))

  it.effect("RFC C2 an endpoint without room ends it at the first letter; one whose names are taken does not", () =>
    Effect.gen(function*() {
      for (const [reason, failed] of [["full", 1], ["taken", 5]] as const) {
        const { breaker, resend } = yield* opened(
          ["a", "b", "c", "d", "e"],
          () => Effect.fail(new ColdStorageError({ reason, message: "no" }))
        )
        const taken = reason === "taken" ? 5 : 0
        assert.deepStrictEqual(yield* resend(), { ...none, failed, taken, kept: 5 })
        assert.strictEqual(breaker.isOpen, reason === "full")
      }
    }))

  it.effect("RFC C2 passes over letters to other endpoints, unless all are wanted here", () =>
    Effect.gen(function*() {
      const { box, resend, stored } = yield* opened(["a"])
      yield* box.keep(letter("b", 10, "s3://elsewhere"))
      assert.deepStrictEqual(yield* resend(), { ...none, sent: 1, elsewhere: 1, kept: 1 })
      assert.deepStrictEqual([...stored.keys()], ["a"])
      assert.deepStrictEqual(yield* resend({ isForAny: true }), { ...none, sent: 1 })
      assert.deepStrictEqual([...stored.keys()], ["a", "b"])
    }))

  it.effect("RFC C2 counts what was taken without being confirmed", () =>
    Effect.gen(function*() {
      const { resend } = yield* opened(["a", "b"], () => Effect.succeed<Written>("unconfirmed"))
      assert.deepStrictEqual(yield* resend(), { ...none, sent: 2, unconfirmed: 2 })
    }))

  it.effect("RFC C2 has a deadline for each letter, and one sender at a time", () =>
    Effect.gen(function*() {
      const { attempts, faults, resend } = yield* opened(["a", "b"])
      faults.push("hangs")
      const first = yield* Effect.forkChild(resend(), { startImmediately: true })
      const second = yield* Effect.forkChild(resend(), { startImmediately: true })
      yield* TestClock.adjust(999)
      assert.deepStrictEqual(attempts, ["a"])
      yield* TestClock.adjust(10_000)
      assert.deepStrictEqual(yield* Fiber.join(first), { ...none, sent: 1, failed: 1, kept: 1 })
      assert.deepStrictEqual(yield* Fiber.join(second), { ...none, sent: 1 })
    }))
})
