/**
 * A spawner that starts hounds in its own process (CONFORMANCE H1, H4): within a fork server, or
 * within the host where it has none.
 *
 * Promises
 *
 * - that a hound gets nothing but what the plan says: its environment, its directory, its user, one
 *   pipe; SIGKILL is all it ever hears;
 * - that each launch is `down` exactly once, and then reaped; a failure to spawn is one as well,
 *   and comes later like any other;
 * - that a hound which is watched and holds more memory than the plan allows is killed, with cause
 *   `rss`;
 * - that of stderr no more is kept than the plan says, and no more of it is read once that is
 *   there;
 * - that it keeps no process alive but while it closes.
 *
 * Cost: `spawn` holds up the process that calls it in proportion to its memory (2 ms at 50 MiB; at
 * 1 GiB 6 to 8 where that is objects, over 60 where it is buffers): this is why there are fork
 * servers. One interval while something is watched.
 *
 * **Gotchas**
 *
 * - Pipes are paused when they are handed over. Node has begun to read by then, and keeps what
 *   comes (64 KiB at the most) until somebody resumes; a pipe that is to go to another process must
 *   be stilled first (`ForkServerMain.ts`).
 * - What a hound left to be told on stderr is waited for 100 ms after its end, as somebody else may
 *   hold that pipe open.
 */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process"
import { Socket } from "node:net"
import { type MemoryProbe, platformMemory } from "./ResidentMemory.ts"
import type { ProcessExit, LaunchListener, LaunchPlan, Spawner } from "./Spawner.ts"

/** Longest text of a failure to spawn. */
const maxMessage = 256

/** For stderr after a hound's end, in ms. */
const stderrPatience = 100

interface Hound {
  readonly id: number
  readonly child: ChildProcess
  readonly listener: LaunchListener
  readonly stderr: Stderr
  /** Why it is to end, where somebody wants it to. */
  verdict: "killed" | "rss" | null
  /** Its pipe, until it is handed over. */
  pipe: Socket | null
  isWatched: boolean
  hasExited: boolean
}

/** Text that any terminal and any log can bear. */
const printable = (bytes: Uint8Array): string =>
  Buffer.from(bytes.map((byte) => (byte >= 0x20 && byte < 0x7f ? byte : 0x3f))).toString("latin1")

/** What went wrong, as text of bounded length. */
const messageOf = (cause: unknown): string =>
  printable(Buffer.from(cause instanceof Error ? cause.message : "unknown", "latin1").subarray(0, maxMessage))

/** The first bytes of a hound's stderr. */
class Stderr {
  private readonly kept: Buffer
  private length = 0
  private isOver: boolean
  private over: (() => void) | null = null

  constructor(pipe: unknown, bytes: number) {
    this.kept = Buffer.alloc(pipe instanceof Socket ? bytes : 0)
    this.isOver = this.kept.length === 0
    if (!(pipe instanceof Socket)) return
    const end = (): void => {
      this.isOver = true
      this.over?.()
    }
    pipe.unref()
    pipe.on("error", end)
    pipe.on("close", end)
    pipe.on("data", (chunk: Buffer) => {
      this.length += chunk.copy(this.kept, this.length)
      if (this.length === this.kept.length) pipe.destroy()
    })
  }

  /** Calls back with the text when it is complete; in time where it never is. */
  finish(then: (text: string) => void): void {
    const done = (): void => {
      clearTimeout(timer)
      this.over = null
      let end = this.length
      while (end > 0 && (this.kept[end - 1] === 0x0a || this.kept[end - 1] === 0x0d)) end--
      then(printable(this.kept.subarray(0, end)))
    }
    const timer = setTimeout(done, stderrPatience)
    if (this.isOver) done()
    else this.over = done
  }
}

/** Hounds that are children of this process. */
export class LocalSpawner implements Spawner {
  private readonly plan: LaunchPlan
  private readonly memory: MemoryProbe
  private readonly hounds = new Map<number, Hound>()
  private poll: NodeJS.Timeout | null = null
  private closing: Promise<void> | null = null
  private emptied: (() => void) | null = null

  constructor(plan: LaunchPlan, memory: MemoryProbe = platformMemory()) {
    this.plan = plan
    this.memory = memory
  }

  readonly launch = (id: number, listener: LaunchListener): void => {
    if (this.closing !== null) return refuse(listener, "the spawner is closed")
    let child: ChildProcess
    try {
      child = this.spawn()
    } catch (cause) {
      return refuse(listener, messageOf(cause))
    }
    // A failure to kill is an `error` as well: the end of what could not be killed is heard of all
    // the same.
    let failure: unknown
    child.on("error", (cause) => {
      failure ??= cause
    })
    const { pid } = child
    const pipe = socketAt(child, 3)
    if (pid === undefined || pipe === null) {
      pipe?.destroy()
      letGo(child)
      setImmediate(() => listener.down(ending("spawn", messageOf(failure))))
      return
    }
    child.unref()
    pipe.unref()
    pipe.pause()
    // Its own pipe is nobody's until it is handed over.
    pipe.on("error", () => undefined)
    this.feed(child)
    const stderr = new Stderr(socketAt(child, 2), this.plan.stderrBytes)
    const hound: Hound = { id, child, listener, stderr, verdict: null, pipe, isWatched: false, hasExited: false }
    this.hounds.set(id, hound)
    child.on("exit", (code, signal) => this.bury(hound, code, signal))
    process.nextTick(() => {
      if (hound.pipe === null || hound.verdict !== null) return
      hound.pipe = null
      listener.up(pid, pipe)
    })
  }

  readonly watch = (id: number, isOn: boolean): void => {
    const hound = this.hounds.get(id)
    if (hound === undefined || hound.hasExited) return
    hound.isWatched = isOn
    this.arm()
  }

  readonly kill = (id: number): void => {
    const hound = this.hounds.get(id)
    if (hound !== undefined) end(hound, "killed")
  }

  readonly close = (): Promise<void> => {
    this.closing ??= new Promise<void>((resolve) => {
      this.emptied = () => afterHandles(resolve)
      for (const hound of this.hounds.values()) {
        hound.child.ref()
        end(hound, "killed")
      }
      if (this.hounds.size === 0) this.emptied()
    })
    return this.closing
  }

  private spawn(): ChildProcess {
    const { args, cwd, env, feed, file, gid, stderrBytes, uid } = this.plan
    const stdio: SpawnOptions["stdio"] = ["ignore", "ignore", stderrBytes > 0 ? "pipe" : "ignore", "pipe"]
    if (feed !== null) stdio.push("pipe")
    return spawn(file, args, {
      cwd,
      env: { ...env },
      stdio,
      windowsHide: true,
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid })
    })
  }

  private feed(child: ChildProcess): void {
    const pipe = socketAt(child, 4)
    if (pipe === null) return
    pipe.unref()
    pipe.on("error", () => undefined)
    pipe.end(this.plan.feed ?? "", () => pipe.destroy())
  }

  private bury(hound: Hound, code: number | null, signal: string | null): void {
    // What ended by itself before the signal came was not killed.
    const cause = signal === "SIGKILL" && hound.verdict !== null ? hound.verdict : signal === null ? "exit" : "signal"
    hound.pipe?.destroy()
    hound.pipe = null
    hound.isWatched = false
    hound.hasExited = true
    this.arm()
    hound.stderr.finish((message) => {
      this.hounds.delete(hound.id)
      letGo(hound.child)
      hound.listener.down({ cause, code, signal, message })
      if (this.hounds.size === 0) this.emptied?.()
    })
  }

  /** Looks at memory while something is watched. */
  private arm(): void {
    const isNeeded = this.watched().length > 0
    if (isNeeded && this.poll === null) {
      this.poll = setInterval(this.look, this.memory.interval)
      this.poll.unref()
    } else if (!isNeeded && this.poll !== null) {
      clearInterval(this.poll)
      this.poll = null
    }
  }

  private watched(): ReadonlyArray<Hound> {
    return [...this.hounds.values()].filter(({ isWatched }) => isWatched)
  }

  private readonly look = (): void => {
    const watched = new Map(this.watched().map((hound) => [hound.child.pid ?? 0, hound]))
    this.memory.look([...watched.keys()], (pid, bytes) => {
      const hound = watched.get(pid)
      if (hound?.isWatched === true && bytes > this.plan.maxRss) end(hound, "rss")
    })
  }
}

/** The first verdict stands. */
const end = (hound: Hound, verdict: "killed" | "rss"): void => {
  hound.verdict ??= verdict
  hound.pipe?.destroy()
  hound.pipe = null
  // Does nothing once the exit was seen: the number may be somebody else's by then.
  hound.child.kill("SIGKILL")
}

/** Closes what of the pipes is still here; what was handed over is not. */
const letGo = (child: ChildProcess): void => {
  for (const descriptor of [2, 4]) socketAt(child, descriptor)?.destroy()
}

const socketAt = (child: ChildProcess, descriptor: number): Socket | null => {
  const stdio: ReadonlyArray<unknown> = child.stdio ?? []
  const stream = stdio[descriptor]
  return stream instanceof Socket ? stream : null
}

const ending = (cause: ProcessExit["cause"], message: string): ProcessExit => ({
  cause,
  code: null,
  signal: null,
  message
})

/**
 * Calls back when the handles of what has just ended are closed as well: a turn of the event loop
 * from now.
 */
export const afterHandles = (then: () => void): void => {
  setImmediate(() => setImmediate(then))
}

/** It never was, and that is heard when `launch` has returned. */
export const refuse = (listener: LaunchListener, message: string): void => {
  setImmediate(() => listener.down(ending("spawn", message)))
}
