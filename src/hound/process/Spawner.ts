/**
 * Who starts hounds and ends them: the host itself, or a fork server that does it for a host with a
 * large heap (CONFORMANCE H1, H4).
 *
 * Plain callbacks and no Effect: the fork server is a small program of its own, and runs the same
 * code.
 */
import type { Socket } from "node:net"

/**
 * How every hound of a pool is started. What it says was checked by whoever made it: nothing of it
 * is ever evidence.
 */
export interface LaunchPlan {
  readonly file: string
  readonly args: ReadonlyArray<string>
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Whom the hound runs as, where that is not whoever starts it. */
  readonly uid?: number
  readonly gid?: number
  /**
   * What the process reads on descriptor 4 before it becomes a hound: a seccomp filter. Null where
   * there is none.
   */
  readonly feed: Uint8Array | null
  /** Bytes of resident memory over which a hound that is watched is killed. */
  readonly maxRss: number
  /** Bytes of stderr that are kept for `Ending.message`; 0: stderr goes nowhere. */
  readonly stderrBytes: number
}

/** Why a hound is no more. */
export interface ProcessExit {
  /**
   * `exit`, `signal`: by itself or by somebody else; `killed`: as it was told to; `rss`: it held
   * too much memory; `spawn`: it never was; `lost`: whoever watched over it is gone, and it was
   * killed with them.
   */
  readonly cause: "exit" | "signal" | "killed" | "rss" | "spawn" | "lost"
  readonly code: number | null
  readonly signal: string | null
  /** What it wrote to stderr, or why it could not be started: printable, of bounded length. */
  readonly message: string
}

/** Hears what becomes of one launch. */
export interface LaunchListener {
  /**
   * It runs: `pipe` is its descriptor 3, paused, and from now on the listener's. Not called after
   * `down`.
   */
  readonly up: (pid: number, pipe: Socket) => void
  /** It has ended and was reaped. Exactly once for every launch. */
  readonly down: (ending: ProcessExit) => void
}

/**
 * Starts hounds and ends them. Ids are whole numbers that are never used again. Nothing of it
 * throws.
 */
export interface Spawner {
  /** Never calls back before it has returned. After `close` everything is `down` with `spawn`. */
  readonly launch: (id: number, listener: LaunchListener) => void
  /** Whether its memory is looked at, every 50 ms. Off at first. */
  readonly watch: (id: number, isOn: boolean) => void
  /** SIGKILL. What has ended already is left alone. */
  readonly kill: (id: number) => void
  /** Kills all of them, and comes back when all are reaped and nothing is left. Idempotent. */
  readonly close: () => Promise<void>
}
