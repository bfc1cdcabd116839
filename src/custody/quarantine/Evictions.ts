/**
 * Evidence that leaves for lack of room: held evidence that is evicted, and an arrival that is
 * turned away (RFC, "Eviction is NOT silent"; CONFORMANCE Q2, Q3).
 *
 * Both tell cold storage first, then the log, then the alerts; after that the bytes are destroyed
 * and the chain gets its record.
 */
import type { EvidenceRecord } from "../../domain/Evidence.ts"
import type { InterceptResult } from "../../domain/InterceptResult.ts"
import { secureIdText } from "../../domain/SecureIdText.ts"
import type { Alerts } from "../../safety/alert/Alerts.ts"
import type { AlertDetails } from "../../safety/alert/Notice.ts"
import type { HashChain } from "../audit/HashChain.ts"
import type { ColdStorage } from "../coldstorage/ColdStorage.ts"
import { type Custodian, Handle, NEVER_HELD } from "../evidence/Evidence.ts"
import type { ExitFacts } from "./ExitFacts.ts"
import type { ExitSteps } from "./ExitSteps.ts"
import * as Notices from "./Notices.ts"
import { type Arrival, recordOf, type Vault } from "./Vault.ts"

/** The answer to new evidence. */
export type Quarantined = Extract<InterceptResult, { readonly status: "quarantined" }>

export interface EvictionsOptions {
  readonly vault: Vault
  readonly steps: ExitSteps
  /** The custodian that the dead handle of an arrival names. */
  readonly custodian: Custodian
  readonly chain: Pick<HashChain, "append" | "record">
  readonly coldStorage: Pick<ColdStorage["Service"], "destination" | "tellUnsafe">
  readonly alerts: Pick<Alerts["Service"], "alertUnsafe" | "logUnsafe">
}

export class Evictions {
  readonly #vault: Vault
  readonly #steps: ExitSteps
  readonly #custodian: Custodian
  readonly #chain: EvictionsOptions["chain"]
  readonly #coldStorage: EvictionsOptions["coldStorage"]
  readonly #alerts: EvictionsOptions["alerts"]
  /** What is being announced: held evidence, or an arrival. */
  #slot = NEVER_HELD
  #arrival: Arrival | null = null
  /** Made once, as a flood of evictions is announced by it, and hardly ever asked. */
  readonly #details = (): AlertDetails => ({
    signature: this.#steps.facts.signature(),
    id: this.#arrival?.id ?? this.#vault.scentOf(this.#slot).id
  })
  #count = 0

  constructor({ alerts, chain, coldStorage, custodian, steps, vault }: EvictionsOptions) {
    this.#vault = vault
    this.#steps = steps
    this.#custodian = custodian
    this.#chain = chain
    this.#coldStorage = coldStorage
    this.#alerts = alerts
  }

  /** Evictions so far, arrivals that were turned away included. */
  get count(): number {
    return this.#count
  }

  /** Evicts held evidence, at `now` in ms. */
  evict(slot: number, now: number): void {
    const facts = this.#steps.begin(slot, now)
    const { destination } = this.#coldStorage
    if (destination !== null && this.#store(this.#vault.recordOf(slot), this.#vault.contentOf(slot)))
      facts.destination = destination
    this.#announce(facts, slot, null)
    this.#steps.end(slot)
    this.#chain.append(this.#steps.leave("evicted"))
  }

  /** Evicts an arrival that found no room, before it is held: its handle is dead. */
  turnAway(arrival: Arrival, now = arrival.captured): Quarantined {
    const { facts } = this.#steps
    facts.readArrival(arrival, now)
    const { id, source, timestamp } = arrival
    const { destination } = this.#coldStorage
    if (destination !== null && this.#store(recordOf(arrival, { id, source, timestamp }), arrival.content))
      facts.destination = destination
    this.#announce(facts, NEVER_HELD, arrival)
    const evicted = this.#chain.record(this.#steps.leave("evicted"))
    return { status: "quarantined", handle: new Handle(this.#custodian, NEVER_HELD, 0, arrival), evicted }
  }

  /** Whether cold storage takes the evidence. */
  #store(record: EvidenceRecord, content: Uint8Array): boolean {
    return this.#coldStorage.tellUnsafe({ id: secureIdText(this.#steps.facts.id), record, content, compressed: null })
  }

  /** Tells the log, and the alerts where the severity asks for one. */
  #announce({ severity }: ExitFacts, slot: number, arrival: Arrival | null): void {
    this.#slot = slot
    this.#arrival = arrival
    this.#alerts.logUnsafe(Notices.eviction, severity, this.#details)
    const notice = Notices.highEvictions[severity]
    if (notice !== null) this.#alerts.alertUnsafe(notice, this.#details)
    this.#arrival = null
    this.#count += 1
  }
}
