/**
 * Views of what stands in a sink: those of lengths that were asked for lately are kept, so that
 * looking at what was written allocates nothing where the same comes again and again.
 *
 * At most twice 1,024 views of the same memory; they are forgotten when the sink grows.
 */
import type { Sink } from "./Sink.ts"

/** Views kept: each length has one place, which it shares with others. */
const places = 1024

type Kept = Array<Uint8Array<ArrayBuffer> | undefined>

const nothing = (): Kept => Array.from({ length: places }, () => undefined)

/** Views of one sink. */
export class ScratchViews {
  private readonly sink: Sink
  private memory: Uint8Array<ArrayBuffer>
  private contents = nothing()
  private whole = nothing()

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
    this.contents = nothing()
    this.whole = nothing()
  }

  private view(kept: Kept, from: number): Uint8Array<ArrayBuffer> {
    const { length } = this.sink
    const size = length - from
    const place = size & (places - 1)
    const known = kept[place]
    if (known !== undefined && known.length === size) return known
    return kept[place] = this.memory.subarray(from, length)
  }
}
