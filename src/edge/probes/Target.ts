/**
 * What probes are pointed at: hounds as this machine starts them at a level (CONFORMANCE H2).
 */
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { detectSandbox, SandboxRefused } from "../../hound/sandbox/Detect.ts"
import type { SandboxReport, SandboxRequest } from "../../hound/sandbox/Sandbox.ts"
import type { ProbeTarget } from "./ProbeRunner.ts"

/** Evidence here is a few bytes: limits are the smallest there are. */
const maxPayloadSize = 65_536

/** The target, and what was found about it. */
export interface SandboxTarget extends ProbeTarget {
  readonly report: SandboxReport
}

/** The hounds of a level. Fails where the machine does not give that level, with what was found. */
export const sandboxTarget = Effect.fn("sandboxTarget")(function*(level: SandboxRequest["level"]) {
  const request = { level, maxPayloadSize, debug: false } as const
  const planFor = Effect.fnUntraced(function*(path?: string) {
    const { plan, report } = yield* detectSandbox({ ...request, analyzer: path === undefined ? undefined : { path } })
    if (plan === null || report.level !== level) {
      const notes = new Set(report.mechanisms.filter(({ holds }) => !holds).map(({ note }) => note))
      return yield* new SandboxRefused({ message: `there is no level ${level} here: ${[...notes].join("; ")}` })
    }
    return { plan, report }
  })
  const { plan: { gid, uid }, report } = yield* planFor()
  return {
    plan: (path) => Effect.map(planFor(path), ({ plan }) => plan),
    entry: fileURLToPath(new URL("../../hound/sandbox/entry.mjs", import.meta.url)),
    user: uid === undefined || gid === undefined ? null : { uid, gid },
    report
  } satisfies SandboxTarget
})
