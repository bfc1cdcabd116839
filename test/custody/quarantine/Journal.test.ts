/**
 * The journal over a vault, and a store whose disk is the test's.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { genesis } from "../../../src/custody/ledger/Entry.ts"
import { LedgerStoreError } from "../../../src/custody/ledger/LedgerStore.ts"
import { StoreTurns } from "../../../src/custody/ledger/StoreTurns.ts"
import { Journal, type JournalStore, type JournalWindow } from "../../../src/custody/quarantine/Journal.ts"
import { Vault, vaultSeedWords } from "../../../src/custody/quarantine/Vault.ts"
import { DigestBuffer } from "../../../src/domain/Digest.ts"
import { categoryRank } from "../../../src/domain/Scent.ts"
import { severityRank } from "../../../src/domain/Severity.ts"
import { hash as hashPort } from "../audit/entries.ts"
import { makeMemoryStore } from "../ledger/memoryStore.ts"
import { makeTurns } from "../ledger/turns.ts"

const equal = (a: Uint8Array, at: number, b: Uint8Array, from: number, size: number): boolean =>
  Buffer.from(a.subarray(at, at + size)).equals(Buffer.from(b.subarray(from, from + size)))

/** Attached, with a window of 4 pieces and 2^18 bytes unless told otherwise. */
const makeJournal = (
  window: JournalWindow = { pieces: 4, bytes: 2 ** 18 },
  evictionPolicy: "priority" | "lru" = "lru"
) => {
  const memory = makeMemoryStore({ size: 0, head: genesis })
  const puts: Array<number> = []
  const amends: Array<number> = []
  let hasRoom = true
  const store: JournalStore = {
    checkpoint: memory.store.checkpoint,
    journal: {
      ...memory.store.journal,
      putUnsafe: (piece) => {
        if (!hasRoom) return false
        puts.push(piece.key)
        return memory.store.journal.putUnsafe(piece)
      },
      amendUnsafe: (key, facts) => {
        amends.push(key)
        return memory.store.journal.amendUnsafe(key, facts)
      }
    }
  }
  const alerts: Array<string> = []
  const vault = new Vault({ policy: evictionPolicy, keyed: false, seed: new Int32Array(vaultSeedWords), equal })
  const journal = new Journal({
    vault,
    window,
    hash: hashPort,
    clock: { currentTimeMillisUnsafe: () => 5 },
    alerts: { alertUnsafe: ({ type }) => void alerts.push(type) }
  })
  const turns = makeTurns()
  journal.begin(-1)
  journal.attach(store, new StoreTurns(memory.store, turns))
  turns.end()
  const hold = (n: number, size = 8): number => {
    const content = new Uint8Array(size).fill(n)
    const found = new DigestBuffer()
    hashPort.sha256Into(content, found.bytes)
    const digest = found.digest()
    const slot = vault.insert({
      content,
      size,
      hash: digest,
      signed: digest,
      category: categoryRank("injection"),
      severity: severityRank("low"),
      captured: n,
      id: `id ${n}`,
      source: "s",
      timestamp: n
    })
    journal.hold(slot)
    return slot
  }
  const leave = (slot: number): number | undefined => {
    const piece = journal.pieceOf(slot)
    vault.remove(slot)
    journal.forget(slot)
    return piece
  }
  return {
    alerts,
    amends,
    commit: memory.commit,
    hold,
    journal,
    leave,
    puts,
    setRoom: (has: boolean) => {
      hasRoom = has
    },
    store,
    turns,
    vault
  }
}

describe("Journal", () => {
  it("RFC E9 pushes after the turn, and never what left within it", () => {
    const { commit, hold, journal, leave, puts, turns } = makeJournal()
    const [first, second] = [hold(1), hold(2)]
    assert.isUndefined(leave(first))
    assert.deepStrictEqual(puts, [])
    turns.end()
    assert.strictEqual(puts.length, 1)
    assert.isFalse(journal.isDurable(second))
    commit()
    assert.isTrue(journal.isDurable(second))
    assert.deepStrictEqual(journal.stats(), { durable: 1, notDurable: 0 })
  })

  it("RFC E9 gives a piece's key to the record that ends it, and to no other piece", () => {
    const { commit, hold, leave, puts, turns } = makeJournal()
    const slot = hold(1)
    turns.end()
    assert.strictEqual(leave(slot), puts[0])
    assert.strictEqual(hold(2), slot)
    turns.end()
    commit()
    assert.strictEqual(new Set(puts).size, 2)
    // The clock's time is below them all: 5 ms.
    assert.isTrue(puts.every((key) => key >= 5 * 1_024))
  })

  it("RFC E9 holds evidence in memory alone past the window: counted, one alert, until the window is empty", () => {
    const { alerts, hold, journal, setRoom, turns } = makeJournal()
    for (let round = 1; round <= 2; round++) {
      setRoom(false)
      for (let n = 0; n < 6; n++) hold(100 * round + n)
      turns.end()
      assert.deepStrictEqual(journal.stats().notDurable, 2 * round)
      assert.strictEqual(alerts.length, round)
      setRoom(true)
      turns.wait()
    }
    assert.deepStrictEqual(alerts, ["custody.notDurable", "custody.notDurable"])
  })

  it.effect("RFC E9 counts the window's bytes, and refuses what would never fit", () =>
    Effect.gen(function*() {
      const { hold, journal, turns, vault } = makeJournal({ pieces: 100, bytes: 2 ** 18 })
      const large = hold(1, 2 ** 18)
      assert.strictEqual((yield* Effect.flip(journal.whenDurable(large, vault.generationOf(large)))).reason, "window")
      hold(2, 2 ** 17)
      hold(3, 2 ** 17)
      assert.strictEqual(journal.stats().notDurable, 2)
      turns.end()
      hold(4, 2 ** 17)
      assert.strictEqual(journal.stats().notDurable, 2)
    }))

  it.effect("RFC E9 has who waits told when the piece is on disk, also before the turn has ended", () =>
    Effect.gen(function*() {
      const { commit, hold, journal, turns, vault } = makeJournal()
      const slot = hold(1)
      const waiting = yield* Effect.forkChild(journal.whenDurable(slot, vault.generationOf(slot)))
      yield* Effect.yieldNow
      turns.end()
      yield* Effect.yieldNow
      assert.isUndefined(waiting.pollUnsafe())
      commit()
      yield* Fiber.join(waiting)
    }))

  it.effect("RFC E9 tells who waits that the disk refused, or that the piece has left", () =>
    Effect.gen(function*() {
      const { hold, journal, leave, store, turns, vault } = makeJournal()
      const slot = hold(1)
      const generation = vault.generationOf(slot)
      turns.end()
      const failing = { ...store.journal, durable: () => new LedgerStoreError({ reason: "full", message: "no room" }) }
      journal.attach({ ...store, journal: failing }, new StoreTurns({ wakeUnsafe: () => {} }, makeTurns()))
      assert.strictEqual((yield* Effect.flip(journal.whenDurable(slot, generation))).reason, "disk")
      leave(slot)
      assert.strictEqual((yield* Effect.flip(journal.whenDurable(slot, generation))).reason, "left")
    }))

  it("RFC E9 amends what moved in the order of eviction, once a turn", () => {
    const { amends, hold, journal, leave, puts, turns } = makeJournal()
    const slot = hold(1)
    journal.changed(slot)
    turns.end()
    assert.deepStrictEqual(amends, [])
    for (let i = 0; i < 3; i++) journal.changed(slot)
    turns.end()
    assert.deepStrictEqual(amends, puts)
    journal.changed(slot)
    leave(slot)
    turns.end()
    assert.deepStrictEqual(amends, puts)
  })

  it("RFC E9 E5 journals no bytes that are not the evidence", () => {
    const { hold, journal, puts, turns, vault } = makeJournal()
    const [changed, read] = [hold(1), hold(2)]
    new Uint8Array(vault.expose(changed))[0] = 77
    vault.expose(read)
    turns.end()
    assert.strictEqual(puts.length, 1)
    assert.isUndefined(journal.pieceOf(changed))
    assert.isDefined(journal.pieceOf(read))
  })

  it("works no more for what waits than once for each piece", () => {
    const { hold, puts, turns } = makeJournal({ pieces: 4_096, bytes: 2 ** 30 })
    for (let n = 0; n < 256; n++) hold(n, 16)
    turns.end()
    assert.strictEqual(puts.length, 256)
    assert.strictEqual(turns.waiting(), 0)
  })
})
