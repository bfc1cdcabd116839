/**
 * The whole runtime against the reference model: random programs under small bounds, compared after
 * every command.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { TracehoundSync } from "../../src/runtime/TracehoundSync.ts"
import { hunt, sampled, shareOf } from "../support/tiers.ts"
import { check, type Found, showProgram } from "./runs.ts"

const { runs, seed } = hunt("MODEL", { seed: 20_261_121, runs: 400, long: 20_000 })

const tell = ({ difference }: Found): string =>
  difference === undefined ? "" : `${difference.message}\n\n${showProgram(difference.program)}\n`

describe("the runtime and the reference model", () => {
  it.live(
    "RFC D6 D7 G1 G2 G3 G4 E2 E3 E4 A1 Q1 Q3 Q4 W1 answer the same to any sequence of commands",
    () =>
      Effect.gen(function*() {
        const found = yield* check({ seed, runs })
        if (found.difference !== undefined) assert.fail(tell(found))
        assert.isAbove(found.steps, 10 * runs)
      }),
    600_000
  )
})

describe("the comparison itself", () => {
  /** The real one, but for what is given instead. */
  const but =
    (change: (real: TracehoundSync) => Partial<TracehoundSync>) => (real: TracehoundSync): TracehoundSync => ({
      ...real,
      ...change(real)
    })
  const forgetful = but((real) => ({ rateLimiter: { ...real.rateLimiter, reset: () => {} } }))

  const broken: ReadonlyArray<readonly [string, (real: TracehoundSync) => TracehoundSync]> = [
    ["forgets to reset", forgetful],
    ["flushes in no order", but((real) => ({ flush: () => real.flush().toReversed() }))],
    ["keeps what it was told to destroy", but(() => ({ neutralize: () => null }))],
    ["claims to have evacuated", but((real) => ({ evacuate: (signature) => real.neutralize(signature) as never }))],
    [
      "lets one request too many through",
      but((real) => {
        let blocked = false
        return {
          rateLimiter: {
            ...real.rateLimiter,
            check: (source) => {
              const answer = real.rateLimiter.check(source)
              const isFirst = !answer.allowed && !blocked
              blocked = !answer.allowed
              return isFirst ? { allowed: true } : answer
            }
          }
        }
      })
    ]
  ]
  for (const [name, sabotage] of shareOf(broken, (_, index) => index === 0)) {
    it.live(`finds a runtime that ${name}, and tells it in a handful of commands`, () =>
      Effect.gen(function*() {
        const found = yield* check({ seed: 1, runs: 400 }, sabotage)
        assert.isDefined(found.difference)
        assert.isAtMost(found.difference?.program.commands.length ?? Infinity, 5, tell(found))
      }))
  }

  sampled(it).live("finds the same with the same seed, line by line", () =>
    Effect.gen(function*() {
      const first = yield* check({ seed: 5, runs: 400 }, forgetful)
      const again = yield* check({ seed: 5, runs: 400 }, forgetful)
      assert.isDefined(first.difference)
      assert.strictEqual(tell(again), tell(first))
      assert.strictEqual(again.steps, first.steps)
    }))
})
