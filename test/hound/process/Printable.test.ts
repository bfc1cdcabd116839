import { assert, describe, it } from "@effect/vitest"
import { firstLine, printable } from "../../../src/hound/process/Printable.ts"

const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1")

describe("printable", () => {
  it("keeps printable ASCII, and has a question mark for every other byte", () => {
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    const text = printable(all)
    assert.lengthOf(text, 256)
    assert.strictEqual(text.slice(0x20, 0x7f), Buffer.from(all.subarray(0x20, 0x7f)).toString("latin1"))
    assert.match(text.slice(0, 0x20) + text.slice(0x7f), /^\?+$/)
    assert.strictEqual(printable(new Uint8Array(0)), "")
  })
})

describe("firstLine", () => {
  it("is the first line that is not blank", () => {
    assert.strictEqual(firstLine(bytesOf("\n  \r\n  no way \r\nmore")), "no way ?")
    assert.strictEqual(firstLine(bytesOf("only")), "only")
    assert.strictEqual(firstLine(bytesOf(" \n\t\n")), "")
    assert.strictEqual(firstLine(new Uint8Array(0)), "")
  })

  it("is printable, and has at most 200 characters", () => {
    assert.strictEqual(firstLine(bytesOf("\u001b[31mred\u00e9")), "?[31mred?")
    assert.lengthOf(firstLine(bytesOf("x".repeat(1_000))), 200)
  })
})
