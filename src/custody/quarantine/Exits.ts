/**
 * The ways out of custody that a caller asks for: neutralize, transfer, evacuate and purge (RFC,
 * "Atomic Neutralize" and "Purge + Replace Model"; CONFORMANCE E2 to E4, F3).
 *
 * Each is one synchronous step of snapshot, destruction and audit record. Evictions are in
 * Evictions.ts.
 *
 * **Gotchas**
 *
 * - A caller that was given the live buffer may have taken it away. Bytes that are not the evidence
 *   are never sent to cold storage as if they were.
 */
import type * as Clock from "effect/Clock"
import type { Codec } from "../../domain/Codec.ts"
import type { EvidenceHandle, EvidenceRecord } from "../../domain/Evidence.ts"
import type { EvacuateRecord, NeutralizationRecord, PurgeReason, PurgeRecord } from "../../domain/Records.ts"
import { secureIdText } from "../../domain/SecureIdText.ts"
import type { Severity } from "../../domain/Severity.ts"
import type { Compression } from "../../host/port/Compression.ts"
import type { Alerts } from "../../safety/alert/Alerts.ts"
import type { FailSafe } from "../../safety/failsafe/FailSafe.ts"
import type { HashChain } from "../audit/HashChain.ts"
import type { ColdStorage } from "../coldstorage/ColdStorage.ts"
import { type Custodian, Handle } from "../evidence/Evidence.ts"
import type { ExitSteps } from "./ExitSteps.ts"
import * as Notices from "./Notices.ts"
import type { Vault } from "./Vault.ts"

export interface ExitsOptions {
  readonly vault: Vault
  readonly steps: ExitSteps
  readonly chain: Pick<HashChain, "append" | "record">
  readonly clock: Pick<Clock.Clock, "currentTimeMillisUnsafe">
  readonly compression: Pick<Compression["Service"], "compressSync">
  readonly coldStorage: ColdStorage["Service"]
  readonly failSafe: Pick<FailSafe["Service"], "purgedUnsafe" | "reportUnsafe">
  readonly alerts: Pick<Alerts["Service"], "errorUnsafe" | "logUnsafe">
}

/** Lets evidence out of a vault; the custodian of its handles. Slots must be in use. */
export class Exits implements Custodian {
  readonly #vault: Vault
  readonly #steps: ExitSteps
  readonly #chain: ExitsOptions["chain"]
  readonly #clock: ExitsOptions["clock"]
  readonly #compression: ExitsOptions["compression"]
  readonly #coldStorage: ExitsOptions["coldStorage"]
  readonly #failSafe: ExitsOptions["failSafe"]
  readonly #alerts: ExitsOptions["alerts"]

  constructor(options: ExitsOptions) {
    this.#vault = options.vault
    this.#steps = options.steps
    this.#chain = options.chain
    this.#clock = options.clock
    this.#compression = options.compression
    this.#coldStorage = options.coldStorage
    this.#failSafe = options.failSafe
    this.#alerts = options.alerts
  }

  holds(slot: number, generation: number): boolean {
    return this.#vault.holds(slot, generation)
  }

  severityOf(slot: number): Severity {
    return this.#vault.severityOf(slot)
  }

  scentOf(slot: number): EvidenceRecord["scent"] {
    return this.#vault.scentOf(slot)
  }

  expose(slot: number): ArrayBuffer {
    return this.#vault.expose(slot)
  }

  /** A new handle of the evidence. */
  handleOf(slot: number): EvidenceHandle {
    return new Handle(this, slot, this.#vault.generationOf(slot), this.#vault.factsOf(slot))
  }

  neutralize(slot: number): NeutralizationRecord {
    this.#steps.begin(slot, this.#now())
    this.#steps.end(slot)
    return this.#chain.record(this.#steps.leave("neutralized"))
  }

  transfer(slot: number): ArrayBuffer {
    this.#steps.begin(slot, this.#now())
    const content = this.#vault.take(slot)
    this.#steps.end(slot)
    this.#chain.append(this.#steps.leave("transferred"))
    return content
  }

  /**
   * Null where the evidence stays: there is no cold storage, it did not take the evidence, or the
   * holder of the live buffer took that away. Compresses on the caller's turn.
   */
  evacuate(slot: number): EvacuateRecord | null {
    const { codec, destination } = this.#coldStorage
    if (destination === null) {
      this.#alerts.errorUnsafe(Notices.notConfigured)
      return null
    }
    this.#steps.checkBytes(slot)
    const content = this.#vault.contentOf(slot)
    // Nothing is left to send; `checkBytes` has alerted.
    if (content.length !== this.#vault.sizeOf(slot)) return null
    const compressed = this.#compress(codec, content)
    if (compressed === null) {
      const action = this.#failSafe.reportUnsafe("encode_error", Notices.encodeError)
      if (action === "Purge") this.#purgeStored(slot, "error")
      return null
    }
    const facts = this.#steps.readFacts(slot, this.#now())
    const record = this.#vault.recordOf(slot)
    const delivery = { id: secureIdText(facts.id), record, content, compressed }
    if (!this.#coldStorage.tellUnsafe(delivery)) return null
    this.#alerts.logUnsafe(Notices.evacuation, record.severity, () => record.signature)
    this.#steps.end(slot)
    facts.compressedSize = compressed.length
    facts.destination = destination
    return this.#chain.record(this.#steps.leave("evacuated"))
  }

  /**
   * Destroys evidence after cold storage was told. Under `stored`, evidence that cannot be
   * compressed goes to cold storage as it is.
   */
  purge(slot: number, reason: PurgeReason, codec = this.#coldStorage.codec): PurgeRecord {
    const { destination } = this.#coldStorage
    const now = this.#now()
    const facts = this.#steps.begin(slot, now)
    const record = this.#vault.recordOf(slot)
    const content = this.#vault.contentOf(slot)
    const id = secureIdText(facts.id)
    const isWhole = content.length === record.size
    const compressed = codec === "stored" && isWhole ? this.#compress(codec, content) : null
    const used = compressed === null ? this.#coldStorage.codec : codec
    const delivery = { id, record, content, compressed, codec: used, isPurged: true }
    const isStored = destination !== null && this.#coldStorage.tellUnsafe(delivery)
    facts.destination = isStored ? destination : null
    facts.purgeReason = reason
    this.#steps.end(slot)
    this.#chain.append(this.#steps.leave("purged"))
    const scent = { ...record.scent, payloadHash: record.hash, payloadSize: record.size }
    return { id, reason, scent, PurgeTimestamp: now }
  }

  /**
   * Purges at most `limit` pieces in the order of eviction, as many as cold storage takes, and
   * gives their number. They go uncompressed: the compressor may be what made Tracehound panic.
   */
  purgeForPanic(limit: number): number {
    const vault = this.#vault
    const coldStorage = this.#coldStorage
    const fits = (slot: number): boolean => slot >= 0 && coldStorage.refusalUnsafe(vault.sizeOf(slot)) === null
    const give = (slot: number): void => this.#purgeStored(slot, "panic")
    const before = vault.count
    for (let slot = vault.first(); fits(slot) && before - vault.count < limit; slot = vault.first()) give(slot)
    // Evidence that is too large for cold storage at any time must not keep back the rest.
    const isStuck = vault.count === before && coldStorage.stats().pending === 0
    if (isStuck) {
      for (const slot of vault.all().filter(fits).slice(0, limit)) if (fits(slot)) give(slot)
    }
    return before - vault.count
  }

  /** Purges evidence uncompressed, and reports it. */
  #purgeStored(slot: number, reason: PurgeReason): void {
    const signature = this.#vault.signatureOf(slot)
    this.#failSafe.purgedUnsafe(this.purge(slot, reason, "stored"), signature)
  }

  #now(): number {
    return this.#clock.currentTimeMillisUnsafe()
  }

  /** The content under the codec, or null where the host failed to compress it. */
  #compress(codec: Codec, content: Uint8Array): Uint8Array | null {
    try {
      return codec === "stored" ? content.slice() : this.#compression.compressSync(codec, content)
    } catch {
      return null
    }
  }
}
