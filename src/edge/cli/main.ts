/**
 * The command line: `tracehound`.
 *
 * Promises exit status 0 for good, 1 where the answer is no, 2 for wrong use; answers on standard
 * output, everything else on standard error; and that a reader who goes away early stops no work.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Runtime from "effect/Runtime"
import * as NodeInflate from "../../host/node/NodeInflate.ts"
import { configCommand } from "./ConfigCommand.ts"
import { doctorCommand } from "./Doctor.ts"
import { ExitCode, WrongUse } from "./Failure.ts"
import { replayCommand } from "./ReplayCommand.ts"
import { ownVersion } from "./Versions.ts"

const tracehound = Command.make("tracehound").pipe(
  Command.withDescription("A security buffer: takes what a detector calls a threat into custody"),
  Command.withSubcommands([replayCommand, configCommand, doctorCommand])
)

/**
 * A wrong configuration, and a cold storage that does not open, are wrong use: the answer has not
 * even begun.
 */
const cannotBegin = ["WrongUse", "InvalidConfig", "ColdStorageError", "FlagsMissing"] as const

const program = Effect.gen(function*() {
  const version = yield* ownVersion
  yield* Command.runWith(tracehound, { version })(process.argv.slice(2)).pipe(
    Effect.catchTag(
      cannotBegin,
      ({ message }) => Effect.andThen(Console.error(message), Effect.fail(new WrongUse({ message })))
    )
  )
}).pipe(
  Effect.provide(Layer.mergeAll(NodeServices.layer, NodeInflate.layer, Layer.succeed(References.LogToStderr, true)))
)

/** The exit status of an end. A CLI error is wrong use; a request for help is not. */
const statusOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.hasInterruptsOnly(exit.cause)) return 130
  const error = Cause.squash(exit.cause)
  if (CliError.isCliError(error)) return error._tag === "ShowHelp" && error.errors.length === 0 ? 0 : ExitCode.wrongUse
  return Runtime.getErrorExitCode(error)
}

const isClosedPipe = (error: Error): boolean => "code" in error && error.code === "EPIPE"

/**
 * A reader that goes away, as `head` does, takes nothing from the work: it goes on, and says once
 * what was not read.
 */
const surviveClosedPipes = (): void => {
  let told = false
  process.stdout.on("error", (error) => {
    if (!isClosedPipe(error)) throw error
    if (!told) process.stderr.write("standard output was closed early: the rest of the answer was not printed\n")
    told = true
  })
  process.stderr.on("error", (error) => {
    if (!isClosedPipe(error)) throw error
  })
}

/** Runs the command line of this process. */
export const main = (): void => {
  surviveClosedPipes()
  NodeRuntime.runMain(program, {
    disableErrorReporting: true,
    teardown: (exit, onExit) => {
      if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) process.stderr.write(`${Cause.pretty(exit.cause)}\n`)
      onExit(statusOf(exit))
    }
  })
}
