import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import type { EnvelopeError } from "tracehound"
import type { EncryptionError } from "../../../src/custody/encryption/EncryptionError.ts"
import { seal } from "../../../src/custody/evidence/Envelope.ts"
import { keysToRead } from "../../../src/custody/store/KeyReader.ts"
import { openSealedEnvelope } from "../../../src/runtime/openEnvelope.ts"
import { noise } from "../../host/port/contract.ts"
import { delivery } from "../coldstorage/stores.ts"
import { hash } from "../evidence/envelopes.ts"
import { openIn, temporaryDirectory } from "./stores.ts"

const keysOf = (seed: number) => ({ secrets: Effect.succeed({ current: Redacted.make(noise(32, seed)), former: [] }) })

const reasonOf = <A>(effect: Effect.Effect<A, EnvelopeError | EncryptionError>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason)

describe("keys that are read beside their owner", () => {
  it.effect("SYS L4 open what the owner sealed, until it is shredded", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      assert.strictEqual(yield* reasonOf(Effect.scoped(keysToRead(directory, keysOf(1)))), "io")
      const { cipher: owner } = yield* openIn(directory, { keys: keysOf(1) })
      if (owner === null) return assert.fail("the store has no cipher")
      const { content, record } = delivery("id-1")
      const envelope = seal(record, "stored", content, hash)
      const { key, sealed } = yield* owner.seal({ tenant: "", signature: record.signature, plaintext: envelope })
      const { sealed: renamed } = yield* owner.seal({ tenant: "", signature: "other:0", plaintext: envelope })
      const reader = yield* keysToRead(directory, keysOf(1))
      for (const cipher of [owner, reader]) {
        const opened = yield* openSealedEnvelope(sealed, cipher)
        assert.deepStrictEqual(opened.content, content)
        assert.deepStrictEqual(opened.record, record)
        assert.deepStrictEqual((yield* openSealedEnvelope(envelope, cipher)).content, content, "not sealed")
        assert.strictEqual(yield* reasonOf(openSealedEnvelope(sealed, cipher, 10)), "too_large")
        assert.strictEqual(yield* reasonOf(openSealedEnvelope(renamed, cipher)), "inconsistent")
        assert.strictEqual(yield* reasonOf(openSealedEnvelope(sealed.slice(0, -1), cipher)), "damaged")
      }
      assert.strictEqual(yield* reasonOf(Effect.scoped(keysToRead(directory, keysOf(2)))), "wrong_master")
      yield* owner.shred(key)
      assert.strictEqual(yield* reasonOf(openSealedEnvelope(sealed, owner)), "key_destroyed")
      assert.strictEqual(yield* reasonOf(openSealedEnvelope(sealed, reader)), "slot_damaged")
      const later = yield* keysToRead(directory, keysOf(1))
      assert.strictEqual(yield* reasonOf(openSealedEnvelope(sealed, later)), "key_destroyed")
    }))
})
