import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Context, Data, Effect, Exit, Layer } from "effect"
import { TestClock } from "effect/testing"
import { setImmediate as turn } from "node:timers/promises"
import {
  type Alert,
  ColdStorageEndpoint,
  ColdStorageError,
  type HoundJob,
  HoundPool,
  openEnvelope,
  RateLimiter,
  Settings,
  type StartError,
  Tracehound
} from "tracehound"
import { ActorSystem, type StartFailed } from "tracehound/actor"
import { Hash, Randomness } from "tracehound/node"
import { MemoryColdStorage } from "tracehound/testing"
import type { NoOthers } from "../../src/runtime/Joints.ts"

const threat = { category: "injection", severity: "high" } as const
const scent = (id: string, payload: unknown, severity: "high" | "critical" = "high") => ({
  id,
  source: "192.0.2.1",
  timestamp: 1,
  payload,
  threat: { ...threat, severity }
})

/** Whether two types are the same, for the compiler to hold. */
type Same<A, B> = [A, B] extends [B, A] ? true : false

/** No processes: what a test is not about. */
const config = { hound: { enabled: false } } as const

/** Lets background work go on that waits for nothing. */
const calm = Effect.forEach(Array.from({ length: 64 }), () => Effect.yieldNow, { discard: true })

const codes = Effect.map(Tracehound, ({ sync }) => sync.watcher.snapshot().errors.map(({ code }) => code))

/** A sink that remembers. */
const recorder = () => {
  const alerts: Array<Alert> = []
  return { alerts, sink: { sendUnsafe: (alert: Alert) => void alerts.push(alert), onFailure: () => undefined } }
}

class Bucket
  extends Context.Service<Bucket, { readonly put: (name: string, bytes: Uint8Array) => Effect.Effect<void> }>()(
    "test/Bucket"
  )
{}
class NoBucket extends Data.TaggedError("NoBucket")<{}> {}

describe("cold storage of one's own", () => {
  const puts = new Map<string, Uint8Array>()
  const bucket = Layer.succeed(Bucket, { put: (name, bytes) => Effect.sync(() => void puts.set(name, bytes.slice())) })
  const endpoint = Layer.effect(
    ColdStorageEndpoint,
    Effect.map(Bucket, ({ put }) => ({ destination: "s3://evidence", open: Effect.void, write: put }))
  )

  it.effect("RFC R7 is a layer of its tag, whose needs and errors are those of the whole layer", () =>
    Effect.gen(function*() {
      const failing = Layer.effect(ColdStorageEndpoint, Effect.flatMap(Bucket, () => Effect.fail(new NoBucket())))
      const layer = Tracehound.layerWith({ config, coldStorage: endpoint })
      const needs: Same<Layer.Services<typeof layer>, Bucket> = true
      const bare = Tracehound.layerWith({ config, coldStorage: failing })
      const fails: Same<Layer.Error<typeof bare>, NoBucket | StartError> = true
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Layer.provide(bare, bucket))))
      assert.deepStrictEqual([needs, fails, error._tag], [true, true, "NoBucket"])

      yield* Effect.gen(function*() {
        const { intercept, settled } = yield* Tracehound
        const held = yield* intercept(scent("1", "evidence"))
        if (held.status !== "quarantined") return assert.fail(held.status)
        assert.strictEqual(held.handle.evacuate()?.destination, "s3://evidence")
        yield* settled
        const [envelope = new Uint8Array()] = puts.values()
        assert.strictEqual(new TextDecoder().decode(openEnvelope(envelope).content), "evidence")
      }).pipe(Effect.provide(Layer.provide(layer, bucket)))
    }))

  it.effect("RFC R7 has the settings of cold storage, without an endpoint in the configuration", () =>
    Effect.gen(function*() {
      const { sync } = yield* Tracehound
      const held = sync.intercept(scent("1", "more than a byte"))
      if (held.status !== "quarantined") return assert.fail(held.status)
      assert.isNull(held.handle.evacuate())
      assert.strictEqual(sync.quarantine.count, 1)
    }).pipe(
      Effect.provide(Tracehound.layerWith({
        config: { ...config, audit: { coldStorage: { maxPendingBytes: 1 } } },
        coldStorage: { destination: "nowhere", open: Effect.void, write: () => Effect.void }
      }))
    ))

  it.effect("RFC R7 is the same layer as elsewhere in the program", () =>
    Effect.gen(function*() {
      const { intercept, settled } = yield* Tracehound
      const storage = yield* MemoryColdStorage
      const held = yield* intercept(scent("1", "a"))
      if (held.status === "quarantined") held.handle.evacuate()
      yield* settled
      assert.strictEqual((yield* storage.written).length, 1)
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          Tracehound.layerWith({ config, coldStorage: MemoryColdStorage.layer }),
          MemoryColdStorage.layer
        )
      )
    ))

  const broke = (): never => {
    throw new Error("s3cr3t")
  }
  const writes: ReadonlyArray<
    readonly [name: string, write: () => Effect.Effect<void, ColdStorageError>, why: string]
  > = [
    ["throws", broke, "the endpoint broke"],
    ["dies", () => Effect.die("s3cr3t"), "the endpoint broke"],
    ["interrupts itself", () => Effect.interrupt, "the endpoint broke"],
    ["gives no Effect", () => JSON.parse("5"), "the endpoint broke"],
    [
      "fails with what is no error",
      () => Effect.fail(JSON.parse("{\"code\":\"s3cr3t\"}") as never),
      "the endpoint failed"
    ],
    [
      "fails with a long message",
      () => Effect.fail(new ColdStorageError({ reason: "write", message: "m".repeat(1_000_000) })),
      "the endpoint failed"
    ],
    ["hangs", () => Effect.never, "no answer within 10 ms"],
    ["hangs and cannot be interrupted", () => Effect.uninterruptible(Effect.never), "no answer within 10 ms"]
  ]
  it.effect.each(writes)(
    "RFC R7 that %s loses that envelope, and alerts with no word of its own",
    ([, write, why]) => {
      const { alerts, sink } = recorder()
      return Effect.gen(function*() {
        const { intercept, sync } = yield* Tracehound
        const held = yield* intercept(scent("1", "a"))
        assert.strictEqual(held.status, "quarantined")
        if (held.status === "quarantined") held.handle.evacuate()
        for (let i = 0; i < 30; i++) yield* Effect.andThen(calm, TestClock.adjust(100))
        assert.strictEqual(sync.coldStorage.stats().deadLetters, 1)
        assert.strictEqual(sync.state(), "running")
        assert.strictEqual(alerts.length, 1)
        assert.include(alerts[0]?.message, why)
        const shown = JSON.stringify([alerts, sync.watcher.snapshot().errors, sync.actors()])
        assert.notInclude(shown, "s3cr3t")
        assert.isBelow(shown.length, 10_000)
        assert.strictEqual((yield* intercept(scent("2", "b"))).status, "quarantined")
      }).pipe(
        Effect.provide(Tracehound.layerWith({
          config: { ...config, audit: { coldStorage: { retries: 0, writeTimeoutMs: 10 } } },
          coldStorage: { destination: "own", open: Effect.void, write },
          sinks: [sink]
        }))
      )
    }
  )

  const openings: ReadonlyArray<readonly [name: string, endpoint: unknown]> = [
    ["dies", { destination: "own", open: Effect.die("s3cr3t") }],
    ["throws", {
      destination: "own",
      get open() {
        return broke()
      }
    }],
    ["interrupts itself", { destination: "own", open: Effect.interrupt }],
    ["is no Effect", { destination: "own", open: 5 }],
    ["never ends", { destination: "own", open: Effect.never }],
    ["fails with what is no error", { destination: "own", open: Effect.fail("s3cr3t") }],
    ["has no destination", { open: Effect.void }],
    ["has one of a megabyte", { destination: "x".repeat(1_000_000), open: Effect.void }],
    ["has one that is no text", { destination: { toString: broke }, open: Effect.void }],
    ["has one that throws", {
      get destination() {
        return broke()
      }
    }]
  ]
  it.effect.each(openings)(
    "RFC R7 whose opening %s keeps Tracehound from starting, with an error that says so",
    ([, endpoint]) =>
      Effect.gen(function*() {
        const layer = Tracehound.layerWith({
          config: { ...config, audit: { coldStorage: { writeTimeoutMs: 10 } } },
          coldStorage: endpoint as ColdStorageEndpoint["Service"]
        })
        const fiber = yield* Effect.forkChild(Effect.exit(Effect.scoped(Layer.build(layer))))
        for (let i = 0; i < 20 && fiber.pollUnsafe() === undefined; i++)
          yield* Effect.andThen(calm, TestClock.adjust(100))
        const exit = fiber.pollUnsafe()
        assert.isTrue(exit !== undefined && Exit.isSuccess(exit) && Exit.isFailure(exit.value))
        assert.include(String(exit), "ColdStorageError")
        assert.notInclude(String(exit), "s3cr3t")
        assert.isBelow(String(exit).length, 5_000)
      })
  )
})

describe("a limiter of one's own", () => {
  it.effect("RFC R7 decides in place of Tracehound's, and finds its settings and ports", () =>
    Effect.gen(function*() {
      const { intercept, sync } = yield* Tracehound
      const statuses = yield* Effect.forEach(["1", "2", "3"], (id) =>
        Effect.map(intercept(scent(id, id)), (r) => r.status))
      assert.deepStrictEqual(statuses, ["quarantined", "quarantined", "rate_limited"])
      assert.deepStrictEqual(sync.rateLimiter.check("x"), { allowed: false, retryAfter: 7, reason: "enough" })
      sync.rateLimiter.reset("x")
      assert.strictEqual((yield* intercept(scent("4", "4"))).status, "quarantined")
      assert.deepStrictEqual(sync.watcher.snapshot().rateLimit, { blocked: 1, sources: 2 })
    }).pipe(
      Effect.provide(Tracehound.layerWith({
        config: { ...config, rateLimit: { maxRequests: 2 } },
        limiter: Layer.effect(
          RateLimiter,
          Effect.gen(function*() {
            const { rateLimit } = yield* Settings
            const { sha256Hex } = yield* Hash
            const counts = new Map<string, number>()
            const waitUnsafe = (source: string): number => {
              const key = sha256Hex(new TextEncoder().encode(source))
              const count = (counts.get(key) ?? 0) + 1
              counts.set(key, count)
              return [...counts.values()].reduce((a, b) =>
                  a + b
                ) > rateLimit.maxRequests
                ? 7
                : 0
            }
            return {
              waitUnsafe,
              check: (source) => ({ allowed: false, retryAfter: waitUnsafe(source), reason: "enough" }),
              reset: () => counts.clear(),
              stats: () => ({ blocked: 1, sources: 2 })
            }
          })
        )
      }))
    ))

  const broke = (): never => {
    throw new Error("s3cr3t")
  }
  const limiters: ReadonlyArray<readonly [name: string, limiter: unknown]> = [
    ["throws", { waitUnsafe: broke, check: broke, reset: broke, stats: broke }],
    ["has no methods", {}],
    ["throws where it is asked for anything", new Proxy({}, { get: broke })],
    ["answers nothing", { waitUnsafe: () => undefined, check: () => undefined, reset: broke, stats: () => undefined }],
    ["answers no number", {
      waitUnsafe: () => Number.NaN,
      check: () => ({ allowed: false, retryAfter: -1, reason: "" }),
      reset: broke,
      stats: () => ({ blocked: -1, sources: 0.5 })
    }],
    ["answers promises that reject", {
      waitUnsafe: () => Promise.reject(new Error("s3cr3t")),
      check: () => Promise.reject(new Error("s3cr3t")),
      reset: () => Promise.reject(new Error("s3cr3t")),
      stats: () => Promise.reject(new Error("s3cr3t"))
    }],
    ["answers by getters that throw", {
      waitUnsafe: () => Number.POSITIVE_INFINITY,
      check: () => new Proxy({}, { get: broke }),
      reset: broke,
      stats: () => new Proxy({}, { get: broke })
    }]
  ]
  it.effect.each(limiters)("RFC R7 that %s costs the limit and never custody", ([, limiter]) =>
    Effect.gen(function*() {
      const { intercept, sync } = yield* Tracehound
      assert.strictEqual((yield* intercept(scent("1", "a"))).status, "quarantined")
      assert.deepStrictEqual(sync.rateLimiter.check("x"), { allowed: true })
      sync.rateLimiter.reset("x")
      assert.deepStrictEqual(sync.watcher.snapshot().rateLimit, { blocked: 0, sources: 0 })
      assert.include(yield* codes, "limiter_failed")
      assert.notInclude(JSON.stringify(sync.watcher.snapshot()), "s3cr3t")
      // Rejections that nobody heard of would end the process by now.
      yield* Effect.promise(() => turn())
    }).pipe(
      Effect.provide(Tracehound.layerWith({ config, limiter: limiter as RateLimiter["Service"] }))
    ))
})

describe("hounds of one's own", () => {
  it.effect("RFC R7 examine what escalates, and are shown", () => {
    const jobs: Array<HoundJob> = []
    const hound = { id: "mine", state: "active", createdAt: 1, activatedAt: 2 } as const
    return Effect.gen(function*() {
      const { intercept, sync } = yield* Tracehound
      const result = yield* intercept(scent("1", "worst", "critical"))
      assert.strictEqual(result.status === "escalated" ? result.hound.id : "none", "mine")
      assert.strictEqual(new TextDecoder().decode(jobs[0]?.copy() ?? new Uint8Array()), "worst")
      assert.deepStrictEqual(sync.hounds.list(), [hound])
    }).pipe(
      Effect.provide(Tracehound.layerWith({
        hounds: Layer.effect(
          HoundPool,
          Effect.map(Effect.scoped(Layer.build(HoundPool.layerNone)), (context) => ({
            ...Context.get(context, HoundPool),
            hasHounds: true,
            hounds: () => [hound],
            activateUnsafe: (job) => {
              jobs.push(job)
              return hound
            }
          }))
        )
      }))
    )
  })

  const broke = (): never => {
    throw new Error("s3cr3t")
  }
  const pools: ReadonlyArray<readonly [name: string, pool: unknown]> = [
    ["throw", new Proxy({}, { get: (_, key) => key === "hasHounds" ? true : key === "start" ? Effect.void : broke })],
    ["throw where they are asked for anything but their start", {
      hasHounds: true,
      start: Effect.void
    }],
    ["answer nonsense", {
      ...Object.fromEntries(
        ["stats", "outcomes", "hounds", "sandbox", "activateUnsafe", "isFreeUnsafe", "skipUnsafe", "deactivateUnsafe"]
          .map((name) => [name, () => Promise.reject(new Error("s3cr3t"))])
      ),
      hasHounds: true,
      terminateUnsafe: () => "yes",
      isBusy: () => 1,
      onFailure: (listener: (failure: unknown) => void) => {
        listener(undefined)
        listener({ kind: "purge everything", isVerdict: 1 })
      },
      start: Effect.void,
      rotate: Effect.interrupt
    }]
  ]
  it.effect.each(pools)("RFC R7 that %s cost the examination and never custody", ([, pool]) =>
    Effect.gen(function*() {
      const { intercept, sync } = yield* Tracehound
      assert.strictEqual((yield* intercept(scent("1", "worst", "critical"))).status, "quarantined")
      assert.deepStrictEqual([...sync.hounds.list()], [])
      assert.isFalse(sync.hounds.deactivate("x"))
      assert.isFalse(sync.hounds.terminate("x"))
      assert.isNull(sync.hounds.sandbox())
      assert.strictEqual(sync.hounds.outcomes().complete, 0)
      assert.deepStrictEqual(sync.watcher.snapshot().hound, { dormant: 0, active: 0, terminated: 0, sandbox: "none" })
      assert.strictEqual(sync.quarantine.count, 1)
      assert.include(yield* codes, "hound_pool_failed")
      yield* TestClock.adjust(600_000)
      yield* calm
      assert.strictEqual(sync.state(), "running")
      assert.notInclude(JSON.stringify(sync.watcher.snapshot()), "s3cr3t")
      yield* Effect.promise(() => turn())
    }).pipe(Effect.provide(Tracehound.layerWith({ hounds: pool as HoundPool["Service"] }))))

  const rotations: ReadonlyArray<readonly [name: string, rotate: Effect.Effect<void>]> = [
    ["dies", Effect.die("s3cr3t")],
    ["interrupts itself", Effect.interrupt],
    ["never ends", Effect.never]
  ]
  it.effect.each(rotations)("RFC R7 whose rotation %s are an error on the board, and rotate again", ([, rotate]) => {
    let begun = 0
    return Effect.gen(function*() {
      for (let i = 0; i < 30; i++) yield* Effect.andThen(TestClock.adjust(1_000), calm)
      assert.isAtLeast(begun, 2)
      assert.deepStrictEqual(yield* codes, ["hound_pool_failed"])
    }).pipe(
      Effect.provide(Tracehound.layerWith({
        config: { hound: { readyTimeout: 10 }, scheduler: { rotationInterval: 5_000, jitterMax: 0 } },
        hounds: Layer.effect(
          HoundPool,
          Effect.map(Effect.scoped(Layer.build(HoundPool.layerNone)), (context) => ({
            ...Context.get(context, HoundPool),
            hasHounds: true,
            rotate: Effect.suspend(() => {
              begun += 1
              return rotate
            })
          }))
        )
      }))
    )
  })

  const starts: ReadonlyArray<readonly [name: string, start: unknown]> = [
    ["never ends", Effect.never],
    ["dies", Effect.die("s3cr3t")],
    ["interrupts itself", Effect.interrupt],
    ["is no Effect", 5],
    ["fails with what is no error", Effect.fail("s3cr3t")]
  ]
  it.effect.each(starts)(
    "RFC R7 whose start %s keep Tracehound from starting, with an error",
    ([, start]) =>
      Effect.gen(function*() {
        const pool = { hasHounds: true, start, onFailure: () => undefined } as unknown as HoundPool["Service"]
        const layer = Tracehound.layerWith({ config: { hound: { readyTimeout: 10 } }, hounds: pool })
        const fiber = yield* Effect.forkChild(Effect.exit(Effect.scoped(Layer.build(layer))))
        for (let i = 0; i < 20 && fiber.pollUnsafe() === undefined; i++)
          yield* Effect.andThen(calm, TestClock.adjust(100))
        const exit = fiber.pollUnsafe()
        assert.isTrue(exit !== undefined && Exit.isSuccess(exit) && Exit.isFailure(exit.value))
        assert.include(String(exit), "HoundBootError")
        assert.notInclude(String(exit), "s3cr3t")
      })
  )
})

describe("Tracehound.layerWith", () => {
  it.effect("RFC R7 needs what its parts need but for the ports and the settings, and fails as they do", () =>
    Effect.sync(() => {
      const page = () => Effect.flatMap(Bucket, ({ put }) => put("alert", new Uint8Array()))
      const sinks = Tracehound.layerWith({ sinks: [{ send: page }, recorder().sink] })
      const callbacks = Tracehound.layerWith({ callbacks: { onEscalate: page, onPurge: () => undefined } })
      const settings = Tracehound.layerWith({ config: Effect.flatMap(Bucket, () => new NoBucket()) })
      const system = Tracehound.layerWith({
        system: Layer.effect(ActorSystem, Effect.andThen(Bucket, ActorSystem.make()))
      })
      const own = Layer.effect(
        Randomness,
        Effect.map(Effect.andThen(Settings, Hash), () => ({ fill: () => undefined }))
      )
      const ports = Tracehound.layerWith({ ports: own })
      const needs: readonly [
        Same<Layer.Services<typeof sinks>, Bucket>,
        Same<Layer.Services<typeof callbacks>, Bucket>,
        Same<Layer.Services<typeof settings>, Bucket>,
        Same<Layer.Services<typeof system>, Bucket>,
        Same<Layer.Services<typeof ports>, Settings>
      ] = [true, true, true, true, true]
      const errors: readonly [
        Same<Layer.Error<typeof sinks>, StartError>,
        Same<Layer.Error<typeof callbacks>, StartError>,
        Same<Layer.Error<typeof settings>, StartError | NoBucket>,
        Same<Layer.Error<typeof system>, StartError | StartFailed>,
        Same<Layer.Error<typeof ports>, StartError>
      ] = [true, true, true, true, true]
      assert.lengthOf([...needs, ...errors], 10)
    }))

  it.effect("RFC R7 refuses a part that nobody knows, when it is compiled and when it is built", () =>
    Effect.gen(function*() {
      const refused: Same<NoOthers<{ readonly coldstorage: 1 }>, { readonly coldstorage: never }> = true
      const others: {} = JSON.parse("{\"coldstorage\":1}")
      const layer = Tracehound.layerWith({ config, ...others })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
      assert.deepStrictEqual([refused, error._tag], [true, "InvalidConfig"])
      assert.include(
        error.message,
        "coldstorage (parts): unknown part; known here: config, overrides, coldStorage, hounds"
      )
    }))

  it.effect("RFC R5 R7 tries out ports that it is given, and finds those that it is not", () =>
    Effect.gen(function*() {
      const silent = Layer.succeed(Randomness, { fill: () => undefined })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Tracehound.layerWith({ config, ports: silent }))))
      assert.strictEqual(error._tag, "HostUnfit")
      assert.include(error.message, "randomness")
      let draws = 0
      const counting = Layer.succeed(Randomness, {
        fill: (target) => {
          draws += 1
          crypto.getRandomValues(target)
        }
      })
      const { sync } = yield* Effect.provide(Tracehound, Tracehound.layerWith({ config, ports: counting }))
      assert.strictEqual(sync.intercept(scent("1", "a")).status, "error")
      assert.isAbove(draws, 0)
    }))

  it.effect("RFC R7 without parts is Tracehound.layer", () =>
    Effect.gen(function*() {
      const layer: Layer.Layer<Tracehound, StartError> = Tracehound.layerWith({ config })
      const { sync } = yield* Effect.provide(Tracehound, layer)
      assert.strictEqual(sync.state(), "running")
    }))

  it.effect("RFC R2 takes a Config, and adds its errors", () =>
    Effect.gen(function*() {
      const maxCount = Config.Int("EVIDENCE")
      const layer = Tracehound.layerWith({
        config: Config.map(maxCount, (maxCount) => ({ ...config, quarantine: { maxCount } }))
      })
      const typed: Layer.Layer<Tracehound, Layer.Error<ReturnType<typeof Tracehound.layer>> | Config.ConfigError> =
        layer
      const provided = (value: unknown) =>
        Layer.provide(typed, ConfigProvider.layer(ConfigProvider.fromUnknown({ EVIDENCE: value })))
      yield* Effect.gen(function*() {
        const { sync } = yield* Tracehound
        for (const id of ["1", "2", "3"]) sync.intercept(scent(id, id))
        assert.strictEqual(sync.quarantine.count, 2)
      }).pipe(Effect.provide(provided(2)))
      const wrong = yield* Effect.flip(Effect.scoped(Layer.build(provided("many"))))
      assert.strictEqual(wrong._tag, "ConfigError")
      const outside = yield* Effect.flip(Effect.scoped(Layer.build(provided(0))))
      assert.strictEqual(outside._tag, "InvalidConfig")
    }))
})
