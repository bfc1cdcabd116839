/**
 * A spawner that has a fork server start its hounds: a small process of its own, so that a host
 * with a large heap is not held up by forks (CONFORMANCE H1, H4).
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
 * - that a host that goes away, however, leaves nothing behind: the fork server sees it and kills
 *   all, and an idle hound ends by itself when its pipe does;
 * - that it keeps no process alive but while it closes.
 *
 * Cost: one process of about 76 MiB, 25 of them its own (32 MiB of heap at the most); for the host
 * about 0.1 ms a launch.
 *
 * **Details**
 *
 * - The fork server is started by the first launch. It has no environment and none of the host's
 *   flags, and is the first of its process group, so that a Ctrl-C at the host's terminal is not
 *   for hounds.
 * - Patience is counted in turns of the host's own timer: a host that was held up itself, or
 *   asleep, does not blame the fork server.
 *
 * **Gotchas**
 *
 * - How long a launch waits is bounded by whoever asks: `kill` takes it back.
 * - Hounds that were lost are reaped by the system's first process, not by this one.
 * - Windows cannot hand over pipes: there the host spawns by itself.
 */
import { type ChildProcess, fork } from "node:child_process"
import { Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { type Order, type Report, writtenPlan } from "./ForkServerMessages.ts"
import { afterHandles, refuse } from "./LocalSpawner.ts"
import type { ProcessExit, LaunchListener, LaunchPlan, Spawner } from "./Spawner.ts"

/** Where the fork server's program is, in the sources and in the package. */
const forkServerProgram = new URL(
  import.meta.url.endsWith(".ts") ? "./ForkServerMain.ts" : "./ForkServerMain.js",
  import.meta.url
)

export interface ForkServerOptions {
  /** The program; the fork server's own when left out. */
  readonly program?: URL
  /** Time for an answer, in ms. */
  readonly patience?: number
  /** Time for a fork server to begin, in ms. */
  readonly startPatience?: number
}

/** A spawner with a fork server. */
export interface ForkServer extends Spawner {
  /** The fork server's process, where there is one. */
  readonly pid: () => number | null
  /** Fork servers started so far. */
  readonly starts: () => number
}

/** The longest pause between two fork servers, in ms. */
const maxPause = 10_000

/** Patience is counted in this many turns. */
const turns = 8

interface Launch {
  readonly listener: LaunchListener
  /** The fork server that was asked; null while it waits for one. */
  house: House | null
  /** Whether the fork server owes an answer, and for how many turns it has. */
  owes: boolean
  age: number
  isKilled: boolean
  isWatched: boolean
}

/** One fork server. */
interface House {
  readonly child: ChildProcess
  isReady: boolean
  hasLaunched: boolean
  age: number
}

/** A fork server for this plan. */
export const makeForkServer = (plan: LaunchPlan, options: ForkServerOptions = {}): ForkServer => {
  const { patience = 2_000, program = forkServerProgram, startPatience = 10_000 } = options
  const turn = Math.max(1, Math.ceil(patience / turns))
  const startTurns = Math.ceil(startPatience / turn)
  const launches = new Map<number, Launch>()
  let house: House | null = null
  /**
   * Fork servers that have not ended: the one in use, and those that were killed and are still to
   * be reaped.
   */
  const standing = new Set<House>()
  let starts = 0
  let failures = 0
  let pause: NodeJS.Timeout | null = null
  let clock: NodeJS.Timeout | null = null
  let closing: Promise<void> | null = null
  let closed: (() => void) | null = null

  const tell = ({ child }: House, order: Order): void => {
    // A fork server that has just gone is buried when its end is seen.
    if (child.connected) child.send(order, () => undefined)
  }

  const settle = (id: number, launch: Launch, ending: ProcessExit): void => {
    launches.delete(id)
    launch.listener.down(ending)
    finish()
  }

  /** Counts turns while anybody owes an answer. */
  const arm = (): void => {
    const isNeeded = house !== null && (!house.isReady || closing !== null || [...launches.values()].some(isOwing))
    if (isNeeded && clock === null) {
      clock = setInterval(count, turn)
      if (closing === null) clock.unref()
    } else if (!isNeeded && clock !== null) {
      clearInterval(clock)
      clock = null
    }
  }
  const count = (): void => {
    const current = house
    if (current === null) return
    let isLate = false
    if (!current.isReady || closing !== null) {
      current.age += 1
      isLate = current.age > (current.isReady ? turns : startTurns)
    } else {
      for (const launch of launches.values()) {
        if (!isOwing(launch)) continue
        launch.age += 1
        isLate ||= launch.age > turns
      }
    }
    if (isLate) bury(current)
  }

  /** The fork server is gone, or is to be: with all its hounds. Idempotent. */
  const bury = (gone: House): void => {
    if (house !== gone) return
    house = null
    killGroup(gone.child)
    failures = gone.hasLaunched ? 0 : failures + 1
    const lost = [...launches].filter(([, launch]) => launch.house === gone)
    // Before anybody hears of it: who does may launch at once.
    rest()
    arm()
    for (const [id, launch] of lost) settle(id, launch, exitOf("lost", "the fork server is gone"))
    finish()
  }
  const reap = (gone: House): void => {
    standing.delete(gone)
    // What it said last may still have to be read.
    if (!gone.child.connected) bury(gone)
    finish()
  }
  /** The first one in a row may have been bad luck: the next one is started when somebody asks. */
  const rest = (): void => {
    if (closing !== null) return
    if (failures > 1) {
      pause = setTimeout(() => {
        pause = null
        begin()
      }, Math.min(100 * 2 ** (failures - 2), maxPause))
      pause.unref()
    } else begin()
  }
  const finish = (): void => {
    if (house === null && standing.size === 0 && launches.size === 0) closed?.()
  }

  /** Has what waits launched, by a new fork server where there is none. */
  const begin = (): void => {
    const waiting = [...launches].filter(([, launch]) => launch.house === null && !launch.isKilled)
    if (waiting.length === 0 || pause !== null || closing !== null) return
    house ??= open()
    if (house === null) return
    for (const [id, launch] of waiting) {
      launch.house = house
      launch.owes = true
      launch.age = 0
      tell(house, { op: "launch", id })
      if (launch.isWatched) tell(house, { op: "watch", id, isOn: true })
    }
    arm()
  }

  const open = (): House | null => {
    starts += 1
    let child: ChildProcess
    try {
      child = fork(fileURLToPath(program), {
        cwd: "/",
        detached: true,
        env: {},
        execArgv: ["--max-old-space-size=32"],
        serialization: "json",
        stdio: ["ignore", "ignore", "ignore", "ipc"]
      })
    } catch {
      failures += 1
      setImmediate(rest)
      return null
    }
    const opened: House = { child, isReady: false, hasLaunched: false, age: 0 }
    standing.add(opened)
    child.on("message", (report: Report, pipe: unknown) => hear(opened, report, pipe))
    child.on("error", () => {
      bury(opened)
      if (child.pid === undefined) reap(opened)
    })
    child.on("exit", () => reap(opened))
    child.on("disconnect", () => bury(opened))
    child.unref()
    child.channel?.unref()
    tell(opened, { op: "plan", plan: writtenPlan(plan) })
    return opened
  }

  const hear = (from: House, report: Report, pipe: unknown): void => {
    const socket = pipe instanceof Socket ? pipe : null
    socket?.unref()
    if (from !== house || report.op === "ready") {
      socket?.destroy()
      from.isReady = true
      return arm()
    }
    const launch = launches.get(report.id)
    if (report.op === "down") {
      if (launch !== undefined) settle(report.id, launch, report.ending)
      return arm()
    }
    from.hasLaunched = true
    failures = 0
    if (launch === undefined || launch.isKilled || closing !== null || socket === null) {
      // Without a pipe it has ended already, and that is on its way.
      socket?.destroy()
      return
    }
    launch.owes = false
    arm()
    socket.pause()
    launch.listener.up(report.pid, socket)
  }

  const kill = (id: number): void => {
    const launch = launches.get(id)
    if (launch === undefined || launch.isKilled) return
    launch.isKilled = true
    if (launch.house === null) {
      setImmediate(() => settle(id, launch, exitOf("killed", "")))
      return
    }
    launch.owes = true
    launch.age = 0
    tell(launch.house, { op: "kill", id })
    arm()
  }

  const close = (): Promise<void> => {
    closing ??= new Promise<void>((resolve) => {
      closed = () => afterHandles(resolve)
      if (pause !== null) clearTimeout(pause)
      for (const [id, launch] of launches) if (launch.house === null) kill(id)
      for (const { child } of standing) {
        child.ref()
        child.channel?.ref()
      }
      clock?.ref()
      if (house === null) return
      house.age = 0
      tell(house, { op: "close" })
    })
    arm()
    finish()
    return closing
  }

  return {
    launch: (id, listener) => {
      if (closing !== null) return refuse(listener, "the spawner is closed")
      launches.set(id, { listener, house: null, owes: false, age: 0, isKilled: false, isWatched: false })
      begin()
    },
    watch: (id, isOn) => {
      const launch = launches.get(id)
      if (launch === undefined) return
      launch.isWatched = isOn
      if (launch.house !== null) tell(launch.house, { op: "watch", id, isOn })
    },
    kill,
    close,
    pid: () => house?.child.pid ?? null,
    starts: () => starts
  }
}

const isOwing = ({ house, owes }: Launch): boolean => owes && house !== null

/**
 * The group lives as long as one of its processes does, and its number is nobody else's until then.
 */
const killGroup = (child: ChildProcess): void => {
  child.kill("SIGKILL")
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, "SIGKILL")
  } catch {
    // Nobody is left in it.
    return
  }
}

const exitOf = (cause: ProcessExit["cause"], message: string): ProcessExit => ({
  cause,
  code: null,
  signal: null,
  message
})
