/**
 * The command line, `tracehound`.
 *
 * Promises exit status 0 for good, 1 where the answer is no, 2 for wrong use; answers on standard
 * output and everything else on standard error; and that work goes on where a reader closes its end
 * of the pipe early.
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
 * Errors that are wrong use: of a configuration, or of a cold storage that does not open. The
 * command has not begun to answer.
 */
const cannotBegin = ["WrongUse", "InvalidConfig", "ColdStorageError", "FlagsMissing"] as const

/**
 * Runs the command line with these arguments. Standard input, the console, files and the
 * environment are those of the context; `statusOf` of its exit is the process's exit status.
 */
export const run = (args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const version = yield* ownVersion
    yield* Command.runWith(tracehound, { version })(args).pipe(
      Effect.catchTag(
        cannotBegin,
        ({ message }) => Effect.andThen(Console.error(message), Effect.fail(new WrongUse({ message })))
      )
    )
  }).pipe(Effect.provide(Layer.merge(NodeInflate.layer, Layer.succeed(References.LogToStderr, true))))

/** The exit status for an exit. A CLI error is wrong use; a request for help is not. */
export const statusOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.hasInterruptsOnly(exit.cause)) return 130
  const error = Cause.squash(exit.cause)
  if (CliError.isCliError(error)) return error._tag === "ShowHelp" && error.errors.length === 0 ? 0 : ExitCode.wrongUse
  return Runtime.getErrorExitCode(error)
}

const isClosedPipe = (error: Error): boolean => "code" in error && error.code === "EPIPE"

/**
 * Lets work go on where a reader closes its end of the pipe early, as `head` does, and says so once
 * on standard error.
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

/** Runs the command line of this process, and sets its exit status. */
export const main = (): void => {
  surviveClosedPipes()
  NodeRuntime.runMain(Effect.provide(run(process.argv.slice(2)), NodeServices.layer), {
    disableErrorReporting: true,
    teardown: (exit, onExit) => {
      if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) process.stderr.write(`${Cause.pretty(exit.cause)}\n`)
      onExit(statusOf(exit))
    }
  })
}
