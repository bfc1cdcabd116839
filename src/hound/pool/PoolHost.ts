/**
 * What a keeper is told and what it stands on: its bounds, and everything it cannot do itself.
 */
import type { Socket } from "node:net"
import type { Violation } from "../channel/FrameChannel.ts"
import type { ExitCause } from "./ExitCause.ts"
import type { HoundConnection } from "../process/HoundConnection.ts"
import type { ProcessExit, Spawner } from "../process/Spawner.ts"

/** The bounds of a pool. Times in ms. */
export interface PoolSettings {
  readonly minimumDormant: number
  readonly maxActive: number
  readonly maxLifeTimeCycle: number
  readonly maxProcessingTime: number
  readonly replenishDelay: number
  readonly maxJobs: number
  readonly readyTimeout: number
}

/** A hound's line, as far as the keeper needs one. */
export type Line = Pick<HoundConnection, "send" | "close">

/** What a keeper stands on. Nothing of it may throw. */
export interface PoolHost {
  readonly spawner: Spawner
  /** Wraps a pipe; what it hears comes back by `heard`. */
  readonly openLine: (id: number, pipe: Socket) => Line
  /** Told by the spawner: to come back by `up` and `down`. */
  readonly onUp: (id: number, pipe: Socket) => void
  readonly onDown: (id: number, ending: ProcessExit) => void
  /** Monotonic, in ms. */
  readonly now: () => number
  /** The time of day, in ms. */
  readonly wallNow: () => number
  readonly newName: () => string
  readonly onLaunch: () => void
  readonly onReady: () => void
  /** A hound ended, or is being ended. Once for each. */
  readonly onEnding: (cause: ExitCause) => void
  readonly onViolation: (reason: Violation) => void
  /** A hound did not come to be ready; null: not in time. */
  readonly onBootFailure: (ending: ProcessExit | null) => void
}
