/**
 * A spawner that has a fork server start its hounds: a small process of its own, so that forks do
 * not hold up a host with a large heap (CONFORMANCE H1, H4).
 *
 * Promises
 *
 * - that a fork server which dies takes its hounds with it: they share its process group, which is
 *   killed at once; each of them is `down` with cause `lost`, exactly once, and the next launch
 *   gets a new fork server;
 * - that a fork server which does not answer (a launch or a kill without its end for 2 s) is killed
 *   and replaced in the same way;
 * - that fork servers which die before they have launched anything are started ever more seldom;
 *   launches wait meanwhile;
 * - that a host that goes away, in whatever way, leaves nothing behind: the fork server sees it and
 *   kills all hounds, and an idle hound ends by itself when its pipe does;
 * - that it keeps no process alive except while it closes.
 *
 * Cost: one process of about 76 MiB, 25 of them its own (32 MiB of heap at the most); for the host
 * about 0.1 ms a launch.
 *
 * **Details**
 *
 * - The first launch starts the fork server.
 * - Patience is counted in turns of the host's own timer: a host that was held up itself, or
 *   asleep, does not blame the fork server.
 *
 * **Gotchas**
 *
 * - The caller bounds how long a launch waits: `kill` takes it back.
 * - The system's first process reaps hounds that were lost, not this one.
 * - Windows cannot hand over pipes: there the host uses `LocalSpawner`.
 */
import type { Socket } from "node:net"
import type { Report } from "./ForkServerMessages.ts"
import { ForkServerProcess } from "./ForkServerProcess.ts"
import {
  afterHandles,
  type LaunchListener,
  type LaunchPlan,
  type ProcessExit,
  refuseLaunch,
  type Spawner,
  unseenExit
} from "./Spawner.ts"
import { Ticker } from "./Ticker.ts"

/** The fork server's program, in the sources and in the package. */
const forkServerProgram = new URL("./ForkServerMain.ts", import.meta.url)

export interface ForkServerOptions {
  /** The program; the fork server's own when left out. */
  readonly program?: URL
  /** Time for an answer, in ms. */
  readonly patience?: number
  /** Time for a fork server to begin, in ms. */
  readonly startPatience?: number
}

/** The longest pause between two fork servers, in ms. */
const maxPause = 10_000

/** Patience is counted in this many turns. */
const turns = 8

interface Launch {
  readonly listener: LaunchListener
  /** The fork server that was asked; null while the launch waits for one. */
  server: ForkServerProcess | null
  /** Whether the fork server owes an answer, and for how many turns it has. */
  isOwed: boolean
  age: number
  isKilled: boolean
  isWatched: boolean
}

const isOwing = ({ isOwed, server }: Launch): boolean => isOwed && server !== null

/** Hounds that are children of a fork server. */
export class ForkServer implements Spawner {
  readonly #plan: LaunchPlan
  readonly #program: URL
  readonly #startTurns: number
  readonly #launches = new Map<number, Launch>()
  #server: ForkServerProcess | null = null
  /** Processes that were not reaped yet: the one in use, and those that were killed. */
  readonly #unreaped = new Set<ForkServerProcess>()
  #starts = 0
  /** Fork servers in a row that launched nothing. */
  #failures = 0
  #pause: NodeJS.Timeout | null = null
  readonly #clock: Ticker
  #closing: Promise<void> | null = null
  #resolveClosing: (() => void) | null = null

  constructor(plan: LaunchPlan, options: ForkServerOptions = {}) {
    const { patience = 2_000, program = forkServerProgram, startPatience = 10_000 } = options
    const turn = Math.max(1, Math.ceil(patience / turns))
    this.#plan = plan
    this.#program = program
    this.#startTurns = Math.ceil(startPatience / turn)
    this.#clock = new Ticker(turn, () => this.#countTurn())
  }

  /** The fork server's process; null where there is none. */
  pid(): number | null {
    return this.#server?.pid ?? null
  }

  /** Fork servers started so far. */
  starts(): number {
    return this.#starts
  }

  launch(id: number, listener: LaunchListener): void {
    if (this.#closing !== null) return refuseLaunch(listener, "the spawner is closed")
    this.#launches.set(id, { listener, server: null, isOwed: false, age: 0, isKilled: false, isWatched: false })
    this.#launchWaiting()
  }

  watch(id: number, isOn: boolean): void {
    const launch = this.#launches.get(id)
    if (launch === undefined) return
    launch.isWatched = isOn
    launch.server?.send({ op: "watch", id, isOn })
  }

  kill(id: number): void {
    const launch = this.#launches.get(id)
    if (launch === undefined || launch.isKilled) return
    launch.isKilled = true
    if (launch.server === null) {
      setImmediate(() => this.#settle(id, launch, unseenExit("killed", "")))
      return
    }
    launch.isOwed = true
    launch.age = 0
    launch.server.send({ op: "kill", id })
    this.#runClock()
  }

  close(): Promise<void> {
    this.#closing ??= new Promise<void>((resolve) => {
      this.#resolveClosing = () => afterHandles(resolve)
      if (this.#pause !== null) clearTimeout(this.#pause)
      for (const [id, { server }] of this.#launches) if (server === null) this.kill(id)
      for (const server of this.#unreaped) server.hold()
      this.#clock.hold()
      if (this.#server === null) return
      this.#server.age = 0
      this.#server.send({ op: "close" })
    })
    this.#runClock()
    this.#finishClosing()
    return this.#closing
  }

  // ---- launches ----

  /** Has what waits launched, by a new fork server where there is none. */
  #launchWaiting(): void {
    const waiting = [...this.#launches].filter(([, { isKilled, server }]) => server === null && !isKilled)
    if (waiting.length === 0 || this.#pause !== null || this.#closing !== null) return
    this.#server ??= this.#start()
    if (this.#server === null) return
    for (const [id, launch] of waiting) {
      launch.server = this.#server
      launch.isOwed = true
      launch.age = 0
      this.#server.send({ op: "launch", id })
      if (launch.isWatched) this.#server.send({ op: "watch", id, isOn: true })
    }
    this.#runClock()
  }

  #settle(id: number, launch: Launch, exit: ProcessExit): void {
    this.#launches.delete(id)
    launch.listener.down(exit)
    this.#finishClosing()
  }

  // ---- what the fork server says ----

  #hear(from: ForkServerProcess, report: Report, pipe: Socket | null): void {
    pipe?.unref()
    if (from !== this.#server || report.op === "ready") {
      pipe?.destroy()
      from.isReady = true
      return this.#runClock()
    }
    const launch = this.#launches.get(report.id)
    if (report.op === "down") {
      if (launch !== undefined) this.#settle(report.id, launch, report.exit)
      return this.#runClock()
    }
    from.hasLaunched = true
    this.#failures = 0
    if (launch === undefined || launch.isKilled || this.#closing !== null || pipe === null) {
      // Without a pipe the hound has ended already, and that report is on its way.
      pipe?.destroy()
      return
    }
    launch.isOwed = false
    this.#runClock()
    pipe.pause()
    launch.listener.up(report.pid, pipe)
  }

  // ---- patience ----

  /** Counts turns while the fork server owes anything. */
  #runClock(): void {
    const server = this.#server
    this.#clock.run(
      server !== null && (!server.isReady || this.#closing !== null || [...this.#launches.values()].some(isOwing))
    )
  }

  #countTurn(): void {
    const server = this.#server
    if (server === null) return
    if (!server.isReady || this.#closing !== null) {
      server.age += 1
      if (server.age > (server.isReady ? turns : this.#startTurns)) this.#bury(server)
      return
    }
    const owing = [...this.#launches.values()].filter(isOwing)
    for (const launch of owing) launch.age += 1
    if (owing.some(({ age }) => age > turns)) this.#bury(server)
  }

  // ---- the life of fork servers ----

  /** Null where the system refuses to fork: another try follows. */
  #start(): ForkServerProcess | null {
    this.#starts += 1
    try {
      const server: ForkServerProcess = new ForkServerProcess(this.#program, this.#plan, {
        report: (report, pipe) => this.#hear(server, report, pipe),
        lost: () => this.#bury(server),
        reaped: () => this.#reap(server)
      })
      this.#unreaped.add(server)
      return server
    } catch {
      this.#failures += 1
      setImmediate(() => this.#startAgain())
      return null
    }
  }

  /** The fork server is of no more use: it is killed with all its hounds. Idempotent. */
  #bury(server: ForkServerProcess): void {
    if (this.#server !== server) return
    this.#server = null
    server.killGroup()
    this.#failures = server.hasLaunched ? 0 : this.#failures + 1
    const lost = [...this.#launches].filter(([, launch]) => launch.server === server)
    // Before any listener hears of it: a listener may launch at once.
    this.#startAgain()
    this.#runClock()
    for (const [id, launch] of lost) this.#settle(id, launch, unseenExit("lost", "the fork server is gone"))
    this.#finishClosing()
  }

  #reap(server: ForkServerProcess): void {
    this.#unreaped.delete(server)
    // Its last reports may still have to be read; `lost` follows them.
    if (!server.isConnected) this.#bury(server)
    this.#finishClosing()
  }

  /**
   * Launches what waits, after a pause that doubles with each failure. The first failure in a row
   * may have been bad luck, and has no pause.
   */
  #startAgain(): void {
    if (this.#closing !== null) return
    if (this.#failures <= 1) return this.#launchWaiting()
    this.#pause = setTimeout(() => {
      this.#pause = null
      this.#launchWaiting()
    }, Math.min(100 * 2 ** (this.#failures - 2), maxPause))
    this.#pause.unref()
  }

  #finishClosing(): void {
    if (this.#server === null && this.#unreaped.size === 0 && this.#launches.size === 0) this.#resolveClosing?.()
  }
}
