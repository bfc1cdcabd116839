import { assert, describe, it } from "@effect/vitest"
import { refusals } from "../../../src/custody/coldstorage/Notices.ts"
import { Tally } from "../../../src/custody/coldstorage/Tally.ts"

const signature = `spam:${"0".repeat(64)}`

const opened = () => {
  const alerts: Array<string> = []
  const errors: Array<string> = []
  const tally = new Tally("file:fake", {
    alertUnsafe: ({ message, type }, signature) => void alerts.push(`${type} of ${signature?.()}: ${message}`),
    errorUnsafe: ({ code, context, message }) => void errors.push(`${code} ${JSON.stringify(context)}: ${message}`)
  })
  return { alerts, errors, tally }
}

describe("Tally", () => {
  it("RFC C1 counts each end once: written, lost, refused", () => {
    const { tally } = opened()
    tally.countWrite()
    tally.countWrite()
    tally.reportLoss({ signature, why: "ENOSPC", message: "the disk is full" })
    tally.reportRefusal("full", signature)
    assert.deepStrictEqual([tally.written, tally.deadLetters, tally.refused], [2, 2, 1])
  })

  it("RFC C1 a loss is an error on the board, and an alert unless the host said that it needs none", () => {
    const { alerts, errors, tally } = opened()
    tally.reportLoss({ signature, why: "ENOSPC", message: "a" })
    tally.reportLoss({ signature, why: "EIO", message: "b" }, false)
    const context = JSON.stringify({ signature })
    assert.deepStrictEqual(errors, [`coldstorage_failure ${context}: a`, `coldstorage_failure ${context}: b`])
    assert.deepStrictEqual(alerts, [`coldstorage.failure of ${signature}: evidence was not written: ENOSPC`])
  })

  it("RFC S2 a refusal is an alert that says why, and no error", () => {
    const { alerts, errors, tally } = opened()
    for (const reason of ["closed", "full", "mismatch", "memory"] as const) {
      tally.reportRefusal(reason, signature)
      assert.strictEqual(alerts.pop(), `coldstorage.refused of ${signature}: ${refusals[reason].message}`)
    }
    assert.deepStrictEqual(errors, [])
  })

  it("RFC S4 an actor's dead letter is a loss, but for those whose handler has reported it", () => {
    const { alerts, errors, tally } = opened()
    tally.reportDeadLetter("failed", signature)
    assert.strictEqual(tally.deadLetters, 0)
    const ends = [
      ["stopped", "cold storage was closed before its turn"],
      ["crashed", "the part that writes it crashed"],
      ["closed", "the mailbox is closed"]
    ] as const
    for (const [reason, why] of ends) {
      tally.reportDeadLetter(reason, signature)
      assert.strictEqual(
        errors.pop(),
        `coldstorage_failure ${JSON.stringify({ signature })}: cold storage file:fake: ${why}`
      )
      assert.strictEqual(
        alerts.pop(),
        `coldstorage.failure of ${signature}: evidence was not written: ${why}`
      )
    }
    assert.strictEqual(tally.deadLetters, 3)
  })
})
