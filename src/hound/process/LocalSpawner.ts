/**
 * A spawner that starts hounds as children of its own process (CONFORMANCE H1, H4): the fork
 * server's, or the host's where it has no fork server.
 *
 * Promises
 *
 * - that a hound gets nothing but what the plan says: its environment, its directory, its user, one
 *   pipe, and /dev/null in place of descriptors that this process was itself started with; the only
 *   signal it is sent is SIGKILL;
 * - that each launch is `down` exactly once, and reaped by then; so is one that could not be
 *   spawned, and it too is heard of later;
 * - that a hound which is watched and holds more memory than the plan allows is killed, with cause
 *   `rss`;
 * - that no more of stderr is kept than the plan says, and no more of it is read once that is
 *   there;
 * - that it keeps no process alive except while it closes.
 *
 * Cost: `spawn` holds up the process that calls it in proportion to its memory (2 ms at 50 MiB; at
 * 1 GiB 6 to 8 where that is objects, over 60 where it is buffers): this is why there are fork
 * servers. One interval while something is watched.
 *
 * **Gotchas**
 *
 * - Pipes are paused when they are handed over. Node has begun to read by then, and keeps what
 *   comes (64 KiB at the most) until the listener resumes the pipe; for a pipe that is to go to
 *   another process, reading must be stopped first (`ForkServerMain.ts`).
 * - After a hound's end its stderr is read for another 100 ms at the most, as another process may
 *   hold that pipe open.
 */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { Socket } from "node:net"
import { inheritedAbove } from "./Inheritance.ts"
import { printable } from "./Printable.ts"
import { type MemoryMeter, platformMemory } from "./ResidentMemory.ts"
import {
  afterHandles,
  type LaunchListener,
  type LaunchPlan,
  refuseLaunch,
  type Spawner,
  unseenExit
} from "./Spawner.ts"
import { Ticker } from "./Ticker.ts"

/** Longest text of a failure to spawn, in characters. */
const maxMessage = 256

/** Time for stderr after a hound's end, in ms. */
const stderrPatience = 100

type KillCause = "killed" | "rss"

interface Hound {
  readonly id: number
  readonly child: ChildProcess
  readonly listener: LaunchListener
  readonly stderr: Stderr
  /** Why the spawner killed it; null where it did not. */
  killCause: KillCause | null
  /** Its pipe, until it is handed over. */
  pipe: Socket | null
  isWatched: boolean
  hasExited: boolean
}

/** The message of an error, as printable text of bounded length. */
const messageOf = (cause: unknown): string =>
  printable(Buffer.from(cause instanceof Error ? cause.message : "unknown", "latin1").subarray(0, maxMessage))

/** The first bytes of a hound's stderr. */
class Stderr {
  readonly #kept: Buffer
  #length = 0
  #isOver: boolean
  #onOver: (() => void) | null = null

  constructor(pipe: unknown, bytes: number) {
    this.#kept = Buffer.alloc(pipe instanceof Socket ? bytes : 0)
    this.#isOver = this.#kept.length === 0
    if (!(pipe instanceof Socket)) return
    const end = (): void => {
      this.#isOver = true
      this.#onOver?.()
    }
    pipe.unref()
    pipe.on("error", end)
    pipe.on("close", end)
    pipe.on("data", (chunk: Buffer) => {
      this.#length += chunk.copy(this.#kept, this.#length)
      if (this.#length === this.#kept.length) pipe.destroy()
    })
  }

  /**
   * Calls back with what there is, without line breaks at its end: when the pipe has ended, or in
   * 100 ms where it does not.
   */
  finish(then: (bytes: Uint8Array) => void): void {
    const done = (): void => {
      clearTimeout(timer)
      this.#onOver = null
      let end = this.#length
      while (end > 0 && (this.#kept[end - 1] === 0x0a || this.#kept[end - 1] === 0x0d)) end--
      then(this.#kept.subarray(0, end))
    }
    const timer = setTimeout(done, stderrPatience)
    if (this.#isOver) done()
    else this.#onOver = done
  }
}

export interface LocalSpawnerOptions {
  /** How memory is measured; as the platform has it when left out. */
  readonly memory?: MemoryMeter
  /** Makes `ProcessExit.message` out of stderr; `printable` when left out. */
  readonly readStderr?: (bytes: Uint8Array) => string
}

/** Hounds that are children of this process. */
export class LocalSpawner implements Spawner {
  readonly #plan: LaunchPlan
  readonly #memory: MemoryMeter
  readonly #readStderr: (bytes: Uint8Array) => string
  readonly #hounds = new Map<number, Hound>()
  /** Descriptors that hounds would have of this process: it has had them from its start. */
  readonly #inherited: ReadonlyArray<number>
  readonly #measuring: Ticker
  #closing: Promise<void> | null = null
  #onEmpty: (() => void) | null = null

  constructor(plan: LaunchPlan, { memory = platformMemory(), readStderr = printable }: LocalSpawnerOptions = {}) {
    this.#plan = plan
    this.#memory = memory
    this.#readStderr = readStderr
    this.#inherited = inheritedAbove(lastOwn(plan))
    this.#measuring = new Ticker(memory.interval, () => this.#measure())
  }

  launch(id: number, listener: LaunchListener): void {
    if (this.#closing !== null) return refuseLaunch(listener, "the spawner is closed")
    let child: ChildProcess
    try {
      child = this.#spawn()
    } catch (cause) {
      return refuseLaunch(listener, messageOf(cause))
    }
    // A failure to kill is an `error` as well: `exit` follows that, and is not to be missed.
    let failure: unknown
    child.on("error", (cause) => {
      failure ??= cause
    })
    const { pid } = child
    const pipe = socketAt(child, 3)
    if (pid === undefined || pipe === null) {
      pipe?.destroy()
      closePipes(child)
      setImmediate(() => listener.down(unseenExit("spawn", messageOf(failure))))
      return
    }
    child.unref()
    pipe.unref()
    pipe.pause()
    // Nobody else listens to its pipe until that is handed over.
    pipe.on("error", () => undefined)
    this.#feed(child)
    const stderr = new Stderr(socketAt(child, 2), this.#plan.stderrBytes)
    const hound: Hound = { id, child, listener, stderr, killCause: null, pipe, isWatched: false, hasExited: false }
    this.#hounds.set(id, hound)
    child.on("exit", (code, signal) => this.#bury(hound, code, signal))
    process.nextTick(() => {
      if (hound.pipe === null || hound.killCause !== null) return
      hound.pipe = null
      listener.up(pid, pipe)
    })
  }

  watch(id: number, isOn: boolean): void {
    const hound = this.#hounds.get(id)
    if (hound === undefined || hound.hasExited) return
    hound.isWatched = isOn
    this.#measureWhileWatched()
  }

  kill(id: number): void {
    const hound = this.#hounds.get(id)
    if (hound !== undefined) killHound(hound, "killed")
  }

  close(): Promise<void> {
    this.#closing ??= new Promise<void>((resolve) => {
      this.#onEmpty = () => afterHandles(resolve)
      for (const hound of this.#hounds.values()) {
        hound.child.ref()
        killHound(hound, "killed")
      }
      if (this.#hounds.size === 0) this.#onEmpty()
    })
    return this.#closing
  }

  #spawn(): ChildProcess {
    const { args, cwd, env, feed, file, gid, stderrBytes, uid } = this.#plan
    const stdio: SpawnOptions["stdio"] = ["ignore", "ignore", stderrBytes > 0 ? "pipe" : "ignore", "pipe"]
    if (feed !== null) stdio.push("pipe")
    const options = {
      cwd,
      env: { ...env },
      stdio,
      windowsHide: true,
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid })
    }
    if (this.#inherited.length === 0) return spawn(file, args, options)
    // "ignore" would leave them as they are.
    const nothing = openSync("/dev/null", "r")
    try {
      for (let at = stdio.length; at <= Math.max(...this.#inherited); at++)
        stdio.push(this.#inherited.includes(at) ? nothing : "ignore")
      return spawn(file, args, options)
    } finally {
      closeSync(nothing)
    }
  }

  #feed(child: ChildProcess): void {
    const pipe = socketAt(child, 4)
    if (pipe === null) return
    pipe.unref()
    pipe.on("error", () => undefined)
    pipe.end(this.#plan.feed ?? "", () => pipe.destroy())
  }

  #bury(hound: Hound, code: number | null, signal: string | null): void {
    // A hound that ended by itself before the signal came was not killed.
    const cause = signal === "SIGKILL" && hound.killCause !== null
      ? hound.killCause
      : signal === null
      ? "exit"
      : "signal"
    hound.pipe?.destroy()
    hound.pipe = null
    hound.isWatched = false
    hound.hasExited = true
    this.#measureWhileWatched()
    hound.stderr.finish((bytes) => {
      this.#hounds.delete(hound.id)
      closePipes(hound.child)
      hound.listener.down({ cause, code, signal, message: this.#readStderr(bytes) })
      if (this.#hounds.size === 0) this.#onEmpty?.()
    })
  }

  #measureWhileWatched(): void {
    this.#measuring.run(this.#watched().length > 0)
  }

  #watched(): ReadonlyArray<Hound> {
    return [...this.#hounds.values()].filter(({ isWatched }) => isWatched)
  }

  #measure(): void {
    const watched = new Map(this.#watched().map((hound) => [hound.child.pid ?? 0, hound]))
    this.#memory.measure([...watched.keys()], (pid, bytes) => {
      const hound = watched.get(pid)
      if (hound?.isWatched === true && bytes > this.#plan.maxRss) killHound(hound, "rss")
    })
  }
}

/** The last descriptor that a plan is about. */
const lastOwn = ({ feed }: LaunchPlan): number => feed === null ? 3 : 4

/** The first cause stands. */
const killHound = (hound: Hound, cause: KillCause): void => {
  hound.killCause ??= cause
  hound.pipe?.destroy()
  hound.pipe = null
  // Does nothing once the exit was seen: the number may be another process's by then.
  hound.child.kill("SIGKILL")
}

/** Closes the pipes of stderr and of the feed, where they are open still. */
const closePipes = (child: ChildProcess): void => {
  for (const descriptor of [2, 4]) socketAt(child, descriptor)?.destroy()
}

const socketAt = (child: ChildProcess, descriptor: number): Socket | null => {
  const stdio: ReadonlyArray<unknown> = child.stdio ?? []
  const stream = stdio[descriptor]
  return stream instanceof Socket ? stream : null
}
