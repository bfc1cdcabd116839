/**
 * Spawners of real processes for tests, and a look at what they leave behind.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import type { Socket } from "node:net"
import { fileURLToPath } from "node:url"
import type { LaunchListener, LaunchPlan, ProcessExit, Spawner } from "../../../src/hound/process/Spawner.ts"

/** The behaviours of fixtures/hound.mjs. */
export type Behaviour =
  | "works"
  | "greets"
  | "waits"
  | "stays"
  | "exits"
  | "aborts"
  | "talks"
  | "grows"
  | "floods"
  | "skips"
  | "tells"

const hound = fileURLToPath(new URL("fixtures/hound.mjs", import.meta.url))

/** Whether this machine has the /proc that these tests look into. */
export const hasProc = process.platform === "linux"

/** A plan for hounds that behave like this. */
export const planFor = (behaviour: Behaviour, value = "", more: Partial<LaunchPlan> = {}): LaunchPlan => ({
  file: process.execPath,
  args: ["--jitless", hound, behaviour, value],
  env: {},
  cwd: "/",
  feed: null,
  maxRss: Number.POSITIVE_INFINITY,
  stderrBytes: 0,
  ...more
})

/** A plan whose program does not exist. */
export const unspawnable: LaunchPlan = planFor("waits", "", { file: "/nowhere/node" })

/** Hounds that were up in this process of tests. */
const seen = new Set<number>()

/** Ends what a spawner that is broken has left alive. */
const sweep = (): void => {
  for (const pid of seen)
    if (hasProc && isAlive(pid) && readProc(pid, "cmdline").includes(hound)) process.kill(pid, "SIGKILL")
  seen.clear()
}

const readProc = (pid: number, name: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1")
  } catch {
    return ""
  }
}

/** One launch, and what was heard of it. */
export class Launched implements LaunchListener {
  readonly heard: Array<"up" | "down"> = []
  pid = 0
  pipe: Socket | null = null
  exit: ProcessExit | null = null
  readonly whenUp: Promise<void>
  readonly whenDown: Promise<ProcessExit>
  #resolveUp: () => void = () => undefined
  #resolveDown: (exit: ProcessExit) => void = () => undefined

  constructor() {
    this.whenUp = new Promise((resolve) => {
      this.#resolveUp = resolve
    })
    this.whenDown = new Promise((resolve) => {
      this.#resolveDown = resolve
    })
  }

  readonly up = (pid: number, pipe: Socket): void => {
    this.heard.push("up")
    this.pid = pid
    seen.add(pid)
    this.pipe = pipe
    pipe.on("error", () => undefined)
    this.#resolveUp()
  }

  readonly down = (exit: ProcessExit): void => {
    this.heard.push("down")
    this.exit = exit
    this.pipe?.destroy()
    this.#resolveDown(exit)
  }
}

export const launched = (spawner: Spawner, id: number): Launched => {
  const launch = new Launched()
  spawner.launch(id, launch)
  return launch
}

/** Keeps the loop alive while it waits: spawners do not. */
export const holding = async <A>(use: () => Promise<A>): Promise<A> => {
  const hold = setInterval(() => undefined, 1_000)
  try {
    return await use()
  } finally {
    clearInterval(hold)
    sweep()
  }
}

/** Uses a spawner, and closes it whatever happens. */
export const using = <S extends Spawner, A>(spawner: S, use: (spawner: S) => Promise<A>): Promise<A> =>
  holding(async () => {
    try {
      return await use(spawner)
    } finally {
      await spawner.close()
    }
  })

/** Comes back when it holds; a test's own time limit ends the wait. */
export const eventually = async (holds: () => boolean): Promise<void> => {
  while (!holds()) {
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 10)
    })
  }
}

/** Exactly so many bytes from a pipe. */
export const take = (pipe: Socket, length: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Array<Buffer> = []
    let got = 0
    pipe.on("data", (chunk: Buffer) => {
      chunks.push(chunk)
      got += chunk.length
      if (got >= length) resolve(Buffer.concat(chunks))
    })
    pipe.resume()
    pipe.once("close", () => reject(new Error(`the pipe ended after ${got} bytes`)))
  })

/** Whether there is such a process, one that waits to be reaped included. */
export const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/**
 * Whether there is such a process and it can still do anything: not one that has ended and waits
 * for the first process to reap it.
 */
export const isAlive = (pid: number): boolean => {
  if (!hasProc) return exists(pid)
  const stat = readProc(pid, "stat")
  return stat !== "" && !/\) [ZX] /.test(stat)
}

/** Descriptors that a process has: pipes and sockets, what a spawner could leak. */
export const descriptorsOf = (pid: number | "self"): number =>
  readdirSync(`/proc/${pid}/fd`).filter((descriptor) => {
    try {
      return /^(?:socket|pipe):/.test(readlinkSync(`/proc/${pid}/fd/${descriptor}`))
    } catch {
      return false
    }
  }).length

/** Children of this process, those that were not reaped included. */
export const children = (): ReadonlyArray<number> =>
  readdirSync("/proc/self/task").flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, "latin1").split(" ").filter(Boolean).map(Number)
  )
