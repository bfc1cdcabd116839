/**
 * Makes the attacks of the catalogue at one level of the sandbox (CONFORMANCE H2, H4).
 */
import * as Effect from "effect/Effect"
import type { SandboxRequest } from "../../hound/sandbox/Sandbox.ts"
import { furtherProbes, probes } from "./Catalogue.ts"
import { runProbes } from "./ProbeRunner.ts"
import type { LevelReport } from "./Report.ts"
import { resourceProbes } from "./ResourceProbes.ts"
import { runResourceProbes } from "./ResourceRunner.ts"
import { type SandboxTarget, sandboxTarget } from "./Target.ts"

export interface AttackChoice {
  /** Only attacks whose name it matches; all of them when left out. */
  readonly only?: RegExp | undefined
  /** Whether the attacks on time and memory are made as well. */
  readonly hasResources?: boolean | undefined
}

export interface LevelOptions extends AttackChoice {
  /** Called after each attack. Must not throw. */
  readonly onProgress?: ((name: string, done: number, total: number) => void) | undefined
}

/** The attacks of a choice, in the order in which they are made. */
export const chosenAttacks = ({ hasResources = false, only }: AttackChoice) => {
  const chosen = <A extends { readonly name: string }>(all: ReadonlyArray<A>): ReadonlyArray<A> =>
    only === undefined ? all : all.filter(({ name }) => only.test(name))
  return { probes: chosen([...probes, ...furtherProbes]), resources: hasResources ? chosen(resourceProbes) : [] }
}

/** Makes the attacks. Never fails: a machine without that level is an answer. */
export const probeLevel = Effect.fn("probeLevel")(
  function*(level: SandboxRequest["level"], options: LevelOptions = {}) {
    return yield* sandboxTarget(level).pipe(
      Effect.flatMap((target) => attack(level, target, options)),
      Effect.catchTag("SandboxRefused", ({ message }) => Effect.succeed(missingLevel(level, message)))
    )
  }
)

const attack = Effect.fnUntraced(function*(
  level: LevelReport["level"],
  target: SandboxTarget,
  { onProgress, ...choice }: LevelOptions
) {
  const attacks = chosenAttacks(choice)
  const total = attacks.probes.length + attacks.resources.length
  const probes = yield* runProbes(attacks.probes, target, {
    onResult: ({ name }, done) => onProgress?.(name, done, total)
  })
  const resources = attacks.resources.length === 0 ? null : yield* runResourceProbes(attacks.resources, target, {
    onResult: ({ name }, done) => onProgress?.(name, attacks.probes.length + done, total)
  })
  const report: LevelReport = { level, missing: null, sandbox: target.report, probes, resources }
  return report
})

const missingLevel = (level: LevelReport["level"], missing: string): LevelReport => ({
  level,
  missing,
  sandbox: null,
  probes: [],
  resources: null
})
