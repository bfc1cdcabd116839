/**
 * The alerts of the pool of hounds. Their text is fixed, as all that a hound says is hostile.
 */
import { type Notice, notice } from "../../safety/alert/Notice.ts"
import type { SandboxReport } from "../sandbox/Sandbox.ts"

/** A hound sent what it may not send (CONFORMANCE H3). */
export const violation = notice({
  type: "hound.violation",
  severity: "critical",
  message:
    "a hound broke the rules of its channel and was killed: its analyzer, or evidence that took it over, is hostile"
})

export const bootFailed = notice({
  type: "hound.boot_failed",
  severity: "warning",
  message: "a hound did not become ready: `tracehound doctor --sandbox` says what this machine gives"
})

/** There are no hounds, though the configuration asks for them. */
export const unavailable = notice({
  type: "hound.unavailable",
  severity: "critical",
  message:
    "there are no hounds: evidence is held and nobody looks at it; `tracehound doctor` says what is missing, hound.enabled: false is without them"
})

/**
 * The sandbox in effect is less than was configured, or lacks a part; null where it is neither.
 * Never in silence (CONFORMANCE H2).
 */
export const lowered = ({ configured, lacking, level }: SandboxReport): Notice | null => {
  if (level === "none" || (level === configured && lacking.length === 0)) return null
  const lacks = lacking.length === 0 ? "" : ` without ${lacking.join(", ")}`
  return notice({
    type: "hound.sandbox_lowered",
    severity: level === configured ? "warning" : "critical",
    message:
      `hound.sandbox is ${configured}, and what is in effect is ${level}${lacks}: \`tracehound doctor\` says what is missing`
  })
}
