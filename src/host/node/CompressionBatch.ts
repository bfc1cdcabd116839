/**
 * A batch of evidence on its way through the press, in memory that the main thread and the worker
 * share: so that nothing is copied to hand it over, and nothing is lost when the worker dies.
 */

/** Bytes of evidence in a usual batch. */
export const batchBytes = 262_144

/** Pieces of evidence in a usual batch: small ones fill it by their number. */
export const batchItems = 1_024

/** What the worker is told. */
export interface Order {
  readonly id: number
  readonly codec: string
  readonly count: number
  /** The pieces, one after another. */
  readonly bytes: Uint8Array<SharedArrayBuffer>
  /** Their lengths; the worker writes the pressed ones over them, -1 where it could not press. */
  readonly lengths: Int32Array<SharedArrayBuffer>
}

/** What it answers: the pressed forms, one after another. */
export interface Answer {
  readonly id: number
  readonly forms: Uint8Array<ArrayBuffer>
}

/** One piece of evidence in the press. */
export class Pressing {
  private form: Uint8Array | Error | null = null
  private listener: ((form: Uint8Array | Error) => void) | null = null

  /**
   * Calls back with the pressed form, now or later, once. For one listener, which must not throw.
   */
  onSettled(listener: (form: Uint8Array | Error) => void): void {
    if (this.form === null) this.listener = listener
    else listener(this.form)
  }

  settle(form: Uint8Array | Error): void {
    this.form = form
    this.listener?.(form)
    this.listener = null
  }
}

/** What is gathered for one codec. It can be emptied and used again. */
export class Batch {
  codec = ""
  readonly items: Array<Pressing> = []
  private used = 0
  private readonly bytes: Uint8Array<SharedArrayBuffer>
  private readonly lengths: Int32Array<SharedArrayBuffer>
  /** Where each item begins: the lengths may be the worker's by the time they are needed here. */
  private readonly starts: Array<number> = []

  constructor(bytes: number, items: number) {
    this.bytes = new Uint8Array(new SharedArrayBuffer(bytes))
    this.lengths = new Int32Array(new SharedArrayBuffer(items * Int32Array.BYTES_PER_ELEMENT))
  }

  /** Whether it is one of the usual size, which is worth keeping. */
  get isUsual(): boolean {
    return this.bytes.length === batchBytes
  }

  hasRoomFor(codec: string, length: number): boolean {
    return codec === this.codec && this.used + length <= this.bytes.length && this.items.length < this.lengths.length
  }

  /** Takes a copy of the content. */
  add(content: Uint8Array): Pressing {
    const item = new Pressing()
    this.bytes.set(content, this.used)
    this.lengths[this.items.length] = content.length
    this.starts.push(this.used)
    this.items.push(item)
    this.used += content.length
    return item
  }

  order(id: number): Order {
    return { id, codec: this.codec, count: this.items.length, bytes: this.bytes, lengths: this.lengths }
  }

  /** The content of an item, as a view. */
  contentOf(index: number): Uint8Array {
    return this.bytes.subarray(this.starts[index], this.starts[index + 1] ?? this.used)
  }

  /** The length of an item's pressed form, once the worker has answered; -1 where it has none. */
  pressedLengthOf(index: number): number {
    return this.lengths[index] ?? -1
  }

  /** Overwrites the evidence, and is empty. */
  wipe(): void {
    this.bytes.fill(0, 0, this.used)
    this.used = 0
    this.items.length = 0
    this.starts.length = 0
  }
}
