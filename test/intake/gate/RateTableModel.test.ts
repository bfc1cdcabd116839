import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { makeRateTable } from "../../../src/intake/gate/RateTable.ts"
import { Seed } from "../../support/random.ts"
import { naiveRateTable } from "./naiveRateTable.ts"
import { blocked, check } from "./rateChecks.ts"

const Step = Schema.Struct({
  act: Schema.Literals(["check", "check", "check", "check", "burst", "flood", "reset", "blocked"]),
  key: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })),
  pass: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 120 }))
})

describe("against a naive table", () => {
  const Options = Schema.Struct({
    windowMs: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })),
    maxRequests: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4 })),
    blockDurationMs: Schema.Literals([0, 0, 1, 30, 100, 250]),
    maxSources: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 6 }))
  })

  it.prop(
    "RFC G1 RFC G2 RFC G3 answers the same to any sequence of calls",
    { options: Options, start: Seed, steps: Schema.Array(Step).check(Schema.isMinLength(1), Schema.isMaxLength(120)) },
    ({ options, start, steps }) => {
      const table = makeRateTable(options)
      const naive = naiveRateTable(options)
      let now = start
      const compare = (key: string): void => {
        const answer = check(table, key, now)
        const expected = naive.check(key, now)
        if (answer !== expected) assert.fail(`${key} at ${now}: ${answer} instead of ${expected}`)
      }
      for (const step of steps) {
        now += step.pass > 60 ? 0 : step.pass
        const key = `k${step.key}`
        switch (step.act) {
          case "check":
            compare(key)
            break
          case "burst":
            for (let i = 0; i <= options.maxRequests; i++) compare(key)
            break
          case "flood":
            for (let i = 0; i < step.key; i++) compare(`f${i}`)
            break
          case "reset": {
            const mattered = naive.reset(key)
            assert.isTrue(table.reset(key) || !mattered)
            break
          }
          case "blocked":
            assert.strictEqual(blocked(table, now), naive.blocked(now))
            break
        }
        assert.isAtMost(table.sources, options.maxSources)
      }
      assert.strictEqual(blocked(table, now), naive.blocked(now))
    },
    { arbitrary: { runs: 800, size: 200 } }
  )
})
