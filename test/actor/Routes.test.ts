/**
 * The routes of pools against a model that looks at every worker.
 */
import { assert, describe, it } from "@effect/vitest"
import { ByKey, LeastBusy, RoundRobin, type Route } from "../../src/actor/Routes.ts"
import { random } from "../support/random.ts"

/** A pool that a random life changes, and the workers that may be chosen by its rule. */
const live = (seed: number, size: number, route: Route<number>) => {
  const { below, chance } = random(seed)
  const ready = Array.from({ length: size }, () => true)
  const pending = Array.from({ length: size }, () => 0)
  const setPending = (worker: number, count: number): void => {
    pending[worker] = count
    route.setPending?.(worker, count)
  }
  return {
    ready,
    pending,
    tell: (message: number): number => {
      const worker = route.choose(message)
      setPending(worker, (pending[worker] ?? 0) + 1)
      return worker
    },
    change: (): void => {
      const worker = below(size)
      if (chance(0.3)) {
        const isReady = chance(0.6)
        ready[worker] = isReady
        route.setReady(worker, isReady)
      } else {
        setPending(worker, below(3) === 0 ? 0 : Math.max(0, (pending[worker] ?? 0) - below(3)))
      }
    }
  }
}

describe("least busy", () => {
  it("RFC S1 always is a ready worker with the fewest pending messages, whatever has happened", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const size = 1 + (seed % 17)
      const { change, pending, ready, tell } = live(seed, size, new LeastBusy(size))
      for (let step = 0; step < 300; step++) {
        for (let n = step % 4; n > 0; n--) change()
        const least = Math.min(...pending.filter((_, worker) => ready[worker]))
        const before = [...pending]
        const worker = tell(step)
        assert.isTrue(worker >= 0 && worker < size)
        if (ready.includes(true)) assert.deepStrictEqual([ready[worker], before[worker]], [true, least], `seed ${seed}`)
      }
    }
  })

  it("RFC S1 of equals takes the one that was chosen the longest ago", () => {
    const route = new LeastBusy(4)
    assert.deepStrictEqual(Array.from({ length: 9 }, () => route.choose()), [0, 1, 2, 3, 0, 1, 2, 3, 0])
    for (const worker of [2, 0]) route.setPending(worker, 1)
    assert.deepStrictEqual(Array.from({ length: 4 }, () => route.choose()), [1, 3, 1, 3])
  })

  it("RFC S1 takes all in turn where none is ready", () => {
    const route = new LeastBusy(3)
    for (const worker of [1, 0, 2]) route.setReady(worker, false)
    assert.deepStrictEqual(Array.from({ length: 4 }, () => route.choose()), [0, 1, 2, 0])
    route.setPending(1, 5)
    route.setReady(1, true)
    assert.deepStrictEqual(Array.from({ length: 2 }, () => route.choose()), [1, 1])
  })
})

describe("round robin", () => {
  it("RFC S1 gives each ready worker as many as any other, and none to one that is not", () => {
    for (let seed = 1; seed <= 30; seed++) {
      const size = 1 + (seed % 9)
      const { change, ready, tell } = live(seed, size, new RoundRobin(size))
      for (let round = 0; round < 50; round++) {
        change()
        const count = ready.filter(Boolean).length
        const chosen = Array.from({ length: count === 0 ? size : count }, tell)
        assert.strictEqual(new Set(chosen).size, chosen.length, `seed ${seed}: each once`)
        if (count > 0) assert.isTrue(chosen.every((worker) => ready[worker]))
      }
    }
  })
})

describe("by key", () => {
  it("RFC S1 the same key is the same worker, ready or not, and keys are spread", () => {
    const route = new ByKey<string>(8, (message) => message, 7)
    const counts = Array.from({ length: 8 }, () => 0)
    for (let n = 0; n < 8_000; n++) {
      const worker = route.choose(`key ${n}`)
      route.setReady()
      assert.strictEqual(route.choose(`key ${n}`), worker)
      counts[worker] = (counts[worker] ?? 0) + 1
    }
    for (const count of counts) assert.isTrue(count > 800 && count < 1_200, counts.join(" "))
  })

  it("RFC S1 who does not know the seed cannot choose keys of one worker", () => {
    const [one, other] = [1, 2].map((seed) => new ByKey<number>(8, (message) => message, seed))
    const chosen = Array.from({ length: 4_000 }, (_, n) => n).filter((n) => one?.choose(n) === 3)
    const elsewhere = new Set(chosen.map((n) => other?.choose(n)))
    assert.strictEqual(elsewhere.size, 8)
  })

  it("RFC S1 a key that throws is a key like any other", () => {
    const route = new ByKey<string>(4, (message) => {
      if (message === "bad") throw new Error("no key")
      return ""
    }, 1)
    assert.strictEqual(route.choose("bad"), route.choose("good"))
  })
})
