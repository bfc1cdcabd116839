/**
 * From `import` to the first answer, and from a command to its first output, in processes of their
 * own that take turns: of what is built where there is a build, else of the sources.
 */
import { execFile, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { type Line, type Row, rowOf } from "../goals.ts"
import type { Measure } from "../measure.ts"
import { median, ratiosOf } from "../statistics.ts"

const root = new URL("../../", import.meta.url)
const script = fileURLToPath(new URL("../startup.ts", import.meta.url))

/** What a fresh process took for an import, and from there to its first answer, in ms. */
interface Started {
  readonly imported: number
  readonly answered: number
}

/**
 * Imports a module in a fresh process; `isTracehound` says that it is to answer a scent as well.
 */
const started = async (module: string, isTracehound: boolean): Promise<Started> => {
  const { stdout } = await promisify(execFile)(process.execPath, [script, module, String(isTracehound)])
  return JSON.parse(stdout) as Started
}

/** Milliseconds until the process says its first word, or ends without one. */
const untilHeard = (args: ReadonlyArray<string>): Promise<number> =>
  new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] })
    let heard: number | null = null
    child.stdout.once("data", () => {
      heard = performance.now() - start
    })
    child.on("error", reject)
    child.on("close", (code) => {
      if (code === 0) resolve(heard ?? performance.now() - start)
      else reject(new Error(`${args.join(" ")} ended with ${code}`))
    })
  })

/** One turn: what each line took, in ms. */
const turn = async (entry: string, executable: string): Promise<Readonly<Record<string, number>>> => {
  const schema = await started(import.meta.resolve("effect/Schema"), false)
  const tracehound = await started(entry, true)
  return {
    "import of effect/Schema": schema.imported,
    "import to first intercept": tracehound.imported + tracehound.answered,
    "import alone": tracehound.imported,
    "createTracehound and first intercept": tracehound.answered,
    "node -e 0": await untilHeard(["-e", "0"]),
    "command line: first output of --help": await untilHeard([executable, "--help"]),
    "command line: first output of config check": await untilHeard([executable, "config", "check"])
  }
}

export const measure: Measure = async (context): Promise<ReadonlyArray<Row>> => {
  const isBuilt = existsSync(new URL("dist/index.js", root))
  const entry = new URL(isBuilt ? "dist/index.js" : "src/index.ts", root).href
  const executable = fileURLToPath(new URL(isBuilt ? "dist/edge/cli/bin.js" : "src/edge/cli/bin.ts", root))
  const turns: Array<Readonly<Record<string, number>>> = []
  const rounds = Math.min(context.turns.rounds, context.quick ? 5 : 15)
  for (let round = 0; round < rounds; round++) {
    context.progress(`round ${round + 1} of ${rounds}`)
    turns.push(await turn(entry, executable))
  }
  const taken = (name: string): ReadonlyArray<number> => turns.map((all) => all[name] ?? Number.NaN)
  const note = isBuilt ? "of dist, as last built" : "of the sources: there is no dist"
  const rowFor = (line: Line): Row => {
    const value = median(taken(line.name))
    if (line.floor === undefined) return rowOf(line, { value, rounds: taken(line.name) })
    const ratios = ratiosOf(taken(line.name), taken(line.floor))
    const said = line.note === undefined ? note : `${note}; ${line.note}`
    return rowOf(line, { value, ratio: median(ratios), rounds: ratios }, said)
  }
  return context.lines.map(rowFor)
}
