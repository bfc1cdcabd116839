/**
 * Gives one hound its jobs, and reports how it ended (CONFORMANCE H2, H4).
 *
 * Promises that the hound is dead and reaped when the scope has closed, that nothing waits longer
 * than the options say, and that no more is read of the hound than its connection reads.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { constants } from "node:os"
import { familyOf } from "../../hound/process/ResidentMemory.ts"
import type { LaunchPlan, ProcessExit } from "../../hound/process/Spawner.ts"
import { exitCodes } from "../../hound/sandbox/Sandbox.ts"
import { launchTrialHound, type TrialEvent, type TrialHound } from "../../hound/sandbox/TrialHound.ts"
import type { ProbeEnd } from "./Probe.ts"

export interface TrialReport {
  readonly end: ProbeEnd
  /** Whether the hound was ready before it ended. */
  readonly wasReady: boolean
  /**
   * The hound's text on stderr, as far as its plan keeps that, or why it could not be started.
   */
  readonly message: string
  /**
   * Most bytes of resident memory, as the kernel counts them; null where they could not be read.
   */
  readonly peak: number | null
  /**
   * From the deadline, or the violation, until nothing of the hound ran, in ms; null where it had
   * ended by itself.
   */
  readonly killedAfter: number | null
  /** Whether nothing of it was left afterwards, the process within bubblewrap included. */
  readonly isGone: boolean
  /** Bytes that were read of it. */
  readonly bytesRead: number
}

export interface TrialOptions {
  /** How many jobs it gets; the last one's end counts. */
  readonly jobs: number
  /** In ms. */
  readonly readyDeadline: number
  readonly jobDeadline: number
  /** Whether its memory is watched, and killed for. */
  readonly isWatched: boolean
}

/** The evidence that every hound is given. */
const evidence = new TextEncoder().encode("probe")
const digest = createHash("sha256").update(evidence).digest()

/** The end of a process as a probe's end. A wrapper reports a signal as 128 and its number. */
const endOf = ({ cause, code, signal }: ProcessExit): ProbeEnd => {
  if (cause === "rss") return "rss"
  if (signal !== null) return signal as `SIG${string}`
  if (code === exitCodes.unloadable) return "unloadable"
  const number = (code ?? 0) - 128
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0]
  return name?.startsWith("SIG") === true ? name as `SIG${string}` : `exit ${code ?? -1}`
}

const peakLine = /^VmHWM:\s+(\d+) kB/m

/** Most bytes that a process or one of its descendants held so far; 0 where that cannot be read. */
const peakOf = (pid: number): number =>
  Math.max(
    0,
    ...familyOf(pid).map((one) => {
      try {
        return Number(peakLine.exec(readFileSync(`/proc/${one}/status`, "latin1"))?.[1] ?? 0) * 1_024
      } catch {
        return 0
      }
    })
  )

/** Between two readings of a watched hound's peak, in ms. */
const peakInterval = 15

class Peak {
  #bytes = 0

  /** Null where it never could be read. */
  get bytes(): number | null {
    return this.#bytes === 0 ? null : this.#bytes
  }

  read({ pid }: TrialHound): void {
    if (pid !== null) this.#bytes = Math.max(this.#bytes, peakOf(pid))
  }

  /** Reads it again and again while the effect runs. */
  during<A>(hound: TrialHound, run: Effect.Effect<A>): Effect.Effect<A> {
    const reading = Effect.andThen(Effect.sync(() => this.read(hound)), Effect.sleep(peakInterval))
    return Effect.scoped(Effect.andThen(Effect.forkScoped(Effect.forever(reading)), run))
  }
}

/** For a hound that has closed its pipe to end, in ms. */
const goneDeadline = 2_000

/** Takes events until one of them is the awaited one, or the hound has ended. */
const until = <A>(
  hound: TrialHound,
  awaited: (event: TrialEvent) => A | undefined
): Effect.Effect<A | ProbeEnd> =>
  Effect.gen(function*() {
    for (;;) {
      const event = yield* hound.take()
      if (event.type === "down") return endOf(event.exit)
      if (event.type === "violation") return "violation"
      if (event.type === "gone") return yield* afterGone(hound)
      const found = awaited(event)
      if (found !== undefined) return found
    }
  })

/**
 * A hound that ends closes its pipe first. One that closes its pipe and lives on broke the rules.
 */
const afterGone = (hound: TrialHound): Effect.Effect<ProbeEnd> =>
  hound.take().pipe(
    Effect.map((event): ProbeEnd => event.type === "down" ? endOf(event.exit) : "violation"),
    Effect.timeoutOrElse({ duration: goneDeadline, orElse: () => Effect.succeed<ProbeEnd>("violation") })
  )

const within = <A>(duration: number, late: ProbeEnd, waiting: Effect.Effect<A>) =>
  Effect.timeoutOrElse(waiting, { duration, orElse: () => Effect.succeed(late) })

/** Gives the hound its jobs, one after the other. */
const work = Effect.fnUntraced(function*(hound: TrialHound, options: TrialOptions) {
  const untilReady = until(hound, ({ type }) => type === "ready" ? type : undefined)
  const first = yield* within(options.readyDeadline, "unready", untilReady)
  if (first !== "ready") return { end: first, wasReady: false }
  const untilAnswered = until(
    hound,
    (event) => event.type === "status" && event.state !== "processing" ? event.state : undefined
  )
  for (let job = 1;; job++) {
    hound.send({ job, length: evidence.length, category: 0, severity: 0, digest }, evidence.slice())
    const end = yield* within(options.jobDeadline, "deadline", untilAnswered)
    if (job === options.jobs || (end !== "complete" && end !== "error")) return { end, wasReady: true }
  }
})

/** Starts a hound, gives it its jobs, and reports how it ended. */
export const runTrial = Effect.fn("runTrial")(function*(plan: LaunchPlan, options: TrialOptions) {
  const hound = yield* launchTrialHound(plan)
  if (options.isWatched) hound.watch()
  const peak = new Peak()
  const working = work(hound, options)
  const { end, wasReady } = yield* options.isWatched ? peak.during(hound, working) : working
  peak.read(hound)
  const clock = yield* Clock.Clock
  const from = clock.monotonicTimeNanosUnsafe()
  const hadToBeKilled = hound.exit === null
  const { bytesRead } = hound
  const isGone = yield* hound.end()
  const report: TrialReport = {
    end,
    wasReady,
    message: hound.exit?.message ?? "",
    peak: peak.bytes,
    killedAfter: hadToBeKilled ? Number(clock.monotonicTimeNanosUnsafe() - from) / 1e6 : null,
    isGone,
    bytesRead
  }
  return report
})
