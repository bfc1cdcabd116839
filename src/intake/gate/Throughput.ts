/**
 * Scents per second over the last ten whole seconds (RFC, "WatcherSnapshot.throughput"). The Agent
 * counts, the Watcher reads. Counting is O(1); the state is eleven counts and their seconds.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MonotonicTime, type TimeCell } from "../../host/port/MonotonicTime.ts"

const seconds = 10

/** A counter over a moving window. Times are in ms of one clock that does not go back. */
export interface ThroughputCounter {
  /** Counts one scent at the time in the cell. */
  readonly count: (now: TimeCell) => void
  /** Scents a second over the ten whole seconds before the one that `now` is in. */
  readonly perSecond: (now: number) => number
  /** Scents counted so far. */
  readonly total: () => number
  /** When the last scent was counted; -Infinity before the first. */
  readonly lastCounted: () => number
}

export const makeThroughput = (): ThroughputCounter => {
  /** One more than the window has, for the second that is not whole yet. */
  const counts = new Float64Array(seconds + 1)
  const stamps = new Float64Array(seconds + 1).fill(Number.NEGATIVE_INFINITY)
  /**
   * The last time; then the start and the end of the second that is being counted. In an array, so
   * that no number is boxed.
   */
  const state = Float64Array.of(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)
  let place = 0
  /** Scents before the second that is being counted, and what its place held at its beginning. */
  let before = 0
  let atTurn = 0

  const turn = (): void => {
    before += (counts[place] ?? 0) - atTurn
    const now = state[0] ?? 0
    const second = Math.floor(now / 1000)
    state[1] = second * 1000
    state[2] = second * 1000 + 1000
    place = ((second % counts.length) + counts.length) % counts.length
    if (stamps[place] !== second) {
      stamps[place] = second
      counts[place] = 0
    }
    atTurn = counts[place] ?? 0
  }
  return {
    total: () => before + (counts[place] ?? 0) - atTurn,
    lastCounted: () => state[0] ?? Number.NEGATIVE_INFINITY,
    count: (cell) => {
      const now = cell[0] ?? 0
      state[0] = now
      if (!(now >= (state[1] ?? 0) && now < (state[2] ?? 0))) turn()
      counts[place] = (counts[place] ?? 0) + 1
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
  /** Counts a scent at the monotonic time that was read last. */
  readonly countUnsafe: () => void
  /** Scents counted so far. */
  readonly total: () => number
  readonly perSecond: () => number
  /**
   * When the last scent came, in ms since the epoch by the clock as it stands at the call; 0 before
   * the first.
   */
  readonly lastActivity: () => number
}>()("tracehound/intake/gate/Throughput") {
  static readonly layer = Layer.effect(
    Throughput,
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const { last, nowMs } = yield* MonotonicTime
      const counter = makeThroughput()
      return {
        countUnsafe: () => {
          counter.count(last)
        },
        total: counter.total,
        perSecond: () => counter.perSecond(nowMs()),
        lastActivity: () => {
          const counted = counter.lastCounted()
          return counted === Number.NEGATIVE_INFINITY
            ? 0
            : Math.round(clock.currentTimeMillisUnsafe() - (nowMs() - counted))
        }
      }
    })
  )
}
