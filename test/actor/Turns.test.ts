import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Request from "effect/Request"
import { setImmediate } from "node:timers/promises"
import * as Actor from "../../src/actor/index.ts"
import { mostTasks, Turns } from "../../src/actor/Turns.ts"

/** An event loop that turns when it is told to. */
const makeLoop = () => {
  let planned: Array<() => void> = []
  return {
    plans: () => planned.length,
    scheduleTask: (task: () => void): void => {
      planned.push(task)
    },
    turn: (): void => {
      const tasks = planned
      planned = []
      for (const task of tasks) task()
    }
  }
}

class Hit extends Request.TaggedClass("Hit")<{ readonly by: Actor.ActorRef<Hit> | null }, void> {}

describe("Turns", () => {
  it("run tasks later, in their order, with one plan for all", () => {
    const loop = makeLoop()
    const turns = new Turns(loop)
    const ran: Array<number> = []
    for (let i = 0; i < 3; i++) turns.schedule(() => ran.push(i))
    assert.deepStrictEqual([ran, loop.plans()], [[], 1])
    loop.turn()
    assert.deepStrictEqual([ran, loop.plans()], [[0, 1, 2], 0])
    turns.schedule(() => ran.push(3))
    loop.turn()
    assert.deepStrictEqual(ran, [0, 1, 2, 3])
  })

  it("run what tasks schedule on the same turn, up to a bound", () => {
    const loop = makeLoop()
    const turns = new Turns(loop)
    let ran = 0
    const again = (): void => {
      ran += 1
      turns.schedule(again)
    }
    turns.schedule(again)
    for (let turn = 1; turn <= 10; turn++) {
      loop.turn()
      assert.deepStrictEqual([ran, loop.plans()], [turn * mostTasks, 1])
    }
  })

  it("lose none of many tasks that come while others wait, and keep their order", () => {
    const loop = makeLoop()
    const turns = new Turns(loop)
    const ran: Array<number> = []
    let scheduled = 0
    const schedule = (): void => {
      const i = scheduled++
      turns.schedule(() => {
        ran.push(i)
        if (i % 3 === 0) schedule()
      })
    }
    for (let i = 0; i < 1_000; i++) schedule()
    while (loop.plans() > 0) loop.turn()
    assert.deepStrictEqual(ran, Array.from({ length: scheduled }, (_, i) => i))
    assert.isAbove(scheduled, 1_400)
  })

  it("go on after a task that throws", () => {
    const loop = makeLoop()
    const turns = new Turns(loop)
    const ran: Array<string> = []
    turns.schedule(() => {
      throw new Error("on purpose")
    })
    turns.schedule(() => ran.push("the next"))
    assert.throws(() => loop.turn(), "on purpose")
    loop.turn()
    assert.deepStrictEqual([ran, loop.plans()], [["the next"], 0])
  })

  it.live("leave the event loop to others while actors go on telling each other", () =>
    Effect.gen(function*() {
      const { root } = yield* Actor.ActorSystem
      let hits = 0
      const player = Actor.define<Hit>()("player", {
        mailbox: Actor.fifo({ capacity: 8 }),
        behaviour: ({ ref }) =>
          Effect.succeed({
            Hit: ({ by }) => {
              hits += 1
              by?.tellUnsafe(new Hit({ by: ref }))
              return Effect.void
            }
          })
      })
      const [first, second] = [yield* root.spawn(player), yield* root.spawn(player)]
      first.tellUnsafe(new Hit({ by: second }))
      assert.strictEqual(hits, 0, "never on the turn of who tells")
      for (let turn = 0; turn < 20; turn++) {
        const before = hits
        yield* Effect.promise(() => setImmediate())
        assert.isAtMost(hits - before, 2 * mostTasks)
      }
      assert.isAbove(hits, 10 * mostTasks)
    }).pipe(Effect.scoped, Effect.provide(Actor.ActorSystem.layer())))
})
