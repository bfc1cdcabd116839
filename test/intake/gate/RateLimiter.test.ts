import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { fromArgument, resolveConfig } from "../../../src/config/ConfigSources.ts"
import { Settings } from "../../../src/config/Settings.ts"
import type { TracehoundConfigInput } from "../../../src/config/TracehoundConfig.ts"
import * as NodeMonotonicTime from "../../../src/host/node/NodeMonotonicTime.ts"
import { RateLimiter } from "../../../src/intake/gate/RateLimiter.ts"

const windowMs = 1_000
const blockDurationMs = 5_000

const limiter = (rateLimit: NonNullable<TracehoundConfigInput["rateLimit"]>) =>
  RateLimiter.layer.pipe(
    Layer.provide(NodeMonotonicTime.layer),
    Layer.provide(Layer.effect(Settings, Effect.fromResult(resolveConfig([fromArgument({ rateLimit })]))))
  )

/** A clock whose time of day and monotonic time a test sets separately. */
const clockOf = (state: { wall: number; nanos: bigint }): Clock.Clock => ({
  currentTimeMillisUnsafe: () => state.wall,
  currentTimeMillis: Effect.sync(() => state.wall),
  currentTimeNanosUnsafe: () => BigInt(state.wall) * 1_000_000n,
  currentTimeNanos: Effect.sync(() => BigInt(state.wall) * 1_000_000n),
  monotonicTimeNanosUnsafe: () => state.nanos,
  monotonicTimeNanos: Effect.sync(() => state.nanos),
  sleep: () => Effect.void
})

const small = { windowMs, blockDurationMs, maxRequests: 2 }

describe("RateLimiter", () => {
  it.effect("RFC G1 tells how long to wait, to the millisecond, at every boundary", () =>
    Effect.gen(function*() {
      const { check } = yield* RateLimiter
      const reason = "more than 2 requests in 1000 ms"
      assert.deepStrictEqual([check("a"), check("a")], [{ allowed: true }, { allowed: true }])
      assert.deepStrictEqual(check("a"), { allowed: false, retryAfter: 5_000, reason })
      yield* TestClock.adjust(4_999)
      assert.deepStrictEqual(check("a"), { allowed: false, retryAfter: 1, reason })
      yield* TestClock.adjust(1)
      assert.deepStrictEqual([check("a"), check("a")], [{ allowed: true }, { allowed: true }])
      yield* TestClock.adjust(999)
      assert.deepStrictEqual(check("a"), { allowed: false, retryAfter: 5_000, reason })
      // A window ends at exactly its length.
      assert.deepStrictEqual([check("b"), check("b")], [{ allowed: true }, { allowed: true }])
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(check("b"), { allowed: true })
    }).pipe(Effect.provide(limiter(small))))

  it.effect("RFC G2 a reset unblocks at once, however the source is spelled", () =>
    Effect.gen(function*() {
      const { check, reset, stats } = yield* RateLimiter
      for (const [blocked, spelled] of [["192.0.2.1", "::ffff:192.0.2.1"], ["2001:db8::1", "2001:DB8::2"]] as const) {
        for (let n = 0; n < 3; n++) check(blocked)
        assert.isFalse(check(blocked).allowed)
        assert.strictEqual(stats().blocked, 1)
        reset(spelled)
        assert.strictEqual(stats().blocked, 0)
        assert.isTrue(check(blocked).allowed)
      }
    }).pipe(Effect.provide(limiter(small))))

  it.effect("RFC G1 a time of day that jumps, back or forward, neither unblocks nor blocks", () => {
    const state = { wall: 1_760_000_000_000, nanos: 7_000_000_000n }
    return Effect.gen(function*() {
      const { check } = yield* RateLimiter
      for (let n = 0; n < 3; n++) check("a")
      let left = blockDurationMs
      for (const wall of [0, 1_760_000_000_000 + 86_400_000, -1, 8.64e15, 1_759_999_999_999]) {
        state.wall = wall
        const answer = check("a")
        assert.strictEqual(answer.allowed ? 0 : answer.retryAfter, left)
        // One millisecond does go by.
        state.nanos += 1_000_000n
        left -= 1
      }
      // A source with requests left has them still.
      state.wall = 0
      assert.isTrue(check("b").allowed)
      state.wall = 8.64e15
      assert.isTrue(check("b").allowed)
      assert.isFalse(check("b").allowed)
    }).pipe(Effect.provide(limiter(small)), Effect.provideService(Clock.Clock, clockOf(state)))
  })

  it.effect("RFC G1 fractions of a millisecond are rounded up: after the time told, the source is let through", () => {
    const state = { wall: 0, nanos: 0n }
    return Effect.gen(function*() {
      const { check } = yield* RateLimiter
      for (let n = 0; n < 3; n++) check("a")
      for (
        const [nanos, wait] of [[1n, 5_000], [999_999n, 5_000], [1_000_000n, 4_999], [1_000_001n, 4_999], [
          4_999_999_999n,
          1
        ]] as const
      ) {
        state.nanos = nanos
        const answer = check("a")
        assert.strictEqual(answer.allowed ? 0 : answer.retryAfter, wait, `at ${nanos} ns`)
      }
      state.nanos = 5_000_000_000n
      assert.isTrue(check("a").allowed)
    }).pipe(Effect.provide(limiter(small)), Effect.provideService(Clock.Clock, clockOf(state)))
  })

  const noSources: ReadonlyArray<readonly [name: string, value: unknown]> = [
    ["undefined, as the address of a socket that is gone", undefined],
    ["null", null],
    ["a number", 7],
    ["a bigint", 7n],
    ["a symbol", Symbol("a")],
    ["an object", {}],
    ["a boxed text", Object("192.0.2.1")],
    ["an object that throws when it is made text", {
      toString: () => {
        throw new Error("text")
      }
    }],
    ["a Proxy that throws at everything", new Proxy({}, { get: () => assert.fail("asked") })],
    ["257 characters", "a".repeat(257)],
    ["16 KB, as long as a header may be", "a".repeat(16_384)],
    ["a quarter of a gigabyte that nobody has written out", "a".repeat(2 ** 28)],
    ["fewer than 257 characters of more than 256 bytes", "\u00e9".repeat(129)],
    ["lone surrogates of more than 256 bytes", "\ud800".repeat(86)]
  ]

  it.effect("RFC G3 whatever is no source counts as one and the same source", () =>
    Effect.gen(function*() {
      const { check, reset, stats } = yield* RateLimiter
      const before = process.memoryUsage().heapUsed
      for (const [i, [name, value]] of noSources.entries()) {
        assert.strictEqual(check(value as string).allowed, i < 2, name)
        reset(value as string)
        assert.strictEqual(stats().sources, 1, name)
        assert.strictEqual(stats().blocked, i < 2 ? 0 : 1, name)
      }
      for (let i = 0; i < 20_000; i++) check(`${i}${"x".repeat(15_000)}`)
      assert.deepStrictEqual(stats(), { blocked: 1, sources: 1 })
      assert.isBelow(process.memoryUsage().heapUsed - before, 100_000_000)
    }).pipe(Effect.provide(limiter(small))))

  it.effect("RFC G3 no text that is a source is counted with them, or reset with them", () =>
    Effect.gen(function*() {
      const { check, stats } = yield* RateLimiter
      for (let n = 0; n < 3; n++) check(undefined as unknown as string)
      const sources = [
        "no source",
        "undefined",
        "null",
        "",
        "a".repeat(256),
        "\u00e9".repeat(128),
        "no source".padEnd(256)
      ]
      for (const [i, source] of sources.entries()) {
        assert.deepStrictEqual(check(source), { allowed: true }, source)
        assert.strictEqual(stats().sources, i + 2)
      }
      assert.isFalse(check(null as unknown as string).allowed)
    }).pipe(Effect.provide(limiter(small))))

  const Spellings = Schema.Array(Schema.Struct({
    group: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 })),
    host: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xffff })),
    upper: Schema.Boolean,
    bracketed: Schema.Boolean
  })).check(Schema.isMaxLength(40))

  it.effect.prop(
    "RFC G1 one network is one source, however often and however it is spelled",
    { spellings: Spellings },
    ({ spellings }) =>
      Effect.gen(function*() {
        const { check, stats } = yield* RateLimiter
        const counts = new Map<number, number>()
        for (const { bracketed, group, host, upper } of spellings) {
          const address = `2001:db8:0:${group}::${host.toString(16)}`
          const source = bracketed ? `[${address}]:443` : upper ? address.toUpperCase() : address
          const count = (counts.get(group) ?? 0) + 1
          counts.set(group, count)
          assert.strictEqual(check(source).allowed, count <= 5, source)
        }
        assert.strictEqual(stats().sources, counts.size)
      }).pipe(Effect.provide(limiter({ ...small, maxRequests: 5 })))
  )
})
