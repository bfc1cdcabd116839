/**
 * What a sandbox is here: its levels, what each is made of, and what of it holds on this machine
 * (CONFORMANCE H2).
 */
import type { SandboxLevel } from "../../domain/Hound.ts"
import type { LaunchPlan } from "../process/Spawner.ts"

/** One part of the sandbox, and whether it holds on this machine. */
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
  /** Fixed text for people: what was found, and what to do. */
  readonly note: string
}

/** What this machine gives. */
export interface SandboxReport {
  readonly configured: Exclude<SandboxLevel, "none">
  /** What hounds are started at; `none`: there are no hounds. */
  readonly level: SandboxLevel
  /** Whether this is a platform on which the sandbox was measured. */
  readonly measured: boolean
  readonly platform: string
  readonly node: string
  readonly mechanisms: ReadonlyArray<Mechanism>
  /**
   * Parts of the level in effect that this machine lacks: it is less than its name says. Empty
   * where it is whole.
   */
  readonly lacking: ReadonlyArray<Mechanism["name"]>
}

/** What is asked for. Paths are absolute. */
export interface SandboxRequest {
  readonly level: Exclude<SandboxLevel, "none">
  /** The analyzer's file; what comes with Tracehound where it is left out. */
  readonly analyzer?: { readonly path: string; readonly sha256?: string | undefined } | undefined
  /** Evidence of at most so many bytes is looked at: what a hound may hold grows with it. */
  readonly maxPayloadSize: number
  readonly debug: boolean
}

/**
 * How hounds are started here, and what that is worth. The plan is null where the level is `none`.
 */
export interface Sandbox {
  readonly report: SandboxReport
  readonly plan: LaunchPlan | null
}

/** What the hound's entry ends with where it does not get as far as to be ready (`entry.mjs`). */
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
  /** What came through the pipe is no job. */
  badJob: 68
} as const
