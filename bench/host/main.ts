/**
 * `npm run bench:host`: what Tracehound is to an Express application under a constant load, beside
 * the same application without it. `--help` says the rest.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { loadNow, type Machine, machine } from "../machine.ts"
import { installPackages } from "../peers.ts"
import { withParts } from "../text.ts"
import { hostMarkdown, hostTable } from "./report.ts"
import { type HostReport, runHosts } from "./run.ts"

const help = `npm run bench:host -- [flags]

Two Express hosts at the same time, one without Tracehound and one with it, each under the same requests. Leave the machine alone meanwhile.

  --minutes N    how long, after a warm-up of ten seconds or of a tenth of it: 10
  --rate N       requests a second to each host: 1000
  --no-hounds    evidence is held and nothing examines it
  --json         prints one JSON object
  --markdown     prints the tables of a document
  --out FILE     writes the JSON object to FILE; with --markdown the tables, between FILE's markers where it has them
  --from FILE    measures nothing, and shows FILE, a report that --json --out wrote
  --help         this text

The last report is in reports/bench-host.json as well, whatever is printed.
`

/** Where the last report is, whatever was asked for. */
const last = fileURLToPath(new URL("../../reports/bench-host.json", import.meta.url))

/** What was asked for. Throws an Error that says what is wrong. */
const parseOptions = (args: ReadonlyArray<string>) => {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      minutes: { type: "string", default: "10" },
      rate: { type: "string", default: "1000" },
      hounds: { type: "boolean", default: true },
      json: { type: "boolean", default: false },
      markdown: { type: "boolean", default: false },
      out: { type: "string" },
      from: { type: "string" },
      help: { type: "boolean", short: "h", default: false }
    }
  })
  const number = (flag: "minutes" | "rate"): number => {
    const value = Number(values[flag])
    if (value > 0 && Number.isFinite(value)) return value
    throw new Error(`--${flag} ${values[flag]}: a number above 0`)
  }
  if (values.json && values.markdown) throw new Error("--json and --markdown: give one of them")
  return { ...values, minutes: number("minutes"), rate: number("rate") }
}

type Options = ReturnType<typeof parseOptions>

/** What is kept of a run. */
interface Kept extends HostReport {
  readonly machine: Machine
}

const measure = async ({ hounds, minutes, rate }: Options): Promise<Kept> => {
  installPackages()
  const seconds = minutes * 60
  const before = loadNow()
  const report = await runHosts(
    { rate, seconds, warmSeconds: Math.min(10, seconds / 10), hasHounds: hounds },
    (what) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${what}`)
    }
  )
  const kept = { machine: machine({ before, most: Math.max(before, loadNow()) }), ...report }
  mkdirSync(dirname(last), { recursive: true })
  writeFileSync(last, textOf(kept))
  return kept
}

const textOf = (kept: Kept): string => `${JSON.stringify(kept, null, 2)}\n`

/** Reads what an earlier run kept. Throws where it is anything else. */
const saved = (path: string): Kept => {
  const kept = JSON.parse(readFileSync(path, "utf8")) as Partial<Kept>
  if (kept.machine === undefined || kept.with === undefined || kept.without === undefined)
    throw new Error(`--from ${path}: no report of this version; --json --out FILE writes one`)
  return kept as Kept
}

const run = async (options: Options): Promise<void> => {
  const { from, json, markdown, out } = options
  const kept = from === undefined ? await measure(options) : saved(from)
  const tables = markdown ? hostMarkdown(kept, kept.machine) : hostTable(kept, kept.machine)
  if (out !== undefined) {
    const document = existsSync(out) ? readFileSync(out, "utf8") : ""
    writeFileSync(out, markdown ? withParts(document, { host: tables }) : textOf(kept))
  }
  console.log(json ? textOf(kept) : tables)
}

try {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) console.log(help)
  else await run(options)
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
