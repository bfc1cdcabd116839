/**
 * Sends hounds to evidence that must be examined, and does what the fail-safe says where a hound
 * fails (CONFORMANCE H4, H7, F1).
 *
 * New evidence escalates when it is bad enough, or comes when the quarantine is nearly full. Held
 * evidence escalates when a duplicate makes it bad enough, though the duplicate's own answer is
 * `ignored`. What escalates for lack of room alone waits for no hound: a flood into a full
 * quarantine would fill the line before evidence that is bad comes.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../../config/Settings.ts"
import { PurgeQueue } from "../../custody/quarantine/PurgeQueue.ts"
import { Quarantine } from "../../custody/quarantine/Quarantine.ts"
import type { EvidenceHandle } from "../../domain/Evidence.ts"
import type { Hound } from "../../domain/Hound.ts"
import { categoryAt, type CategoryRank, threatCategories, type ThreatCategory } from "../../domain/Scent.ts"
import { type SeverityRank, severityRank } from "../../domain/Severity.ts"
import { problem } from "../../domain/TracehoundError.ts"
import { type HoundFailure, HoundPool } from "../../hound/pool/HoundPool.ts"
import type { AlertDetails } from "../../safety/alert/Notice.ts"
import { FailSafe } from "../../safety/failsafe/FailSafe.ts"
import { Caller } from "../../telemetry/Caller.ts"

export class Escalation extends Context.Service<Escalation, {
  /**
   * The hound that was activated for evidence just taken in; null where the evidence does not
   * escalate, or waits for a hound. Synchronous, O(1), never throws.
   */
  readonly escalateUnsafe: (handle: EvidenceHandle, category: CategoryRank, severity: SeverityRank) => Hound | null
  /**
   * The hound that was activated for held evidence, whatever the threshold; null where the evidence
   * is not held, or waits for a hound.
   */
  readonly activateUnsafe: (signature: string) => Hound | null
}>()("tracehound/intake/agent/Escalation") {
  /** As configured under `hound.escalation`. */
  static readonly layer = Layer.effect(
    Escalation,
    Effect.gen(function*() {
      const services = {
        settings: yield* Settings,
        caller: yield* Caller,
        failSafe: yield* FailSafe,
        pool: yield* HoundPool,
        purges: yield* PurgeQueue,
        quarantine: yield* Quarantine
      }
      return services.pool.hasHounds ? make(services) : withoutHounds
    })
  )
}

export interface EscalationServices {
  readonly settings: Pick<Settings["Service"], "hound">
  readonly caller: Pick<Caller, "current">
  readonly failSafe: Pick<FailSafe["Service"], "reportUnsafe">
  readonly pool: Pick<HoundPool["Service"], "activateUnsafe" | "isFreeUnsafe" | "onFailure" | "skipUnsafe">
  readonly purges: Pick<PurgeQueue["Service"], "purgeUnsafe">
  readonly quarantine: Pick<Quarantine["Service"], "copy" | "fill" | "get" | "onRaised" | "scentId">
}

/** Nothing escalates, and new evidence pays nothing for it. */
const withoutHounds: Escalation["Service"] = {
  escalateUnsafe: () => null,
  activateUnsafe: () => null
}

/** Listens to the pool and the quarantine from now on. */
export const make = (
  { caller, failSafe, pool, purges, quarantine, settings }: EscalationServices
): Escalation["Service"] => {
  const { fill, severity } = settings.hound.escalation
  const threshold = severityRank(severity)
  const activate = ({ hash, severity, signature, size }: EvidenceHandle, category: ThreatCategory): Hound | null =>
    pool.activateUnsafe({
      signature,
      category,
      severity,
      size,
      hash,
      span: caller.current(),
      scentId: () => quarantine.scentId(signature),
      copy: (room) => quarantine.copy(signature, room)
    })
  pool.onFailure(({ isVerdict, kind, signature }: HoundFailure) => {
    const details = (): AlertDetails => {
      const id = quarantine.scentId(signature)
      return id === undefined ? { signature } : { signature, id }
    }
    // A verdict counts for nothing towards a panic: an attacker who can send such evidence could
    // switch Tracehound off, one verdict after the other.
    const action = failSafe.reportUnsafe(
      kind === "timeout" ? "timeout" : "hound_error",
      kind === "timeout" ? timeoutError : houndError,
      { countsTowardsPanic: !isVerdict, details }
    )
    if (action === "Purge") purges.purgeUnsafe(signature, kind)
  })
  quarantine.onRaised(({ before, handle, severity }) => {
    if (before < threshold && severity >= threshold) activate(handle, categoryOf(handle.signature))
  })
  return {
    escalateUnsafe: (handle, category, severity) => {
      if (severity < threshold) {
        if (quarantine.fill() < fill) return null
        if (!pool.isFreeUnsafe()) {
          pool.skipUnsafe()
          return null
        }
      }
      return activate(handle, categoryAt(category))
    },
    activateUnsafe: (signature) => {
      const handle = quarantine.get(signature)
      return handle === null ? null : activate(handle, categoryOf(signature))
    }
  }
}

/** The category in the signature of held evidence. */
const categoryOf = (signature: string): ThreatCategory =>
  threatCategories.find((category) => signature.startsWith(`${category}:`)) ?? "unknown"

const timeoutError = problem({
  state: "hound",
  code: "hound_timeout",
  message: "a hound did not answer within hound.maxProcessingTime: what failSafe.onTimeout says was done"
})

const houndError = problem({
  state: "hound",
  code: "hound_error",
  message: "a hound failed over its evidence: what failSafe.onHoundError says was done"
})
