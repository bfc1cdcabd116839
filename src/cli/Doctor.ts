/**
 * `tracehound doctor`: what this machine and this process give (CONFORMANCE R1).
 */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { loadConfig } from "../ConfigFiles.ts"
import { type FlagReport, inspectFlags, processFacts } from "../node/RuntimeFlags.ts"
import { AnswerIsNo } from "./Failure.ts"
import { configFile, json } from "./Options.ts"
import { versions } from "./Versions.ts"

/** What the doctor found. */
export interface Diagnosis {
  readonly healthy: boolean
  readonly versions: Readonly<Record<string, string>>
  readonly platform: string
  readonly flags: ReadonlyArray<FlagReport>
  readonly sandbox: { readonly permissionModel: boolean; readonly networkDeniedByFlag: boolean }
}

/** The first Node whose `--permission` denies the network as well. */
const networkGate = 25

/** Pure: `node` is a version such as `26.10.0`. */
export const sandboxOf = (node: string): Diagnosis["sandbox"] => {
  const major = Number.parseInt(node, 10)
  return { permissionModel: major >= 22, networkDeniedByFlag: major >= networkGate }
}

/** The diagnosis for people. Pure. */
const describe = ({ flags, healthy, platform, sandbox, versions }: Diagnosis): string => {
  const lines = [
    ...Object.entries(versions).map(([name, version]) => `${name.padEnd(22)} ${version}`),
    `${"platform".padEnd(22)} ${platform}`,
    "",
    ...flags.map(({ flag, found, holds }) => `${holds ? "ok     " : "missing"}  ${flag}  (${found})`),
    `${sandbox.networkDeniedByFlag ? "ok     " : "note   "}  sandbox: ${
      sandbox.networkDeniedByFlag
        ? "this Node can deny a process the network by flag"
        : `only Node ${networkGate} and newer can deny a process the network by flag`
    }`
  ]
  if (!healthy) {
    const missing = flags.filter(({ holds }) => !holds).map(({ flag }) => flag)
    lines.push("", `start node with: ${missing.join(" ")}`)
  }
  return lines.join("\n")
}

/** Reports versions and runtime flags; the answer is no where a required flag does not hold. */
export const doctorCommand = Command.make("doctor", { config: configFile, json }, (given) =>
  Effect.gen(function*() {
    const { runtime } = yield* loadConfig({ file: Option.getOrUndefined(given.config) })
    const flags = inspectFlags(runtime, processFacts())
    const diagnosis: Diagnosis = {
      healthy: flags.every(({ holds }) => holds),
      versions: yield* versions,
      platform: `${process.platform} ${process.arch}`,
      flags,
      sandbox: sandboxOf(process.versions.node)
    }
    yield* Console.log(given.json ? JSON.stringify(diagnosis) : describe(diagnosis))
    if (!diagnosis.healthy) return yield* new AnswerIsNo()
  })).pipe(
    Command.withDescription("Report versions and whether the runtime flags that Tracehound asks for hold"),
    Command.withExamples([{
      command: "NODE_OPTIONS='--disable-proto=throw --frozen-intrinsics --max-old-space-size=512' tracehound doctor",
      description: "See that the flags hold"
    }])
  )
