/**
 * Groups with keys, without a thread: what is on disk when a step in between fails.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { hash as nodeHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { slotAt } from "../../../src/custody/encryption/Slots.ts"
import { signerOf } from "../../../src/custody/store/CheckpointNote.ts"
import { GroupWriter } from "../../../src/custody/store/GroupWriter.ts"
import type { KeyAnswer } from "../../../src/custody/store/KeyMessages.ts"
import { sizeOf, treeAt } from "../../../src/custody/store/LedgerTree.ts"
import { Outbox } from "../../../src/custody/store/Outbox.ts"
import { Readings } from "../../../src/custody/store/Readings.ts"
import { RingConsumer, ringMemory, RingProducer } from "../../../src/custody/store/Ring.ts"
import { fillCell, secretCell } from "../../../src/custody/store/SecretCell.ts"
import { openWriter } from "../../../src/custody/store/Sqlite.ts"
import { migrate } from "../../../src/custody/store/StoreSchema.ts"
import { WriterKeys } from "../../../src/custody/store/WriterKeys.ts"
import { noise } from "../../host/port/contract.ts"
import { parts } from "../encryption/files.ts"
import { bodyOf, temporaryDirectory, testSigner } from "./stores.ts"

const utf8 = new TextEncoder()
const hash = {
  sha256Into: (bytes: Uint8Array, target: Uint8Array) => target.set(nodeHash("sha256", bytes, "buffer"))
}
const piece = (key: number) => ({ key, facts: "{}", content: utf8.encode(`content ${key}`) })

/** A database with keys beside it, whose randomness can be made to fail. */
const makeWriter = (limit?: number) =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const db = yield* Effect.acquireRelease(
      Effect.sync(() => openWriter(join(directory, "ledger.db"))),
      (db) => Effect.sync(() => db.close())
    )
    migrate(db)
    const readings = new Readings(db)
    const { aead, randomness } = parts()
    const disk = { refuses: false }
    const lost: Array<number> = []
    const openKeys = Effect.acquireRelease(
      Effect.sync(() => {
        const cell = secretCell()
        fillCell(cell, [noise(32, 21)])
        return WriterKeys.open({
          directory: join(directory, "keys"),
          cell,
          aead,
          randomness: {
            fill: (target) => {
              if (disk.refuses) throw new Error("EIO: the disk refuses")
              randomness.fill(target)
            }
          },
          readPieces: (after, limit) => readings.pieces(after, limit),
          onLost: (key) => lost.push(key),
          ...limit === undefined ? {} : { limit }
        })
      }),
      (keys) => Effect.sync(() => keys.close())
    )
    const ring = new RingProducer(ringMemory(2 ** 20))
    const outbox = new Outbox(ring, 0, { bytes: 2 ** 19, pieces: 8 }, { pieces: 0, ended: null })
    const answers: Array<KeyAnswer> = []
    const writerOf = (keys: WriterKeys) =>
      new GroupWriter({
        db,
        keys,
        ring: new RingConsumer(ring.bytes.buffer as unknown as SharedArrayBuffer),
        answer: (_request, answer) => answers.push(answer),
        readTree: () => treeAt(hash, db, sizeOf(db)),
        sign: signerOf(testSigner),
        nowMs: () => 0
      })
    const keys = yield* openKeys
    const slot = (n: number): Buffer =>
      readFileSync(join(directory, "keys", "slots")).subarray(slotAt(n), slotAt(n) + 60)
    const content = (keys: WriterKeys) => {
      const found = keys.answer(0, { kind: "pieces", after: -1, limit: 99 }, new Uint8Array(0))
      return found.kind === "pieces" ? found.pieces.map(({ content }) => Buffer.from(content).toString()) : []
    }
    return {
      answers,
      content,
      db,
      disk,
      keys,
      lost,
      openKeys,
      outbox,
      readings,
      ring,
      slot,
      writer: writerOf(keys),
      writerOf
    }
  })

describe("the writer of groups, with keys", () => {
  it.effect("SYS L7 does not say that a piece is gone before its key is: the group comes again", () =>
    Effect.gen(function*() {
      const { content, disk, keys, outbox, readings, ring, slot, writer } = yield* makeWriter()
      assert.isTrue(outbox.piece(piece(1)) && outbox.piece(piece(2)))
      writer.commit()
      const wrapped = Buffer.from(slot(0))
      assert.isTrue(outbox.entry(0, utf8.encode(bodyOf(0)), 1) && outbox.entry(1, utf8.encode(bodyOf(1))))
      disk.refuses = true
      for (let tries = 0; tries < 3; tries++) {
        assert.throws(() => writer.commit(), /the disk refuses/)
        assert.strictEqual(ring.committedEntries, 0)
        assert.strictEqual(readings.rows(0, 9).length, 2, "the rows are there, and nobody is told")
      }
      disk.refuses = false
      writer.commit()
      assert.strictEqual(ring.committedEntries, 2)
      assert.isFalse(wrapped.equals(slot(0)))
      assert.deepStrictEqual(content(keys), ["content 2"])
    }))

  it.effect("SYS L7 destroys at the next start what a process did not live to destroy", () =>
    Effect.gen(function*() {
      const { content, db, disk, openKeys, outbox, ring, slot, writer, writerOf } = yield* makeWriter()
      assert.isTrue(outbox.piece(piece(1)) && outbox.piece(piece(2)))
      writer.commit()
      const wrapped = Buffer.from(slot(1))
      assert.isTrue(outbox.removal(2))
      disk.refuses = true
      assert.throws(() => writer.commit(), /the disk refuses/)
      assert.isTrue(wrapped.equals(slot(1)))
      disk.refuses = false
      const keys = yield* openKeys
      const next = writerOf(keys)
      assert.isFalse(wrapped.equals(slot(1)))
      assert.deepStrictEqual(content(keys), ["content 1"])
      next.commit()
      assert.strictEqual(ring.used, 0)
      assert.deepStrictEqual(db.prepare("SELECT * FROM doomed").all(), [])
    }))

  it.effect("SYS L7 makes no key for a group that was not committed, and its pieces open after the next try", () =>
    Effect.gen(function*() {
      const { content, db, keys, outbox, ring, writer } = yield* makeWriter()
      assert.isTrue(outbox.piece(piece(1)))
      writer.commit()
      db.exec("CREATE TRIGGER refuse BEFORE INSERT ON evidence WHEN NEW.key = 3 BEGIN SELECT RAISE(ABORT, 'no'); END")
      assert.isTrue(outbox.piece(piece(2)) && outbox.piece(piece(3)))
      for (let tries = 0; tries < 5; tries++) assert.throws(() => writer.commit(), /no/)
      db.exec("DROP TRIGGER refuse")
      writer.commit()
      assert.strictEqual(ring.committedPieces, 3)
      assert.deepStrictEqual(content(keys), ["content 1", "content 2", "content 3"])
      assert.strictEqual(keys.living, 3)
    }))

  it.effect("SYS L7 has no key for a piece when all are in use: it tells of the piece, and the ledger goes on", () =>
    Effect.gen(function*() {
      const { content, keys, lost, outbox, ring, writer } = yield* makeWriter(2)
      for (const key of [1, 2, 3]) assert.isTrue(outbox.piece(piece(key)))
      assert.isTrue(outbox.entry(0, utf8.encode(bodyOf(0))))
      writer.commit()
      assert.strictEqual(ring.committedEntries, 1)
      assert.deepStrictEqual(lost, [3])
      assert.deepStrictEqual(content(keys), ["content 1", "content 2"])
    }))

  it.effect("SYS L7 answers an order once what was sent before it is on disk", () =>
    Effect.gen(function*() {
      const { answers, outbox, writer } = yield* makeWriter()
      assert.isTrue(outbox.piece(piece(1)))
      assert.isTrue(outbox.keyOrder(1, { kind: "pieces", after: 0, limit: 9 }, new Uint8Array(0)))
      assert.isTrue(outbox.keyOrder(2, { kind: "rotate" }, new Uint8Array(0)))
      writer.commit()
      const [pieces, rotation] = answers
      assert.deepStrictEqual(pieces?.kind === "pieces" ? pieces.pieces.map(({ key }) => key) : pieces, [1])
      assert.include(rotation, { kind: "failed", reason: "bad_secret" })
    }))
})
