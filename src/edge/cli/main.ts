/**
 * The command line, `tracehound`.
 *
 * Promises exit status 0 for good, 1 where the answer is no, 2 for wrong use; answers on standard
 * output and everything else on standard error; and that work goes on where a reader closes its end
 * of the pipe early, or the device behind standard output or standard error takes no more. Where
 * the answer could not be printed whole, for another reason than its reader's, the status is 2.
 * SIGINT and SIGTERM end what is under way in order, with the status that shells give them: 130 and
 * 143.
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
import { evidenceCommand } from "./EvidenceCommand.ts"
import { AnswerIsNo, ExitCode, WrongUse } from "./Failure.ts"
import { surviveOutput } from "./Output.ts"
import { replayCommand } from "./ReplayCommand.ts"
import { ownVersion } from "./Versions.ts"

/** The command with all that are below it. */
export const tracehound = Command.make("tracehound").pipe(
  Command.withDescription("A security buffer: takes what a detector calls a threat into custody"),
  Command.withSubcommands([replayCommand, evidenceCommand, configCommand, doctorCommand])
)

/**
 * Whether nobody has told of the error yet. All but a mistake in the arguments, which the CLI
 * tells, and an answer that was printed are wrong use: of a configuration that cannot be started
 * with, of a cold storage that does not open, or of a host that cannot keep evidence.
 */
const isUntold = <E>(error: E): error is Exclude<E, AnswerIsNo | CliError.CliError> & Error =>
  error instanceof Error && !(error instanceof AnswerIsNo) && !CliError.isCliError(error)

/**
 * Runs the command line with these arguments. Standard input, the console, files and the
 * environment are those of the context; `statusOf` of its exit is the process's exit status.
 */
export const run = (args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const version = yield* ownVersion
    yield* Command.runWith(tracehound, { version })(args).pipe(
      Effect.catchIf(
        isUntold,
        ({ message }) => Effect.andThen(Console.error(message), Effect.fail(new WrongUse({ message })))
      )
    )
  }).pipe(Effect.provide(Layer.merge(NodeInflate.layer, Layer.succeed(References.LogToStderr, true))))

/**
 * The exit status for an exit, which is `interrupted` where it was that. A CLI error is wrong use;
 * a request for help is not.
 */
export const statusOf = (exit: Exit.Exit<unknown, unknown>, interrupted = 130): number => {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.hasInterruptsOnly(exit.cause)) return interrupted
  const error = Cause.squash(exit.cause)
  if (CliError.isCliError(error)) return error._tag === "ShowHelp" && error.errors.length === 0 ? 0 : ExitCode.wrongUse
  return Runtime.getErrorExitCode(error)
}

/** Runs the command line of this process, and sets its exit status. */
export const main = (): void => {
  const isPrinted = surviveOutput()
  let interrupted = 130
  process.once("SIGTERM", () => {
    interrupted = 143
  })
  NodeRuntime.runMain(Effect.provide(run(process.argv.slice(2)), NodeServices.layer), {
    disableErrorReporting: true,
    teardown: (exit, onExit) => {
      if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) process.stderr.write(`${Cause.pretty(exit.cause)}\n`)
      onExit(isPrinted() ? statusOf(exit, interrupted) : ExitCode.wrongUse)
    }
  })
}
