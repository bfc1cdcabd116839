import { assert, describe, it } from "@effect/vitest"
import { Tracer } from "effect"
import { refusals } from "../../../src/custody/coldstorage/Notices.ts"
import { Tally } from "../../../src/custody/coldstorage/Tally.ts"
import { make as makeCaller } from "../../../src/telemetry/Caller.ts"

const signature = `spam:${"0".repeat(64)}`
const passage = { signature, scentId: "scent-1", span: undefined, onEnd: undefined }

const refused = {
  signature,
  scent: { id: "scent-1", source: "192.0.2.1", timestamp: 0 }
}

const opened = () => {
  const alerts: Array<string> = []
  const errors: Array<string> = []
  const tally = new Tally("file:fake", {
    alertUnsafe: ({ message, reason, type }, details) => {
      const about = details?.()
      const cause = [about?.reason ?? reason, about?.code, about?.id].join(" ").trim()
      alerts.push(`${type} of ${about?.signature}: ${message} (${cause})`)
    },
    errorUnsafe: ({ code, context, message }) => void errors.push(`${code} ${JSON.stringify(context)}: ${message}`)
  }, makeCaller())
  return { alerts, errors, tally }
}

describe("Tally", () => {
  it("RFC C1 counts each end once: written, lost, refused", () => {
    const { tally } = opened()
    tally.countWrite(passage, undefined)
    tally.countWrite(passage, "unconfirmed")
    tally.reportLoss({ passage, why: "ENOSPC", message: "the disk is full", reason: "timeout" })
    tally.reportRefusal("full", refused)
    assert.deepStrictEqual([tally.written, tally.deadLetters, tally.refused], [2, 2, 1])
    assert.strictEqual(tally.unconfirmed, 1)
  })

  it("RFC C1 the first write that is unconfirmed is an alert, and the only one", () => {
    const { alerts, errors, tally } = opened()
    for (let n = 0; n < 5; n++) tally.countWrite(passage, "unconfirmed")
    assert.strictEqual(tally.unconfirmed, 5)
    assert.match(alerts.join("\n"), /^coldstorage\.unconfirmed of spam:0+: cold storage overwrites .* \(scent-1\)$/)
    assert.deepStrictEqual(errors, [])
  })

  it("RFC C1 a loss is an error on the board, and an alert unless the host said that it needs none", () => {
    const { alerts, errors, tally } = opened()
    tally.reportLoss({ passage, why: "ENOSPC", message: "a", code: "ENOSPC", thrown: new TypeError("a") })
    tally.reportLoss({ passage, why: "EIO", message: "b", reason: "timeout" }, false)
    const context = JSON.stringify({ signature })
    assert.deepStrictEqual(errors, [`coldstorage_failure ${context}: a`, `coldstorage_failure ${context}: b`])
    assert.deepStrictEqual(alerts, [
      `coldstorage.failure of ${signature}: evidence was not written: ENOSPC (TypeError ENOSPC scent-1)`
    ])
  })

  it("RFC S2 a refusal is an alert that says why, and no error", () => {
    const { alerts, errors, tally } = opened()
    for (const reason of ["closed", "full", "mismatch", "memory"] as const) {
      tally.reportRefusal(reason, refused)
      assert.strictEqual(
        alerts.pop(),
        `coldstorage.refused of ${signature}: ${refusals[reason].message} (${reason}  scent-1)`
      )
    }
    assert.deepStrictEqual(errors, [])
  })

  it("RFC S4 an actor's dead letter is a loss, but for those whose handler has reported it", () => {
    const { alerts, errors, tally } = opened()
    tally.reportDeadLetter("failed", passage)
    assert.strictEqual(tally.deadLetters, 0)
    const ends = [
      ["stopped", "cold storage was closed before its turn"],
      ["crashed", "the part that writes it crashed"],
      ["closed", "the mailbox is closed"]
    ] as const
    for (const [reason, why] of ends) {
      tally.reportDeadLetter(reason, passage)
      assert.strictEqual(
        errors.pop(),
        `coldstorage_failure ${JSON.stringify({ signature })}: cold storage file:fake: ${why}`
      )
      assert.strictEqual(
        alerts.pop(),
        `coldstorage.failure of ${signature}: evidence was not written: ${why} (${reason}  scent-1)`
      )
    }
    assert.strictEqual(tally.deadLetters, 3)
  })

  it("RFC C1 whoever sent a delivery hears of its end once, and a dead letter is told within its span", () => {
    const caller = makeCaller()
    const spans: Array<string | undefined> = []
    const ends: Array<string | undefined> = []
    const alerts = {
      alertUnsafe: () => void spans.push(caller.current()?.spanId),
      errorUnsafe: () => undefined
    }
    const tally = new Tally("file:fake", alerts, caller)
    const span = Tracer.externalSpan({ spanId: "s", traceId: "t" })
    const heard = { ...passage, span, onEnd: (lost: string | undefined) => void ends.push(lost) }
    tally.countWrite(heard)
    tally.reportLoss({ passage: heard, why: "w", message: "m", reason: "timeout" })
    tally.reportLoss({ passage: heard, why: "w", message: "m", code: "EIO", thrown: new TypeError("m") })
    tally.reportDeadLetter("failed", heard)
    tally.reportDeadLetter("crashed", heard)
    assert.deepStrictEqual(ends, [undefined, "timeout", "EIO", "crashed"])
    assert.deepStrictEqual(spans, [undefined, undefined, "s"])
  })
})
