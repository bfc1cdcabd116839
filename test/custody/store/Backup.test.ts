import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { backup } from "../../../src/custody/store/Backup.ts"
import { append, bodyOf, openIn, temporaryDirectory } from "./stores.ts"

it.effect("SYS L2 a backup beside the writer is a ledger of its own, and replaces no file", () =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const store = yield* openIn(directory)
    yield* append(store, 0, 300)
    yield* store.checkpoint
    const restored = join(directory, "restored")
    mkdirSync(restored)
    yield* backup(directory, join(restored, "ledger.db"))
    yield* append(store, 300, 310)
    assert.deepStrictEqual(readdirSync(restored), ["ledger.db"])
    const again = yield* openIn(restored)
    assert.strictEqual(again.opened.size, 300)
    yield* append(again, 300, 320)
    assert.deepStrictEqual(yield* again.rows(319, 9), [{ sequence: 319, body: bodyOf(319) }])
    const taken = join(directory, "taken")
    writeFileSync(taken, "theirs")
    assert.strictEqual((yield* Effect.flip(backup(directory, taken))).reason, "io")
    assert.notInclude(readdirSync(directory), "taken.partial")
  }))
