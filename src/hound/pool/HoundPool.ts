/**
 * The pool of hounds, as its callers see it (RFC, "Hound Pool"; CONFORMANCE H1, H7): somebody who
 * takes a look at evidence, and what may go wrong with that.
 *
 * Whoever activates a hound hands over no bytes but the way to a copy of them: evidence that has
 * left custody by the time a hound is free is not looked at.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Tracer from "effect/Tracer"
import type { Hound, SandboxLevel } from "../../domain/Hound.ts"
import type { ThreatCategory } from "../../domain/Scent.ts"
import type { Severity } from "../../domain/Severity.ts"
import type { SandboxReport } from "../sandbox/Sandbox.ts"

/** One piece of evidence to be looked at. */
export interface HoundJob {
  readonly signature: string
  readonly category: ThreatCategory
  readonly severity: Severity
  /** Bytes. */
  readonly size: number
  /** SHA-256 of the evidence, in hexadecimal. */
  readonly hash: string
  /**
   * The span of whoever's threat it was, for the look's own to link to; undefined where there was
   * none.
   */
  readonly span: Tracer.AnySpan | undefined
  /** A copy of the evidence, for the hound to own; null where it is no longer held. */
  readonly copy: () => Uint8Array<ArrayBuffer> | null
}

/** A hound did not come to an end with its evidence. */
export interface HoundFailure {
  /** Not in time, or not at all. */
  readonly kind: "timeout" | "error"
  /**
   * Whether that is the hound's own verdict, which evidence can be made to provoke: the hound
   * itself is well.
   */
  readonly isVerdict: boolean
  readonly hound: string
  readonly signature: string
}

/** Numbers of hounds, true at all times. */
export interface HoundStats {
  readonly dormant: number
  readonly active: number
  /** Killed by force, so far. */
  readonly terminated: number
  /**
   * What keeps evidence in that they look at, as it is in effect; `none` while there are no hounds.
   */
  readonly sandbox: SandboxLevel
}

/**
 * Looks that have ended, by how: each piece of evidence that was taken on is in one of them, once.
 */
export interface HoundOutcomes {
  /** A hound came to an end with it. */
  readonly complete: number
  /** The hound's verdict, or its bad end; or one hound after the other was lost over it. */
  readonly error: number
  readonly timeout: number
  /** It had left custody before a hound was free. */
  readonly left: number
  /** It was given up: by `deactivate`, or since Tracehound was closed. */
  readonly abandoned: number
  /** There are no hounds. */
  readonly unavailable: number
}

/** Hounds do not come to be ready, and what is configured is why. */
export class HoundBootError extends Schema.TaggedError<HoundBootError>()("HoundBootError", {
  reason: Schema.String
}) {
  override get message(): string {
    return `hounds do not start: ${this.reason}`
  }
}

/** Nothing was looked at. */
export const noOutcomes: HoundOutcomes = Object.freeze({
  complete: 0,
  error: 0,
  timeout: 0,
  left: 0,
  abandoned: 0,
  unavailable: 0
})

/** Hounds for evidence. All but `rotate` and `start` is synchronous and never throws. */
export class HoundPool extends Context.Service<HoundPool, {
  /** Whether there are any, ever: what need not be rotated is not. */
  readonly hasHounds: boolean
  readonly stats: () => HoundStats
  readonly outcomes: () => HoundOutcomes
  /**
   * The hounds that there are, the oldest first; those that are not ready yet are not among them.
   * O(n).
   */
  readonly hounds: () => ReadonlyArray<Hound>
  /** What the sandbox is made of on this machine; null until that was looked at. */
  readonly sandbox: () => SandboxReport | null
  /**
   * Activates a hound that is free; null where none is: the work then waits its turn, first in,
   * first out.
   */
  readonly activateUnsafe: (job: HoundJob) => Hound | null
  /**
   * Gives up what an active hound is looking at: whatever comes of it is told nobody, and the hound
   * is dormant again when it is through. By its id; false where it is not active.
   */
  readonly deactivateUnsafe: (hound: string) => boolean
  /**
   * Kills a hound by force; what it was looking at another one looks at. By its id; false where
   * there is none.
   */
  readonly terminateUnsafe: (hound: string) => boolean
  /** From now on, calls back with each failure, on the pool's own turn. Must not throw. */
  readonly onFailure: (listener: (failure: HoundFailure) => void) => void
  /** Replaces the dormant hounds by new ones (CONFORMANCE H5). */
  readonly rotate: Effect.Effect<void>
  /** Whether any hound is active. */
  readonly isBusy: () => boolean
  /** Comes back when the dormant hounds are ready. */
  readonly start: Effect.Effect<void, HoundBootError>
}>()("tracehound/hound/HoundPool") {
  /** No hounds: evidence is held, and nobody looks at it. */
  static readonly layerNone = Layer.succeed(HoundPool, {
    hasHounds: false,
    stats: () => ({ dormant: 0, active: 0, terminated: 0, sandbox: "none" as const }),
    outcomes: () => noOutcomes,
    hounds: () => [],
    sandbox: () => null,
    activateUnsafe: () => null,
    deactivateUnsafe: () => false,
    terminateUnsafe: () => false,
    onFailure: () => undefined,
    rotate: Effect.void,
    isBusy: () => false,
    start: Effect.void
  })
}
