/**
 * A pool core over a world without processes: hounds are numbers, time is a variable, the waiting
 * line is an array, and all that the core does is written down.
 */
import { Buffer } from "node:buffer"
import type { Socket } from "node:net"
import type { Examination, ExaminationOutcome } from "../../../src/hound/pool/Examination.ts"
import type { ExitCause } from "../../../src/hound/pool/ExitCause.ts"
import type { HoundJob } from "../../../src/hound/pool/HoundPool.ts"
import { PoolCore } from "../../../src/hound/pool/PoolCore.ts"
import type { PoolSettings } from "../../../src/hound/pool/PoolHost.ts"
import type { LaunchListener, ProcessExit } from "../../../src/hound/process/Spawner.ts"

export const settings: PoolSettings = {
  minimumDormant: 2,
  maxActive: 3,
  maxLifeTimeCycle: 60_000,
  maxProcessingTime: 5_000,
  replenishDelay: 100,
  maxJobs: 100,
  readyTimeout: 3_000
}

const pipe = { destroy: () => undefined } as unknown as Socket

export const exitOf = (cause: ProcessExit["cause"], more: Partial<ProcessExit> = {}): ProcessExit => ({
  cause,
  code: cause === "exit" ? 1 : null,
  signal: cause === "signal" || cause === "killed" || cause === "rss" ? "SIGKILL" : null,
  message: "",
  ...more
})

/** A core and its world, which a test moves by hand. */
export class World {
  now = 1_000
  /** All events in order, as short words that a test compares. */
  readonly log: Array<string> = []
  readonly launched: Array<number> = []
  readonly launchedAt: Array<number> = []
  readonly alive = new Map<number, LaunchListener>()
  readonly killed = new Set<number>()
  readonly watched = new Set<number>()
  /** Jobs that were sent and not answered: hound to job. */
  readonly jobs = new Map<number, number>()
  readonly exits: Array<ExitCause> = []
  /** Examinations that a hound was found for, in order. */
  readonly begun: Array<string> = []
  bootFailures = 0
  violations = 0
  readonly settled = new Map<string, Array<ExaminationOutcome>>()
  readonly core: PoolCore

  readonly #line: Array<Examination> = []

  /** The core is not open yet. */
  constructor(changes: Partial<PoolSettings> = {}) {
    let names = 0
    const line = this.#line
    this.core = new PoolCore({ ...settings, ...changes }, {
      get first() {
        return line[0] ?? null
      },
      get waiting() {
        return line.filter(({ reserved }) => reserved === null).length
      },
      take: () => line.shift() ?? null
    }, {
      onUp: (id, its) => this.core.up(id, its),
      onDown: (id, its) => this.core.down(id, its),
      now: () => this.now,
      wallNow: () => 1_700_000_000_000 + this.now,
      newName: () => `hound-${++names}`,
      onLaunch: () => undefined,
      onReady: () => undefined,
      onExit: (cause) => {
        this.exits.push(cause)
      },
      onViolation: () => {
        this.violations += 1
      },
      onBootFailure: () => {
        this.bootFailures += 1
      }
    })
  }

  /** A world whose core is open. */
  static open(changes?: Partial<PoolSettings>): World {
    const world = new World(changes)
    world.open()
    return world
  }

  open(): void {
    this.core.open({
      spawner: {
        launch: (id, listener) => {
          this.log.push(`launch ${id}`)
          this.launched.push(id)
          this.launchedAt.push(this.now)
          this.alive.set(id, listener)
        },
        watch: (id, isOn) => {
          if (isOn) this.watched.add(id)
          else this.watched.delete(id)
        },
        kill: (id) => {
          this.log.push(`kill ${id}`)
          this.killed.add(id)
        },
        close: () => Promise.resolve()
      },
      connect: (id) => ({
        room: (length) => new Uint8Array(length),
        send: ({ job }, bytes) => {
          this.log.push(`send ${id} ${Buffer.from(bytes).toString()}`)
          this.jobs.set(id, job)
        },
        close: () => undefined
      })
    })
  }

  /** As after a crash of the pool actor: all hounds are forgotten, and new ones launched. */
  restart(): void {
    void this.core.shut()
    this.jobs.clear()
    this.open()
  }

  /** It runs, and is ready. */
  boot(id: number): void {
    this.alive.get(id)?.up(id, pipe)
    this.core.heard(id, { type: "ready", memoryKiB: 1 })
  }

  bootAll(): void {
    for (const { id, state } of this.core.table.all()) if (state === "booting") this.boot(id)
  }

  /** Its process is gone. */
  end(id: number, its: ProcessExit): void {
    const listener = this.alive.get(id)
    this.alive.delete(id)
    this.jobs.delete(id)
    listener?.down(its)
  }

  /** Killed processes end. */
  reap(): void {
    for (const id of this.killed) if (this.alive.has(id)) this.end(id, exitOf("killed"))
  }

  say(id: number, state: "processing" | "complete" | "error"): void {
    const job = this.jobs.get(id) ?? 0
    if (state !== "processing") this.jobs.delete(id)
    this.core.heard(id, { type: "status", job, state })
  }

  advance(ms: number): void {
    this.now += ms
    this.core.tick()
  }

  job(signature: string, isHeld: () => boolean = () => true): HoundJob {
    return {
      signature,
      category: "malware",
      severity: "critical",
      size: signature.length,
      hash: "00".repeat(32),
      span: undefined,
      copy: () => isHeld() ? new Uint8Array(Buffer.from(signature)) : null
    }
  }

  /** Puts evidence in the line, of which its own text is the signature, and has the line served. */
  examine(signature: string, reserved: number | null = null, isHeld?: () => boolean): void {
    this.#line.push({
      job: this.job(signature, isHeld),
      reserved,
      begin: () => {
        this.begun.push(signature)
      },
      settle: (outcome) => {
        this.log.push(`settle ${signature} ${outcome.kind}`)
        this.settled.set(signature, [...this.settled.get(signature) ?? [], outcome])
      }
    })
    this.core.serve()
  }

  outcome(signature: string): string | undefined {
    return this.settled.get(signature)?.map(({ kind }) => kind).join(",")
  }
}
