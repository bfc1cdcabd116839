import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Metric, Scope } from "effect"
import { claimInstance } from "../../src/telemetry/Instances.ts"

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

  it.effect("tells names apart by registry", () => {
    const alone = Effect.suspend(() => Effect.provideService(claimInstance("web"), Metric.MetricRegistry, new Map()))
    return Effect.gen(function*() {
      assert.deepStrictEqual([yield* alone, yield* alone], ["web", "web"])
    })
  })
})
