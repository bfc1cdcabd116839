/**
 * Hounds without their pool, for lines about the cost of processes, sandbox and pipes alone. All of
 * them are real.
 *
 * **Gotchas**
 *
 * - Pipes and processes keep nothing awake: wait for hounds within `awake`.
 */
import * as Effect from "effect/Effect"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { type ConnectionDecision, HoundConnection } from "../src/hound/process/HoundConnection.ts"
import type { LaunchPlan, Spawner } from "../src/hound/process/Spawner.ts"
import { detectSandbox } from "../src/hound/sandbox/Detect.ts"

/** An analyzer that does nothing. */
export const analyzer = fileURLToPath(new URL("houndAnalyzer.mjs", import.meta.url))

/** The plan of hounds at this level; null where this machine does not give it. */
export const planAt = async (level: "default" | "hard"): Promise<LaunchPlan | null> => {
  const request = { level, analyzer: { path: analyzer }, maxPayloadSize: 2_097_152, debug: false }
  const { plan, report } = await Effect.runPromise(detectSandbox(request))
  return report.level === level ? plan : null
}

/** The plan of hounds at the level default. Throws where there is none. */
export const defaultPlan = async (): Promise<LaunchPlan> => {
  const plan = await planAt("default")
  if (plan === null) throw new Error("this machine has no hounds")
  return plan
}

/** Keeps the process awake while `run` runs. */
export const awake = async <A>(run: () => Promise<A>): Promise<A> => {
  const timer = setInterval(() => undefined, 1_000_000_000)
  try {
    return await run()
  } finally {
    clearInterval(timer)
  }
}

const digest = new Uint8Array(32)

/** A hound that is ready. */
export class ReadyHound {
  readonly pid: number
  readonly #connection: HoundConnection
  #job = 0
  #then: (isComplete: boolean) => void = () => undefined

  constructor(pid: number, connection: HoundConnection) {
    this.pid = pid
    this.#connection = connection
  }

  /** Has it examine bytes, which are its own from now on. One job at a time. */
  examine(bytes: Uint8Array, then: (isComplete: boolean) => void): void {
    this.#then = then
    this.#job = this.#job === 0xffff_ffff ? 1 : this.#job + 1
    this.#connection.send({ job: this.#job, length: bytes.length, category: 0, severity: 0, digest }, bytes)
  }

  /** Takes what its connection decided. */
  heard(decision: ConnectionDecision): void {
    if (decision.type === "gone" || decision.type === "violation") this.#then(false)
    else if (decision.type === "status" && decision.state !== "processing") this.#then(decision.state === "complete")
  }
}

/** Launches a hound, and comes back when it is ready. */
export const readyHound = (spawner: Spawner, id: number): Promise<ReadyHound> =>
  new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error("a hound was not ready"))
    spawner.launch(id, {
      up: (pid, pipe) => {
        const connection = new HoundConnection(pipe)
        const hound = new ReadyHound(pid, connection)
        connection.onDecision((decision) => {
          if (decision.type === "ready") resolve(hound)
          else hound.heard(decision)
        })
      },
      down: fail
    })
  })

/** Resolves when the hounds have done that many jobs; each of them always has one. */
export const keepBusy = (
  hounds: ReadonlyArray<ReadyHound>,
  calls: number,
  bytes: () => Uint8Array
): Promise<void> =>
  new Promise((resolve, reject) => {
    let sent = 0
    let done = 0
    const next = (hound: ReadyHound): void => {
      if (sent === calls) return
      sent += 1
      hound.examine(bytes(), (isComplete) => {
        if (!isComplete) return reject(new Error("a hound failed over its job"))
        done += 1
        if (done === calls) resolve()
        else next(hound)
      })
    }
    for (const hound of hounds) next(hound)
  })

/**
 * The memory of a process, in MiB: all of it, and the part that it shares with no other. Linux
 * only.
 */
export const heldBy = async (
  pid: number | "self"
): Promise<{ readonly resident: number; readonly private: number }> => {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "latin1")
  const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]) / 1024
  return { resident: of("Rss"), private: of("Private_Clean") + of("Private_Dirty") }
}
