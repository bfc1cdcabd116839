/**
 * The timers of one incarnation: messages to itself that come later.
 *
 * Promises that the message of a timer which was cancelled or replaced is never handled, also when
 * it waits already; that of one timer at most one message waits, however long the actor is busy;
 * and that nothing of them outlives the incarnation. Time is the kernel's, which only goes forward.
 *
 * Cost: a fiber for each timer that runs. Every operation is O(1).
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { Kernel } from "./Kernel.ts"
import { Signal } from "./Letter.ts"
import type { Message } from "./Message.ts"

/**
 * Messages that come later, by key: setting a key again replaces its timer. They come whatever the
 * bounds of the mailbox are, behind what waits then. All of them end with the incarnation.
 */
export interface Timers<in M extends Message> {
  /** One message after this time; with 0 at once, behind what waits. */
  readonly once: (key: string, after: Duration.Input, message: M) => Effect.Effect<void>
  /**
   * A message at every interval from now on, without drift. If the one before still waits, there is
   * none for this interval. Dies with a RangeError if the interval is less than 1 ms.
   */
  readonly every: (key: string, interval: Duration.Input, message: M) => Effect.Effect<void>
  /** Ends the timer of this key, if there is one. A message of it that waits is not handled. */
  readonly cancel: (key: string) => Effect.Effect<void>
}

/** What timers need of their actor. */
export interface TimerHost<in M extends Message> {
  readonly kernel: Kernel
  /** Puts a signal into the inbox, and returns whether it took it. */
  readonly send: (signal: Signal<M>) => boolean
  readonly retract: (signal: Signal<M>) => void
  /** Whether nothing waits and nothing is handled. */
  readonly isIdle: () => boolean
}

/** Sends one message, of which at most one waits. */
class Alarm<M extends Message> {
  readonly #host: TimerHost<M>
  readonly #message: M
  readonly #onTaken: (() => void) | undefined
  #signal: Signal<M> | undefined
  #fiber: Fiber.Fiber<void> | undefined

  constructor(host: TimerHost<M>, message: M, onTaken?: () => void) {
    this.#host = host
    this.#message = message
    this.#onTaken = onTaken
  }

  get isAsleep(): boolean {
    return this.#fiber !== undefined
  }
  get hasSent(): boolean {
    return this.#signal !== undefined
  }

  /** Runs what waits for the time to send. */
  run(wait: Effect.Effect<void>): void {
    const fiber = Effect.runForkWith(this.#host.kernel.context)(wait)
    this.#fiber = fiber
    fiber.addObserver(() => {
      if (this.#fiber === fiber) this.#fiber = undefined
    })
  }
  /** Sends the message, unless it waits already. False if the actor takes none any more. */
  send(): boolean {
    if (this.#signal !== undefined) return true
    const signal = new Signal(this.#message, "timer", undefined, () => {
      this.#signal = undefined
      this.#onTaken?.()
    })
    if (!this.#host.send(signal)) return false
    this.#signal = signal
    return true
  }
  cancel(): void {
    this.#fiber?.interruptUnsafe()
    if (this.#signal !== undefined) this.#host.retract(this.#signal)
    this.#signal = undefined
  }
}

/** The timers of one incarnation by key, and its receive timeout. */
export class TimerTable<M extends Message> implements Timers<M> {
  readonly #host: TimerHost<M>
  readonly #alarms = new Map<string, Alarm<M>>()
  #stillness: Stillness<M> | undefined
  #isOpen = true

  constructor(host: TimerHost<M>) {
    this.#host = host
  }

  readonly once = (key: string, after: Duration.Input, message: M): Effect.Effect<void> =>
    Effect.sync(() => {
      if (!this.#isOpen) return
      const alarm = this.#replace(key, message, () => this.#forget(key, alarm))
      const ms = Duration.toMillis(after)
      const send = () => {
        if (!alarm.send()) this.#forget(key, alarm)
      }
      if (ms === 0) send()
      else alarm.run(Effect.map(Effect.sleep(ms), send))
    })
  readonly every = (key: string, interval: Duration.Input, message: M): Effect.Effect<void> =>
    Effect.sync(() => {
      const ms = Duration.toMillis(interval)
      if (!(ms >= 1)) throw new RangeError(`an interval is at least 1 ms, not ${ms}`)
      if (!this.#isOpen) return
      const { elapsed } = this.#host.kernel
      const alarm = this.#replace(key, message)
      let due = elapsed() + ms
      const again: Effect.Effect<void> = Effect.suspend(() =>
        Effect.flatMap(Effect.sleep(due - elapsed()), () => {
          if (!alarm.send()) return Effect.void
          // After a standstill, the intervals that have passed are left out.
          due += ms * (1 + Math.max(0, Math.floor((elapsed() - due) / ms)))
          return again
        })
      )
      alarm.run(again)
    })
  readonly cancel = (key: string): Effect.Effect<void> =>
    Effect.sync(() => {
      this.#alarms.get(key)?.cancel()
      this.#alarms.delete(key)
    })

  #replace(key: string, message: M, onTaken?: () => void): Alarm<M> {
    this.#alarms.get(key)?.cancel()
    const alarm = new Alarm(this.#host, message, onTaken)
    this.#alarms.set(key, alarm)
    return alarm
  }
  #forget(key: string, alarm: Alarm<M>): void {
    if (this.#alarms.get(key) === alarm) this.#alarms.delete(key)
  }

  /** Sends the message whenever the actor has been idle for so long. Replaces what was set. */
  readonly receiveTimeout = (after: Duration.Input, message: M): Effect.Effect<void> =>
    Effect.sync(() => {
      if (!this.#isOpen) return
      this.#stillness?.cancel()
      this.#stillness = new Stillness(this.#host, Duration.toMillis(after), message)
    })
  readonly cancelReceiveTimeout: Effect.Effect<void> = Effect.sync(() => {
    this.#stillness?.cancel()
    this.#stillness = undefined
  })
  /** Must be called when the actor has become idle. */
  rest(): void {
    this.#stillness?.rest()
  }

  /** Ends all of them, and those that are set later. */
  close(): void {
    this.#isOpen = false
    for (const alarm of this.#alarms.values()) alarm.cancel()
    this.#alarms.clear()
    this.#stillness?.cancel()
    this.#stillness = undefined
  }
}

/**
 * A receive timeout. A message costs it nothing but a look at the time when the actor has become
 * idle again: a timer that goes off too early sleeps for the rest.
 */
class Stillness<M extends Message> {
  readonly #host: TimerHost<M>
  readonly #alarm: Alarm<M>
  /** Milliseconds. */
  readonly #after: number
  /** In ms of `Kernel.elapsed`. */
  #idleSince: number

  constructor(host: TimerHost<M>, after: number, message: M) {
    if (!(after >= 1)) throw new RangeError(`a receive timeout is at least 1 ms, not ${after}`)
    this.#host = host
    this.#after = after
    this.#alarm = new Alarm(host, message)
    this.#idleSince = host.kernel.elapsed()
    if (host.isIdle()) this.rest()
  }

  rest(): void {
    this.#idleSince = this.#host.kernel.elapsed()
    if (this.#alarm.isAsleep || this.#alarm.hasSent) return
    const wait: Effect.Effect<void> = Effect.suspend(() => {
      const left = this.#idleSince + this.#after - this.#host.kernel.elapsed()
      if (left > 0) return Effect.andThen(Effect.sleep(left), wait)
      // If it is busy, `rest` comes again when it is not.
      if (this.#host.isIdle()) this.#alarm.send()
      return Effect.void
    })
    this.#alarm.run(wait)
  }
  cancel(): void {
    this.#alarm.cancel()
  }
}
