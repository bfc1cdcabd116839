/**
 * The target of probes: hounds as this machine starts them at a level (CONFORMANCE H2).
 */
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { detectSandbox, SandboxRefused } from "../../hound/sandbox/Detect.ts"
import type { SandboxReport, SandboxRequest } from "../../hound/sandbox/Sandbox.ts"
import type { ProbeTarget } from "./ProbeRunner.ts"

/** In bytes. The evidence of probes is small, so limits are the smallest there are. */
const maxPayloadSize = 65_536

export interface SandboxTarget extends ProbeTarget {
  readonly report: SandboxReport
}

/** Fails where the machine does not give that level; the message says why. */
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
