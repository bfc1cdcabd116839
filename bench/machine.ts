/**
 * The machine that a run is measured on, as far as its figures depend on it.
 */
import { readFileSync } from "node:fs"
import { cpus, loadavg, totalmem } from "node:os"

/** Where and when it was measured. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  /** GiB. */
  readonly memory: number
  /**
   * Whether the processor hashes SHA-256 by instructions of its own, which makes the floor of most
   * lines three to six times lower; null where the system does not say.
   */
  readonly sha: boolean | null
  readonly platform: string
  readonly node: string
  readonly v8: string
  readonly date: string
  /**
   * Programs that wanted to run, as the system's average over a minute has it: before the run, and
   * the most seen during it. The benchmark itself is one of them, or two. Zero on Windows.
   */
  readonly load: { readonly before: number; readonly most: number }
}

/** Reads the flags of Linux's processors: `sha_ni` on x86, `sha2` on ARM. */
const hasSha = (): boolean | null => {
  try {
    const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1]
    return flags === undefined ? null : flags.split(" ").some((flag) => flag === "sha_ni" || flag === "sha2")
  } catch {
    return null
  }
}

/** The system's load, now. */
export const loadNow = (): number => loadavg()[0] ?? 0

/** This machine, at the end of a run. */
export const machine = (load: Machine["load"]): Machine => ({
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memory: Math.round(totalmem() / 1_073_741_824),
  sha: hasSha(),
  platform: `${process.platform} ${process.arch}`,
  node: process.versions.node,
  v8: process.versions.v8,
  date: new Date().toISOString().slice(0, 10),
  load
})

const extensions = (sha: boolean | null): string =>
  sha === null ? "" : sha ? "with SHA extensions, " : "without SHA extensions, "

/** The machine as one line of text. */
export const described = ({ cores, cpu, date, load, memory, node, platform, sha, v8 }: Machine): string =>
  `${cpu}, ${extensions(sha)}${cores} cores, ${memory} GiB, ${platform}; Node ${node}, V8 ${v8}; ${date}; ` +
  `load ${load.before.toFixed(1)} before, ${load.most.toFixed(1)} at most`

/** Whether times can be compared, and not only ratios. */
export const isSameMachine = (a: Machine, b: Machine): boolean =>
  a.cpu === b.cpu && a.cores === b.cores && a.platform === b.platform && a.node === b.node
