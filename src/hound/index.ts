/**
 * The types of an analyzer: the one function that a hound calls (RFC, "Hound Pool"). Types only: an
 * analyzer is bundled into one module without imports, and nothing of Tracehound goes into it.
 * docs/analyzers.md is the guide.
 *
 * **Example** (A module with an analyzer)
 *
 * ```ts
 * import type { Analyze, Analyzer } from "tracehound/hound"
 *
 * export const analyze: Analyze = (bytes, evidence) => {
 *   const view = new DataView(bytes)
 *   const isElf = view.byteLength > 4 && view.getUint32(0) === 0x7f454c46
 *   return isElf && evidence.category === "malware" ? "error" : "complete"
 * }
 *
 * // The module as a whole, checked: it exports at least `analyze`.
 * ({ analyze }) satisfies Analyzer
 * ```
 */
import type { ThreatCategory } from "../domain/Scent.ts"
import type { Severity } from "../domain/Severity.ts"

/** The facts about evidence before it is examined. They say nothing of who sent it. */
export interface EvidenceFacts {
  /** What the detector called the threat. */
  readonly category: ThreatCategory
  /** How bad the detector said that it is. */
  readonly severity: Severity
  /** Bytes of evidence. */
  readonly size: number
  /**
   * SHA-256 of the evidence, 64 digits in lower case; null where signatures are keyed, as then it
   * is a secret.
   */
  readonly sha256: string | null
}

/**
 * How an examination ended. `error`: the evidence could not be examined, and
 * `failSafe.onHoundError` says what is done with it. An analyzer's findings are not part of it: all
 * that leaves a hound is how its job ended, how long it took and how much memory it held.
 */
export type Verdict = "complete" | "error"

/**
 * Examines one piece of evidence. The bytes are the hound's own copy, to be changed at will.
 * Throwing, rejecting and answering `error` have the same effect; any other answer, none among
 * them, is `complete`.
 *
 * **Example** (An analyzer that checks the digest)
 *
 * ```ts
 * import type { Analyze } from "tracehound/hound"
 *
 * export const analyze: Analyze = async (bytes, { sha256 }) => {
 *   if (sha256 === null) return "complete"
 *   const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))
 *   const text = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")
 *   return text === sha256 ? "complete" : "error"
 * }
 * ```
 */
export type Analyze = (bytes: ArrayBuffer, evidence: EvidenceFacts) => Verdict | void | Promise<Verdict | void>

/** The exports of an analyzer's module. It may have others, which are ignored. */
export interface Analyzer {
  readonly analyze: Analyze
}
