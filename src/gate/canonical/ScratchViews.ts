/**
 * Views of what stands in a sink: those of usual lengths are made once, so that looking at what was written allocates nothing.
 *
 * At most 2 times 4097 views of the same memory; they are forgotten when the sink grows.
 */
import type { Sink } from "./Sink.ts"

/** The longest content that has a view of its own. */
const MAX_KEPT = 4096

type Kept = Array<Uint8Array<ArrayBuffer> | undefined>

/** Views of one sink. */
export class ScratchViews {
  private readonly sink: Sink
  private memory: Uint8Array<ArrayBuffer>
  private contents: Kept = []
  private whole: Kept = []

  constructor(sink: Sink) {
    this.sink = sink
    this.memory = sink.bytes
  }

  /** What was written, without the prefix. */
  content(): Uint8Array<ArrayBuffer> {
    this.refresh()
    return this.view(this.contents, this.sink.start)
  }

  /** The prefix and what was written. */
  prefixed(): Uint8Array<ArrayBuffer> {
    this.refresh()
    return this.view(this.whole, 0)
  }

  private refresh(): void {
    if (this.memory === this.sink.bytes) return
    this.memory = this.sink.bytes
    this.contents = []
    this.whole = []
  }

  private view(kept: Kept, from: number): Uint8Array<ArrayBuffer> {
    const { length, start } = this.sink
    const size = length - start
    if (size > MAX_KEPT) return this.memory.subarray(from, length)
    return kept[size] ??= this.memory.subarray(from, length)
  }
}
