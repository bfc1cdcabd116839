import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Tracer } from "effect"
import { HttpClient, HttpClientError } from "effect/http"
import { TestClock } from "effect/testing"
import { type DevopsOptions, make } from "../../../src/safety/devops/DevopsEndpoint.ts"
import * as ManualClock from "../../../src/testing/ManualClock.ts"
import { alert, answerOf, type Call, client, options } from "./receivers.ts"

/** An endpoint whose every answer is the status that `world` holds at that moment. */
const staged = (changes: Partial<DevopsOptions>) =>
  Effect.gen(function*() {
    const world = { status: 500 }
    const recorded = client(({ request }) => Effect.sync(() => answerOf(request, world.status)))
    const endpoint = yield* make({ ...options, ...changes }).pipe(
      Effect.provideService(HttpClient.HttpClient, recorded.client)
    )
    const reason = Effect.map(Effect.result(endpoint.deliver(alert)), (result) =>
      result._tag === "Success" ? "delivered" : result.failure.reason)
    return { world, calls: recorded.calls, endpoint, reason }
  })

const gaps = (calls: ReadonlyArray<Call>) => calls.slice(1).map(({ at }, i) => at - (calls[i]?.at ?? 0))

describe("tries of one delivery", () => {
  it.effect("RFC W3 wait twice as long each time, up to half a minute", () =>
    Effect.gen(function*() {
      const { calls, reason } = yield* staged({ retries: 11, retryDelayMs: 100 })
      const fiber = yield* Effect.forkChild(reason, { startImmediately: true })
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* Fiber.join(fiber), "unavailable")
      assert.deepStrictEqual(gaps(calls), [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000])
    }))

  it.effect("RFC W3 keep to a first pause that is longer than that", () =>
    Effect.gen(function*() {
      const { calls, reason } = yield* staged({ retries: 2, retryDelayMs: 45_000 })
      const fiber = yield* Effect.forkChild(reason, { startImmediately: true })
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* Fiber.join(fiber), "unavailable")
      assert.deepStrictEqual(gaps(calls), [45_000, 45_000])
    }))

  it.effect("RFC W3 have their time each, and a request that is given up is aborted", () =>
    Effect.gen(function*() {
      const recorded = client(() => Effect.never)
      const { deliver } = yield* make({ ...options, timeoutMs: 5_000, retries: 1, retryDelayMs: 100 }).pipe(
        Effect.provideService(HttpClient.HttpClient, recorded.client)
      )
      const fiber = yield* Effect.forkChild(Effect.flip(deliver(alert)), { startImmediately: true })
      yield* TestClock.adjust(4_999)
      assert.deepStrictEqual(recorded.calls.map(({ signal }) => signal.aborted), [false])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(recorded.calls.map(({ signal }) => signal.aborted), [true])
      yield* TestClock.adjust(100 + 4_999)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Fiber.join(fiber)).reason, "unavailable")
      assert.deepStrictEqual(recorded.calls.map(({ at, signal }) => [at, signal.aborted]), [[0, true], [5_100, true]])
    }))

  it.effect("RFC W3 end where the caller is interrupted: nothing counts, the request is aborted", () =>
    Effect.gen(function*() {
      const recorded = client(() => Effect.never)
      const { deliver, isOpen } = yield* make({ ...options, retries: 3, breaker: { failures: 1, resetMs: 1_000 } })
        .pipe(
          Effect.provideService(HttpClient.HttpClient, recorded.client)
        )
      const fiber = yield* Effect.forkChild(deliver(alert), { startImmediately: true })
      assert.strictEqual(recorded.calls.length, 1)
      yield* Fiber.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)
      assert.isTrue(Exit.hasInterrupts(exit))
      assert.isTrue(recorded.calls[0]?.signal.aborted)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(recorded.calls.length, 1)
      assert.isFalse(yield* isOpen)
    }))
})

describe("the circuit", () => {
  const breaker = { failures: 2, resetMs: 60_000 }

  it.effect("RFC W3 opens after so many deliveries that were given up, each counted once, whatever their tries", () =>
    Effect.gen(function*() {
      const { calls, endpoint, reason } = yield* staged({ retries: 3, retryDelayMs: 10, breaker })
      for (const tries of [4, 8]) {
        assert.isFalse(yield* endpoint.isOpen)
        const fiber = yield* Effect.forkChild(reason, { startImmediately: true })
        yield* TestClock.adjust(70)
        assert.strictEqual(yield* Fiber.join(fiber), "unavailable")
        assert.strictEqual(calls.length, tries)
      }
      assert.isTrue(yield* endpoint.isOpen)
      const error = yield* Effect.flip(endpoint.deliver(alert))
      assert.strictEqual(error.reason, "open")
      assert.match(error.message, /^devops endpoint https:\/\/devops\.example is not asked/)
      assert.strictEqual(calls.length, 8)
    }))

  it.effect("RFC W3 asks once after its time, and closes where that went well", () =>
    Effect.gen(function*() {
      const { calls, endpoint, reason, world } = yield* staged({ breaker })
      assert.deepStrictEqual([yield* reason, yield* reason], ["unavailable", "unavailable"])
      world.status = 200
      yield* TestClock.adjust(59_999)
      assert.isTrue(yield* endpoint.isOpen)
      assert.strictEqual(yield* reason, "open")
      assert.strictEqual(calls.length, 2)
      yield* TestClock.adjust(1)
      assert.isFalse(yield* endpoint.isOpen)
      assert.strictEqual(yield* reason, "delivered")
      // Closed with nothing counted: one more failure does not open it.
      world.status = 500
      assert.strictEqual(yield* reason, "unavailable")
      assert.isFalse(yield* endpoint.isOpen)
      assert.strictEqual(calls.length, 4)
    }))

  it.effect("RFC W3 opens again where asking once went wrong", () =>
    Effect.gen(function*() {
      const { calls, endpoint, reason } = yield* staged({ breaker })
      assert.deepStrictEqual([yield* reason, yield* reason], ["unavailable", "unavailable"])
      yield* TestClock.adjust(60_000)
      assert.strictEqual(yield* reason, "unavailable")
      assert.isTrue(yield* endpoint.isOpen)
      assert.strictEqual(yield* reason, "open")
      assert.strictEqual(calls.length, 3)
    }))

  it.effect("RFC W3 lets one delivery alone ask, and the others know that it is open", () =>
    Effect.gen(function*() {
      let isSilent = false
      const recorded = client(({ request }) => isSilent ? Effect.never : Effect.sync(() => answerOf(request, 500)))
      const { deliver, isOpen } = yield* make({ ...options, breaker: { failures: 1, resetMs: 1_000 } }).pipe(
        Effect.provideService(HttpClient.HttpClient, recorded.client)
      )
      yield* Effect.flip(deliver(alert))
      yield* TestClock.adjust(1_000)
      isSilent = true
      const probe = yield* Effect.forkChild(deliver(alert), { startImmediately: true })
      assert.isTrue(yield* isOpen)
      assert.strictEqual((yield* Effect.flip(deliver(alert))).reason, "open")
      assert.strictEqual(recorded.calls.length, 2)
      // A probe that is interrupted has found out nothing: the next delivery may ask.
      yield* Fiber.interrupt(probe)
      assert.isFalse(yield* isOpen)
    }))

  it.effect("RFC W3 takes a refusal for an answer: what was counted is forgotten", () =>
    Effect.gen(function*() {
      const { calls, endpoint, reason, world } = yield* staged({ breaker })
      const reasons: Array<string> = []
      for (const status of [500, 404, 503, 302, 429, 400, 500]) {
        world.status = status
        reasons.push(yield* reason)
      }
      assert.deepStrictEqual(reasons, [
        "unavailable",
        "refused",
        "unavailable",
        "refused",
        "unavailable",
        "refused",
        "unavailable"
      ])
      assert.strictEqual(calls.length, 7)
      assert.isFalse(yield* endpoint.isOpen)
      // Two in a row: 500 before, 500 now.
      assert.strictEqual(yield* reason, "unavailable")
      assert.isTrue(yield* endpoint.isOpen)
    }))

  it.effect("RFC W3 stays open as long as it should, whoever sets the time of day, and tries see the host's clock", () =>
    Effect.gen(function*() {
      const clock = ManualClock.make(1_760_000_000_000, yield* Effect.clockWith(Effect.succeed))
      yield* Effect.gen(function*() {
        const { calls, endpoint, reason } = yield* staged({ breaker: { failures: 1, resetMs: 60_000 } })
        assert.strictEqual(yield* reason, "unavailable")
        for (const wall of [0, 1_760_000_060_000, 8.64e15, -1]) {
          clock.setWallUnsafe(wall)
          assert.isTrue(yield* endpoint.isOpen, `${wall}`)
          assert.strictEqual(yield* reason, "open", `${wall}`)
        }
        clock.passUnsafe(60_000)
        clock.setWallUnsafe(1_000)
        assert.isFalse(yield* endpoint.isOpen)
        assert.strictEqual(yield* reason, "unavailable")
        assert.deepStrictEqual(calls.map(({ at }) => at), [1_760_000_000_000, 1_000])
      }).pipe(Effect.provideService(Clock.Clock, clock))
    }))

  it.effect("RFC W3 is each endpoint's own", () =>
    Effect.gen(function*() {
      const broken = yield* staged({ breaker: { failures: 1, resetMs: 1_000 } })
      const other = yield* staged({ breaker: { failures: 1, resetMs: 1_000 } })
      assert.strictEqual(yield* broken.reason, "unavailable")
      assert.isTrue(yield* broken.endpoint.isOpen)
      assert.isFalse(yield* other.endpoint.isOpen)
    }))

  it.effect("RFC W3 does not hear of alerts that cannot be written", () =>
    Effect.gen(function*() {
      const { calls, endpoint, reason, world } = yield* staged({ breaker: { failures: 2, resetMs: 60_000 } })
      assert.strictEqual(yield* reason, "unavailable")
      assert.strictEqual((yield* Effect.flip(endpoint.deliver({ ...alert, timestamp: Infinity }))).reason, "refused")
      assert.strictEqual(calls.length, 1)
      assert.strictEqual(yield* reason, "unavailable")
      assert.isTrue(yield* endpoint.isOpen)
      world.status = 200
      assert.strictEqual((yield* Effect.flip(endpoint.deliver({ ...alert, timestamp: Infinity }))).reason, "refused")
    }))
})

describe("what is seen of a delivery", () => {
  it.effect("RFC W3 no span and no trace header tells the endpoint", () =>
    Effect.gen(function*() {
      const spans: Array<Tracer.Span> = []
      const tracer = Tracer.make({
        span: (made) => {
          const span = new Tracer.NativeSpan(made)
          spans.push(span)
          return span
        }
      })
      const recorded = client(({ request }) =>
        Effect.fail(
          new HttpClientError.HttpClientError({
            reason: new HttpClientError.TransportError({ request, cause: new Error(request.url) })
          })
        )
      )
      const { deliver } = yield* make({ ...options, endpoint: "https://user:s3cret@devops.example/T0KEN?key=QUERY" })
        .pipe(
          Effect.provideService(HttpClient.HttpClient, recorded.client)
        )
      const error = yield* deliver(alert).pipe(Effect.flip, Effect.withSpan("of the host"), Effect.withTracer(tracer))
      assert.strictEqual(error.message, "devops endpoint https://devops.example could not be reached")
      assert.deepStrictEqual(spans.map(({ name }) => name), ["of the host"])
      const seen = spans.flatMap(({ attributes, status }) => [
        ...attributes.values(),
        status._tag === "Ended" ? JSON.stringify(status.exit) : ""
      ]).join()
      assert.notMatch(seen, /s3cret|T0KEN|QUERY/)
      assert.deepStrictEqual(Object.keys(recorded.calls[0]?.request.headers ?? {}).toSorted(), [
        "authorization",
        "content-length",
        "content-type"
      ])
    }))
})
