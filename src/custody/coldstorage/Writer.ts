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
import { type Caller, inTrace } from "../../telemetry/Caller.ts"
import { classOf } from "../../telemetry/Causes.ts"
import type { OpenSpan, RootSpans } from "../../telemetry/RootSpans.ts"
import { actorBounds } from "./Account.ts"
import type { Ages } from "./Ages.ts"
import type { Breaker } from "./Breaker.ts"
import type { DeadLetterBox } from "./DeadLetterBox.ts"
import type { Passage } from "./Delivery.ts"
import { type ColdStorageEndpoint, ColdStorageError, type Written } from "./Endpoint.ts"
import { buried } from "./Notices.ts"
import type { Loss, Tally } from "./Tally.ts"

export class Write extends Request.TaggedClass("Write")<
  {
    readonly id: string
    readonly passage: Passage
    /** Bytes of evidence. */
    readonly size: number
    readonly envelope: Uint8Array
  },
  void,
  ColdStorageError
> {}

/** The parts that one try uses. */
export interface TryParts {
  readonly config: Pick<ColdStorageConfig, "writeTimeoutMs">
  readonly endpoint: Pick<ColdStorageEndpoint["Service"], "destination" | "write">
}

/** The parts that the writer uses. */
export interface WriterParts extends TryParts {
  readonly caller: Pick<Caller, "within">
  readonly config: Pick<ColdStorageConfig, "maxPendingCount" | "retries" | "retryDelayMs" | "writeTimeoutMs">
  readonly failSafe: Pick<FailSafe["Service"], "coldStorageFailed">
  readonly spans: RootSpans
  readonly tally: Pick<Tally, "countWrite" | "reportDeadLetter" | "reportLoss">
  readonly ages: Pick<Ages, "end">
  readonly breaker: Breaker
  readonly box: Pick<DeadLetterBox, "keep">
  /** The time of a dead letter, in milliseconds since the epoch. */
  readonly nowMs: () => number
  /** Is given what the writer had not come to when it was closed. */
  readonly leaveBehind: (message: Write, why: string) => void
}

/** The actor, which lives as long as the scope. */
export const spawnWriter = (supervisor: Supervisor, parts: WriterParts) =>
  Effect.orDie(supervisor.spawn(
    define<Write>()("coldstorage", {
      ...actorBounds(parts.config),
      weigh: ({ size }) => size,
      onDeadLetter: (message, reason) => {
        parts.ages.end(message.id)
        parts.tally.reportDeadLetter(reason, message.passage)
        if (reason !== "failed") parts.leaveBehind(message, buried[reason])
      },
      behaviour: () => Effect.succeed({ Write: (message: Write) => writeWithRetries(parts, message) })
    })
  ))

/** The writer, as the compressor uses it. */
export type Writer = Pick<ActorRef<Write>, "tellUnsafe">

/** An envelope, as it is tried. */
type Envelope = Pick<Write, "envelope" | "id" | "passage" | "size">

/** One delivery's way through its tries. */
interface Attempt {
  readonly parts: WriterParts
  readonly message: Envelope
  /** Null where nobody would see it. */
  readonly span: OpenSpan | null
  /** Tries so far. */
  tries: number
}

/**
 * Tries until the envelope is written, or the host or the number of retries ends it: then the tally
 * has the failure, and the effect fails. While the circuit is open, it is lost without a try. All
 * of it is one span, in which the endpoint writes.
 */
export const writeWithRetries = (parts: WriterParts, message: Envelope): Effect.Effect<void, ColdStorageError> =>
  Effect.suspend(() => {
    const { breaker, config: { retries } } = parts
    const { passage, size } = message
    const span = parts.spans.open("tracehound.coldstorage.write", () => ({
      kind: "client",
      origin: passage.span,
      attributes: { "tracehound.signature": passage.signature, "tracehound.size": size }
    }))
    const attempt: Attempt = { parts, message, span, tries: 0 }
    const next = breaker.next()
    const writing = next === "lost" ? loseUntried(attempt) : tryAgain(attempt, next === "probe" ? 0 : retries)
    return span === null ? writing : Effect.onExit(writing, () => Effect.sync(() => span.end("stopped")))
  })

/** Tries, and tries again at most so often where the host does not decide. */
const tryAgain = (attempt: Attempt, retries: number): Effect.Effect<void, ColdStorageError> => {
  const { message, parts: { ages, breaker, config, failSafe, tally } } = attempt
  attempt.tries += 1
  return Effect.matchEffect(tryOnce(attempt.parts, message, attempt.span), {
    onSuccess: (written) =>
      Effect.sync(() => {
        breaker.recordWrite()
        ages.end(message.id)
        withinOrigin(attempt, () => tally.countWrite(message.passage, written))
        end(attempt, undefined)
      }),
    onFailure: (failed) => {
      const { error } = failed
      noteTry(attempt, failed)
      return Effect.flatMap(withinOrigin(attempt, () => failSafe.coldStorageFailed(error)), (decision) => {
        const isAgain = decision === null ? retries > 0 : decision === "retry"
        if (isAgain) return Effect.andThen(Effect.sleep(config.retryDelayMs), tryAgain(attempt, retries - 1))
        const isAlert = decision !== "ignore"
        breaker.recordLoss({ message: error.message, isAlert, isFull: error.reason === "full" })
        return lose(attempt, failed, isAlert)
      })
    }
  })
}

/** The endpoint is spared. The board goes on showing why. */
const loseUntried = (attempt: Attempt): Effect.Effect<never, ColdStorageError> => {
  const { breaker: { latest: { isAlert, isFull, message } }, endpoint } = attempt.parts
  const error = failure(endpoint, `not asked for now, as its latest writes all failed, the last one with: ${message}`)
  const known = isFull
    ? { why: "the endpoint is full", reason: "full" }
    : { why: "its latest writes all failed", reason: "circuit_open" }
  return lose(attempt, { error, ...known }, isAlert)
}

/** A try that failed. */
interface Failed extends Pick<Loss, "code" | "thrown"> {
  readonly error: ColdStorageError
  /** Fixed text, or an error code of the host. */
  readonly why: string
  /** A fixed word, or an error's class. */
  readonly reason: string
}

/** As spans have it: the host's code says more than our own class. */
const errorTypeOf = ({ code, reason }: Failed): string => code ?? reason

/** Reports the loss, ends the span, and keeps the envelope as a dead letter. */
const lose = (attempt: Attempt, failed: Failed, isAlert: boolean): Effect.Effect<never, ColdStorageError> => {
  const { message: { envelope, id, passage }, parts: { box, endpoint, nowMs, tally } } = attempt
  const { error, ...loss } = failed
  const { message } = error
  withinOrigin(attempt, () => tally.reportLoss({ ...loss, passage, message }, isAlert))
  end(attempt, errorTypeOf(failed))
  const letter = { name: id, endpoint: endpoint.destination, reason: loss.why, time: nowMs(), envelope }
  return Effect.andThen(box.keep(letter), Effect.fail(error))
}

/**
 * What happens over a delivery belongs to the span that it came from; to its own where none is
 * known.
 */
const withinOrigin = <A>({ message: { passage }, parts: { caller }, span }: Attempt, act: () => A): A =>
  caller.within(passage.span ?? span?.span, act)

/** Events of failed tries in one span: a host may want any number of tries. */
const maxNoted = 16

const noteTry = ({ span, tries }: Attempt, failed: Failed): void => {
  if (tries <= maxNoted)
    span?.event("tracehound.coldstorage.try", { "tracehound.try": tries, "error.type": errorTypeOf(failed) })
}

const end = ({ span, tries }: Attempt, errorType: string | undefined): void => {
  span?.set({ "tracehound.tries": tries, "tracehound.outcome": errorType === undefined ? "written" : "lost" })
  span?.end(errorType)
}

const failure = ({ destination }: Pick<ColdStorageEndpoint["Service"], "destination">, why: string): ColdStorageError =>
  new ColdStorageError({ reason: "write", message: `cold storage ${destination}: ${why}` })

/** One try, within its deadline. A defect of the endpoint is a failure like any other. */
export const tryOnce = (
  { config: { writeTimeoutMs }, endpoint }: TryParts,
  { envelope, id }: Pick<Envelope, "envelope" | "id">,
  span: Pick<OpenSpan, "span"> | null | undefined
): Effect.Effect<Written, Failed> => {
  const failed = (why: string, reason: string): Failed => ({ error: failure(endpoint, why), why, reason })
  const write = Effect.mapError(Effect.suspend(() => endpoint.write(id, envelope)), knownFailure)
  const overdue = () => failed(`no answer within ${writeTimeoutMs} ms`, "timeout")
  return withDeadline(inTrace(write, span?.span), writeTimeoutMs, overdue).pipe(
    Effect.catchDefect((thrown) => Effect.fail({ ...failed("the endpoint broke", classOf(thrown)), thrown }))
  )
}

/** What alerts say of an endpoint's own error. */
const whys: Record<ColdStorageError["reason"], string> = {
  open: "the endpoint failed",
  write: "the endpoint failed",
  full: "the endpoint is full",
  taken: "the endpoint has something else under its name"
}

const knownFailure = (error: ColdStorageError): Failed => {
  const { code, reason } = error
  const isPlain = reason === "open" || reason === "write"
  const known = { error, why: code ?? whys[reason], reason: isPlain ? classOf(error) : reason, thrown: error }
  return code === undefined ? known : { ...known, code }
}
