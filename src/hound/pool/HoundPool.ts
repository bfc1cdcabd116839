/**
 * The pool of hounds, as its callers see it (RFC, "Hound Pool"; CONFORMANCE H1, H7): it examines
 * evidence, and reports where that fails.
 *
 * The caller hands over no bytes but a function that copies them: evidence that has left custody by
 * the time a hound is free is not examined.
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
import type { HoundCounts } from "./HoundTally.ts"

/** One piece of evidence to be examined. */
export interface HoundJob {
  readonly signature: string
  readonly category: ThreatCategory
  readonly severity: Severity
  /** Bytes. */
  readonly size: number
  /** SHA-256 of the evidence, in hexadecimal. */
  readonly hash: string
  /**
   * The span in which the threat came, for the examination's own span to link to; undefined where
   * there was none.
   */
  readonly span: Tracer.AnySpan | undefined
  /** The id of its scent, for alerts; undefined where it is no longer held. */
  readonly scentId?: () => string | undefined
  /**
   * A copy of the evidence, for the hound to own; null where it is no longer held. It is made in
   * the memory that `room` gives for so many bytes, where there is one.
   */
  readonly copy: (room?: (length: number) => Uint8Array) => Uint8Array | null
}

/** A hound did not finish with its evidence, or could not examine it. */
export interface HoundFailure {
  /** Not in time, or not at all. */
  readonly kind: "timeout" | "error"
  /**
   * Whether that is the hound's own verdict: the hound is well, and evidence can be made to provoke
   * it.
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
   * The sandbox in effect, which keeps in the evidence that they examine; `none` while there are no
   * hounds.
   */
  readonly sandbox: SandboxLevel
}

/**
 * Examinations that have ended, by how: each piece of evidence that was taken on is in one of them,
 * once.
 */
export interface HoundOutcomes {
  readonly complete: number
  /**
   * The hound's verdict, or its bad end; or three hounds, one after the other, were lost over it.
   */
  readonly error: number
  readonly timeout: number
  /** The evidence had left custody before a hound was free. */
  readonly left: number
  /** It was given up: by `deactivate`, or because Tracehound was closed. */
  readonly abandoned: number
  /** There are no hounds. */
  readonly unavailable: number
  /**
   * It came for lack of room while no hound was free: it was not taken on, and is held like all
   * other.
   */
  readonly skipped: number
}

/** Hounds do not become ready, for a reason in the configuration. */
export class HoundBootError extends Schema.TaggedError<HoundBootError>()("HoundBootError", {
  reason: Schema.String
}) {
  override get message(): string {
    return `hounds do not start: ${this.reason}`
  }
}

/** No examination has ended. */
export const noOutcomes: HoundOutcomes = Object.freeze({
  complete: 0,
  error: 0,
  timeout: 0,
  left: 0,
  abandoned: 0,
  unavailable: 0,
  skipped: 0
})

/** The pool. All but `rotate` and `start` is synchronous and never throws. */
export class HoundPool extends Context.Service<HoundPool, {
  /** Whether the configuration has any, ever: only then there is a rotation. */
  readonly hasHounds: boolean
  readonly stats: () => HoundStats
  readonly outcomes: () => HoundOutcomes
  /** What else was counted so far; left out by pools that count nothing else. */
  readonly counts?: HoundCounts
  /**
   * The hounds that there are, the oldest first; those that are not ready yet are not among them.
   * O(n).
   */
  readonly hounds: () => ReadonlyArray<Hound>
  /** The sandbox of this machine, part by part; null until it was tried out. */
  readonly sandbox: () => SandboxReport | null
  /**
   * Activates a hound that is free; null where none is: the job then waits its turn, first in,
   * first out.
   */
  readonly activateUnsafe: (job: HoundJob) => Hound | null
  /** Whether `activateUnsafe` would find a hound now. O(1). */
  readonly isFreeUnsafe: () => boolean
  /** Counts evidence that was not to wait for a hound, where none was free. */
  readonly skipUnsafe: () => void
  /**
   * Gives up what an active hound is examining: its verdict goes nowhere, and the hound is dormant
   * again when it has finished. By its id; false where it is not active.
   */
  readonly deactivateUnsafe: (hound: string) => boolean
  /**
   * Kills a hound by force; another one examines its evidence. By its id; false where there is
   * none.
   */
  readonly terminateUnsafe: (hound: string) => boolean
  /**
   * From now on, calls back with each failure, on the pool's own turn. The listener must not throw.
   */
  readonly onFailure: (listener: (failure: HoundFailure) => void) => void
  /** Replaces the dormant hounds by new ones (CONFORMANCE H5). */
  readonly rotate: Effect.Effect<void>
  readonly isBusy: () => boolean
  /** Comes back when the dormant hounds are ready. */
  readonly start: Effect.Effect<void, HoundBootError>
}>()("tracehound/hound/HoundPool") {
  /** No hounds: evidence is held and not examined. */
  static readonly layerNone = Layer.succeed(HoundPool, {
    hasHounds: false,
    stats: () => ({ dormant: 0, active: 0, terminated: 0, sandbox: "none" as const }),
    outcomes: () => noOutcomes,
    hounds: () => [],
    sandbox: () => null,
    activateUnsafe: () => null,
    isFreeUnsafe: () => false,
    skipUnsafe: () => undefined,
    deactivateUnsafe: () => false,
    terminateUnsafe: () => false,
    onFailure: () => undefined,
    rotate: Effect.void,
    isBusy: () => false,
    start: Effect.void
  })
}
