/**
 * The decisions of the pool core, event by event, over a world without processes.
 */
import { assert, describe, it } from "@effect/vitest"
import { LaunchBudget, maxLevel } from "../../../src/hound/pool/LaunchBudget.ts"
import { hunt } from "../../support/tiers.ts"
import { exitOf, settings, World } from "./poolCores.ts"

const counts = ({ core: { table } }: World) => ({
  dormant: table.dormant,
  active: table.active,
  total: table.total,
  booting: table.booting
})

describe("PoolCore", () => {
  it("RFC H1 the minimum is launched at once, and is dormant when it is ready", () => {
    const world = World.open()
    assert.deepStrictEqual(counts(world), { dormant: 0, active: 0, total: 0, booting: 2 })
    world.boot(1)
    assert.deepStrictEqual(counts(world), { dormant: 1, active: 0, total: 1, booting: 1 })
    world.boot(2)
    assert.deepStrictEqual(counts(world), { dormant: 2, active: 0, total: 2, booting: 0 })
  })

  it("RFC H1 dormant, active and total are true while a hound is at work and a spare on its way", () => {
    const world = World.open()
    world.bootAll()
    world.examine("a")
    assert.deepStrictEqual(counts(world), { dormant: 1, active: 1, total: 2, booting: 1 })
    world.say(1, "processing")
    world.say(1, "complete")
    assert.strictEqual(world.outcome("a"), "complete")
    assert.deepStrictEqual(counts(world), { dormant: 2, active: 0, total: 2, booting: 1 })
  })

  it("RFC H1 maxActive holds, and jobs beyond it wait first in, first out", () => {
    const world = World.open()
    world.bootAll()
    for (const signature of ["a", "b", "c", "d", "e"]) world.examine(signature)
    world.bootAll()
    world.bootAll()
    assert.strictEqual(world.core.table.active, settings.maxActive)
    assert.deepStrictEqual([...world.jobs.keys()], [1, 2, 3])
    world.say(2, "processing")
    world.say(2, "complete")
    assert.strictEqual(world.core.table.active, settings.maxActive)
    assert.include(world.log, "send 2 d")
    assert.notInclude(world.log.join(), " e")
  })

  it("RFC H1 the hound that ended its work last gets the next, or else the one dormant longest", () => {
    const world = World.open({ minimumDormant: 3 })
    world.bootAll()
    const work = (id: number) => {
      world.say(id, "processing")
      world.say(id, "complete")
    }
    world.examine("a")
    work(1)
    world.examine("b")
    world.examine("c")
    work(2)
    work(1)
    for (const signature of ["d", "e", "f"]) world.examine(signature)
    assert.deepStrictEqual(
      world.log.filter((line) => line.startsWith("send")),
      ["send 1 a", "send 1 b", "send 2 c", "send 1 d", "send 3 e", "send 2 f"]
    )
    // It is not kept in mind when it is gone.
    work(3)
    world.core.terminate("hound-3")
    world.examine("g")
    assert.notInclude(world.log, "send 3 g")
  })

  it("RFC H4 overdue: killed, replaced, and only then reported; the next job goes to another", () => {
    const world = World.open({ maxActive: 1 })
    world.bootAll()
    world.examine("slow")
    world.examine("next")
    world.bootAll()
    world.say(1, "processing")
    world.log.length = 0
    world.advance(settings.maxProcessingTime)
    assert.deepStrictEqual(world.log.slice(0, 4), ["kill 1", "launch 4", "settle slow timeout", "send 2 next"])
    assert.deepStrictEqual(world.exits, ["timeout"])
    assert.strictEqual(world.core.table.active, 1)
  })

  it("RFC H4 a hound that has not even begun is at fault, not the evidence", () => {
    const world = World.open()
    world.bootAll()
    world.examine("a")
    world.advance(settings.maxProcessingTime)
    assert.strictEqual(world.outcome("a"), "lost")
    assert.isTrue(world.killed.has(1))
  })

  it("RFC H4 an error is the end of its hound, and whatever it does after that is ignored", () => {
    const world = World.open()
    world.bootAll()
    world.examine("a")
    world.say(1, "processing")
    world.say(1, "error")
    assert.strictEqual(world.outcome("a"), "error")
    assert.isTrue(world.killed.has(1))
    world.say(1, "complete")
    world.core.heard(1, { type: "violation", reason: "out of turn" })
    world.end(1, exitOf("signal", { signal: "SIGSEGV" }))
    assert.strictEqual(world.outcome("a"), "error")
    assert.deepStrictEqual(world.exits, ["error"])
    assert.strictEqual(world.violations, 0)
  })

  it("RFC H3 a broken rule is told, and the evidence has failed", () => {
    const world = World.open()
    world.bootAll()
    world.examine("a")
    world.core.heard(1, { type: "violation", reason: "oversized" })
    assert.strictEqual(world.violations, 1)
    assert.strictEqual(world.outcome("a"), "error")
    assert.isTrue(world.killed.has(1))
  })

  it("RFC H6 a hound that is killed from outside loses nothing, one that crashes has failed", () => {
    for (
      const [its, expected] of [
        [exitOf("signal"), "lost"],
        [exitOf("lost"), "lost"],
        [exitOf("exit", { code: 0 }), "lost"],
        [exitOf("exit", { code: 134 }), "error"],
        [exitOf("signal", { signal: "SIGABRT" }), "error"],
        [exitOf("rss"), "error"]
      ] as const
    ) {
      const world = World.open()
      world.bootAll()
      world.examine("a")
      world.say(1, "processing")
      world.end(1, its)
      assert.strictEqual(world.outcome("a"), expected, `${its.cause} ${its.code} ${its.signal}`)
      assert.isAtLeast(world.core.table.size, 2)
    }
  })

  it("RFC H6 one whose pipe is gone is killed, and its end says who is to blame", () => {
    for (
      const [its, expected] of [[exitOf("killed"), "lost"], [exitOf("signal", { signal: "SIGABRT" }), "error"]] as const
    ) {
      const world = World.open()
      world.bootAll()
      world.examine("a")
      world.say(1, "processing")
      world.core.heard(1, { type: "gone" })
      assert.isTrue(world.killed.has(1))
      assert.isUndefined(world.outcome("a"))
      world.end(1, its)
      assert.strictEqual(world.outcome("a"), expected)
    }
  })

  it("RFC H1 maxJobs and maxLifeTimeCycle retire", () => {
    const world = World.open({ maxJobs: 2 })
    world.bootAll()
    for (const signature of ["a", "b"]) {
      world.examine(signature)
      const [id = 0] = world.jobs.keys()
      world.say(id, "processing")
      world.say(id, "complete")
    }
    assert.deepStrictEqual(world.exits, ["retired"])
    world.reap()
    world.bootAll()
    world.log.length = 0
    // Of old age: no hound goes before its replacement is there.
    world.advance(settings.maxLifeTimeCycle)
    const before = world.core.table.dormant
    assert.isAtLeast(before, settings.minimumDormant)
    assert.notInclude(world.log.join(), "kill")
    world.bootAll()
    world.bootAll()
    assert.isAtLeast(world.core.table.dormant, settings.minimumDormant)
    assert.isTrue(world.exits.every((cause) => cause === "retired"))
    assert.strictEqual(world.core.table.stale, 0)
  })

  it("RFC H5 a rotation replaces each dormant hound by one that is ready", () => {
    const world = World.open()
    world.bootAll()
    world.core.rotate()
    assert.isFalse(world.core.isRotated)
    assert.strictEqual(world.killed.size, 0)
    world.boot(3)
    assert.strictEqual(world.killed.size, 1)
    assert.isAtLeast(world.core.table.dormant, settings.minimumDormant)
    world.boot(4)
    assert.deepStrictEqual([...world.killed].sort(), [1, 2])
    assert.isTrue(world.core.isRotated)
    assert.deepStrictEqual(world.core.table.all().filter(({ state }) => state === "dormant").map(({ id }) => id), [
      3,
      4
    ])
  })

  it("RFC H1 deactivate gives up the hound's examination, and leaves the hound", () => {
    const world = World.open()
    world.bootAll()
    world.examine("a")
    assert.isTrue(world.core.deactivate("hound-1"))
    assert.strictEqual(world.outcome("a"), "abandoned")
    assert.strictEqual(world.core.table.active, 1)
    world.say(1, "processing")
    world.say(1, "complete")
    assert.strictEqual(world.outcome("a"), "abandoned")
    assert.strictEqual(world.core.table.active, 0)
    assert.isFalse(world.core.deactivate("hound-1"))
    assert.isFalse(world.core.deactivate("nobody"))
  })

  it("RFC H1 terminate kills, and another takes the work", () => {
    const world = World.open()
    world.bootAll()
    world.examine("a")
    assert.isTrue(world.core.terminate("hound-1"))
    assert.strictEqual(world.outcome("a"), "lost")
    assert.deepStrictEqual(world.exits, ["terminated"])
    assert.isFalse(world.core.terminate("hound-1"))
    assert.isFalse(world.core.terminate("nobody"))
  })

  it("evidence that has left is not examined", () => {
    const world = World.open()
    world.bootAll()
    world.examine("a", null, () => false)
    assert.strictEqual(world.outcome("a"), "left")
    assert.deepStrictEqual(counts(world), { dormant: 2, active: 0, total: 2, booting: 0 })
  })

  it("a hound that was activated is kept for its examination, but not for ever", () => {
    const world = World.open()
    world.bootAll()
    const member = world.core.reserve()
    assert.strictEqual(member?.id, 1)
    assert.strictEqual(world.core.table.active, 1)
    world.examine("a", 1)
    assert.include(world.log, "send 1 a")
    const other = world.core.reserve()
    assert.strictEqual(other?.id, 2)
    world.advance(settings.maxProcessingTime - 1)
    assert.strictEqual(other?.state, "active")
    world.advance(1)
    assert.strictEqual(other?.state, "dormant")
  })

  it("one that died before its examination came is no loss", () => {
    const world = World.open()
    world.bootAll()
    assert.strictEqual(world.core.reserve()?.id, 1)
    world.end(1, exitOf("signal"))
    world.examine("a", 1)
    assert.include(world.log, "send 2 a")
  })

  it("boots that fail are paced, doubling, and never stop being tried", () => {
    const world = World.open({ minimumDormant: 1, maxActive: 1, replenishDelay: 100 })
    for (let i = 0; i < 600; i++) {
      for (const { id, state } of world.core.table.all())
        if (state === "booting") world.end(id, exitOf("exit", { code: 65 }))
      world.advance(100)
    }
    const longest = 100 * 2 ** maxLevel
    const last = world.launchedAt.slice(-5)
    for (const [i, at] of last.slice(1).entries()) assert.isAtLeast(at - (last[i] ?? 0), longest)
    assert.isAtLeast(world.launched.length, 60_000 / longest - 1)
    assert.isAtMost(world.launched.length, 60_000 / longest + 12)
    assert.strictEqual(world.bootFailures, world.launched.length)
  })

  it("memory is watched while there is work, and no message is sent for each job", () => {
    const world = World.open({ minimumDormant: 1 })
    world.bootAll()
    world.examine("a")
    assert.deepStrictEqual([...world.watched], [1])
    world.say(1, "processing")
    world.say(1, "complete")
    assert.deepStrictEqual([...world.watched], [1])
    world.advance(1_000)
    assert.deepStrictEqual([...world.watched], [])
  })

  it("RFC H1 tick replenishes once, and comes back when the next launch is allowed", () => {
    const world = World.open({ minimumDormant: 2, maxActive: 1, replenishDelay: 100 })
    assert.deepStrictEqual(world.launched, [1, 2])
    world.advance(settings.readyTimeout)
    // One launch of the burst was left, and two have become due since.
    assert.deepStrictEqual(world.launched.slice(2), [3, 4])
    assert.strictEqual(world.core.due, world.now + settings.readyTimeout)
  })

  it("RFC H6 while it is not open examinations wait in the line, and the first hounds take them in order", () => {
    const world = new World()
    for (const signature of ["a", "b", "c"]) world.examine(signature)
    assert.isNull(world.core.reserve())
    assert.strictEqual(world.settled.size, 0)
    assert.strictEqual(world.core.due, Number.POSITIVE_INFINITY)
    assert.isFalse(world.core.isOpen)
    world.open()
    world.bootAll()
    assert.deepStrictEqual(world.begun, ["a", "b", "c"])
  })

  it("RFC S2 shut loses the examinations that hounds are at and no others: the line is for the hounds to come", () => {
    const world = World.open({ maxActive: 1 })
    world.bootAll()
    for (const signature of ["a", "b", "c"]) world.examine(signature)
    void world.core.shut()
    assert.strictEqual(world.outcome("a"), "lost")
    assert.deepStrictEqual(counts(world), { dormant: 0, active: 0, total: 0, booting: 0 })
    // What the old spawner still says is ignored.
    for (const id of world.alive.keys()) world.end(id, exitOf("killed"))
    assert.deepStrictEqual(world.exits, [])
    world.examine("late")
    assert.strictEqual(world.settled.size, 1)
    world.open()
    world.bootAll()
    for (const signature of ["b", "c", "late"]) {
      const [id = 0] = world.jobs.keys()
      world.say(id, "processing")
      world.say(id, "complete")
      assert.strictEqual(world.outcome(signature), "complete")
    }
  })

  it("giving up settles all that waits and all that comes, and launches nothing more", () => {
    const world = new World()
    for (const signature of ["a", "b"]) world.examine(signature)
    world.core.giveUp()
    world.examine("late")
    for (const signature of ["a", "b", "late"]) assert.strictEqual(world.outcome(signature), "unavailable")
    const failing = World.open()
    failing.core.giveUp()
    failing.end(1, exitOf("spawn"))
    failing.advance(10_000)
    assert.deepStrictEqual(failing.launched, [1, 2])
    assert.isNull(failing.core.reserve())
  })

  it("a hound is reserved only where nothing waits without one", () => {
    const world = World.open({ minimumDormant: 2, maxActive: 2 })
    world.examine("a")
    world.boot(1)
    assert.include(world.log, "send 1 a")
    world.examine("b")
    world.examine("c")
    world.boot(2)
    assert.include(world.log, "send 2 b")
    assert.isNull(world.core.reserve())
  })

  it("an examination whose reserved hound died takes the one of an examination behind it", () => {
    const world = World.open({ minimumDormant: 2, maxActive: 2 })
    world.bootAll()
    assert.strictEqual(world.core.reserve()?.id, 1)
    assert.strictEqual(world.core.reserve()?.id, 2)
    world.end(1, exitOf("signal"))
    world.examine("a", 1)
    assert.include(world.log, "send 2 a")
    world.examine("b", 2)
    world.bootAll()
    assert.include(world.log, "send 3 b")
    assert.strictEqual(world.core.table.active, 2)
  })
})

describe("PoolCore, in any order", () => {
  /** Numbers that look random, the same for a seed. */
  const randoms = (seed: number) => (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor(seed / 2 ** 32 * below)
  }
  const { runs, seed: first } = hunt("POOL", { seed: 1, runs: 100, long: 10_000, isFast: true })

  it(`RFC H6 ${runs} random lives: bounds hold, and every attempt is settled once`, () => {
    for (let seed = first; seed < first + runs; seed++) {
      const random = randoms(seed)
      const bounds = {
        minimumDormant: random(4),
        maxActive: 1 + random(4),
        maxJobs: 1 + random(4),
        maxLifeTimeCycle: 1_000 + random(20_000),
        replenishDelay: random(3) * 50
      }
      const world = World.open(bounds)
      let asked = 0
      const coming: Array<[signature: string, reserved: number | null]> = []
      const pick = (): number => {
        const all = [...world.alive.keys()]
        return all[random(all.length)] ?? 0
      }
      const stateOf = (id: number) => world.core.table.get(id)?.state
      for (let step = 0; step < 200; step++) {
        const what = random(16)
        const id = pick()
        const isQuiet = !world.jobs.has(id)
        if (random(100) === 0) world.restart()
        else if (what < 4) {
          coming.push([`${seed}-${asked++}`, random(3) === 0 ? world.core.reserve()?.id ?? null : null])
          // A reserved hound waits for its examination, which may be told some events later.
          if (random(4) > 0) {
            for (const [signature, reserved] of coming.splice(0)) world.examine(signature, reserved)
          }
        } else if (what < 7) world.bootAll()
        else if (what < 10) {
          if (!isQuiet && stateOf(id) === "active") {
            world.say(id, "processing")
            if (random(5) > 0) world.say(id, random(4) === 0 ? "error" : "complete")
          }
        } else if (what === 10) world.end(id, exitOf((["signal", "exit", "rss", "lost"] as const)[random(4)] ?? "exit"))
        else if (what === 11)
          world.core.heard(id, random(2) === 0 ? { type: "gone" } : { type: "violation", reason: "oversized" })
        else if (what === 12) world.reap()
        else if (what === 13) world.advance(random(3_000))
        else if (what === 14) world.core.rotate()
        else if (random(2) === 0) world.core.terminate(`hound-${1 + random(world.launched.length)}`)
        else world.core.deactivate(`hound-${1 + random(world.launched.length)}`)

        const { active, booting, dormant, size, stale, total } = world.core.table
        const states = world.core.table.all().map(({ state }) => state)
        assert.isAtMost(active, bounds.maxActive, `seed ${seed}`)
        assert.strictEqual(dormant, states.filter((state) => state === "dormant").length)
        assert.strictEqual(active, states.filter((state) => state === "active").length)
        assert.strictEqual(total, size - booting)
        assert.isAtMost(stale, dormant)
        // Those on their way out do not count: they are killed already.
        const living = dormant + active + booting
        assert.isAtMost(living, 2 * (bounds.minimumDormant + bounds.maxActive), `seed ${seed}`)
      }
      // In the end: hounds that are well answer, and the pool is whole again.
      for (const [signature, reserved] of coming) world.examine(signature, reserved)
      for (let i = 0; i < 4 * asked + 200; i++) {
        world.reap()
        world.bootAll()
        const working = [...world.jobs.keys()]
        for (const id of working) {
          if (stateOf(id) !== "active") continue
          world.say(id, "processing")
          world.say(id, "complete")
        }
        world.advance(500)
      }
      for (let i = 0; i < asked; i++)
        assert.strictEqual(world.settled.get(`${seed}-${i}`)?.length, 1, `seed ${seed}, examination ${i}`)
      assert.strictEqual(world.core.table.active, 0, `seed ${seed}`)
      assert.isAtLeast(world.core.table.dormant, bounds.minimumDormant, `seed ${seed}`)
    }
  })
})

describe("LaunchBudget", () => {
  it("RFC H1 a burst at once, and then one for each interval", () => {
    const launchBudget = new LaunchBudget(3, 100, 0)
    assert.deepStrictEqual([1, 2, 3, 4].map(() => launchBudget.take(0)), [true, true, true, false])
    assert.strictEqual(launchBudget.nextAt(0), 100)
    assert.isFalse(launchBudget.take(99))
    assert.isTrue(launchBudget.take(100))
    assert.isFalse(launchBudget.take(100))
    assert.deepStrictEqual([1, 2, 3, 4].map(() => launchBudget.take(10_000)), [true, true, true, false])
  })

  it("trouble doubles the interval up to a bound, and its absence halves it again", () => {
    const launchBudget = new LaunchBudget(1, 100, 0)
    let now = 0
    for (let i = 0; i < 20; i++) {
      now = launchBudget.nextAt(now)
      assert.isTrue(launchBudget.take(now))
      launchBudget.trouble(now)
    }
    assert.strictEqual(launchBudget.level, maxLevel)
    assert.strictEqual(launchBudget.nextAt(now) - now, 100 * 2 ** maxLevel)
    for (let i = 0; i <= maxLevel; i++) {
      now = launchBudget.nextAt(now)
      assert.isTrue(launchBudget.take(now))
    }
    assert.strictEqual(launchBudget.level, 0)
  })

  it("an interval of 0 is no pace", () => {
    const launchBudget = new LaunchBudget(1, 0, 0)
    for (let i = 0; i < 10; i++) assert.isTrue(launchBudget.take(0))
  })
})
