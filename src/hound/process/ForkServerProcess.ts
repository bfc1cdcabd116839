/**
 * One process of a fork server, as its host has it (CONFORMANCE H1, H4).
 *
 * It has no environment and none of the host's flags, and is the first of its process group, so
 * that a Ctrl-C at the host's terminal does not reach the hounds. It keeps no host alive unless
 * `hold` is called.
 */
import { type ChildProcess, fork } from "node:child_process"
import { Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { type Order, type Report, writtenPlan } from "./ForkServerMessages.ts"
import type { LaunchPlan } from "./Spawner.ts"

/** Hears one fork server process. Nothing is called before the constructor has returned. */
export interface ForkServerListener {
  /** `pipe` is the listener's from now on: to be used, or destroyed. */
  readonly report: (report: Report, pipe: Socket | null) => void
  /** Nothing more can be said to it. May be called several times. */
  readonly lost: () => void
  /** It has ended and was reaped, or never was a process. */
  readonly reaped: () => void
}

export class ForkServerProcess {
  readonly #child: ChildProcess
  /** Whether its program has read the plan. */
  isReady = false
  /** Whether a hound came of it. */
  hasLaunched = false
  /** Turns for which it has been waited for: to be ready, or to close. */
  age = 0

  /** Starts the process. Throws where the system refuses to at once. */
  constructor(program: URL, plan: LaunchPlan, { lost, reaped, report }: ForkServerListener) {
    const child = fork(fileURLToPath(program), {
      cwd: "/",
      detached: true,
      env: {},
      execArgv: ["--max-old-space-size=32"],
      serialization: "json",
      stdio: ["ignore", "ignore", "ignore", "ipc"]
    })
    this.#child = child
    child.on("message", (message: Report, pipe: unknown) => report(message, pipe instanceof Socket ? pipe : null))
    child.on("error", () => {
      lost()
      if (child.pid === undefined) reaped()
    })
    child.on("exit", reaped)
    child.on("disconnect", lost)
    child.unref()
    child.channel?.unref()
    this.send({ op: "plan", plan: writtenPlan(plan) })
  }

  /** Undefined where it never was a process. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Whether reports may still come. */
  get isConnected(): boolean {
    return this.#child.connected
  }

  /** An order that a dead process never reads is no failure: `lost` follows. */
  send(order: Order): void {
    if (this.#child.connected) this.#child.send(order, () => undefined)
  }

  /** From now on the host stays alive until this process has ended. */
  hold(): void {
    this.#child.ref()
    this.#child.channel?.ref()
  }

  /**
   * Kills the process and all its hounds. Their group lives as long as one of them does, and its
   * number is nobody else's until then.
   */
  killGroup(): void {
    this.#child.kill("SIGKILL")
    if (this.#child.pid === undefined) return
    try {
      process.kill(-this.#child.pid, "SIGKILL")
    } catch {
      // Nobody is left in the group.
      return
    }
  }
}
