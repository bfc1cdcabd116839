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
import * as Effect from "effect/Effect"
import type { Codec } from "../../domain/Codec.ts"
import type { EvidenceHandle, EvidenceRecord } from "../../domain/Evidence.ts"
import { EvidenceNotDurable } from "../../domain/EvidenceNotDurable.ts"
import type { EvacuateRecord, NeutralizationRecord, PurgeReason, PurgeRecord } from "../../domain/Records.ts"
import { secureIdText } from "../../domain/SecureIdText.ts"
import type { Severity } from "../../domain/Severity.ts"
import type { Compression } from "../../host/port/Compression.ts"
import type { Alerts } from "../../safety/alert/Alerts.ts"
import type { AlertDetails } from "../../safety/alert/Notice.ts"
import type { FailSafe } from "../../safety/failsafe/FailSafe.ts"
import type { Caller } from "../../telemetry/Caller.ts"
import type { Attributes, OpenSpan, RootSpans } from "../../telemetry/RootSpans.ts"
import type { HashChain } from "../audit/HashChain.ts"
import type { ColdStorage } from "../coldstorage/ColdStorage.ts"
import { type Custodian, Handle } from "../evidence/Evidence.ts"
import type { ExitSteps } from "./ExitSteps.ts"
import type { Journal } from "./Journal.ts"
import * as Notices from "./Notices.ts"
import type { Vault } from "./Vault.ts"

export interface ExitsOptions {
  readonly vault: Vault
  readonly steps: ExitSteps
  /** None where custody is in memory alone. */
  readonly journal: Pick<Journal, "isDurable" | "whenDurable"> | null
  readonly chain: Pick<HashChain, "append" | "record">
  readonly clock: Pick<Clock.Clock, "currentTimeMillisUnsafe">
  readonly compression: Pick<Compression["Service"], "compressSync">
  readonly coldStorage: ColdStorage["Service"]
  readonly failSafe: Pick<FailSafe["Service"], "purgedUnsafe" | "reportUnsafe">
  readonly alerts: Pick<Alerts["Service"], "errorUnsafe" | "logUnsafe">
  readonly caller: Caller
  readonly spans: RootSpans
}

/** Why evidence was not evacuated: the error type of its span. */
type NotEvacuated = "tampered" | "encode_error" | "refused"

const inMemory = new EvidenceNotDurable({
  reason: "memory",
  message: "custody is in memory alone here: set dataDirectory, and custody is durable"
})

/** Lets evidence out of a vault; the custodian of its handles. Slots must be in use. */
export class Exits implements Custodian {
  readonly #vault: Vault
  readonly #steps: ExitSteps
  readonly #journal: ExitsOptions["journal"]
  readonly #chain: ExitsOptions["chain"]
  readonly #clock: ExitsOptions["clock"]
  readonly #compression: ExitsOptions["compression"]
  readonly #coldStorage: ExitsOptions["coldStorage"]
  readonly #failSafe: ExitsOptions["failSafe"]
  readonly #alerts: ExitsOptions["alerts"]
  readonly #caller: Caller
  readonly #spans: RootSpans

  constructor(options: ExitsOptions) {
    this.#vault = options.vault
    this.#steps = options.steps
    this.#journal = options.journal
    this.#chain = options.chain
    this.#clock = options.clock
    this.#compression = options.compression
    this.#coldStorage = options.coldStorage
    this.#failSafe = options.failSafe
    this.#alerts = options.alerts
    this.#caller = options.caller
    this.#spans = options.spans
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

  isDurable(slot: number): boolean {
    return this.#journal?.isDurable(slot) ?? false
  }

  whenDurable(slot: number, generation: number): Effect.Effect<void, EvidenceNotDurable> {
    return this.#journal?.whenDurable(slot, generation) ?? Effect.fail(inMemory)
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
   * holder of the live buffer took that away. Compresses on the caller's turn. Its span ends when
   * cold storage has written it, or lost it.
   */
  evacuate(slot: number): EvacuateRecord | null {
    const { destination } = this.#coldStorage
    if (destination === null) {
      this.#alerts.errorUnsafe(Notices.notConfigured)
      return null
    }
    const span = this.#open("tracehound.evacuation", slot)
    return this.#within(span, () => {
      const outcome = this.#evacuateTo(destination, slot, span)
      if (typeof outcome !== "string") return outcome
      span?.end(outcome)
      return null
    })
  }

  /** The record, or why the evidence stays. */
  #evacuateTo(destination: string, slot: number, span: OpenSpan | null): EvacuateRecord | NotEvacuated {
    this.#steps.checkBytes(slot)
    const content = this.#vault.contentOf(slot)
    // Nothing is left to send; `checkBytes` has alerted.
    if (content.length !== this.#vault.sizeOf(slot)) return "tampered"
    const compressed = this.#compress(this.#coldStorage.codec, content)
    if (compressed === null) {
      const action = this.#failSafe.reportUnsafe("encode_error", Notices.encodeError, {
        details: this.#detailsOf(slot)
      })
      if (action === "Purge") this.purge(slot, "error", "stored")
      return "encode_error"
    }
    const facts = this.#steps.readFacts(slot, this.#now())
    const record = this.#vault.recordOf(slot)
    const delivery = { id: secureIdText(facts.id), record, content, compressed }
    if (!this.#coldStorage.tellUnsafe(span === null ? delivery : { ...delivery, onEnd: span.end })) return "refused"
    span?.set({ "tracehound.compressed_size": compressed.length })
    this.#alerts.logUnsafe(Notices.evacuation, record.severity, this.#detailsOf(slot))
    this.#steps.end(slot)
    facts.compressedSize = compressed.length
    facts.destination = destination
    return this.#chain.record(this.#steps.leave("evacuated"))
  }

  /**
   * Destroys evidence after cold storage was told, and tells the fail-safe. Under `stored`,
   * evidence that cannot be compressed goes to cold storage as it is.
   */
  purge(slot: number, reason: PurgeReason, codec = this.#coldStorage.codec): PurgeRecord {
    const span = this.#open("tracehound.purge", slot, { "tracehound.reason": reason })
    return this.#within(span, () => {
      const signature = this.#vault.signatureOf(slot)
      const { isStored, record } = this.#purge(slot, reason, codec)
      const isLost = !isStored && this.#coldStorage.destination !== null
      span?.set({ "tracehound.outcome": isStored ? "stored" : "destroyed" })
      span?.end(isLost ? "refused" : undefined)
      this.#failSafe.purgedUnsafe(record, signature)
      return record
    })
  }

  /** The record, and whether cold storage has taken the evidence. */
  #purge(
    slot: number,
    reason: PurgeReason,
    codec: Codec
  ): { readonly record: PurgeRecord; readonly isStored: boolean } {
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
    return { record: { id, reason, scent, PurgeTimestamp: now }, isStored }
  }

  /**
   * Purges at most `limit` pieces in the order of eviction, as many as cold storage takes, and
   * gives their number. They go uncompressed: the compressor may be what made Tracehound panic.
   */
  purgeForPanic(limit: number): number {
    const vault = this.#vault
    const coldStorage = this.#coldStorage
    const fits = (slot: number): boolean => slot >= 0 && coldStorage.refusalUnsafe(vault.sizeOf(slot)) === null
    const give = (slot: number): void => void this.purge(slot, "panic", "stored")
    const before = vault.count
    for (let slot = vault.first(); fits(slot) && before - vault.count < limit; slot = vault.first()) give(slot)
    // Evidence that is too large for cold storage at any time must not keep back the rest.
    const isStuck = vault.count === before && coldStorage.stats().pending === 0
    if (isStuck) {
      for (const slot of vault.all().filter(fits).slice(0, limit)) if (fits(slot)) give(slot)
    }
    return before - vault.count
  }

  /** Opens a span about held evidence. */
  #open(name: string, slot: number, attributes: Attributes = {}): OpenSpan | null {
    return this.#spans.open(name, () => ({
      kind: "internal",
      origin: this.#caller.current(),
      attributes: {
        "tracehound.signature": this.#vault.signatureOf(slot),
        "tracehound.category": this.#vault.categoryOf(slot),
        "tracehound.severity": this.#vault.severityOf(slot),
        "tracehound.size": this.#vault.sizeOf(slot),
        ...attributes
      }
    }))
  }

  /** What happens belongs to the caller's span; to our own where the caller has none. */
  #within<A>(span: OpenSpan | null, act: () => A): A {
    return span === null || this.#caller.current() !== undefined ? act() : this.#caller.within(span.span, act)
  }

  /** For alerts and log events, as long as the evidence is held. */
  #detailsOf(slot: number): () => AlertDetails {
    return () => ({ signature: this.#vault.signatureOf(slot), id: this.#vault.scentOf(slot).id })
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
