/**
 * `npm run sandbox:probe`: attacks the sandbox of this machine, and says what came of it.
 *
 *     npm run sandbox:probe -- [--level default|hard] [--only REGEX] [--resources] [--json]
 *
 * Promises exit status 0 where everything is as it must be, 1 where something is open or failed (or
 * the level that was asked for is not there), 2 for wrong use; the answer on standard output,
 * progress on standard error where that is a terminal.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { parseArgs } from "node:util"
import { furtherProbes, probes } from "./Catalogue.ts"
import { isSound, type LevelReport, probeLevel, renderLevel } from "./Report.ts"
import { resourceProbes } from "./ResourceProbes.ts"

const levels = ["default", "hard"] as const

interface Request {
  readonly level: (typeof levels)[number] | undefined
  readonly only: RegExp | undefined
  readonly isJson: boolean
  readonly hasResources: boolean
}

/** What is wanted. Throws with a message for people. */
const readRequest = (args: ReadonlyArray<string>): Request => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      level: { type: "string" },
      only: { type: "string" },
      json: { type: "boolean", default: false },
      resources: { type: "boolean", default: false }
    }
  })
  const level = levels.find((level) => level === values.level)
  if (values.level !== undefined && level === undefined) throw new TypeError("--level is default or hard")
  const only = values.only === undefined ? undefined : new RegExp(values.only)
  const names = [...probes, ...furtherProbes, ...(values.resources ? resourceProbes : [])].map(({ name }) => name)
  if (only !== undefined && !names.some((name) => only.test(name))) throw new TypeError("no attack has such a name")
  return { level, only, isJson: values.json, hasResources: values.resources }
}

const isTerminal = process.stderr.isTTY

const showProgress = (level: string) => (name: string, done: number, total: number): void => {
  if (isTerminal)
    process.stderr.write(`\r${level} ${done}/${total} ${name}\u001b[K${done === total ? "\r\u001b[K" : ""}`)
}

const run = Effect.fn(function*({ hasResources, isJson, level, only }: Request) {
  const reports: Array<LevelReport> = []
  for (const one of level === undefined ? levels : [level]) {
    const report = yield* probeLevel(one, { only, hasResources, onProgress: showProgress(one) })
    reports.push(report)
    if (!isJson) process.stdout.write(`${renderLevel(report)}\n\n`)
  }
  if (isJson) process.stdout.write(`${JSON.stringify(reports)}\n`)
  // A level that nobody asked for by name may be missing; hounds must be there.
  const isThere = reports.every(({ level: one, missing }) =>
    missing === null || (level === undefined && one === "hard")
  )
  return isThere && reports.every(isSound)
})

const main = async (): Promise<void> => {
  let request: Request
  try {
    request = readRequest(process.argv.slice(2))
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`)
    process.exitCode = 2
    return
  }
  const fiber = Effect.runFork(run(request))
  // Whoever interrupts it wants no process and no file to be left.
  const interrupt = (): void => void Effect.runFork(Fiber.interrupt(fiber))
  process.once("SIGINT", interrupt)
  process.once("SIGTERM", interrupt)
  const exit = await Effect.runPromise(Fiber.await(fiber))
  process.off("SIGINT", interrupt)
  process.off("SIGTERM", interrupt)
  if (Exit.isSuccess(exit)) process.exitCode = exit.value ? 0 : 1
  else if (Cause.hasInterruptsOnly(exit.cause)) process.exitCode = 130
  else {
    process.stderr.write(`${Cause.pretty(exit.cause)}\n`)
    process.exitCode = 1
  }
}

await main()
