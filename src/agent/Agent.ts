/**
 * The Agent: one scent in, one answer out (RFC, "Agent"; CONFORMANCE D1 to D7, G4).
 *
 * Promises that `intercept` is one straight synchronous line that never throws and never waits: shape, rate, signal, canonical
 * bytes, signature, duplicate, custody. Its work is bounded by maxPayloadSize, whatever the payload; clean, limited and
 * ignored scents allocate nothing that outlives them.
 *
 * **Gotchas**
 *
 * - The scent object is the host's own, and its properties are read as they are. The payload is not trusted to be read.
 * - `ignored` means that the evidence is held already: block it.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Alerts } from "../alert/Alerts.ts"
import type { InterceptResult } from "../domain/InterceptResult.ts"
import type { Scent } from "../domain/Scent.ts"
import { Settings } from "../domain/Settings.ts"
import { makeCanonicalWriter, TOO_DEEP, TOO_LARGE, TOO_MANY_KEYS } from "../gate/Canonical.ts"
import { RateLimiter } from "../gate/RateLimiter.ts"
import { Throughput } from "../gate/Throughput.ts"
import { Hash } from "../port/Hash.ts"
import { Introspection } from "../port/Introspection.ts"
import { Quarantine } from "../quarantine/Quarantine.ts"
import * as Refusals from "./Refusals.ts"
import { isCategory, isIdentifier, isSeverity, isTimestamp } from "./ScentShape.ts"
import { signatureOf } from "./Signature.ts"

/** Takes scents in. */
export class Agent extends Context.Service<Agent, {
  /** Never throws, never waits. Anything may be passed: what is no scent is answered with an error (CONFORMANCE D1). */
  readonly interceptUnsafe: (scent: Scent) => InterceptResult
}>()("tracehound/agent/Agent") {
  /** As configured; after its scope has closed it answers `disposed`. */
  static readonly layer = Layer.effect(
    Agent,
    Effect.gen(function*() {
      const settings = yield* Settings
      const clock = yield* Clock.Clock
      const { sha256Hex } = yield* Hash
      const limiter = yield* RateLimiter
      const quarantine = yield* Quarantine
      const alerts = yield* Alerts
      const writer = makeCanonicalWriter(settings, yield* Introspection)
      const throughput = yield* Throughput
      let open = true
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          open = false
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

      const intercept = (scent: Scent, now: number): InterceptResult => {
        if (typeof scent !== "object" || scent === null) return refuse(Refusals.notAScent)
        const { id, source, threat, timestamp } = scent
        if (!isIdentifier(id)) return refuse(Refusals.invalidId)
        if (!isIdentifier(source)) return refuse(Refusals.invalidSource)
        if (!isTimestamp(timestamp)) return refuse(Refusals.invalidTimestamp)
        if (threat !== undefined && (typeof threat !== "object" || threat === null)) {
          return refuse(Refusals.invalidThreat)
        }
        const category = threat?.category
        const severity = threat?.severity
        if (threat !== undefined && !(isCategory(category) && isSeverity(severity))) {
          return refuse(Refusals.invalidThreat)
        }

        const retryAfter = limiter.waitUnsafe(source, now)
        if (retryAfter > 0) return { status: "rate_limited", retryAfter }
        if (category === undefined || severity === undefined) return Refusals.clean

        const size = writer.write(scent.payload)
        if (size < 0) return tooMuch(size)
        const hash = sha256Hex(writer.buffer.subarray(0, size))
        const signature = signatureOf(category, hash)
        const duplicate = quarantine.hit(signature, severity)
        if (duplicate !== null) return duplicate

        // The runtime's own copy: what the caller does to the payload from now on changes nothing (CONFORMANCE E5).
        const bytes = writer.buffer.slice(0, size).buffer
        return quarantine.hold(
          { signature, hash, category, severity, size, captured: now, scent: { id, source, timestamp } },
          bytes
        )
      }

      return {
        interceptUnsafe: (scent) => {
          if (!open) return Refusals.disposed
          const now = clock.currentTimeMillisUnsafe()
          throughput.countUnsafe(now)
          try {
            return intercept(scent, now)
          } catch {
            return refuse(Refusals.unexpected)
          }
        }
      }
    })
  )
}
