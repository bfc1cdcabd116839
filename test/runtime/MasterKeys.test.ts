import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { KeyProvider } from "../../src/custody/encryption/KeyProvider.ts"
import * as MasterKeys from "../../src/runtime/MasterKeys.ts"
import { noise } from "../host/port/contract.ts"

const bytes = noise(32, 41)
const base64 = Buffer.from(bytes).toString("base64")
const hexadecimal = Buffer.from(noise(40, 42)).toString("hex")

const secretsOf = (settings: MasterKeys.MasterKeySettings) =>
  Effect.flatMap(KeyProvider, ({ secrets }) => secrets).pipe(
    Effect.provide(Layer.provide(MasterKeys.layer(settings), NodeFileSystem.layer))
  )
const refusal = (settings: MasterKeys.MasterKeySettings) =>
  Effect.map(Effect.flip(secretsOf(settings)), (error) => {
    assert.strictEqual(error.reason, "bad_secret")
    for (const secret of [base64, hexadecimal]) assert.notInclude(error.message, secret.slice(0, 8))
    return error.message
  })

/** A file of the secret, with a mode. */
const fileOf = (content: string, mode = 0o600) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const directory = mkdtempSync(join(tmpdir(), "tracehound-test-"))
      const path = join(directory, "master.key")
      writeFileSync(path, content)
      chmodSync(path, mode)
      return { directory, path }
    }),
    ({ directory }) => Effect.sync(() => rmSync(directory, { recursive: true }))
  )

describe("the master secret of the settings", () => {
  it.effect("SYS L4 is a text, or a file that its owner alone may read, with a former one beside it", () =>
    Effect.gen(function*() {
      const { current, former } = yield* secretsOf({
        key: Redacted.make(base64),
        formerKey: Redacted.make(hexadecimal)
      })
      assert.deepStrictEqual([...Redacted.value(current)], [...bytes])
      assert.deepStrictEqual(former.map((secret) => Redacted.value(secret).length), [40])
      assert.notInclude(String(current), "41")
      for (const mode of [0o600, 0o400]) {
        const { path } = yield* fileOf(`${base64}\n`, mode)
        assert.deepStrictEqual([...Redacted.value((yield* secretsOf({ keyFile: path })).current)], [...bytes])
      }
    }))

  it.effect.each([0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o777])(
    "SYS L4 is refused in a file of mode %i, which others may open",
    (mode) =>
      Effect.gen(function*() {
        const { path } = yield* fileOf(base64, mode)
        assert.include(yield* refusal({ keyFile: path }), "chmod 600")
      })
  )

  it.effect("SYS L4 is asked for again each time: a new one in the file is found", () =>
    Effect.gen(function*() {
      const { path } = yield* fileOf(base64)
      yield* Effect.gen(function*() {
        const { secrets } = yield* KeyProvider
        assert.strictEqual(Redacted.value((yield* secrets).current).length, 32)
        writeFileSync(path, hexadecimal)
        assert.strictEqual(Redacted.value((yield* secrets).current).length, 40)
      }).pipe(Effect.provide(Layer.provide(MasterKeys.layer({ keyFile: path }), NodeFileSystem.layer)))
    }))

  it.effect("SYS L4 that is none is refused, and no word of it is repeated", () =>
    Effect.gen(function*() {
      const { directory } = yield* fileOf(base64)
      const { path: large } = yield* fileOf(base64.repeat(200))
      const { path: short } = yield* fileOf(base64.slice(0, 20))
      assert.include(yield* refusal({}), "there is no master secret")
      assert.include(yield* refusal({ keyFile: join(directory, "missing") }), "cannot be read")
      assert.include(yield* refusal({ keyFile: directory }), "is no file")
      assert.include(yield* refusal({ keyFile: large }), "more than 4096 bytes")
      assert.include(yield* refusal({ keyFile: short }), "32 at the least")
      assert.include(yield* refusal({ key: Redacted.make("a password") }), "neither hexadecimal nor base64")
      assert.include(yield* refusal({ key: Redacted.make(base64), formerKey: Redacted.make("x") }), "master secret is")
    }))
})
