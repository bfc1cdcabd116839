import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { WatcherSnapshot } from "../../src/domain/WatcherSnapshot.ts"
import { Agent } from "../../src/intake/agent/Agent.ts"
import { Watcher } from "../../src/runtime/Watcher.ts"
import { makeTold, rooms } from "../support/rooms.ts"

const threat = { category: "injection", severity: "high" } as const

const watching = (use: (agent: Agent["Service"], watcher: Watcher["Service"]) => Effect.Effect<void>) =>
  Effect.gen(function*() {
    yield* use(yield* Agent, yield* Watcher)
  }).pipe(Effect.provide(rooms({ rateLimit: { maxRequests: 2 } }, makeTold())))

describe("Watcher", () => {
  it.effect("RFC W1 shows exactly the RFC's shape, before anything has happened", () =>
    watching((_, watcher) =>
      Effect.sync(() => {
        const snapshot = watcher.snapshot()
        assert.isTrue(Schema.is(WatcherSnapshot)(snapshot))
        assert.deepStrictEqual(snapshot, {
          quarantine: { count: 0, bytes: 0, bySeverity: { low: 0, medium: 0, high: 0, critical: 0 } },
          hound: { dormant: 0, active: 0, terminated: 0, sandbox: "none" },
          custody: { held: 0, durable: 0, notDurable: 0 },
          ledger: { size: 0, durable: 0 },
          rateLimit: { blocked: 0, sources: 0 },
          throughput: 0,
          lastActivity: 0,
          errors: []
        })
      })
    ))

  it.effect("RFC W1 counts custody, sources, throughput and activity on the test's own time", () =>
    watching((agent, watcher) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(1_000_000)
        for (const source of ["a", "b", "b", "b"])
          agent.interceptUnsafe({ id: "1", source, timestamp: 1, payload: source, threat })
        yield* TestClock.adjust("1 second")
        const snapshot = watcher.snapshot()
        assert.deepStrictEqual(snapshot.quarantine, {
          count: 2,
          bytes: 2,
          bySeverity: { low: 0, medium: 0, high: 2, critical: 0 }
        })
        assert.deepStrictEqual(snapshot.rateLimit, { blocked: 1, sources: 2 })
        assert.strictEqual(snapshot.throughput, 0.4)
        assert.strictEqual(snapshot.lastActivity, 1_000_000)
      })
    ))

  it.effect("RFC W1 changes nothing by taking a snapshot", () =>
    watching((agent, watcher) =>
      Effect.sync(() => {
        agent.interceptUnsafe({ id: "1", source: "a", timestamp: 1, payload: "p", threat })
        assert.deepStrictEqual(watcher.snapshot(), watcher.snapshot())
      })
    ))
})
