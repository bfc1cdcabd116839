/**
 * The trust boundary: the detector whose signals are verified, the cold storage whose word is not
 * believed, and state that nothing here can share.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { createTracehound } from "tracehound"
import { TracehoundTest } from "tracehound/testing"
import type { Scent } from "../../../src/domain/Scent.ts"
import { SharedStateMissing } from "../../../src/runtime/StartErrors.ts"
import { Tracehound } from "../../../src/runtime/Tracehound.ts"
import { openWorld, scent, take, turn } from "../../safety/failsafe/world.ts"

const detecting = (trustLevel: "verify" | "trusted") =>
  openWorld({ config: { trustBoundary: { detector: { trustLevel } } } })

const exact = { category: "injection", severity: "low" } as const
/** A scent whose detector said this. */
const saying = (threat: unknown, payload: unknown = "payload"): Scent => ({
  ...scent(payload),
  threat: threat as typeof exact
})

/** Signals with more than the two keys that were agreed on. */
const refused: Readonly<Record<string, () => unknown>> = {
  "what it inherits": () => Object.create(exact),
  "a hidden key": () => Object.defineProperty({ ...exact }, "confidence", { value: 1, enumerable: false }),
  "an extra key": () => ({ ...exact, confidence: 0.9 }),
  "an extra key that is undefined": () => ({ ...exact, note: undefined }),
  "an extra key that is empty": () => ({ ...exact, "": 1 }),
  "many extra keys": () => ({ ...exact, ...Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, n])) }),
  "an own __proto__": () => JSON.parse("{\"category\":\"injection\",\"severity\":\"low\",\"__proto__\":{\"a\":1}}"),
  "an own constructor": () => ({ ...exact, constructor: 1 }),
  "an extra symbol": () => ({ ...exact, [Symbol("extra")]: 1 }),
  "an extra key that is a getter": () => ({
    ...exact,
    get extra(): never {
      throw new Error("getter")
    }
  })
}

class Verdict {
  readonly category = exact.category
  readonly severity = exact.severity
  explain(): string {
    return this.category
  }
}

/** Signals with exactly their two keys. */
const passed: Readonly<Record<string, () => unknown>> = {
  "two keys": () => ({ ...exact }),
  "its keys in the other order": () => ({ severity: "low", category: "injection" }),
  "a frozen object": () => Object.freeze({ ...exact }),
  "an object without prototype": () => Object.assign(Object.create(null), exact),
  "parsed JSON": () => JSON.parse(JSON.stringify(exact)),
  // What is inherited was not said: detectors answer with objects of their own classes.
  "an extra key in the prototype": () => Object.assign(Object.create({ confidence: 0.9 }), exact),
  "a class of its own": () => new Verdict(),
  "getters for the two": () => ({
    get category() {
      return "injection"
    },
    get severity() {
      return "low"
    }
  })
}

/** Values that are no signals, of a trusted detector either. */
const invalid: Readonly<Record<string, () => unknown>> = {
  null: () => null,
  "a string": () => "injection",
  "a function": () => () => exact,
  "an empty object": () => ({}),
  "an array": () => ["injection", "low"],
  "an unknown category": () => ({ ...exact, category: "nonsense" }),
  "an unknown severity": () => ({ ...exact, severity: "awful" }),
  "names in objects": () => ({ category: { toString: () => "injection" }, severity: ["low"] })
}

describe("a detector that is to be verified", () => {
  it.effect.each(Object.keys(refused))(
    "RFC R3 a signal with %s is refused and counted",
    (name) =>
      Effect.gen(function*() {
        const { errors, sync } = yield* detecting("verify")
        const first = sync.intercept(saying(refused[name]?.()))
        assert.strictEqual(first.status === "error" ? first.error.code : first.status, "unverified_threat")
        assert.strictEqual(first.status === "error" && first.error.recoverable, true)
        assert.strictEqual(sync.intercept(saying(refused[name]?.())), first, "one answer for all")
        assert.strictEqual(sync.detector.refused(), 2)
        assert.deepStrictEqual(errors(), ["unverified_threat"])
        assert.strictEqual(sync.quarantine.count, 0)
      })
  )

  it.effect.each(Object.keys(refused))("RFC R3 a trusted detector may say it: %s", (name) =>
    Effect.gen(function*() {
      const { sync } = yield* detecting("trusted")
      assert.strictEqual(sync.intercept(saying(refused[name]?.())).status, "quarantined")
      assert.strictEqual(sync.detector.refused(), 0)
    }))

  it.effect.each(Object.keys(passed))("RFC R3 %s pass in both", (name) =>
    Effect.gen(function*() {
      for (const trustLevel of ["verify", "trusted"] as const) {
        const { sync } = yield* detecting(trustLevel)
        assert.strictEqual(sync.intercept(saying(passed[name]?.())).status, "quarantined")
        assert.strictEqual(sync.detector.refused(), 0)
      }
    }))

  it.effect.each(Object.keys(invalid))(
    "RFC R3 D1 %s is no signal in either, and is not counted as a refused one",
    (name) =>
      Effect.gen(function*() {
        for (const trustLevel of ["verify", "trusted"] as const) {
          const { sync } = yield* detecting(trustLevel)
          const result = sync.intercept(saying(invalid[name]?.()))
          assert.strictEqual(result.status === "error" ? result.error.code : result.status, "invalid_threat")
          assert.strictEqual(sync.detector.refused(), 0)
        }
      })
  )

  it.effect("RFC R3 D2 a scent that it does not call a threat is clean", () =>
    Effect.gen(function*() {
      const { sync } = yield* detecting("verify")
      const { threat: _, ...clean } = scent("clean")
      assert.strictEqual(sync.intercept(clean).status, "clean")
      assert.strictEqual(sync.detector.refused(), 0)
    }))

  it.effect("RFC R3 F5 a signal whose traps throw is answered, not thrown", () =>
    Effect.gen(function*() {
      const { sync } = yield* detecting("verify")
      const trap = (): never => {
        throw new Error("trap")
      }
      for (const traps of [{ get: trap }, { ownKeys: trap }, { getOwnPropertyDescriptor: trap }, { has: trap }]) {
        const result = sync.intercept(saying(new Proxy({ ...exact }, traps), JSON.stringify(Object.keys(traps))))
        assert.include(["error", "quarantined"], result.status)
      }
      const moody = {
        reads: 0,
        get category() {
          return this.reads++ === 0 ? "injection" : "spam"
        },
        severity: "low"
      }
      Object.defineProperty(moody, "reads", { enumerable: false })
      const result = sync.intercept(saying(moody, "moody"))
      if (result.status === "quarantined")
        assert.isTrue(result.handle.signature.startsWith("injection:"), "as it was read first")
      assert.strictEqual(sync.actors().phase, "running")
    }))

  it.effect("RFC R3 a refused signal counts against no rate limit and takes no room in custody", () =>
    Effect.gen(function*() {
      const { sync } = yield* openWorld({
        config: { rateLimit: { maxRequests: 1 }, trustBoundary: { detector: { trustLevel: "verify" } } }
      })
      for (let n = 0; n < 10; n++) sync.intercept(saying({ ...exact, n }))
      assert.strictEqual(sync.detector.refused(), 10)
      assert.strictEqual(sync.intercept(saying(exact)).status, "quarantined")
    }))
})

describe("state that instances share", () => {
  it.effect("RFC R3 redis needs an adapter: without one nothing starts", () =>
    Effect.gen(function*() {
      const config = { trustBoundary: { cluster: { sharedState: "redis" } } } as const
      for (const layer of [Tracehound.layer(config), TracehoundTest.layer(config)]) {
        const error = yield* Effect.flip(Effect.provide(Effect.asVoid(Tracehound), layer))
        assert.instanceOf(error, SharedStateMissing)
        assert.include(error.message, "redis")
        assert.include(error.message, "memory")
      }
      assert.throws(() => createTracehound(config), SharedStateMissing)
    }))

  it.effect.each(["memory", "none"] as const)("RFC R3 %s starts", (sharedState) =>
    Effect.gen(function*() {
      const config = { hound: { enabled: false }, trustBoundary: { cluster: { sharedState } } }
      const built = yield* Effect.exit(Effect.provide(Effect.asVoid(Tracehound), Tracehound.layer(config)))
      assert.isTrue(Exit.isSuccess(built))
      const tracehound = createTracehound(config)
      assert.strictEqual(tracehound.intercept(scent("a", "low")).status, "quarantined")
      yield* Effect.promise(() => tracehound.dispose())
    }))
})

describe("the word of cold storage", () => {
  it.effect.each(
    [
      [{}, "written"],
      [{ trustLevel: "write-only" }, "written"],
      [{ trustLevel: "untrusted" }, "unconfirmed"],
      [{ endpoint: "file:memory", trustLevel: "write-only" }, "written"],
      [{ endpoint: "file:memory" }, "written"],
      [{ endpoint: "file:other" }, "unconfirmed"],
      [{ endpoint: "file:memory/" }, "unconfirmed"],
      [{ endpoint: "file:other", trustLevel: "untrusted" }, "unconfirmed"]
    ] as const
  )("RFC R3 with %o it counts as %s", ([coldStorage, counted]) =>
    Effect.gen(function*() {
      const world = yield* openWorld({ config: { trustBoundary: { coldStorage } } })
      const { memory, sync } = world
      for (let n = 0; n < 3; n++) sync.evacuate(take(world, n, "low"))
      yield* turn
      const { deadLetters, pending, unconfirmed, written } = sync.coldStorage.stats()
      assert.deepStrictEqual({ unconfirmed, written }, { unconfirmed: 0, written: 0, [counted]: 3 })
      assert.deepStrictEqual([pending, deadLetters], [0, 0])
      assert.strictEqual((yield* memory.written).length, 3, "it is written to all the same")
    }))
})
