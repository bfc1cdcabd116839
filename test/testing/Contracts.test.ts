import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { ColdStorageError, RateLimiter } from "tracehound"
import { Contracts } from "tracehound/testing"
import { fromArgument, resolveConfig } from "../../src/config/ConfigSources.ts"
import { Settings } from "../../src/config/Settings.ts"
import { MonotonicTime } from "../../src/host/port/MonotonicTime.ts"

/** The promises that are broken, and how. */
const brokenOf = <R>(checks: ReadonlyArray<Contracts.Check<ColdStorageError, R>>) =>
  Effect.map(
    Effect.forEach(checks, ({ check }) => Effect.flip(Effect.andThen(check, Effect.fail("kept" as const)))),
    (errors) => errors.flatMap((error) => error === "kept" ? [] : [error.message])
  )

describe("the contract of an endpoint", () => {
  type Write = (files: Map<string, Uint8Array>, name: string, bytes: Uint8Array) => boolean
  const endpoint = (write: Write, more: {} = {}) =>
    Effect.sync(() => {
      const files = new Map<string, Uint8Array>()
      const taken = new ColdStorageError({ reason: "write", message: "taken" })
      return {
        endpoint: {
          ...more,
          destination: "mine:",
          open: Effect.void,
          write: (name: string, bytes: Uint8Array) =>
            Effect.suspend(() => write(files, name, bytes) ? Effect.void : Effect.fail(taken))
        },
        stored: Effect.succeed(files)
      }
    })
  const keep: Write = (files, name, bytes) => !files.has(name) && files.set(name, bytes.slice()) === files

  const endpoints: ReadonlyArray<
    readonly [name: string, make: ReturnType<typeof endpoint>, broken: ReadonlyArray<string>]
  > = [
    ["keeps all", endpoint(keep), []],
    ["can be read", endpoint(keep, { read: () => undefined }), ["is write-only"]],
    ["overwrites", endpoint((files, name, bytes) => files.set(name, bytes.slice()) === files), [
      "is append-only",
      "lets one of many writers"
    ]],
    [
      "keeps the caller's memory",
      endpoint((files, name, bytes) => keep(files, name, bytes) && files.set(name, bytes) === files),
      [
        "stores a view"
      ]
    ],
    ["writes a part", endpoint((files, name, bytes) => keep(files, name, bytes.subarray(0, 999))), [
      "stores the whole",
      "lets one of many writers",
      "lets writers of different names"
    ]]
  ]
  it.effect.each(endpoints)(
    "RFC C1 R7 finds what is broken of one that %s",
    ([, make, broken]) =>
      Effect.gen(function*() {
        const found = yield* brokenOf(Contracts.coldStorage(make))
        assert.strictEqual(found.length, broken.length, found.join("\n"))
        for (const [i, promise] of broken.entries()) assert.include(found[i], promise)
      })
  )
})

describe("the contract of a limiter", () => {
  const maxSources = 100
  const own = RateLimiter.layer.pipe(
    Layer.provide(MonotonicTime.layerPortable),
    Layer.provide(
      Layer.effect(Settings, Effect.fromResult(resolveConfig([fromArgument({ rateLimit: { maxSources } })])))
    ),
    Layer.provide(Layer.effect(Clock.Clock, Effect.suspend(() => Clock.Clock)))
  )
  for (const { check, promise } of Contracts.limiter(Effect.suspend(() => RateLimiter), maxSources))
    it.effect(`RFC G1 R7 Tracehound's own ${promise}`, () => Effect.provide(check, Layer.fresh(own)))

  const good: RateLimiter["Service"] = {
    waitUnsafe: () => 0,
    check: () => ({ allowed: true }),
    reset: () => undefined,
    stats: () => ({ blocked: 0, sources: 0 })
  }
  const broke = (): never => {
    throw new Error("broken")
  }
  const limiters: ReadonlyArray<
    readonly [name: string, limiter: Partial<RateLimiter["Service"]>, broken: ReadonlyArray<string>]
  > = [
    ["allows all", {}, []],
    ["answers fractions", { waitUnsafe: () => 0.5 }, ["answers waitUnsafe"]],
    ["throws at what is no source", { check: (source) => source.length > 0 ? { allowed: true } : broke() }, [
      "answers check"
    ]],
    ["forgets why", { check: () => ({ allowed: false, retryAfter: 1, reason: JSON.parse("1") }) }, ["answers check"]],
    ["cannot reset", { reset: broke }, ["takes reset"]],
    ["counts below 0", { stats: () => ({ blocked: -1, sources: 0 }) }, ["counts what"]],
    ["remembers all", { stats: () => ({ blocked: 0, sources: 1_000 }) }, ["remembers at most 100"]]
  ]
  it.effect.each(limiters)(
    "RFC R7 finds what is broken of one that %s",
    ([, limiter, broken]) =>
      Effect.gen(function*() {
        const found = yield* brokenOf(Contracts.limiter(Effect.succeed({ ...good, ...limiter }), maxSources))
        assert.strictEqual(found.length, broken.length, found.join("\n"))
        for (const [i, promise] of broken.entries()) assert.include(found[i], promise)
      })
  )
})
