/**
 * The host's connection to one hound: its pipe, and what is said on it (CONFORMANCE H3).
 *
 * Promises
 *
 * - that the first violation is the last thing that is read: the pipe is destroyed, one decision
 *   says why, and no more than one read (64 KiB) of a flood ever reaches the host's memory;
 * - that evidence is overwritten when its job has ended or the connection was closed, and the
 *   system has taken all of it or will take no more: never while it is still being written;
 * - that what waits to be written is one job: a hound that answers before it has read its evidence
 *   would have the host keep one copy after the other, and is a violation;
 * - that a pipe that ends or fails is one `gone`, unless the host closed it.
 *
 * Cost: one system call for a job's header and evidence together, as long as they fit into the
 * pipe. Memory for evidence of up to 1 MiB is kept and used again (`room`): fresh memory for each
 * job costs page faults, and a collection of the whole heap for each 64 MiB.
 *
 * **Gotchas**
 *
 * - Nothing is read before `onDecision` is called.
 * - It keeps no process alive, and kills none: the listener kills the hound when it hears of a
 *   violation.
 * - The listener may answer a decision at once: `send` and `close` from within the callback are
 *   fine. What a hound said too early after its final frame is a violation all the same; evidence
 *   that was sent in between is overwritten and goes nowhere.
 */
import { Buffer } from "node:buffer"
import type { Socket } from "node:net"
import { type ChannelState, type Decision, FrameChannel, type Violation } from "../channel/FrameChannel.ts"
import { type JobFacts, jobHeader, jobHeaderBytes, writeJobHeader } from "../channel/Frames.ts"

/** A decision of the channel's, or that the pipe is gone. */
export type ConnectionDecision = Decision | { readonly type: "gone" }

/** Most bytes of evidence for which a connection keeps memory, and the least that it takes. */
const mostKept = 1_048_576
const leastKept = 4_096

/** Evidence on its way to the hound. */
interface Cargo {
  readonly bytes: Uint8Array
  /** It is in the memory that the connection keeps. */
  readonly isKept: boolean
  isWritten: boolean
  isOver: boolean
}

const ignore = (): void => undefined

export class HoundConnection {
  readonly #pipe: Socket
  readonly #channel = new FrameChannel()
  #listener: (decision: ConnectionDecision) => void = ignore
  #cargo: Cargo | null = null
  /** Memory for a header, and for evidence behind it: that part is zeros while it is not in use. */
  #kept: Buffer = Buffer.alloc(0)
  #isKeptInUse = false
  #isClosed = false

  /** Takes the pipe over: paused, and with nothing read from it. */
  constructor(pipe: Socket) {
    this.#pipe = pipe
    pipe.unref()
    // `close` follows every error of a pipe.
    pipe.on("error", ignore)
    pipe.on("end", this.#lose)
    pipe.on("close", this.#lose)
  }

  get state(): ChannelState {
    return this.#channel.state
  }

  /** Bytes that were read from the pipe so far. */
  get bytesRead(): number {
    return this.#pipe.bytesRead
  }

  /** Begins to read the pipe. The listener must not throw. To be called once. */
  onDecision(listener: (decision: ConnectionDecision) => void): void {
    this.#listener = listener
    if (this.#isClosed) return
    this.#pipe.on("data", this.#read)
    this.#pipe.resume()
  }

  /**
   * Memory for so many bytes of evidence, to be filled and given to `send` at once. Zeros.
   */
  room(length: number): Uint8Array {
    if (this.#isKeptInUse || this.#isClosed || length > mostKept) return new Uint8Array(length)
    if (this.#kept.length < jobHeaderBytes + length)
      this.#kept = Buffer.alloc(jobHeaderBytes + Math.max(leastKept, 2 ** Math.ceil(Math.log2(length))))
    return this.#kept.subarray(jobHeaderBytes, jobHeaderBytes + length)
  }

  /**
   * Sends a job. The bytes are the connection's from now on, and are overwritten when they are no
   * longer needed. Throws where it is not the hound's turn; where the connection is closed the
   * bytes are overwritten and nothing else happens.
   */
  send(facts: JobFacts, bytes: Uint8Array): void {
    if (this.#isClosed || this.#channel.state === "dead") {
      bytes.fill(0)
      return
    }
    this.#channel.send(facts.job)
    const isKept = bytes.buffer === this.#kept.buffer
    const cargo: Cargo = { bytes, isKept, isWritten: false, isOver: false }
    this.#cargo = cargo
    const written = (): void => {
      cargo.isWritten = true
      this.#wipe(cargo)
    }
    if (isKept) this.#writeKept(facts, bytes.length, written)
    else this.#writeBoth(facts, bytes, written)
  }

  #writeKept(facts: JobFacts, length: number, written: () => void): void {
    this.#isKeptInUse = true
    writeJobHeader(facts, this.#kept)
    this.#pipe.write(this.#kept.subarray(0, jobHeaderBytes + length), written)
  }

  #writeBoth(facts: JobFacts, bytes: Uint8Array, written: () => void): void {
    const pipe = this.#pipe
    pipe.cork()
    pipe.write(jobHeader(facts))
    pipe.write(bytes, written)
    pipe.uncork()
  }

  /** Destroys the pipe. The listener hears nothing from now on. Idempotent. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#channel.close()
    this.#pipe.off("data", this.#read)
    this.#pipe.pause()
    this.#pipe.destroy()
    this.#endJob()
  }

  readonly #read = (chunk: Uint8Array): void => {
    // The system takes the last of a job's bytes before the hound can have read it.
    if (this.#pipe.writableLength > 0 && this.#channel.state !== "boot") return this.#violate("evidence unread")
    for (const decision of this.#channel.feed(chunk)) {
      if (this.#isClosed) return
      if (decision.type === "violation") return this.#violate(decision.reason)
      if (decision.type === "status" && decision.state !== "processing") this.#endJob()
      this.#listener(decision)
    }
  }

  #violate(reason: Violation): void {
    this.close()
    this.#listener({ type: "violation", reason })
  }

  readonly #lose = (): void => {
    if (this.#isClosed) return
    this.close()
    this.#listener({ type: "gone" })
  }

  #endJob(): void {
    const cargo = this.#cargo
    this.#cargo = null
    if (cargo === null) return
    cargo.isOver = true
    this.#wipe(cargo)
  }

  #wipe({ bytes, isKept, isOver, isWritten }: Cargo): void {
    if (!isOver || !isWritten) return
    bytes.fill(0)
    if (isKept) this.#isKeptInUse = false
  }
}
