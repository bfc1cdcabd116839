/**
 * The command `tracehound replay FILE|-`.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { configSources } from "../../config/ConfigFiles.ts"
import { type ConfigSource, resolveConfig } from "../../config/ConfigSources.ts"
import { type Format, formats } from "../../intake/signal/index.ts"
import { AnswerIsNo, WrongUse } from "./Failure.ts"
import * as Input from "./Input.ts"
import { configFile, json } from "./Options.ts"
import * as Progress from "./Progress.ts"
import type { ReplaySummary } from "./ReplaySummary.ts"
import * as SignatureFile from "./SignatureFile.ts"

const { group } = Progress

/** The summary for people: counts of lines, evidence held, the state of the chain. Pure. */
const describe = (summary: ReplaySummary): string => {
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["lines", group(summary.lines)],
    ["  clean", group(summary.clean)],
    ["  quarantined", group(summary.quarantined)],
    ["  escalated", group(summary.escalated)],
    ["  ignored", `${group(summary.ignored)} (evidence was held already)`],
    ["  rate limited", group(summary.rateLimited)],
    ["  too large", group(summary.tooLarge)],
    ["  errors", group(summary.errors)],
    ["  invalid", group(summary.invalid)],
    ["new by severity", counts(summary.bySeverity)],
    ["new by category", counts(summary.byCategory)],
    ["raw", `${group(summary.raw)} (held as the bytes of the line)`],
    ["complete", summary.complete ? "yes" : "NO"],
    ["skewed", `${group(summary.skewed)} (more than an hour ahead of the rest)`],
    ["held", `${group(summary.held.count)} (${group(summary.held.bytes)} bytes)`],
    ["evictions", group(summary.evictions)],
    ["dead letters", group(summary.deadLetters)],
    ["audit records", group(summary.audit.records)],
    ["audit head", summary.randomIds ? `${summary.audit.head} (ids were random)` : summary.audit.head],
    ["audit verified", summary.audit.verified ? "yes" : "NO"]
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n")
}

const counts = (by: Readonly<Record<string, number>>): string =>
  Object.entries(by).filter(([, n]) => n > 0).map(([name, n]) => `${name} ${group(n)}`).join(", ") || "none"

/** Makes the directory, and cold storage in its folder `evidence` a source of configuration. */
const dataSource = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  if (directory === "") return yield* new WrongUse({ message: "--data has no directory: name one, such as ./data" })
  const whole = yield* Effect.try({
    try: () => path.resolve(directory),
    catch: () =>
      new WrongUse({ message: "the working directory is gone: change to another, or give --data a whole path" })
  })
  const { makeDirectories } = yield* Effect.promise(() => import("../../custody/coldstorage/FileEndpoint.ts"))
  yield* Effect.mapError(
    makeDirectories(fs, path, whole),
    () => new WrongUse({ message: `${directory} cannot be made a directory: check the path and its permissions` })
  )
  return {
    name: "--data",
    value: { audit: { coldStorage: { endpoint: `file:${whole}/evidence` } } }
  } satisfies ConfigSource
})

/** Refuses to write signatures into a file that this replay reads. */
const guardSources = Effect.fnUntraced(function*(signatures: string, file: string, config: Option.Option<string>) {
  const named = yield* Effect.option(Config.String("TRACEHOUND_CONFIG"))
  const configuration = Option.orElse(config, () => named)
  yield* SignatureFile.refuseSources(signatures, [
    file === "-" ? { what: "standard input", path: "/dev/stdin" } : { what: "the recording", path: file },
    ...Option.toArray(configuration).map((path) => ({ what: "the configuration", path }))
  ])
})

export const replayCommand = Command.make("replay", {
  file: Argument.String("file").pipe(
    Argument.withDescription("The recording, plain or gzip; - reads standard input")
  ),
  format: Flag.Literals("format", formats).pipe(
    Flag.withDescription("What the lines are"),
    Flag.withDefault<Format>("scent")
  ),
  config: configFile,
  data: Flag.String("data").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("Keep evicted evidence in DIR/evidence"),
    Flag.optional
  ),
  signatures: Flag.String("signatures").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Write line number, status and signature of every line, separated by tabs"),
    Flag.optional
  ),
  json
}, (options) =>
  Effect.scoped(Effect.gen(function*() {
    const input = yield* Input.open(options.file)
    if (Option.isSome(options.signatures)) yield* guardSources(options.signatures.value, options.file, options.config)
    const sources = yield* configSources({ file: Option.getOrUndefined(options.config) })
    const data = Option.isSome(options.data) ? [yield* dataSource(options.data.value)] : []
    const config = yield* Effect.fromResult(resolveConfig([...sources, ...data]))
    const signatures = Option.isSome(options.signatures)
      ? yield* SignatureFile.open(options.signatures.value)
      : SignatureFile.none
    const progress = yield* Progress.make
    // The whole of Tracehound, which no other command loads.
    const { replay } = yield* Effect.promise(() => import("./Replay.ts"))

    const summary = yield* replay(input.bytes, {
      format: options.format,
      config,
      observer: {
        answered: signatures.add,
        invalid: (line, message) => Effect.andThen(progress.clear, Console.error(`line ${line}: ${message}`)),
        lost: (count, reason = "cold storage took no more") =>
          Effect.andThen(
            progress.clear,
            Console.error(`evidence was lost, ${group(count)} ${count === 1 ? "piece" : "pieces"}: ${reason}`)
          ),
        progress: (tally, { sync: { quarantine } }) =>
          Effect.andThen(
            signatures.flush,
            progress.show({
              lines: tally.lines,
              invalid: tally.invalid,
              held: quarantine.count,
              evicted: quarantine.evictions,
              done: input.done()
            })
          )
      }
    })
    yield* progress.clear
    if (summary.lines === 0) yield* Console.error(`${input.name} has no lines: nothing was replayed`)
    else if (summary.invalid === summary.lines) {
      yield* Console.error(
        `no line could be read as ${options.format}: is --format right? There are: ${formats.join(", ")}`
      )
    }
    yield* Console.log(options.json ? JSON.stringify(summary) : describe(summary))
    if (!summary.audit.verified || !summary.complete || summary.deadLetters > 0) return yield* new AnswerIsNo()
  }))).pipe(
    Command.withDescription(
      "Feed recorded traffic through the whole runtime, on recorded time: the same file gives the same counts, and " +
        "without cold storage the same audit head"
    ),
    Command.withExamples([
      {
        command: "tracehound replay audit.log.gz --format modsecurity",
        description: "Replay a ModSecurity v3 JSON audit log"
      },
      {
        command: "tracehound replay - --json < scents.ndjson",
        description: "Read standard input, answer with one JSON object"
      },
      {
        command: "tracehound replay audit.log --format modsecurity --data ./data",
        description: "Keep evicted evidence"
      }
    ])
  )
