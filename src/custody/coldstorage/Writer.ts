/**
 * The writer: the actor that writes envelopes to the endpoint, one after another, each with its
 * retries (CONFORMANCE C1).
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
import { define } from "../../actor/Definition.ts"
import type { Supervisor } from "../../actor/Supervisor.ts"
import type { ColdStorageConfig } from "../../config/TracehoundConfig.ts"
import type { FailSafe } from "../../safety/failsafe/FailSafe.ts"
import { actorBounds } from "./Account.ts"
import { withDeadline } from "./Deadline.ts"
import { type ColdStorageEndpoint, ColdStorageError } from "./Endpoint.ts"
import type { Tally } from "./Tally.ts"

export class Write extends Request.TaggedClass("Write")<
  {
    readonly id: string
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
  readonly tally: Pick<Tally, "countWrite" | "onDeadLetter" | "reportLoss">
}

/** The actor, which lives as long as the scope. */
export const spawnWriter = (supervisor: Supervisor, parts: WriterParts) =>
  Effect.orDie(supervisor.spawn(
    define<Write>()("coldstorage", {
      ...actorBounds(parts.config),
      weigh: ({ size }) => size,
      onDeadLetter: parts.tally.onDeadLetter,
      behaviour: () => Effect.succeed({ Write: (message: Write) => writeWithRetries(parts, message) })
    })
  ))

/** The writer, as the compressor uses it. */
export type Writer = Pick<ActorRef<Write>, "tellUnsafe">

/**
 * Tries until the envelope is written, or the host or the number of retries ends it: then the tally
 * has the failure, and the effect fails.
 */
export const writeWithRetries = (
  parts: WriterParts,
  message: Pick<Write, "envelope" | "id">,
  tries = 0
): Effect.Effect<void, ColdStorageError> => {
  const { config, failSafe, tally } = parts
  return Effect.matchEffect(writeOnce(parts, message), {
    onSuccess: () => Effect.sync(() => tally.countWrite()),
    onFailure: (error) =>
      Effect.flatMap(failSafe.coldStorageFailed(error), (decision) => {
        const isAgain = decision === null ? tries < config.retries : decision === "retry"
        if (isAgain)
          return Effect.andThen(Effect.sleep(config.retryDelayMs), writeWithRetries(parts, message, tries + 1))
        tally.reportLoss(error.message, decision !== "ignore")
        return Effect.fail(error)
      })
  })
}

/** One try, within its deadline. A defect of the endpoint is a failure like any other. */
const writeOnce = (
  { config: { writeTimeoutMs }, endpoint }: WriterParts,
  { envelope, id }: Pick<Write, "envelope" | "id">
): Effect.Effect<void, ColdStorageError> => {
  const failure = (why: string) =>
    new ColdStorageError({ reason: "write", message: `cold storage ${endpoint.destination}: ${why}` })
  return withDeadline(
    endpoint.write(id, envelope),
    writeTimeoutMs,
    () => failure(`no answer within ${writeTimeoutMs} ms`)
  ).pipe(Effect.catchDefect(() => Effect.fail(failure("the endpoint broke"))))
}
