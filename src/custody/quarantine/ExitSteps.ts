/**
 * The steps that all ways out of custody have in common: look for tampering, fill in the facts, and
 * at the end free the slot (CONFORMANCE E2).
 */
import { DigestBuffer } from "../../domain/Digest.ts"
import type { Hash } from "../../host/port/Hash.ts"
import type { Alerts } from "../../safety/alert/Alerts.ts"
import type { SecureIdGenerator } from "../evidence/SecureIds.ts"
import type { Duplicates } from "./Duplicates.ts"
import { ExitCounts, type ExitReason } from "./ExitCounts.ts"
import { ExitFacts } from "./ExitFacts.ts"
import type { Journal } from "./Journal.ts"
import * as Notices from "./Notices.ts"
import type { Vault } from "./Vault.ts"

export interface ExitStepsOptions {
  readonly vault: Vault
  readonly duplicates: Pick<Duplicates, "forget">
  /** None where custody is in memory alone. */
  readonly journal?: Pick<Journal, "forget" | "pieceOf"> | null
  readonly ids: Pick<SecureIdGenerator, "nextInto">
  readonly hash: Pick<Hash["Service"], "sha256Into">
  readonly alerts: Pick<Alerts["Service"], "alertUnsafe" | "errorUnsafe">
}

/** One exit at a time: an exit is synchronous, from its first step to the record. */
export class ExitSteps {
  /** The facts of the exit that is under way. */
  readonly facts: ExitFacts
  readonly counts = new ExitCounts()
  readonly #vault: Vault
  readonly #duplicates: Pick<Duplicates, "forget">
  readonly #journal: Pick<Journal, "forget" | "pieceOf"> | null
  readonly #hash: Pick<Hash["Service"], "sha256Into">
  readonly #alerts: Pick<Alerts["Service"], "alertUnsafe" | "errorUnsafe">
  readonly #signed = new DigestBuffer()
  readonly #found = new DigestBuffer()

  constructor({ alerts, duplicates, hash, ids, journal = null, vault }: ExitStepsOptions) {
    this.facts = new ExitFacts(ids)
    this.#vault = vault
    this.#duplicates = duplicates
    this.#journal = journal
    this.#hash = hash
    this.#alerts = alerts
  }

  /** Checks the bytes and gives the facts of evidence that leaves at `now`, in ms. */
  begin(slot: number, now: number): ExitFacts {
    this.checkBytes(slot)
    return this.readFacts(slot, now)
  }

  /** The same without the check. */
  readFacts(slot: number, now: number): ExitFacts {
    this.facts.readHeld(this.#vault, slot, now, this.#journal?.pieceOf(slot))
    return this.facts
  }

  /**
   * Alerts where a caller that was given the live buffer wrote to it or took it away. Hashes the
   * bytes of exposed evidence; free for the rest.
   */
  checkBytes(slot: number): void {
    const vault = this.#vault
    if (!vault.isExposed(slot)) return
    const found = this.#found
    vault.readDigests(slot, this.#signed, found)
    const expected = found.digest()
    const content = vault.contentOf(slot)
    if (content.length === vault.sizeOf(slot)) {
      this.#hash.sha256Into(content, found.bytes)
      if (found.digest() === expected) return
    }
    this.#alerts.errorUnsafe(Notices.tamperedError)
    this.#alerts.alertUnsafe(
      Notices.tampered,
      () => ({ signature: vault.signatureOf(slot), id: vault.scentOf(slot).id })
    )
  }

  /** The facts for the record of evidence that leaves this way, which is counted. */
  leave<R extends ExitReason>(reason: R): ExitFacts & { readonly status: R } {
    this.counts.count(reason, this.facts.severity)
    return this.facts.as(reason)
  }

  /** Destroys the bytes that are left, and frees the slot. */
  end(slot: number): void {
    this.#vault.remove(slot)
    this.#duplicates.forget(slot)
    this.#journal?.forget(slot)
  }
}
