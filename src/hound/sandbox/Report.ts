/**
 * Makes the sandbox's report out of what was found (CONFORMANCE H2). Pure. A mechanism holds where
 * it was tried out, and not where it was only asked for.
 */
import type { Mechanism, SandboxReport, SandboxRequest } from "./Sandbox.ts"

export interface Findings {
  readonly request: Pick<SandboxRequest, "level">
  readonly machine: {
    readonly platform: string
    readonly architecture: string
    readonly versions: Readonly<Record<string, string | undefined>>
    readonly knownFlags: ReadonlySet<string>
    readonly uid: number | null
  }
  readonly hasGlibc: boolean
  /** The way to start hounds that worked; null where none did. */
  readonly outcome: {
    readonly level: "default" | "hard"
    readonly isDropped: boolean
    readonly hasLimits: boolean
    readonly dropNote: string | null
  } | null
  /** Why other ways did not work, or could not be tried. */
  readonly notes: ReadonlyArray<string>
}

/** Major versions of Node with which the attacks were run. */
const measuredMajors = new Set([22, 24, 26])

export const makeReport = ({ hasGlibc, machine, notes, outcome, request }: Findings): SandboxReport => {
  const { architecture, knownFlags, platform, uid, versions } = machine
  const node = versions["node"] ?? "unknown"
  const why = notes.join("; ")
  const isLinux = platform === "linux"
  const isHard = outcome?.level === "hard"
  const mechanism = (name: Mechanism["name"], holds: boolean, yes: string, no: string): Mechanism => ({
    name,
    holds: outcome !== null && holds,
    note: outcome === null ? `there are no hounds: ${why}` : holds ? yes : no
  })
  const notHard = request.level === "hard" ? why : "part of the level hard, which is not configured"
  /**
   * Whether a mechanism belongs to the level in effect. Only root has a user to drop; and the
   * lockdown denies the network where the flag cannot.
   */
  const belongs = (name: Mechanism["name"]): boolean =>
    name === "userDropped"
      ? uid === 0
      : name === "namespaces" || name === "seccomp"
      ? isHard
      : name !== "networkDeniedByFlag"
  const mechanisms: ReadonlyArray<Mechanism> = [
    mechanism("permissionModel", true, "no files but two, no processes, no workers, no addons", ""),
    mechanism(
      "networkDeniedByFlag",
      knownFlags.has("--allow-net"),
      "by Node's permission model, and by the lockdown besides",
      "by the lockdown alone: Node's permission model knows the network from version 25 on"
    ),
    mechanism("bootLockdown", true, "modules, globals and code from text are gone; tried out at each start", ""),
    mechanism(
      "resourceLimits",
      outcome?.hasLimits === true && isLinux,
      "CPU time, data, descriptors, no files, no core",
      outcome?.hasLimits === true
        ? "CPU time and descriptors; memory is not limited by this kernel"
        : "there is no /bin/sh to set them: install one"
    ),
    mechanism(
      "memoryMonitor",
      isLinux,
      "resident memory of hounds at work is looked at every 50 ms",
      "resident memory is asked of `ps`, which was not measured on this platform"
    ),
    mechanism(
      "userDropped",
      outcome?.isDropped === true,
      outcome?.dropNote ?? "",
      uid === 0
        ? outcome?.dropNote?.startsWith("hounds run as root") === true
          ? outcome.dropNote
          : `hounds run as root: ${why}`
        : "hounds run as the user that runs Tracehound: give it one of its own"
    ),
    mechanism("namespaces", isHard, "user, ipc, pid, net, uts, cgroup, and a file system of its own", notHard),
    mechanism("seccomp", isHard, "an allow list of system calls", notHard)
  ]
  return {
    configured: request.level,
    level: outcome?.level ?? "none",
    measured: isLinux && hasGlibc && architecture === "x64" && measuredMajors.has(Number.parseInt(node, 10)),
    platform: `${platform} ${architecture}`,
    node,
    mechanisms,
    lacking: outcome === null
      ? []
      : mechanisms.filter(({ holds, name }) => !holds && belongs(name)).map(({ name }) => name)
  }
}
