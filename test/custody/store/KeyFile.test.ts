import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { StableFile } from "../../../src/custody/encryption/StableFile.ts"
import { openKeyFile } from "../../../src/custody/store/KeyFile.ts"
import { memoryFile } from "../encryption/files.ts"
import { temporaryDirectory } from "./stores.ts"

/** What a keyring relies on, whatever the file is kept in. */
const contract = (name: string, open: Effect.Effect<StableFile, never, Scope.Scope>): void => {
  describe(name, () => {
    it.effect("SYS L7 is empty at first, grows by what is written behind its end, and has zeros between", () =>
      Effect.gen(function*() {
        const file = yield* open
        assert.strictEqual(file.size(), 0)
        assert.strictEqual(file.read(0, 10).length, 0)
        file.write(4, Uint8Array.of(1, 2, 3))
        assert.strictEqual(file.size(), 7)
        assert.deepStrictEqual([...file.read(0, 7)], [0, 0, 0, 0, 1, 2, 3])
        file.sync()
      }))

    it.effect("SYS L7 is written in place, and read to its end and no further", () =>
      Effect.gen(function*() {
        const file = yield* open
        file.write(0, new Uint8Array(1_000).fill(7))
        file.write(100, new Uint8Array(50).fill(9))
        assert.strictEqual(file.size(), 1_000)
        assert.deepStrictEqual([...file.read(98, 4)], [7, 7, 9, 9])
        assert.strictEqual(file.read(990, 72).length, 10)
        assert.strictEqual(file.read(2_000, 72).length, 0)
        const read = file.read(0, 10)
        file.write(0, new Uint8Array(10))
        assert.deepStrictEqual([...read], Array.from({ length: 10 }, () => 7), "what was read is the reader's")
      }))
  })
}

contract("a file of keys in memory", Effect.sync(() => memoryFile()))

const openIn = (directory: string) =>
  Effect.acquireRelease(
    Effect.sync(() => openKeyFile(join(directory, "slots"))),
    (file) => Effect.sync(() => file.close())
  )
contract("a file of keys on the disk", Effect.flatMap(temporaryDirectory, openIn))

describe("a file of keys on the disk", () => {
  it.effect("SYS L7 is its owner's alone, keeps what it has, and is no link to another file", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const file = yield* openIn(directory)
      file.write(0, Uint8Array.of(1, 2, 3))
      assert.strictEqual(statSync(join(directory, "slots")).mode & 0o777, 0o600)
      assert.deepStrictEqual([...(yield* openIn(directory)).read(0, 9)], [1, 2, 3])
      const other = yield* temporaryDirectory
      writeFileSync(join(other, "precious"), "precious")
      symlinkSync(join(other, "precious"), join(other, "slots"))
      assert.throws(() => openKeyFile(join(other, "slots")), /ELOOP/)
      assert.strictEqual(readFileSync(join(other, "precious"), "utf8"), "precious")
    }))
})
