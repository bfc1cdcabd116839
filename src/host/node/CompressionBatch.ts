/**
 * A batch of evidence to be compressed, in memory that the main thread and the worker share: so no
 * copy is made to hand it over, and nothing is lost when the worker dies.
 */

/** Bytes of evidence in a usual batch. */
export const batchBytes = 262_144

/** Pieces of evidence in a usual batch, which is full at this number however small they are. */
export const batchItems = 1_024

/** A message to the worker: compress this batch. */
export interface Order {
  readonly id: number
  readonly codec: string
  readonly count: number
  /** The pieces, one after another. */
  readonly bytes: Uint8Array<SharedArrayBuffer>
  /**
   * The pieces' lengths. The worker overwrites them with the compressed lengths, -1 where it could
   * not compress.
   */
  readonly lengths: Int32Array<SharedArrayBuffer>
}

/** The worker's answer: the compressed forms, one after another. */
export interface Answer {
  readonly id: number
  readonly forms: Uint8Array<ArrayBuffer>
}

/** The compressed form of one piece of evidence, or the error instead of it, now or later. */
export class PendingCompression {
  #form: Uint8Array | Error | null = null
  #listener: ((form: Uint8Array | Error) => void) | null = null

  /** Calls back once, at once where it is settled. Takes one listener, which must not throw. */
  onSettled(listener: (form: Uint8Array | Error) => void): void {
    if (this.#form === null) this.#listener = listener
    else listener(this.#form)
  }

  settle(form: Uint8Array | Error): void {
    this.#form = form
    this.#listener?.(form)
    this.#listener = null
  }
}

/** Pieces of evidence for one codec. `wipe` makes it ready to be used again. */
export class Batch {
  codec = ""
  readonly items: Array<PendingCompression> = []
  #used = 0
  readonly #bytes: Uint8Array<SharedArrayBuffer>
  readonly #lengths: Int32Array<SharedArrayBuffer>
  /** Offset of each item, kept because the worker overwrites the lengths. */
  readonly #starts: Array<number> = []

  constructor(bytes: number, items: number) {
    this.#bytes = new Uint8Array(new SharedArrayBuffer(bytes))
    this.#lengths = new Int32Array(new SharedArrayBuffer(items * Int32Array.BYTES_PER_ELEMENT))
  }

  /** Whether it has the usual size, and is worth keeping for use again. */
  get isUsual(): boolean {
    return this.#bytes.length === batchBytes
  }

  hasRoomFor(codec: string, length: number): boolean {
    return codec === this.codec && this.#used + length <= this.#bytes.length && this.items.length < this.#lengths.length
  }

  /** Takes a copy of the content. */
  add(content: Uint8Array): PendingCompression {
    const item = new PendingCompression()
    this.#bytes.set(content, this.#used)
    this.#lengths[this.items.length] = content.length
    this.#starts.push(this.#used)
    this.items.push(item)
    this.#used += content.length
    return item
  }

  order(id: number): Order {
    return { id, codec: this.codec, count: this.items.length, bytes: this.#bytes, lengths: this.#lengths }
  }

  /** A view into the batch, valid until `wipe`. */
  contentOf(index: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[index], this.#starts[index + 1] ?? this.#used)
  }

  /** Valid once the worker has answered; -1 where it could not compress the item. */
  compressedLengthOf(index: number): number {
    return this.#lengths[index] ?? -1
  }

  /** Overwrites the evidence and empties the batch. */
  wipe(): void {
    this.#bytes.fill(0, 0, this.#used)
    this.#used = 0
    this.items.length = 0
    this.#starts.length = 0
  }
}
