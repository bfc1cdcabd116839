/**
 * Runs jobs at jittered intervals, so that nobody can foretell the next run (RFC, "Jittered
 * Rotation"; CONFORMANCE H5).
 *
 * Promises that a job's ticks come at its interval plus a new jitter each, counted from tick to
 * tick; that no two runs of one job overlap; and that nothing is left running when the job's scope
 * or the service closes. An error of a run or of `isBusy` counts as a failure of its own job, and
 * stops neither this job nor another.
 *
 * Cost: one timer for all jobs, set for the earliest of them, and no timer without a job. A tick
 * looks at every job, so the scheduler is meant for tens of jobs, not thousands. Randomness is
 * drawn once a tick.
 *
 * **Details**
 *
 * - A tick is skipped while the last run is still going, whatever `skipIfBusy` says; with
 *   `skipIfBusy` it is also skipped while `isBusy()` is true. Every tick, skipped or not, plans the
 *   next one.
 * - Time is monotonic: setting the time of day moves no tick, and `nextAt` says at which time of
 *   day the tick will come by the clock as it is set now. After a standstill (a sleeping laptop, a
 *   blocked event loop) all missed ticks become one, and the next is counted from there.
 * - A run begins on the turn after its tick, on a fiber of its own, with the context in which the
 *   job was scheduled.
 *
 * **Gotchas**
 *
 * - The clock and its timer are those of the place where the layer is built.
 * - Closing waits until the interrupted run has ended: an uninterruptible run delays it. A run may
 *   close its own scope. But if a child fiber of a run closes that scope and the run waits for the
 *   child, both wait forever.
 * - After the service has closed, jobs can still be scheduled but never tick.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Randomness } from "../host/port/Randomness.ts"
import { escapedCause } from "../telemetry/Causes.ts"
import { nextDelay } from "./JitteredDelay.ts"

/** A job: what it runs, and when. Times in whole ms. */
export interface JobOptions {
  /** Names the job in the log when a run fails. */
  readonly name: string
  /** From one tick to the next, from 1 on. */
  readonly interval: number
  /** The most that is added to the interval, from 0 on. */
  readonly jitterMax: number
  /** Whether a tick is skipped while `isBusy()` is true. */
  readonly skipIfBusy: boolean
  /** Called at a tick, synchronously, and only with `skipIfBusy`. */
  readonly isBusy: () => boolean
  readonly run: Effect.Effect<void>
}

/** The counts of a job, and its next tick. */
export interface JobSnapshot {
  /** Runs begun, including the one that is going. */
  readonly runs: number
  /** Ticks that began no run, because one was going or the job was busy. */
  readonly skipped: number
  /** Runs that failed, and ticks at which `isBusy` or the randomness threw. */
  readonly failures: number
  /** The time of day of the next tick, in ms since the epoch; null if none will come. */
  readonly nextAt: number | null
}

/** A job that ticks until its scope closes. */
export interface Job {
  /** O(1) and without side effects: two snapshots of the same moment are equal. */
  readonly snapshot: () => JobSnapshot
}

/** Schedules jobs on one shared timer. */
export class TickScheduler extends Context.Service<TickScheduler, {
  /**
   * The first tick comes an interval and a jitter from now. Dies with a RangeError if a time is not
   * a whole number of ms in its range.
   */
  readonly schedule: (options: JobOptions) => Effect.Effect<Job, never, Scope.Scope>
}>()("tracehound/scheduler/TickScheduler") {
  /** On the clock and the randomness of the place where it is built. */
  static readonly layer: Layer.Layer<TickScheduler, never, Randomness> = Layer.effect(
    TickScheduler,
    Effect.gen(function*() {
      return yield* make({
        clock: yield* Clock.Clock,
        randomness: yield* Randomness,
        context: yield* Effect.context()
      })
    })
  )
}

interface Dependencies {
  readonly clock: Clock.Clock
  readonly randomness: Randomness["Service"]
  /** The timer runs with it. */
  readonly context: Context.Context<never>
}

/** Ends all jobs, and waits for their runs, when the scope closes. */
const make = (dependencies: Dependencies): Effect.Effect<TickScheduler["Service"], never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(Effect.sync(() => new Timetable(dependencies)), (timetable) => timetable.close),
    (timetable) => ({
      schedule: (options) =>
        Effect.contextWith((context: Context.Context<never>) =>
          Effect.map(
            Effect.acquireRelease(Effect.sync(() => timetable.add(options, context)), (job) => timetable.remove(job)),
            (job) => ({ snapshot: () => timetable.snapshot(job) })
          )
        )
    })
  )

const nanosPerMilli = 1_000_000n

/** Rounded up to whole ms; less than 0 if that time has passed. */
const millisUntil = (due: bigint, clock: Clock.Clock): number =>
  Math.ceil(Number(due - clock.monotonicTimeNanosUnsafe()) / 1e6)

/** One job: its options, its next tick, its counts, and its run if one is going. */
class ScheduledJob {
  readonly options: JobOptions
  /** The context in which it was scheduled: its runs have the same. */
  readonly context: Context.Context<never>
  runs = 0
  skipped = 0
  failures = 0
  /** On the monotonic clock, in ns: exact, however long the host has been up. */
  due: bigint | null = null
  fiber: Fiber.Fiber<void> | undefined

  constructor(options: JobOptions, context: Context.Context<never>) {
    this.options = options
    this.context = context
  }

  snapshot(clock: Clock.Clock): JobSnapshot {
    const { due, failures, runs, skipped } = this
    const nextAt = due === null ? null : clock.currentTimeMillisUnsafe() + millisUntil(due, clock)
    return { runs, skipped, failures, nextAt }
  }
}

/** All jobs, and the one timer that goes off when the earliest is due. */
class Timetable {
  readonly #clock: Clock.Clock
  readonly #randomness: Randomness["Service"]
  readonly #context: Context.Context<never>
  readonly #jobs = new Set<ScheduledJob>()
  /** Every fiber that was started here and has not ended: closing waits for them. */
  readonly #alive = new Set<Fiber.Fiber<void>>()
  #timer: { readonly due: bigint; readonly fiber: Fiber.Fiber<void> } | undefined
  #isOpen = true

  constructor({ clock, context, randomness }: Dependencies) {
    this.#clock = clock
    this.#randomness = randomness
    this.#context = context
  }

  /** Throws a RangeError if a time of the job is out of range; it is not added then. */
  add(options: JobOptions, context: Context.Context<never>): ScheduledJob {
    const delay = nextDelay(options.interval, options.jitterMax, this.#randomness)
    const job = new ScheduledJob(options, context)
    if (this.#isOpen) {
      this.#plan(job, this.#clock.monotonicTimeNanosUnsafe(), delay)
      this.#jobs.add(job)
      this.#setTimer()
    }
    return job
  }

  snapshot(job: ScheduledJob): JobSnapshot {
    return job.snapshot(this.#clock)
  }

  /** Ends the job's ticks, interrupts its run, and waits until the run has ended. */
  remove(job: ScheduledJob): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#forget([job])
      return job.fiber === undefined ? Effect.void : interruptAll([job.fiber])
    })
  }

  /** Removes all jobs; those that are added later never tick. */
  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#isOpen = false
      this.#forget([...this.#jobs])
      return interruptAll([...this.#alive])
    })
  }

  #forget(gone: ReadonlyArray<ScheduledJob>): void {
    for (const job of gone) {
      this.#jobs.delete(job)
      job.due = null
    }
    this.#setTimer()
  }

  /** Sets the timer for the earliest job; without a job there is no timer. */
  #setTimer(): void {
    let due: bigint | undefined
    for (const job of this.#jobs) if (job.due !== null && (due === undefined || job.due < due)) due = job.due
    if (this.#timer?.due === due) return
    this.#timer?.fiber.interruptUnsafe()
    this.#timer = undefined
    if (due === undefined) return
    // At least 1 ms: a clock may skip a sleep of 0, and the timer would go off before `#timer` is
    // set.
    const wait = Math.max(1, millisUntil(due, this.#clock))
    const timer = Effect.map(this.#clock.sleep(Duration.millis(wait)), () => this.#tick())
    this.#timer = { due, fiber: this.#fork(timer, this.#context) }
  }

  /** Synchronous from end to end: only an `isBusy` can add or remove jobs meanwhile. */
  #tick(): void {
    this.#timer = undefined
    const now = this.#clock.monotonicTimeNanosUnsafe()
    const starting = [...this.#jobs].filter((job) =>
      this.#jobs.has(job) && job.due !== null && job.due <= now && this.#planAndDecide(job, now)
    )
    this.#setTimer()
    for (const job of starting) this.#begin(job)
  }

  /** Plans the next tick of a job that is due, and decides whether this one begins a run. */
  #planAndDecide(job: ScheduledJob, now: bigint): boolean {
    const { interval, isBusy, jitterMax, skipIfBusy } = job.options
    // Stands if the next line throws: without it the job would stay due for ever.
    this.#plan(job, now, interval)
    try {
      this.#plan(job, now, nextDelay(interval, jitterMax, this.#randomness))
      if (job.fiber === undefined && !(skipIfBusy && isBusy())) return true
      job.skipped += 1
    } catch {
      job.failures += 1
    }
    return false
  }

  #plan(job: ScheduledJob, now: bigint, delay: number): void {
    job.due = now + BigInt(delay) * nanosPerMilli
  }

  #begin(job: ScheduledJob): void {
    // The `isBusy` of another job may have removed this one since.
    if (!this.#jobs.has(job)) return
    job.runs += 1
    // On the next turn, so that `job.fiber` is set before the run can close the job or the service.
    const fiber = this.#fork(Effect.andThen(Effect.yieldNow, loggingFailure(job.options)), job.context)
    job.fiber = fiber
    fiber.addObserver((exit) => {
      job.fiber = undefined
      // A run that was interrupted because its job was removed has not failed.
      if (Exit.isFailure(exit) && this.#jobs.has(job)) job.failures += 1
    })
  }

  #fork(effect: Effect.Effect<void>, context: Context.Context<never>): Fiber.Fiber<void> {
    const fiber = Effect.runForkWith(context)(effect)
    this.#alive.add(fiber)
    fiber.addObserver(() => this.#alive.delete(fiber))
    return fiber
  }
}

/** The run. Its failure is logged, since nobody waits for it. */
const loggingFailure = ({ name, run }: JobOptions): Effect.Effect<void> =>
  Effect.tapCause(
    run,
    (cause) => Effect.annotateLogs(Effect.logWarning("a scheduled run failed", escapedCause(cause)), { job: name })
  )

/**
 * Interrupts the fibers and waits for them. A run that closes its own job is interrupted too, but
 * not waited for: it cannot end before its own call returns.
 */
const interruptAll = (fibers: ReadonlyArray<Fiber.Fiber<void>>): Effect.Effect<void> =>
  Effect.withFiber((self) => {
    for (const fiber of fibers) fiber.interruptUnsafe(self.id)
    return Effect.asVoid(Fiber.awaitAll(fibers.filter((fiber) => fiber.id !== self.id)))
  })
