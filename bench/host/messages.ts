/**
 * What the processes of the host's measurement tell each other. Each is started with its order as
 * its only argument in JSON.
 */
import type { Pauses } from "../pauses.ts"
import type { Answers, Waits } from "./tally.ts"

/** How a host is to be. */
export interface HostOrder {
  readonly hasCustody: boolean
  /** Whether evidence is examined, where there is custody. */
  readonly hasHounds: boolean
  /** Milliseconds between two looks at the memory. */
  readonly lookMs: number
}

/** What a host's memory was, in bytes, so many seconds after the measurement began. */
export interface Look {
  readonly seconds: number
  readonly rss: number
  readonly heapUsed: number
  readonly external: number
}

/** What became of the evidence of a host with custody. */
export interface Custody {
  /** Pieces that are held. */
  readonly held: number
  /** Pieces that it may hold. */
  readonly most: number
  /** Records of evidence that left. */
  readonly records: number
  /** Examinations that were completed, since the host started. */
  readonly examined: number
  /** Scents by the status of their answer, since the host started. */
  readonly totals: Readonly<Record<string, number>>
}

/** What was measured of a host. Times are in ms. */
export interface HostFigures {
  /** How late the event loop was, beyond the interval of the timer that looks. */
  readonly delay: Waits
  /** Processor time of the process, in user code and in the system. */
  readonly processor: number
  readonly pauses: Pauses
  readonly memory: ReadonlyArray<Look>
  readonly custody: Custody | null
}

/** What a host tells. */
export type FromHost =
  | { readonly type: "listening"; readonly port: number }
  | { readonly type: "figures"; readonly figures: HostFigures }

/** What a host is told: to begin measuring, and to end and say what was measured. */
export type ToHost = "begin" | "end"

/** What clients are to do: the same requests to each of the ports, at the same time. */
export interface ClientsOrder {
  readonly ports: ReadonlyArray<number>
  /** Requests a second to each. */
  readonly rate: number
  readonly warmMs: number
  readonly runMs: number
}

/** What the clients found. */
export interface ClientsFigures {
  /** How late requests were sent: a part of what each host's clients waited. */
  readonly late: Waits
  /** Of the hosts, in the order of the ports. */
  readonly answers: ReadonlyArray<Answers>
}

/** What clients tell: that the warm-up is over, that all is sent, and what came of it. */
export type FromClients =
  | { readonly type: "warm" }
  | { readonly type: "sent" }
  | { readonly type: "figures"; readonly figures: ClientsFigures }
