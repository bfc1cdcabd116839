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
 * - The scent object is the host's own, and its properties are read as they are. The payload is not
 *   trusted to be read.
 * - `ignored` means that the evidence is held already: block it.
 * - The rate runs on monotonic time, `captured` is the time of day.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Alerts } from "../../safety/alert/Alerts.ts"
import type { InterceptResult } from "../../domain/InterceptResult.ts"
import { type Scent, ThreatSignal } from "../../domain/Scent.ts"
import { Settings } from "../../config/Settings.ts"
import { FailSafe } from "../../safety/failsafe/FailSafe.ts"
import { makeCanonicalWriter, TOO_DEEP, TOO_LARGE, TOO_MANY_KEYS } from "../gate/Canonical.ts"
import { RateLimiter } from "../gate/RateLimiter.ts"
import { Throughput } from "../gate/Throughput.ts"
import { Hash } from "../../host/port/Hash.ts"
import { Introspection } from "../../host/port/Introspection.ts"
import { MonotonicTime } from "../../host/port/MonotonicTime.ts"
import { Quarantine } from "../../custody/quarantine/Quarantine.ts"
import { Escalation } from "./Escalation.ts"
import { makeLimited } from "./Limited.ts"
import * as Refusals from "./Refusals.ts"
import { isIdentifier, isTimestamp, placeOfCategory, placeOfSeverity, UNKNOWN } from "./ScentShape.ts"
import { makeSigner } from "./Signature.ts"

/** Takes scents in. */
export class Agent extends Context.Service<Agent, {
  /**
   * Never throws, never waits. Anything may be passed: what is no scent is answered with an error
   * (CONFORMANCE D1).
   */
  readonly interceptUnsafe: (scent: Scent) => InterceptResult
  /**
   * Signals refused so far because the detector is not trusted and they are not exactly what they
   * must be (CONFORMANCE R3).
   */
  readonly refusedSignals: () => number
}>()("tracehound/intake/agent/Agent") {
  /** As configured; after its scope has closed it answers `disposed`. */
  static readonly layer = Layer.effect(
    Agent,
    Effect.gen(function*() {
      const settings = yield* Settings
      const clock = yield* Clock.Clock
      const { tick } = yield* MonotonicTime
      const { waitUnsafe } = yield* RateLimiter
      const { countUnsafe } = yield* Throughput
      const quarantine = yield* Quarantine
      const { escalateUnsafe } = yield* Escalation
      const alerts = yield* Alerts
      const { key } = settings.signature
      const signer = makeSigner(yield* Hash, key === undefined ? undefined : utf8.encode(Redacted.value(key)))
      const writer = makeCanonicalWriter(settings, yield* Introspection, { prefix: signer.prefix })
      const limited = makeLimited()
      const isVerifying = settings.trustBoundary.detector.trustLevel === "verify"
      let refusedSignals = 0
      const failSafe = yield* FailSafe
      /** What every scent is answered, once there is no more looking at any. */
      let closed: Refusals.Refusal | null = null
      failSafe.onPanic(() => {
        closed ??= Refusals.panicked
      })
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          closed = Refusals.disposed
        })
      )

      const tooLarge = Object.freeze({ status: "payload_too_large", limit: settings.maxPayloadSize })
      const tooDeep = Object.freeze({ status: "payload_too_large", limit: settings.maxDepth, bound: "maxDepth" })
      const tooManyKeys = Object.freeze({ status: "payload_too_large", limit: settings.maxKeys, bound: "maxKeys" })

      const refuse = (refusal: Refusals.Refusal): InterceptResult => {
        alerts.errorUnsafe(refusal.error)
        return refusal
      }
      const tooMuch = (refused: number): InterceptResult =>
        refused === TOO_LARGE
          ? tooLarge
          : refused === TOO_DEEP
          ? tooDeep
          : refused === TOO_MANY_KEYS
          ? tooManyKeys
          : refuse(Refusals.unreadable)

      const intercept = (scent: Scent): InterceptResult => {
        if (typeof scent !== "object" || scent === null) return refuse(Refusals.notAScent)
        const { id, source, threat, timestamp } = scent
        if (!isIdentifier(id)) return refuse(Refusals.invalidId)
        if (!isIdentifier(source)) return refuse(Refusals.invalidSource)
        if (!isTimestamp(timestamp)) return refuse(Refusals.invalidTimestamp)
        let category = UNKNOWN
        let severity = UNKNOWN
        if (threat !== undefined) {
          if (typeof threat !== "object" || threat === null) return refuse(Refusals.invalidThreat)
          category = placeOfCategory(threat.category)
          severity = placeOfSeverity(threat.severity)
          if (category === UNKNOWN || severity === UNKNOWN) return refuse(Refusals.invalidThreat)
          if (isVerifying && !isExactSignal(threat)) {
            refusedSignals += 1
            return refuse(Refusals.unverifiedThreat)
          }
        }

        const retryAfter = waitUnsafe(source)
        if (retryAfter > 0) return limited(retryAfter)
        if (threat === undefined) return Refusals.clean

        const size = writer.write(scent.payload)
        if (size < 0) return tooMuch(size)
        const { content } = writer
        const same = quarantine.hitSame(content, category, severity)
        if (same !== null) {
          writer.release()
          return same
        }
        const signed = signer.sign(writer)
        const duplicate = quarantine.hit(signed, content, category, severity)
        if (duplicate !== null) {
          writer.release()
          return duplicate
        }

        // Custody takes a copy: what the caller does to the payload from now on changes nothing
        // (CONFORMANCE E5).
        const captured = clock.currentTimeMillisUnsafe()
        const hash = signer.hash(writer)
        const held = quarantine.hold({ category, severity, content, captured, id, source, timestamp, hash, signed })
        writer.release()
        if (held.evicted !== undefined) return held
        const hound = escalateUnsafe(held.handle, category, severity)
        return hound === null ? held : { status: "escalated", hound, handle: held.handle }
      }

      return {
        refusedSignals: () => refusedSignals,
        interceptUnsafe: (scent) => {
          if (closed !== null) return closed
          tick()
          countUnsafe()
          try {
            return intercept(scent)
          } catch {
            return refuse(Refusals.unexpected)
          }
        }
      }
    })
  )
}

const utf8 = new TextEncoder()

const decodeSignal = Schema.decodeUnknownExit(ThreatSignal, { onExcessProperty: "error" })

/**
 * Whether a signal has its two keys, of its own, and no others: what else a detector says nobody
 * here has agreed to.
 */
const isExactSignal = (signal: object): boolean =>
  Reflect.ownKeys(signal).length === 2 && Object.hasOwn(signal, "category") && Object.hasOwn(signal, "severity") &&
  Exit.isSuccess(decodeSignal(signal))
