/**
 * Tries a plan out (CONFORMANCE H2): starts one hound by it, and finds whether that becomes ready
 * on this machine. The hound's own self-test is part of that.
 *
 * Promises that the hound is gone when the answer comes, or when the interruption of the caller has
 * ended, and that nothing fails.
 *
 * Cost: one start of Node, about 120 ms, and the caller's thread for as long as a `spawn` takes.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { hostClock } from "../../host/node/UnrefClock.ts"
import { firstLine } from "../process/Printable.ts"
import type { LaunchPlan, ProcessExit } from "../process/Spawner.ts"
import { launchTrialHound, type TrialHound } from "./TrialHound.ts"

/** Time for a hound to become ready, in ms. A machine under load needs more than the usual 120. */
const patience = 15_000

/** The finding about a hound that is not ready at the deadline. */
export const notInTime = "it did not become ready in time"

/** Bytes of stderr in which the first line is looked for. */
const stderrBytes = 4_096

/** Longest finding, in characters. */
const maxFinding = 200

/**
 * Null where the plan works, else what was found: printable, and at most 200 characters. The
 * deadline is in ms, on the host's own clock, as the hound is a process.
 */
export const tryOut = (plan: LaunchPlan, deadline = patience): Effect.Effect<string | null> =>
  Effect.provideService(Effect.scoped(tryHound(plan, deadline)), Clock.Clock, hostClock)

const tryHound = Effect.fnUntraced(function*(plan: LaunchPlan, deadline: number) {
  const heard = { ...plan, stderrBytes: Math.max(plan.stderrBytes, stderrBytes) }
  const hound = yield* launchTrialHound(heard, { readStderr: firstLine })
  return yield* Effect.timeoutOrElse(finding(hound), {
    duration: deadline,
    orElse: () => Effect.succeed(notInTime)
  })
})

/** Null as soon as the hound is ready. */
const finding = Effect.fnUntraced(function*(hound: TrialHound) {
  for (;;) {
    const event = yield* hound.take()
    if (event.type === "ready") return null
    if (event.type === "violation") return notInTime
    // After `gone` the hound's exit follows, which says more.
    if (event.type === "down") return describe(event.exit)
  }
})

const describe = ({ code, message, signal }: ProcessExit): string =>
  message.slice(0, maxFinding) || `it ended with ${code === null ? String(signal) : `code ${code}`}`
