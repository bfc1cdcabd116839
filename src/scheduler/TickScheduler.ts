/**
 * Work that comes again and again at times nobody can foretell (RFC, "Jittered Rotation";
 * CONFORMANCE H5).
 *
 * Promises that a job's ticks come at its interval and a new jitter each, counted from tick to
 * tick; that no two runs of one job are ever on at once; and that nothing is left when its scope or
 * the service's closes. What a run or `isBusy` does wrong is counted as that job's failure and
 * stops neither this job nor another.
 *
 * Cost: one timer for all jobs, that of the earliest, and none where there is no job. A tick looks
 * at every job: meant for tens of them, not thousands. Randomness is drawn once a tick.
 *
 * **Details**
 *
 * - A tick that finds its last run still going is skipped, whatever `skipIfBusy` says; so is, with
 *   `skipIfBusy`, one that finds `isBusy()` true. The next tick is planned at each tick, skipped or
 *   not.
 * - Time is monotonic: a time of day that somebody sets moves no tick. After a standstill (a laptop
 *   asleep, an event loop held up) all that was missed is one tick, and the next is counted from
 *   there.
 * - A run begins on the turn after its tick, on a fiber of its own, with the context in which the
 *   job was scheduled.
 *
 * **Gotchas**
 *
 * - The clock and its timer are those of where the layer is built.
 * - `nextAt` is a time of day, as it was to be when the tick was planned: it does not follow a
 *   clock that is set meanwhile.
 * - Closing waits until the interrupted run has ended: one that cannot be interrupted holds it up.
 *   A run may close its own scope; a child fiber of a run that does, and that the run waits for,
 *   would wait forever.
 * - Once the service has closed, jobs can still be scheduled, and never tick.
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
import { nextDelay } from "./Rotation.ts"

/** What a job is made of; times in whole ms. */
export interface JobOptions {
  /** What it is called where a failure is logged. */
  readonly name: string
  /** From one tick to the next, from 1 on. */
  readonly interval: number
  /** The most that is added to it, from 0 on. */
  readonly jitterMax: number
  /** Whether a tick is skipped while `isBusy()` is true. */
  readonly skipIfBusy: boolean
  /** Asked at a tick, synchronously, and only with `skipIfBusy`. */
  readonly isBusy: () => boolean
  readonly run: Effect.Effect<void>
}

/** A look at a job. */
export interface JobSnapshot {
  /** Runs begun, the one that is going among them. */
  readonly runs: number
  /** Ticks that began no run, as there was one or the job was busy. */
  readonly skipped: number
  /**
   * Runs that ended badly, and ticks that could not be decided since `isBusy` or the randomness
   * threw.
   */
  readonly failures: number
  /** The time of day of the next tick, in ms since the epoch; null where none will come. */
  readonly nextAt: number | null
}

/** A job that ticks until its scope closes. */
export interface Job {
  /** O(1); changes nothing, and two looks at the same moment are equal. */
  readonly snapshot: () => JobSnapshot
}

interface JobState extends Record<"runs" | "skipped" | "failures", number> {
  readonly options: JobOptions
  readonly context: Context.Context<never>
  nextAt: number | null
  /** On the monotonic clock, in ns: exact, however long the host has been up. */
  due: bigint
  fiber: Fiber.Fiber<void> | undefined
}

/** One timer, and the jobs that wait for it. */
export class TickScheduler extends Context.Service<TickScheduler, {
  /**
   * Begins to tick, an interval and a jitter from now. Dies with a RangeError where a time is no
   * whole number of ms in its range.
   */
  readonly schedule: (options: JobOptions) => Effect.Effect<Job, never, Scope.Scope>
}>()("tracehound/scheduler/TickScheduler") {
  /** Over the clock and the randomness of where it is built. */
  static readonly layer: Layer.Layer<TickScheduler, never, Randomness> = Layer.effect(
    TickScheduler,
    Effect.suspend(() => make)
  )
}

const nanosPerMilli = 1_000_000n

const make = Effect.gen(function*() {
  const clock = yield* Clock.Clock
  const randomness = yield* Randomness
  const context = yield* Effect.context()
  const jobs = new Set<JobState>()
  // Every fiber that was started here and has not ended: what closing has to wait for.
  const alive = new Set<Fiber.Fiber<void>>()
  let timer: { readonly due: bigint; readonly fiber: Fiber.Fiber<void> } | undefined
  let open = true

  const fork = (effect: Effect.Effect<void>, context: Context.Context<never>): Fiber.Fiber<void> => {
    const fiber = Effect.runForkWith(context)(effect)
    alive.add(fiber)
    fiber.addObserver(() => alive.delete(fiber))
    return fiber
  }

  /** Has the timer go off when the earliest job is due, and none where there is no job. */
  const arm = (): void => {
    let due: bigint | undefined
    for (const job of jobs) if (due === undefined || job.due < due) due = job.due
    if (timer?.due === due) return
    timer?.fiber.interruptUnsafe()
    timer = undefined
    if (due === undefined) return
    // At least 1 ms: a clock may go on at once where there is nothing to wait for, and the timer
    // would go off before it is set.
    const wait = Math.max(1, Math.ceil(Number(due - clock.monotonicTimeNanosUnsafe()) / 1e6))
    timer = { due, fiber: fork(Effect.andThen(clock.sleep(Duration.millis(wait)), tick), context) }
  }

  const plan = (job: JobState, now: bigint, delay: number): void => {
    job.due = now + BigInt(delay) * nanosPerMilli
    job.nextAt = clock.currentTimeMillisUnsafe() + delay
  }
  /** Plans anew, and says whether this tick begins a run. */
  const decide = (job: JobState, now: bigint): boolean => {
    const { interval, isBusy, jitterMax, skipIfBusy } = job.options
    // Stands where what comes next throws: without it the tick would be due for ever.
    plan(job, now, interval)
    try {
      plan(job, now, nextDelay(interval, jitterMax, randomness))
      if (job.fiber === undefined && !(skipIfBusy && isBusy())) return true
      job.skipped += 1
    } catch {
      job.failures += 1
    }
    return false
  }
  const begin = (job: JobState): void => {
    // An isBusy may have closed it since.
    if (!jobs.has(job)) return
    job.runs += 1
    // A turn later, so that the fiber is known before its run can ask for anything to be closed.
    const fiber = fork(Effect.andThen(Effect.yieldNow, reporting(job.options)), job.context)
    job.fiber = fiber
    fiber.addObserver((exit) => {
      job.fiber = undefined
      // What was interrupted because its job went away has not failed.
      if (Exit.isFailure(exit) && jobs.has(job)) job.failures += 1
    })
  }
  // Synchronous from end to end: only an isBusy can add or remove jobs in its midst.
  const tick = Effect.sync(() => {
    timer = undefined
    const now = clock.monotonicTimeNanosUnsafe()
    const due = [...jobs].filter((job) => jobs.has(job) && job.due <= now && decide(job, now))
    arm()
    for (const job of due) begin(job)
  })

  const add = (options: JobOptions, context: Context.Context<never>): JobState => {
    const { interval, jitterMax } = options
    const delay = nextDelay(interval, jitterMax, randomness)
    const job: JobState = {
      options,
      context,
      runs: 0,
      skipped: 0,
      failures: 0,
      nextAt: null,
      due: 0n,
      fiber: undefined
    }
    if (open) {
      plan(job, clock.monotonicTimeNanosUnsafe(), delay)
      jobs.add(job)
      arm()
    }
    return job
  }
  const remove = (gone: Iterable<JobState>): void => {
    for (const job of gone) {
      jobs.delete(job)
      job.nextAt = null
    }
    arm()
  }

  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      open = false
      remove([...jobs])
      return end([...alive])
    })
  )

  return TickScheduler.of({
    schedule: (options) =>
      Effect.acquireRelease(
        Effect.contextWith((context: Context.Context<never>) => Effect.sync(() => add(options, context))),
        (job) =>
          Effect.suspend(() => {
            remove([job])
            return job.fiber === undefined ? Effect.void : end([job.fiber])
          })
      ).pipe(Effect.map((job) => ({ snapshot: () => snapshotOf(job) })))
  })
})

const snapshotOf = ({ failures, nextAt, runs, skipped }: JobState): JobSnapshot => ({ runs, skipped, failures, nextAt })

/** The run; where it fails somebody should see why, since no one waits for it. */
const reporting = ({ name, run }: JobOptions): Effect.Effect<void> =>
  Effect.tapCause(
    run,
    (cause) => Effect.annotateLogs(Effect.logWarning("a scheduled run failed", cause), { job: name })
  )

/**
 * Interrupts the fibers and waits for them, but not for the one that asks: it cannot end before it
 * has its answer.
 */
const end = (fibers: ReadonlyArray<Fiber.Fiber<void>>): Effect.Effect<void> =>
  Effect.withFiber((self) => {
    for (const fiber of fibers) fiber.interruptUnsafe(self.id)
    return Effect.asVoid(Fiber.awaitAll(fibers.filter((fiber) => fiber.id !== self.id)))
  })
