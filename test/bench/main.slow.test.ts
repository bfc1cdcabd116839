/**
 * The benchmark's command line, as a process.
 */
import { assert, describe, it as every } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseOptions } from "../../bench/options.ts"
import type { Report } from "../../bench/report.ts"
import { inTemporaryDirectory } from "../support/command.ts"
import { restOf, sampled } from "../support/tiers.ts"

const it = sampled(every)
const rest = restOf(every)

const main = fileURLToPath(new URL("../../bench/main.ts", import.meta.url))

const hostMain = fileURLToPath(new URL("../../bench/host/main.ts", import.meta.url))

const running = (program: string) => (...args: ReadonlyArray<string>) => {
  const { NODE_OPTIONS: _, ...env } = process.env
  return spawnSync(process.execPath, [program, ...args], { encoding: "utf8", env, timeout: 60_000 })
}

const bench = running(main)
const benchHost = running(hostMain)

describe("the options", () => {
  it("default to a full run and a table", () => {
    assert.deepStrictEqual(parseOptions([]), {
      pace: "full",
      isBusy: false,
      format: "table",
      out: null,
      only: null,
      compare: null,
      from: null,
      action: "measure"
    })
  })

  it("are read", () => {
    assert.deepStrictEqual(
      parseOptions(["--quick", "--busy", "--json", "--out", "x", "--only=^Gate", "--compare", "y"]),
      {
        pace: "quick",
        isBusy: true,
        format: "json",
        out: "x",
        only: /^Gate/i,
        compare: "y",
        from: null,
        action: "measure"
      }
    )
  })

  it("that nobody knows, or that contradict themselves, are refused by name", () => {
    assert.throws(
      () => parseOptions(["--quik"]),
      /--quik[^]*There is: --quick, --smoke, --busy, --json, --markdown, --out, --only/
    )
    assert.throws(() => parseOptions(["clean"]), /clean/)
    assert.throws(() => parseOptions(["--out"]), /--out/)
    assert.throws(() => parseOptions(["--only", "("]), /--only \(: not a regular expression/)
    assert.throws(() => parseOptions(["--json", "--markdown"]), /give one of them/)
    assert.throws(() => parseOptions(["--quick", "--smoke"]), /give one of them/)
    assert.throws(() => parseOptions(["--from", "x", "--quick"]), /--from: .* measures nothing/)
  })
})

describe("npm run bench", () => {
  it("helps", () => {
    const { status, stdout } = bench("--help")
    assert.strictEqual(status, 0)
    assert.match(stdout, /--only REGEX/)
  })

  it("lists its lines with their goals", () => {
    const { status, stdout } = bench("--list", "--only", "clean")
    assert.strictEqual(status, 0)
    assert.strictEqual(stdout, "gate: clock + Map.get\ngate: clean  [<= 1.2x, 0 B, 0 GCs]\n")
  })

  it("refuses a flag that it does not know, and lines that there are not", () => {
    const unknown = bench("--fast")
    assert.strictEqual(unknown.status, 1)
    assert.match(unknown.stderr, /--fast[^]*There is: --quick/)
    const none = bench("--only", "no such line")
    assert.strictEqual(none.status, 1)
    assert.match(none.stderr, /no line fits/)
  })

  it("measures a line beside its floor, and writes what it prints", () =>
    inTemporaryDirectory(async (directory) => {
      const file = join(directory, "report.json")
      const { status, stderr, stdout } = bench("--quick", "--only", "gate: clean", "--json", "--out", file)
      assert.strictEqual(status, 0, stderr)
      assert.strictEqual(stderr, "", "no progress where there is no terminal")
      const report = JSON.parse(stdout) as Report
      assert.deepStrictEqual(JSON.parse(readFileSync(file, "utf8")), report)
      assert.strictEqual(report.machine.node, process.versions.node)
      const [floor, clean] = report.sections[0]?.rows ?? []
      assert.strictEqual(floor?.name, "clock + Map.get")
      assert.isNull(floor?.met)
      assert.isNull(clean?.note)
      assert.isAbove(clean?.median ?? 0, 0)
      assert.isAbove(clean?.ratio ?? 0, 0)
      assert.lengthOf(clean?.rounds ?? [], 7)
    }))

  it("runs each line once, and compares with a report that it reads before it measures", () =>
    inTemporaryDirectory(async (directory) => {
      const file = join(directory, "before.json")
      const first = bench("--smoke", "--only", "gate: (clean|rate limited)", "--json", "--out", file)
      assert.strictEqual(first.status, 0, first.stderr)
      const { pace, sections: [section] } = JSON.parse(first.stdout) as Report
      assert.strictEqual(pace, "smoke")
      assert.deepStrictEqual(section?.rows.map(({ rounds }) => rounds?.length), [1, 1, 1])
      const second = bench("--smoke", "--only", "gate: clean", "--compare", file)
      assert.strictEqual(second.status, 0, second.stderr)
      assert.include(second.stdout, `Beside ${file}: `)
      assert.include(second.stdout, "Not compared\n  gate: rate limited")
      const page = join(directory, "tables")
      const shown = bench("--from", file, "--markdown", "--out", page)
      assert.strictEqual(shown.status, 0, shown.stderr)
      assert.strictEqual(readFileSync(page, "utf8"), shown.stdout)
      assert.match(shown.stdout, /^\| gate: clean \| 1\.31x \| \S+x \| <= 1\.2x \| (met|MISSED) \|$/m)
      assert.match(shown.stdout, /^\| rate limited \| /m)
      await writeFile(file, "{}")
      const stale = bench("--compare", file)
      assert.strictEqual(stale.status, 1)
      assert.include(stale.stderr, "no report of this version")
      const missing = bench("--compare", join(directory, "nothing"))
      assert.strictEqual(missing.status, 1)
      assert.match(missing.stderr, /--compare .*nothing.*ENOENT/)
    }))

  rest("measures what is told and what is waited for, and leaves out of a quick run what takes long", () => {
    const only = "^actors: (tellUnsafe, fifo|ask, 100 in flight|an idle actor, never told|Effect cluster.*)$"
    const { status, stderr, stdout } = bench("--quick", "--only", only, "--json")
    assert.strictEqual(status, 0, stderr)
    const { sections: [section] } = JSON.parse(stdout) as Report
    const rows = section?.rows ?? []
    assert.deepStrictEqual(rows.map(({ floor, name, unit }) => [name, floor, unit]), [
      ["a plain call", null, null],
      ["tellUnsafe, fifo", "a plain call", null],
      ["ask", "a promise by setImmediate", null],
      ["ask, 100 in flight", "ask", "/s"],
      ["an idle actor, never told", null, "B"]
    ])
    for (const { median, name, p10, unit, value } of rows) {
      assert.isAbove((unit === null ? median : value) ?? 0, 0, name)
      assert.strictEqual(p10 === null, unit !== null, name)
      assert.strictEqual(median === null, unit !== null, name)
    }
    assert.isAbove(rows[1]?.ratio ?? 0, 0)
    assert.isAbove(rows[3]?.ratio ?? 0, 0)
  }, 60_000)

  rest("runs two Express hosts side by side, each of which answers all", () => {
    const { status, stderr, stdout } = bench("--smoke", "--only", "^host: express with Tracehound", "--json")
    assert.strictEqual(status, 0, stderr)
    const { sections: [section] } = JSON.parse(stdout) as Report
    const rows = section?.rows ?? []
    const measured = rows.filter(({ name }) => name.startsWith("express with Tracehound: "))
    assert.strictEqual(measured.length * 2, rows.length, "a floor for each")
    for (const { floor, name } of measured) assert.strictEqual(floor, name.replace("with", "without"))
    for (const { name, value } of rows) assert.isAtLeast(value ?? -1, 0, name)
  }, 60_000)

  rest("measures real hounds, and leaves out of a quick run what takes long", () => {
    const only = "^hounds: (round trip, 1 KiB: p50|round trip, 1 KiB: p99|two hounds.*|1 GiB heap.*)$"
    const { status, stderr, stdout } = bench("--quick", "--only", only, "--json")
    assert.strictEqual(status, 0, stderr)
    const { sections: [section] } = JSON.parse(stdout) as Report
    const rows = section?.rows ?? []
    assert.deepStrictEqual(rows.map(({ name, unit }) => [name, unit]), [
      ["round trip, 1 KiB: p50", "ms"],
      ["round trip, 1 KiB: p99", "ms"],
      ["two hounds kept busy, 1 KiB", "/s"],
      ["two hounds kept busy, 64 KiB", "/s"]
    ])
    for (const { name, value } of rows) assert.isAbove(value ?? 0, 0, name)
  }, 60_000)
})

describe("npm run bench:host", () => {
  rest("runs both hosts for a moment, and shows what it kept", () =>
    inTemporaryDirectory((directory) => {
      const [file, page] = [join(directory, "host.json"), join(directory, "tables")]
      const ran = benchHost("--minutes", "0.025", "--rate", "200", "--no-hounds", "--json", "--out", file)
      assert.strictEqual(ran.status, 0, ran.stderr)
      assert.strictEqual(ran.stderr, "")
      const { run } = JSON.parse(readFileSync(file, "utf8")) as { readonly run: unknown }
      assert.deepStrictEqual(run, { rate: 200, seconds: 1.5, warmSeconds: 0.15, hasHounds: false })
      const shown = benchHost("--from", file, "--markdown", "--out", page)
      assert.strictEqual(shown.status, 0, shown.stderr)
      assert.strictEqual(readFileSync(page, "utf8"), shown.stdout)
      assert.match(shown.stdout, /^\| event-loop delay, p99 \| [\d.]+ ms \| [\d.]+ ms \| /m)
      assert.include(shown.stdout.replaceAll("\n", " "), "; nothing is examined.")
      return Promise.resolve()
    }), 60_000)

  it("refuses what is no number, and what is no report", () =>
    inTemporaryDirectory(async (directory) => {
      const wrong = benchHost("--minutes", "ten")
      assert.deepStrictEqual([wrong.status, wrong.stderr], [1, "--minutes ten: a number above 0\n"])
      const file = join(directory, "host.json")
      await writeFile(file, "{}")
      const stale = benchHost("--from", file)
      assert.strictEqual(stale.status, 1)
      assert.include(stale.stderr, "no report of this version")
    }))
})
