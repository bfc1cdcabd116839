/** The tree of a system, at once and some actors a turn. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Request } from "effect"
import * as Actor from "../../src/actor/index.ts"

class Ping extends Request.TaggedClass("Ping")<{}, void> {}

const Idle = Actor.define<Ping>()("idle", { behaviour: () => Effect.succeed({ Ping: () => Effect.void }) })

/** A system with so many actors, under supervisors of at most 100 each. */
const systemOf = Effect.fnUntraced(function*(actors: number) {
  const system = yield* Actor.ActorSystem.make()
  for (let first = 0; first < actors; first += 100) {
    const group = yield* system.root.supervise(`group ${first}`)
    for (let n = first; n < Math.min(first + 100, actors); n++) yield* group.spawn(Idle, { name: `${n}` })
  }
  return system
})

describe("inspection", () => {
  it.effect("RFC A4 shows the tree that inspect shows, and gives others a turn every 256 actors", () =>
    Effect.gen(function*() {
      for (const actors of [3, 600, 2_000]) {
        const system = yield* systemOf(actors)
        let turns = 0
        const other = yield* Effect.forkChild(
          Effect.forever(Effect.andThen(Effect.sync(() => turns++), Effect.yieldNow), { disableYield: true }),
          { startImmediately: true }
        )
        const before = turns
        assert.deepStrictEqual(yield* system.inspection, system.inspect())
        assert.isAtLeast(turns - before, Math.floor(actors / 256))
        yield* Fiber.interrupt(other)
      }
    }))

  it.effect("RFC A4 shows each actor as it is when its turn comes", () =>
    Effect.gen(function*() {
      const system = yield* systemOf(300)
      const inspecting = yield* Effect.forkChild(system.inspection, { startImmediately: true })
      assert.isUndefined(inspecting.pollUnsafe())
      yield* system.root.spawn(Idle, { name: "later" })
      const { children } = yield* Fiber.join(inspecting)
      assert.deepStrictEqual(children.map(({ name }) => name), ["group 0", "group 100", "group 200"])
    }))
})
