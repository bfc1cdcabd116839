/**
 * Text of others: one line of ASCII, whatever comes, of bounded length, and different for different
 * texts.
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { escaped, escapedId, maxEscapedId } from "../../src/telemetry/Escaped.ts"

const Units = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xffff })))
const textOf = (units: ReadonlyArray<number>): string => String.fromCharCode(...units)

describe("escaped", () => {
  it("shows printable ASCII as it is, and the rest by its number", () => {
    assert.strictEqual(escaped("can't find 'x' (7 < 8)", 100), "can't find 'x' (7 < 8)")
    assert.strictEqual(
      escaped("a\nb\u001b[31m\\é\u202e😀\ud800", 100),
      "a\\u{a}b\\u{1b}[31m\\u{5c}\\u{e9}\\u{202e}\\u{1f600}\\u{d800}"
    )
  })

  it("cuts before what would not fit, and never in the middle of a number", () => {
    assert.strictEqual(escaped("abcd", 4), "abcd")
    assert.strictEqual(escaped("abcde", 4), "abcd...")
    assert.strictEqual(escaped("abc\n", 4), "abc...")
    assert.strictEqual(escaped("x".repeat(1_000_000), 10), `${"x".repeat(10)}...`)
  })

  it.prop("is one line of ASCII of bounded length", { units: Units }, ({ units }) => {
    assert.match(escaped(textOf(units), 20), /^[ -~]{0,23}$/)
  })

  it.prop("keeps texts apart that it does not cut", { a: Units, b: Units }, ({ a, b }) => {
    const [one, other] = [textOf(a), textOf(b)].map((text) => escaped(text, 1_000_000))
    assert.strictEqual(one === other, textOf(a) === textOf(b))
  })
})

describe("an escaped id", () => {
  it("shows what ids are made of, and nothing that a mark-up gives a meaning", () => {
    const id = "req-2026.11.30_7/a:b@c+d=e#f,g~0"
    assert.strictEqual(escapedId(id), id)
    assert.strictEqual(
      escapedId("<!channel> `*\"'&"),
      "\\u{3c}\\u{21}channel\\u{3e}\\u{20}\\u{60}\\u{2a}\\u{22}\\u{27}\\u{26}"
    )
    assert.strictEqual(escapedId("x".repeat(256)), `${"x".repeat(64)}...`)
  })

  it.prop("is bounded", { units: Units }, ({ units }) => {
    assert.isAtMost(escapedId(textOf(units)).length, maxEscapedId)
  })
})
