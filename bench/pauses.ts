/**
 * Watches the pauses that V8's collections make in this thread, each as Node reports it.
 *
 * **Gotchas**
 *
 * - Node tells of a collection a turn of the event loop after it: `stop` waits for that.
 * - What a collection does beside the running program is no pause and not in here.
 */
import { createHistogram, PerformanceObserver, type RecordableHistogram } from "node:perf_hooks"
import { setImmediate } from "node:timers/promises"

/** What the collections of a while were, in ms. All are 0 where there was none. */
export interface Pauses {
  readonly count: number
  readonly p99: number
  readonly longest: number
  readonly total: number
}

/** Collects pauses from one `start` to the next `stop`, as often as one likes. */
export class PauseWatch {
  readonly #nanoseconds: RecordableHistogram = createHistogram()
  #total = 0
  readonly #observer = new PerformanceObserver((list) => this.#take(list.getEntries()))

  #take(entries: ReadonlyArray<{ readonly duration: number }>): void {
    for (const { duration } of entries) {
      this.#total += duration
      // A histogram takes nothing below 1.
      this.#nanoseconds.record(Math.max(1, Math.round(duration * 1e6)))
    }
  }

  /** Watches from now on. */
  start(): void {
    this.#observer.observe({ entryTypes: ["gc"] })
  }

  /** Watches no more. */
  async stop(): Promise<void> {
    await setImmediate()
    await setImmediate()
    this.#take(this.#observer.takeRecords())
    this.#observer.disconnect()
  }

  /** What was seen so far. */
  read(): Pauses {
    const { count, max } = this.#nanoseconds
    if (count === 0) return { count: 0, p99: 0, longest: 0, total: 0 }
    return { count, p99: this.#nanoseconds.percentile(99) / 1e6, longest: max / 1e6, total: this.#total }
  }
}
