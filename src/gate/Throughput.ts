/**
 * How many scents came through the gate in the last whole seconds (RFC, "WatcherSnapshot.throughput"). The Agent counts, the
 * Watcher reads. O(1) a count; eleven counts and their seconds of state.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const seconds = 10

/** A counter over a moving window of ten whole seconds. */
export interface ThroughputCounter {
  readonly count: (now: number) => void
  /** Scents a second over the ten whole seconds before the one that `now`, in ms, is in. */
  readonly perSecond: (now: number) => number
  /** When the last scent was counted, in ms; 0 before the first. */
  readonly lastActivity: () => number
}

/** A counter at zero. */
export const makeThroughput = (): ThroughputCounter => {
  /** One more than the window, for the second that is not whole yet. */
  const counts = new Float64Array(seconds + 1)
  const stamps = new Float64Array(seconds + 1).fill(Number.NEGATIVE_INFINITY)
  let last = 0
  return {
    lastActivity: () => last,
    count: (now) => {
      last = now
      const second = Math.floor(now / 1000)
      const slot = ((second % counts.length) + counts.length) % counts.length
      if (stamps[slot] !== second) {
        stamps[slot] = second
        counts[slot] = 0
      }
      counts[slot] = (counts[slot] ?? 0) + 1
    },
    perSecond: (now) => {
      const current = Math.floor(now / 1000)
      let total = 0
      for (let slot = 0; slot < counts.length; slot++) {
        const age = current - (stamps[slot] ?? Number.NEGATIVE_INFINITY)
        if (age >= 1 && age <= seconds) total += counts[slot] ?? 0
      }
      return total / seconds
    }
  }
}

/** The one counter of a Tracehound. */
export class Throughput extends Context.Service<Throughput, {
  /** Counts a scent at a time already read, in ms. */
  readonly countUnsafe: (now: number) => void
  readonly perSecond: () => number
  readonly lastActivity: () => number
}>()("tracehound/gate/Throughput") {
  /** On the Clock of its host. */
  static readonly layer = Layer.effect(
    Throughput,
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const counter = makeThroughput()
      return {
        countUnsafe: counter.count,
        perSecond: () => counter.perSecond(clock.currentTimeMillisUnsafe()),
        lastActivity: counter.lastActivity
      }
    })
  )
}
