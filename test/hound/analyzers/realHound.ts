/**
 * One hound as it runs in service, for an analyzer of a test's: real sandbox, real process, real
 * pipe.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { threatCategories } from "../../../src/domain/Scent.ts"
import { severities } from "../../../src/domain/Severity.ts"
import { type ConnectionDecision, HoundConnection } from "../../../src/hound/process/HoundConnection.ts"
import { LocalSpawner } from "../../../src/hound/process/LocalSpawner.ts"
import { detectSandbox } from "../../../src/hound/sandbox/Detect.ts"
import { launched, using } from "../process/spawners.ts"

/** Evidence, and whether its digest is given, and given right. */
export interface Trial {
  readonly bytes: Uint8Array
  readonly digest?: "right" | "wrong" | "none"
}

/**
 * The verdicts of one hound, job by job; null where this machine has no hounds, which is said out
 * loud and fails under CI=true. What the hound wrote in its debug mode goes with them.
 */
export const verdictsOf = async (
  trials: ReadonlyArray<Trial>,
  analyzer?: { readonly path: string; readonly sha256: string }
): Promise<{ readonly verdicts: ReadonlyArray<string>; readonly words: string } | null> => {
  const { plan, report } = await Effect.runPromise(
    detectSandbox({ level: "default", analyzer, maxPayloadSize: 1_000_000, debug: true })
  )
  if (plan === null) {
    console.error(`no hounds on this machine, so nothing was run in one: ${report.mechanisms[0]?.note ?? ""}`)
    assert.notStrictEqual(process.env["CI"], "true", "this machine has no hounds")
    return null
  }
  return using(new LocalSpawner(plan), async (localSpawner) => {
    const launch = launched(localSpawner, 1)
    await Promise.race([launch.whenUp, launch.whenDown])
    const { pipe } = launch
    if (pipe === null) return { verdicts: ["down"], words: launch.exit?.message ?? "" }
    const line = new HoundConnection(pipe)
    const heard: Array<ConnectionDecision> = []
    let wake = (): void => undefined
    line.onDecision((decision) => {
      heard.push(decision)
      wake()
    })
    const next = async (): Promise<string> => {
      for (;;) {
        const decision = heard.shift()
        if (decision === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        } else if (decision.type === "violation") return `violation: ${decision.reason}`
        else if (decision.type === "ready" || decision.type === "gone") return decision.type
        else if (decision.type === "status" && decision.state !== "processing") return decision.state
      }
    }
    const first = await next()
    const verdicts: Array<string> = first === "ready" ? [] : [first]
    for (const [index, { bytes, digest = "right" }] of trials.entries()) {
      if (first !== "ready") break
      const sha256 = createHash("sha256").update(bytes).digest()
      if (digest === "wrong") sha256[0] = (sha256[0] ?? 0) ^ 1
      line.send({
        job: index + 1,
        length: bytes.length,
        category: threatCategories.indexOf("injection"),
        severity: severities.indexOf("critical"),
        digest: digest === "none" ? null : sha256
      }, Uint8Array.from(bytes))
      verdicts.push(await next())
    }
    localSpawner.kill(1)
    const { message } = await launch.whenDown
    return { verdicts, words: message }
  })
}
