/**
 * Attacks on time, memory, descriptors and processes. Times are told where PROBE_REPORT=1, and
 * asserted nowhere.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { renderResources } from "../../../src/edge/probes/Report.ts"
import { resourceProbes } from "../../../src/edge/probes/ResourceProbes.ts"
import { contained, maxPeak, type ResourceResult, runResourceProbes } from "../../../src/edge/probes/ResourceRunner.ts"
import { sandboxTarget } from "../../../src/edge/probes/Target.ts"
import { firstOfEach, sampled, shareOf } from "../../support/tiers.ts"

const brief = sampled(it)

/** The sample has one of each kind. */
const someOf = (probes: typeof resourceProbes): typeof resourceProbes => {
  const isFirst = firstOfEach((kind) => kind)
  return shareOf(probes, ({ name }) => {
    const [kind] = /loop|heap|buffer|fork|descriptors/iu.exec(name) ?? []
    return kind !== undefined && isFirst(kind.toLowerCase())
  })
}

const patience = 300_000

/**
 * The most that a host may grow by over all of them, in bytes of resident memory: one bomb that
 * reached it would be more.
 */
const maxGrowth = 128 * 1_048_576

describe("containment", () => {
  const trial = { end: "deadline", isGone: true, peak: maxPeak, wasReady: true } as const

  brief("is an end, and no more memory than there may be", () => {
    assert.strictEqual(contained(trial), "contained")
    assert.strictEqual(contained({ ...trial, peak: null }), "contained")
    assert.strictEqual(contained({ ...trial, peak: maxPeak + 1 }), "open")
    assert.strictEqual(contained({ ...trial, end: "complete" }), "open")
    assert.strictEqual(contained({ ...trial, isGone: false }), "open")
    assert.strictEqual(contained({ ...trial, wasReady: false, end: "unready" }), "failed")
  })
})

/**
 * All of them at the default level; at the level hard one of each kind, as the limits are the same:
 * `tracehound doctor --sandbox --level hard --resources` makes all.
 */
const attacks = {
  default: someOf(resourceProbes),
  hard: someOf(resourceProbes.filter(({ name }) => /\/(?:loop|heap|buffer|fork)/iu.test(name)))
}

for (const level of ["default", "hard"] as const) {
  describe(`resources at the level ${level}`, () => {
    const results = new Map<string, ResourceResult>()
    let missing: string | null = null
    let grown = 0

    beforeAll(async () => {
      const target = await Effect.runPromise(Effect.result(sandboxTarget(level)))
      if (Result.isFailure(target)) {
        missing = target.failure.message
        process.stderr.write(`NOT TESTED: ${missing}\n`)
        return
      }
      const before = process.memoryUsage.rss()
      const report = await Effect.runPromise(runResourceProbes(attacks[level], target.success))
      grown = process.memoryUsage.rss() - before
      if (process.env["PROBE_REPORT"] === "1") process.stdout.write(`${renderResources(report)}\n`)
      for (const result of report.results) results.set(result.name, result)
    }, patience)

    it(`RFC H4 the host holds hardly more than before (${level})`, ({ skip }) => {
      if (missing !== null) return skip(missing)
      assert.isAtMost(grown, maxGrowth)
    })

    for (const { name } of attacks[level]) {
      it(`RFC H4 ${name} is contained (${level})`, ({ skip }) => {
        if (missing !== null) {
          if (level === "default" || process.env["CI"] === "true") assert.fail(missing)
          return skip(missing)
        }
        const { end, outcome, peak } = results.get(name) ?? assert.fail("it was not run")
        assert.strictEqual(outcome, "contained", `${end}, ${peak} bytes`)
        if (process.platform === "linux") assert.isNotNull(peak)
      })
    }
  })
}
