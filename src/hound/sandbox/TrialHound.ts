/**
 * One hound with a spawner of its own, for trials: of a plan, or of an attack (CONFORMANCE H2, H4).
 *
 * Promises that the hound is dead and reaped when `end` has returned, or its scope has closed; so
 * is the process within bubblewrap, which is a child of the one that was started.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { readFileSync } from "node:fs"
import type { JobFacts } from "../channel/Frames.ts"
import { type ConnectionDecision, HoundConnection } from "../process/HoundConnection.ts"
import { LocalSpawner, type LocalSpawnerOptions } from "../process/LocalSpawner.ts"
import { familyOf } from "../process/ResidentMemory.ts"
import type { LaunchPlan, ProcessExit } from "../process/Spawner.ts"

/** A decision of its connection, or the end of its process. */
export type TrialEvent = ConnectionDecision | { readonly type: "down"; readonly exit: ProcessExit }

/** Its only hound, to the spawner. */
const id = 1

/** Whether a process still does something; false where there is no /proc to be asked. */
const isRunning = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "latin1"))
  } catch {
    return false
  }
}

/** How often the rest of a killed hound is looked for, once a millisecond. */
const maxLooks = 5_000

/** Waits until none of the processes runs, at most 5 s; whether that came to be. */
const untilGone = Effect.fnUntraced(function*(pids: ReadonlyArray<number>) {
  for (let looks = 0; looks < maxLooks; looks++) {
    if (!pids.some(isRunning)) return true
    yield* Effect.sleep(1)
  }
  return false
})

export class TrialHound {
  readonly #spawner: LocalSpawner
  readonly #events: Queue.Queue<TrialEvent>
  #connection: HoundConnection | null = null
  #pid = 0
  #exit: ProcessExit | null = null

  constructor(plan: LaunchPlan, events: Queue.Queue<TrialEvent>, options: LocalSpawnerOptions) {
    this.#events = events
    this.#spawner = new LocalSpawner(plan, options)
    this.#spawner.launch(id, {
      up: (pid, pipe) => {
        this.#pid = pid
        this.#connection = new HoundConnection(pipe)
        this.#connection.onDecision((decision) => void Queue.offerUnsafe(events, decision))
      },
      down: (exit) => {
        this.#exit = exit
        Queue.offerUnsafe(events, { type: "down", exit })
      }
    })
  }

  /** How its process ended; null while it has not. */
  get exit(): ProcessExit | null {
    return this.#exit
  }

  /** The pid of its process while that runs; else null. */
  get pid(): number | null {
    return this.#pid === 0 || this.#exit !== null ? null : this.#pid
  }

  /** Bytes that were read from it so far. */
  get bytesRead(): number {
    return this.#connection?.bytesRead ?? 0
  }

  /** Has it killed where it holds more memory than its plan allows. */
  watch(): void {
    this.#spawner.watch(id, true)
  }

  /** Sends a job to a hound that is ready; the bytes are overwritten afterwards. */
  send(facts: JobFacts, bytes: Uint8Array): void {
    this.#connection?.send(facts, bytes)
  }

  /** The next event. The last one is `down`. */
  take(): Effect.Effect<TrialEvent> {
    return Queue.take(this.#events)
  }

  /** Kills the hound; false where something of it still runs 5 s later. Idempotent. */
  end(): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      const family = this.pid === null ? [] : familyOf(this.pid)
      // First of all, since a hound whose pipe ends may exit by itself before the signal comes.
      this.#spawner.kill(id)
      this.#connection?.close()
      return Effect.andThen(Effect.promise(() => this.#spawner.close()), untilGone(family))
    })
  }
}

/** Launches a hound that ends with the scope. Never fails: a plan that cannot be run is an exit. */
export const launchTrialHound = (
  plan: LaunchPlan,
  options: LocalSpawnerOptions = {}
): Effect.Effect<TrialHound, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.map(Queue.unbounded<TrialEvent>(), (events) => new TrialHound(plan, events, options)),
    (hound) => hound.end()
  )
