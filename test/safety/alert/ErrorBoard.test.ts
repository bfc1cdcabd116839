import { assert, describe, it } from "@effect/vitest"
import type { TracehoundError } from "../../../src/domain/TracehoundError.ts"
import { makeErrorBoard, maxErrors } from "../../../src/safety/alert/ErrorBoard.ts"
import { random, Seed } from "../../support/random.ts"

const error = (code: string, message = code): TracehoundError => ({ state: "agent", code, message, recoverable: true })

describe("ErrorBoard", () => {
  it("RFC W1 shows the latest error of each code, oldest first", () => {
    const board = makeErrorBoard()
    assert.deepStrictEqual(board.errors(), [])
    for (const [code, message] of [["a", "1"], ["b", "2"], ["a", "3"]] as const) board.post(error(code, message))
    assert.deepStrictEqual(board.errors(), [error("b", "2"), error("a", "3")])
  })

  it("RFC W1 holds 32 and no more: the error that has not come for the longest time leaves", () => {
    const board = makeErrorBoard()
    for (let n = 0; n < 32; n++) board.post(error(`code-${n}`))
    board.post(error("code-0", "again"))
    board.post(error("new"))
    const codes = board.errors().map(({ code }) => code)
    assert.strictEqual(codes.length, maxErrors)
    assert.strictEqual(maxErrors, 32)
    assert.notInclude(codes, "code-1")
    assert.deepStrictEqual(codes.slice(-2), ["code-0", "new"])
  })

  it("RFC W1 a flood of one error does not push the others out", () => {
    const board = makeErrorBoard()
    for (let n = 0; n < 10; n++) board.post(error(`code-${n}`))
    for (let n = 0; n < 10_000; n++) board.post(error("flood", String(n)))
    assert.strictEqual(board.errors().length, 11)
    assert.strictEqual(board.errors().at(-1)?.message, "9999")
  })

  it("RFC W1 the list that it gives belongs to the caller: a later error does not change it", () => {
    const board = makeErrorBoard()
    board.post(error("a"))
    const seen = board.errors()
    board.post(error("b"))
    assert.deepStrictEqual(seen, [error("a")])
  })

  it.prop("RFC W1 shows the last 32 different codes in the order in which they last came", [Seed], ([seed]) => {
    const { below } = random(seed)
    const board = makeErrorBoard()
    const posted = Array.from({ length: below(300) }, (_, n) => error(`code-${below(50)}`, String(n)))
    for (const each of posted) board.post(each)
    const lastOfEach = posted.filter((each, i) => !posted.slice(i + 1).some(({ code }) => code === each.code))
    assert.deepStrictEqual(board.errors(), lastOfEach.slice(-32))
  })
})
