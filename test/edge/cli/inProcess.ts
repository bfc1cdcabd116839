/**
 * The command line run in the test's own process: the same commands and exit statuses, on a
 * console, an environment and a standard input of the test's. What a process of its own adds (the
 * executable, real pipes, flags of Node) `../../support/command.ts` runs.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert } from "@effect/vitest"
import { Cause, ConfigProvider, Console, Effect, Exit, Layer, Stdio, Stream } from "effect"
import { formatWithOptions } from "node:util"
import { run, statusOf } from "../../../src/edge/cli/main.ts"
import type { Ended } from "../../support/command.ts"

export interface InProcessOptions {
  /** The whole environment, as far as it configures Tracehound. */
  readonly env?: Readonly<Record<string, string>>
  /** What standard input gives, piece by piece. */
  readonly input?: Iterable<Uint8Array>
}

/** A console that keeps what is written to standard output and to standard error. */
const makeConsole = () => {
  const written = { stdout: "", stderr: "" }
  const to = (name: "stdout" | "stderr") => (...args: ReadonlyArray<unknown>): void => {
    written[name] += `${formatWithOptions({ colors: false }, ...args)}\n`
  }
  const console: Console.Console = Object.assign(Object.create(globalThis.console), {
    log: to("stdout"),
    info: to("stdout"),
    debug: to("stdout"),
    error: to("stderr"),
    warn: to("stderr")
  })
  return { console, written }
}

/** Runs `tracehound` with these arguments. A defect fails the test. */
export const tracehoundHere = async (args: ReadonlyArray<string>, options: InProcessOptions = {}): Promise<Ended> => {
  const { console, written } = makeConsole()
  const services = Layer.mergeAll(
    NodeServices.layer,
    Stdio.layerTest({ stdin: Stream.fromIterable(options.input ?? []) }),
    Layer.succeed(Console.Console, console),
    ConfigProvider.layer(ConfigProvider.fromEnvRecord({ NO_COLOR: "1", ...options.env }))
  )
  const exit = await Effect.runPromiseExit(Effect.provide(run(args), services))
  if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) assert.fail(Cause.pretty(exit.cause))
  return { status: statusOf(exit), ...written }
}
