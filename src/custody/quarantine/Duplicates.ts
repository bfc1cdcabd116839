/**
 * Answers the duplicates of held evidence (CONFORMANCE D7): counts them, raises the severity of the
 * evidence where a duplicate came with a worse one, and gives all duplicates of one piece of
 * evidence the same object.
 */
import type { InterceptResult } from "../../domain/InterceptResult.ts"
import type { SeverityRank } from "../../domain/Severity.ts"
import type { Journal } from "./Journal.ts"
import type { Vault } from "./Vault.ts"

/** The answer to a duplicate. */
export type Ignored = Extract<InterceptResult, { readonly status: "ignored" }>

/** Called when a duplicate has made the evidence in a slot worse than `before`. */
export type RaiseListener = (slot: number, before: SeverityRank, severity: SeverityRank) => void

/** The duplicates of the evidence in one vault. */
export class Duplicates {
  readonly #vault: Vault
  readonly #journal: Pick<Journal, "changed"> | null
  /** By slot: made for the first duplicate, so that all others cost no allocation. */
  readonly #answers: Array<Ignored | null> = []
  readonly #listeners: Array<RaiseListener> = []
  #count = 0

  constructor(vault: Vault, journal: Pick<Journal, "changed"> | null = null) {
    this.#vault = vault
    this.#journal = journal
  }

  /** Duplicates so far. */
  get count(): number {
    return this.#count
  }

  /** The answer to a duplicate of this severity. Under `lru` its evidence becomes the newest. */
  answer(slot: number, severity: SeverityRank): Ignored {
    this.#count += 1
    const vault = this.#vault
    const before = vault.severityRankOf(slot)
    if (severity > before) this.#raise(slot, before, severity)
    else if (vault.touch(slot)) this.#journal?.changed(slot)
    return this.#answers[slot] ??= Object.freeze({ status: "ignored", signature: vault.signatureOf(slot) })
  }

  /** Drops the answer for a slot whose evidence has left, or which takes other evidence. */
  forget(slot: number): void {
    this.#answers[slot] = null
  }

  /** Must not throw. */
  onRaised(listener: RaiseListener): void {
    this.#listeners.push(listener)
  }

  #raise(slot: number, before: SeverityRank, severity: SeverityRank): void {
    this.#vault.raise(slot, severity)
    this.#journal?.changed(slot)
    for (const listener of this.#listeners) listener(slot, before, severity)
  }
}
