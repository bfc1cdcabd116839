/**
 * The job that rotates hounds, with a pool and a scheduler that only count.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result } from "effect"
import { fromArgument, resolveConfig } from "../../src/config/ConfigSources.ts"
import { Settings } from "../../src/config/Settings.ts"
import { HoundPool } from "../../src/hound/pool/HoundPool.ts"
import { makeRotation } from "../../src/runtime/Rotation.ts"
import { type JobOptions, TickScheduler } from "../../src/scheduler/TickScheduler.ts"

/**
 * The jobs that starting the rotation so many times schedules, and what has ended with its scope.
 */
const startedTimes = (times: number, hasHounds: boolean) =>
  Effect.gen(function*() {
    const jobs: Array<JobOptions> = []
    const rotated: Array<string> = []
    const scheduler = Layer.succeed(TickScheduler, {
      schedule: (job) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            jobs.push(job)
            return { snapshot: () => ({ runs: 0, skipped: 0, failures: 0, nextAt: 0 }) }
          }),
          () => Effect.sync(() => rotated.push("closed"))
        )
    })
    const pool = Layer.effect(
      HoundPool,
      Effect.map(HoundPool, (none): HoundPool["Service"] => ({
        ...none,
        hasHounds,
        isBusy: () => true,
        rotate: Effect.sync(() => void rotated.push("rotated"))
      }))
    ).pipe(Layer.provide(HoundPool.layerNone))
    const config = { scheduler: { rotationInterval: 5_000, jitterMax: 70, skipIfBusy: false } }
    const settings = Layer.succeed(Settings, Result.getOrThrow(resolveConfig([fromArgument(config)])))
    yield* Effect.scoped(Effect.gen(function*() {
      const rotation = yield* makeRotation
      for (let n = 0; n < times; n++) yield* Effect.scoped(rotation)
      for (const job of jobs) yield* job.run
    })).pipe(Effect.provide(Layer.mergeAll(settings, pool, scheduler)))
    return { jobs, rotated }
  })

describe("rotation", () => {
  it.effect("RFC H5 is one job as it is configured, however often it is started, until its maker's scope closes", () =>
    Effect.gen(function*() {
      const { jobs, rotated } = yield* startedTimes(3, true)
      assert.deepStrictEqual(
        jobs.map(({ interval, isBusy, jitterMax, skipIfBusy }) => [interval, jitterMax, skipIfBusy, isBusy()]),
        [[5_000, 70, false, true]]
      )
      assert.deepStrictEqual(rotated, ["rotated", "closed"])
    }))

  it.effect("RFC H5 is no job before it is started, and none where there are no hounds", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* startedTimes(0, true)).jobs, [])
      assert.deepStrictEqual((yield* startedTimes(2, false)).jobs, [])
    }))
})
