/**
 * Goals, the catalogue and what is printed.
 */
import { assert, describe, it } from "@effect/vitest"
import { catalogue, chosen, sectionNames } from "../../bench/catalogue.ts"
import { areMet, type Figures, type Goal, isMet, rowOf } from "../../bench/goals.ts"
import { lineOf, progressMarkdown, steps } from "../../bench/progress.ts"
import { failures, goalsText, goalText, markdown, type Report, score, table, verdict } from "../../bench/report.ts"
import { markersOf, nanos, withParts } from "../../bench/text.ts"
import { machine } from "./machine.ts"

const figures: Figures = { p10: 90, median: 100, ratio: 1.3, bytes: 0.4, gcs: 0, value: null, rounds: null }
const most = (of: Goal["of"], bound: number): Goal => ({ of, most: bound })

describe("goals", () => {
  it("are bounds that include their edge", () => {
    assert.isTrue(isMet(most("ratio", 1.3), figures))
    assert.isFalse(isMet(most("ratio", 1.29), figures))
    assert.isTrue(isMet({ of: "median", least: 100 }, figures))
    assert.isFalse(isMet({ of: "median", least: 101 }, figures))
  })

  it("round bytes and collections, and nothing else", () => {
    assert.isTrue(isMet(most("bytes", 0), figures))
    assert.isFalse(isMet(most("bytes", 0), { ...figures, bytes: 0.5 }))
    assert.isFalse(isMet(most("gcs", 0), { ...figures, gcs: 1 }))
    assert.isFalse(isMet(most("ratio", 1), figures))
  })

  it("that could not be measured are neither met nor missed", () => {
    assert.isNull(isMet(most("value", 1), figures))
    assert.isNull(isMet(most("ratio", 1), { ...figures, ratio: Number.NaN }))
    assert.isNull(areMet([most("ratio", 2), most("value", 1)], figures))
    assert.isFalse(areMet([most("ratio", 1), most("value", 1)], figures))
    assert.isTrue(areMet([most("ratio", 2), most("bytes", 0)], figures))
    assert.isNull(areMet([], figures))
  })
})

describe("the catalogue", () => {
  it("has every section once, and every floor in the section of its line", () => {
    assert.deepStrictEqual(catalogue.map(({ name }) => name), [...sectionNames])
    for (const { lines } of catalogue) {
      const names = lines.map(({ name }) => name)
      assert.strictEqual(new Set(names).size, names.length)
      for (const { floor } of lines) if (floor !== undefined) assert.include(names, floor)
    }
  })

  it("says a unit wherever a goal is about a value", () => {
    const unitless = catalogue.flatMap(({ lines }) => lines).filter(({ goals = [], unit }) =>
      unit === undefined && goals.some(({ of }) => of === "value")
    )
    assert.deepStrictEqual(unitless, [])
  })

  it("has a floor in the process of its line", () => {
    for (const { lines } of catalogue) {
      const groups = new Map(lines.map(({ group, name }) => [name, group]))
      for (const { floor, group } of lines) if (floor !== undefined) assert.strictEqual(groups.get(floor), group)
    }
  })

  it("sets the hounds' goals, and says beside each peer that it keeps nothing in", () => {
    const { lines = [] } = catalogue.find(({ name }) => name === "hounds") ?? {}
    const goals = lines.flatMap(({ goals = [], name, unit }) =>
      goals.length === 0 ? [] : [[name, goals.map((goal) => goalText(goal, unit ?? null)).join(", ")]]
    )
    assert.deepStrictEqual(goals, [
      ["spawn to ready, default", "<= 114 ms"],
      ["spawn to ready, default, without a fork server", "<= 114 ms"],
      ["spawn to ready, hard", "<= 138 ms"],
      ["a hound that is ready, resident", "<= 60 MiB"],
      ["a hound that is ready, private", "<= 16 MiB"],
      ["round trip, 1 KiB: p50", "<= 0.13 ms"],
      ["round trip, 1 MiB: p50", "<= 0.5 ms"],
      ["two hounds kept busy, 1 KiB", ">= 17,000/s"],
      ["intercept, pool and two hounds, 1 KiB", "<= 1.5x"],
      ["two hounds kept busy, 1 MiB", ">= 1,100/s"],
      ["1 GiB heap, 20 hounds replaced: longest delay", "<= 20 ms"]
    ])
    for (const group of new Set(lines.map(({ group }) => group))) {
      for (const peer of ["piscina", "tinypool"]) {
        const [first] = lines.filter((line) => line.group === group && line.name.startsWith(peer))
        assert.include(first?.note ?? "", "no isolation", `${group}: ${peer}`)
      }
    }
  })

  it("sets the actors' goals, and says beside each peer what it does not do", () => {
    const { lines = [] } = catalogue.find(({ name }) => name === "actors") ?? {}
    assert.deepStrictEqual(
      lines.flatMap(({ goals = [], name, unit }) => goals.map((goal) => [name, goalText(goal, unit ?? null)])),
      [
        ["tellUnsafe, fifo", "<= 10x"],
        ["tellUnsafe, lanes", "<= 10x"],
        ["ask", "<= 12 us"],
        ["ask, timeout of 5 s", "<= 12 us"],
        ["ask, 1k actors in turn", "<= 2x"],
        ["an idle actor, never told", "<= 2,048 B"],
        ["an idle actor, told once", "<= 2,048 B"]
      ]
    )
    const peers = lines.filter(({ name }) => /^(xstate|Effect cluster):/.test(name))
    assert.lengthOf(peers, 5)
    for (const { name, note } of peers) assert.isDefined(note, name)
  })

  it("sets the core's goals, none of them looser than it was", () => {
    const goals = catalogue.filter(({ name }) => name !== "hounds" && name !== "actors").flatMap(({ lines, name }) =>
      name === "hostile" ? [] : lines.map((line) => [`${name}: ${line.name}`, goalsText(line)] as const)
    )
    assert.deepStrictEqual(goals.filter(([, goal]) => goal !== ""), [
      ["gate: clean", "<= 1.2x, 0 B, 0 GCs"],
      ["gate: rate limited", "<= 1.3x, 0 B, 0 GCs"],
      ["gate: too large, bytes", "<= 1.3x, 0 B, 0 GCs"],
      ["bytes: new bytes, 64 B", "<= 2.5x, <= 200 B"],
      ["bytes: new bytes, 1 KiB", "<= 1.8x"],
      ["bytes: new bytes, 16 KiB", "<= 1.2x"],
      ["bytes: new text, 16 KiB", "<= 1.3x"],
      ["bytes: new bytes, 256 KiB", "<= 1.2x"],
      ["bytes: new bytes, 1 MiB", "<= 1.08x"],
      ["bytes: new text, 1 MiB", "<= 1.15x"],
      ["objects: new object, 0.3 KiB", "<= 2.2x"],
      ["objects: new object, 1 KiB", "<= 2x"],
      ["objects: new object, 16 KiB", "<= 2x"],
      ["objects: new object, 256 KiB", "<= 2x"],
      ["objects: new object: allocated for each further byte", "<= 0.01 B"],
      ["duplicates: duplicate bytes, 64 B", "0 B, 0 GCs"],
      ["duplicates: duplicate bytes, 16 KiB", "<= 0.2x, 0 B, 0 GCs"],
      ["duplicates: duplicate bytes, 1 MiB", "<= 0.2x, 0 B, 0 GCs"],
      ["duplicates: duplicate object, 1 KiB", "<= 2x, 0 B, 0 GCs"],
      ["duplicates: duplicate object, 1 KiB: beyond V8's own keys", "0 B"],
      ["eviction: evicting beyond new, 10k held", "<= 1,500 ns, <= 200 B"],
      ["eviction: evicting beyond new, 100k held", "<= 1,500 ns, <= 200 B"],
      ["eviction: evicting beyond new, 1M held", "<= 1,500 ns, <= 200 B"],
      ["eviction: new while full: most held to fewest", "<= 1.5x"],
      ["mix: calls a second", ">= 500,000/s, then >= 700,000/s"],
      ["mix: p99 of a call", "<= 15 us, then <= 10 us"],
      ["memory: rate table, a source at 1M", "<= 100 B"],
      ["memory: quarantine overhead, an item at 100k", "<= 200 B"],
      ["memory: heap growth over 10M mixed calls", "<= 1 MiB"],
      ["chain: append", "<= 2x"],
      ["chain: verify", "<= 1.25x, >= 1,000,000 records/s"],
      ["ledger: acknowledged, 4096", ">= 100,000 entries/s"],
      ["ledger: a push, 4096", "<= 1,000 ns"],
      ["start: import to first intercept", "<= 1.3x, <= 150 ms"],
      ["start: command line: first output of --help", "<= 2.5x"],
      ["start: command line: first output of config check", "<= 2.5x"],
      ["growth: duplicate, 1M", "<= 3x"]
    ])
  })

  it("is cut to the lines that fit, with the floors they need", () => {
    assert.deepStrictEqual(
      chosen(/^gate: clean$/i).map(({ lines, name }) => [name, lines.map((line) => line.name)]),
      [["gate", ["clock + Map.get", "clean"]]]
    )
    assert.deepStrictEqual(chosen(/nothing is called this/), [])
    assert.strictEqual(chosen(null).length, catalogue.length)
  })
})

describe("before and after", () => {
  it("is of lines that there are, and of figures that these have a goal for", () => {
    for (const step of steps) {
      const goals = lineOf(step)?.goals ?? assert.fail(`there is no line ${step.line}`)
      const isShownAlone = step.line.startsWith("hounds: intercept") || step.line.startsWith("start: import")
      assert.isTrue(isShownAlone || goals.some(({ of }) => of === step.of), `${step.line}: ${step.of}`)
    }
  })

  it("is a row for each line of the report, with what it was and whether it is there", () => {
    const clean = catalogue[0]?.lines.find(({ name }) => name === "clean") ?? assert.fail()
    const rows = [rowOf(clean, { ratio: 1.25 }), rowOf({ name: "calls a second", unit: "/s" }, { value: 1 })]
    const text = progressMarkdown({ ...report, sections: [{ name: "gate", title: "", rows: rows.slice(0, 1) }] })
    assert.deepStrictEqual(text.split("\n"), [
      "| line | before | now | goal |  |",
      "| --- | ---: | ---: | --- | --- |",
      "| gate: clean | 1.31x | 1.25x | <= 1.2x | MISSED |"
    ])
    const mix = progressMarkdown({ ...report, sections: [{ name: "mix", title: "", rows: rows.slice(1) }] })
    assert.include(mix, "| mix: calls a second | not measured | 1/s |  |  |")
  })
})

const report: Report = {
  machine,
  pace: "quick",
  sections: [{
    name: "gate",
    title: "The gate",
    rows: [
      rowOf({ name: "floor" }, { p10: 50, median: 60, bytes: 16, gcs: 1 }),
      rowOf({ name: "clean", floor: "floor", goals: [most("ratio", 1.3), most("bytes", 0)] }, {
        p10: 100,
        median: 12_345,
        ratio: 2,
        bytes: 0
      }),
      rowOf({ name: "rate", unit: "/s", goals: [{ of: "value", least: 1000 }] }, { value: 1_234_567 }),
      rowOf({ name: "broken", goals: [most("ratio", 1)] }, {}, "not measured: because")
    ]
  }]
}

describe("the report", () => {
  it("says of each line whether it met its goals, and which it missed", () => {
    assert.deepStrictEqual(report.sections[0]?.rows.map(verdict), ["", "MISSED <= 1.3x", "met", "not measured"])
    assert.deepStrictEqual(score(report), { met: 1, missed: 1, unmeasured: 1 })
    assert.deepStrictEqual(failures(report), ["gate: broken"])
  })

  it("says beside a goal that is met whether the further one is", () => {
    const line = { name: "rate", unit: "/s", goals: [most("value", 10)], further: [most("value", 5)] }
    const verdicts = [4, 5, 6, 11].map((value) => verdict(rowOf(line, { value })))
    assert.deepStrictEqual(verdicts, ["met, and the further one", "met, and the further one", "met", "MISSED <= 10/s"])
    assert.strictEqual(goalsText(line), "<= 10/s, then <= 5/s")
    assert.strictEqual(
      score({ ...report, sections: [{ name: "mix", title: "", rows: [rowOf(line, { value: 6 })] }] }).met,
      1
    )
  })

  it("spells figures with their unit", () => {
    assert.deepStrictEqual([2, 999.6, 9999, 10_000, 12_345_678].map(nanos), [
      "2 ns",
      "1,000 ns",
      "9,999 ns",
      "10 us",
      "12.3 ms"
    ])
    assert.strictEqual(goalText({ of: "value", least: 500_000 }, "/s"), ">= 500,000/s")
    assert.strictEqual(goalText(most("value", 15_000), "ns"), "<= 15 us")
    assert.strictEqual(goalText(most("bytes", 0), null), "0 B")
    assert.strictEqual(goalText(most("value", 1.5), "x"), "<= 1.5x")
  })

  it("as a table has a line each, and what could not be measured", () => {
    const text = table(report)
    assert.match(text, /^clean +100 ns +12\.3 us +2\.00x +0 +<= 1\.3x, 0 B +MISSED <= 1\.3x$/m)
    assert.match(text, /^ {2}broken: not measured: because$/m)
    assert.match(text, /a CPU, with SHA extensions, .*; load 0\.3 before, 2\.0 at most; a quick run/)
    assert.notInclude(text, "~")
    assert.match(table({ ...report, isBusy: true }), /; a quick run; timed by processor time$/m)
    assert.match(text, /3 lines have a goal: 1 met it, 1 missed it, 1 not measured/)
  })

  it("marks a line whose rounds lie too far apart", () => {
    const row = report.sections[0]?.rows[1] ?? assert.fail()
    const text = (rounds: ReadonlyArray<number>): string =>
      table({ ...report, sections: [{ name: "gate", title: "The gate", rows: [{ ...row, rounds }] }] })
    assert.match(text([1, 1, 2, 3, 3]), /^clean .* 2\.00x ~ [^]*1 lines are marked ~/m)
    assert.notInclude(text([1, 2, 2, 2, 9]), "~", "one value far out says nothing of the others")
    const unknown = { ...report, machine: { ...report.machine, sha: null } }
    assert.notInclude(table(unknown), "SHA", "where the system does not say")
  })

  it("of lines that ran once says how many did, and no figure", () => {
    assert.match(table({ ...report, pace: "smoke" }), /; each line once\n\n3 lines ran\.$/)
  })

  it("as Markdown has rows of as many cells as the heading, and goes between the markers of a document", () => {
    const tables = markdown(report)
    const cells = tables.split("\n").filter((line) => line.startsWith("|")).map((line) => line.split("|").length)
    assert.strictEqual(cells.length, 6)
    assert.strictEqual(new Set(cells).size, 1)
    const long = { ...report.sections[0]?.rows[0] ?? assert.fail(), note: "word ".repeat(50).trim() }
    const noted = markdown({ ...report, sections: [{ name: "gate", title: "The gate", rows: [long] }] })
    assert.deepStrictEqual(noted.split("\n").filter((line) => line.length > 100), [])
    assert.include(noted.replaceAll("\n  ", " "), `- floor: ${long.note}`)
    const { begin, end } = markersOf("bench")
    const other = Object.values(markersOf("other")).join("\n")
    const document = `before\n${begin}\nold\n${end}\nafter\n${other}\n`
    const renewed = withParts(document, { none: "nowhere", bench: tables })
    assert.strictEqual(renewed, `before\n${begin}\n\n${tables}\n\n${end}\nafter\n${other}\n`)
    assert.strictEqual(withParts(renewed, { bench: tables }), renewed)
    assert.strictEqual(withParts("", { bench: tables, more: "more" }), `${tables}\n\nmore\n`)
  })
})
