/**
 * Measures some lines of one section: the process that `main.ts` starts for each. Rows go back by a
 * message, so that nothing that is printed meanwhile can be taken for them.
 */
import { catalogue, type SectionName } from "./catalogue.ts"
import type { Row } from "./goals.ts"
import type { Context, Measure } from "./measure.ts"
import type { Options } from "./options.ts"
import { hostNanoseconds, processorNanoseconds, type Turns } from "./runner.ts"

/** What a worker is asked, as its only argument in JSON. */
export interface Order {
  readonly section: SectionName
  /** The names of the lines. */
  readonly lines: ReadonlyArray<string>
  readonly pace: Options["pace"]
  readonly isBusy: boolean
}

/** What it answers. */
export interface Answer {
  readonly rows: ReadonlyArray<Row>
}

/** The last thing that was said, overwritten by the next. On a terminal alone. */
const progress = (what: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${what}`)
}

const order = JSON.parse(process.argv[2] ?? "{}") as Order
const { isBusy, pace, section } = order
const { measure } = (await import(`./sections/${section}.ts`)) as { readonly measure: Measure }
const turns: Readonly<Record<Options["pace"], Turns>> = {
  full: { rounds: 41, turnMs: 20, warmMs: 200 },
  quick: { rounds: 7, turnMs: 4, warmMs: 20 },
  smoke: { rounds: 1, turnMs: 0.001, warmMs: 0 }
}
const context: Context = {
  quick: pace !== "full",
  whole: pace !== "quick",
  turns: turns[pace],
  now: isBusy ? processorNanoseconds : hostNanoseconds,
  lines: catalogue.find(({ name }) => name === section)?.lines.filter(({ name }) => order.lines.includes(name)) ?? [],
  progress: (what) => progress(`${section}: ${what}`)
}
const answer: Answer = { rows: await measure(context) }
progress("")
// Whatever the section left running ends with it: nothing in it is to be kept.
process.send?.(answer, () => process.exit(0))
