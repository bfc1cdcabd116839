/**
 * How a hound is started on a machine of which the facts are known (CONFORMANCE H2): flags, limits,
 * environment, and at the level `hard` what bubblewrap is told. Pure: `Detect.ts` finds the facts.
 *
 * **Details**
 *
 * - Limits are set by the shell, since Node cannot set them for a child; it then becomes the hound
 *   (`exec`), so that no process is left over. A limit that cannot be set is a hound that does not
 *   start.
 * - `ulimit -d` is what bounds ArrayBuffers, which V8's heap limits do not. Node 24 and later begin
 *   with some 560 MiB of data, almost all of it V8's range for machine code, which is reserved and
 *   not used.
 * - At the level `hard` the limits are set outside, and bubblewrap is what the shell becomes: node
 *   is its only child, and process 1 of its own namespace. The kernel ends it with bubblewrap.
 *
 * **Gotchas**
 *
 * - What grows with `maxPayloadSize` is for one copy of the evidence beside the one a hound is
 *   given, and its text.
 * - At the level `hard` the environment has bubblewrap's `PWD` as well, and where the shell is bash
 *   so has that of `default`. It is out of an analyzer's reach.
 */
import type { LaunchPlan } from "../process/Spawner.ts"
import { type Architecture, seccompFilter } from "./Seccomp.ts"

const MiB = 1_048_576

/** Evidence over which a hound refuses a job, in bytes (`entry.mjs`). */
export const maxEvidence = 512 * MiB

/** Bytes of stderr that are kept of a hound that is debugged. */
const debugStderrBytes = 8_192

/** Whom a hound runs as where whoever starts it may choose: nobody. */
export const nobody = 65_534

/** What a plan is made of. Paths are absolute, and real. */
export interface LaunchFacts {
  readonly level: "default" | "hard"
  readonly node: string
  /** As in `process.versions.node`. */
  readonly version: string
  /** Flags that this version knows, as in `process.allowedNodeEnvironmentFlags`. */
  readonly knownFlags: ReadonlySet<string>
  readonly platform: string
  readonly entry: string
  readonly analyzer: { readonly path: string; readonly sha256: string }
  readonly maxPayloadSize: number
  /** Null where there is none: limits are not set. */
  readonly shell: string | null
  readonly dropTo: { readonly uid: number; readonly gid: number } | null
  /** What the level `hard` needs. */
  readonly bubblewrap: {
    readonly path: string
    readonly architecture: Architecture
    /** The dynamic loader and what it loads for node, by the paths at which it looks for them. */
    readonly libraries: ReadonlyArray<string>
  } | null
  readonly debug: boolean
}

/** Flags without which there is no sandbox: a version that lacks one has no hounds. */
export const essentialFlags = [
  "--permission",
  "--allow-fs-read",
  "--disallow-code-generation-from-strings",
  "--disable-proto",
  "--frozen-intrinsics"
] as const

/**
 * Flags of Node's own, in the order in which they are given; a version is not given what it does
 * not know.
 */
const nodeFlags = [
  "--permission",
  "--disallow-code-generation-from-strings",
  "--disable-proto=throw",
  "--frozen-intrinsics",
  "--no-addons",
  "--disable-sigusr1",
  "--no-global-search-paths",
  "--disable-wasm-trap-handler",
  "--no-experimental-ffi",
  "--no-experimental-sqlite",
  "--no-experimental-websocket",
  "--no-warnings"
]

/** Whether a version knows a flag, which may have a value or be the negation of one. */
const isKnown = (known: ReadonlySet<string>, flag: string): boolean => {
  const [name = ""] = flag.split("=")
  return known.has(name) || known.has(name.replace(/^--no-/, "--"))
}

/** The essential flags that a version does not know. */
export const missingFlags = (known: ReadonlySet<string>): ReadonlyArray<string> =>
  essentialFlags.filter((flag) => !isKnown(known, flag))

const majorOf = (version: string): number => Number.parseInt(version, 10)

/** Bytes that evidence may be larger than what the limits are made for. */
const excess = (maxPayloadSize: number): number => Math.max(0, Math.min(maxPayloadSize, maxEvidence) - 16 * MiB)

/** What a hound may hold, in bytes. Text takes two bytes a character, in V8's heap. */
export const memoryLimits = ({ maxPayloadSize, version }: Pick<LaunchFacts, "maxPayloadSize" | "version">) => {
  const more = excess(maxPayloadSize)
  const reserved = (majorOf(version) < 24 ? 96 : 608) * MiB
  return { heap: 64 * MiB + 2 * more, data: reserved + 192 * MiB + 3 * more, resident: 256 * MiB + 3 * more }
}

const flagsFor = (facts: LaunchFacts, entry: string, analyzer: string): ReadonlyArray<string> => [
  ...nodeFlags.filter((flag) => isKnown(facts.knownFlags, flag)),
  `--allow-fs-read=${entry}`,
  `--allow-fs-read=${analyzer}`,
  `--max-old-space-size=${Math.ceil(memoryLimits(facts).heap / MiB)}`,
  "--max-semi-space-size=2",
  "--v8-pool-size=1",
  // A hound has one thing to do: V8's helpers would compile what is run once, on a processor that
  // the host needs. A sixth of a start.
  "--single-threaded",
  // Of a hound's own memory it is a sixth.
  "--optimize-for-size",
  "--stack-trace-limit=0",
  "--freeze-flags-after-init"
]

/** What node is told: its flags, and what the entry reads from its arguments. */
const nodeArguments = (facts: LaunchFacts, entry: string, analyzer: string): ReadonlyArray<string> => [
  ...flagsFor(facts, entry, analyzer),
  entry,
  analyzer,
  facts.analyzer.sha256,
  ...(facts.debug ? ["debug"] : [])
]

/**
 * What the shell does before it becomes something else: no core files, no files, few descriptors,
 * two minutes of CPU, little memory.
 */
const limitsScript = (facts: LaunchFacts): string =>
  [
    "ulimit -c 0",
    "ulimit -f 0",
    "ulimit -n 64",
    "ulimit -t 120",
    // Elsewhere the kernel does not hold anybody to it.
    ...(facts.platform === "linux" ? [`ulimit -d ${Math.ceil(memoryLimits(facts).data / 1024)}`] : []),
    "exec \"$0\" \"$@\""
  ].join(" && ")

/**
 * Where the hound's two files are in its own file system: it does not learn where they are outside.
 */
const boundEntry = "/hound/entry.mjs"
const boundAnalyzer = "/hound/analyzer.mjs"

/**
 * What bubblewrap is told before the program. Nothing is there that is not named: no /proc, no
 * /dev, no /tmp.
 */
const isolation = (facts: LaunchFacts, libraries: ReadonlyArray<string>): ReadonlyArray<string> => {
  const namespaces = ["user", "ipc", "pid", "net", "uts", "cgroup"].map((name) => `--unshare-${name}`)
  const identity = ["--uid", String(nobody), "--gid", String(nobody), "--hostname", "hound", "--cap-drop", "ALL"]
  const life = ["--new-session", "--die-with-parent", "--as-pid-1"]
  const programs = [facts.node, ...libraries].flatMap((path) => ["--ro-bind", path, path])
  const files = ["--ro-bind", facts.entry, boundEntry, "--ro-bind", facts.analyzer.path, boundAnalyzer]
  // The root is memory: what is written there would be counted by nobody.
  const closing = ["--remount-ro", "/", "--chdir", "/", "--seccomp", "4", "--"]
  return [...namespaces, ...identity, ...life, ...programs, ...files, ...closing]
}

/** The plan. Level `hard` without bubblewrap's facts is a mistake of the caller's: it throws. */
export const launchPlan = (facts: LaunchFacts): LaunchPlan => {
  const { bubblewrap, dropTo, level, shell } = facts
  let command: ReadonlyArray<string>
  let feed: Uint8Array | null = null
  if (level === "hard") {
    if (bubblewrap === null) throw new TypeError("the level hard needs bubblewrap")
    const inside = nodeArguments(facts, boundEntry, boundAnalyzer)
    command = [bubblewrap.path, ...isolation(facts, bubblewrap.libraries), facts.node, ...inside]
    feed = seccompFilter(bubblewrap.architecture)
  } else command = [facts.node, ...nodeArguments(facts, facts.entry, facts.analyzer.path)]
  const [file = "", ...args] = shell === null ? command : [shell, "-c", limitsScript(facts), ...command]
  return {
    file,
    args,
    env: { UV_THREADPOOL_SIZE: "1" },
    cwd: "/",
    ...(dropTo === null ? {} : dropTo),
    feed,
    maxRss: memoryLimits(facts).resident,
    stderrBytes: facts.debug ? debugStderrBytes : 0
  }
}
