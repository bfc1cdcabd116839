/**
 * Arbitraries of outputs: alerts, errors, hounds, the Watcher's snapshot, and the answers of
 * `intercept` that have no handle.
 *
 * They are as consistent as those of the runtime: a dormant hound was never activated, only
 * `alert.flood` has a count, a quarantine's count is the sum over its severities, and at most all
 * sources are blocked.
 */
import * as Arbitrary from "effect/Arbitrary"
import { type Alert, alertTypes } from "../../domain/Alert.ts"
import {
  type FailSafeAction,
  failSafeActions,
  type FailSafeCause,
  failSafeCauses,
  type PanicAction,
  panicActions,
  type PanicContext
} from "../../domain/FailSafe.ts"
import { type Hound, sandboxLevels } from "../../domain/Hound.ts"
import { type InterceptResult, PayloadBound } from "../../domain/InterceptResult.ts"
import { ErrorState, type TracehoundError } from "../../domain/TracehoundError.ts"
import type { WatcherSnapshot } from "../../domain/WatcherSnapshot.ts"
import { choice, coin, list, pick, struct, structWith, whole } from "./building.ts"
import { json } from "./json.ts"
import { secureId, signature, size, text, timestamp } from "./values.ts"

const alertSeverity = pick(["info", "warning", "critical"])
const message = text(60)

/** All types equally often. */
export const alert: Arbitrary.Arbitrary<Alert> = Arbitrary.flatMap(
  pick(alertTypes),
  (type) =>
    structWith({ severity: alertSeverity, type: Arbitrary.Constant(type), message, timestamp }, {
      signature,
      ...(type === "alert.flood" ? { alertCount: size } : {})
    })
)

const code = choice([1, pick(["malformed_scent", "internal", "coldstorage_failure"])], [1, text(20)])

/** Its `context`, if present, is JSON. */
export const tracehoundError: Arbitrary.Arbitrary<TracehoundError> = structWith(
  { state: pick(ErrorState.literals), code, message, recoverable: coin },
  { context: json(2) }
)

/** All equally often. */
export const failSafeAction: Arbitrary.Arbitrary<FailSafeAction> = pick(failSafeActions)
/** All equally often. */
export const failSafeCause: Arbitrary.Arbitrary<FailSafeCause> = pick(failSafeCauses)
/** All equally often. */
export const panicAction: Arbitrary.Arbitrary<PanicAction> = pick(panicActions)

/** With the cause `request` there is no error. */
export const panicContext: Arbitrary.Arbitrary<PanicContext> = Arbitrary.flatMap(
  choice([1, Arbitrary.Constant("request" as const)], [
    3,
    choice([1, failSafeCause], [1, Arbitrary.Constant("threshold" as const)])
  ]),
  (cause) =>
    struct({
      cause: Arbitrary.Constant(cause),
      error: cause === "request" ? Arbitrary.Constant(null) : tracehoundError,
      errors: whole(0, 1_000_000),
      window: whole(1, 2_147_483_647),
      timestamp
    })
)

const houndId = choice([1, secureId], [1, text(20)])
const never = Arbitrary.Constant(null)

export const hound: Arbitrary.Arbitrary<Hound> = choice(
  [1, struct({ id: houndId, state: Arbitrary.Constant("dormant"), createdAt: timestamp, activatedAt: never })],
  [1, struct({ id: houndId, state: Arbitrary.Constant("active"), createdAt: timestamp, activatedAt: timestamp })],
  [
    1,
    struct({
      id: houndId,
      state: Arbitrary.Constant("disposing"),
      createdAt: timestamp,
      activatedAt: choice([1, never], [1, timestamp])
    })
  ]
)

/** The greatest `maxSources` and `maxCount` of a configuration. */
const most = 16_777_216
const count = choice([1, Arbitrary.Constant(0)], [3, whole(0, 100)], [1, whole(0, most)])

const quarantine = Arbitrary.map(
  struct({ bytes: size, bySeverity: struct({ low: count, medium: count, high: count, critical: count }) }),
  ({ bySeverity, bytes }) => {
    const held = bySeverity.low + bySeverity.medium + bySeverity.high + bySeverity.critical
    return { count: held, bytes: held === 0 ? 0 : bytes, bySeverity }
  }
)

const rateLimit = Arbitrary.map(
  struct({ one: count, other: count }),
  ({ one, other }) => ({ blocked: Math.min(one, other), sources: Math.max(one, other) })
)

/** At most 32 errors. `lastActivity` is 0, as before the first scent, half of the time. */
export const watcherSnapshot: Arbitrary.Arbitrary<WatcherSnapshot> = struct({
  quarantine,
  hound: struct({ dormant: count, active: count, terminated: count, sandbox: pick(sandboxLevels) }),
  custody: Arbitrary.map(
    struct({ held: count, durable: count, notDurable: count }),
    ({ durable, held, notDurable }) => ({
      held: Math.max(held, durable),
      durable: Math.min(held, durable),
      notDurable
    })
  ),
  ledger: Arbitrary.map(struct({ size: count, durable: count }), ({ durable, size }) => ({
    size: Math.max(size, durable),
    durable: Math.min(size, durable)
  })),
  rateLimit,
  throughput: Arbitrary.map(whole(0, 10_000_000), (tenths) => tenths / 10),
  lastActivity: choice([1, Arbitrary.Constant(0)], [1, timestamp]),
  errors: list(tracehoundError, 32)
})

/** The answers without evidence. */
export type AnswerWithoutHandle = Exclude<InterceptResult, { readonly status: "quarantined" | "escalated" }>

/** All five equally often. `retryAfter` is more than 0, as in every real answer. */
export const answerWithoutHandle: Arbitrary.Arbitrary<AnswerWithoutHandle> = choice(
  [1, struct({ status: Arbitrary.Constant("clean") })],
  [
    1,
    struct({
      status: Arbitrary.Constant("rate_limited"),
      retryAfter: choice([2, whole(1, 300_000)], [1, whole(1, 2_147_483_647)], [
        1,
        Arbitrary.map(whole(1, 10_000), (n) => n / 64)
      ])
    })
  ],
  [
    1,
    structWith({ status: Arbitrary.Constant("payload_too_large"), limit: size }, { bound: pick(PayloadBound.literals) })
  ],
  [1, struct({ status: Arbitrary.Constant("ignored"), signature })],
  [1, struct({ status: Arbitrary.Constant("error"), error: tracehoundError })]
)
