import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Result, Schema } from "effect"
import * as TestClock from "effect/testing/TestClock"
import { genesis, parseEntry } from "../../../src/custody/ledger/Entry.ts"
import { kind, readAs } from "../../../src/custody/ledger/Kind.ts"
import { Ledger } from "../../../src/custody/ledger/Ledger.ts"
import { LedgerStore } from "../../../src/custody/ledger/LedgerStore.ts"
import { verifyLedger } from "../../../src/custody/ledger/VerifyLedger.ts"
import * as NodeEd25519 from "../../../src/host/node/NodeEd25519.ts"
import { ports } from "../../support/ports.ts"
import { hashOf } from "./ledgers.ts"
import { makeMemoryStore } from "./memoryStore.ts"

const noted = kind({
  action: "noted",
  payload: Schema.Struct({ note: Schema.String, at: Schema.optionalKey(Schema.DateTimeUtcFromString) })
})
const other = kind({ action: "other", payload: Schema.Struct({ note: Schema.Number }) })

const inMemory = (maxEntries: number) => Ledger.layerMemory({ maxEntries }).pipe(Layer.provideMerge(ports))
const stored = (store: LedgerStore["Service"]) =>
  Ledger.layerStored.pipe(Layer.provide(Layer.succeed(LedgerStore, store)), Layer.provideMerge(ports))

const appended = (ledger: Ledger["Service"], note: string) =>
  Result.getOrThrow(ledger.appendUnsafe(noted, "tester", { note }))

describe("a kind", () => {
  it("SYS L9 refuses an action that is no name, and the ledger's own fields", () => {
    for (const action of ["", "Noted", "a b", "a".repeat(65)])
      assert.throws(() => kind({ action, payload: Schema.Struct({}) }), TypeError)
    for (const field of ["sequence", "time", "actor", "action", "previous"])
      assert.throws(() => kind({ action: "a", payload: Schema.Struct({ [field]: Schema.String }) }), TypeError)
    assert.strictEqual(kind({ action: "a", payload: Schema.Struct({ payloadHash: Schema.String }) }).action, "a")
  })
})

describe("a ledger in memory", () => {
  it.effect("SYS L9 chains entries of any kind, at the time of the clock, and reads them by their kind", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_760_000_000_000)
      const ledger = yield* Ledger
      assert.deepStrictEqual([ledger.size(), ledger.head()], [0, genesis])
      const first = appended(ledger, "é\ud800")
      yield* TestClock.adjust(5)
      const second = Result.getOrThrow(ledger.appendUnsafe(other, "alice", { note: 7 }))
      assert.deepStrictEqual([first.sequence, second.sequence, ledger.size()], [0, 1, 2])
      assert.strictEqual(ledger.head(), second.hash)
      const [one, two] = yield* ledger.rows(0, 10)
      if (one === undefined || two === undefined) return assert.fail("no rows")
      assert.strictEqual(first.hash, hashOf(one.body))
      assert.strictEqual(second.hash, hashOf(two.body))
      const read = readAs(other, two)
      assert.deepStrictEqual(read, {
        sequence: 1,
        time: 1_760_000_000_005,
        actor: "alice",
        previous: first.hash,
        payload: { note: 7 }
      })
      assert.strictEqual(readAs(noted, one)?.payload.note, "é\ufffd")
      assert.isNull(readAs(noted, two))
      assert.isNull(readAs(other, { ...two, body: two.body.replace("7", "true") }))
      assert.isNull(readAs(other, { ...two, body: "{" }))
    }).pipe(Effect.provide(inMemory(10))))

  it.effect("SYS L9 keeps its newest entries, and goes on from those before them", () =>
    Effect.gen(function*() {
      const ledger = yield* Ledger
      const hashes = Array.from({ length: 25 }, (_, at) => appended(ledger, String(at)).hash)
      const rows = yield* ledger.rows(0, 100)
      assert.deepStrictEqual(rows.map(({ sequence }) => sequence), Array.from({ length: 10 }, (_, at) => 15 + at))
      assert.deepStrictEqual(rows.map(({ body }) => hashOf(body)), hashes.slice(15))
      assert.deepStrictEqual((yield* ledger.rows(20, 2)).map(({ sequence }) => sequence), [20, 21])
      assert.deepStrictEqual(yield* ledger.rows(25, 2), [])
      assert.strictEqual(Result.getOrThrow(parseEntry(rows[0]?.body ?? "")).previous, hashes[14])
    }).pipe(Effect.provide(inMemory(10))))

  it.effect("SYS L9 is never durable, and says so", () =>
    Effect.gen(function*() {
      const ledger = yield* Ledger
      const { sequence } = appended(ledger, "a")
      assert.strictEqual((yield* Effect.flip(ledger.durable(sequence)))._tag, "NotDurable")
    }).pipe(Effect.provide(inMemory(10))))

  it.effect("SYS L9 refuses what is no entry, and is then as it was before", () =>
    Effect.gen(function*() {
      const ledger = yield* Ledger
      const before = appended(ledger, "a")
      const reasonOf = (actor: unknown, payload: unknown) =>
        Result.match(ledger.appendUnsafe(noted, actor as string, payload as { readonly note: string }), {
          onFailure: ({ reason }) => reason,
          onSuccess: () => "appended"
        })
      for (const payload of [{}, { note: 1 }, null, undefined, "note"])
        assert.strictEqual(reasonOf("tester", payload), "payload")
      for (const actor of ["", "a".repeat(257), null, 7]) assert.strictEqual(reasonOf(actor, { note: "a" }), "actor")
      assert.strictEqual(reasonOf("tester", { note: "a".repeat(65_536) }), "too_long")
      const infinite = ledger.appendUnsafe(other, "tester", { note: Infinity })
      assert.isTrue(Result.isFailure(infinite))
      assert.deepStrictEqual([ledger.size(), ledger.head()], [1, before.hash])
      assert.lengthOf(yield* ledger.rows(0, 10), 1)
    }).pipe(Effect.provide(inMemory(10))))
})

describe("a ledger with a store", () => {
  it.effect("SYS L9 goes on where the store ends, hands each entry over, and wakes the writer once a turn", () =>
    Effect.gen(function*() {
      const head = "ab".repeat(32)
      const { commit, store, wakes } = makeMemoryStore({ size: 7, head })
      yield* Effect.gen(function*() {
        const ledger = yield* Ledger
        assert.deepStrictEqual([ledger.size(), ledger.head()], [7, head])
        const all = ["a", "é😀", "c"].map((note) => appended(ledger, note))
        assert.deepStrictEqual(all.map(({ sequence }) => sequence), [7, 8, 9])
        assert.strictEqual(wakes(), 0)
        yield* Effect.yieldNow
        yield* Effect.promise(() => Promise.resolve())
        assert.strictEqual(wakes(), 1)
        const waits = yield* Effect.forkChild(ledger.durable(9), { startImmediately: true })
        assert.isUndefined(waits.pollUnsafe())
        commit()
        yield* Fiber.join(waits)
        const rows = yield* ledger.rows(7, 10)
        assert.deepStrictEqual(rows.map(({ body }) => hashOf(body)), all.map(({ hash }) => hash))
        assert.strictEqual(Result.getOrThrow(parseEntry(rows[0]?.body ?? "")).previous, head)
      }).pipe(Effect.provide(stored(store)))
    }))

  it.effect("SYS L9 refuses an entry while the store has no room, and takes it afterwards", () =>
    Effect.gen(function*() {
      const { commit, store } = makeMemoryStore({ size: 0, head: genesis }, 2)
      yield* Effect.gen(function*() {
        const ledger = yield* Ledger
        appended(ledger, "a")
        const before = appended(ledger, "b")
        const refused = ledger.appendUnsafe(noted, "tester", { note: "c" })
        assert.isTrue(Result.isFailure(refused) && refused.failure.reason === "full")
        assert.deepStrictEqual([ledger.size(), ledger.head()], [2, before.hash])
        commit()
        assert.strictEqual(appended(ledger, "c").sequence, 2)
        commit()
        const report = yield* verifyLedger({
          reader: { rows: ledger.rows, checkpoints: () => Effect.succeed([]) },
          keys: []
        })
        assert.deepStrictEqual([report.finding, report.entries, report.head], [null, 3, ledger.head()])
      }).pipe(Effect.provide(Layer.mergeAll(stored(store), NodeEd25519.layer)))
    }))
})
