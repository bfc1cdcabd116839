// Asks the command line, from its sources, for all that it answers in the same way to everybody:
// the version, the help of each command, and the scripts that complete it. The executable prints
// these answers without loading the command line (`src/edge/cli/ReadyAnswers.ts`).
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { formatWithOptions } from "node:util"
import { run, statusOf, tracehound } from "../src/edge/cli/main.ts"

const shells = ["bash", "zsh", "fish", "powershell", "sh", "pwsh"]

/** The words that name a command and each of those below it. */
const pathsOf = (command, path) => [
  path,
  ...command.subcommands.flatMap(({ commands }) => commands.flatMap((below) => pathsOf(below, [...path, below.name])))
]

const paths = pathsOf(tracehound, [])

/** A command that has others below it prints its help where it is called alone. */
const isParent = (path) =>
  paths.some((other) => other.length > path.length && path.every((word, i) => word === other[i]))

/** All that has an answer which is the same for everybody. */
const questions = [
  ["--version"],
  ["-v"],
  ...shells.map((shell) => ["--completions", shell]),
  ...paths.flatMap((path) => [[...path, "--help"], [...path, "-h"]]),
  ...paths.filter(isParent)
]

/** What the command line says to these arguments; null where it is no plain answer. */
const ask = async (args, canColor) => {
  const said = { out: "", err: "" }
  const to = (name) => (...given) => {
    said[name] += `${formatWithOptions({ colors: false }, ...given)}\n`
  }
  const console = Object.assign(Object.create(globalThis.console), {
    log: to("out"),
    info: to("out"),
    debug: to("out"),
    error: to("err"),
    warn: to("err")
  })
  const capabilities = { canColor, canAnimate: false, canPrompt: false }
  const exit = await Effect.runPromiseExit(
    run(args).pipe(
      Effect.provideService(TerminalCapabilities.TerminalCapabilities, capabilities),
      Effect.provideService(Console.Console, console),
      Effect.provide(NodeServices.layer)
    )
  )
  if (statusOf(exit) !== 0 || said.err !== "") throw new Error(`${args.join(" ")} has no plain answer: ${said.err}`)
  return said.out
}

/** The answers by their questions, joined by NUL; those with colors where colors differ. */
export const readyAnswers = async () => {
  const plain = {}
  const colored = {}
  for (const args of questions) {
    const key = args.join("\0")
    plain[key] = await ask(args, false)
    const inColors = await ask(args, true)
    if (inColors !== plain[key]) colored[key] = inColors
  }
  return { plain, colored }
}
