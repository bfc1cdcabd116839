/**
 * `npm run bench:host`: what Tracehound is to an Express application under a constant load, beside
 * the same application without it. `--help` says the rest.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { loadNow, machine } from "../machine.ts"
import { installPackages } from "../peers.ts"
import { withParts } from "../text.ts"
import { hostMarkdown, hostTable } from "./report.ts"
import { runHosts } from "./run.ts"

const help = `npm run bench:host -- [flags]

Two Express hosts at the same time, one without Tracehound and one with it, each under the same requests. Leave the machine alone meanwhile.

  --minutes N    how long, after a warm-up of ten seconds or of a tenth of it: 10
  --rate N       requests a second to each host: 1000
  --no-hounds    evidence is held and nothing examines it
  --json         prints one JSON object
  --markdown     prints the tables of bench/README.md
  --out FILE     writes the JSON object to FILE; with --markdown the tables, between FILE's markers where it has them
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

const run = async ({ hounds, json, markdown, minutes, out, rate }: ReturnType<typeof parseOptions>): Promise<void> => {
  installPackages()
  const seconds = minutes * 60
  const before = loadNow()
  const report = await runHosts(
    { rate, seconds, warmSeconds: Math.min(10, seconds / 10), hasHounds: hounds },
    (what) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${what}`)
    }
  )
  const on = machine({ before, most: Math.max(before, loadNow()) })
  const text = JSON.stringify({ machine: on, ...report }, null, 2)
  mkdirSync(dirname(last), { recursive: true })
  writeFileSync(last, `${text}\n`)
  const tables = markdown ? hostMarkdown(report, on) : hostTable(report, on)
  if (out !== undefined) {
    const document = existsSync(out) ? readFileSync(out, "utf8") : ""
    writeFileSync(out, markdown ? withParts(document, { host: tables }) : `${text}\n`)
  }
  console.log(json ? text : tables)
}

try {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) console.log(help)
  else await run(options)
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
