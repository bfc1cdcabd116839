/**
 * What is called a change between two reports.
 */
import { assert, describe, it } from "@effect/vitest"
import { changesOf, changesText } from "../../bench/changes.ts"
import { type Figures, type Line, type Row, rowOf } from "../../bench/goals.ts"
import type { Machine, Report } from "../../bench/report.ts"
import { machine } from "./machine.ts"

/** 41 rounds around a figure, as uneven as a quiet machine's: 2 % either way. */
const around = (figure: number, noise: number = 0.02): ReadonlyArray<number> =>
  Array.from({ length: 41 }, (_, i) => figure * (1 + noise * Math.sin(i * 2.4)))

const timed = (name: string, ratio: number, more: Partial<Figures> = {}): Row =>
  rowOf({ name, floor: "floor" }, { p10: 90, median: 100, ratio, rounds: around(ratio), ...more })
const plain = (name: string, ns: number): Row => rowOf({ name }, { p10: ns, median: ns, rounds: around(ns) })
const valued = (name: string, value: number, unit: string, line: Partial<Line> = {}): Row =>
  rowOf({ name, unit, ...line }, { value })

const report = (rows: ReadonlyArray<Row>, on: Partial<Machine> = {}): Report => ({
  machine: { ...machine, ...on },
  pace: "full",
  sections: [{ name: "gate", title: "The gate", rows }]
})

const names = (changes: ReadonlyArray<{ readonly name: string }>): ReadonlyArray<string> =>
  changes.map(({ name }) => name)

describe("changes", () => {
  it("of timed lines are those whose whole range lies beyond 3 %", () => {
    const before = report([timed("a", 1), timed("b", 1), timed("c", 1), timed("d", 1), timed("e", 1)])
    const after = report([timed("a", 1.02), timed("b", 1.1), timed("c", 0.9), timed("d", 1.3), timed("e", 1)])
    const { apart, better, same, unsure, worse } = changesOf(before, after)
    assert.deepStrictEqual(names(worse), ["d", "b"], "the worst first")
    assert.deepStrictEqual(names(better), ["c"])
    assert.deepStrictEqual([same, unsure, apart], [2, [], []])
    const [low, high] = worse[0]?.range ?? assert.fail()
    assert.isTrue(low < 1.3 && 1.3 < high && low > 1.25 && high < 1.35)
  })

  it("are none where the rounds lie far apart, or are one", () => {
    const before = report([timed("noisy", 1, { rounds: around(1, 0.5) }), timed("once", 1, { rounds: [1] })])
    const after = report([timed("noisy", 1.1, { rounds: around(1.1, 0.5) }), timed("once", 1.2, { rounds: [1.2] })])
    const { better, same, unsure, worse } = changesOf(before, after)
    assert.deepStrictEqual([worse, better, same, names(unsure)], [[], [], 1, ["once"]])
  })

  it("of times are looked at on the same machine alone, of ratios and sizes on any", () => {
    const before = report([plain("floor", 100), timed("line", 2), valued("size", 100, "B"), valued("delay", 5, "ms")])
    const rows = [plain("floor", 200), timed("line", 3), valued("size", 200, "B"), valued("delay", 10, "ms")]
    const here = changesOf(before, report(rows))
    assert.deepStrictEqual(names(here.worse), ["floor", "line"])
    assert.deepStrictEqual(names(here.unsure), ["size", "delay"])
    const there = changesOf(before, report(rows, { cpu: "another CPU" }))
    assert.deepStrictEqual(names(there.worse), ["line"])
    assert.deepStrictEqual(names(there.unsure), ["size"])
    assert.deepStrictEqual(there.apart, ["gate: floor", "gate: delay"])
  })

  it("of rates turn round, and what is measured once is unsure", () => {
    const before = report([valued("jobs", 1000, "/s"), valued("verify", 1000, "records/s"), valued("delay", 5, "ms")])
    const after = report([valued("jobs", 500, "/s"), valued("verify", 2000, "records/s"), valued("delay", 5.5, "ms")])
    const { better, same, unsure, worse } = changesOf(before, after)
    assert.deepStrictEqual([worse, better, same], [[], [], 1])
    assert.deepStrictEqual(unsure.map(({ cost, name }) => [name, cost]), [["jobs", 2], ["verify", 0.5]])
  })

  it("of bytes are more than rounding, whether or not the time changed", () => {
    const before = report([timed("a", 1, { bytes: 0 }), timed("b", 1, { bytes: 1000 }), timed("c", 1, { bytes: 500 })])
    const after = report([timed("a", 1, { bytes: 15 }), timed("b", 1, { bytes: 1020 }), timed("c", 1, { bytes: 100 })])
    const { better, same, worse } = changesOf(before, after)
    assert.deepStrictEqual([names(worse), same], [[], 2])
    assert.deepStrictEqual(better.map(({ name, of }) => [name, of]), [["c", "bytes"]])
    const grown = changesOf(before, report([timed("a", 1.2, { bytes: 16 })]))
    assert.deepStrictEqual(grown.worse.map(({ name, of }) => [name, of]), [["a", "bytes"], ["a", "ratio"]])
  })

  it("say what could not be compared: new and old lines, other floors, what was not measured", () => {
    const other = rowOf({ name: "moved", floor: "another" }, { median: 1, ratio: 2, rounds: around(2) })
    const before = report([timed("gone", 1), timed("moved", 1), timed("broken", 1)])
    const after = report([timed("new", 1), other, rowOf({ name: "broken", floor: "floor" }, {})])
    const { apart, same } = changesOf(before, after)
    assert.deepStrictEqual(apart, ["gate: gone", "gate: new", "gate: moved", "gate: broken"])
    assert.strictEqual(same, 0)
  })

  it("are told as text", () => {
    const before = report([timed("a", 1, { bytes: 0 }), timed("old", 1), valued("delay", 5, "ms")])
    const after = report([timed("a", 1.25, { bytes: 96 }), valued("delay", 10, "ms")])
    const text = changesText(changesOf(before, after), "before.json")
    assert.match(text, /^Beside before\.json: 2 worse, 0 better, 1 unsure, 0 unchanged\.$/m)
    assert.match(text, /^ {2}gate: a: 1x -> 1\.25x, cost \+25\.0 % \(\+2\d\.\d % to \+2\d\.\d %\)$/m)
    assert.match(text, /^ {2}gate: a: 0 B -> 96 B, cost /m)
    assert.match(text, /^ {2}gate: delay: 5 -> 10, cost \+100\.0 %$/m)
    assert.match(text, /^ {2}gate: old$/m)
    assert.notInclude(text, "The machines differ")
    const elsewhere = changesText(changesOf(before, report(after.sections[0]?.rows ?? [], { cores: 64 })), "b")
    assert.include(elsewhere, "The machines differ")
  })
})
