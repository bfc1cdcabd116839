/**
 * All that can be said about the sandbox of a machine: what it gives, what the attacks found, in
 * words (CONFORMANCE H2, H4).
 */
import * as Effect from "effect/Effect"
import type { SandboxReport, SandboxRequest } from "../../hound/sandbox/Sandbox.ts"
import { furtherProbes, probes } from "./Catalogue.ts"
import { probeGroups } from "./Probe.ts"
import { type ProbeResult, runProbes } from "./ProbeRunner.ts"
import { resourceProbes } from "./ResourceProbes.ts"
import { type ResourceReport, runResourceProbes } from "./ResourceRunner.ts"
import { sandboxTarget } from "./Target.ts"

/** What was found at one level. */
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

export interface LevelOptions {
  /** Only attacks whose name it matches. */
  readonly only?: RegExp | undefined
  /** Whether the attacks on time and memory are made, too. */
  readonly hasResources?: boolean | undefined
  /** Called after each attack. Must not throw. */
  readonly onProgress?: ((name: string, done: number, total: number) => void) | undefined
}

/** Tries everything at a level. Never fails: a machine without that level is an answer. */
export const probeLevel = Effect.fn("probeLevel")(
  function*(level: SandboxRequest["level"], options: LevelOptions = {}) {
    const { hasResources = false, only, onProgress } = options
    const wanted = <A extends { readonly name: string }>(all: ReadonlyArray<A>): ReadonlyArray<A> =>
      only === undefined ? all : all.filter(({ name }) => only.test(name))
    const attacks = wanted([...probes, ...furtherProbes])
    const bombs = hasResources ? wanted(resourceProbes) : []
    const total = attacks.length + bombs.length
    return yield* Effect.matchEffect(sandboxTarget(level), {
      onFailure: ({ message }) => Effect.succeed(missingLevel(level, message)),
      onSuccess: (target) =>
        Effect.gen(function*() {
          const found = yield* runProbes(attacks, target, {
            onResult: ({ name }, done) => onProgress?.(name, done, total)
          })
          const resources = bombs.length === 0 ? null : yield* runResourceProbes(bombs, target, {
            onResult: ({ name }, done) => onProgress?.(name, attacks.length + done, total)
          })
          const report: LevelReport = { level, missing: null, sandbox: target.report, probes: found, resources }
          return report
        }).pipe(Effect.catchTag("SandboxRefused", ({ message }) => Effect.succeed(missingLevel(level, message))))
    })
  }
)

const missingLevel = (level: LevelReport["level"], missing: string): LevelReport => ({
  level,
  missing,
  sandbox: null,
  probes: [],
  resources: null
})

/**
 * Whether everything that was tried is as it must be. Pure. A level that is missing has nothing
 * open.
 */
export const isSound = ({ probes, resources }: LevelReport): boolean =>
  probes.every(({ outcome }) => outcome === "closed" || outcome === "works") &&
  (resources?.results ?? []).every(({ outcome }) => outcome === "contained")

const mebibytes = (bytes: number | null): string => bytes === null ? "?" : String(Math.round(bytes / 1_048_576))
const milliseconds = (ms: number | null): string => ms === null ? "-" : ms.toFixed(1)

/** The attacks on time and memory as text. Pure. */
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

/** All of it as text. Pure. */
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
    for (const { detail, name, outcome } of members) {
      lines.push(`  ${attention[outcome]} ${name.slice(group.length + 1).padEnd(20)} ${detail}`)
    }
  }
  if (resources !== null) lines.push("", renderResources(resources))
  lines.push("", `level ${level}: ${count([...probes, ...(resources?.results ?? [])]) || "nothing was tried"}`)
  return lines.join("\n")
}
