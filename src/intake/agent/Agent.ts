/**
 * The Agent: one scent in, one answer out (RFC, "Agent"; CONFORMANCE D1 to D8, G4).
 *
 * Promises that `intercept` is one straight synchronous line that never throws and never waits:
 * shape, rate, signal, canonical bytes, duplicate, signature, custody. Its work is bounded by
 * maxPayloadSize, whatever the payload; clean, limited, refused and ignored scents allocate
 * nothing.
 *
 * **Gotchas**
 *
 * - The scent object is the host's own, and the Agent reads its properties as they are. It does not
 *   trust the payload: the canonical writer runs none of its code.
 * - `ignored` means that the evidence is held already: block it.
 * - The rate runs on monotonic time, `captured` is the time of day.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Settings } from "../../config/Settings.ts"
import { Quarantine } from "../../custody/quarantine/Quarantine.ts"
import type { Decision } from "../../domain/Decision.ts"
import type { InterceptResult, InterceptTotals } from "../../domain/InterceptResult.ts"
import type { CategoryRank, Scent } from "../../domain/Scent.ts"
import type { SeverityRank } from "../../domain/Severity.ts"
import { Hash } from "../../host/port/Hash.ts"
import { Introspection } from "../../host/port/Introspection.ts"
import { Memory } from "../../host/port/Memory.ts"
import { MonotonicTime } from "../../host/port/MonotonicTime.ts"
import { Randomness } from "../../host/port/Randomness.ts"
import { Alerts } from "../../safety/alert/Alerts.ts"
import { FailSafe } from "../../safety/failsafe/FailSafe.ts"
import { canonicalSeedWords, type CanonicalWriter, makeCanonicalWriter } from "../gate/Canonical.ts"
import { RateLimiter } from "../gate/RateLimiter.ts"
import { Throughput } from "../gate/Throughput.ts"
import { answered, type Answers, told } from "./Answers.ts"
import { Decisions } from "./Decisions.ts"
import { Escalation } from "./Escalation.ts"
import { holdingBy } from "./NewEvidence.ts"
import { interceptFailure } from "./Notices.ts"
import * as Refusals from "./Refusals.ts"
import { isExactSignal, isIdentifier, isTimestamp, rankOfCategory, rankOfSeverity, UNKNOWN } from "./ScentShape.ts"
import { makeSigner, type Signer } from "./Signature.ts"
import * as Totals from "./Totals.ts"

export class Agent extends Context.Service<Agent, {
  /**
   * Never throws, never waits. Anything may be passed: a value that is no scent is answered with an
   * error (CONFORMANCE D1).
   */
  readonly interceptUnsafe: (scent: Scent) => InterceptResult
  /**
   * Calls back on the turn of every `every`-th decision of each status, a whole number from 1,
   * until the function that it gives is called. The listener must not throw, and must not wait.
   */
  readonly onDecision: (every: number, hear: (decision: Decision) => void) => () => void
  /** How many scents got each answer so far. Each scent is counted once, whatever it was. */
  readonly totals: () => InterceptTotals
  /**
   * Signals refused so far because the detector is to be verified and they had more than their two
   * keys (CONFORMANCE R3).
   */
  readonly refusedSignals: () => number
  /**
   * Objects in payloads so far whose content could not be read without running code, such as a
   * FormData: no two of them are the same evidence.
   */
  readonly unreadable: () => number
  /**
   * Answers `disposed` from now on, and overwrites what it has of payloads and of the key in
   * signatures.
   */
  readonly dispose: () => void
}>()("tracehound/intake/agent/Agent") {
  /** As configured; after its scope has closed it answers `disposed`. */
  static readonly layer = Layer.effect(
    Agent,
    Effect.gen(function*() {
      const agent = make({
        settings: yield* Settings,
        clock: yield* Clock.Clock,
        monotonicTime: yield* MonotonicTime,
        hash: yield* Hash,
        introspection: yield* Introspection,
        memory: yield* Memory,
        randomness: yield* Randomness,
        rateLimiter: yield* RateLimiter,
        throughput: yield* Throughput,
        quarantine: yield* Quarantine,
        escalation: yield* Escalation,
        alerts: yield* Alerts
      })
      const failSafe = yield* FailSafe
      failSafe.onPanic(agent.panic)
      yield* Effect.addFinalizer(() => Effect.sync(agent.dispose))
      return agent
    })
  )
}

export interface AgentServices {
  readonly settings: Settings["Service"]
  readonly clock: Pick<Clock.Clock, "currentTimeMillisUnsafe">
  readonly monotonicTime: Pick<MonotonicTime["Service"], "last" | "tick">
  readonly hash: Pick<Hash["Service"], "sha256Into" | "sha256Text">
  readonly introspection: Introspection["Service"]
  readonly memory: Pick<Memory["Service"], "writeUtf8">
  readonly randomness: Pick<Randomness["Service"], "fill">
  readonly rateLimiter: Pick<RateLimiter["Service"], "waitUnsafe">
  readonly throughput: Pick<Throughput["Service"], "countUnsafe" | "total">
  readonly quarantine: Pick<Quarantine["Service"], "hit" | "hitSame" | "hold">
  readonly escalation: Pick<Escalation["Service"], "escalateUnsafe">
  readonly alerts: Pick<Alerts["Service"], "alertUnsafe" | "errorUnsafe">
}

/** An agent that can be closed: every scent from then on gets the same answer. */
export interface ClosableAgent {
  readonly interceptUnsafe: Agent["Service"]["interceptUnsafe"]
  readonly onDecision: Agent["Service"]["onDecision"]
  readonly totals: Agent["Service"]["totals"]
  readonly refusedSignals: Agent["Service"]["refusedSignals"]
  readonly unreadable: Agent["Service"]["unreadable"]
  /** Answers `panicked` from now on. */
  readonly panic: () => void
  /** Answers `disposed` from now on, after a panic too, and wipes its buffers and its key. */
  readonly dispose: () => void
}

/** An open agent. Its functions need no `this`. */
export const make = (services: AgentServices): ClosableAgent => {
  const { alerts, settings } = services
  const { tick } = services.monotonicTime
  const { countUnsafe } = services.throughput
  const signer = signerOf(services)
  const writer = makeWriter(services, signer.prefix)
  const answers: Answers = { totals: Totals.makeTotals(), decisions: new Decisions() }
  let refusedSignals = 0
  let silentUntil = Number.NEGATIVE_INFINITY
  let closed: Refusals.ErrorAnswer | null = null
  const refuse: InterceptParts["refuse"] = (answer, category = UNKNOWN, severity = UNKNOWN) => {
    alerts.errorUnsafe(answer.error)
    return answered(answers, Totals.ERROR, answer, category, severity)
  }
  /** Whatever makes scents fail makes many of them fail: one alert a window tells of all. */
  const refuseUnexpected = (thrown: unknown): Refusals.ErrorAnswer => {
    const [now = 0] = services.monotonicTime.last
    if (now >= silentUntil) {
      silentUntil = now + settings.alerts.windowMs
      alerts.alertUnsafe(interceptFailure, () => ({ thrown }))
    }
    return refuse(Refusals.unexpected)
  }
  const intercept = makeIntercept({
    clock: services.clock,
    waitUnsafe: services.rateLimiter.waitUnsafe,
    quarantine: services.quarantine,
    hold: holdingBy(services.quarantine),
    escalateUnsafe: services.escalation.escalateUnsafe,
    signer,
    writer,
    answers,
    isVerifying: settings.trustBoundary.detector.trustLevel === "verify",
    limited: Refusals.makeLimited(),
    tooLarge: Refusals.makeTooLarge(settings),
    refuse,
    refuseSignal: () => {
      refusedSignals += 1
      return refuse(Refusals.unverifiedThreat)
    }
  })
  return {
    interceptUnsafe: (scent) => {
      if (closed !== null)
        return told(answers, Totals.ERROR, Totals.counted(answers.totals, Totals.CLOSED, closed), UNKNOWN, UNKNOWN)
      tick()
      countUnsafe()
      try {
        return intercept(scent)
      } catch (thrown) {
        writer.release()
        return refuseUnexpected(thrown)
      }
    },
    onDecision: (every, hear) => answers.decisions.add(every, hear),
    totals: () => Totals.readTotals(answers.totals, services.throughput.total()),
    refusedSignals: () => refusedSignals,
    unreadable: () => writer.unreadable,
    panic: () => {
      closed ??= Refusals.panicked
    },
    dispose: () => {
      closed = Refusals.disposed
      writer.wipe()
      signer.wipe()
    }
  }
}

const signerOf = ({ hash, settings: { signature: { key } } }: AgentServices): Signer => {
  if (key === undefined) return makeSigner(hash, undefined)
  const bytes = utf8.encode(Redacted.value(key))
  const signer = makeSigner(hash, bytes)
  bytes.fill(0)
  return signer
}

const makeWriter = (
  { introspection, memory: { writeUtf8 }, randomness: { fill }, settings }: AgentServices,
  prefix: Uint8Array
): CanonicalWriter => {
  const seed = new Int32Array(canonicalSeedWords)
  fill(new Uint8Array(seed.buffer))
  return makeCanonicalWriter(settings, introspection, { prefix, seed, writeUtf8 })
}

interface InterceptParts {
  readonly clock: AgentServices["clock"]
  readonly waitUnsafe: RateLimiter["Service"]["waitUnsafe"]
  readonly quarantine: Pick<AgentServices["quarantine"], "hit" | "hitSame">
  readonly hold: AgentServices["quarantine"]["hold"]
  readonly escalateUnsafe: Escalation["Service"]["escalateUnsafe"]
  readonly signer: Signer
  readonly writer: CanonicalWriter
  /** Where each answer is counted and told; `refuse` does so with its own. */
  readonly answers: Answers
  /** Whether signals must be exactly what was agreed on. */
  readonly isVerifying: boolean
  readonly limited: ReturnType<typeof Refusals.makeLimited>
  readonly tooLarge: ReturnType<typeof Refusals.makeTooLarge>
  readonly refuse: (
    answer: Refusals.ErrorAnswer,
    category?: CategoryRank | typeof UNKNOWN,
    severity?: SeverityRank | typeof UNKNOWN
  ) => Refusals.ErrorAnswer
  readonly refuseSignal: () => Refusals.ErrorAnswer
}

/**
 * The line that every scent goes through. It throws where a property of the scent does.
 *
 * A closure and no class: looking its parts up in fields costs a sixth of a clean scent's time.
 */
const makeIntercept = (
  {
    answers,
    clock,
    escalateUnsafe,
    hold,
    isVerifying,
    limited,
    quarantine,
    refuse,
    refuseSignal,
    signer,
    tooLarge,
    waitUnsafe,
    writer
  }: InterceptParts
) =>
(scent: Scent): InterceptResult => {
  if (typeof scent !== "object" || scent === null) return refuse(Refusals.notAScent)
  const { id, source, threat, timestamp } = scent
  if (!isIdentifier(id)) return refuse(Refusals.invalidId)
  if (!isIdentifier(source)) return refuse(Refusals.invalidSource)
  if (!isTimestamp(timestamp)) return refuse(Refusals.invalidTimestamp)
  let category: CategoryRank | typeof UNKNOWN = UNKNOWN
  let severity: SeverityRank | typeof UNKNOWN = UNKNOWN
  if (threat !== undefined) {
    if (typeof threat !== "object" || threat === null) return refuse(Refusals.invalidThreat)
    category = rankOfCategory(threat.category)
    severity = rankOfSeverity(threat.severity)
    if (category === UNKNOWN || severity === UNKNOWN) return refuse(Refusals.invalidThreat)
    if (isVerifying && !isExactSignal(threat)) return refuseSignal()
  }

  const retryAfter = waitUnsafe(source)
  if (retryAfter > 0) return answered(answers, Totals.RATE_LIMITED, limited(retryAfter), category, severity)
  // The two are unknown where there is no threat, and only there.
  if (category === UNKNOWN || severity === UNKNOWN)
    return told(answers, Totals.CLEAN, Refusals.clean, category, severity)

  const size = writer.write(scent.payload)
  if (size < 0) {
    const answer = tooLarge(size)
    return answer === null
      ? refuse(Refusals.unreadable, category, severity)
      : answered(answers, Totals.PAYLOAD_TOO_LARGE, answer, category, severity)
  }
  const same = quarantine.hitSame(writer.raw, size, category, severity)
  if (same !== null) {
    writer.release()
    return answered(answers, Totals.IGNORED, same, category, severity)
  }
  const { content } = writer
  const signed = signer.sign(writer)
  const duplicate = quarantine.hit(signed, content, category, severity)
  if (duplicate !== null) {
    writer.release()
    return answered(answers, Totals.IGNORED, duplicate, category, severity)
  }

  // Custody takes a copy: what the caller does to the payload from now on changes nothing
  // (CONFORMANCE E5).
  const captured = clock.currentTimeMillisUnsafe()
  const hash = signer.hash(writer, signed)
  const held = hold({ category, severity, content, size, captured, id, source, timestamp, hash, signed })
  writer.release()
  const hound = held.evicted === undefined ? escalateUnsafe(held.handle, category, severity) : null
  return hound === null
    ? answered(answers, Totals.QUARANTINED, held, category, severity)
    : answered(answers, Totals.ESCALATED, { status: "escalated", hound, handle: held.handle }, category, severity)
}

const utf8 = new TextEncoder()
