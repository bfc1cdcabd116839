import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { hash as nodeHash } from "node:crypto"
import { join } from "node:path"
import { LeafHasher } from "../../../src/custody/ledger/LeafHash.ts"
import { Tree } from "../../../src/custody/ledger/Tree.ts"
import { readNote, signerOf } from "../../../src/custody/store/CheckpointNote.ts"
import { GroupWriter, OutOfStep, type WriterLimits, writerLimits } from "../../../src/custody/store/GroupWriter.ts"
import { sizeOf, treeAt } from "../../../src/custody/store/LedgerTree.ts"
import { Outbox } from "../../../src/custody/store/Outbox.ts"
import { Readings } from "../../../src/custody/store/Readings.ts"
import { RingConsumer, ringMemory, RingProducer } from "../../../src/custody/store/Ring.ts"
import { openWriter } from "../../../src/custody/store/Sqlite.ts"
import { refusalOf } from "../../../src/custody/store/StoreErrors.ts"
import { migrate, migrations } from "../../../src/custody/store/StoreSchema.ts"
import { bodyOf, temporaryDirectory, testSigner } from "./stores.ts"

const utf8 = new TextEncoder()

const hash = {
  sha256Into: (bytes: Uint8Array, target: Uint8Array) => target.set(nodeHash("sha256", bytes, "buffer"))
}

/** Dies, to what it wrote, between the commit and the release. */
class UnreleasedRing extends RingConsumer {
  override release(): void {}
}

/** A writer without a thread, on a database of its own. */
const makeWriter = (limits: Partial<WriterLimits> = {}) =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const db = yield* Effect.acquireRelease(
      Effect.sync(() => openWriter(join(directory, "ledger.db"))),
      (db) => Effect.sync(() => db.close())
    )
    assert.strictEqual(migrate(db), "migrated")
    const shared = ringMemory(2 ** 20)
    const ring = new RingProducer(shared)
    const outbox = new Outbox(ring, 0, { bytes: 2 ** 19, pieces: 8 }, { pieces: 0, ended: null })
    const clock = { now: 0 }
    const writerOf = (consumer: RingConsumer) =>
      new GroupWriter({
        db,
        ring: consumer,
        readTree: () => treeAt(hash, db, sizeOf(db)),
        sign: signerOf(testSigner),
        nowMs: () => clock.now,
        keys: null,
        answer: () => {}
      }, { ...writerLimits, ...limits })
    const push = (from: number, to: number, piece?: number) => {
      for (let i = from; i < to; i++) assert.isTrue(outbox.entry(i, utf8.encode(bodyOf(i)), piece))
    }
    return { clock, db, outbox, push, readings: new Readings(db), ring, shared, writerOf }
  })

/** The root over the first entries, by a tree that never was in a database. */
const rootOf = (size: number): Uint8Array => {
  const tree = new Tree(hash)
  const leaves = new LeafHasher(hash)
  for (let i = 0; i < size; i++) {
    const leaf = new Uint8Array(32)
    leaves.ofText(bodyOf(i), leaf)
    tree.append(leaf)
  }
  return tree.root()
}

const piece = (key: number) => ({ key, facts: `{"key":${key}}`, content: utf8.encode(`content ${key}`) })
const letter = { name: "a", endpoint: "file:x", reason: "full", time: 1, envelope: utf8.encode("sealed") }

/** Why a group was not committed; null where it was. */
const refusalOfCommit = (writer: GroupWriter): string | null => {
  try {
    writer.commit()
    return null
  } catch (cause) {
    return refusalOf(cause)
  }
}

describe("the writer of groups", () => {
  it.effect("SYS L2 a group that finds the disk full is not on disk, and the next try has all of it", () =>
    Effect.gen(function*() {
      const { db, push, readings, ring, shared, writerOf } = yield* makeWriter()
      const writer = writerOf(new RingConsumer(shared))
      push(0, 100)
      writer.commit()
      db.exec("PRAGMA max_page_count = 1")
      push(100, 2_000)
      for (let tries = 0; tries < 3; tries++) {
        assert.strictEqual(refusalOfCommit(writer), "full")
        assert.strictEqual(ring.committedEntries, 100)
        assert.strictEqual(readings.rows(0, 9_999).length, 100)
      }
      db.exec("PRAGMA max_page_count = 1000000")
      writer.commit(true)
      assert.strictEqual(ring.committedEntries, 2_000)
      assert.deepStrictEqual(
        readings.rows(1_998, 9),
        [1_998, 1_999].map((sequence) => ({ sequence, body: bodyOf(sequence) }))
      )
      const [last] = readings.checkpoints(1_999, 1)
      assert.deepStrictEqual(readNote(last?.note ?? "")?.root.toString(), rootOf(2_000).toString())
    }))

  it.effect("SYS L2 what the database has already is passed over by the writer that comes next", () =>
    Effect.gen(function*() {
      const { outbox, push, readings, ring, shared, writerOf } = yield* makeWriter()
      assert.isTrue(outbox.piece(piece(1)) && outbox.piece(piece(2)) && outbox.letter(letter))
      push(0, 300)
      push(300, 301, 2)
      writerOf(new UnreleasedRing(shared)).commit()
      assert.isTrue(outbox.piece(piece(3)) && outbox.removal(1) && outbox.letterRemoval("a"))
      push(301, 302, 3)
      writerOf(new UnreleasedRing(shared)).commit()
      assert.isAbove(ring.used, 300 * 32)
      assert.isTrue(outbox.piece(piece(4)))
      push(302, 600)
      const next = writerOf(new RingConsumer(shared))
      next.commit(true)
      assert.strictEqual(ring.used, 0)
      assert.strictEqual(ring.committedEntries, 600)
      assert.strictEqual(ring.committedPieces, 4)
      assert.deepStrictEqual(
        readings.rows(0, 9_999).map(({ body }) => body),
        Array.from({ length: 600 }, (_, i) => bodyOf(i))
      )
      assert.deepStrictEqual(readings.pieces(0, 9).map(({ key }) => key), [4])
      assert.deepStrictEqual(readings.letters("", 9), [])
      assert.strictEqual(readNote(readings.checkpoints(599, 1)[0]?.note ?? "")?.root.toString(), rootOf(600).toString())
    }))

  it.effect("SYS L2 an entry that is not the next one is not written", () =>
    Effect.gen(function*() {
      const { push, readings, ring, shared, writerOf } = yield* makeWriter()
      const writer = writerOf(new RingConsumer(shared))
      push(0, 5)
      writer.commit()
      const at = ring.claim(2)
      ring.bytes.write("{}", at)
      ring.publish(1, 2, 7, -1)
      assert.throws(() => writer.commit(), OutOfStep)
      assert.strictEqual(readings.rows(0, 9).length, 5)
    }))

  it.effect("SYS L2 a checkpoint is due a second after its first entry, or after so many entries", () =>
    Effect.gen(function*() {
      const { clock, push, readings, shared, writerOf } = yield* makeWriter({ checkpointEntries: 1_000 })
      const writer = writerOf(new RingConsumer(shared))
      assert.strictEqual(writer.restMs, Infinity)
      clock.now = 50_000
      push(0, 10)
      assert.isNull(writer.commit())
      assert.strictEqual(writer.restMs, 1_000)
      clock.now = 50_400
      push(10, 20)
      assert.isNull(writer.commit())
      assert.strictEqual(writer.restMs, 600)
      clock.now = 51_000
      assert.strictEqual(writer.commit()?.size, 20)
      assert.strictEqual(writer.restMs, Infinity)
      push(20, 1_020)
      assert.strictEqual(writer.commit()?.size, 1_020)
      assert.deepStrictEqual(readings.checkpoints(0, 9).map(({ size }) => size), [20, 1_020])
    }))

  it.effect("SYS L2 the tables refuse what only a mistake would do to them", () =>
    Effect.gen(function*() {
      const { db, push, shared, writerOf } = yield* makeWriter()
      push(0, 256)
      writerOf(new RingConsumer(shared)).commit(true)
      for (
        const mistake of [
          "UPDATE entries SET body = 'x' WHERE sequence = 3",
          "DELETE FROM entries WHERE sequence = 3",
          "INSERT OR REPLACE INTO entries VALUES (3, 'x')",
          "INSERT INTO entries VALUES (300, 'x')",
          "UPDATE tiles SET number = 9",
          "DELETE FROM tiles",
          "INSERT OR REPLACE INTO tiles VALUES (0, 0, x'00')",
          "UPDATE checkpoints SET note = 'x'",
          "DELETE FROM checkpoints",
          "INSERT OR REPLACE INTO checkpoints VALUES (256, 'x')",
          "UPDATE archived SET size = 257"
        ]
      ) {
        assert.throws(() => db.exec(mistake), /append-only|not the next entry|no signed checkpoint/, mistake)
      }
      db.exec("UPDATE archived SET size = 256")
      assert.throws(() => db.exec("UPDATE archived SET size = 1"), /no signed checkpoint/)
      db.exec("DELETE FROM entries WHERE sequence < 256")
      assert.strictEqual(sizeOf(db), 256)
      assert.strictEqual(treeAt(hash, db, 256).root().toString(), rootOf(256).toString())
    }))

  it.effect("SYS L2 an older database becomes a newer one, step by step, and a newer one is left alone", () =>
    Effect.gen(function*() {
      const { db, push, readings, shared, writerOf } = yield* makeWriter()
      push(0, 3)
      writerOf(new RingConsumer(shared)).commit()
      assert.throws(() => migrate(db, [...migrations, "CREATE TABLE more (a) STRICT"]))
      assert.strictEqual(migrate(db), "migrated")
      assert.strictEqual(migrate(db, [...migrations, "CREATE TABLE more (a INTEGER) STRICT"]), "migrated")
      assert.strictEqual(migrate(db), "newer")
      assert.strictEqual(readings.rows(0, 9).length, 3)
    }))
})
