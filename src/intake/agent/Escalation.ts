/**
 * When evidence is not only held but looked at, and what is done where that fails (CONFORMANCE H4,
 * H7, F1).
 *
 * Evidence escalates that is bad enough, or that comes when the quarantine is nearly full; and
 * evidence that a duplicate has made bad enough, though the duplicate's own answer is `ignored`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Tracer from "effect/Tracer"
import type { EvidenceHandle } from "../../domain/Evidence.ts"
import type { Hound } from "../../domain/Hound.ts"
import { Settings } from "../../config/Settings.ts"
import { threatCategories, type ThreatCategory } from "../../domain/Scent.ts"
import { severities } from "../../domain/Severity.ts"
import { problem } from "../../domain/TracehoundError.ts"
import { FailSafe, type ReportOptions } from "../../safety/failsafe/FailSafe.ts"
import { type HoundFailure, HoundPool } from "../../hound/pool/HoundPool.ts"
import { categoryAt } from "../../custody/quarantine/ExitFacts.ts"
import { PurgeQueue } from "../../custody/quarantine/PurgeQueue.ts"
import { Quarantine } from "../../custody/quarantine/Quarantine.ts"

/** Sends hounds. */
export class Escalation extends Context.Service<Escalation, {
  /**
   * The hound that was activated for evidence just taken in, or null: it does not escalate, or
   * waits for a hound. Synchronous, O(1), never throws. Category and severity are places in
   * `threatCategories` and `severities`.
   */
  readonly escalateUnsafe: (handle: EvidenceHandle, category: number, severity: number) => Hound | null
  /**
   * The hound that was activated for evidence that is held, whatever the threshold; null: it is not
   * held, or waits for a hound.
   */
  readonly activateUnsafe: (signature: string) => Hound | null
  /** Does something in the name of a span: what escalates meanwhile is linked to it. */
  readonly within: <A>(span: Tracer.AnySpan | undefined, thunk: () => A) => A
}>()("tracehound/intake/agent/Escalation") {
  /** As configured under `hound.escalation`. */
  static readonly layer = Layer.effect(
    Escalation,
    Effect.gen(function*() {
      const { hound } = yield* Settings
      const { fill, severity: threshold } = hound.escalation
      const failSafe = yield* FailSafe
      const pool = yield* HoundPool
      const purges = yield* PurgeQueue
      const quarantine = yield* Quarantine
      // Without hounds nothing is made for them: this is on the way of every piece of new evidence.
      if (!pool.hasHounds) {
        return Escalation.of({
          escalateUnsafe: () => null,
          activateUnsafe: () => null,
          within: (_span, thunk) => thunk()
        })
      }
      const worst = severities.indexOf(threshold)
      pool.onFailure(({ isVerdict, kind, signature }: HoundFailure) => {
        const action = failSafe.reportUnsafe(
          kind === "timeout" ? "timeout" : "hound_error",
          kind === "timeout" ? timeoutError : houndError,
          isVerdict ? verdictReport : undefined
        )
        if (action === "Purge") purges.purgeUnsafe(signature, kind)
      })
      let current: Tracer.AnySpan | undefined
      const activate = ({ hash, severity, signature, size }: EvidenceHandle, category: ThreatCategory): Hound | null =>
        pool.activateUnsafe({
          signature,
          category,
          severity,
          size,
          hash,
          span: current,
          copy: () => quarantine.copy(signature)
        })
      quarantine.onRaised(({ before, handle, severity }) => {
        if (before < worst && severity >= worst) activate(handle, categoryOf(handle.signature))
      })
      return Escalation.of({
        escalateUnsafe: (handle, category, severity) =>
          severity < worst && quarantine.fill() < fill ? null : activate(handle, categoryAt(category)),
        activateUnsafe: (signature) => {
          const handle = quarantine.get(signature)
          return handle === null ? null : activate(handle, categoryOf(signature))
        },
        within: (span, thunk) => {
          const before = current
          current = span
          try {
            return thunk()
          } finally {
            current = before
          }
        }
      })
    })
  )
}

/**
 * A verdict counts for nothing towards a panic: an attacker who can send such evidence could switch
 * Tracehound off, one verdict after the other.
 */
const verdictReport: ReportOptions = { countsTowardsPanic: false }

/** The category that a signature begins with. */
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
