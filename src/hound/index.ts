/**
 * What an analyzer is written against: the types of the one function that a hound calls (RFC,
 * "Hound Pool"). Types only: an analyzer is bundled into one module without imports, and nothing of
 * Tracehound goes into it. docs/analyzers.md is the guide.
 *
 * @example
 * import type { Analyze, Analyzer } from "tracehound/hound"
 *
 * export const analyze: Analyze = (bytes, evidence) => { const view = new DataView(bytes) if
 * (evidence.category === "malware" && view.byteLength > 4 && view.getUint32(0) === 0x7f454c46)
 * return "error" return "complete" }
 *
 * // The module as a whole, checked: it exports at least `analyze`.
 * ({ analyze }) satisfies Analyzer
 */
import type { ThreatCategory } from "../domain/Scent.ts"
import type { Severity } from "../domain/Severity.ts"

/** What is known of the evidence before anybody looks at it. It says nothing of who sent it. */
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
 * How a look at evidence came out. `error`: it could not be examined, and `failSafe.onHoundError`
 * says what becomes of it. What an analyzer found is not among them: all that leaves a hound is how
 * its job ended, how long it took and how much memory it held.
 */
export type Verdict = "complete" | "error"

/**
 * Looks at one piece of evidence. The bytes are the hound's own copy: do with them what you like.
 * Throwing, rejecting and answering `error` come to the same; anything else, nothing at all as
 * well, is `complete`.
 *
 * @example
 * export const analyze: Analyze = async (bytes, { sha256 }) => {
 *   if (sha256 === null) return "complete"
 *   const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))
 *   const text = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")
 *   return text === sha256 ? "complete" : "error"
 * }
 */
export type Analyze = (bytes: ArrayBuffer, evidence: EvidenceFacts) => Verdict | void | Promise<Verdict | void>

/** What an analyzer's module exports. Other exports are nobody's business. */
export interface Analyzer {
  readonly analyze: Analyze
}
