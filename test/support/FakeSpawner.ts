/**
 * A spawner without processes: its hounds are objects in memory, and do what a test says.
 *
 * It has no timers: everything happens in microtasks and ticks of the process after what caused it,
 * so that it works together with a clock that stands still. `settle()` comes back when all of that
 * has happened.
 *
 *     // Every hound is ready at once; without it call `spawner.hounds[0].ready()` later.
 *     const spawner = new FakeSpawner((hound) => hound.ready())
 *     // Or hound.processing(…), .metrics(…), .complete(…), .error(…).
 *     hound.onJob = (job) => hound.answer(job.job)
 *     hound.write(bytes), hound.flood(bytes), hound.endOfPipe()
 *     hound.exit(0), hound.die("SIGSEGV"), hound.outgrow()
 */
import type { Socket } from "node:net"
import { Duplex } from "node:stream"
import { frameBytes, frameKinds, frameMagic, frameVersion, jobHeaderBytes } from "../../src/hound/channel/Frames.ts"
import { type LaunchListener, type ProcessExit, type Spawner, unseenExit } from "../../src/hound/process/Spawner.ts"

/** One frame. */
export const frameOf = (kind: number, sequence: number, job = 0, timeUs = 0, memoryKiB = 0): Uint8Array => {
  const frame = new Uint8Array(frameBytes)
  const view = new DataView(frame.buffer)
  view.setUint16(0, frameMagic, true)
  view.setUint8(2, frameVersion)
  view.setUint8(3, kind)
  view.setUint32(4, sequence, true)
  view.setUint32(8, job, true)
  view.setUint32(12, timeUs, true)
  view.setUint32(16, memoryKiB, true)
  return frame
}

/** A job as the hound got it. */
export interface ReceivedJob {
  readonly job: number
  readonly category: number
  readonly severity: number
  readonly digest: Uint8Array | null
  readonly evidence: Uint8Array
}

/** The host's end of a pipe that leads nowhere. */
class FakePipe extends Duplex {
  bytesRead = 0
  isRefed = true
  readonly #heard: (chunk: Uint8Array) => void
  readonly #ended: () => void
  /** Writes that the hound has not read. */
  readonly held: Array<{ readonly deliver: () => void; readonly cancel: () => void }> = []
  isReading = true

  constructor(heard: (chunk: Uint8Array) => void, ended: () => void) {
    super({ highWaterMark: 65_536 })
    this.#heard = heard
    this.#ended = ended
    this.pause()
  }

  /** Receives what the hound writes, unless the host has let go of the pipe. */
  bring(bytes: Uint8Array): void {
    if (this.destroyed || this.readableEnded) return
    this.bytesRead += bytes.length
    this.push(bytes)
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _: BufferEncoding, done: (error?: Error | null) => void): void {
    // The writer overwrites its bytes when they are through.
    const bytes = Uint8Array.from(chunk)
    const deliver = (): void => {
      done()
      queueMicrotask(() => this.#heard(bytes))
    }
    if (this.isReading) deliver()
    else this.held.push({ deliver, cancel: done })
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error)
    // What is still being written is given back, as the system does.
    for (const { cancel } of this.held.splice(0)) queueMicrotask(cancel)
    queueMicrotask(this.#ended)
  }

  ref(): this {
    this.isRefed = true
    return this
  }

  unref(): this {
    this.isRefed = false
    return this
  }
}

/** A hound that does what a test says. */
export class FakeHound {
  readonly id: number
  readonly pid: number
  /** Jobs it got, in order. */
  readonly jobs: Array<ReceivedJob> = []
  /** Called with each job. */
  onJob: (job: ReceivedJob) => void = () => undefined
  isWatched = false
  /** Whether the host told it to end. */
  isKilled = false
  /** Where false it survives `kill` until `die` is called: a kill that takes its time. */
  isMortal = true
  /** Where false it does not notice that its pipe has ended, as an analyzer in a loop. */
  endsWithPipe = true
  readonly #pipe: FakePipe
  readonly #listener: LaunchListener
  readonly #onDown: () => void
  #sequence = 0
  #ended: ProcessExit | null = null
  #got: Uint8Array = new Uint8Array(0)

  constructor(id: number, listener: LaunchListener, onDown: () => void) {
    this.id = id
    this.pid = 100_000 + id
    this.#listener = listener
    this.#onDown = onDown
    this.#pipe = new FakePipe(this.#hear, () => {
      if (this.endsWithPipe && !this.isKilled) this.exit(0)
    })
  }

  get isDown(): boolean {
    return this.#ended !== null
  }

  /** Whether the host has let go of its pipe. */
  get isLetGo(): boolean {
    return this.#pipe.destroyed
  }

  up(): void {
    if (this.#ended === null && !this.isKilled) this.#listener.up(this.pid, this.#pipe as unknown as Socket)
  }

  ready(memoryKiB = 60_000): void {
    this.#frame(frameKinds.ready, 0, 0, memoryKiB)
  }

  processing(job: number): void {
    this.#frame(frameKinds.processing, job)
  }

  metrics(job: number, timeUs = 1_000, memoryKiB = 61_000): void {
    this.#frame(frameKinds.metrics, job, timeUs, memoryKiB)
  }

  complete(job: number): void {
    this.#frame(frameKinds.complete, job)
  }

  error(job: number): void {
    this.#frame(frameKinds.error, job)
  }

  /** Sends all three frames of a job. */
  answer(job: number, state: "complete" | "error" = "complete"): void {
    this.processing(job)
    this.metrics(job)
    if (state === "complete") this.complete(job)
    else this.error(job)
  }

  /** Writes any bytes. */
  write(bytes: Uint8Array): void {
    this.#pipe.bring(bytes)
  }

  /** Writes much more than a hound has to say, in pieces of 64 KiB. */
  flood(bytes = 1 << 20): void {
    for (let at = 0; at < bytes; at += 65_536) this.write(new Uint8Array(65_536).fill(0x41))
  }

  /** Stops reading what it is sent, or goes on with it. */
  reads(isReading: boolean): void {
    this.#pipe.isReading = isReading
    if (isReading) {
      for (const { deliver } of this.#pipe.held.splice(0)) deliver()
    }
  }

  /** Closes its end of the pipe. */
  endOfPipe(): void {
    if (!this.#pipe.destroyed) this.#pipe.push(null)
  }

  /** Ends by itself. */
  exit(code: number, message = ""): void {
    this.#down({ cause: "exit", code, signal: null, message })
  }

  /** Ends by a signal: its own, or what `kill` sent. */
  die(signal = "SIGKILL"): void {
    this.#down({ cause: this.isKilled ? "killed" : "signal", code: null, signal, message: "" })
  }

  /** Held too much memory, as it would be found while it is watched. */
  outgrow(): void {
    this.#down({ cause: "rss", code: null, signal: "SIGKILL", message: "" })
  }

  /** Its fork server is gone. */
  lose(): void {
    this.#down(unseenExit("lost", "the fork server is gone"))
  }

  /** It never becomes a process. */
  failToSpawn(message = "spawn ENOENT"): void {
    this.#down(unseenExit("spawn", message))
  }

  kill(): void {
    if (this.#ended !== null || this.isKilled) return
    this.isKilled = true
    if (this.isMortal) queueMicrotask(() => this.die())
  }

  #down(exit: ProcessExit): void {
    if (this.#ended !== null) return
    this.#ended = exit
    this.isWatched = false
    this.endOfPipe()
    this.#onDown()
    this.#listener.down(exit)
  }

  #frame(kind: number, job: number, timeUs = 0, memoryKiB = 0): void {
    this.write(frameOf(kind, this.#sequence++, job, timeUs, memoryKiB))
  }

  readonly #hear = (chunk: Uint8Array): void => {
    this.#got = Buffer.concat([this.#got, chunk])
    for (;;) {
      if (this.#got.length < jobHeaderBytes) return
      const header = new DataView(this.#got.buffer, this.#got.byteOffset, jobHeaderBytes)
      const end = jobHeaderBytes + header.getUint32(8, true)
      if (this.#got.length < end) return
      const job: ReceivedJob = {
        job: header.getUint32(4, true),
        category: header.getUint8(12),
        severity: header.getUint8(13),
        digest: header.getUint8(14) === 0 ? null : this.#got.slice(16, jobHeaderBytes),
        evidence: Uint8Array.from(this.#got.subarray(jobHeaderBytes, end))
      }
      this.#got = this.#got.subarray(end)
      this.jobs.push(job)
      if (this.#ended === null) this.onJob(job)
    }
  }
}

/**
 * Starts hounds that a test plays. `script` says what each does when it is up, or before: it is
 * called in `launch`'s next microtask.
 */
export class FakeSpawner implements Spawner {
  /** All that were ever launched, in order. */
  readonly hounds: Array<FakeHound> = []
  /** Whether hounds are up by themselves; where false a test calls `hound.up()`. */
  isPrompt = true
  readonly #script: (hound: FakeHound, index: number) => void
  readonly #alive = new Map<number, FakeHound>()
  #closing: Promise<void> | null = null
  #emptied: (() => void) | null = null

  constructor(script: (hound: FakeHound, index: number) => void = () => undefined) {
    this.#script = script
  }

  /** Hounds that have not ended. */
  get living(): ReadonlyArray<FakeHound> {
    return [...this.#alive.values()]
  }

  readonly launch = (id: number, listener: LaunchListener): void => {
    if (this.#closing !== null) {
      queueMicrotask(() => listener.down(unseenExit("spawn", "the spawner is closed")))
      return
    }
    const hound = new FakeHound(id, listener, () => {
      this.#alive.delete(id)
      if (this.#alive.size === 0) this.#emptied?.()
    })
    this.#alive.set(id, hound)
    const index = this.hounds.push(hound) - 1
    queueMicrotask(() => {
      if (hound.isDown || hound.isKilled) return
      if (this.isPrompt) hound.up()
      this.#script(hound, index)
    })
  }

  readonly watch = (id: number, isOn: boolean): void => {
    const hound = this.#alive.get(id)
    if (hound !== undefined) hound.isWatched = isOn
  }

  readonly kill = (id: number): void => {
    this.#alive.get(id)?.kill()
  }

  readonly close = (): Promise<void> => {
    this.#closing ??= new Promise<void>((resolve) => {
      this.#emptied = resolve
      for (const hound of this.#alive.values()) hound.kill()
      if (this.#alive.size === 0) resolve()
    })
    return this.#closing
  }
}

/** Comes back when all that was on its way in streams and microtasks has arrived. */
export const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) {
    await new Promise<void>((resolve) => {
      process.nextTick(resolve)
    })
  }
}
