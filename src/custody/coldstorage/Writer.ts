/**
 * The writer: the actor that writes envelopes to the endpoint, one after another, each with its
 * retries while the breaker lets it (CONFORMANCE C1).
 *
 * **Gotchas**
 *
 * - Where the host gives `onColdStorageFailure`, it decides about each failed try in place of the
 *   configured retries. If it always answers `retry`, the writer holds up everything that waits
 *   behind this envelope.
 */
import * as Effect from "effect/Effect"
import * as Request from "effect/Request"
import type { ActorRef } from "../../actor/ActorRef.ts"
import { withDeadline } from "../../actor/Deadline.ts"
import { define } from "../../actor/Definition.ts"
import type { Supervisor } from "../../actor/Supervisor.ts"
import type { ColdStorageConfig } from "../../config/TracehoundConfig.ts"
import type { FailSafe } from "../../safety/failsafe/FailSafe.ts"
import { actorBounds } from "./Account.ts"
import type { Ages } from "./Ages.ts"
import type { Breaker } from "./Breaker.ts"
import { type ColdStorageEndpoint, ColdStorageError } from "./Endpoint.ts"
import type { Tally } from "./Tally.ts"

export class Write extends Request.TaggedClass("Write")<
  {
    readonly id: string
    readonly signature: string
    /** Bytes of evidence. */
    readonly size: number
    readonly envelope: Uint8Array
  },
  void,
  ColdStorageError
> {}

/** The parts that the writer uses. */
export interface WriterParts {
  readonly config: Pick<ColdStorageConfig, "maxPendingCount" | "retries" | "retryDelayMs" | "writeTimeoutMs">
  readonly endpoint: Pick<ColdStorageEndpoint["Service"], "destination" | "write">
  readonly failSafe: Pick<FailSafe["Service"], "coldStorageFailed">
  readonly tally: Pick<Tally, "countWrite" | "reportDeadLetter" | "reportLoss">
  readonly ages: Pick<Ages, "end">
  readonly breaker: Breaker
}

/** The actor, which lives as long as the scope. */
export const spawnWriter = (supervisor: Supervisor, parts: WriterParts) =>
  Effect.orDie(supervisor.spawn(
    define<Write>()("coldstorage", {
      ...actorBounds(parts.config),
      weigh: ({ size }) => size,
      onDeadLetter: ({ id, signature }, reason) => {
        parts.ages.end(id)
        parts.tally.reportDeadLetter(reason, signature)
      },
      behaviour: () => Effect.succeed({ Write: (message: Write) => writeWithRetries(parts, message) })
    })
  ))

/** The writer, as the compressor uses it. */
export type Writer = Pick<ActorRef<Write>, "tellUnsafe">

/** An envelope, as it is tried. */
type Envelope = Pick<Write, "envelope" | "id" | "signature">

/**
 * Tries until the envelope is written, or the host or the number of retries ends it: then the tally
 * has the failure, and the effect fails. While the circuit is open, it is lost without a try.
 */
export const writeWithRetries = (parts: WriterParts, message: Envelope): Effect.Effect<void, ColdStorageError> =>
  Effect.suspend(() => {
    const { breaker, config: { retries } } = parts
    const next = breaker.next()
    if (next === "lost") return loseUntried(parts, message)
    return tryAgain(parts, message, next === "probe" ? 0 : retries)
  })

/** Tries, and tries again at most so often where the host does not decide. */
const tryAgain = (parts: WriterParts, message: Envelope, retries: number): Effect.Effect<void, ColdStorageError> => {
  const { ages, breaker, config, failSafe, tally } = parts
  return Effect.matchEffect(writeOnce(parts, message), {
    onSuccess: () =>
      Effect.sync(() => {
        breaker.recordWrite()
        ages.end(message.id)
        tally.countWrite()
      }),
    onFailure: ({ error, why }) =>
      Effect.flatMap(failSafe.coldStorageFailed(error), (decision) => {
        const isAgain = decision === null ? retries > 0 : decision === "retry"
        if (isAgain) return Effect.andThen(Effect.sleep(config.retryDelayMs), tryAgain(parts, message, retries - 1))
        const isAlert = decision !== "ignore"
        breaker.recordLoss(error.message, isAlert)
        tally.reportLoss({ signature: message.signature, why, message: error.message }, isAlert)
        return Effect.fail(error)
      })
  })
}

/** The endpoint is spared. The board goes on showing why. */
const loseUntried = (
  { breaker: { latest: { isAlert, message } }, endpoint, tally }: WriterParts,
  { signature }: Envelope
): Effect.Effect<never, ColdStorageError> => {
  const error = failure(endpoint, `not asked for now, as its latest writes all failed, the last one with: ${message}`)
  tally.reportLoss({ signature, why: "its latest writes all failed", message: error.message }, isAlert)
  return Effect.fail(error)
}

/** A try that failed. */
interface Failed {
  readonly error: ColdStorageError
  /** Fixed text, or an error code of the host. */
  readonly why: string
}

const failure = ({ destination }: Pick<ColdStorageEndpoint["Service"], "destination">, why: string): ColdStorageError =>
  new ColdStorageError({ reason: "write", message: `cold storage ${destination}: ${why}` })

/** One try, within its deadline. A defect of the endpoint is a failure like any other. */
const writeOnce = (
  { config: { writeTimeoutMs }, endpoint }: WriterParts,
  { envelope, id }: Envelope
): Effect.Effect<void, Failed> => {
  const failed = (why: string): Failed => ({ error: failure(endpoint, why), why })
  const write = Effect.mapError(
    Effect.suspend(() => endpoint.write(id, envelope)),
    (error): Failed => ({ error, why: error.code ?? "the endpoint failed" })
  )
  return withDeadline(write, writeTimeoutMs, () => failed(`no answer within ${writeTimeoutMs} ms`)).pipe(
    Effect.catchDefect(() => Effect.fail(failed("the endpoint broke")))
  )
}
