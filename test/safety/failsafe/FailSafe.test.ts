/**
 * Tests every cell of the fail-safe's table through its real cause: what happens to the evidence,
 * what the chain records, which alerts and callbacks follow, and what counts towards a panic.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { TestClock } from "effect/testing"
import type { StartError } from "tracehound"
import { type FailSafeAction, failSafeActions } from "../../../src/domain/FailSafe.ts"
import { departures, openWorld, take, turn, type World, type WorldOptions } from "./world.ts"

/** The observable results of a failure. */
interface Outcome {
  readonly held: number
  readonly departures: ReadonlyArray<string>
  readonly written: number
  readonly alerts: ReadonlyArray<string>
  readonly errors: ReadonlyArray<string>
  readonly purged: ReadonlyArray<string>
  readonly escalated: ReadonlyArray<string>
  readonly state: "running" | "panicked"
}

type Table = Readonly<Record<FailSafeAction, Outcome>>

/** Causes the failure in a world with these settings, and gives the results. */
const outcome = <E>(
  config: WorldOptions["config"],
  cause: (world: World) => Effect.Effect<void, E>
): Effect.Effect<Outcome, E | StartError, Scope.Scope> =>
  Effect.gen(function*() {
    const purged: Array<string> = []
    const escalated: Array<string> = []
    const world = yield* openWorld({
      ...(config === undefined ? {} : { config }),
      callbacks: {
        onPurge: ({ reason }) => {
          purged.push(reason)
        },
        onEscalate: ({ severity, type }) => {
          escalated.push(`${severity} ${type}`)
        }
      }
    })
    yield* cause(world)
    yield* turn
    assert.isTrue(world.sync.auditChain.verify(), "RFC A1 the chain verifies")
    return {
      held: world.sync.quarantine.count,
      departures: departures(world),
      written: (yield* world.memory.written).length,
      alerts: yield* world.types,
      errors: world.errors(),
      purged,
      escalated,
      state: world.sync.state()
    }
  })

/** The results where the failure was only recorded. */
const untouched = (error: string, over: Partial<Outcome> = {}): Outcome => ({
  held: 1,
  departures: [],
  written: 0,
  alerts: [],
  errors: [error],
  purged: [],
  escalated: [],
  state: "running",
  ...over
})

/** The results of each action where one piece of evidence fails. */
const tableOf = (error: string, reason: "timeout" | "error"): Table => ({
  Purge: untouched(error, {
    held: 0,
    departures: [`purged ${reason} file:memory`],
    written: 1,
    alerts: ["evidence.purged"],
    purged: [reason]
  }),
  quarantine: untouched(error),
  escalate: untouched(error, { alerts: ["failsafe.escalated"], escalated: ["warning failsafe.escalated"] }),
  panic: untouched(error, {
    held: 0,
    departures: ["purged panic file:memory"],
    written: 1,
    alerts: ["failsafe.panic", "evidence.purged"],
    errors: [error, "panicked"],
    purged: ["panic"],
    state: "panicked"
  })
})

describe("a hound that does not answer", () => {
  const table = tableOf("hound_timeout", "timeout")
  it.effect.each(failSafeActions)("RFC F1 timeout x %s", (action) =>
    Effect.gen(function*() {
      const seen = yield* outcome({ failSafe: { onTimeout: action } }, (world) =>
        Effect.gen(function*() {
          yield* world.hounds.next("hang")
          take(world, "evidence")
          yield* TestClock.adjust(4_999)
          assert.deepStrictEqual(world.errors(), [], "it has until maxProcessingTime")
          yield* TestClock.adjust(1)
        }))
      assert.deepStrictEqual(seen, table[action])
    }))
})

describe("a hound that fails", () => {
  const table = tableOf("hound_error", "error")
  it.effect.each(failSafeActions)("RFC F1 hound_error x %s", (action) =>
    Effect.gen(function*() {
      const seen = yield* outcome({ failSafe: { onHoundError: action } }, (world) =>
        Effect.map(world.hounds.next("error"), () => {
          take(world, "evidence")
        }))
      assert.deepStrictEqual(seen, table[action])
    }))

  it.effect("RFC F1 A1 evidence that has left before its purge is not purged a second time", () =>
    Effect.gen(function*() {
      const seen = yield* outcome({ failSafe: { onHoundError: "Purge" } }, (world) =>
        Effect.gen(function*() {
          yield* world.hounds.next("hang")
          take(world, "evidence")
          yield* turn
          world.sync.flush()
          yield* TestClock.adjust(5_000)
        }))
      assert.deepStrictEqual(seen, untouched("hound_timeout", { held: 0, departures: ["neutralized"] }))
    }))
})

describe("evidence that cannot be compressed", () => {
  const table = tableOf("encode_error", "error")
  it.effect.each(failSafeActions)(
    "RFC F1 encode_error x %s: on the turn of an evacuation",
    (action) =>
      Effect.gen(function*() {
        const seen = yield* outcome({ failSafe: { onEncodeError: action } }, (world) =>
          Effect.sync(() => {
            const signature = take(world, "evidence", "low")
            world.broken.compressing = true
            assert.isNull(world.sync.evacuate(signature))
          }))
        assert.deepStrictEqual(seen, table[action])
      })
  )

  it.effect("RFC F1 what could not be compressed is delivered as it is", () =>
    Effect.gen(function*() {
      const world = yield* openWorld()
      const signature = take(world, "a very plain text", "low")
      world.broken.compressing = true
      world.sync.evacuate(signature)
      yield* turn
      const [written] = yield* world.memory.written
      assert.strictEqual(written?.bytes[5], 0, "the codec `stored`")
      assert.include(Buffer.from(written?.bytes ?? []).toString("latin1"), "a very plain text")
    }))

  /** The evidence has left by then: only reports follow. A panic concerns the other piece. */
  const backgroundTable: Table = {
    Purge: untouched("encode_error", { alerts: ["coldstorage.failure", "evidence.purged"], purged: ["error"] }),
    quarantine: untouched("encode_error", { alerts: ["coldstorage.failure"] }),
    escalate: untouched("encode_error", {
      alerts: ["coldstorage.failure", "failsafe.escalated"],
      escalated: ["warning failsafe.escalated"]
    }),
    panic: untouched("encode_error", {
      held: 0,
      written: 1,
      alerts: ["coldstorage.failure", "failsafe.panic", "evidence.purged"],
      purged: ["panic"],
      state: "panicked"
    })
  }
  it.effect.each(failSafeActions)(
    "RFC F1 encode_error x %s: in the background, after an eviction",
    (action) =>
      Effect.gen(function*() {
        const seen = yield* outcome({ quarantine: { maxCount: 1 }, failSafe: { onEncodeError: action } }, (world) =>
          Effect.sync(() => {
            take(world, "first", "low")
            world.broken.compressing = true
            take(world, "second", "low")
          }))
        const isPanic = action === "panic"
        assert.deepStrictEqual(seen, {
          ...backgroundTable[action],
          departures: ["evicted", ...(isPanic ? ["purged panic file:memory"] : [])],
          errors: ["quarantine_full", "coldstorage_failure", "encode_error", ...(isPanic ? ["panicked"] : [])]
        })
      })
  )

  it.effect("RFC F1 evidence that is purged for another reason is told once, also where it cannot be compressed", () =>
    Effect.gen(function*() {
      const seen = yield* outcome(
        { failSafe: { onHoundError: "Purge", onEncodeError: "Purge" } },
        (world) =>
          Effect.gen(function*() {
            yield* world.hounds.next("error")
            world.broken.compressing = true
            take(world, "evidence")
          })
      )
      assert.deepStrictEqual([seen.purged, seen.departures], [["error"], ["purged error file:memory"]])
    }))
})

describe("a full quarantine", () => {
  const evicting = untouched("quarantine_full", { departures: ["evicted"], written: 1 })
  const table: Table = {
    Purge: evicting,
    quarantine: evicting,
    escalate: { ...evicting, alerts: ["failsafe.escalated"], escalated: ["warning failsafe.escalated"] },
    panic: {
      ...evicting,
      held: 0,
      departures: ["evicted", "purged panic file:memory"],
      written: 2,
      alerts: ["failsafe.panic", "evidence.purged"],
      errors: ["quarantine_full", "panicked"],
      purged: ["panic"],
      state: "panicked"
    }
  }
  it.effect.each(failSafeActions)("RFC F1 quarantine_full x %s", (action) =>
    Effect.gen(function*() {
      const seen = yield* outcome({ quarantine: { maxCount: 1 }, failSafe: { onQuarantineFull: action } }, (world) =>
        Effect.sync(() => {
          const old = take(world, "old", "low")
          const result = world.sync.intercept({
            id: "2",
            source: "192.0.2.1",
            timestamp: 1,
            payload: "new",
            threat: { category: "injection", severity: "low" }
          })
          const isTurnedAway = action === "quarantine" || action === "panic"
          // The evidence fills the quarantine, so it is examined (CONFORMANCE H7).
          assert.strictEqual(result.status, isTurnedAway ? "quarantined" : "escalated")
          assert.strictEqual(result.status === "quarantined" && result.evicted !== undefined, isTurnedAway)
          assert.strictEqual(world.sync.quarantine.get(old) !== null, isTurnedAway)
        }))
      assert.deepStrictEqual(seen, table[action])
    }))

  it.effect("RFC F1 it is reported once for each time that it becomes full", () =>
    Effect.gen(function*() {
      const world = yield* openWorld({
        config: { quarantine: { maxCount: 2 }, failSafe: { onQuarantineFull: "escalate" } }
      })
      for (let n = 0; n < 50; n++) take(world, n, "low")
      yield* turn
      assert.deepStrictEqual(yield* world.types, ["failsafe.escalated"])
      world.sync.flush()
      for (let n = 50; n < 100; n++) take(world, n, "low")
      yield* turn
      assert.deepStrictEqual(yield* world.types, ["failsafe.escalated", "failsafe.escalated"])
      assert.strictEqual(world.sync.state(), "running")
    }))

  it.effect("RFC F1 F2 large and small payloads in turn do not make it full again and again, and cause no panic", () =>
    Effect.gen(function*() {
      const world = yield* openWorld({
        config: { quarantine: { maxBytes: 1_000 }, failSafe: { onQuarantineFull: "escalate" } }
      })
      // A large one finds no room, a small one does: a hundred times.
      for (let n = 0; n < 3; n++) take(world, `${n}`.padEnd(300, "."), "low")
      for (let n = 0; n < 100; n++) {
        take(world, `large ${n}`.padEnd(300, "."), "low")
        take(world, `${n}`, "low")
      }
      yield* turn
      assert.deepStrictEqual(yield* world.types, ["failsafe.escalated"])
      assert.strictEqual(world.sync.state(), "running")
    }))
})

describe("an actor that crashes again and again", () => {
  const table: Readonly<Record<FailSafeAction, Partial<Outcome>>> = {
    Purge: {},
    quarantine: {},
    escalate: { alerts: ["failsafe.escalated"], escalated: ["warning failsafe.escalated"] },
    // No actor is left to deliver anything: nothing leaves custody.
    panic: { alerts: ["failsafe.panic"], state: "panicked" }
  }
  it.effect.each(failSafeActions)("RFC F1 S3 system_error x %s", (action) =>
    Effect.gen(function*() {
      const seen = yield* outcome({ quarantine: { maxCount: 3 }, failSafe: { onSystemError: action } }, (world) =>
        Effect.gen(function*() {
          for (let n = 0; n < 12; n++)
            take(world, n, "low")
          world.broken.sealing = true
          for (let n = 0; n < 100 && world.sync.actors().phase === "running"; n++)
            yield* TestClock.adjust(100)
          assert.strictEqual(world.sync.actors().phase, "ended")
          // The synchronous part works on, and so does the host.
          assert.strictEqual(
            world.sync.intercept({ id: "1", source: "s", timestamp: 1, payload: 1 }).status,
            action === "panic" ? "error" : "clean"
          )
        }))
      assert.deepStrictEqual(
        {
          ...seen,
          alerts: seen.alerts.filter((type) =>
            type !== "coldstorage.failure"
          )
        },
        untouched("system_error", {
          held: 3,
          ...table[action],
          departures: Array.from({ length: 9 }, () => "evicted"),
          errors: [
            "quarantine_full",
            "system_error",
            ...(action === "panic" ? ["panicked"] : []),
            "coldstorage_failure"
          ]
        })
      )
      assert.strictEqual(seen.alerts.filter((type) => type === "coldstorage.failure").length, 9)
    }))

  it.effect("RFC S3 crashes that are spread over time are no system error", () =>
    Effect.gen(function*() {
      const world = yield* openWorld({ config: { quarantine: { maxCount: 1 } } })
      world.broken.sealing = true
      for (let n = 0; n < 12; n++) {
        take(world, n, "low")
        yield* TestClock.adjust(11_000)
      }
      assert.strictEqual(world.sync.coldStorage.stats().deadLetters, 11)
      assert.strictEqual(world.sync.actors().phase, "running")
      assert.notInclude(world.errors(), "system_error")
      world.broken.sealing = false
      take(world, "last", "low")
      yield* TestClock.adjust(11_000)
      assert.strictEqual((yield* world.memory.written).length, 1)
    }))
})

describe("what counts towards a panic", () => {
  it.effect.each(["Purge", "quarantine"] as const)(
    "RFC F2 what ends with %s counts for nothing",
    (action) =>
      Effect.gen(function*() {
        const world = yield* openWorld({
          config: {
            failSafe: { onTimeout: action, onHoundError: action, onEncodeError: action, onQuarantineFull: action },
            quarantine: { maxCount: 5 }
          }
        })
        yield* world.hounds.always("error")
        for (let n = 0; n < 200; n++) {
          take(world, n)
          yield* turn
        }
        assert.strictEqual(world.sync.state(), "running")
        assert.notInclude(yield* world.types, "failsafe.escalated")
      })
  )

  it.effect("RFC F2 a hound's verdict of error is escalated, and counts for nothing: evidence can be made to provoke it", () =>
    Effect.gen(function*() {
      const world = yield* openWorld({ config: { failSafe: { panic: { threshold: { min: 1, max: 2 } } } } })
      yield* world.hounds.always("error")
      for (let n = 0; n < 20; n++) {
        take(world, n)
        yield* turn
      }
      assert.strictEqual(world.sync.state(), "running")
      assert.include(yield* world.types, "failsafe.escalated")
      yield* world.hounds.always("crash")
      take(world, "a")
      take(world, "b")
      yield* turn
      assert.strictEqual(world.sync.state(), "panicked")
    }))

  it.effect("RFC F2 escalations of every cause count together", () =>
    Effect.gen(function*() {
      const world = yield* openWorld({
        config: {
          quarantine: { maxCount: 1 },
          failSafe: {
            onTimeout: "escalate",
            onEncodeError: "escalate",
            onQuarantineFull: "escalate",
            panic: { threshold: { min: 4, max: 4 } }
          }
        }
      })
      yield* world.hounds.next("crash", "hang")
      take(world, "a")
      yield* turn
      const b = take(world, "b")
      yield* TestClock.adjust(5_000)
      assert.strictEqual(world.sync.state(), "running")
      world.broken.compressing = true
      world.sync.evacuate(b)
      assert.strictEqual(world.sync.state(), "panicked")
    }))
})
