import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { LedgerStore } from "../../../src/custody/ledger/LedgerStore.ts"
import { layer, supported } from "../../../src/custody/store/StoreLayer.ts"
import { temporaryDirectory, testSigner } from "./stores.ts"

it.effect("SYS L2 a ledger is kept on disk where this host has node:sqlite", () =>
  Effect.gen(function*() {
    yield* supported
    const directory = yield* temporaryDirectory
    const opened = Effect.map(LedgerStore, (store) => store.opened.size)
    const size = yield* Effect.provide(opened, layer({ directory, signer: testSigner, reserveBytes: 0 }))
    assert.strictEqual(size, 0)
  }))
