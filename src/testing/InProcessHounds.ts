/**
 * Hounds without processes: they look at evidence on a fiber, and a test says how that ends.
 *
 * Keeps the pool's promises (`hound/pool/HoundPool.ts`): numbers that are true at all times, no
 * more at once than `hound.maxActive`, work that waits first in first out, an end within
 * `hound.maxProcessingTime`. It gives no isolation whatever.
 *
 * **Gotchas**
 *
 * - A verdict is settled when a hound begins, not when it was activated.
 * - Under TestClock a hound that hangs is given up when the test moves time.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ActorSystem } from "../actor/ActorSystem.ts"
import type { Hound } from "../domain/Hound.ts"
import { secureIdBytes, secureIdText } from "../domain/SecureIdText.ts"
import { Settings } from "../config/Settings.ts"
import { SecureIds } from "../custody/evidence/SecureIds.ts"
import { makeActivations } from "../hound/pool/Activations.ts"
import { type HoundFailure, type HoundJob, HoundPool, noOutcomes } from "../hound/pool/HoundPool.ts"

/** How a hound ends: well, with the verdict `error`, not at all, or by dying over its evidence. */
export type Verdict = "complete" | "error" | "hang" | "crash"

/** Something that a hound looked at, or was to look at when it had left already. */
export interface Examined {
  readonly signature: string
  /** Bytes that the hound was given; null where the evidence had left. */
  readonly size: number | null
}

/** What a test does with hounds. */
export class InProcessHounds extends Context.Service<InProcessHounds, {
  /** What was looked at, in the order in which it began. */
  readonly examined: Effect.Effect<ReadonlyArray<Examined>>
  /** The next hounds that begin end like this, one each; after that, as `always` says. */
  readonly next: (...verdicts: ReadonlyArray<Verdict>) => Effect.Effect<void>
  /** How hounds end that nobody said anything about: `complete`, unless this was called. */
  readonly always: (verdict: Verdict) => Effect.Effect<void>
  /** How often the dormant ones were replaced: rotations begun, the one under way among them. */
  readonly rotations: Effect.Effect<number>
  /** Rotations that begin from now on take so many ms; 0, as at first, is none. */
  readonly slowRotationsBy: (ms: number) => Effect.Effect<void>
}>()("tracehound/testing/InProcessHounds") {}

/** A hound at its evidence. */
interface Examination {
  readonly job: HoundJob
  readonly hound: Hound
  readonly killed: Deferred.Deferred<void>
  /** It was deactivated: what comes of it is told nobody. */
  isUnwanted: boolean
}

/** Both services: the control at once, the pool where its rooms are. */
export interface Hounds {
  readonly control: InProcessHounds["Service"]
  readonly layer: Layer.Layer<HoundPool, never, ActorSystem | SecureIds | Settings>
}

/** Hounds that have looked at nothing. One layer, to be built once. */
export const make = (): Hounds => {
  const examined: Array<Examined> = []
  const verdicts: Array<Verdict> = []
  let ordinary: Verdict = "complete"
  let rotations = 0
  let rotationMs = 0
  const control = InProcessHounds.of({
    examined: Effect.sync(() => [...examined]),
    next: (...more) =>
      Effect.sync(() => {
        verdicts.push(...more)
      }),
    always: (verdict) =>
      Effect.sync(() => {
        ordinary = verdict
      }),
    rotations: Effect.sync(() => rotations),
    slowRotationsBy: (ms) =>
      Effect.sync(() => {
        rotationMs = ms
      })
  })
  const layer = Layer.effect(
    HoundPool,
    Effect.gen(function*() {
      const { hound: { enabled, maxActive, maxPending, maxProcessingTime, minimumDormant } } = yield* Settings
      const { root } = yield* ActorSystem
      const clock = yield* Clock.Clock
      const ids = yield* SecureIds
      const listeners: Array<(failure: HoundFailure) => void> = []
      const outcomes = { ...noOutcomes }
      /** What is looked at, by the hound's id. */
      const looks = new Map<string, Examination>()
      /** The hounds of what was activated and has not begun. */
      const activated = new Map<HoundJob, Hound>()
      let terminated = 0

      const born = (): Hound => {
        const now = clock.currentTimeMillisUnsafe()
        ids.nextInto(id, now)
        return { id: secureIdText(id), state: "dormant", createdAt: now, activatedAt: null }
      }
      const id = new Uint8Array(secureIdBytes)
      const dormant = enabled ? Array.from({ length: Math.max(minimumDormant, maxActive) }, born) : []
      const activate = (): Hound => ({
        ...dormant.shift() ?? born(),
        state: "active",
        activatedAt: clock.currentTimeMillisUnsafe()
      })
      /** A hound has ended, by force, and there is another one. */
      const replace = (look: Examination): void => {
        looks.delete(look.hound.id)
        terminated += 1
        dormant.push(born())
      }
      const rest = (look: Examination): void => {
        looks.delete(look.hound.id)
        dormant.push({ ...look.hound, state: "dormant", activatedAt: null })
      }
      const failed = (kind: HoundFailure["kind"], isVerdict: boolean, look: Examination): void => {
        replace(look)
        if (look.isUnwanted) return
        outcomes[kind] += 1
        const { hound, job } = look
        for (const listener of listeners) listener({ kind, isVerdict, hound: hound.id, signature: job.signature })
      }
      const conclude = (verdict: Exclude<Verdict, "hang"> | "timeout", look: Examination): void => {
        if (verdict === "timeout") return failed("timeout", false, look)
        if (verdict !== "complete") return failed("error", verdict === "error", look)
        rest(look)
        if (!look.isUnwanted) outcomes.complete += 1
      }
      const examineWith = (job: HoundJob, hound: Hound): Effect.Effect<void> =>
        Effect.gen(function*() {
          const look: Examination = { job, hound, isUnwanted: false, killed: yield* Deferred.make<void>() }
          looks.set(hound.id, look)
          const bytes = job.copy()
          examined.push({ signature: job.signature, size: bytes?.length ?? null })
          if (bytes === null) {
            outcomes.left += 1
            return rest(look)
          }
          const verdict = verdicts.shift() ?? ordinary
          if (verdict !== "hang") return conclude(verdict, look)
          const isKilled = yield* Effect.raceFirst(
            Effect.as(Deferred.await(look.killed), true),
            Effect.as(Effect.sleep(maxProcessingTime), false)
          )
          if (!isKilled) return conclude("timeout", look)
          replace(look)
          if (!look.isUnwanted) yield* examineWith(job, activate())
        })
      const activations = yield* makeActivations(root, {
        places: maxActive,
        maxPending,
        examine: (job) =>
          Effect.suspend(() => {
            const hound = activated.get(job) ?? activate()
            activated.delete(job)
            return examineWith(job, hound)
          })
      })
      const active = (): number => looks.size + activated.size
      /** Where a hound has not begun yet, there is nothing to give up or to hand over. */
      const steer = (hound: string, change: (look: Examination) => void): boolean => {
        const look = looks.get(hound)
        if (look === undefined) return false
        change(look)
        return true
      }
      return {
        hasHounds: enabled,
        stats: () => ({ dormant: dormant.length, active: active(), terminated, sandbox: "none" as const }),
        outcomes: () => ({ ...outcomes }),
        hounds: () => [...dormant, ...activated.values(), ...[...looks.values()].map(({ hound }) => hound)],
        sandbox: () => null,
        deactivateUnsafe: (hound) =>
          steer(hound, (look) => {
            if (!look.isUnwanted) outcomes.abandoned += 1
            look.isUnwanted = true
          }),
        terminateUnsafe: (hound) => steer(hound, ({ killed }) => Deferred.doneUnsafe(killed, Effect.void)),
        activateUnsafe: (job) => {
          const isFree = active() < maxActive && activations.waitingUnsafe() === activated.size
          if (!activations.tellUnsafe(job) || !isFree) return null
          const hound = activate()
          activated.set(job, hound)
          return hound
        },
        onFailure: (listener) => {
          listeners.push(listener)
        },
        rotate: Effect.suspend(() => {
          rotations += 1
          for (let rest = dormant.splice(0).length; rest > 0; rest--) dormant.push(born())
          return rotationMs > 0 ? Effect.sleep(rotationMs) : Effect.void
        }),
        isBusy: () => active() > 0,
        start: Effect.void
      }
    })
  )
  return { control, layer }
}
