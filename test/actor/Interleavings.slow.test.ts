/**
 * Random schedules over whole actor systems, each run twice. `ACTORS_RUNS=2000` runs more of them,
 * `ACTORS_SEED=7 ACTORS_RUNS=1` only one.
 */
import { assert, describe, it } from "@effect/vitest"
import { hunt, restOf } from "../support/tiers.ts"
import { runChaos } from "./chaos.ts"

const { runs, seed } = hunt("ACTORS", { seed: 1, runs: 100, long: 3000 })
const perTest = 10
const seeds = Array.from({ length: runs }, (_, n) => seed + n)
const chunks = Array.from(
  { length: Math.ceil(seeds.length / perTest) },
  (_, n) => seeds.slice(n * perTest, (n + 1) * perTest)
)

describe("any order of events", () => {
  const seen: Record<string, number> = {}

  for (const chunk of chunks) {
    it(`RFC S1 RFC S4 RFC S5 every message has one end, closing leaves nothing, the same seed is the same run: seeds ${chunk[0]} to ${chunk.at(-1)}`, async () => {
      for (const seed of chunk) {
        const first = await runChaos(seed)
        const second = await runChaos(seed)
        const at = first.trace.findIndex((line, n) => line !== second.trace[n])
        assert.strictEqual(second.trace[at], first.trace[at], `ACTORS_SEED=${seed}: line ${at} differs`)
        assert.strictEqual(second.trace.length, first.trace.length, `ACTORS_SEED=${seed}`)
        assert.strictEqual(second.hash, first.hash, `ACTORS_SEED=${seed}: a look at the tree differs`)
        for (const [what, count] of Object.entries(first.seen)) seen[what] = (seen[what] ?? 0) + count
      }
    })
  }

  for (const chunk of chunks) {
    it(`RFC S3 RFC S5 whoever sets the time of day changes nothing: seeds ${chunk[0]} to ${chunk.at(-1)}`, async () => {
      for (const seed of chunk) {
        const jumping = await runChaos(seed, 160, { doesJump: true, hasPools: false })
        const steady = await runChaos(seed, 160, { doesJump: false, hasPools: false })
        assert.deepStrictEqual(jumping.trace, steady.trace, `ACTORS_SEED=${seed}`)
      }
    })
  }

  /** A child that an operator restarts while its supervisor is restarted had two incarnations. */
  for (const seed of [5411, 5588, 80_281_130])
    it(`RFC S3 schedules that once broke: seed ${seed}`, () =>
      runChaos(seed, 160, { doesJump: true, hasPools: false }).then(() => undefined))

  restOf(it)("RFC S5 the schedules are worth their name: all that can happen does", () => {
    for (const [what, count] of Object.entries(seen)) assert.isAbove(count, 20, what)
  })
})
