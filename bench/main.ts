/**
 * `npm run bench`: what Tracehound costs, each line beside its floor in the same run. `--help` says
 * the rest.
 *
 * Each section has a process of its own, in which its lines take turns: so no section is measured
 * with the heap, the compiled code and the garbage of another.
 */
import { fork } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { chosen, type Section } from "./catalogue.ts"
import { type Changes, changesOf, changesText } from "./changes.ts"
import { type Line, type Row, rowOf } from "./goals.ts"
import { loadNow, machine } from "./machine.ts"
import { help, type Options, parseOptions } from "./options.ts"
import { installPackages, isOfPeer } from "./peers.ts"
import { progressMarkdown } from "./progress.ts"
import { failures, goalsText, isReport, markdown, type Measured, type Report, table } from "./report.ts"
import { withParts } from "./text.ts"
import type { Answer, Order } from "./worker.ts"

const worker = fileURLToPath(new URL("worker.ts", import.meta.url))

/** Node runs the sources as they are, so that no transpiler's helpers are measured. */
const nodeFlags = ["--expose-gc", "--max-old-space-size=8192", "--no-warnings"]

/** How lines are measured. */
type Pace = Pick<Options, "pace" | "isBusy">

/** Has these lines measured. A process that fails gives rows that say so. */
const measured = (section: Section, lines: ReadonlyArray<Line>, pace: Pace): Promise<ReadonlyArray<Row>> =>
  new Promise((resolve) => {
    const order: Order = { section: section.name, lines: lines.map(({ name }) => name), ...pace }
    const child = fork(worker, [JSON.stringify(order)], {
      execArgv: nodeFlags,
      stdio: ["ignore", "ignore", "inherit", "ipc"]
    })
    let rows: ReadonlyArray<Row> | undefined
    child.on("message", (answer: Answer) => {
      rows = answer.rows
    })
    child.on("error", () => child.kill())
    child.on("close", (code, signal) => {
      resolve(rows ?? lines.map((line) => rowOf(line, {}, `not measured: its process ended with ${signal ?? code}`)))
    })
  })

/** Lines of one process, in the order of the catalogue. */
const processes = (lines: ReadonlyArray<Line>): ReadonlyArray<ReadonlyArray<Line>> =>
  Object.values(Object.groupBy(lines, ({ group }) => group ?? "")).flatMap((group) =>
    group === undefined ? [] : [group]
  )

const measureSection = async (section: Section, pace: Pace): Promise<Measured> => {
  const rows: Array<Row> = []
  for (const lines of processes(section.lines)) rows.push(...await measured(section, lines, pace))
  return { name: section.name, title: section.title, rows }
}

const rendered = (report: Report, format: Options["format"]): string =>
  format === "markdown" ? `${progressMarkdown(report)}\n\n${markdown(report)}` : table(report)

/** Reads a report, before anything is measured. Throws an Error that says what to do. */
const saved = (flag: "compare" | "from", path: string): Report => {
  let report: unknown
  try {
    report = JSON.parse(readFileSync(path, "utf8"))
  } catch (cause) {
    throw new Error(`--${flag} ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  if (isReport(report)) return report
  throw new Error(`--${flag} ${path}: no report of this version; --json --out FILE writes one`)
}

const existing = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

const write = (path: string, report: Report, format: Options["format"]): void =>
  writeFileSync(
    path,
    format === "markdown"
      ? withParts(existing(path), { progress: progressMarkdown(report), bench: markdown(report) })
      : `${JSON.stringify(report, null, 2)}\n`
  )

/** Where the last report is, whatever was asked for. */
const last = fileURLToPath(new URL("../reports/bench.json", import.meta.url))

const list = (sections: ReadonlyArray<Section>): string =>
  sections.flatMap(({ lines, name: section }) =>
    lines.map((line) => {
      const wanted = goalsText(line)
      return `${section}: ${line.name}${wanted === "" ? "" : `  [${wanted}]`}`
    })
  ).join("\n")

/** Measures all of these, and keeps the report. */
const measureAll = async (sections: ReadonlyArray<Section>, how: Pace): Promise<Report> => {
  const { isBusy, pace } = how
  const lines = sections.flatMap((section) => section.lines)
  // The delays are measured in one host, with peers and without.
  if (lines.some(({ group, name }) => isOfPeer(name) || group === "delays" && pace !== "quick")) installPackages()
  const results: Array<Measured> = []
  const load = { before: loadNow(), most: loadNow() }
  for (const section of sections) {
    results.push(await measureSection(section, how))
    load.most = Math.max(load.most, loadNow())
  }
  const report: Report = { machine: machine(load), pace, isBusy, sections: results }
  mkdirSync(dirname(last), { recursive: true })
  write(last, report, "json")
  return report
}

const print = (report: Report, changes: Changes | null, { compare, format }: Options): void => {
  if (format === "json") {
    console.log(JSON.stringify(changes === null ? report : { ...report, changes }))
    return
  }
  console.log(rendered(report, format))
  if (changes !== null) console.log(`\n${changesText(changes, compare ?? "")}`)
}

const run = async (options: Options): Promise<void> => {
  const sections = chosen(options.only)
  if (sections.length === 0) throw new Error(`--only ${options.only?.source}: no line fits; --list names them all`)
  if (options.action === "list") {
    console.log(list(sections))
    return
  }
  const before = options.compare === null ? null : saved("compare", options.compare)
  const report = options.from === null ? await measureAll(sections, options) : saved("from", options.from)
  if (options.out !== null) write(options.out, report, options.format)
  print(report, before === null ? null : changesOf(before, report), options)
  const broken = failures(report)
  if (broken.length > 0) throw new Error(`not measured: ${broken.join("; ")}`)
}

try {
  const options = parseOptions(process.argv.slice(2))
  if (options.action === "help") console.log(help)
  else await run(options)
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
