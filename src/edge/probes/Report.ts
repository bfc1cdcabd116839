/**
 * The report of one level: what this machine gives, and what became of the attacks, as data and as
 * text (CONFORMANCE H2, H4). Pure; `LevelRunner.ts` makes the attacks.
 */
import type { SandboxReport, SandboxRequest } from "../../hound/sandbox/Sandbox.ts"
import { probeGroups } from "./Probe.ts"
import type { ProbeResult } from "./ProbeRunner.ts"
import type { ResourceReport } from "./ResourceRunner.ts"

export interface LevelReport {
  readonly level: SandboxRequest["level"]
  /** Why there is no such level here; null where there is. */
  readonly missing: string | null
  /** What the machine gives; null where the level is missing. */
  readonly sandbox: SandboxReport | null
  readonly probes: ReadonlyArray<ProbeResult>
  /** Null where these attacks were not asked for. */
  readonly resources: ResourceReport | null
}

/** Whether the level is there, and every attack on it ended as it must. */
export const isSound = ({ missing, probes, resources }: LevelReport): boolean =>
  missing === null &&
  probes.every(({ outcome }) => outcome === "closed" || outcome === "works") &&
  (resources?.results ?? []).every(({ outcome }) => outcome === "contained")

const mebibytes = (bytes: number | null): string => bytes === null ? "?" : String(Math.round(bytes / 1_048_576))
const milliseconds = (ms: number | null): string => ms === null ? "-" : ms.toFixed(1)

/** The attacks on time and memory as text. */
export const renderResources = ({ lag, results }: ResourceReport): string =>
  [
    `${"attack".padEnd(24)} ${"outcome".padEnd(10)} ${"ended by".padEnd(12)} ${"peak MiB".padStart(8)} ${
      "killed after ms".padStart(15)
    }`,
    ...results.map(({ end, killedAfter, name, outcome, peak }) =>
      [
        name.padEnd(24),
        outcome.padEnd(10),
        end.padEnd(12),
        mebibytes(peak).padStart(8),
        milliseconds(killedAfter).padStart(15)
      ].join(" ")
    ),
    `the host's event loop was late by ${lag.p99.toFixed(1)} ms at most 99 times of 100, and by ${
      lag.max.toFixed(1)
    } ms at the worst`
  ].join("\n")

const count = (results: ReadonlyArray<{ readonly outcome: string }>): string => {
  const counts = new Map<string, number>()
  for (const { outcome } of results) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  return [...counts].map(([outcome, number]) => `${number} ${outcome}`).join(", ")
}

const attention: Readonly<Record<ProbeResult["outcome"], string>> = {
  closed: "closed",
  works: "works ",
  open: "OPEN  ",
  failed: "FAILED"
}

export const renderLevel = (report: LevelReport): string => {
  const { level, missing, probes, resources, sandbox } = report
  if (missing !== null || sandbox === null) return `level ${level}: ${missing ?? "not tried"}`
  const lines = [
    `level ${level} on ${sandbox.platform}, node ${sandbox.node}${
      sandbox.measured ? "" : " (not a platform on which the sandbox was measured)"
    }`,
    ...sandbox.mechanisms.map(({ holds, name, note }) =>
      `  ${holds ? "holds  " : "missing"} ${name.padEnd(20)} ${note}`
    )
  ]
  for (const group of probeGroups) {
    const members = probes.filter((result) => result.group === group)
    if (members.length === 0) continue
    lines.push("", `${group}: ${count(members)}`)
    for (const { detail, name, outcome } of members)
      lines.push(`  ${attention[outcome]} ${name.slice(group.length + 1).padEnd(20)} ${detail}`)
  }
  if (resources !== null) lines.push("", renderResources(resources))
  lines.push("", `level ${level}: ${count([...probes, ...(resources?.results ?? [])]) || "nothing was tried"}`)
  return lines.join("\n")
}
