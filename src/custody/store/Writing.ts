/**
 * The writer's thread of an open store, and what is said to it and by it.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { EncryptionError } from "../encryption/EncryptionError.ts"
import { LedgerStoreError, type StoredCheckpoint } from "../ledger/LedgerStore.ts"
import { DurableWaits } from "./DurableWaits.ts"
import { KeyDesk, type LastAnswer } from "./KeyDesk.ts"
import { ringMemory, RingProducer } from "./Ring.ts"
import { fillCell, secretCell, wipeCell } from "./SecretCell.ts"
import { StoreOpenError, wordsOf } from "./StoreErrors.ts"
import { pathsOf, type StoreOptions, withDefaults } from "./StoreOptions.ts"
import type { WriterReport } from "./WriterMessages.ts"
import { WriterThread } from "./WriterThread.ts"

/** The entries that a store had when it was opened. */
export interface Opened {
  readonly size: number
  readonly head: string
}

export class Writing {
  readonly #opened = Deferred.makeUnsafe<Opened, StoreOpenError>()
  readonly ring: RingProducer
  readonly waits: DurableWaits
  readonly #thread: WriterThread
  readonly #options: ReturnType<typeof withDefaults>
  /** Whether a thread that ends is replaced. */
  #isNeeded = true
  /** For the next thread; wiped when the last one has ended. */
  readonly #seed: Uint8Array
  #lastRequest = 0
  /** Orders to the keyring that are not answered yet. */
  readonly desk = new KeyDesk()
  /** Where the master secrets are handed over; null where evidence is not sealed. */
  readonly #cell: SharedArrayBuffer | null
  readonly #requests = new Map<number, Deferred.Deferred<StoredCheckpoint, LedgerStoreError>>()

  constructor(options: StoreOptions) {
    const { directory, limits, reserveBytes, ringBytes, signer, startThread } = this.#options = withDefaults(options)
    const shared = ringMemory(ringBytes)
    this.ring = new RingProducer(shared)
    this.waits = new DurableWaits(this.ring, { hold: () => this.#thread.hold(), letGo: () => this.#thread.letGo() })
    this.#seed = signer.seed.slice()
    this.#cell = options.keys === undefined ? null : secretCell()
    const secrets = this.#cell
    const orders = { shared, limits, reserveBytes, signer: { ...signer, seed: this.#seed }, secrets }
    this.#thread = new WriterThread(startThread, { ...orders, paths: pathsOf(directory) }, {
      report: (report) => this.#hear(report),
      lost: (cause) => this.#lost(cause)
    })
  }

  /** Waits until the first thread has opened the database. */
  get opened(): Effect.Effect<Opened, StoreOpenError> {
    return Effect.suspend(() => {
      this.#thread.hold()
      return Effect.ensuring(Deferred.await(this.#opened), Effect.sync(() => this.#thread.letGo()))
    })
  }

  /** The lives of the threads, one after another, until the store is closed or given up. */
  get lives(): Effect.Effect<void> {
    return this.#thread.run(() => this.#isNeeded, this.#prepare)
  }

  /** Asks for the master secrets, and puts them where the writer's thread takes them. */
  get handOver(): Effect.Effect<void, EncryptionError> {
    const { keys } = this.#options
    const cell = this.#cell
    if (keys === undefined || cell === null) return Effect.void
    return Effect.flatMap(keys.secrets, ({ current, former }) =>
      Effect.try({
        try: () => fillCell(cell, [current, ...former].map((secret) => Redacted.value(secret))),
        catch: (cause) => new EncryptionError({ reason: "bad_secret", message: wordsOf(cause) })
      }))
  }

  /** Takes back what was handed over and not taken. */
  takeBack(): void {
    if (this.#cell !== null) wipeCell(this.#cell)
  }

  /** Before each thread; false where it cannot be started. */
  get #prepare(): Effect.Effect<boolean> {
    return Effect.map(Effect.result(this.handOver), (handed) => {
      if (Result.isSuccess(handed)) return true
      const { message, reason } = handed.failure
      this.#refused(new StoreOpenError({ reason: reason === "io" ? "io" : "keys", message }))
      return false
    })
  }

  /** Sends a request by `push`, and gives its answer. */
  readonly request = (
    push: (request: number) => Effect.Effect<void, LedgerStoreError>
  ): Effect.Effect<StoredCheckpoint, LedgerStoreError> =>
    Effect.suspend(() => {
      const request = ++this.#lastRequest
      const answer = Deferred.makeUnsafe<StoredCheckpoint, LedgerStoreError>()
      this.#requests.set(request, answer)
      this.#thread.hold()
      return push(request).pipe(
        Effect.andThen(Deferred.await(answer)),
        Effect.ensuring(Effect.sync(() => {
          this.#requests.delete(request)
          this.waits.letGoIfNobodyWaits()
        }))
      )
    })

  /** Sends an order to the keyring by `push`, and gives its answer. */
  readonly order = (
    push: (request: number) => Effect.Effect<void, EncryptionError>,
    onProgress?: (left: number) => void
  ): Effect.Effect<LastAnswer, EncryptionError> =>
    Effect.suspend(() => {
      this.#thread.hold()
      return Effect.ensuring(
        this.desk.ask(push, onProgress),
        Effect.sync(() => {
          if (this.desk.isIdle) this.waits.letGoIfNobodyWaits()
        })
      )
    })

  /** Has the thread commit what is in the ring, and waits for its end. */
  close(life: Fiber.Fiber<void>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#isNeeded = false
      this.#thread.hold()
      this.ring.stop()
      return Fiber.join(life).pipe(
        Effect.timeoutOption(this.#options.closeMs),
        Effect.andThen(Fiber.interrupt(life)),
        Effect.andThen(Effect.sync(() => {
          this.#end(new LedgerStoreError({ reason: "closed", message: "the ledger's store is closed" }))
          this.ring.wipe()
          this.#seed.fill(0)
        }))
      )
    })
  }

  #hear(report: WriterReport): void {
    switch (report.kind) {
      case "ready":
        if (!Deferred.isDoneUnsafe(this.#opened)) this.waits.begin(report.size)
        Deferred.doneUnsafe(this.#opened, Effect.succeed({ size: report.size, head: report.head }))
        return
      case "refused":
        this.#refused(new StoreOpenError({ reason: report.reason, message: report.message }))
        return
      case "checkpoint":
        this.#answer(report.requests, Effect.succeed({ size: report.size, note: report.note }))
        return
      case "keys":
        this.desk.hear(report.request, report.answer)
        return
      case "checkpointFile":
        this.#options.onTrouble(report)
        this.#answer(report.requests, Effect.fail(new LedgerStoreError({ reason: "io", message: report.message })))
        return
      case "failed":
        this.#options.onTrouble(report)
        this.#fail(new LedgerStoreError({ reason: report.reason, message: report.message }))
        return
      case "recovered":
      case "reserveUsed":
      case "pieceLost":
        this.#options.onTrouble(report)
    }
  }

  /** The first thread's refusal is that of the store; a later one may try again. */
  #refused(error: StoreOpenError): void {
    const { message, reason } = error
    if (!Deferred.doneUnsafe(this.#opened, Effect.fail(error))) {
      // Who gave another master secret meanwhile can give the right one again.
      const passing = reason === "keys" ? "io" : reason === "full" || reason === "io" ? reason : "damaged"
      this.#fail(new LedgerStoreError({ reason: passing, message }))
      this.#options.onTrouble({ kind: "failed", reason: passing, message })
      return
    }
    this.#isNeeded = false
  }

  #lost(cause: Error | null): void {
    this.takeBack()
    this.desk.threadEnded()
    const message = `the ledger's writer ended: ${cause?.message ?? "it gave no reason"}`
    if (Deferred.doneUnsafe(this.#opened, Effect.fail(new StoreOpenError({ reason: "io", message })))) {
      this.#isNeeded = false
      return
    }
    if (this.#isNeeded) this.#options.onTrouble({ kind: "writerLost", message })
  }

  #answer(requests: ReadonlyArray<number>, answer: Effect.Effect<StoredCheckpoint, LedgerStoreError>): void {
    for (const request of requests) {
      const waiting = this.#requests.get(request)
      if (waiting !== undefined) Deferred.doneUnsafe(waiting, answer)
    }
  }

  /** A try has failed. Nothing is tried again where what is stored is damaged. */
  #fail(error: LedgerStoreError): void {
    if (error.reason === "damaged") {
      this.#end(error)
      return
    }
    this.#answer([...this.#requests.keys()], Effect.fail(error))
    this.waits.fail(error)
  }

  #end(error: LedgerStoreError): void {
    this.#isNeeded = false
    this.#answer([...this.#requests.keys()], Effect.fail(error))
    this.desk.end(error.message)
    this.waits.end(error)
  }
}
