/**
 * The types of builtin.mjs, for tests that call its parts outside of a hound.
 */
import type { EvidenceFacts, Verdict } from "../index.ts"

export const keptBytes: number
export const maxLevels: number

/** The budget of one piece of evidence: bytes of output, and steps of work. */
export interface Limits {
  readonly output: number
  readonly steps: number
}

/** The part of the budget that was spent so far. */
export interface Work {
  readonly output: number
  readonly steps: number
  readonly streams: number
}

export type ArchiveRefusal = "bomb" | "budget" | "deep" | "lies"

export interface Sink {
  /** Bytes of the current stream, and its checksum. */
  readonly size: number
  readonly check: number
  /** Where in the input it ended. */
  readonly at: number
  readonly kept: Uint8Array
  readonly keptLength: number
}

export interface SinkOptions {
  readonly keep?: number
  readonly limit?: number
  readonly mustKeep?: boolean
  readonly sum?: "crc" | "adler"
}

export interface Profile {
  readonly type: string
  readonly entropy: number
  readonly lowest: number
  readonly highest: number
  readonly windows: number
  readonly looksRandom: boolean
}

export interface Probed extends Work {
  readonly outcome: ArchiveRefusal | "sound" | "broken"
}

export const limits: (size: number) => Limits
export const makeWork: (size: number, limits?: Limits) => Work
export const makeSink: (work: Work, options?: SinkOptions) => Sink
export const crc32: (crc: number, bytes: Uint8Array, from: number, to: number) => number
export const inflate: (
  input: Uint8Array,
  from: number,
  to: number,
  sink: Sink
) => "done" | "cut" | "broken" | "over" | "bomb" | "budget"
export const typeOf: (bytes: Uint8Array) => string
export const profile: (bytes: Uint8Array) => Profile
export const probe: (bytes: Uint8Array, work?: Work) => Probed
export const checkEnvelope: (bytes: Uint8Array, work?: Work) => Promise<{
  readonly outcome: "none" | "sound" | "broken" | "bomb"
  readonly content: Uint8Array | null
}>
export const examine: (bytes: Uint8Array) => Promise<{
  readonly refusal: ArchiveRefusal | "broken" | null
  readonly profile: Profile | null
  readonly probe: Probed | null
}>
export const analyze: (bytes: ArrayBuffer, evidence: EvidenceFacts) => Promise<Verdict>
