/**
 * Hounds without their pool: real processes, real sandbox and real pipes, for lines about what
 * these cost by themselves.
 *
 * **Gotchas**
 *
 * - Pipes and processes keep nothing awake: whoever waits for hounds needs a timer meanwhile
 *   (`awake`).
 */
import * as Effect from "effect/Effect"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { HoundConnection, type ConnectionDecision } from "../src/hound/process/HoundConnection.ts"
import type { LaunchPlan, Spawner } from "../src/hound/process/Spawner.ts"
import { detectSandbox } from "../src/hound/sandbox/Detect.ts"

/** The analyzer that looks at nothing. */
export const analyzer = fileURLToPath(new URL("houndAnalyzer.mjs", import.meta.url))

/** How hounds are started at this level; null where this machine gives less. */
export const planAt = async (level: "default" | "hard"): Promise<LaunchPlan | null> => {
  const request = { level, analyzer: { path: analyzer }, maxPayloadSize: 2_097_152, debug: false }
  const { plan, report } = await Effect.runPromise(detectSandbox(request))
  return report.level === level ? plan : null
}

/** As above, where the lines are about nothing else. */
export const defaultPlan = async (): Promise<LaunchPlan> => {
  const plan = await planAt("default")
  if (plan === null) throw new Error("this machine has no hounds")
  return plan
}

/** Does something while the process is kept awake. */
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
  readonly #line: HoundConnection
  #job = 0
  #then: (isComplete: boolean) => void = () => undefined

  constructor(pid: number, line: HoundConnection) {
    this.pid = pid
    this.#line = line
  }

  /** Has it look at bytes, which are its own from now on. One at a time. */
  look(bytes: Uint8Array, then: (isComplete: boolean) => void): void {
    this.#then = then
    this.#job = this.#job === 0xffff_ffff ? 1 : this.#job + 1
    this.#line.send({ job: this.#job, length: bytes.length, category: 0, severity: 0, digest }, bytes)
  }

  /** Its line said something. */
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
        const line = new HoundConnection(pipe)
        const hound = new ReadyHound(pid, line)
        line.onDecision((decision) => {
          if (decision.type === "ready") resolve(hound)
          else hound.heard(decision)
        })
      },
      down: fail
    })
  })

/** Comes back when these hounds have done so many jobs, each of them always at one. */
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
      hound.look(bytes(), (isComplete) => {
        if (!isComplete) return reject(new Error("a hound failed over its job"))
        done += 1
        if (done === calls) resolve()
        else next(hound)
      })
    }
    for (const hound of hounds) next(hound)
  })

/** What a process holds, in MiB: all of it, and what it shares with nobody. Linux only. */
export const heldBy = async (
  pid: number | "self"
): Promise<{ readonly resident: number; readonly private: number }> => {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "latin1")
  const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]) / 1024
  return { resident: of("Rss"), private: of("Private_Clean") + of("Private_Dirty") }
}
