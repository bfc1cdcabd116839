/**
 * The runner and its arithmetic, on a clock that only the variants move.
 */
import { assert, describe, it } from "@effect/vitest"
import { compare, compareWaiting, processorNanoseconds, type Variant } from "../../bench/runner.ts"
import {
  median,
  medianDifference,
  quantile,
  quantileOfSorted,
  ratiosOf,
  shiftOf,
  spread
} from "../../bench/statistics.ts"

const turns = { rounds: 5, turnMs: 1, warmMs: 2 }

/** Variants that take so many nanoseconds a call, and the clock that they move. */
const world = () => {
  let now = 0
  const order: Array<string> = []
  return {
    now: () => now,
    order,
    sleep: (ns: number) => {
      now += ns
    },
    taking: (name: string, ns: number, more: Partial<Variant> = {}): Variant => ({
      name,
      run: () => {
        if (order.at(-1) !== name) order.push(name)
        now += ns
      },
      ...more
    })
  }
}

describe("compare", () => {
  it("gives the nanoseconds of a call, and the ratio to the floor", () => {
    const { now, taking } = world()
    const [floor, line] = compare([taking("floor", 100), taking("line", 250, { floor: "floor" })], turns, now)
    assert.deepStrictEqual([floor?.p10, floor?.median, floor?.ratio], [100, 100, null])
    assert.deepStrictEqual([line?.p10, line?.median, line?.ratio, line?.floor], [250, 250, 2.5, "floor"])
    assert.strictEqual(line?.rounds.length, turns.rounds)
    assert.deepStrictEqual([floor?.ratios, line?.ratios], [null, [2.5, 2.5, 2.5, 2.5, 2.5]])
  })

  it("fills a turn with as many calls as its time allows", () => {
    const { now, taking } = world()
    const asked: Array<number> = []
    compare([taking("line", 1000, { before: (calls) => void asked.push(calls) })], turns, now)
    assert.deepStrictEqual(asked.slice(-turns.rounds), [1000, 1000, 1000, 1000, 1000])
  })

  it("asks for no more calls than a variant can take, and for one where a call is longer than a turn", () => {
    const { now, taking } = world()
    const few: Array<number> = []
    const slow: Array<number> = []
    compare(
      [
        taking("few", 10, { maxCalls: 7, before: (calls) => void few.push(calls) }),
        taking("slow", 5_000_000, { before: (calls) => void slow.push(calls) })
      ],
      turns,
      now
    )
    assert.strictEqual(Math.max(...few), 7)
    assert.strictEqual(Math.max(...slow), 1)
  })

  it("gives every turn the calls that a variant insists on", () => {
    const { now, taking } = world()
    const asked: Array<number> = []
    const [line] = compare(
      [taking("line", 10, { exactCalls: 3, maxCalls: 2, before: (calls) => void asked.push(calls) })],
      turns,
      now
    )
    assert.deepStrictEqual([...new Set(asked)], [3])
    assert.strictEqual(line?.median, 10)
  })

  it("does not time what makes ready and what cleans up", () => {
    const { now, sleep, taking } = world()
    const [line] = compare(
      [taking("line", 100, { before: () => sleep(1e9), after: () => sleep(1e9) })],
      turns,
      now
    )
    assert.strictEqual(line?.median, 100)
  })

  it("never gives a counter twice", () => {
    const { now, sleep } = world()
    const seen = new Set<number>()
    let calls = 0
    const run = (i: number): void => {
      seen.add(i)
      calls++
      sleep(10_000)
    }
    compare([{ name: "a", run }, { name: "b", run }], turns, now)
    assert.strictEqual(seen.size, calls)
  })

  it("lets variants take turns, and turns their order round", () => {
    const { now, order, taking } = world()
    const rounds: Array<number> = []
    compare([taking("a", 100), taking("b", 100)], { ...turns, rounds: 4 }, now, (round) => void rounds.push(round))
    // Warm-up, then ab, ba, ab, ba; neighbours of the same name are one entry.
    assert.strictEqual(order.join(""), "abababa")
    assert.deepStrictEqual(rounds, [0, 1, 2, 3])
  })

  it("pairs each round with the floor's time in the same round", () => {
    const { now, sleep } = world()
    // The machine gets slower and slower; the ratio stays.
    let slowness = 1
    const variants = [
      { name: "floor", run: () => sleep(100 * slowness) },
      { name: "line", floor: "floor", run: () => sleep(300 * slowness) }
    ]
    const [, line] = compare(variants, turns, now, () => {
      slowness *= 2
    })
    assert.strictEqual(line?.ratio, 3)
    assert.isAbove(line?.median ?? 0, line?.p10 ?? 0)
  })

  it("refuses a floor that is not among them", () => {
    const { now, taking } = world()
    assert.throws(() => compare([taking("line", 1, { floor: "none" })], turns, now), /no floor called none/)
  })
})

describe("processor time", () => {
  it("goes forward with what this process does", () => {
    const start = processorNanoseconds()
    let looks = 1
    while (processorNanoseconds() === start) looks += 1
    assert.isAbove(processorNanoseconds(), start, `after ${looks} looks`)
  })
})

describe("compareWaiting", () => {
  it("gives the nanoseconds of a call and the ratio to the floor, in the same order of turns", async () => {
    const { now, order, sleep } = world()
    const taking = (name: string, ns: number, floor?: string) => ({
      name,
      floor,
      run: async (calls: number) => {
        if (order.at(-1) !== name) order.push(name)
        await Promise.resolve()
        sleep(calls * ns)
      }
    })
    const rounds: Array<number> = []
    const [floor, line] = await compareWaiting(
      [taking("a", 100), taking("b", 250, "a")],
      { ...turns, rounds: 4 },
      now,
      (round) => void rounds.push(round)
    )
    assert.deepStrictEqual([floor?.p10, floor?.median, floor?.ratio], [100, 100, null])
    assert.deepStrictEqual([line?.p10, line?.median, line?.ratio, line?.floor], [250, 250, 2.5, "a"])
    assert.strictEqual(order.join(""), "abababa")
    assert.deepStrictEqual(rounds, [0, 1, 2, 3])
  })

  it("never runs two at a time, and stops at the first that fails", async () => {
    let running = 0
    const { now, sleep } = world()
    const run = async (calls: number) => {
      assert.strictEqual(++running, 1)
      await Promise.resolve()
      sleep(calls * 1000)
      running--
    }
    await compareWaiting([{ name: "a", run }, { name: "b", run }], turns, now)
    const failing = { name: "c", run: () => Promise.reject(new Error("no answer")) }
    const message = await compareWaiting([{ name: "a", run }, failing], turns, now).catch(String)
    assert.strictEqual(message, "Error: no answer")
  })
})

describe("the arithmetic", () => {
  it("quantiles are values of the sample, whatever its order", () => {
    const values = [5, 1, 4, 2, 3, 10, 9, 8, 7, 6]
    assert.deepStrictEqual([0, 0.1, 0.5, 0.9, 0.999, 1].map((q) => quantile(values, q)), [1, 2, 6, 10, 10, 10])
    assert.strictEqual(quantile([9, 10, 100], 0.5), 10, "by value, not by spelling")
    assert.deepStrictEqual(values[0], 5, "the sample stays as it was")
    assert.strictEqual(quantileOfSorted(Float64Array.of(1, 2, 3), 0.5), 2)
    assert.isNaN(median([]))
  })

  it("ratios and differences are of rounds, not of medians", () => {
    assert.strictEqual(median(ratiosOf([2, 20, 200], [1, 10, 100])), 2)
    assert.strictEqual(medianDifference([3, 33, 303], [1, 31, 301]), 2)
    // The medians are 10 and 1; round by round it is never that.
    assert.strictEqual(median(ratiosOf([1, 10, 100], [100, 1, 1])), 10)
    assert.strictEqual(median(ratiosOf([1, 100, 10], [1, 1, 100])), 1)
  })

  it("a round that one of them lacks is left out", () => {
    assert.strictEqual(median(ratiosOf([2, 4, 1000], [1, 2])), 2)
    assert.isNaN(median(ratiosOf([1], [])))
  })

  it("a spread is that of the middle half", () => {
    assert.strictEqual(spread([1, 1, 1, 1, 100]), 0)
    assert.strictEqual(spread([1, 2, 4, 6, 100]), 1)
    assert.strictEqual(spread([5]), 0)
  })

  it("a shift is the factor between two samples, in a range that narrows as they grow", () => {
    const sample = (factor: number, n: number) => Array.from({ length: n }, (_, i) => factor * (1 + i / n))
    const few = shiftOf(sample(1, 8), sample(3, 8))
    const many = shiftOf(sample(1, 64), sample(3, 64))
    assert.approximately(many.factor, 3, 0.01)
    assert.isTrue(few.low < many.low && many.low < 3 && 3 < many.high && many.high < few.high)
    const one = shiftOf([2], [5])
    assert.deepStrictEqual(one, { factor: 2.5, low: 2.5, high: 2.5 })
    assert.isNaN(shiftOf([], [1]).factor)
  })
})
