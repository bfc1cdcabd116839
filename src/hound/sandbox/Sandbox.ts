/**
 * The sandbox as data: its levels, the mechanisms of each, and which of them hold on this machine
 * (CONFORMANCE H2).
 */
import type { SandboxLevel } from "../../domain/Hound.ts"
import type { LaunchPlan } from "../process/Spawner.ts"

/** One mechanism of the sandbox, and whether it holds on this machine. */
export interface Mechanism {
  readonly name:
    | "permissionModel"
    | "networkDeniedByFlag"
    | "bootLockdown"
    | "resourceLimits"
    | "memoryMonitor"
    | "userDropped"
    | "namespaces"
    | "seccomp"
  readonly holds: boolean
  /** Text for people: what was found, and what to do. */
  readonly note: string
}

/** The sandbox of this machine: the level in effect, and which mechanisms hold. */
export interface SandboxReport {
  readonly configured: Exclude<SandboxLevel, "none">
  /** The level in effect; `none`: there are no hounds. */
  readonly level: SandboxLevel
  /** Whether this is a platform on which the sandbox was measured. */
  readonly measured: boolean
  readonly platform: string
  readonly node: string
  readonly mechanisms: ReadonlyArray<Mechanism>
  /** Mechanisms that belong to the level in effect and do not hold. Empty where it is whole. */
  readonly lacking: ReadonlyArray<Mechanism["name"]>
}

/** The request of the configuration. Paths are absolute. */
export interface SandboxRequest {
  readonly level: Exclude<SandboxLevel, "none">
  /** The analyzer's file; the one that comes with Tracehound when left out. */
  readonly analyzer?: { readonly path: string; readonly sha256?: string | undefined } | undefined
  /** Most bytes of evidence that is examined: the memory that a hound may hold grows with it. */
  readonly maxPayloadSize: number
  readonly debug: boolean
}

export interface Sandbox {
  readonly report: SandboxReport
  /** How hounds are started; null where the level is `none`. */
  readonly plan: LaunchPlan | null
}

/** Exit codes of a hound's entry that ends before it is ready (`entry.mjs`). */
export const exitCodes = {
  /** A self-test failed: the lockdown does not hold. */
  unlocked: 64,
  /** The analyzer could not be read, or is not the one whose SHA-256 was pinned. */
  notPinned: 65,
  /**
   * The analyzer could not be loaded: an import that is not allowed, a syntax error, or it threw.
   */
  unloadable: 66,
  /** The analyzer exports no function `analyze`. */
  noAnalyze: 67,
  /** The host sent bytes that are no job. */
  badJob: 68
} as const
