/**
 * From `import` to the first answer, in processes of their own: of what is built where there is a
 * build, else of the sources.
 */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { promisify } from "node:util"
import { type Row, rowOf } from "../goals.ts"
import type { Measure } from "../measure.ts"
import { median } from "../statistics.ts"

const built = new URL("../../dist/index.js", import.meta.url)
const sources = new URL("../../src/index.ts", import.meta.url)
const script = new URL("../startup.ts", import.meta.url)

interface Started {
  readonly imported: number
  readonly answered: number
}

const startOnce = async (entry: URL): Promise<Started> => {
  const { stdout } = await promisify(execFile)(process.execPath, [script.pathname, entry.href])
  return JSON.parse(stdout) as Started
}

export const measure: Measure = async (context): Promise<ReadonlyArray<Row>> => {
  const isBuilt = existsSync(built)
  const runs: Array<Started> = []
  const attempts = context.quick ? 5 : 15
  for (let run = 0; run < attempts; run++) {
    context.progress(`process ${run + 1} of ${attempts}`)
    runs.push(await startOnce(isBuilt ? built : sources))
  }
  const values: Readonly<Record<string, (started: Started) => number>> = {
    "import to first intercept": ({ answered, imported }) => imported + answered,
    "import alone": ({ imported }) => imported,
    "createTracehound and first intercept": ({ answered }) => answered
  }
  const note = isBuilt ? "of dist, as last built" : "of the sources: there is no dist"
  return context.lines.map((line) => {
    const of = values[line.name]
    return of === undefined ? rowOf(line, {}) : rowOf(line, { value: median(runs.map(of)) }, note)
  })
}
