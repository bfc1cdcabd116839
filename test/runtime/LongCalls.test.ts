/**
 * Every call of the public surface that takes long where there is much, and its twin that does not
 * hold the event loop up. A new member of the surface has to be put on one of the lists.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { genesis } from "../../src/custody/audit/HashChain.ts"
import * as surface from "../../src/index.ts"
import { Tracehound, verifyRecords, verifyRecordsEffect } from "../../src/index.ts"
import { hash } from "../custody/audit/entries.ts"

/** By name, the members of `sync` whose cost grows with what is held, and the twin of each. */
const twins = {
  actors: ({ actors }: Tracehound["Service"]) => actors,
  "auditChain.inspect": ({ auditChain }: Tracehound["Service"]) => auditChain.inspect(),
  "auditChain.records": ({ auditChain }: Tracehound["Service"]) => auditChain.records(),
  "auditChain.verify": ({ auditChain }: Tracehound["Service"]) => auditChain.verify,
  flush: ({ flush }: Tracehound["Service"]) => flush
} as const

/** Members whose cost is bounded whatever is held. */
const bounded = [
  // One for each hound or error: the code or the configuration bounds them.
  "hounds.list",
  "watcher.snapshot",
  // One piece of evidence.
  "evacuate",
  "intercept",
  "neutralize",
  "quarantine.get",
  // Numbers, and what is told to others.
  "coldStorage.kept",
  "coldStorage.stats",
  "deadLetters",
  "detector.refused",
  "detector.unreadable",
  "hounds.activate",
  "hounds.deactivate",
  "hounds.outcomes",
  "hounds.sandbox",
  "hounds.terminate",
  "panic",
  "rateLimiter.check",
  "rateLimiter.reset",
  "state",
  "totals",
  // For the end of a process, where there is no other turn to wait for.
  "wipe",
  // What they read comes a bounded number of events at a time.
  "streams.alerts",
  "streams.audit",
  "streams.deadLetters",
  "streams.decisions",
  "streams.lifecycle"
]

/** Functions of the package that take any number of records or bytes, and the twin of each. */
const functions = { openEnvelope: "openEnvelopeEffect", verifyRecords: "verifyRecordsEffect" }

const functionsOf = (value: object, prefix = ""): ReadonlyArray<string> =>
  Object.entries(Object.getOwnPropertyDescriptors(value)).flatMap(([name, { value: member }]) => {
    if (typeof member === "function") return [`${prefix}${name}`]
    return typeof member === "object" && member !== null ? functionsOf(member, `${prefix}${name}.`) : []
  })

const scent = (n: number) => ({
  id: `${n}`,
  source: "192.0.2.1",
  timestamp: 1,
  payload: `payload ${n}`,
  threat: { category: "injection", severity: "low" } as const
})

/** Runs the effect, and gives its result with the turns that another fiber had meanwhile. */
const withTurns = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    let turns = 0
    const other = yield* Effect.forkChild(
      Effect.forever(Effect.andThen(Effect.sync(() => turns++), Effect.yieldNow), { disableYield: true }),
      { startImmediately: true }
    )
    const before = turns
    const result = yield* effect
    const taken = turns - before
    yield* Fiber.interrupt(other)
    return { result, turns: taken }
  })

describe("long calls", () => {
  layer(Tracehound.layer({ hound: { enabled: false }, rateLimit: { maxRequests: 1_000_000 } }))(
    "of a Tracehound",
    (it) => {
      it.effect("RFC A4 are all known, and each has a twin", () =>
        Effect.gen(function*() {
          const { sync } = yield* Tracehound
          assert.sameMembers([...functionsOf(sync)], [...bounded, ...Object.keys(twins)])
          for (const [name, twin] of Object.entries(functions))
            for (const each of [name, twin]) assert.isFunction(Reflect.get(surface, each), each)
        }))

      it.effect("RFC A4 have twins that give the same, and others a turn as often as there is more to do", () =>
        Effect.gen(function*() {
          const tracehound = yield* Tracehound
          const { sync } = tracehound
          for (let n = 0; n < 6_000; n++) sync.intercept(scent(n))
          const flushed = yield* withTurns(twins.flush(tracehound))
          assert.lengthOf(flushed.result, 6_000)
          assert.isAtLeast(flushed.turns, Math.floor(6_000 / 64) - 1)
          assert.deepStrictEqual(flushed.result, sync.auditChain.records().map(({ entry }) => entry) as never)

          const records = yield* withTurns(twins["auditChain.records"](tracehound))
          assert.deepStrictEqual(records.result, sync.auditChain.records())
          assert.isAtLeast(records.turns, Math.floor(6_000 / 128) - 1)
          assert.deepStrictEqual(
            yield* tracehound.auditChain.records({ from: 9, limit: 3 }),
            records.result.slice(9, 12)
          )

          const inspected = yield* withTurns(twins["auditChain.inspect"](tracehound))
          assert.deepStrictEqual(inspected.result, sync.auditChain.inspect())
          assert.isAtLeast(inspected.turns, 2)
          assert.isTrue(yield* twins["auditChain.verify"](tracehound))
          assert.deepStrictEqual(yield* twins.actors(tracehound), sync.actors())
          assert.isTrue((yield* tracehound.auditChain.inspect(sync.auditChain.lastHash)).valid)
          assert.isFalse((yield* tracehound.auditChain.inspect(genesis)).valid)

          const some = records.result.slice(0, 1_000)
          const verified = yield* withTurns(verifyRecordsEffect(some, { anchor: genesis, from: 0, hash }))
          assert.deepStrictEqual(verified.result, verifyRecords(some, { anchor: genesis, from: 0, hash }))
          assert.isAtLeast(verified.turns, Math.floor(1_000 / 32) - 1)
        }))
    }
  )

  it.effect("RFC A4 take no turn where there is little: flush is over at once", () =>
    Effect.gen(function*() {
      const { flush, sync } = yield* Tracehound
      for (let n = 0; n < 64; n++) sync.intercept(scent(n))
      const flushing = yield* Effect.forkChild(flush, { startImmediately: true })
      assert.isDefined(flushing.pollUnsafe())
      assert.strictEqual(sync.auditChain.length, 64)
    }).pipe(Effect.provide(Tracehound.layer({ hound: { enabled: false } }))))
})
