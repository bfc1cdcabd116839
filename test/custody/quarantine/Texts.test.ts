import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { readText, textBytes, writeText } from "../../../src/custody/quarantine/Texts.ts"

const roundTrip = (text: string): string => {
  const bytes = textBytes(text)
  const memory = new Uint8Array(Math.abs(bytes) + 6).fill(0xee)
  writeText(memory, 3, text, bytes)
  assert.deepStrictEqual([...memory.subarray(0, 3), ...memory.subarray(-3)], Array(6).fill(0xee))
  return readText(memory, 3, bytes)
}

describe("Texts", () => {
  it.prop("gives any text back as it was", [Schema.String], ([text]) => {
    assert.strictEqual(roundTrip(text), text)
  })

  it("gives lone surrogates, zeros and the edges of a byte back as they were", () => {
    for (
      const text of ["", "\0", "\u00ff", "\u0100", "a\ud800", "\udfff", "😀", "é".repeat(128), "\uffff".repeat(85)]
    ) {
      assert.strictEqual(roundTrip(text), text)
    }
  })

  it("takes a byte a character where it can, else two", () => {
    assert.deepStrictEqual(["abc", "é", "aĀ"].map(textBytes), [3, 1, -4])
  })
})
