import { assert, describe, it } from "@effect/vitest"
import { Effect, Inspectable, Match, Schema } from "effect"
import {
  Hostile,
  type InterceptError,
  type InterceptResult,
  PayloadTooLarge,
  RateLimited,
  type Scent,
  Tracehound,
  Unjudged
} from "tracehound"
import { TracehoundTest } from "tracehound/testing"

const threat = { category: "injection", severity: "high" } as const
const scent = (payload: unknown, more: Partial<Scent> = {}): Scent => ({
  id: "1",
  source: "192.0.2.1",
  timestamp: 1,
  payload,
  threat,
  ...more
})

/** What an adapter does with each error; the compiler holds that there is no other. */
const answerTo = (deciding: Effect.Effect<void, InterceptError>): Effect.Effect<string> =>
  deciding.pipe(
    Effect.as("200"),
    Effect.catchTags({
      RateLimited: ({ retryAfter }) => Effect.succeed(`429 ${retryAfter}`),
      PayloadTooLarge: ({ bound, limit }) => Effect.succeed(`413 ${bound ?? "bytes"} ${limit}`),
      Hostile: ({ status }) => Effect.succeed(`403 ${status}`),
      Unjudged: ({ error }) => Effect.succeed(`${error.recoverable ? 200 : 503} ${error.code}`)
    })
  )

describe("interceptOrFail", () => {
  it.effect("RFC D10 succeeds for a clean scent, and fails with a tag for every other answer", () =>
    Effect.gen(function*() {
      const { interceptOrFail, sync } = yield* Tracehound
      const answer = (scent: Scent) => answerTo(interceptOrFail(scent))
      const { threat: _, ...harmless } = scent("hello")
      assert.strictEqual(yield* answer(harmless), "200")
      assert.strictEqual(yield* answer(scent("a")), "403 quarantined")
      assert.strictEqual(yield* answer(scent("a")), "403 ignored")
      const critical = { category: "malware", severity: "critical" } as const
      assert.strictEqual(yield* answer(scent("b", { threat: critical })), "403 escalated")
      assert.strictEqual(yield* answer(scent("much too long")), "413 bytes 8")
      assert.strictEqual(yield* answer(scent([[[[1]]]])), "413 maxDepth 2")
      assert.strictEqual(yield* answer(scent("a", { source: "x".repeat(300) })), "200 invalid_source")
      for (let i = 0; i < 10; i++) yield* answer({ ...harmless, source: "198.51.100.1" })
      assert.strictEqual(yield* answer({ ...harmless, source: "198.51.100.1" }), "429 300000")
      sync.panic()
      assert.strictEqual(yield* answer(harmless), "503 panicked")
    }).pipe(Effect.provide(TracehoundTest.layer({ maxPayloadSize: 8, maxDepth: 2, rateLimit: { maxRequests: 10 } }))))

  it.effect("RFC D10 has no evidence in an error, however it is shown", () =>
    Effect.gen(function*() {
      const { interceptOrFail, sync } = yield* Tracehound
      const error = yield* Effect.flip(interceptOrFail(scent("s3cr3t")))
      if (error._tag !== "Hostile") return assert.fail(error._tag)
      const shown = `${error.message} ${Inspectable.toStringUnknown(error)} ${JSON.stringify(error)} ${error.stack}`
      assert.notInclude(shown, "s3cr3t")
      assert.strictEqual(sync.quarantine.get(error.signature)?.size, 6)
    }).pipe(Effect.provide(TracehoundTest.layer())))

  it("RFC D10 has a schema for every error: it crosses a wire and comes back the same", () => {
    const errors: ReadonlyArray<InterceptError> = [
      new RateLimited({ retryAfter: 5 }),
      new PayloadTooLarge({ limit: 5, bound: "maxKeys" }),
      new Hostile({ status: "ignored", signature: `injection:${"0".repeat(64)}` }),
      new Unjudged({ error: { state: "agent", code: "panicked", message: "m", recoverable: false } })
    ]
    const codec = Schema.toCodecJson(Schema.Union([RateLimited, PayloadTooLarge, Hostile, Unjudged]))
    for (const error of errors) {
      const back = Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(error))))
      assert.strictEqual(back._tag, error._tag)
      assert.strictEqual(back.message, error.message)
    }
  })

  it("intercept is matched by its status, as before", () => {
    const blocked = Match.type<InterceptResult>().pipe(
      Match.discriminator("status")("clean", "error", () => false),
      Match.orElse(() => true)
    )
    assert.isFalse(blocked({ status: "clean" }))
    assert.isTrue(blocked({ status: "rate_limited", retryAfter: 1 }))
  })
})
