/**
 * One hound, what it is asked, and how it ends (CONFORMANCE H2, H4).
 *
 * Promises that it is dead and reaped when the scope has closed, that nothing waits longer than it
 * is told to, and that no more is read of it than a line reads.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { constants } from "node:os"
import { HoundConnection, type ConnectionDecision } from "../../hound/process/HoundConnection.ts"
import { LocalSpawner } from "../../hound/process/LocalSpawner.ts"
import { familyOf } from "../../hound/process/ResidentMemory.ts"
import type { ProcessExit, LaunchPlan } from "../../hound/process/Spawner.ts"
import { exitCodes } from "../../hound/sandbox/Sandbox.ts"
import type { ProbeEnd } from "./Probe.ts"

/** How it went. */
export interface TrialReport {
  readonly end: ProbeEnd
  /** Whether the hound was ready before it ended. */
  readonly wasReady: boolean
  /**
   * What it left on stderr, or why it could not be started: what is kept of it is the plan's
   * business.
   */
  readonly message: string
  /**
   * Most bytes of resident memory, as the kernel counts them; null where it was not looked at or
   * cannot be.
   */
  readonly peak: number | null
  /**
   * From the deadline, or the violation, until nothing of the hound ran, in ms; null where nobody
   * had to end it.
   */
  readonly killedAfter: number | null
  /**
   * Whether nothing of it was left afterwards: within bubblewrap the hound is a process of its own.
   */
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

type Event =
  | { readonly type: "decision"; readonly decision: ConnectionDecision }
  | { readonly type: "down"; readonly ending: ProcessExit }

/** What hounds are given here. */
const evidence = new TextEncoder().encode("probe")
const digest = createHash("sha256").update(evidence).digest()

/** The end of a process as a probe's end. A wrapper tells a signal as 128 and its number. */
const endOf = ({ cause, code, signal }: ProcessExit): ProbeEnd => {
  if (cause === "rss") return "rss"
  if (signal !== null) return signal as `SIG${string}`
  if (code === exitCodes.unloadable) return "unloadable"
  const number = (code ?? 0) - 128
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0]
  return name?.startsWith("SIG") === true ? name as `SIG${string}` : `exit ${code ?? -1}`
}

const peakLine = /^VmHWM:\s+(\d+) kB/m

/** The most that any of a process's own held so far; 0 where that cannot be read. */
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

/** Whether a process still does something; false where there is no /proc to be asked. */
const isRunning = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "latin1"))
  } catch {
    return false
  }
}

/** How long what is left of a hound is waited for, in looks of 1 ms. */
const maxLooks = 5_000

/** Waits until none of them runs; whether that came to be. */
const untilGone = Effect.fnUntraced(function*(pids: ReadonlyArray<number>) {
  for (let looks = 0; looks < maxLooks; looks++) {
    if (!pids.some(isRunning)) return true
    yield* Effect.sleep(1)
  }
  return false
})

/** For a hound that has closed its pipe to end, in ms. */
const goneDeadline = 2_000

const trialId = 1

/** Starts a hound, gives it its jobs, and tells how it ended. */
export const runTrial = Effect.fn("runTrial")(function*(plan: LaunchPlan, options: TrialOptions) {
  const events = yield* Queue.unbounded<Event>()
  const localSpawner = yield* Effect.acquireRelease(
    Effect.sync(() => new LocalSpawner(plan)),
    (localSpawner) => Effect.promise(() => localSpawner.close())
  )
  const hound: { line: HoundConnection | null; pid: number; peak: number; ending: ProcessExit | null } = {
    line: null,
    pid: 0,
    peak: 0,
    ending: null
  }
  yield* Effect.addFinalizer(() => Effect.sync(() => hound.line?.close()))
  localSpawner.launch(trialId, {
    up: (pid, pipe) => {
      hound.pid = pid
      hound.line = new HoundConnection(pipe)
      hound.line.onDecision((decision) => void Queue.offerUnsafe(events, { type: "decision", decision }))
    },
    down: (ending) => {
      hound.ending = ending
      Queue.offerUnsafe(events, { type: "down", ending })
    }
  })
  if (options.isWatched) localSpawner.watch(trialId, true)

  const look = Effect.sync(() => {
    if (hound.pid !== 0 && hound.ending === null) hound.peak = Math.max(hound.peak, peakOf(hound.pid))
  })
  const looking = options.isWatched
    ? yield* Effect.forkScoped(Effect.forever(Effect.andThen(look, Effect.sleep(15))))
    : null

  let wasReady = false
  let jobs = 0
  /**
   * Takes what happens until the hound is ready or has answered a job; gives the end where all is
   * over.
   */
  const step = Effect.gen(function*() {
    for (;;) {
      const event = yield* Queue.take(events)
      if (event.type === "down") return endOf(event.ending)
      const { decision } = event
      if (decision.type === "violation") return "violation"
      // A hound that ends closes its pipe first. One that closes it and lives on broke the rules.
      if (decision.type === "gone") {
        const after = yield* Effect.timeoutOption(Queue.take(events), goneDeadline)
        return Option.isSome(after) && after.value.type === "down" ? endOf(after.value.ending) : "violation"
      }
      if (decision.type === "ready") {
        wasReady = true
        return null
      }
      if (decision.type === "status" && decision.state !== "processing") {
        return jobs >= options.jobs ? decision.state : null
      }
    }
  })
  const within = (ms: number) =>
    Effect.map(
      Effect.timeoutOption(step, ms),
      Option.getOrElse((): ProbeEnd => wasReady ? "deadline" : "unready")
    )

  let end: ProbeEnd | null = yield* within(options.readyDeadline)
  for (; end === null; end = yield* within(options.jobDeadline)) {
    jobs++
    hound.line?.send({ job: jobs, length: evidence.length, category: 0, severity: 0, digest }, evidence.slice())
  }
  yield* look
  const clock = yield* Clock.Clock
  const from = clock.monotonicTimeNanosUnsafe()
  const hadToBeEnded = hound.ending === null
  const bytesRead = hound.line?.bytesRead ?? 0
  const family = hadToBeEnded && hound.pid !== 0 ? familyOf(hound.pid) : []
  hound.line?.close()
  localSpawner.kill(trialId)
  yield* Effect.promise(() => localSpawner.close())
  const isGone = yield* untilGone(family)
  if (looking !== null) yield* Fiber.interrupt(looking)
  const report: TrialReport = {
    end,
    wasReady,
    message: hound.ending?.message ?? "",
    peak: hound.peak === 0 ? null : hound.peak,
    killedAfter: hadToBeEnded ? Number(clock.monotonicTimeNanosUnsafe() - from) / 1e6 : null,
    isGone,
    bytesRead
  }
  return report
})
