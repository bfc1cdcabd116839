/**
 * Background pressing: evidence is gathered into batches of about 256 KiB and pressed by one worker thread (CONFORMANCE E7).
 *
 * Promises that a caller pays for a copy into the batch and no more, about a microsecond for small evidence; that nothing is lost
 * when the worker dies, fails or cannot be started: what it did not answer is still here, and is pressed here; and that
 * evidence is overwritten on both sides when it is pressed.
 *
 * **Details**
 *
 * - A batch leaves when it is full, or when the turn in which it was begun is over.
 * - The worker is started by the first batch. It keeps the process alive while it has work, and not otherwise.
 *
 * **Gotchas**
 *
 * - Pressing here holds the turn up. It happens where there is no worker to be had (`fallbacks` counts it), never otherwise.
 * - How much waits is bounded by whoever asks: a cold storage by its mailbox.
 */
import { Worker } from "node:worker_threads"
import { ofItsOwn, presses } from "./ZlibCodecs.ts"

/** Bytes of evidence in a usual batch. */
export const batchBytes = 262_144

/** What the worker is sent. The evidences stand one after another in `bytes`. */
export interface Batch {
  readonly id: number
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly lengths: Int32Array<ArrayBuffer>
  readonly codecs: ReadonlyArray<string>
}

/** What it answers: the pressed forms one after another; a size of -1 where it could not press. */
export interface Pressed {
  readonly id: number
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly sizes: Int32Array<ArrayBuffer>
}

/** One piece of evidence on its way through the press. */
export class Pressing {
  readonly codec: string
  /** Where its content stands in its batch. */
  readonly at: number
  readonly length: number
  private form: Uint8Array | Error | null = null
  private listener: ((form: Uint8Array | Error) => void) | null = null

  constructor(codec: string, at: number, length: number) {
    this.codec = codec
    this.at = at
    this.length = length
  }

  /** Calls back once with the pressed form, now or later. For one listener. */
  onSettled(listener: (form: Uint8Array | Error) => void): void {
    if (this.form === null) this.listener = listener
    else listener(this.form)
  }

  settle(form: Uint8Array | Error): void {
    this.form = form
    this.listener?.(form)
  }
}

/** A batch that is being filled, or waits for its answer. Its bytes stay until then. */
class Filling {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly items: Array<Pressing> = []
  used = 0

  constructor(size: number) {
    this.bytes = new Uint8Array(size)
  }

  add(codec: string, content: Uint8Array): Pressing {
    const item = new Pressing(codec, this.used, content.length)
    this.bytes.set(content, this.used)
    this.used += content.length
    this.items.push(item)
    return item
  }
}

/** Where the worker's program is, in the sources and in the package. */
const program = new URL(import.meta.url.endsWith(".ts") ? "./PressWorker.ts" : "./PressWorker.js", import.meta.url)

/** The press. */
export class PressPool {
  private filling: Filling | null = null
  private readonly waiting = new Map<number, Filling>()
  private worker: Worker | null = null
  private closed = false
  private nextId = 0
  /** Batches sent, and evidence in them. */
  batches = 0
  items = 0
  /** Evidence that was pressed here, for want of a worker. */
  fallbacks = 0
  private readonly start: () => Worker

  /** `start` makes a worker; the pool's own when left out. */
  constructor(start: () => Worker = () => new Worker(program)) {
    this.start = start
  }

  /** Batches that wait for their answer. */
  get pending(): number {
    return this.waiting.size + (this.filling === null ? 0 : 1)
  }

  /** Takes a copy of the content. O(length). */
  press(codec: string, content: Uint8Array): Pressing {
    this.items += 1
    if (content.length > batchBytes) {
      this.flush()
      const own = new Filling(content.length)
      const item = own.add(codec, content)
      this.send(own)
      return item
    }
    if (this.filling !== null && this.filling.used + content.length > batchBytes) this.flush()
    if (this.filling === null) {
      this.filling = new Filling(batchBytes)
      setImmediate(() => this.flush())
    }
    return this.filling.add(codec, content)
  }

  /** Sends what was gathered. */
  flush(): void {
    const { filling } = this
    this.filling = null
    if (filling !== null) this.send(filling)
  }

  /** Ends the worker, if there is one. What it has not answered is pressed here first. */
  close(): Promise<unknown> | null {
    this.closed = true
    this.flush()
    const { worker } = this
    this.abandon()
    return worker?.terminate() ?? null
  }

  private send(filling: Filling): void {
    const id = this.nextId++
    this.batches += 1
    this.waiting.set(id, filling)
    try {
      if (this.closed) throw new Error("closed")
      const worker = this.worker ??= this.begin()
      worker.ref()
      // A copy goes: this one stays until there is an answer.
      const bytes = filling.bytes.slice(0, filling.used)
      const lengths = Int32Array.from(filling.items, ({ length }) => length)
      const batch: Batch = { id, bytes, lengths, codecs: filling.items.map(({ codec }) => codec) }
      worker.postMessage(batch, [bytes.buffer, lengths.buffer])
    } catch {
      this.pressHere(id)
    }
  }

  private begin(): Worker {
    const worker = this.start()
    worker.on("message", (answer: Pressed) => this.receive(answer))
    // Whatever ends it: an error is followed by an exit.
    worker.on("error", () => {})
    worker.on("exit", () => {
      if (this.worker === worker) this.abandon()
    })
    return worker
  }

  private receive({ bytes, id, sizes }: Pressed): void {
    const filling = this.waiting.get(id)
    if (filling === undefined) return
    this.waiting.delete(id)
    let at = 0
    for (const [i, item] of filling.items.entries()) {
      const size = sizes[i] ?? -1
      if (size < 0) this.settleHere(filling, item)
      else {
        item.settle(bytes.subarray(at, at + size))
        at += size
      }
    }
    this.finish(filling)
  }

  /** The worker is gone: what it has not answered is pressed here, and the next batch begins a new one. */
  private abandon(): void {
    this.worker = null
    for (const id of [...this.waiting.keys()]) this.pressHere(id)
  }

  private pressHere(id: number): void {
    const filling = this.waiting.get(id)
    if (filling === undefined) return
    this.waiting.delete(id)
    for (const item of filling.items) this.settleHere(filling, item)
    this.finish(filling)
  }

  private settleHere(filling: Filling, item: Pressing): void {
    this.fallbacks += 1
    const content = filling.bytes.subarray(item.at, item.at + item.length)
    try {
      item.settle(ofItsOwn(presses[item.codec]?.(content) ?? content))
    } catch (cause) {
      item.settle(cause instanceof Error ? cause : new Error(String(cause)))
    }
  }

  private finish(filling: Filling): void {
    filling.bytes.fill(0, 0, filling.used)
    if (this.waiting.size === 0) this.worker?.unref()
  }
}
