/**
 * An open loop: what is to be sent is due by the clock, whether or not what was sent before has
 * been answered. A host that stands still is sent all that falls due meanwhile, and each counts
 * from the moment at which it was due: no wait of a client is left out of the figures ("coordinated
 * omission").
 */
import { setTimeout } from "node:timers/promises"

/** When what is due. Times are in ms, of one clock. */
export class OpenLoop {
  readonly #start: number
  readonly #between: number
  readonly #end: number
  #next = 0

  /** So many a second from `start` on, until `end`. */
  constructor({ end, rate, start }: { readonly rate: number; readonly start: number; readonly end: number }) {
    this.#start = start
    this.#between = 1000 / rate
    this.#end = end
  }

  /** Sends all that is due by now, each with its number and the moment at which it was due. */
  send(now: number, one: (i: number, due: number) => void): void {
    for (;;) {
      const due = this.#start + this.#next * this.#between
      if (due > now || due >= this.#end) return
      one(this.#next, due)
      this.#next += 1
    }
  }

  /** How many were sent. */
  get sent(): number {
    return this.#next
  }
}

/** Sends by the clock, looking at it each millisecond, until its end. */
export const runLoop = async (
  order: { readonly rate: number; readonly start: number; readonly end: number },
  one: (i: number, due: number) => void
): Promise<void> => {
  const loop = new OpenLoop(order)
  for (;;) {
    const now = performance.now()
    loop.send(now, one)
    if (now >= order.end) return
    await setTimeout(1)
  }
}
