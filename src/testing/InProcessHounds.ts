/**
 * Hounds without processes: they look at evidence on a fiber, and a test says how that ends.
 *
 * Keeps the pool's promises (`hound/HoundPool.ts`): numbers that are true at all times, no more at once than `hound.maxActive`, work
 * that waits first in first out, an end within `hound.maxProcessingTime`. It gives no isolation whatever.
 *
 * **Gotchas**
 *
 * - A verdict is settled when a hound begins, not when it was activated.
 * - Under TestClock a hound that hangs is given up when the test moves time.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ActorSystem } from "../actor/ActorSystem.ts"
import type { Hound } from "../domain/Hound.ts"
import { secureIdBytes, secureIdText } from "../domain/SecureIdText.ts"
import { Settings } from "../domain/Settings.ts"
import { SecureIds } from "../evidence/SecureIds.ts"
import { makeActivations } from "../hound/Activations.ts"
import { type HoundFailure, type HoundJob, HoundPool, noOutcomes } from "../hound/HoundPool.ts"

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
      let active = 0
      let terminated = 0
      const outcomes = { ...noOutcomes }

      const makeHound = (): Hound => {
        const bytes = new Uint8Array(secureIdBytes)
        const now = clock.currentTimeMillisUnsafe()
        ids.nextInto(bytes, now)
        return { id: secureIdText(bytes), state: "active", createdAt: now, activatedAt: now }
      }
      /** The hounds of what was activated and has not begun. */
      const activated = new Map<HoundJob, Hound>()
      const failed = (kind: HoundFailure["kind"], isVerdict: boolean, hound: Hound, job: HoundJob) =>
        Effect.sync(() => {
          terminated += 1
          outcomes[kind] += 1
          for (const listener of listeners) listener({ kind, isVerdict, hound: hound.id, signature: job.signature })
        })
      const look = (job: HoundJob, hound: Hound): Effect.Effect<void> => {
        const verdict = verdicts.shift() ?? ordinary
        if (verdict === "error" || verdict === "crash") return failed("error", verdict === "error", hound, job)
        if (verdict === "complete") {
          outcomes.complete += 1
          return Effect.void
        }
        return Effect.andThen(Effect.sleep(maxProcessingTime), failed("timeout", false, hound, job))
      }
      const examine = (job: HoundJob): Effect.Effect<void> =>
        Effect.suspend(() => {
          const hound = activated.get(job) ?? makeHound()
          if (!activated.delete(job)) active += 1
          const bytes = job.copy()
          examined.push({ signature: job.signature, size: bytes?.length ?? null })
          if (bytes === null) outcomes.left += 1
          return Effect.ensuring(
            bytes === null ? Effect.void : look(job, hound),
            Effect.sync(() => {
              active -= 1
            })
          )
        })
      const activations = yield* makeActivations(root, { maxActive, maxPending, examine })
      return {
        hasHounds: enabled,
        stats: () => ({
          dormant: Math.max(minimumDormant, maxActive) - active,
          active,
          terminated,
          sandbox: "none" as const
        }),
        outcomes: () => ({ ...outcomes }),
        hounds: () => [],
        sandbox: () => null,
        deactivateUnsafe: () => false,
        terminateUnsafe: () => false,
        activateUnsafe: (job) => {
          const isFree = active < maxActive && activations.waitingUnsafe() === activated.size
          const hound = isFree ? makeHound() : null
          if (!activations.tellUnsafe(job) || hound === null) return null
          active += 1
          activated.set(job, hound)
          return hound
        },
        onFailure: (listener) => {
          listeners.push(listener)
        },
        rotate: Effect.suspend(() => {
          rotations += 1
          return rotationMs > 0 ? Effect.sleep(rotationMs) : Effect.void
        }),
        isBusy: () => active > 0,
        start: Effect.void
      }
    })
  )
  return { control, layer }
}
