/**
 * Alerts about evidence that is gone name it and say why: each by its real cause.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { openWorld, take, turn, type World, type WorldOptions } from "./world.ts"

interface Case {
  readonly name: string
  readonly config?: WorldOptions["config"]
  /** Loses evidence, and gives its signature. */
  readonly lose: (world: World) => Effect.Effect<string>
  /** The alerts about it, as `type: message`. */
  readonly alerts: ReadonlyArray<string>
}

const wait = TestClock.adjust("10 seconds")

const cases: ReadonlyArray<Case> = [
  {
    name: "a write that fails",
    config: { audit: { coldStorage: { endpoint: "file:memory", retries: 0 } } },
    lose: (world) =>
      Effect.gen(function*() {
        const signature = take(world, "evidence", "low")
        yield* world.memory.failAlways
        world.sync.evacuate(signature)
        return signature
      }),
    alerts: ["coldstorage.failure: evidence was not written: the endpoint failed"]
  },
  {
    name: "a write that is not answered",
    config: { audit: { coldStorage: { endpoint: "file:memory", retries: 0, writeTimeoutMs: 7 } } },
    lose: (world) =>
      Effect.gen(function*() {
        const signature = take(world, "evidence", "low")
        yield* world.memory.hang()
        world.sync.evacuate(signature)
        return signature
      }),
    alerts: ["coldstorage.failure: evidence was not written: no answer within 7 ms"]
  },
  {
    name: "an envelope that cannot be sealed",
    lose: (world) =>
      Effect.sync(() => {
        const signature = take(world, "evidence", "low")
        world.broken.sealing = true
        world.sync.evacuate(signature)
        return signature
      }),
    alerts: ["coldstorage.failure: evidence was not written: the part that writes it crashed"]
  },
  {
    name: "an eviction that cannot be compressed",
    config: { quarantine: { maxCount: 1 } },
    lose: (world) =>
      Effect.sync(() => {
        const signature = take(world, "evidence", "low")
        world.broken.compressing = true
        take(world, "worse", "medium")
        return signature
      }),
    alerts: [
      "coldstorage.failure: evidence was not written: it could not be compressed",
      "evidence.purged: evidence was purged: a hound failed, or it could not be compressed"
    ]
  },
  {
    name: "an eviction that cold storage has no memory for",
    config: { quarantine: { maxCount: 1 } },
    lose: (world) =>
      Effect.sync(() => {
        const signature = take(world, "evidence", "low")
        world.broken.copying = true
        take(world, "worse", "medium")
        return signature
      }),
    alerts: ["coldstorage.refused: the host could not take a copy of the evidence"]
  },
  {
    name: "an eviction into cold storage that is full",
    config: {
      quarantine: { maxCount: 2 },
      audit: { coldStorage: { endpoint: "file:memory", maxPendingBytes: 1 } }
    },
    lose: (world) =>
      Effect.sync(() => {
        const signature = take(world, "evidence", "low")
        for (const payload of ["worse", "worst"]) take(world, payload, "medium")
        return signature
      }),
    alerts: ["coldstorage.refused: the mailbox is full"]
  },
  {
    name: "a hound that does not answer",
    lose: (world) =>
      Effect.gen(function*() {
        yield* world.hounds.next("hang")
        return take(world, "evidence")
      }),
    alerts: ["evidence.purged: evidence was purged: a hound did not answer in time"]
  },
  {
    name: "a hound that fails",
    config: { failSafe: { onHoundError: "Purge" } },
    lose: (world) => Effect.map(world.hounds.next("error"), () => take(world, "evidence")),
    alerts: ["evidence.purged: evidence was purged: a hound failed, or it could not be compressed"]
  },
  {
    name: "an evacuation that cannot be compressed",
    lose: (world) =>
      Effect.sync(() => {
        const signature = take(world, "evidence", "low")
        world.broken.compressing = true
        world.sync.evacuate(signature)
        return signature
      }),
    alerts: ["evidence.purged: evidence was purged: a hound failed, or it could not be compressed"]
  },
  {
    name: "a panic",
    lose: (world) =>
      Effect.sync(() => {
        const signature = take(world, "evidence", "low")
        world.sync.panic()
        return signature
      }),
    alerts: ["evidence.purged: evidence was purged: Tracehound panicked"]
  }
]

describe("an alert about evidence that is gone", () => {
  it.effect.each(cases)(
    "RFC F1 C1 names it, and says why: $name",
    ({ alerts, config, lose }) =>
      Effect.gen(function*() {
        const world = yield* openWorld(config === undefined ? {} : { config })
        const signature = yield* lose(world)
        yield* wait
        yield* turn
        const named = (yield* world.alerts).filter((alert) => alert.signature === signature)
        assert.deepStrictEqual(named.map(({ message, type }) => `${type}: ${message}`), alerts)
        const unnamed = (yield* world.alerts).filter((alert) => alert.signature === undefined)
        assert.deepStrictEqual(unnamed.filter(({ type }) => /^coldstorage|^evidence/.test(type)), [])
      })
  )
})
