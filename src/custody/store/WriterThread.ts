/**
 * The writer's thread as the thread that feeds it sees it: started, replaced when it dies, stopped.
 *
 * A writer that dies has lost nothing, since its frames stay in the ring until they are on disk:
 * the next one goes on where it was.
 *
 * **Gotchas**
 *
 * - It keeps the process alive only while somebody holds it.
 * - It starts without the host's own flags and environment: its preloads must not run here. On
 *   Nodes to which SQLite is experimental the host's thread prints that warning, once.
 */
import * as Effect from "effect/Effect"
import { Worker } from "node:worker_threads"
import type { WriterOrders, WriterReport } from "./WriterMessages.ts"

/** The part of a worker thread that is used. */
export type StoreThread = Pick<Worker, "on" | "ref" | "unref" | "terminate">

export type StartThread = (orders: WriterOrders) => StoreThread

/** The writer's program: TypeScript in the sources, JavaScript in the package. */
const program = new URL("./WriterMain.ts", import.meta.url)

/** The host's thread has said already that its SQLite is experimental. Deno refuses flags. */
const flags = "Deno" in globalThis ? [] : ["--disable-warning=ExperimentalWarning"]

/** A thread that runs a writer's program. */
export const threadOf = (program: URL): StartThread => (orders) =>
  new Worker(program, {
    name: "tracehound ledger",
    execArgv: flags,
    env: {},
    workerData: orders
  })

export const startThread: StartThread = threadOf(program)

/** The pause before the second replacement in a row that was never ready, and the longest. */
const firstPauseMs = 100
const longestPauseMs = 5_000

export interface WriterListener {
  readonly report: (report: WriterReport) => void
  /** A thread has ended, for the reason that it gave, if it gave one. */
  readonly lost: (cause: Error | null) => void
}

export class WriterThread {
  readonly #start: StartThread
  readonly #orders: Omit<WriterOrders, "isFirst">
  readonly #listener: WriterListener
  #thread: StoreThread | null = null
  #isHeld = false
  #isReady = false
  /** Threads that were started. */
  started = 0

  constructor(start: StartThread, orders: Omit<WriterOrders, "isFirst">, listener: WriterListener) {
    this.#start = start
    this.#orders = orders
    this.#listener = listener
  }

  /**
   * Starts threads, one after another, for as long as `isNeeded` says. Before each, `prepare` says
   * whether all is there that it takes.
   */
  readonly run = (isNeeded: () => boolean, prepare: Effect.Effect<boolean>): Effect.Effect<void> =>
    Effect.gen({ self: this }, function*() {
      let failures = 0
      do {
        if (failures > 1) yield* Effect.sleep(Math.min(firstPauseMs * 2 ** (failures - 2), longestPauseMs))
        this.#isReady = false
        if (yield* prepare) yield* this.#life
        failures = this.#isReady ? 1 : failures + 1
      } while (isNeeded())
    })

  /** One thread, from its start to its end. An interruption ends it. */
  get #life(): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      let cause: Error | null = null
      const ended = (): void => {
        this.#thread = null
        this.#listener.lost(cause)
        resume(Effect.void)
      }
      let thread: StoreThread
      try {
        thread = this.#start({ ...this.#orders, isFirst: this.started === 0 })
      } catch (error) {
        cause = error instanceof Error ? error : new Error(String(error))
        ended()
        return
      }
      this.started += 1
      this.#thread = thread
      thread.on("message", (report: WriterReport) => {
        if (report.kind === "ready") this.#isReady = true
        this.#listener.report(report)
      })
      // An exit follows every error.
      thread.on("error", (error: Error) => {
        cause = error
      })
      thread.on("exit", ended)
      if (!this.#isHeld) thread.unref()
      return Effect.promise(() => thread.terminate())
    })
  }

  /** The process stays alive while the thread runs. */
  hold(): void {
    this.#isHeld = true
    this.#thread?.ref()
  }

  letGo(): void {
    this.#isHeld = false
    this.#thread?.unref()
  }
}
