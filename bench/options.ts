/**
 * The command line of the benchmark.
 */
import { parseArgs } from "node:util"

/** What was asked for. */
export interface Options {
  /** How thoroughly: `smoke` runs each line once. */
  readonly pace: "full" | "quick" | "smoke"
  /**
   * Whether others use the machine: lines that nobody waits for are timed by the processor time of
   * their process.
   */
  readonly isBusy: boolean
  readonly format: "table" | "json" | "markdown"
  readonly out: string | null
  readonly only: RegExp | null
  /** A report in JSON to compare with. */
  readonly compare: string | null
  /** A report in JSON to show, in place of measuring. */
  readonly from: string | null
  readonly action: "measure" | "list" | "help"
}

const flags = {
  quick: { type: "boolean", default: false },
  smoke: { type: "boolean", default: false },
  busy: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  markdown: { type: "boolean", default: false },
  out: { type: "string" },
  only: { type: "string" },
  compare: { type: "string" },
  from: { type: "string" },
  list: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false }
} as const

export const help = `npm run bench -- [flags]

Measures what Tracehound costs, each line beside its floor in the same run. Ten to fifteen minutes; leave the machine alone meanwhile.

  --smoke        every line once, to see that it runs: no figure says anything
  --quick        about a minute: fewer and shorter turns, nothing of a million entries or calls
  --busy         where others use the machine: lines that nobody waits for are timed by the processor time of their process
  --only REGEX   the lines whose "section: name" fits, such as --only '^gate' or --only 'new object'; upper or lower case
  --compare FILE what got slower or faster than in FILE, a report that --json --out wrote
  --from FILE    measures nothing, and shows FILE, a report that --json --out wrote
  --list         the lines there are, with their goals
  --json         prints one JSON object
  --markdown     prints the tables of a document: before and after, and all lines
  --out FILE     writes the JSON object to FILE; with --markdown the tables, between FILE's markers where it has them
  --help         this text

The last report is in reports/bench.json as well, whatever is printed.

A missed goal is marked and is no failure; a line that could not be measured at all is one.
`

/** Reads the arguments. Throws an Error that says what is wrong and what there is. */
export const parseOptions = (args: ReadonlyArray<string>): Options => {
  const { values } = parsed(args)
  if (values.quick && values.smoke) throw new Error("--quick and --smoke: give one of them")
  if (values.from !== undefined && (values.quick || values.smoke || values.only !== undefined))
    throw new Error("--from: shows what was measured, and measures nothing; leave --quick, --smoke and --only out")
  if (values.json && values.markdown) throw new Error("--json and --markdown: give one of them")
  return {
    pace: values.smoke ? "smoke" : values.quick ? "quick" : "full",
    isBusy: values.busy,
    format: values.json ? "json" : values.markdown ? "markdown" : "table",
    out: values.out ?? null,
    compare: values.compare ?? null,
    from: values.from ?? null,
    only: values.only === undefined ? null : expression(values.only),
    action: values.help ? "help" : values.list ? "list" : "measure"
  }
}

const parsed = (args: ReadonlyArray<string>) => {
  try {
    return parseArgs({ args: [...args], options: flags, allowPositionals: false })
  } catch (error) {
    const known = Object.keys(flags).map((flag) => `--${flag}`).join(", ")
    throw new Error(`${error instanceof Error ? error.message : String(error)}\nThere is: ${known}`, { cause: error })
  }
}

const expression = (source: string): RegExp => {
  try {
    return new RegExp(source, "i")
  } catch (error) {
    throw new Error(`--only ${source}: not a regular expression`, { cause: error })
  }
}
