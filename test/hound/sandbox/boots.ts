/**
 * Boots a hound for real, by the plan that the detection makes, and talks to it as a pool would.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Duplex, Writable } from "node:stream"
import { frameBytes, frameKinds, jobHeader } from "../../../src/hound/channel/Frames.ts"
import type { LaunchPlan } from "../../../src/hound/process/Spawner.ts"
import { detectSandbox } from "../../../src/hound/sandbox/Detect.ts"
import type { Sandbox } from "../../../src/hound/sandbox/Sandbox.ts"

const kindNames = Object.fromEntries(Object.entries(frameKinds).map(([name, kind]) => [kind, name]))

/** A frame that a hound sent. */
export interface Frame {
  readonly kind: string
  readonly sequence: number
  readonly job: number
}

export interface Job {
  readonly text?: string
  readonly bytes?: Uint8Array
  readonly category?: number
  readonly severity?: number
  readonly digest?: Uint8Array | null
}

/** A hound that runs, or did. */
export class Booted {
  readonly frames: Array<Frame> = []
  readonly process: ChildProcess
  /** Resolves with its code or signal. */
  readonly ended: Promise<number | string>
  readonly pipe: Duplex
  said = ""
  #jobs = 0
  #received = new Uint8Array(0)
  #waiting: Array<() => void> = []

  constructor(plan: LaunchPlan) {
    const { args, cwd, env, feed, file, gid, uid } = plan
    this.process = spawn(file, args, {
      cwd,
      env,
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      stdio: ["ignore", "ignore", "pipe", "pipe", ...(feed === null ? [] : ["pipe" as const])]
    })
    const [, , stderr, pipe, feeding] = this.process.stdio
    if (!(pipe instanceof Duplex)) throw new Error("there is no pipe")
    this.pipe = pipe
    pipe.on("error", () => undefined)
    pipe.on("data", (chunk: Uint8Array) => this.#take(chunk))
    stderr?.on("data", (chunk: Buffer) => {
      this.said += chunk.toString("utf8")
    })
    if (feeding instanceof Writable) {
      feeding.on("error", () => undefined)
      feeding.end(feed)
    }
    this.ended = new Promise((resolve, reject) => {
      this.process.once("error", reject)
      this.process.once("close", (code, signal) => {
        resolve(code ?? signal ?? "unknown")
        this.#wake()
      })
    })
  }

  /**
   * The process that is the hound: at the level hard, the only child of the one that was started.
   */
  get pid(): number {
    const { pid = 0 } = this.process
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim()
    return children === "" ? pid : Number(children)
  }

  /** Until so many frames have come, or the hound is gone. */
  async until(count: number): Promise<ReadonlyArray<Frame>> {
    while (this.frames.length < count && this.process.exitCode === null && this.process.signalCode === null) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
    return this.frames
  }

  ready(): Promise<ReadonlyArray<Frame>> {
    return this.until(1)
  }

  /** Sends a job; what it comes to: the kind of the last frame, or what the process ended with. */
  async ask({ bytes, category = 0, digest = null, severity = 0, text = "" }: Job): Promise<string | number> {
    await this.ready()
    const content = bytes ?? new TextEncoder().encode(text)
    this.pipe.write(jobHeader({ job: ++this.#jobs, length: content.length, category, severity, digest }))
    this.pipe.write(content)
    const last = this.frames.length + 3
    await this.until(last)
    return this.frames.length < last ? this.ended : this.frames.at(-1)?.kind ?? "nothing"
  }

  /** Lines of the debug mode that have come, once the hound has ended. */
  async end(): Promise<string> {
    this.pipe.end()
    await this.ended
    return this.said
  }

  #take(chunk: Uint8Array): void {
    this.#received = Buffer.concat([this.#received, chunk])
    const view = new DataView(this.#received.buffer, this.#received.byteOffset)
    let at = 0
    for (; at + frameBytes <= this.#received.length; at += frameBytes) {
      this.frames.push({
        kind: kindNames[view.getUint8(at + 3)] ?? "unknown",
        sequence: view.getUint32(at + 4, true),
        job: view.getUint32(at + 8, true)
      })
    }
    this.#received = this.#received.slice(at)
    this.#wake()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

export interface Setup {
  readonly level?: "default" | "hard"
  readonly debug?: boolean
  readonly maxPayloadSize?: number
  readonly change?: (plan: LaunchPlan) => LaunchPlan
}

/** Detects the sandbox for an analyzer with this text. */
const withSandbox = async <A>(
  source: string,
  { debug = true, level = "default", maxPayloadSize = 1_048_576 }: Setup,
  use: (sandbox: Sandbox, path: string) => Promise<A>
): Promise<A> => {
  const directory = await mkdtemp(join(tmpdir(), "hound-"))
  try {
    await chmod(directory, 0o755)
    const path = join(directory, "analyzer.mjs")
    await writeFile(path, source, { mode: 0o644 })
    const request = { level, analyzer: { path }, maxPayloadSize, debug }
    return await use(await Effect.runPromise(detectSandbox(request)), path)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Boots one hound with an analyzer of this text, and is rid of it in any case. */
export const withHound = <A>(source: string, setup: Setup, use: (hound: Booted) => Promise<A>): Promise<A> =>
  withSandbox(source, setup, async ({ plan, report }) => {
    assert.strictEqual(report.level, setup.level ?? "default", JSON.stringify(report.mechanisms))
    if (plan === null) throw new Error("there is no plan")
    const hound = new Booted(setup.change === undefined ? plan : setup.change(plan))
    try {
      return await use(hound)
    } finally {
      hound.process.kill("SIGKILL")
      await hound.ended
    }
  })

/**
 * Whether this machine has what the level hard needs. One without it says so, and is no place for
 * CI.
 */
export const hasHard = process.platform === "linux" && existsSync("/usr/bin/bwrap")

/** Whether /proc can be read: Linux. */
export const hasProc = existsSync("/proc/self/limits")

/** Says out loud what a machine lacks. */
export const withoutIt = (what: string): void => {
  console.warn(`not tested here: ${what}`)
  assert.notStrictEqual(process.env["CI"], "true", `CI must have ${what}`)
}

/** A hound's descriptors, and what they are. */
export const descriptorsOf = (pid: number): ReadonlyArray<number> => readdirSync(`/proc/${pid}/fd`).map(Number)
