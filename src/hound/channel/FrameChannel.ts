/**
 * The host's half of a hound's channel (CONFORMANCE H3): a state machine that makes decisions out
 * of bytes. Pure, without I/O and without a clock.
 *
 *     boot --ready--> idle --send()--> sent --processing--> processing
 *     processing --[metrics]--> processing --complete | error--> idle
 *     every state --anything else--> dead
 *
 * Promises
 *
 * - that a decision is one of four kinds, made of numbers that were checked and of fixed text: no
 *   text that came through the pipe is ever decoded, kept or handed on;
 * - that a job has at most three frames, in their order and with their numbers, and that a hound
 *   without a job may send nothing, not even half a frame: a verdict that was prepared before its
 *   job is a violation;
 * - that how bytes were cut into chunks changes no decision, as long as no chunk is over 96 bytes:
 *   that is a violation at once;
 * - that nothing follows a violation.
 *
 * Cost: O(length) for a chunk of up to 96 bytes, O(1) for a longer one. It holds 24 bytes, whatever
 * comes. No copy of a chunk is made.
 *
 * **Gotchas**
 *
 * - It knows no time: the caller's deadline finds a hound that says too little.
 * - A hound makes its metrics itself: they are hints.
 */
import { frameBytes, frameKinds, frameMagic, frameVersion } from "./Frames.ts"

/** How a hound broke the channel's rules. Fixed text. */
export type Violation =
  | "oversized"
  | "bad magic"
  | "bad version"
  | "bad kind"
  | "bad padding"
  | "bad sequence"
  | "bad job"
  | "out of turn"
  /** It answered before it had read its evidence: the connection finds that, not the channel. */
  | "evidence unread"

/** One frame of a hound's, or the violation that ends its channel. */
export type Decision =
  | { readonly type: "ready"; readonly memoryKiB: number }
  | { readonly type: "status"; readonly job: number; readonly state: "processing" | "complete" | "error" }
  | {
    readonly type: "metrics"
    readonly job: number
    /** In ms. */
    readonly processingTime: number
    /** In bytes. */
    readonly memoryUsed: number
  }
  | { readonly type: "violation"; readonly reason: Violation }

export type ChannelState = "boot" | "idle" | "sent" | "processing" | "dead"

/** Most bytes of a chunk: a whole job is three frames, and a flood is more. */
export const maxChunkBytes = 4 * frameBytes

const nothing: ReadonlyArray<Decision> = []

const maxJob = 0xffff_ffff

export class FrameChannel {
  #state: ChannelState = "boot"
  #job = 0
  #hasMetrics = false
  /** The sequence number that the next frame must have. */
  #sequence: number
  /** A frame, and how many bytes of it are there. */
  readonly #frame = new DataView(new ArrayBuffer(frameBytes))
  #have = 0

  /** `sequence` is that of the first frame; hounds begin at 0. */
  constructor(sequence = 0) {
    this.#sequence = sequence
  }

  get state(): ChannelState {
    return this.#state
  }

  /**
   * The caller sends a job, a whole number from 1 to 2^32 - 1. Throws where it is not the hound's
   * turn to get one: that is the caller's mistake and never a hound's.
   */
  send(job: number): void {
    if (this.#state !== "idle") throw new Error(`a job cannot be sent to a hound that is ${this.#state}`)
    if (!Number.isInteger(job) || job < 1 || job > maxJob)
      throw new RangeError("a job is a whole number from 1 to 2^32 - 1")
    this.#job = job
    this.#hasMetrics = false
    this.#state = "sent"
  }

  /**
   * The decisions of a chunk, in order. Nothing follows a violation, and a dead channel makes no
   * decisions.
   */
  feed(chunk: Uint8Array): ReadonlyArray<Decision> {
    if (this.#state === "dead" || chunk.length === 0) return nothing
    if (chunk.length > maxChunkBytes) return [this.#violation("oversized")]
    const decisions: Array<Decision> = []
    for (let i = 0; i < chunk.length; i++) {
      if (this.#state === "idle") {
        decisions.push(this.#violation("out of turn"))
        break
      }
      this.#frame.setUint8(this.#have++, chunk[i] ?? 0)
      if (this.#have < frameBytes) continue
      this.#have = 0
      const decision = this.#decide()
      decisions.push(decision)
      if (decision.type === "violation") break
    }
    return decisions
  }

  /** From now on it makes no decisions. */
  close(): void {
    this.#state = "dead"
  }

  #violation(reason: Violation): Decision {
    this.#state = "dead"
    return { type: "violation", reason }
  }

  /** Checks the frame when all of it is there. */
  #decide(): Decision {
    const frame = this.#frame
    if (frame.getUint16(0, true) !== frameMagic) return this.#violation("bad magic")
    if (frame.getUint8(2) !== frameVersion) return this.#violation("bad version")
    const kind = frame.getUint8(3)
    if (kind > frameKinds.metrics) return this.#violation("bad kind")
    if (frame.getUint32(20, true) !== 0) return this.#violation("bad padding")
    if (frame.getUint32(4, true) !== this.#sequence) return this.#violation("bad sequence")
    this.#sequence = (this.#sequence + 1) >>> 0
    if (frame.getUint32(8, true) !== (this.#state === "boot" ? 0 : this.#job)) return this.#violation("bad job")
    // Fields that a kind does not use are zero: a hound has no room for anything else.
    const time = frame.getUint32(12, true)
    const memory = frame.getUint32(16, true)
    if (time !== 0 && kind !== frameKinds.metrics) return this.#violation("bad padding")
    if (memory !== 0 && kind !== frameKinds.metrics && kind !== frameKinds.ready) return this.#violation("bad padding")
    return this.#step(kind, time, memory)
  }

  #step(kind: number, time: number, memory: number): Decision {
    const job = this.#job
    switch (this.#state) {
      case "boot":
        if (kind !== frameKinds.ready) break
        this.#state = "idle"
        return { type: "ready", memoryKiB: memory }
      case "sent":
        if (kind !== frameKinds.processing) break
        this.#state = "processing"
        return { type: "status", job, state: "processing" }
      case "processing":
        if (kind === frameKinds.metrics && !this.#hasMetrics) {
          this.#hasMetrics = true
          return { type: "metrics", job, processingTime: time / 1_000, memoryUsed: memory * 1_024 }
        }
        if (kind !== frameKinds.complete && kind !== frameKinds.error) break
        this.#state = "idle"
        return { type: "status", job, state: kind === frameKinds.complete ? "complete" : "error" }
      default:
        break
    }
    return this.#violation("out of turn")
  }
}
