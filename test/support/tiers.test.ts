/**
 * The tiers share a slow file's tests out: what the sample has and the rest are all of them, once.
 */
import { assert, describe, it } from "@effect/vitest"
import { firstOfEach, makeTiers, type Tier, tierOf } from "./tiers.ts"

/** What a file registers, in a vitest that only writes titles down. */
const titles = (
  tier: Tier,
  write: (tiers: ReturnType<typeof makeTiers>, it: Register) => void
): ReadonlyArray<string> => {
  const registered: Array<string> = []
  write(makeTiers(tier, {}), register(registered))
  return registered
}

type Test = (title: string) => void
interface Register {
  (title: string): void
  readonly live: Test
  readonly each: (table: ReadonlyArray<unknown>) => Test
  readonly skipIf: (condition: boolean) => Test
}

const register = (registered: Array<string>): Register => {
  const test: Test = (title) => void registered.push(title)
  return Object.assign((title: string) => test(title), { live: test, each: () => test, skipIf: () => test })
}

const five = (it: Register): void => {
  it("1")
  it.live("2")
  it.each([1, 2])("3")
  it.skipIf(false)("4")
  it("5")
}

describe("tiers", () => {
  it("are named by vitest's mode; any other mode is all", () => {
    assert.deepStrictEqual(["sample", "rest", "long", "all", "test", undefined].map(tierOf), [
      "sample",
      "rest",
      "long",
      "all",
      "all",
      "all"
    ])
  })

  it("share tests out by their number, whichever way they are registered", () => {
    const found = (tier: Tier) => titles(tier, ({ sampleOf }, it) => five(sampleOf(it, 2)))
    assert.deepStrictEqual(found("sample"), ["1", "3", "5"])
    assert.deepStrictEqual(found("rest"), ["2", "4"])
    assert.deepStrictEqual(found("all"), ["1", "2", "3", "4", "5"])
    assert.deepStrictEqual(found("long"), [])
  })

  it("share tests out by name", () => {
    const found = (tier: Tier) =>
      titles(tier, ({ lengthy, restOf, sampled }, it) => {
        sampled(it).live("brief")
        restOf(it).each([1])("thorough")
        lengthy(it)("lengthy")
      })
    assert.deepStrictEqual(found("sample"), ["brief"])
    assert.deepStrictEqual(found("rest"), ["thorough", "lengthy"])
    assert.deepStrictEqual(found("all"), ["brief", "thorough", "lengthy"])
    assert.deepStrictEqual(found("long"), ["lengthy"])
  })

  it("have amounts of their own", () => {
    const found = (tier: Tier) => makeTiers(tier, {}).amount({ sample: 1, rest: 4, long: 60 })
    assert.deepStrictEqual((["sample", "rest", "all", "long"] as const).map(found), [1, 4, 4, 60])
  })

  it("share cases out, one of each kind", () => {
    const found = (tier: Tier) =>
      makeTiers(tier, {}).shareOf(["a1", "a2", "b1", "a3", "b2"], firstOfEach((name) => name[0]))
    assert.deepStrictEqual(found("sample"), ["a1", "b1"])
    assert.deepStrictEqual(found("rest"), ["a2", "a3", "b2"])
    assert.deepStrictEqual(found("all"), ["a1", "a2", "b1", "a3", "b2"])
  })

  it("share the seeds of a hunt out, without a gap and without an overlap", () => {
    const plan = { seed: 7, runs: 10, long: 5000 }
    const printed: Array<string> = []
    const found = (tier: Tier, env = {}) =>
      makeTiers(tier, env, () => 42, (line) => void printed.push(line)).hunt("X", plan)
    assert.deepStrictEqual(found("all"), { seed: 7, runs: 10 })
    assert.deepStrictEqual(found("sample"), { seed: 7, runs: 3 })
    assert.deepStrictEqual(found("rest"), { seed: 10, runs: 7 })
    assert.deepStrictEqual(found("long"), { seed: 42, runs: 5000 })
    assert.deepStrictEqual(printed, ["X_SEED=42 X_RUNS=5000"])
    assert.deepStrictEqual(found("sample", { X_SEED: "3", X_RUNS: "1" }), { seed: 3, runs: 1 })
  })
})
