/**
 * The interfaces of the pool core to the outside: its bounds, the waiting line, the source of its
 * hounds, and what it needs of its host.
 */
import type { Socket } from "node:net"
import type { Violation } from "../channel/FrameChannel.ts"
import type { HoundConnection } from "../process/HoundConnection.ts"
import type { ProcessExit, Spawner } from "../process/Spawner.ts"
import type { Examination } from "./Examination.ts"
import type { ExitCause } from "./ExitCause.ts"
import type { HoundJob } from "./HoundPool.ts"

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

/** The part of a hound's connection that the core uses. */
export type Connection = Pick<HoundConnection, "room" | "send" | "close">

/** The core's end of the waiting line: see `WaitingLine.ts`. */
export interface Line {
  /** The examination whose turn it is; null while there is none. */
  readonly first: Examination | null
  /** How many wait that have no hound reserved. */
  readonly waiting: number
  /** Takes the first one out; the next one is `first` when this returns. */
  readonly take: () => Examination | null
}

/** Where hounds come from while a core is open. Nothing of it may throw. */
export interface HoundSource {
  readonly spawner: Spawner
  /** Wraps a hound's pipe; what comes over it reaches the core by `heard`. */
  readonly connect: (id: number, pipe: Socket) => Connection
}

/** What a core needs of its host. Nothing of it may throw. */
export interface PoolHost {
  /** Told by the spawner, on the spawner's turn: the host answers by `up` and `down`. */
  readonly onUp: (id: number, pipe: Socket) => void
  readonly onDown: (id: number, exit: ProcessExit) => void
  /** Monotonic, in ms. */
  readonly now: () => number
  /** The time of day, in ms. */
  readonly wallNow: () => number
  readonly newName: () => string
  readonly onLaunch: () => void
  readonly onReady: () => void
  /** A hound ended, or is being ended. Once for each. */
  readonly onExit: (cause: ExitCause) => void
  /** A hound broke the rules of its channel, over this job, or over none. */
  readonly onViolation: (reason: Violation, job: HoundJob | null) => void
  /** A hound did not become ready; null: it was not in time. */
  readonly onBootFailure: (exit: ProcessExit | null) => void
}
