/**
 * The commands `tracehound evidence list`, `show` and `export`. What they do is loaded when one of
 * them is run.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { threatCategories } from "../../domain/Scent.ts"
import { severities } from "../../domain/Severity.ts"
import { configFile, json } from "./Options.ts"

const data = Flag.String("data").pipe(
  Flag.withMetavar("DIR"),
  Flag.withDescription("Look into DIR/evidence, in place of the directory that cold storage is configured with"),
  Flag.optional
)

const evidence = Argument.String("evidence").pipe(
  Argument.withDescription("Its id, or the first digits of its signature")
)

const list = Command.make("list", {
  data,
  config: configFile,
  category: Flag.Literals("category", threatCategories).pipe(
    Flag.withDescription("Only evidence of this category"),
    Flag.optional
  ),
  severity: Flag.Literals("severity", severities).pipe(
    Flag.withDescription("Only evidence of this severity; that of encrypted evidence is not known"),
    Flag.optional
  ),
  signature: Flag.String("signature").pipe(
    Flag.withMetavar("PREFIX"),
    Flag.withDescription("Only evidence whose signature, or its digits, begins so"),
    Flag.withDefault("")
  ),
  sort: Flag.Literals("sort", ["time", "severity"]).pipe(
    Flag.withDescription("The newest first, or the worst first"),
    Flag.withDefault<"time" | "severity">("time")
  ),
  after: Flag.String("after").pipe(
    Flag.withMetavar("PLACE"),
    Flag.withDescription("Go on behind a page: what it ended with"),
    Flag.optional
  ),
  limit: Flag.Int("limit").pipe(
    Flag.withDescription("Pieces of a page, 1 to 1,000"),
    Flag.withDefault(20)
  ),
  json: json.pipe(Flag.withDescription("Answer with one JSON object a line, and the rest on standard error"))
}, (flags) => Effect.flatMap(Effect.promise(() => import("./evidence/List.ts")), ({ list }) => list(flags))).pipe(
  Command.withDescription("List evidence in cold storage's directory, a page at a time"),
  Command.withExamples([
    { command: "tracehound evidence list --data ./data", description: "The newest evidence of a data directory" },
    {
      command: "tracehound evidence list --data ./data --sort severity --category injection",
      description: "The worst injections first"
    },
    {
      command: "tracehound evidence list --data ./data --limit 1000 --json",
      description: "A thousand pieces as JSON lines"
    }
  ])
)

const show = Command.make("show", {
  evidence,
  data,
  config: configFile,
  all: Flag.Boolean("all").pipe(
    Flag.withDescription("Show all of its bytes, up to a MiB"),
    Flag.withDefault(false)
  ),
  json
}, (flags) => Effect.flatMap(Effect.promise(() => import("./evidence/Show.ts")), ({ show }) => show(flags))).pipe(
  Command.withDescription(
    "Show one piece of evidence: what is proven of it, and its bytes, of which nothing acts on a terminal"
  ),
  Command.withExamples([
    { command: "tracehound evidence show 02966800746b --data ./data", description: "By its signature" },
    { command: "tracehound evidence show 02966800746b --data ./data --all", description: "With all of its bytes" }
  ])
)

const exportCommand = Command.make("export", {
  evidence,
  file: Argument.String("file").pipe(Argument.withDescription("Where the raw bytes go: a file that is not there yet")),
  data,
  config: configFile,
  force: Flag.Boolean("force").pipe(
    Flag.withDescription("Replace the file where it is there"),
    Flag.withDefault(false)
  )
}, (flags) => Effect.flatMap(Effect.promise(() => import("./evidence/Export.ts")), ({ exportTo }) => exportTo(flags)))
  .pipe(
    Command.withDescription("Write the raw bytes of one piece of evidence to a file, and to nothing else"),
    Command.withExamples([
      {
        command: "tracehound evidence export 02966800746b attack.bin --data ./data",
        description: "Hand an attack to another tool"
      }
    ])
  )

export const evidenceCommand = Command.make("evidence").pipe(
  Command.withDescription("Look at evidence that left custody for cold storage's directory"),
  Command.withSubcommands([list, show, exportCommand])
)
