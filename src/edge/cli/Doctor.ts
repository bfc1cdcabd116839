/**
 * `tracehound doctor`: what this machine and this process give (CONFORMANCE R1, R5, H2).
 *
 * Every port of this Node is asked questions whose answers are known, compression on the worker
 * too.
 *
 * Promises that the level at which hounds would run here is stated and not assumed: it was tried
 * out. With `--sandbox` every attack of the sandbox's own catalogue is made against a hound, and
 * observed from outside: at the level in effect, or at the one that `--level` names, even where the
 * configuration has no hounds.
 *
 * Who else could read this process's memory is reported and never a failure (SYS L6): most of it is
 * the machine's owner's to close.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { loadConfig } from "../../config/ConfigFiles.ts"
import { type ConfigNote, configNotes, describeNotes } from "../../config/ConfigNotes.ts"
import type { TracehoundConfig } from "../../config/TracehoundConfig.ts"
import type { FlagReport } from "../../host/node/RuntimeFlags.ts"
import type { PortReport } from "../../host/port/SelfTest.ts"
import type { SandboxReport, SandboxRequest } from "../../hound/sandbox/Sandbox.ts"
import type { AttackChoice } from "../probes/LevelRunner.ts"
import { isSound, type LevelReport, renderLevel } from "../probes/Report.ts"
import { AnswerIsNo, WrongUse } from "./Failure.ts"
import { describeExposures, type Exposure, exposures, readMemoryFacts } from "./MemoryExposure.ts"
import { configFile, json } from "./Options.ts"
import { versions } from "./Versions.ts"

/** The sandbox of hounds on this machine, and the attacks on it. */
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

export interface Diagnosis {
  readonly healthy: boolean
  readonly versions: Readonly<Record<string, string>>
  readonly platform: string
  readonly flags: ReadonlyArray<FlagReport>
  /** What came of trying out the ports of this Node. */
  readonly ports: ReadonlyArray<PortReport>
  readonly sandbox: SandboxDiagnosis
  /** The ways in which others could read the memory of this process. */
  readonly memory: ReadonlyArray<Exposure>
  /** Choices of the configuration that somebody may not have meant. */
  readonly notes: ReadonlyArray<ConfigNote>
}

/**
 * Whether hounds run as they are configured to, and nothing that was tried against them got
 * through. Pure.
 */
export const isKept = ({ enabled, probes, refused, report }: SandboxDiagnosis): boolean =>
  (!enabled || (refused === null && isWhole(report))) && (probes === null || isSound(probes))

/**
 * Whether the level in effect is the one that is configured. A part that it lacks is a note and no
 * failure: the level is the same, on a poorer machine.
 */
const isWhole = (report: SandboxReport | null): boolean => report !== null && report.level === report.configured

/** One line where all is well, else one for each port that is not. */
const describePorts = (ports: ReadonlyArray<PortReport>): ReadonlyArray<string> => {
  const wrong = ports.filter(({ holds }) => !holds)
  if (wrong.length === 0) return [`ok       host: ${ports.map(({ port }) => port).join(", ")}`]
  return [
    "wrong    host: Tracehound does not start on this Node; 22.19 or newer should do",
    ...wrong.map(({ found, port }) => `wrong      ${port} ${found}`)
  ]
}

const describeSandbox = ({ enabled, probes, refused, report }: SandboxDiagnosis): ReadonlyArray<string> => [
  ...describeHounds(enabled, refused, report),
  ...probes === null ? [] : describeAttacks(probes)
]

const describeHounds = (
  enabled: boolean,
  refused: string | null,
  report: SandboxReport | null
): ReadonlyArray<string> => {
  if (!enabled) return ["note     hounds: hound.enabled is false, nobody looks at evidence"]
  if (refused !== null) return [`missing  hounds: ${refused}`]
  if (report === null) return []
  const { configured, lacking, level, measured, mechanisms } = report
  const mark = isWhole(report) ? lacking.length === 0 ? "ok     " : "note   " : "missing"
  const without = lacking.length === 0 ? "" : ` without ${lacking.join(", ")}`
  const instead = level === configured ? "" : `, and hound.sandbox is ${configured}`
  return [
    `${mark}  hounds: the level in effect is ${level}${without}${instead}${
      measured ? "" : " (never measured on this platform)"
    }`,
    ...mechanisms.map(({ holds, name, note }) => `${holds ? "ok     " : "note   "}    ${name.padEnd(20)} ${note}`)
  ]
}

/** The outcome first, then every attack. */
const describeAttacks = (report: LevelReport): ReadonlyArray<string> => {
  const { level, missing, probes, resources } = report
  if (missing !== null) return [`missing  attacks: ${missing}`]
  const count = (outcome: string): number => probes.filter((result) => result.outcome === outcome).length
  const contained = resources?.results.filter(({ outcome }) => outcome === "contained").length ?? 0
  const bad = [
    ...probes.filter(({ outcome }) => outcome === "open" || outcome === "failed"),
    ...(resources?.results ?? [])
      .filter(({ outcome }) => outcome !== "contained")
      .map(({ end, name, outcome }) => ({ name, outcome, detail: `ended by ${end}` }))
  ]
  return [
    `${isSound(report) ? "ok     " : "missing"}  attacks at the level ${level}: ${count("closed")} closed, ${
      count("works")
    } that must work do${resources === null ? "" : `, ${contained} contained`}`,
    ...bad.map(({ detail, name, outcome }) => `missing    ${name} is ${outcome}: ${detail}`),
    "",
    renderLevel(report)
  ]
}

/** The diagnosis for people. Pure. */
export const describe = (
  { flags, healthy, memory, notes, platform, ports, sandbox, versions }: Diagnosis
): string => {
  const missing = flags.filter(({ holds }) => !holds).map(({ flag }) => flag)
  return [
    ...Object.entries(versions).map(([name, version]) => `${name.padEnd(22)} ${version}`),
    `${"platform".padEnd(22)} ${platform}`,
    "",
    ...flags.map(({ flag, found, holds }) => `${holds ? "ok     " : "missing"}  ${flag}  (${found})`),
    "",
    ...describePorts(ports),
    "",
    ...describeSandbox(sandbox),
    "",
    ...describeExposures(memory),
    ...notes.length === 0 ? [] : ["", ...describeNotes(notes)],
    ...healthy || missing.length === 0 ? [] : ["", `start node with: ${missing.join(" ")}`]
  ].join("\n")
}

/** The attacks that were asked for. */
interface Attacks extends AttackChoice {
  /** Null: the level in effect. */
  readonly level: SandboxRequest["level"] | null
}

const showProgress = (level: string) => (name: string, done: number, total: number): void => {
  if (!process.stderr.isTTY) return
  process.stderr.write(`\r${level} ${done}/${total} ${name}\u001b[K${done === total ? "\r\u001b[K" : ""}`)
}

const makeAttacks = Effect.fnUntraced(function*(level: SandboxRequest["level"], choice: AttackChoice) {
  const { probeLevel } = yield* Effect.promise(() => import("../probes/LevelRunner.ts"))
  return yield* probeLevel(level, { ...choice, onProgress: showProgress(level) })
})

const diagnoseHounds = Effect.fnUntraced(function*(
  { hound: { analyzer, enabled, sandbox: level }, maxPayloadSize }: TracehoundConfig
) {
  const none: SandboxDiagnosis = { enabled, report: null, refused: null, probes: null }
  if (!enabled) return none
  const { detectSandbox } = yield* Effect.promise(() => import("../../hound/sandbox/Detect.ts"))
  return yield* Effect.match(detectSandbox({ level, analyzer, maxPayloadSize, debug: false }), {
    onFailure: ({ message }): SandboxDiagnosis => ({ ...none, refused: message }),
    onSuccess: ({ report }): SandboxDiagnosis => ({ ...none, report })
  })
})

const diagnoseSandbox = Effect.fnUntraced(function*(config: TracehoundConfig, attacks: Attacks | null) {
  const diagnosis = yield* diagnoseHounds(config)
  const inEffect = diagnosis.report === null || diagnosis.report.level === "none" ? null : diagnosis.report.level
  const level = attacks?.level ?? inEffect
  if (attacks === null || level === null) return diagnosis
  return { ...diagnosis, probes: yield* makeAttacks(level, attacks) }
})

const isAttacking = Flag.Boolean("sandbox").pipe(
  Flag.withDescription(
    "Attack a hound in every way that is known, and observe from outside what comes of it (half a minute)"
  ),
  Flag.withDefault(false)
)

const levels = ["default", "hard"] as const

const level = Flag.Literals("level", levels).pipe(
  Flag.withDescription("With --sandbox: the level that is attacked, in place of the one in effect"),
  Flag.optional
)

const resources = Flag.Boolean("resources").pipe(
  Flag.withDescription("With --sandbox: attacks on time, memory, descriptors and processes as well"),
  Flag.withDefault(false)
)

const only = Flag.String("only").pipe(
  Flag.withMetavar("REGEX"),
  Flag.withDescription("With --sandbox: only attacks whose group/name this matches, such as ^net/"),
  Flag.optional
)

interface Given {
  readonly sandbox: boolean
  readonly level: Option.Option<(typeof levels)[number]>
  readonly resources: boolean
  readonly only: Option.Option<string>
}

const readRegExp = (source: string): Effect.Effect<RegExp, WrongUse> =>
  Effect.try({
    try: () => new RegExp(source, "u"),
    catch: () => new WrongUse({ message: "--only is not a regular expression" })
  })

/** Null where no attacks were asked for. */
const readAttacks = Effect.fnUntraced(function*(given: Given): Effect.fn.Return<Attacks | null, WrongUse> {
  if (!given.sandbox) {
    if (Option.isNone(given.level) && !given.resources && Option.isNone(given.only)) return null
    return yield* new WrongUse({ message: "--level, --resources and --only choose attacks: they need --sandbox" })
  }
  const only = Option.isSome(given.only) ? yield* readRegExp(given.only.value) : undefined
  const choice: AttackChoice = { only, hasResources: given.resources }
  const { chosenAttacks } = yield* Effect.promise(() => import("../probes/LevelRunner.ts"))
  const { probes, resources } = chosenAttacks(choice)
  if (probes.length + resources.length === 0)
    return yield* new WrongUse({ message: "--only matches the name of no attack" })
  return { ...choice, level: Option.getOrNull(given.level) }
})

/**
 * Reports versions, runtime flags, the ports and the sandbox; the answer is no where something that
 * is asked for does not hold.
 */
export const doctorCommand = Command.make(
  "doctor",
  { config: configFile, json, level, only, resources, sandbox: isAttacking },
  (given) =>
    Effect.gen(function*() {
      const attacks = yield* readAttacks(given)
      const config = yield* loadConfig({ file: Option.getOrUndefined(given.config) })
      const { diagnoseProcess } = yield* Effect.promise(() => import("./ProcessDiagnosis.ts"))
      const { flags, ports } = yield* diagnoseProcess(config.runtime)
      const sandbox = yield* diagnoseSandbox(config, attacks)
      const diagnosis: Diagnosis = {
        healthy: flags.every(({ holds }) => holds) && ports.every(({ holds }) => holds) && isKept(sandbox),
        versions: yield* versions,
        platform: `${process.platform} ${process.arch}`,
        flags,
        ports,
        sandbox,
        memory: exposures(readMemoryFacts()),
        notes: configNotes(config)
      }
      yield* Console.log(given.json ? JSON.stringify(diagnosis) : describe(diagnosis))
      if (!diagnosis.healthy) return yield* new AnswerIsNo()
    })
).pipe(
  Command.withDescription(
    "Report versions, runtime flags, whether this Node can keep evidence, what keeps it in, and who else could read " +
      "its memory"
  ),
  Command.withExamples([
    {
      command: "NODE_OPTIONS='--disable-proto=throw --frozen-intrinsics --max-old-space-size=512' tracehound doctor",
      description: "See that the flags hold"
    },
    { command: "tracehound doctor --sandbox", description: "Attack the sandbox of this machine" },
    {
      command: "tracehound doctor --sandbox --level hard --resources",
      description: "Attack the level hard, with attacks on time and memory"
    }
  ])
)
