import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { monitorEventLoopDelay } from "node:perf_hooks"
import type { ProbeEnd } from "../../../src/edge/probes/Probe.ts"
import { runTrial } from "../../../src/edge/probes/Trial.ts"
import { frameBytes } from "../../../src/hound/channel/Frames.ts"
import { firstOfEach, shareOf } from "../../support/tiers.ts"
import { hostilePlan } from "./targets.ts"

/** The misdeeds of a hostile hound at its pipe, the end of each, and the good frames before it. */
const floods: ReadonlyArray<readonly [way: string, end: ProbeEnd, frames: number]> = [
  ["readyFlood", "violation", 1],
  ["garbage", "violation", 0],
  ["halfFrame", "unready", 0],
  ["hugeFrame", "violation", 1],
  ["jsonLines", "violation", 0],
  ["handleAck", "violation", 0],
  ["endlessProcessing", "violation", 2],
  ["metricsFlood", "violation", 3],
  ["slowDrip", "deadline", 2],
  ["closeAndReopen", "violation", 1],
  ["verdictTooEarly", "violation", 1],
  ["verdictOfAnother", "violation", 1],
  ["verdictTwice", "violation", 3]
]

/**
 * The most that a host may grow by over one flood, in bytes of resident memory: its own compiler
 * and collector take some of it.
 */
const maxGrowth = 16 * 1_048_576

describe("a hostile hound's pipe", () => {
  for (const [way, end, frames] of shareOf(floods, firstOfEach(([, end]) => end))) {
    // Only what must not come in time has a short deadline.
    const readyDeadline = end === "unready" ? 2_000 : 30_000
    const jobDeadline = end === "deadline" ? 2_000 : 30_000
    it.live(`RFC H3 ${way}: killed, with no more than one read of it`, () =>
      Effect.gen(function*() {
        // The second job finds a frame too many that came with the first one's verdict.
        const jobs = 2
        const options = { jobs, readyDeadline, jobDeadline, isWatched: false }
        const before = process.memoryUsage.rss()
        const delay = monitorEventLoopDelay({ resolution: 1 })
        delay.enable()
        const trial = yield* Effect.scoped(runTrial(hostilePlan(way), options))
        delay.disable()
        const grown = process.memoryUsage.rss() - before
        if (process.env["PROBE_REPORT"] === "1")
          console.log(`${way}: read ${trial.bytesRead}, host grown by ${grown}, late by ${delay.max / 1e6} ms at most`)
        assert.isAtMost(grown, maxGrowth)
        assert.strictEqual(trial.end, end)
        assert.isAtMost(trial.bytesRead, frames * frameBytes + 65_536)
        assert.isNotNull(trial.killedAfter)
        assert.isTrue(trial.isGone)
      }), 90_000)
  }
})
