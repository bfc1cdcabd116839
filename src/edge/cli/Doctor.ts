/**
 * `tracehound doctor`: what this machine and this process give (CONFORMANCE R1, H2).
 *
 * Promises that the level at which hounds would run here is stated and not assumed: it was tried
 * out. With `--sandbox` every attack of the sandbox's own catalogue is made against a hound, and
 * seen from outside.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { loadConfig } from "../../config/ConfigFiles.ts"
import type { TracehoundConfig } from "../../config/TracehoundConfig.ts"
import type { LevelReport } from "../probes/Report.ts"
import type { SandboxReport } from "../../hound/sandbox/Sandbox.ts"
import { type FlagReport, inspectFlags, processFacts } from "../../host/node/RuntimeFlags.ts"
import { AnswerIsNo, WrongUse } from "./Failure.ts"
import { configFile, json } from "./Options.ts"
import { versions } from "./Versions.ts"

/** What hounds are in on this machine. */
export interface SandboxDiagnosis {
  /** False where the configuration has no hounds. */
  readonly enabled: boolean
  /** Null where there are to be no hounds, or the analyzer cannot be used. */
  readonly report: SandboxReport | null
  /** Why the analyzer cannot be used; null where it can. */
  readonly refused: string | null
  /** What came of the attacks; null where they were not made. */
  readonly probes: LevelReport | null
}

/** What the doctor found. */
export interface Diagnosis {
  readonly healthy: boolean
  readonly versions: Readonly<Record<string, string>>
  readonly platform: string
  readonly flags: ReadonlyArray<FlagReport>
  readonly sandbox: SandboxDiagnosis
}

/**
 * Whether hounds run as they are configured to, and nothing that was tried against them got
 * through. Pure.
 */
export const isKept = ({ enabled, probes, refused, report }: SandboxDiagnosis): boolean =>
  !enabled || (refused === null && isWhole(report) && (probes === null || holds(probes)))

/**
 * Whether the level in effect is the one that is configured. A part that it lacks is noted: the
 * same level on a poorer machine.
 */
const isWhole = (report: SandboxReport | null): boolean => report !== null && report.level === report.configured

const holds = ({ missing, probes }: LevelReport): boolean =>
  missing === null && probes.every(({ outcome }) => outcome === "closed" || outcome === "works")

const describeSandbox = ({ enabled, probes, refused, report }: SandboxDiagnosis): ReadonlyArray<string> => {
  if (!enabled) return ["note     hounds: hound.enabled is false, nobody looks at evidence"]
  if (refused !== null) return [`missing  hounds: ${refused}`]
  if (report === null) return []
  return [
    `${
      isWhole(report) ? report.lacking.length === 0 ? "ok     " : "note   " : "missing"
    }  hounds: the level in effect is ${report.level}${
      report.lacking.length === 0 ? "" : ` without ${report.lacking.join(", ")}`
    }${report.level === report.configured ? "" : `, and hound.sandbox is ${report.configured}`}${
      report.measured ? "" : " (never measured on this platform)"
    }`,
    ...report.mechanisms.map(({ holds, name, note }) =>
      `${holds ? "ok     " : "note   "}    ${name.padEnd(20)} ${note}`
    ),
    ...probes === null ? [] : [describeProbes(probes)]
  ]
}

const describeProbes = (report: LevelReport): string => {
  if (report.missing !== null) return `missing  attacks: ${report.missing}`
  const bad = report.probes.filter(({ outcome }) => outcome === "open" || outcome === "failed")
  const works = report.probes.filter(({ outcome }) => outcome === "works").length
  const closed = report.probes.length - works - bad.length
  const verdict = `${holds(report) ? "ok     " : "missing"}  attacks: ${closed} closed, ${works} that must work do`
  return [verdict, ...bad.map(({ detail, name, outcome }) => `missing    ${name} is ${outcome}: ${detail}`)].join("\n")
}

/** The diagnosis for people. Pure. */
export const describe = ({ flags, healthy, platform, sandbox, versions }: Diagnosis): string => {
  const missing = flags.filter(({ holds }) => !holds).map(({ flag }) => flag)
  return [
    ...Object.entries(versions).map(([name, version]) => `${name.padEnd(22)} ${version}`),
    `${"platform".padEnd(22)} ${platform}`,
    "",
    ...flags.map(({ flag, found, holds }) => `${holds ? "ok     " : "missing"}  ${flag}  (${found})`),
    "",
    ...describeSandbox(sandbox),
    ...healthy || missing.length === 0 ? [] : ["", `start node with: ${missing.join(" ")}`]
  ].join("\n")
}

const diagnoseSandbox = Effect.fnUntraced(function*(
  { hound: { analyzer, enabled, sandbox: level }, maxPayloadSize }: TracehoundConfig,
  isProbing: boolean,
  only: RegExp | undefined
) {
  const none: SandboxDiagnosis = { enabled, report: null, refused: null, probes: null }
  if (!enabled) return none
  const { detectSandbox } = yield* Effect.promise(() => import("../../hound/sandbox/Detect.ts"))
  const detected = yield* Effect.result(detectSandbox({ level, analyzer, maxPayloadSize, debug: false }))
  if (detected._tag === "Failure") return { ...none, refused: detected.failure.message }
  const { report } = detected.success
  if (!isProbing || report.level === "none") return { ...none, report }
  const { probeLevel } = yield* Effect.promise(() => import("../probes/Report.ts"))
  const isTerminal = process.stderr.isTTY
  const probes = yield* probeLevel(report.level, {
    only,
    onProgress: (name, done, total) => {
      if (isTerminal) process.stderr.write(`\r${done}/${total} ${name}\u001b[K${done === total ? "\r\u001b[K" : ""}`)
    }
  })
  return { ...none, report, probes }
})

const isAttacking = Flag.Boolean("sandbox").pipe(
  Flag.withDescription(
    "Attack a hound in every way that is known, and see from outside what comes of it (half a minute)"
  ),
  Flag.withDefault(false)
)

const only = Flag.String("only").pipe(
  Flag.withMetavar("REGEX"),
  Flag.withDescription("With --sandbox: only attacks whose group/name this matches, such as ^net/"),
  Flag.optional
)

/** The expression, or what is wrong with it. */
const readRegExp = (source: string): Effect.Effect<RegExp, WrongUse> =>
  Effect.try({
    try: () => new RegExp(source, "u"),
    catch: () => new WrongUse({ message: "--only is not a regular expression" })
  })

/**
 * Reports versions, runtime flags and the sandbox; the answer is no where something that is asked
 * for does not hold.
 */
export const doctorCommand = Command.make(
  "doctor",
  { config: configFile, json, only, sandbox: isAttacking },
  (given) =>
    Effect.gen(function*() {
      const config = yield* loadConfig({ file: Option.getOrUndefined(given.config) })
      const flags = inspectFlags(config.runtime, processFacts())
      const sandbox = yield* diagnoseSandbox(
        config,
        given.sandbox,
        Option.isSome(given.only) ? yield* readRegExp(given.only.value) : undefined
      )
      const diagnosis: Diagnosis = {
        healthy: flags.every(({ holds }) => holds) && isKept(sandbox),
        versions: yield* versions,
        platform: `${process.platform} ${process.arch}`,
        flags,
        sandbox
      }
      yield* Console.log(given.json ? JSON.stringify(diagnosis) : describe(diagnosis))
      if (!diagnosis.healthy) return yield* new AnswerIsNo()
    })
).pipe(
  Command.withDescription("Report versions, runtime flags, and what keeps hostile evidence in"),
  Command.withExamples([
    {
      command: "NODE_OPTIONS='--disable-proto=throw --frozen-intrinsics --max-old-space-size=512' tracehound doctor",
      description: "See that the flags hold"
    },
    { command: "tracehound doctor --sandbox", description: "Attack the sandbox of this machine" }
  ])
)
