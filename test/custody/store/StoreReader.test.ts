import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { readNote } from "../../../src/custody/store/CheckpointNote.ts"
import { openToRead } from "../../../src/custody/store/StoreReader.ts"
import { append, bodyOf, openIn, temporaryDirectory } from "./stores.ts"

const files = (directory: string) => readdirSync(directory).filter((name) => name.startsWith("ledger.db"))

describe("a reader", () => {
  it.effect("SYS L2 reads beside the writer, and changes nothing", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const store = yield* openIn(directory)
      yield* append(store, 0, 300)
      const reader = yield* openToRead(directory)
      assert.strictEqual(yield* reader.size, 300)
      assert.isNull(yield* reader.note)
      yield* append(store, 300, 400)
      const { note } = yield* store.checkpoint
      assert.strictEqual(yield* reader.size, 400)
      assert.deepStrictEqual(yield* reader.rows(399, 9), [{ sequence: 399, body: bodyOf(399) }])
      assert.deepStrictEqual(yield* reader.checkpoints(0, 9), [{ size: 400, note }])
      assert.strictEqual(yield* reader.note, note)
      assert.strictEqual((yield* reader.tile(0, 0))?.length, 256 * 32)
      assert.isNull(yield* reader.tile(0, 1))
      assert.deepStrictEqual(yield* reader.pieces(-1, 9), [])
      assert.deepStrictEqual(yield* reader.letters("", 9), [])
    }))

  it.effect("SYS L2 says what it cannot read", () =>
    Effect.gen(function*() {
      const missing = yield* Effect.flip(openToRead(yield* temporaryDirectory))
      assert.strictEqual(missing.reason, "io")
      assert.include(missing.message, "ledger.db cannot be read")
    }))

  // Only root may mount, and not everywhere.
  const canMount = process.platform === "linux" && spawnSync("unshare", ["--mount", "true"]).status === 0
  it.effect.skipIf(!canMount)(
    "SYS L2 reads on media that cannot be written, with all that is in the log",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const store = yield* openIn(directory)
        yield* append(store, 0, 300)
        const { note } = yield* store.checkpoint
        for (const withLog of [true, false]) {
          // The log has all entries: without it there are none. SQLite's locks do not matter here.
          const media = join(yield* temporaryDirectory, "media")
          mkdirSync(media)
          for (const name of ["ledger.db", "ledger.checkpoint", ...(withLog ? ["ledger.db-wal"] : [])])
            copyFileSync(join(directory, name), join(media, name))
          assert.strictEqual(spawnSync("mount", ["--bind", media, media]).status, 0)
          yield* Effect.addFinalizer(() => Effect.sync(() => spawnSync("umount", [media])))
          assert.strictEqual(spawnSync("mount", ["-o", "remount,ro,bind", media]).status, 0)
          const before = files(media)
          const reader = yield* openToRead(media)
          assert.strictEqual(yield* reader.size, withLog ? 300 : 0)
          assert.strictEqual(readNote((yield* reader.note) ?? "")?.size, readNote(note)?.size)
          assert.deepStrictEqual(files(media), before)
        }
      })
  )
})
