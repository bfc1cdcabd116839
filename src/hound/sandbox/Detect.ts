/**
 * Finds the sandbox that this machine gives (CONFORMANCE H2): looks for the facts, tries plans out,
 * and reports which mechanisms hold.
 *
 * Promises
 *
 * - that a plan is one that worked: a hound with it was ready, and its self-test passed;
 * - that a lower level than the configured one is never used in silence: the report has the level
 *   in effect, and why;
 * - that the analyzer is pinned: hounds do not start when its file has been changed afterwards.
 *
 * Cost: a start of Node (120 ms) for each plan that is tried; this process remembers the plans that
 * worked.
 *
 * **Gotchas**
 *
 * - Plans are tried out with Tracehound's own analyzer: whether another one can be loaded is found
 *   by its first hound.
 * - A process that runs as root starts hounds as `nobody`, which needs the files of node and of the
 *   analyzer to be readable by everybody. Where they are not, hounds run as root, and the report
 *   says so.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { constants } from "node:fs"
import { access, readFile, realpath, stat } from "node:fs/promises"
import { delimiter, dirname, isAbsolute, join } from "node:path"
import { fileURLToPath } from "node:url"
import { uncut } from "../../host/node/Awake.ts"
import type { LaunchPlan } from "../process/Spawner.ts"
import { type LaunchFacts, launchPlan, missingFlags, nobody } from "./Command.ts"
import { makeReport } from "./Report.ts"
import type { Sandbox, SandboxRequest } from "./Sandbox.ts"
import { tryOut } from "./Trial.ts"

/** The analyzer cannot be used. The message says what to do. */
export class SandboxRefused
  extends Schema.TaggedError<SandboxRefused>()("SandboxRefused", { message: Schema.String })
{}

/** The machine as the detection sees it; a test gives its own. */
export interface Machine {
  readonly platform: string
  readonly architecture: string
  /** As in `process.versions`. */
  readonly versions: Readonly<Record<string, string | undefined>>
  readonly execPath: string
  readonly knownFlags: ReadonlySet<string>
  /** Null where there are no users. */
  readonly uid: number | null
  /** Directories in which programs are looked for. */
  readonly path: ReadonlyArray<string>
  readonly shell: string
  /** Null where a plan works, else what was found. */
  readonly tryOut: (plan: LaunchPlan) => Effect.Effect<string | null>
}

/** Null as well where it may not be asked for, as in Deno without a permission. */
const userId = (): number | null => {
  try {
    return process.getuid?.() ?? null
  } catch {
    return null
  }
}

export const thisMachine = (): Machine => ({
  platform: process.platform,
  architecture: process.arch,
  versions: process.versions,
  execPath: process.execPath,
  knownFlags: process.allowedNodeEnvironmentFlags,
  uid: userId(),
  path: [...(process.env["PATH"] ?? "").split(delimiter).filter(isAbsolute), "/usr/bin", "/usr/local/bin", "/bin"],
  shell: "/bin/sh",
  tryOut: tryOnce
})

/** A trial that is going on, and how many wait for it. */
interface Trial {
  readonly fiber: Fiber.Fiber<string | null>
  waiting: number
}

const trials = new Map<string, Trial>()
const worked = new Set<string>()

/**
 * A plan that worked once is not tried again; one that failed is. Those who ask at the same time
 * share a trial, which goes on as long as one of them waits for it.
 */
const tryOnce = (plan: LaunchPlan): Effect.Effect<string | null> => {
  const key = JSON.stringify([plan.file, plan.args, plan.uid])
  const join = Effect.sync(() => {
    const trial = trials.get(key) ?? { fiber: Effect.runFork(tryOut(plan)), waiting: 0 }
    trials.set(key, trial)
    trial.waiting += 1
    return trial
  })
  const leave = (trial: Trial): Effect.Effect<void> => {
    trial.waiting -= 1
    if (trial.waiting > 0) return Effect.void
    trials.delete(key)
    return Fiber.interrupt(trial.fiber)
  }
  const shared = Effect.acquireUseRelease(join, ({ fiber }) => Fiber.join(fiber), leave)
  return Effect.suspend(() =>
    worked.has(key) ? Effect.succeed(null) : Effect.tap(shared, (found) =>
      Effect.sync(() => {
        if (found === null) worked.add(key)
      }))
  )
}

const entryFile = new URL("./entry.mjs", import.meta.url)
const builtinAnalyzer = new URL("../analyzers/builtin.mjs", import.meta.url)

/** An analyzer's real path and its SHA-256. */
const pin = async (analyzer: SandboxRequest["analyzer"]): Promise<LaunchFacts["analyzer"] | SandboxRefused> => {
  const refuse = (message: string) => new SandboxRefused({ message })
  const given = analyzer?.path ?? fileURLToPath(builtinAnalyzer)
  // Node's permission model reads a star as a wildcard.
  if (given.includes("*")) return refuse(`the analyzer's path must not have a star: ${given}`)
  if (!isAbsolute(given)) return refuse(`the analyzer's path must be absolute: ${given}`)
  let path: string
  let bytes: Uint8Array
  try {
    path = await realpath(given)
    if (path.includes("*")) return refuse(`the analyzer's path must not lead to one with a star: ${path}`)
    if (!(await stat(path)).isFile()) return refuse(`the analyzer must be a file, one bundled ES module: ${given}`)
    bytes = await readFile(path)
  } catch {
    return refuse(`the analyzer cannot be read: does this file exist, and may this user read it? ${given}`)
  }
  const sha256 = createHash("sha256").update(bytes).digest("hex")
  if (analyzer?.sha256 !== undefined && analyzer.sha256.toLowerCase() !== sha256) {
    return refuse(
      `the analyzer is not the one that was configured: its SHA-256 is ${sha256}; if that is meant, configure it`
    )
  }
  return { path, sha256 }
}

const pinned = (analyzer: SandboxRequest["analyzer"]): Effect.Effect<LaunchFacts["analyzer"], SandboxRefused> =>
  Effect.flatMap(
    uncut(() => pin(analyzer)),
    (found) => found instanceof SandboxRefused ? Effect.fail(found) : Effect.succeed(found)
  )

const isExecutable = (path: string): Promise<boolean> => access(path, constants.X_OK).then(() => true, () => false)

/** The path of a program, in the first of the directories that has it. */
const find = async (name: string, directories: ReadonlyArray<string>): Promise<string | null> => {
  for (const directory of directories) {
    const path = join(directory, name)
    if (await isExecutable(path)) return path
  }
  return null
}

/**
 * The first of these files, or of the directories that lead to them, that not everybody may read;
 * null where there is none.
 */
const closedToOthers = async (paths: ReadonlyArray<string>): Promise<string | null> => {
  for (const path of paths) {
    if (((await stat(path)).mode & 0o004) === 0) return path
    for (let directory = dirname(path);; directory = dirname(directory)) {
      if (((await stat(directory)).mode & 0o001) === 0) return directory
      if (directory === dirname(directory)) break
    }
  }
  return null
}

/**
 * The dynamic loader and the libraries that it loads for a program, as it lists them itself. Where
 * it does not (musl), those that are mapped into this process, which runs the same program.
 */
const librariesOf = Effect.fnUntraced(function*(program: string) {
  const listed = yield* Effect.callback<string>((resume) => {
    const options = { env: { LD_TRACE_LOADED_OBJECTS: "1" }, timeout: 10_000 }
    const child = execFile(program, ["--version"], options, (_error, stdout) => resume(Effect.succeed(stdout)))
    return Effect.callback<void>((ended) => {
      for (const end of ["close", "error"]) child.once(end, () => ended(Effect.void))
      child.kill("SIGKILL")
    })
  })
  const libraries = [...listed.matchAll(/(?:^|=>)\s+(\/\S+) \(0x[0-9a-f]+\)$/gm)].map(([, path = ""]) => path)
  if (libraries.length > 0) return libraries
  const mapped = yield* uncut(() => readFile("/proc/self/maps", "latin1").catch(() => ""))
  return [...new Set([...mapped.matchAll(/\s(\/\S+\.so(?:\.[0-9.]+)?)$/gm)].map(([, path = ""]) => path))]
})

/** Whether the C library is one with which the sandbox was measured. */
const hasGlibc = async (): Promise<boolean> =>
  (await readFile("/proc/self/maps", "latin1").catch(() => "")).includes("/libc.so.6")

/** The facts of bubblewrap, or why there are none. */
const findBubblewrap = Effect.fnUntraced(function*(
  { architecture, path: directories, platform }: Machine,
  node: string
) {
  if (platform !== "linux") return "the level hard needs Linux"
  if (architecture !== "x64" && architecture !== "arm64") return "the level hard needs x64 or arm64"
  const found = yield* uncut(() => find("bwrap", directories))
  if (found === null) return "the level hard needs bubblewrap: install the package `bubblewrap`"
  const path = yield* uncut(() => realpath(found))
  return { path, architecture, libraries: yield* librariesOf(node) } satisfies LaunchFacts["bubblewrap"]
})

/** Why there can be no hounds on this machine; null where there can. */
const unfit = ({ knownFlags, platform, versions }: Machine): string | null => {
  if (platform === "win32") return "there are no hounds on Windows so far: run Tracehound on Linux, or in WSL"
  for (const name of ["bun", "deno", "electron"]) {
    if (versions[name] !== undefined)
      return `hounds are processes of Node, and this is ${name}: run Tracehound with Node`
  }
  const missing = missingFlags(knownFlags)
  return missing.length === 0 ? null : `this version of Node lacks ${missing.join(", ")}: use Node 22.19 or later`
}

interface Candidate {
  readonly level: "default" | "hard"
  readonly isDropped: boolean
  readonly setpriv: string | null
}

/** The ways to start hounds, the strongest first. */
const candidates = (hasHard: boolean, mayDrop: boolean, setpriv: string | null): ReadonlyArray<Candidate> =>
  (["hard", "default"] as const)
    .filter((level) => level === "default" || hasHard)
    .flatMap((level) => (mayDrop ? [true, false] : [false]).map((isDropped) => ({ level, isDropped })))
    .flatMap(({ isDropped, level }) =>
      (level === "hard" || setpriv === null ? [null] : [setpriv, null]).map((setpriv) => ({
        level,
        isDropped,
        setpriv
      }))
    )

/**
 * Fails where the analyzer cannot be used; a machine without hounds is a report. Whoever is
 * interrupted leaves nothing behind.
 */
export const detectSandbox: (request: SandboxRequest, machine?: Machine) => Effect.Effect<Sandbox, SandboxRefused> =
  Effect.fnUntraced(function*(request: SandboxRequest, machine: Machine = thisMachine()) {
    const analyzer = yield* pinned(request.analyzer)
    const about = { request, machine, hasGlibc: machine.platform === "linux" && (yield* uncut(hasGlibc)) }
    const reason = unfit(machine)
    if (reason !== null) return { report: makeReport({ ...about, outcome: null, notes: [reason] }), plan: null }

    const node = yield* uncut(() => realpath(machine.execPath))
    const entry = yield* uncut(() => realpath(fileURLToPath(entryFile)))
    const shell = (yield* uncut(() => isExecutable(machine.shell))) ? machine.shell : null
    const notes: Array<string> = []

    const isRoot = machine.uid === 0
    const closed = isRoot ? yield* uncut(() => closedToOthers([node, entry, analyzer.path])) : null
    const dropNote = !isRoot
      ? null
      : closed === null
      ? "hounds run as nobody (65534)"
      : `hounds run as root, since not everybody may read ${closed}: open it to others, or run Tracehound as a user of its own`

    const found = request.level === "hard" ? yield* findBubblewrap(machine, node) : null
    const bubblewrap = typeof found === "string" ? null : found
    if (typeof found === "string") notes.push(found)

    const { knownFlags, platform, versions } = machine
    const { maxPayloadSize } = request
    const version = versions["node"] ?? ""
    const builtin = yield* pinned(undefined)
    const facts = { bubblewrap, entry, knownFlags, maxPayloadSize, node, platform, shell, version }
    const planFor = (
      { isDropped, level, setpriv }: Candidate,
      analyzer: LaunchFacts["analyzer"],
      debug: boolean
    ): LaunchPlan =>
      launchPlan({ ...facts, analyzer, debug, dropTo: isDropped ? { uid: nobody, gid: nobody } : null, level, setpriv })

    const setpriv = platform === "linux" ? yield* uncut(() => find("setpriv", machine.path)) : null
    for (const candidate of candidates(bubblewrap !== null, isRoot && closed === null, setpriv)) {
      const { isDropped, level } = candidate
      const found = yield* machine.tryOut(planFor(candidate, builtin, true))
      if (found === null) {
        const outcome = { level, isDropped, hasLimits: shell !== null, dropNote }
        return { report: makeReport({ ...about, outcome, notes }), plan: planFor(candidate, analyzer, request.debug) }
      }
      const how = `${isDropped ? " as nobody" : ""}${candidate.setpriv === null ? "" : " by setpriv"}`
      notes.push(`the level ${level}${how} does not work here: ${found}`)
    }
    return { report: makeReport({ ...about, outcome: null, notes }), plan: null }
  })
