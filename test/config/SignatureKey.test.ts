import { assert, describe, it } from "@effect/vitest"
import { Redacted, Result } from "effect"
import { explainConfig, fromArgument, resolveConfig } from "../../src/config/ConfigSources.ts"

const resolve = (key: unknown) => resolveConfig([fromArgument({ signature: { key } })])

describe("signature.key", () => {
  it("RFC D8 is off by default", () => {
    assert.deepStrictEqual(Result.getOrThrow(resolveConfig([])).signature, {})
  })

  it("RFC D8 takes 32 to 1024 bytes, as text or Redacted, and is Redacted from then on", () => {
    for (const text of ["k".repeat(32), "é".repeat(16), "k".repeat(1024)]) {
      for (const key of [text, Redacted.make(text)]) {
        const config = Result.getOrThrow(resolve(key))
        assert.strictEqual(config.signature.key === undefined ? "" : Redacted.value(config.signature.key), text)
      }
    }
  })

  it("RFC D8 RFC R2 refuses anything else with one mistake that does not repeat it", () => {
    const blank = [" ".repeat(32), "\n".repeat(64), "\u00a0".repeat(16), " \t\r\n\ufeff".repeat(8)]
    for (const text of ["", "k".repeat(31), "é".repeat(15), "k".repeat(1025), "\ud800".repeat(40), ...blank]) {
      for (const key of [text, Redacted.make(text), [text], { value: text }]) {
        const mistakes = Result.match(resolve(key), { onFailure: (error) => error.mistakes, onSuccess: () => [] })
        assert.strictEqual(mistakes[0]?.path, "signature.key")
        assert.strictEqual(
          mistakes[0]?.expected,
          "expected a key of 32 to 1024 bytes in UTF-8, not all white space, as text or Redacted"
        )
      }
    }
  })

  it("RFC D8 is never printed", () => {
    const secret = "sesame".repeat(10)
    const sources = [fromArgument({ signature: { key: secret } })]
    const shown = [Result.getOrThrow(resolveConfig(sources)), Result.getOrThrow(explainConfig(sources))]
    for (const value of shown) {
      assert.notInclude(JSON.stringify(value), "sesame")
      assert.notInclude(String(value), "sesame")
    }
  })
})
