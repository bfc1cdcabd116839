/**
 * The parts of the Express host's measurement: what is sent and when, what may come back, and what
 * is shown of it. The whole of it runs in `main.slow.test.ts`.
 */
import { assert, describe, it } from "@effect/vitest"
import { createHistogram } from "node:perf_hooks"
import { detect } from "../../bench/host/application.ts"
import type { HostFigures } from "../../bench/host/messages.ts"
import { OpenLoop } from "../../bench/host/openLoop.ts"
import { hostMarkdown, hostTable, shownLooks } from "../../bench/host/report.ts"
import { kindOf, maxBodySize, maxPayloadSize, requestOf, shares } from "../../bench/host/requests.ts"
import { faultsOf, type HostReport } from "../../bench/host/run.ts"
import { recordWait, Tally, unexpected, waitsOf } from "../../bench/host/tally.ts"
import { machine } from "./machine.ts"

const first = (count: number) => Array.from({ length: count }, (_, i) => requestOf(i))

describe("the requests", () => {
  it("are of each kind as many of a hundred as was said, wherever the hundred begins", () => {
    for (const from of [0, 37, 12_345]) {
      const counts: Record<string, number> = {}
      for (let i = from; i < from + 100; i++) counts[kindOf(i)] = (counts[kindOf(i)] ?? 0) + 1
      assert.deepStrictEqual(counts, { ...shares })
    }
    assert.strictEqual(Object.values(shares).reduce((sum, share) => sum + share, 0), 100)
  })

  it("of one number are the same for each host", () => {
    assert.deepStrictEqual(first(100), first(100))
  })

  it("are called a threat by the detector where they are one, in all four severities", () => {
    const severities = new Set<string | undefined>()
    for (const { body, kind } of first(4000)) {
      const severity = detect(body)?.severity
      assert.strictEqual(severity === undefined, kind === "order")
      if (kind === "new") severities.add(severity)
    }
    assert.sameMembers([...severities], ["low", "medium", "high", "critical"])
  })

  it("bring new evidence each, but for those that come again", () => {
    const sent = first(5000)
    const bodies = (kind: string): ReadonlyArray<string> =>
      sent.filter((one) => one.kind === kind).map(({ body }) => body.toString())
    assert.strictEqual(new Set(bodies("new")).size, 5000 * shares.new / 100)
    assert.isAtMost(new Set(bodies("again")).size, 64)
    assert.isAbove(bodies("again").length, 64)
  })

  it("reach the limit of custody by the large ones, of sources by one, and of the host by none", () => {
    const bySource: Record<string, number> = {}
    for (const { body, kind, source } of first(10_000)) {
      assert.strictEqual(body.length > maxPayloadSize, kind === "large")
      assert.isAtMost(body.length, maxBodySize)
      bySource[source] = (bySource[source] ?? 0) + 1
    }
    const more = Object.entries(bySource).filter(([, count]) => count > 1)
    assert.deepStrictEqual(more, [["198.51.100.1", 300]], "100 a minute is the limit")
  })
})

describe("the open loop", () => {
  it("sends by the clock, each from the moment at which it was due, whatever stood still meanwhile", () => {
    const loop = new OpenLoop({ rate: 100, start: 1000, end: 1100 })
    const sent: Array<readonly [number, number]> = []
    const at = (now: number): number => {
      loop.send(now, (i, due) => sent.push([i, due]))
      return sent.length
    }
    assert.strictEqual(at(999), 0)
    assert.strictEqual(at(1000), 1)
    assert.strictEqual(at(1009.9), 1)
    // Nobody looked for 41 ms: four are due, and count from when they were.
    assert.strictEqual(at(1051), 6)
    assert.deepStrictEqual(sent.slice(2), [[2, 1020], [3, 1030], [4, 1040], [5, 1050]])
    assert.strictEqual(at(9999), 10, "none after its end")
  })
})

describe("the tally", () => {
  it("of waits is in ms, and of none is 0", () => {
    const histogram = createHistogram()
    assert.deepStrictEqual(waitsOf(histogram), { count: 0, p50: 0, p99: 0, longest: 0 })
    for (let ms = 1; ms <= 100; ms++) recordWait(histogram, ms)
    recordWait(histogram, 0)
    const { count, longest, p50, p99 } = waitsOf(histogram)
    assert.strictEqual(count, 101)
    assert.approximately(p50, 50, 0.1)
    assert.approximately(p99, 99, 0.1)
    assert.approximately(longest, 100, 0.1)
  })

  const tallied = (answers: ReadonlyArray<readonly ["order" | "new" | "limited" | "large", number, number]>) => {
    const tally = new Tally()
    for (const [kind, status, count] of answers) for (let i = 0; i < count; i++) tally.answered(kind, status, 1)
    return tally.read()
  }

  it("takes what custody answers for expected, and nothing else", () => {
    const good = tallied([["order", 200, 3], ["new", 403, 2], ["limited", 403, 100], ["limited", 429, 9], [
      "large",
      413,
      1
    ]])
    assert.deepStrictEqual(unexpected(good, true), [])
    assert.deepStrictEqual(unexpected(good, false), [
      "9 of kind limited were answered 429",
      "1 of kind large were answered 413"
    ])
    const passed = tallied([["order", 403, 1], ["new", 200, 2], ["limited", 403, 201]])
    assert.deepStrictEqual(unexpected(passed, true), [
      "1 of kind order were answered 403",
      "2 of kind new were answered 200",
      "no request of the source that sends too many was answered 429"
    ])
    const tally = new Tally()
    tally.failed()
    assert.deepStrictEqual(unexpected(tally.read(), false), ["1 requests had no answer"])
  })
})

const figures = (factor: number, custody: HostFigures["custody"]): HostFigures => ({
  delay: { count: 9, p50: 0.1 * factor, p99: 2 * factor, longest: 30 * factor },
  processor: 100 * factor,
  pauses: { count: 4, p99: 1, longest: 2, total: 5 },
  memory: [0, 10, 20].map((seconds) => ({
    seconds,
    rss: factor * 104_857_600,
    heapUsed: 20_971_520,
    external: 10_485_760
  })),
  custody
})

const tallyOf = (refused: number) => {
  const tally = new Tally()
  for (let i = 0; i < 8; i++) tally.answered("order", 200, 1)
  for (let i = 0; i < 2; i++) tally.answered("new", refused, 1)
  return tally.read()
}

const custody = { held: 10, most: 10, records: 7, examined: 1, totals: { clean: 8, quarantined: 2 } }

const report: HostReport = {
  run: { rate: 1000, warmSeconds: 1, seconds: 600, hasHounds: true },
  late: { count: 10, p50: 0.5, p99: 3, longest: 9 },
  without: { figures: figures(1, null), answers: tallyOf(403) },
  with: { figures: figures(1.5, custody), answers: tallyOf(403) }
}

describe("the report of two hosts", () => {
  it("is refused where an answer was wrong, or the quarantine was not full", () => {
    assert.deepStrictEqual(faultsOf(report), [])
    const empty = { ...custody, held: 9, records: 0 }
    assert.deepStrictEqual(
      faultsOf({ ...report, with: { figures: figures(1, empty), answers: tallyOf(200) } }),
      [
        "with Tracehound: 2 of kind new were answered 200",
        "9 pieces are held, where the quarantine has room for 10",
        "nothing left custody, which should have been full"
      ]
    )
  })

  it("as a table has both hosts and their ratio, the memory's curve, and what was answered", () => {
    const text = hostTable(report, machine)
    assert.match(text, /^1,000 requests a second to each host for 10 minutes, 20 % of them attacks;/m)
    assert.match(text, /^event-loop delay, p99 +2 ms +3 ms +1\.50x$/m)
    assert.match(text, /^processor time a request +10,000 us +15,000 us +1\.50x$/m)
    assert.match(text, /^ +20 +100\.0 +20\.0 +10\.0 +150\.0 +20\.0 +10\.0$/m)
    assert.include(text, "without Tracehound 8 times 200, 2 times 403")
    assert.include(text, "it holds 10 pieces of 10, 7 records of what left verify, and 1 examinations")
  })

  it("as Markdown has tables of as many cells as their heads, and no line that is too wide", () => {
    const lines = hostMarkdown(report, machine).split("\n")
    const widths = lines.map((line) => line.startsWith("|") ? line.split("|").length : 0).filter((cells) => cells > 0)
    assert.deepStrictEqual([...new Set(widths)], [6, 9])
    assert.deepStrictEqual(lines.filter((line) => !line.startsWith("|") && line.length > 100), [])
  })

  it("shows of a long curve the first look, the last, and some between", () => {
    const looks = (count: number) => shownLooks(Array.from({ length: count }, (_, at) => at))
    assert.deepStrictEqual(looks(3), [0, 1, 2])
    assert.deepStrictEqual(looks(61), [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60])
    assert.deepStrictEqual(looks(62).slice(-2), [60, 61])
    assert.deepStrictEqual(looks(0), [])
  })
})
