/**
 * Guards against a pool of hounds that somebody else wrote (CONFORMANCE R7): what it throws, and
 * what is no answer, is an error on the board, and counts as "no hound". Evidence is held all the
 * same.
 *
 * **Gotchas**
 *
 * - A pool that reports failures decides by them what is purged (`failSafe.onHoundError`): it is
 *   believed.
 * - A method that never returns stops the process, as any synchronous code does.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { withDeadline } from "../../actor/Deadline.ts"
import { disown, given } from "../../actor/Given.ts"
import { Settings } from "../../config/Settings.ts"
import { Hound, SandboxLevel } from "../../domain/Hound.ts"
import { problem } from "../../domain/TracehoundError.ts"
import { Alerts } from "../../safety/alert/Alerts.ts"
import type { SandboxReport } from "../sandbox/Sandbox.ts"
import { HoundBootError, HoundPool, type HoundStats, noOutcomes } from "./HoundPool.ts"

type Pool = HoundPool["Service"]

/** Posted where the pool threw, or answered what it may not. */
const poolError = problem({
  state: "hound",
  code: "hound_pool_failed",
  message: "the pool of hounds that this Tracehound was given failed: its answer is taken as no hound"
})

/**
 * The same pool, whose methods never throw, and whose effects end within `timeoutMs`. `onFault`
 * must not throw.
 */
const guardPool = (pool: Pool, timeoutMs: number, onFault: () => void): Pool => {
  /** The answer of `ask`, if it is one; else `instead`. */
  const asked = <A>(ask: () => unknown, isAnswer: (answer: unknown) => answer is A, instead: A): A => {
    try {
      const answer = ask()
      if (isAnswer(answer)) return answer
      disown(answer)
    } catch {
      // The pool's mistake, which is posted below.
    }
    onFault()
    return instead
  }
  const isYes = (ask: () => unknown): boolean => asked(ask, isBoolean, false)
  const inTime = <E>(effect: () => Effect.Effect<void, E>, what: string): Effect.Effect<void, HoundBootError> => {
    const failed = (how: string) => new HoundBootError({ reason: `the pool's ${what} ${how}` })
    const settled = Effect.catchCause(given(effect), (cause) => {
      const error = Option.getOrUndefined(Cause.findErrorOption(cause))
      return Effect.fail(error instanceof HoundBootError ? error : failed("failed"))
    })
    return withDeadline(settled, timeoutMs, () => failed(`took more than ${timeoutMs} ms`))
  }
  return {
    hasHounds: isYes(() => pool.hasHounds),
    stats: () => asked(() => pool.stats(), isStats, noStats),
    outcomes: () => asked(() => pool.outcomes(), isOutcomes, noOutcomes),
    hounds: () => asked(() => pool.hounds(), isHounds, []),
    sandbox: () => asked(() => pool.sandbox(), isReport, null),
    activateUnsafe: (job) => asked(() => pool.activateUnsafe(job), isHoundOrNull, null),
    isFreeUnsafe: () => isYes(() => pool.isFreeUnsafe()),
    skipUnsafe: () => asked(() => pool.skipUnsafe(), isUndefined, undefined),
    deactivateUnsafe: (hound) => isYes(() => pool.deactivateUnsafe(hound)),
    terminateUnsafe: (hound) => isYes(() => pool.terminateUnsafe(hound)),
    onFailure: (listener) => {
      asked(
        () => pool.onFailure((failure) => isFailure(failure) ? listener(failure) : onFault()),
        isUndefined,
        undefined
      )
    },
    rotate: inTime(() => pool.rotate, "rotation").pipe(Effect.catch(() => Effect.sync(onFault))),
    isBusy: () => isYes(() => pool.isBusy()),
    start: inTime(() => pool.start, "start")
  }
}

const noStats: HoundStats = { dormant: 0, active: 0, terminated: 0, sandbox: "none" }

const isStats = Schema.is(Schema.Struct({
  dormant: Schema.Natural,
  active: Schema.Natural,
  terminated: Schema.Natural,
  sandbox: SandboxLevel
}))
const isOutcomes = Schema.is(Schema.Struct({
  complete: Schema.Natural,
  error: Schema.Natural,
  timeout: Schema.Natural,
  left: Schema.Natural,
  abandoned: Schema.Natural,
  unavailable: Schema.Natural,
  skipped: Schema.Natural
}))
const isHounds = Schema.is(Schema.Array(Hound))
const isHoundOrNull = Schema.is(Schema.NullOr(Hound))
const isFailure = Schema.is(Schema.Struct({
  kind: Schema.Literals(["timeout", "error"]),
  isVerdict: Schema.Boolean,
  hound: Schema.String,
  signature: Schema.String
}))

const isBoolean = (answer: unknown): answer is boolean => typeof answer === "boolean"
const isUndefined = (answer: unknown): answer is undefined => answer === undefined
const isReport = (answer: unknown): answer is SandboxReport | null =>
  answer === null || (typeof answer === "object" && "level" in answer)

/** The pool of the context, guarded; its faults are on the board. */
export const layer: Layer.Layer<HoundPool, never, Alerts | HoundPool | Settings> = Layer.effect(
  HoundPool,
  Effect.gen(function*() {
    const { errorUnsafe } = yield* Alerts
    const { hound: { readyTimeout } } = yield* Settings
    return guardPool(yield* HoundPool, readyTimeout, () => errorUnsafe(poolError))
  })
)
