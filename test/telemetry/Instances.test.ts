import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Metric, Scope } from "effect"
import { claimInstance } from "../../src/telemetry/Instances.ts"
import { random } from "../support/random.ts"

const claimed = Effect.fnUntraced(function*(name: string) {
  const scope = yield* Scope.make()
  const own = yield* Scope.provide(claimInstance(name), scope)
  return { own, close: Scope.close(scope, Exit.void) }
})

describe("claimInstance", () => {
  it.effect("gives the name to the first, a number to those that live at the same time, and a free one again", () =>
    Effect.gen(function*() {
      const first = yield* claimed("web")
      const second = yield* claimed("web")
      const third = yield* claimed("web")
      const other = yield* claimed("api")
      assert.deepStrictEqual([first, second, third, other].map(({ own }) => own), ["web", "web-2", "web-3", "api"])
      yield* second.close
      assert.strictEqual((yield* claimed("web")).own, "web-2")
      yield* first.close
      assert.strictEqual((yield* claimed("web")).own, "web")
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("passes over a number that somebody asked for by name", () =>
    Effect.gen(function*() {
      const own: Array<string> = []
      for (const name of ["web-2", "web", "web", "web-2"]) own.push((yield* claimed(name)).own)
      assert.deepStrictEqual(own, ["web-2", "web", "web-3", "web-2-2"])
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("gives no name twice, whoever comes and goes", () =>
    Effect.gen(function*() {
      const { below, pick } = random(7)
      const living: Array<{ readonly own: string; readonly close: Effect.Effect<void> }> = []
      for (let step = 0; step < 2_000; step++) {
        const [leaving] = below(3) === 0 ? living.splice(below(living.length), 1) : []
        if (leaving === undefined) living.push(yield* claimed(pick(["web", "web-2", "api"])))
        else yield* leaving.close
        assert.strictEqual(new Set(living.map(({ own }) => own)).size, living.length)
      }
      assert.isAbove(living.length, 500)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("tells names apart by registry", () => {
    const alone = Effect.suspend(() => Effect.provideService(claimInstance("web"), Metric.MetricRegistry, new Map()))
    return Effect.gen(function*() {
      assert.deepStrictEqual([yield* alone, yield* alone], ["web", "web"])
    })
  })
})
