/**
 * The command that starts a hound on a machine whose facts are known (CONFORMANCE H2): flags,
 * limits, environment, and at the level `hard` the arguments of bubblewrap. Pure: `Detect.ts` finds
 * the facts.
 *
 * **Details**
 *
 * - The shell sets the limits, since Node cannot set them for a child; it then becomes the hound
 *   (`exec`), so that no process is left over. A hound does not start where a limit cannot be set.
 * - At the level `default` `setpriv`, where the machine has it, sees to it that no program with the
 *   set-user-ID bit gives a hound more rights (`no_new_privs`).
 * - `ulimit -d` bounds ArrayBuffers, which V8's heap limits do not. Node 24 and later begin with
 *   some 560 MiB of data, almost all of it V8's range for machine code, which is reserved and not
 *   used.
 * - At the level `hard` the limits are set outside of the namespaces, and the shell becomes
 *   bubblewrap: node is its only child, and process 1 of its own namespace. The kernel ends node
 *   with bubblewrap.
 *
 * **Gotchas**
 *
 * - The memory that grows with `maxPayloadSize` is for one more copy of the evidence, beside the
 *   one that a hound is given, and for its text.
 * - At the level `hard` the environment has bubblewrap's `PWD` as well; so has that of the level
 *   `default` where the shell is bash. An analyzer cannot reach it.
 */
import type { LaunchPlan } from "../process/Spawner.ts"
import { type Architecture, seccompFilter } from "./Seccomp.ts"

const MiB = 1_048_576

/** Evidence over which a hound refuses a job, in bytes (`entry.mjs`). */
export const maxEvidence = 512 * MiB

/** Bytes of stderr that are kept of a hound that is debugged. */
const debugStderrBytes = 8_192

/** The user and group `nobody`: a hound's, where the process that starts it may choose. */
export const nobody = 65_534

/** The facts that make a plan. Paths are absolute, and real. */
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
  /** Null where there is none: then no limits are set. */
  readonly shell: string | null
  /**
   * The program that takes the right to gain rights away; null where there is none. Of no use to
   * the level `hard`: bubblewrap does it.
   */
  readonly setpriv: string | null
  readonly dropTo: { readonly uid: number; readonly gid: number } | null
  /** Needed by the level `hard`. */
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

/** Flags of Node's own, in the order of the command line; a version gets those that it knows. */
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

/** Whether a version knows a flag, which may have a value or begin with `--no-`. */
const isKnown = (known: ReadonlySet<string>, flag: string): boolean => {
  const [name = ""] = flag.split("=")
  return known.has(name) || known.has(name.replace(/^--no-/, "--"))
}

/** The essential flags that a version does not know. */
export const missingFlags = (known: ReadonlySet<string>): ReadonlyArray<string> =>
  essentialFlags.filter((flag) => !isKnown(known, flag))

const majorOf = (version: string): number => Number.parseInt(version, 10)

/** Bytes by which evidence may exceed the 16 MiB that the base limits are made for. */
const excess = (maxPayloadSize: number): number => Math.max(0, Math.min(maxPayloadSize, maxEvidence) - 16 * MiB)

/** How much a hound may hold, in bytes. Text takes two bytes a character, in V8's heap. */
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
  // V8's helper threads would compile code that runs once, on a processor that the host needs.
  // That was a sixth of a start.
  "--single-threaded",
  // Saves a sixth of a hound's own memory.
  "--optimize-for-size",
  "--stack-trace-limit=0",
  "--freeze-flags-after-init"
]

/** The arguments of node: its flags, and those that the entry reads. */
const nodeArguments = (facts: LaunchFacts, entry: string, analyzer: string): ReadonlyArray<string> => [
  ...flagsFor(facts, entry, analyzer),
  entry,
  analyzer,
  facts.analyzer.sha256,
  ...(facts.debug ? ["debug"] : [])
]

/**
 * The shell's script: no core files, no files, 64 descriptors, two minutes of CPU, little memory,
 * and then the program in place of the shell.
 */
const limitsScript = (facts: LaunchFacts): string =>
  [
    "ulimit -c 0",
    "ulimit -f 0",
    "ulimit -n 64",
    "ulimit -t 120",
    // Other kernels do not enforce it.
    ...(facts.platform === "linux" ? [`ulimit -d ${Math.ceil(memoryLimits(facts).data / 1024)}`] : []),
    "exec \"$0\" \"$@\""
  ].join(" && ")

/** The hound's two files in its own file system: it does not learn their paths outside. */
const boundEntry = "/hound/entry.mjs"
const boundAnalyzer = "/hound/analyzer.mjs"

/**
 * The arguments of bubblewrap before the program. Only files that are named here exist inside: no
 * /proc, no /dev, no /tmp.
 */
const isolation = (facts: LaunchFacts, libraries: ReadonlyArray<string>): ReadonlyArray<string> => {
  const namespaces = ["user", "ipc", "pid", "net", "uts", "cgroup"].map((name) => `--unshare-${name}`)
  const identity = ["--uid", String(nobody), "--gid", String(nobody), "--hostname", "hound", "--cap-drop", "ALL"]
  const life = ["--new-session", "--die-with-parent", "--as-pid-1"]
  const programs = [facts.node, ...libraries].flatMap((path) => ["--ro-bind", path, path])
  const files = ["--ro-bind", facts.entry, boundEntry, "--ro-bind", facts.analyzer.path, boundAnalyzer]
  // The root is in memory, and no limit counts bytes that are written there.
  const closing = ["--remount-ro", "/", "--chdir", "/", "--seccomp", "4", "--"]
  return [...namespaces, ...identity, ...life, ...programs, ...files, ...closing]
}

/** Throws at the level `hard` without the facts of bubblewrap: a mistake of the caller's. */
export const launchPlan = (facts: LaunchFacts): LaunchPlan => {
  const { bubblewrap, dropTo, level, setpriv, shell } = facts
  let command: ReadonlyArray<string>
  let feed: Uint8Array | null = null
  if (level === "hard") {
    if (bubblewrap === null) throw new TypeError("the level hard needs bubblewrap")
    const inside = nodeArguments(facts, boundEntry, boundAnalyzer)
    command = [bubblewrap.path, ...isolation(facts, bubblewrap.libraries), facts.node, ...inside]
    feed = seccompFilter(bubblewrap.architecture)
  } else {
    const sealed = setpriv === null ? [] : [setpriv, "--no-new-privs"]
    command = [...sealed, facts.node, ...nodeArguments(facts, facts.entry, facts.analyzer.path)]
  }
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
