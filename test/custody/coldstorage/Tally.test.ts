import { assert, describe, it } from "@effect/vitest"
import { refusals } from "../../../src/custody/coldstorage/Notices.ts"
import { Tally } from "../../../src/custody/coldstorage/Tally.ts"

const opened = () => {
  const alerts: Array<string> = []
  const errors: Array<string> = []
  const tally = new Tally("file:fake", {
    alertUnsafe: ({ message, type }) => void alerts.push(`${type}: ${message}`),
    errorUnsafe: ({ code, message }) => void errors.push(`${code}: ${message}`)
  })
  return { alerts, errors, tally }
}

describe("Tally", () => {
  it("RFC C1 counts each end once: written, lost, refused", () => {
    const { tally } = opened()
    tally.countWrite()
    tally.countWrite()
    tally.reportLoss("the disk is full")
    tally.reportRefusal("full")
    assert.deepStrictEqual([tally.written, tally.deadLetters, tally.refused], [2, 2, 1])
  })

  it("RFC C1 a loss is an error on the board, and an alert unless the host said that it needs none", () => {
    const { alerts, errors, tally } = opened()
    tally.reportLoss("a")
    tally.reportLoss("b", false)
    assert.deepStrictEqual(errors, ["coldstorage_failure: a", "coldstorage_failure: b"])
    assert.deepStrictEqual(alerts, ["coldstorage.failure: evidence was not written"])
  })

  it("RFC S2 a refusal is an alert that says why, and no error", () => {
    const { alerts, errors, tally } = opened()
    for (const reason of ["closed", "full", "mismatch", "memory"] as const) {
      tally.reportRefusal(reason)
      assert.strictEqual(alerts.pop(), `coldstorage.refused: ${refusals[reason].message}`)
    }
    assert.deepStrictEqual(errors, [])
  })

  it("RFC S4 an actor's dead letter is a loss, but for those whose handler has reported it", () => {
    const { errors, tally } = opened()
    tally.onDeadLetter(null, "failed")
    assert.strictEqual(tally.deadLetters, 0)
    tally.onDeadLetter(null, "stopped")
    assert.strictEqual(tally.deadLetters, 1)
    assert.deepStrictEqual(errors, ["coldstorage_failure: cold storage file:fake: a write was stopped"])
  })
})
