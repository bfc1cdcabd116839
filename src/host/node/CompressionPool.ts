/**
 * Background pressing: evidence is gathered into batches of about 256 KiB and pressed by one worker
 * thread (CONFORMANCE E7).
 *
 * Promises
 *
 * - that a caller pays for one copy into the batch and its bookkeeping, about a microsecond for
 *   small evidence: no promise, no timer and no zlib for a single piece;
 * - that nothing is lost when the worker dies, fails or cannot be started: what it did not answer
 *   is still here, and is pressed by zlib's own threads; the next batch begins a new worker;
 * - that evidence is overwritten when it is pressed;
 * - that it keeps the process alive while it has work, and not otherwise.
 *
 * **Details**
 *
 * - A batch leaves when it is full, or when the event loop has come round after its beginning.
 *   While two are on their way it waits for one of them: the worker is busy anyway, and fewer
 *   messages are cheaper for both.
 * - Workers that die before they have answered anything are begun ever more seldom.
 *
 * **Gotchas**
 *
 * - How much waits is bounded by whoever asks: a cold storage by its mailbox.
 * - Up to three batches of memory are kept until it is closed.
 */
import { setImmediate } from "node:timers"
import { Worker } from "node:worker_threads"
import { type Answer, Batch, batchBytes, batchItems, Pressing } from "./CompressionBatch.ts"
import { ofItsOwn, presses } from "./ZlibCodecs.ts"

export type { Pressing }

/** What the pool asks of a worker thread. */
export type CompressionThread = Pick<Worker, "on" | "postMessage" | "ref" | "unref" | "terminate">

/** Where the worker's program is, in the sources and in the package. */
const program = new URL(
  import.meta.url.endsWith(".ts") ? "./CompressionWorker.ts" : "./CompressionWorker.js",
  import.meta.url
)

/** Without what the host was started with: its preloads are not for this thread. */
const startThread = (): CompressionThread => new Worker(program, { name: "tracehound press", execArgv: [], env: {} })

/**
 * Batches on their way before the next one waits for an answer: one that is pressed, and one to go
 * on with.
 */
const enough = 2

/** Batches kept for use again. */
const maxSpare = 3

/** Batches that are pressed without a worker before the next try to start one, at the most. */
const maxPause = 1_023

/** The press. */
export class CompressionPool {
  /** Batches sent or pressed without a worker, and pieces of evidence in them, so far. */
  batches = 0
  items = 0
  /** Pieces that were pressed without the worker. */
  fallbacks = 0
  private gathering: Batch | null = null
  /** What the worker was sent and has not answered. */
  private readonly waiting = new Map<number, Batch>()
  /** Batches that are pressed without it. */
  private pressedHere = 0
  private readonly spare: Array<Batch> = []
  private thread: CompressionThread | null = null
  private nextId = 0
  /**
   * Threads in a row that ended without an answer, and batches to go before the next one is
   * started.
   */
  private failedStarts = 0
  private pause = 0
  private closing: Promise<void> | null = null
  private closed = false
  private drained: (() => void) | null = null
  private readonly start: () => CompressionThread

  /**
   * `start` gives a running thread with the program of CompressionWorker.ts; the pool's own when
   * left out.
   */
  constructor(start: () => CompressionThread = startThread) {
    this.start = start
  }

  /** Batches that are gathered or wait for their answer. */
  get pending(): number {
    return this.busy + (this.gathering === null ? 0 : 1)
  }

  private get busy(): number {
    return this.waiting.size + this.pressedHere
  }

  /**
   * Takes a copy of the content. O(length). Throws a RangeError where there is no memory for it.
   */
  press(codec: string, content: Uint8Array): Pressing {
    if (this.closed) {
      const refused = new Pressing()
      refused.settle(new Error("the press is closed"))
      return refused
    }
    if (content.length > batchBytes) return this.pressAlone(codec, content)
    let batch = this.gathering
    if (batch === null || !batch.hasRoomFor(codec, content.length)) {
      this.flush()
      batch = this.spare.pop() ?? new Batch(batchBytes, batchItems)
      batch.codec = codec
      this.gathering = batch
      setImmediate(this.flushUnlessBusy)
    }
    return batch.add(content)
  }

  /** Sends what was gathered. */
  flush(): void {
    const { gathering } = this
    this.gathering = null
    if (gathering !== null) this.send(gathering)
  }

  /**
   * Ends the worker, once everything has been answered or pressed without it; null where there is
   * nothing to wait for. What is pressed afterwards is refused.
   */
  close(): Promise<void> | null {
    if (this.closed) return this.closing
    this.closed = true
    this.flush()
    this.spare.length = 0
    if (this.thread === null && this.busy === 0) return null
    this.closing = this.end()
    return this.closing
  }

  private async end(): Promise<void> {
    if (this.busy > 0) {
      await new Promise<void>((resolve) => {
        this.drained = resolve
      })
    }
    // Whoever waits for the end must not see the process leave before it.
    const { thread } = this
    this.thread = null
    thread?.ref()
    await thread?.terminate()
  }

  private readonly flushUnlessBusy = (): void => {
    if (this.busy < enough) this.flush()
  }

  private pressAlone(codec: string, content: Uint8Array): Pressing {
    const batch = new Batch(content.length, 1)
    batch.codec = codec
    const item = batch.add(content)
    // What came before leaves before.
    this.flush()
    this.send(batch)
    return item
  }

  private send(batch: Batch): void {
    this.batches += 1
    this.items += batch.items.length
    const thread = this.running()
    if (thread === null) {
      void this.pressHere(batch)
      return
    }
    const id = this.nextId++
    this.waiting.set(id, batch)
    thread.ref()
    // To a thread that has just ended this goes nowhere: `bury` comes then, and finds the batch
    // waiting.
    thread.postMessage(batch.order(id))
  }

  /** The thread, started where there is none; null where none can be had. */
  private running(): CompressionThread | null {
    if (this.thread !== null || this.closed) return this.thread
    if (this.pause > 0) {
      this.pause -= 1
      return null
    }
    try {
      const thread = this.start()
      this.thread = thread
      thread.on("message", (answer: Answer) => this.receive(answer))
      // Whatever ends it: an error is followed by an exit.
      thread.on("error", () => {})
      thread.on("exit", () => this.bury(thread))
      return thread
    } catch {
      this.startFailed()
      return null
    }
  }

  /** The thread is gone, and whatever it had not answered is pressed without it. */
  private bury(thread: CompressionThread): void {
    if (this.thread !== thread) return
    this.thread = null
    this.startFailed()
    const left = [...this.waiting.values()]
    this.waiting.clear()
    for (const batch of left) void this.pressHere(batch)
  }

  /** The first one in a row may have been bad luck: the next batch tries again. */
  private startFailed(): void {
    this.failedStarts += 1
    this.pause = Math.min(2 ** (this.failedStarts - 1) - 1, maxPause)
  }

  private receive({ forms, id }: Answer): void {
    const batch = this.waiting.get(id)
    if (batch === undefined) return
    this.waiting.delete(id)
    this.failedStarts = 0
    const failed: Array<number> = []
    let at = 0
    for (const [i, item] of batch.items.entries()) {
      const length = batch.pressedLengthOf(i)
      if (length < 0) {
        failed.push(i)
        continue
      }
      // Each is its receiver's: a view would keep all the others alive.
      item.settle(length === forms.length ? forms : forms.slice(at, at + length))
      at += length
    }
    if (failed.length === 0) this.finish(batch)
    else void this.pressHere(batch, failed)
  }

  /**
   * By zlib's threads, one after another: each takes up to 256 KiB for its own work. Never rejects.
   */
  private async pressHere(batch: Batch, indices: Iterable<number> = batch.items.keys()): Promise<void> {
    this.pressedHere += 1
    const press = presses[batch.codec]
    for (const i of indices) {
      this.fallbacks += 1
      let form: Uint8Array | Error
      try {
        if (press === undefined) throw new Error(`there is no press for ${batch.codec}`)
        form = ofItsOwn(await press.later(batch.contentOf(i)))
      } catch (cause) {
        form = cause instanceof Error ? cause : new Error(String(cause))
      }
      batch.items[i]?.settle(form)
    }
    this.pressedHere -= 1
    this.finish(batch)
  }

  private finish(batch: Batch): void {
    batch.wipe()
    if (batch.isUsual && !this.closed && this.spare.length < maxSpare) this.spare.push(batch)
    if (this.busy < enough) this.flush()
    if (this.waiting.size === 0) this.thread?.unref()
    if (this.busy === 0) this.drained?.()
  }
}
