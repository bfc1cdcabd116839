/**
 * The port through which hounds are started and ended (CONFORMANCE H1, H4). `LocalSpawner` does it
 * in the process that calls it; `ForkServer` has a small process of its own do it, for a host with
 * a large heap.
 *
 * Plain callbacks and no Effect: the fork server's process is a small program, and runs the same
 * code.
 */
import type { Socket } from "node:net"

/**
 * How every hound of a pool is started. The maker of a plan has checked all of it: nothing in it is
 * ever evidence.
 */
export interface LaunchPlan {
  readonly file: string
  readonly args: ReadonlyArray<string>
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /**
   * The user and group of the hound; left out where they are those of the process that starts it.
   */
  readonly uid?: number
  readonly gid?: number
  /**
   * Bytes that the process reads on descriptor 4 before it becomes a hound: a seccomp filter. Null
   * where there is no such descriptor.
   */
  readonly feed: Uint8Array | null
  /** Bytes of resident memory over which a watched hound is killed. */
  readonly maxRss: number
  /** Bytes of stderr that are kept for `ProcessExit.message`; 0: stderr goes nowhere. */
  readonly stderrBytes: number
}

/** How a hound's process ended. */
export interface ProcessExit {
  /**
   * `exit`, `signal`: by itself, or by a signal that the spawner did not send; `killed`: the
   * spawner was told to; `rss`: it held too much memory; `spawn`: it never was a process; `lost`:
   * the fork server that had it is gone, and it was killed with that.
   */
  readonly cause: "exit" | "signal" | "killed" | "rss" | "spawn" | "lost"
  readonly code: number | null
  readonly signal: string | null
  /** Its text on stderr, or why it could not be started: printable, of bounded length. */
  readonly message: string
}

/** The exit of a hound whose own code or signal nobody saw. */
export const unseenExit = (cause: "killed" | "spawn" | "lost", message: string): ProcessExit => ({
  cause,
  code: null,
  signal: null,
  message
})

/** Hears what becomes of one launch. */
export interface LaunchListener {
  /**
   * The hound runs. `pipe` is its descriptor 3, paused, and belongs to the listener from now on.
   * Not called after `down`.
   */
  readonly up: (pid: number, pipe: Socket) => void
  /** The hound has ended and was reaped. Exactly once for every launch. */
  readonly down: (exit: ProcessExit) => void
}

/** Starts hounds and ends them. Ids are whole numbers that are never used again. Nothing throws. */
export interface Spawner {
  /** Never calls back before it has returned. After `close` every launch is `down` with `spawn`. */
  readonly launch: (id: number, listener: LaunchListener) => void
  /** Whether the hound's memory is measured, every 50 ms. Off at first. */
  readonly watch: (id: number, isOn: boolean) => void
  /** SIGKILL. Nothing happens where the hound has ended already. */
  readonly kill: (id: number) => void
  /** Kills all hounds, and resolves when all are reaped and nothing is left. Idempotent. */
  readonly close: () => Promise<void>
}

/**
 * Calls back a turn of the event loop from now: by then the handles of a process that has just
 * ended are closed as well.
 */
export const afterHandles = (then: () => void): void => {
  setImmediate(() => setImmediate(then))
}

/** Tells the listener that its launch came to nothing, once `launch` has returned. */
export const refuseLaunch = (listener: LaunchListener, message: string): void => {
  setImmediate(() => listener.down(unseenExit("spawn", message)))
}
