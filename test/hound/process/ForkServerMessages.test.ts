import { assert, describe, it } from "@effect/vitest"
import { readPlan, writtenPlan } from "../../../src/hound/process/ForkServerMessages.ts"
import type { LaunchPlan } from "../../../src/hound/process/Spawner.ts"
import { planFor } from "./spawners.ts"

/** The plan as the fork server has it. */
const received = (plan: LaunchPlan): LaunchPlan => readPlan(JSON.parse(JSON.stringify(writtenPlan(plan))))

describe("a plan on its way to the fork server", () => {
  it("RFC H1 is the same when it arrives: its feed, and a memory bound that is infinite", () => {
    const plain = planFor("waits")
    assert.strictEqual(plain.maxRss, Number.POSITIVE_INFINITY)
    assert.deepStrictEqual(received(plain), plain)
    const whole = planFor("waits", "", {
      env: { ONLY: "this" },
      feed: Buffer.from([0, 1, 127, 128, 255]),
      gid: 5,
      maxRss: 1_000,
      stderrBytes: 10,
      uid: 0
    })
    assert.deepStrictEqual(received(whole), whole)
  })
})
