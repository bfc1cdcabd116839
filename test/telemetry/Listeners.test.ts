import { assert, describe, it } from "@effect/vitest"
import { Listeners } from "../../src/telemetry/Listeners.ts"

describe("Listeners", () => {
  it("tells everybody who listens, in the order in which they came, until they leave", () => {
    const listeners = new Listeners<number>()
    const heard: Array<string> = []
    assert.isFalse(listeners.isHeard)
    listeners.tellUnsafe(1)
    const leaveFirst = listeners.add((n) => heard.push(`first ${n}`))
    const leaveSecond = listeners.add((n) => heard.push(`second ${n}`))
    assert.isTrue(listeners.isHeard)
    listeners.tellUnsafe(2)
    leaveFirst()
    leaveFirst()
    listeners.tellUnsafe(3)
    leaveSecond()
    assert.isFalse(listeners.isHeard)
    listeners.tellUnsafe(4)
    assert.deepStrictEqual(heard, ["first 2", "second 2", "second 3"])
  })

  it("keeps the same function apart where it was added twice", () => {
    const listeners = new Listeners<void>()
    let calls = 0
    const hear = () => {
      calls += 1
    }
    const leave = listeners.add(hear)
    listeners.add(hear)
    leave()
    listeners.tellUnsafe()
    assert.strictEqual(calls, 1)
  })

  it("is not disturbed by one that leaves or comes while it is told", () => {
    const listeners = new Listeners<void>()
    const heard: Array<string> = []
    const leave = listeners.add(() => {
      heard.push("leaves")
      leave()
      listeners.add(() => heard.push("came"))
    })
    listeners.add(() => heard.push("stays"))
    listeners.tellUnsafe()
    assert.deepStrictEqual(heard, ["leaves", "stays"])
    listeners.tellUnsafe()
    assert.deepStrictEqual(heard, ["leaves", "stays", "stays", "came"])
  })
})
