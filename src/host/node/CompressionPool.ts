/**
 * Compresses evidence in the background: gathers it into batches of about 256 KiB, which one worker
 * thread compresses (CONFORMANCE E7).
 *
 * Promises
 *
 * - that a caller pays for one copy into the batch and its bookkeeping, about a microsecond for
 *   small evidence: no promise, no timer and no zlib for a single piece;
 * - that nothing is lost when the worker dies, fails or cannot be started: the pool still has the
 *   batches that were not answered, and zlib's own threads compress them; the next batch starts a
 *   new worker;
 * - that evidence is overwritten once it is compressed;
 * - that the pool keeps the process alive while it has work, and not otherwise.
 *
 * **Details**
 *
 * - A batch is sent when it is full, or one turn of the event loop after it was begun. While two
 *   batches are on their way it waits for one of them: the worker is busy anyway, and fewer
 *   messages are cheaper for both threads.
 * - After workers that died without an answer, the pool waits ever longer before it starts the
 *   next.
 *
 * **Gotchas**
 *
 * - The caller bounds how much waits: cold storage does so by its mailboxes.
 * - The memory of up to three batches is kept until the pool is closed.
 */
import { setImmediate } from "node:timers"
import type { Worker } from "node:worker_threads"
import { type Answer, Batch, batchBytes, batchItems, PendingCompression } from "./CompressionBatch.ts"
import { compressors, ofItsOwn } from "./ZlibCodecs.ts"

export type { PendingCompression }

/** The part of a worker thread that the pool uses. */
export type CompressionThread = Pick<Worker, "on" | "postMessage" | "ref" | "unref" | "terminate">

/** The worker's program: TypeScript in the sources, JavaScript in the package. */
const program = new URL("./CompressionWorker.ts", import.meta.url)

/**
 * Starts without the host's own node flags and environment: its preloads must not run here.
 * node:worker_threads is loaded here, as most programs never come so far.
 */
const startThread = (): CompressionThread => {
  const { Worker } = process.getBuiltinModule("node:worker_threads")
  return new Worker(program, { name: "tracehound compression", execArgv: [], env: {} })
}

/** Batches on their way before the next one waits: one in the worker, and its next. */
const enough = 2

/** Batches whose memory is kept for use again. */
const maxSpare = 3

/** The most batches that are compressed without a worker before the next try to start one. */
const maxPause = 1_023

/** One worker, and the batches on their way to it. Its owner closes it. */
export class CompressionPool {
  /** Batches so far, with or without the worker, and pieces of evidence in them. */
  batches = 0
  items = 0
  /** Pieces of evidence that were compressed without the worker. */
  fallbacks = 0
  #gathering: Batch | null = null
  /** Batches that the worker was sent and has not answered, by id. */
  readonly #waiting = new Map<number, Batch>()
  /** Number of batches that are being compressed without the worker. */
  #compressingHere = 0
  readonly #spare: Array<Batch> = []
  #thread: CompressionThread | null = null
  #nextId = 0
  /**
   * Threads in a row that ended without an answer, and batches to compress without a worker before
   * the next thread is started.
   */
  #failedStarts = 0
  #pause = 0
  #closing: Promise<void> | null = null
  #closed = false
  #drained: (() => void) | null = null
  readonly #start: () => CompressionThread

  /** `start` gives a running thread with the program of CompressionWorker.ts. */
  constructor(start: () => CompressionThread = startThread) {
    this.#start = start
  }

  /**
   * Batches that are being gathered, wait for their answer, or are compressed without the worker.
   */
  get pending(): number {
    return this.#busy + (this.#gathering === null ? 0 : 1)
  }

  get #busy(): number {
    return this.#waiting.size + this.#compressingHere
  }

  /** Copies the content at once. O(length). Throws a RangeError where there is no memory for it. */
  compress(codec: string, content: Uint8Array): PendingCompression {
    if (this.#closed) {
      const refused = new PendingCompression()
      refused.settle(new Error("the compression pool is closed"))
      return refused
    }
    if (content.length > batchBytes) return this.#compressAlone(codec, content)
    let batch = this.#gathering
    if (batch === null || !batch.hasRoomFor(codec, content.length)) {
      this.flush()
      batch = this.#spare.pop() ?? new Batch(batchBytes, batchItems)
      batch.codec = codec
      this.#gathering = batch
      setImmediate(this.#flushUnlessBusy)
    }
    return batch.add(content)
  }

  /** Sends the batch that is being gathered, however full it is. */
  flush(): void {
    const gathering = this.#gathering
    this.#gathering = null
    if (gathering !== null) this.#send(gathering)
  }

  /**
   * Ends the worker once everything is compressed; null where there is nothing to wait for. From
   * now on `compress` refuses.
   */
  close(): Promise<void> | null {
    if (this.#closed) return this.#closing
    this.#closed = true
    this.flush()
    this.#spare.length = 0
    if (this.#thread === null && this.#busy === 0) return null
    this.#closing = this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    if (this.#busy > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve
      })
    }
    // The process must not exit before its caller has seen the end.
    const thread = this.#thread
    this.#thread = null
    thread?.ref()
    await thread?.terminate()
  }

  readonly #flushUnlessBusy = (): void => {
    if (this.#busy < enough) this.flush()
  }

  #compressAlone(codec: string, content: Uint8Array): PendingCompression {
    const batch = new Batch(content.length, 1)
    batch.codec = codec
    const item = batch.add(content)
    // Pieces are sent in the order in which they came.
    this.flush()
    this.#send(batch)
    return item
  }

  #send(batch: Batch): void {
    this.batches += 1
    this.items += batch.items.length
    const thread = this.#running()
    if (thread === null) {
      void this.#compressHere(batch)
      return
    }
    const id = this.#nextId++
    this.#waiting.set(id, batch)
    thread.ref()
    // A thread that has just ended does not get it: its exit event, still to come, has `bury`
    // compress the batch here.
    thread.postMessage(batch.order(id))
  }

  /** The thread, started where there is none; null where it cannot be, or not yet. */
  #running(): CompressionThread | null {
    if (this.#thread !== null || this.#closed) return this.#thread
    if (this.#pause > 0) {
      this.#pause -= 1
      return null
    }
    try {
      const thread = this.#start()
      this.#thread = thread
      thread.on("message", (answer: Answer) => this.#receive(answer))
      // Nothing to do: an exit follows every error.
      thread.on("error", () => {})
      thread.on("exit", () => this.#bury(thread))
      return thread
    } catch {
      this.#startFailed()
      return null
    }
  }

  /** Called when the thread has ended: compresses here whatever it had not answered. */
  #bury(thread: CompressionThread): void {
    if (this.#thread !== thread) return
    this.#thread = null
    this.#startFailed()
    const left = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const batch of left) void this.#compressHere(batch)
  }

  /** After the first failure in a row the next batch tries again, since it may have been chance. */
  #startFailed(): void {
    this.#failedStarts += 1
    this.#pause = Math.min(2 ** (this.#failedStarts - 1) - 1, maxPause)
  }

  #receive({ forms, id }: Answer): void {
    const batch = this.#waiting.get(id)
    if (batch === undefined) return
    this.#waiting.delete(id)
    this.#failedStarts = 0
    const failed: Array<number> = []
    let at = 0
    for (const [i, item] of batch.items.entries()) {
      const length = batch.compressedLengthOf(i)
      if (length < 0) {
        failed.push(i)
        continue
      }
      // Copies: a view would keep the forms of all other pieces in memory.
      item.settle(length === forms.length ? forms : forms.slice(at, at + length))
      at += length
    }
    if (failed.length === 0) this.#finish(batch)
    else void this.#compressHere(batch, failed)
  }

  /**
   * Compresses on zlib's threads, one piece after another, as each takes up to 256 KiB for its own
   * work. Never rejects.
   */
  async #compressHere(batch: Batch, indices: Iterable<number> = batch.items.keys()): Promise<void> {
    this.#compressingHere += 1
    const compressor = compressors[batch.codec]
    for (const i of indices) {
      this.fallbacks += 1
      let form: Uint8Array | Error
      try {
        if (compressor === undefined) throw new Error(`there is no compressor for ${batch.codec}`)
        form = ofItsOwn(await compressor.later(batch.contentOf(i)))
      } catch (cause) {
        form = cause instanceof Error ? cause : new Error(String(cause))
      }
      batch.items[i]?.settle(form)
    }
    this.#compressingHere -= 1
    this.#finish(batch)
  }

  #finish(batch: Batch): void {
    batch.wipe()
    if (batch.isUsual && !this.#closed && this.#spare.length < maxSpare) this.#spare.push(batch)
    if (this.#busy < enough) this.flush()
    if (this.#waiting.size === 0) this.#thread?.unref()
    if (this.#busy === 0) this.#drained?.()
  }
}
