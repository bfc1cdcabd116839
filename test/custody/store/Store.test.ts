import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { readNote } from "../../../src/custody/store/CheckpointNote.ts"
import { openWriter } from "../../../src/custody/store/Sqlite.ts"
import type { StoreTrouble } from "../../../src/custody/store/Store.ts"
import { threadOf } from "../../../src/custody/store/WriterThread.ts"
import { storeContract } from "../ledger/storeContract.ts"
import { append, bodyOf, openIn, temporaryDirectory } from "./stores.ts"

storeContract(
  "a store on disk",
  Effect.orDie(Effect.flatMap(temporaryDirectory, (directory) => openIn(directory)))
)

/** Why the directory cannot be opened. */
const refusal = (directory: string) => Effect.flip(Effect.scoped(openIn(directory)))

/** The body of each entry, none missing. */
const bodies = (size: number): ReadonlyArray<string> => Array.from({ length: size }, (_, i) => bodyOf(i))

describe("a directory", () => {
  it.effect("SYS L2 goes on where it ended: entries, pieces, letters, and the head that the next entry names", () =>
    Effect.gen(function*() {
      const directory = join(yield* temporaryDirectory, "deeper", "down")
      yield* Effect.scoped(Effect.flatMap(openIn(directory), (store) => append(store, 0, 700)))
      assert.strictEqual(statSync(directory).mode & 0o777, 0o700)
      // The log is in the database, and the newest checkpoint is beside it.
      assert.isFalse(existsSync(join(directory, "ledger.db-wal")))
      assert.strictEqual(readNote(readFileSync(join(directory, "ledger.checkpoint"), "utf8"))?.size, 700)
      const store = yield* openIn(directory)
      assert.strictEqual(store.opened.size, 700)
      assert.match(store.opened.head, /^[0-9a-f]{64}$/)
      yield* append(store, 700, 1_100)
      assert.deepStrictEqual((yield* store.rows(0, 9_999)).map(({ body }) => body), bodies(1_100))
      const checkpoint = yield* store.checkpoint
      assert.strictEqual(readNote(checkpoint.note)?.size, 1_100)
      assert.deepStrictEqual(yield* store.checkpoint, checkpoint)
    }))

  it.effect("SYS L2 has one owner, who is named to the next one", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const scope = yield* Scope.make()
      yield* Scope.provide(openIn(directory), scope)
      const refused = yield* refusal(directory)
      assert.strictEqual(refused.reason, "held")
      assert.include(refused.message, `process ${process.pid} on `)
      yield* Scope.close(scope, Exit.void)
      yield* append(yield* openIn(directory), 0, 1)
    }))

  it.effect("SYS L2 that lost signed entries, or is another program's, is not written", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const database = join(directory, "ledger.db")
      yield* Effect.scoped(Effect.flatMap(openIn(directory), (store) => append(store, 0, 300)))
      const older = join(directory, "older")
      copyFileSync(database, older)
      yield* Effect.scoped(Effect.flatMap(openIn(directory), (store) => append(store, 300, 301)))
      copyFileSync(older, database)
      const truncated = yield* refusal(directory)
      assert.strictEqual(truncated.reason, "damaged")
      assert.strictEqual(truncated.message, "the ledger has 300 entries, and 301 were signed")
      rmSync(database)
      const other = openWriter(database)
      other.exec("CREATE TABLE theirs (a)")
      other.close()
      assert.strictEqual((yield* refusal(directory)).reason, "foreign")
      writeFileSync(
        database,
        "no database at all, but a text that is long enough to be read as a header of one".repeat(20)
      )
      assert.strictEqual((yield* refusal(directory)).reason, "damaged")
    }))

  it.live("SYS L2 a writer that dies between commit and release is replaced, and no entry is there twice", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const troubles: Array<StoreTrouble> = []
      const store = yield* openIn(directory, {
        startThread: threadOf(new URL("./dyingWriter.ts", import.meta.url)),
        onTrouble: (trouble) => troubles.push(trouble)
      })
      for (let size = 0; size < 500; size += 100) {
        assert.isTrue(store.journal.putUnsafe({ key: size, facts: "{}", content: new Uint8Array(10) }))
        yield* append(store, size, size + 100)
      }
      assert.deepStrictEqual(troubles.map(({ kind }) => kind), ["writerLost"])
      assert.deepStrictEqual((yield* store.rows(0, 9_999)).map(({ body }) => body), bodies(500))
      assert.strictEqual(store.journal.durableCount(), 5)
      assert.strictEqual((yield* store.journal.pieces(-1, 9)).length, 5)
    }))
})

describe("a store", () => {
  it.effect("SYS L2 refuses evidence before entries, and goes on when the disk has caught up", () =>
    Effect.gen(function*() {
      const store = yield* openIn(yield* temporaryDirectory, { window: { bytes: 300_000, pieces: 1_000 } })
      const content = new Uint8Array(10_000)
      let put = 0
      while (store.journal.putUnsafe({ key: put, facts: "{}", content })) put += 1
      assert.isAtMost(put, 30)
      yield* append(store, 0, 10)
      yield* store.journal.durable(put)
      assert.isTrue(store.journal.putUnsafe({ key: put, facts: "{}", content }))
      assert.isFalse(store.journal.putUnsafe({ key: put + 1, facts: "{}", content: new Uint8Array(2 ** 20) }))
      assert.throws(() => store.pushUnsafe(12, content), RangeError)
    }))

  it.effect("SYS L2 that is closed takes nothing, and says so to who waits", () =>
    Effect.gen(function*() {
      const store = yield* Effect.scoped(Effect.flatMap(temporaryDirectory, (directory) => openIn(directory)))
      assert.isFalse(store.pushUnsafe(0, new Uint8Array(2)))
      assert.strictEqual((yield* Effect.flip(store.durable(0))).reason, "closed")
      assert.strictEqual((yield* Effect.flip(store.checkpoint)).reason, "closed")
    }))
})
