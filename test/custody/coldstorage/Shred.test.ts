import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { copyFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { keyDestroyed, shred, type ShredFailure, shredPromise } from "../../../src/custody/coldstorage/Shred.ts"
import { EvidenceCipher } from "../../../src/custody/encryption/EvidenceCipher.ts"
import { readAs } from "../../../src/custody/ledger/Kind.ts"
import { Ledger } from "../../../src/custody/ledger/Ledger.ts"
import { LedgerStore } from "../../../src/custody/ledger/LedgerStore.ts"
import * as NodeHash from "../../../src/host/node/NodeHash.ts"
import { noise } from "../../host/port/contract.ts"
import { openIn, temporaryDirectory } from "../store/stores.ts"

const utf8 = new TextEncoder()

/** A store with a ledger and a cipher, and envelopes of it in a directory. */
const shop = Effect.gen(function*() {
  const directory = yield* temporaryDirectory
  const evidence = yield* temporaryDirectory
  const secrets = Effect.succeed({ current: Redacted.make(noise(32, 3)), former: [] })
  const store = yield* openIn(directory, { keys: { secrets } })
  const cipher = store.cipher ?? assert.fail("the store has no cipher")
  const seal = Effect.fnUntraced(function*(id: string, signature: string) {
    const { key, sealed } = yield* cipher.seal({ tenant: "", signature, plaintext: utf8.encode(`envelope ${id}`) })
    writeFileSync(join(evidence, `${id}.thev`), sealed)
    return key
  })
  const layer = Layer.provideMerge(
    Layer.mergeAll(Ledger.layerStored, NodeServices.layer, Layer.succeed(EvidenceCipher, cipher)),
    Layer.merge(NodeHash.layer, Layer.succeed(LedgerStore, store))
  )
  const context = yield* Layer.build(layer)
  const shredded = (what: string) => Effect.provide(shred(evidence, what, "alice"), context)
  const openOf = (id: string) => cipher.open(readFileSync(join(evidence, `${id}.thev`)))
  return { evidence, openOf, seal, shredded, store }
})

const reasonOf = <A>(effect: Effect.Effect<A, ShredFailure>) =>
  Effect.map(Effect.flip(effect), (error) => "reason" in error ? error.reason : error._tag)

describe("shredding", () => {
  it.effect("SYS L7 destroys the key of one piece by its id, and records who had it destroyed", () =>
    Effect.gen(function*() {
      const { openOf, seal, shredded, store } = yield* shop
      const key = yield* seal("id-1", "injection:a")
      yield* seal("id-2", "injection:a")
      const [done, ...others] = yield* shredded("id-1")
      assert.deepStrictEqual(others, [])
      assert.deepInclude(done, { evidence: "id-1", signature: "injection:a", wasThere: true })
      assert.strictEqual((yield* Effect.flip(openOf("id-1"))).reason, "key_destroyed")
      assert.strictEqual(Buffer.from((yield* openOf("id-2")).plaintext).toString(), "envelope id-2")
      const [row] = yield* store.rows(done?.entry.sequence ?? 0, 1)
      const entry = readAs(keyDestroyed, row ?? assert.fail("no entry is on disk"))
      assert.strictEqual(entry?.actor, "alice")
      assert.deepStrictEqual(entry?.payload, { evidence: "id-1", signature: "injection:a", ...key })
      const [again] = yield* shredded("id-1")
      assert.isFalse(again?.wasThere)
      assert.include(shredPromise.holdsNot, "rotate the keys")
    }))

  it.effect("SYS L7 destroys all keys of a signature, and no other", () =>
    Effect.gen(function*() {
      const { evidence, openOf, seal, shredded } = yield* shop
      yield* seal("id-1", "injection:a")
      yield* seal("id-2", "injection:b")
      yield* seal("id-3", "injection:a")
      writeFileSync(join(evidence, "id-0.thev"), "THEV, which was written before anything was sealed")
      assert.deepStrictEqual((yield* shredded("injection:a")).map(({ evidence }) => evidence), ["id-1", "id-3"])
      assert.strictEqual(Buffer.from((yield* openOf("id-2")).plaintext).toString(), "envelope id-2")
    }))

  it.effect("SYS L7 destroys nothing for a header that is not proven, and says what it did not find", () =>
    Effect.gen(function*() {
      const { evidence, openOf, seal, shredded, store } = yield* shop
      yield* seal("id-1", "injection:a")
      yield* seal("id-2", "injection:b")
      // Somebody has the second's header name the first's key, in a file of another name.
      const forged = readFileSync(join(evidence, "id-2.thev"))
      readFileSync(join(evidence, "id-1.thev")).copy(forged, 8, 8, 20)
      writeFileSync(join(evidence, "id-2.thev"), forged)
      assert.strictEqual(yield* reasonOf(shredded("injection:b")), "damaged")
      assert.strictEqual(Buffer.from((yield* openOf("id-1")).plaintext).toString(), "envelope id-1")
      for (const name of ["id-9", "xss:c", "../id-1", ""])
        assert.strictEqual(yield* reasonOf(shredded(name)), "not_found", name)
      writeFileSync(join(evidence, "id-3.thev"), "THEV, which is not sealed")
      assert.strictEqual(yield* reasonOf(shredded("id-3")), "not_sealed")
      copyFileSync(join(evidence, "id-1.thev"), join(evidence, "id-1.thev.partial"))
      assert.strictEqual((yield* store.rows(0, 9)).length, 0, "nothing was recorded")
    }))
})
