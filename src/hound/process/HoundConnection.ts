/**
 * One hound as the host has it: its pipe, and what is said on it (CONFORMANCE H3).
 *
 * Promises
 *
 * - that the first violation is the last thing that is read: the pipe is destroyed, one decision
 *   says why, and no more than one read (64 KiB) of a flood ever reaches the host's memory;
 * - that evidence is overwritten when its job has ended or the line was closed, and the system has
 *   taken all of it or will take no more: never while it is still being written;
 * - that what waits to be written is one job: a hound that answers before it has read its evidence
 *   would have the host keep one copy after the other, and is a violation;
 * - that a pipe that ends or fails is one `gone`, unless it was closed from here.
 *
 * Cost: one system call for a job's header and evidence together, as long as they fit into the
 * pipe.
 *
 * **Gotchas**
 *
 * - Nothing is read before somebody listens.
 * - It keeps no process alive, and kills none: whoever hears a violation does.
 * - A decision may be answered at once: `send` and `close` from within the callback are fine. What
 *   a hound said too early after its final frame is a violation all the same; what was sent in
 *   between is overwritten and goes nowhere.
 */
import type { Socket } from "node:net"
import { type ChannelState, type Decision, FrameChannel, type Violation } from "../channel/FrameChannel.ts"
import { type JobFacts, jobHeader } from "../channel/Frames.ts"

/** What is heard on a line. */
export type ConnectionDecision = Decision | { readonly type: "gone" }

/** Evidence on its way. */
interface Cargo {
  readonly bytes: Uint8Array
  isWritten: boolean
  isOver: boolean
}

const ignore = (): void => undefined

/** The pipe of one hound. */
export class HoundConnection {
  private readonly pipe: Socket
  private readonly channel = new FrameChannel()
  private listener: (decision: ConnectionDecision) => void = ignore
  private cargo: Cargo | null = null
  private closed = false

  /** Takes the pipe over: paused, and with nothing read from it. */
  constructor(pipe: Socket) {
    this.pipe = pipe
    pipe.unref()
    // What goes wrong with a pipe is followed by its closing.
    pipe.on("error", ignore)
    pipe.on("end", this.lose)
    pipe.on("close", this.lose)
  }

  get state(): ChannelState {
    return this.channel.state
  }

  /** Bytes that were read so far. */
  get bytesRead(): number {
    return this.pipe.bytesRead
  }

  /**
   * From now on the pipe is read, and this hears what it says. Must not throw. To be called once.
   */
  onDecision(listener: (decision: ConnectionDecision) => void): void {
    this.listener = listener
    if (this.closed) return
    this.pipe.on("data", this.read)
    this.pipe.resume()
  }

  /**
   * Sends a job; the bytes are the line's from now on, and are overwritten when they are no longer
   * needed. Throws where it is not the hound's turn; where the line has closed the bytes are
   * overwritten and nothing else happens.
   */
  send(facts: JobFacts, bytes: Uint8Array): void {
    if (this.closed || this.channel.state === "dead") {
      bytes.fill(0)
      return
    }
    this.channel.send(facts.job)
    const cargo: Cargo = { bytes, isWritten: false, isOver: false }
    this.cargo = cargo
    const { pipe } = this
    pipe.cork()
    pipe.write(jobHeader(facts))
    pipe.write(bytes, () => {
      cargo.isWritten = true
      wipe(cargo)
    })
    pipe.uncork()
  }

  /** Lets go of the pipe. Nothing is heard from now on. Idempotent. */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.channel.close()
    this.pipe.off("data", this.read)
    this.pipe.pause()
    this.pipe.destroy()
    this.endJob()
  }

  private readonly read = (chunk: Uint8Array): void => {
    // The system takes the last of a job's bytes before the hound can have read it.
    if (this.pipe.writableLength > 0 && this.channel.state !== "boot") return this.violate("evidence unread")
    for (const decision of this.channel.feed(chunk)) {
      if (this.closed) return
      if (decision.type === "violation") return this.violate(decision.reason)
      if (decision.type === "status" && decision.state !== "processing") this.endJob()
      this.listener(decision)
    }
  }

  private violate(reason: Violation): void {
    this.close()
    this.listener({ type: "violation", reason })
  }

  private readonly lose = (): void => {
    if (this.closed) return
    this.close()
    this.listener({ type: "gone" })
  }

  private endJob(): void {
    const { cargo } = this
    this.cargo = null
    if (cargo === null) return
    cargo.isOver = true
    wipe(cargo)
  }
}

const wipe = ({ bytes, isOver, isWritten }: Cargo): void => {
  if (isOver && isWritten) bytes.fill(0)
}
